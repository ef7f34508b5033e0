"""A call in a file of Keras' → what the kind of its layer says that it takes."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from dense_calc.call_inputs import (
    CallInput,
    Constant,
    OutputIndex,
    call_input_leaves,
    layer_names_in,
)
from dense_calc.errors import LayerError, did_you_mean
from dense_calc.keras_format.inbound_nodes import LayerCall, has_tensors
from dense_calc.layers.base import LayerKind, has_unnamed_inputs
from dense_calc.tracing.layer import demand_mask

_INPUTS_ARGUMENT = "inputs"  # what the call of a layer takes that has no other name for it
_MASK_ARGUMENT, _TRAINING_ARGUMENT = "mask", "training"  # what the calls of many layers take, too
_INITIAL_STATE_ARGUMENT = (
    "initial_state"  # what older versions add to the list of a recurrent layer's inputs
)


class _BoundCall(Struct):
    """What a layer's call comes to: all names that it reads, its inputs, its mask, and the rest.

    The names are in the order in which Keras lists what a layer is connected to.
    """

    read_names: tuple[str, ...]
    inputs: tuple[CallInput, ...]
    call_arguments: dict[str, Any]
    mask: CallInput = None


def bind_call(call: LayerCall, kind: type[LayerKind]) -> _BoundCall:
    """A call as what the kind of a layer says that it takes.

    Raises:
        LayerError: Keras' call of the kind takes no such arguments.
    """
    if call.is_current and kind.keras_module and not kind.kwargs_argument:
        _demand_known_arguments(call, kind)
    values = [*call.args, *(value for _, value in sorted(call.kwargs.items()))]
    reads = tuple(name for value in values for name in layer_names_in(_as_call_input(value)))
    args, by_name = _bind_argument_names(call, kind)
    mask = (
        None
        if _MASK_ARGUMENT in kind.input_names or kind.kwargs_argument
        else _as_call_input(by_name.get(_MASK_ARGUMENT))
    )
    if mask is not None and kind.keras_module:
        demand_mask(kind, mask if isinstance(mask, tuple) else None)
    if has_unnamed_inputs(kind):
        given = [_as_call_input(value, kind.is_operation) for value in args]
        return _BoundCall(reads, tuple(given), {}, mask)
    of_call = {
        name: _as_bool(by_name[name]) if name in _bool_arguments(kind) else by_name[name]
        for name in kind.call_arguments
        if by_name.get(name) is not None and not has_tensors(by_name[name])
    }
    inputs = [
        None if name in of_call else _as_call_input(by_name.get(name), kind.is_operation)
        for name in kind.input_names or (_INPUTS_ARGUMENT,)
    ]
    while inputs and inputs[-1] is None:
        inputs.pop()
    inputs += [_as_call_input(value) for value in args if has_tensors(value)]
    if kind.kwargs_argument:
        of_call[kind.kwargs_argument] = {
            name: value
            for name, value in call.kwargs.items()
            if name not in (*kind.input_names, _INPUTS_ARGUMENT, *kind.call_arguments)
        }
    return _BoundCall(reads, tuple(inputs), of_call, mask)


def _bind_argument_names(
    call: LayerCall, kind: type[LayerKind]
) -> tuple[list[Any], dict[str, Any]]:
    """What a call is given by position and has no name for, and the rest by name.

    Of a list of inputs, what is in it has names, or none.

    Raises:
        LayerError: it is given more than a list.
    """
    args, by_name = list(call.args), dict(call.kwargs)
    order = kind.positional_parameters or (
        *(kind.input_names or (_INPUTS_ARGUMENT,)),
        *kind.call_arguments,
    )
    if kind.inputs_as_list:
        held = args[:1] or [value for value in by_name.values() if has_tensors(value)][:1]
        if has_tensors(tuple(args[1 + kind.accepts_mask :])):
            raise LayerError(f"{kind.__name__} takes one list of tensors")
        by_name |= dict(zip((_MASK_ARGUMENT,), args[1:], strict=False))
        args = [*held[0]] if held and isinstance(held[0], tuple) else held
        order = kind.input_names
    elif has_unnamed_inputs(kind):
        order = ()
    elif (
        _INITIAL_STATE_ARGUMENT in kind.input_names
        and args
        and isinstance(args[0], tuple)
        and not call.is_current
    ):
        args = [args[0][0], args[0][1:], *args[1:]]  # as older versions write them
    return args[len(order) :], dict(zip(order, args, strict=False)) | by_name


def _demand_known_arguments(call: LayerCall, kind: type[LayerKind]) -> None:
    """Raise LayerError unless Keras 3 takes the arguments of a call by position, and by name."""
    name = kind.__name__
    if not kind.is_operation and not all(map(_is_tensor_nest, call.args)):
        raise LayerError(f"{name} takes tensors alone by position")
    if kind.inputs_as_list and call.args and isinstance(call.args[0], OutputIndex):
        raise LayerError(f"{name} takes a list of tensors, not one")
    if not call.kwargs:
        return
    known = [
        *kind.input_names,
        *kind.call_arguments,
        _TRAINING_ARGUMENT,
        *[_MASK_ARGUMENT] * kind.accepts_mask,
    ]
    if not kind.input_names or kind.inputs_as_list:
        known.append(_INPUTS_ARGUMENT)
    strays = [each for each in call.kwargs if each not in known]
    if strays and not (kind.is_operation and has_unnamed_inputs(kind)):
        hint = did_you_mean(strays[0], known, else_listed=False)
        raise LayerError(f"{name}'s call has no argument '{strays[0]}'{hint}")


def demand_known_inputs(kind: type[LayerKind], inputs: tuple[CallInput, ...]) -> None:
    """Raise LayerError where a mapping names no input of the kind, or a nest has nothing in it."""
    if not kind.keras_module or kind.kwargs_argument:
        return
    for each in inputs:
        if isinstance(each, dict) and kind.mapping_keys:
            for name in (name for name in each if name not in kind.mapping_keys):
                hint = did_you_mean(name, kind.mapping_keys)
                raise LayerError(f"{kind.__name__} has no input '{name}'{hint}")
        if isinstance(each, tuple | dict) and None in call_input_leaves(each):
            raise LayerError(f"{kind.__name__} is given a list or a mapping with null in it")


def _is_tensor_nest(value: Any) -> bool:
    """Whether a value of a call is a tensor, a nest of them, or nothing."""
    match value:
        case None | OutputIndex() | Constant():
            return True
        case tuple(items):
            return all(map(_is_tensor_nest, items))
        case dict(pairs):
            return all(map(_is_tensor_nest, pairs.values()))
    return False


@cache
def _bool_arguments(kind: type[LayerKind]) -> tuple[str, ...]:
    """The arguments of Keras' call that are true or false."""
    return tuple(field.encode_name for field in fields(kind) if field.type is bool)


def _as_bool(value: Any) -> Any:
    """A truth that a file may write as a number, as Python reads it."""
    return bool(value) if isinstance(value, int) else value


def _as_call_input(value: Any, numbers: bool = False) -> CallInput:
    """What an input is given, also if that is `numbers`; None where it is neither."""
    match value:
        case OutputIndex() | Constant():
            return value
        case tuple():
            return tuple(_as_call_input(each, numbers) for each in value)
        case dict() if has_tensors(value):
            return {name: _as_call_input(each, numbers) for name, each in value.items()}
        case bool() | int() | float() | list() if numbers:
            return Constant(value)
    return None
