"""Bind the arguments of a call in a Keras file to the parameters of its layer's kind."""

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

_INPUTS_ARGUMENT = "inputs"  # the only input of a layer whose kind names none
_MASK_ARGUMENT, _TRAINING_ARGUMENT = "mask", "training"  # arguments of many layers' calls
_INITIAL_STATE_ARGUMENT = "initial_state"  # of recurrent layers


class _BoundCall(Struct):
    """A call bound to a kind: the names of what it reads, its inputs, other arguments and mask.

    The names are in the order of Keras' list of what a layer is connected to.
    """

    read_names: tuple[str, ...]
    inputs: tuple[CallInput, ...]
    call_arguments: dict[str, Any]
    mask: CallInput = None


def bind_call(call: LayerCall, kind: type[LayerKind]) -> _BoundCall:
    """The arguments of a call, bound to the parameters of a kind.

    Raises:
        LayerError: Keras' call of the kind has no such arguments.
    """
    if call.is_current and kind.keras_module and not kind.kwargs_argument:
        _demand_known_arguments(call, kind)
    values = [*call.args, *(value for _, value in sorted(call.kwargs.items()))]
    reads = tuple(name for value in values for name in layer_names_in(_as_call_input(value)))
    unnamed, by_name = _bind_argument_names(call, kind)
    mask = _bind_mask(by_name, kind)
    if has_unnamed_inputs(kind):
        inputs = [_as_call_input(value, kind.is_operation) for value in unnamed]
        return _BoundCall(reads, tuple(inputs), {}, mask)
    arguments = {
        name: _as_bool(by_name[name]) if name in _bool_arguments(kind) else by_name[name]
        for name in kind.call_arguments
        if by_name.get(name) is not None and not has_tensors(by_name[name])
    }
    inputs = [
        None if name in arguments else _as_call_input(by_name.get(name), kind.is_operation)
        for name in kind.input_names or (_INPUTS_ARGUMENT,)
    ]
    while inputs and inputs[-1] is None:
        inputs.pop()
    inputs += [_as_call_input(value) for value in unnamed if has_tensors(value)]
    if kind.kwargs_argument:
        known = (*kind.input_names, _INPUTS_ARGUMENT, *kind.call_arguments)
        arguments[kind.kwargs_argument] = {
            name: value for name, value in call.kwargs.items() if name not in known
        }
    return _BoundCall(reads, tuple(inputs), arguments, mask)


def _bind_mask(by_name: dict[str, Any], kind: type[LayerKind]) -> CallInput:
    """The mask of a call; None if it has none, or if the mask is an input of the kind."""
    if _MASK_ARGUMENT in kind.input_names or kind.kwargs_argument:
        return None
    mask = _as_call_input(by_name.get(_MASK_ARGUMENT))
    if mask is not None and kind.keras_module:
        demand_mask(kind, mask if isinstance(mask, tuple) else None)
    return mask


def _bind_argument_names(
    call: LayerCall, kind: type[LayerKind]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments by position for which the kind has no name, and all others by name.

    Where a kind takes a list of inputs, the items of the list count in its place.

    Raises:
        LayerError: there is more than a list.
    """
    args, by_name = list(call.args), dict(call.kwargs)
    if has_unnamed_inputs(kind) and not kind.inputs_as_list:
        return args, by_name
    names = kind.positional_parameters or (
        *(kind.input_names or (_INPUTS_ARGUMENT,)),
        *kind.call_arguments,
    )
    if kind.inputs_as_list:
        lists = args[:1] or [value for value in by_name.values() if has_tensors(value)][:1]
        if has_tensors(tuple(args[1 + kind.accepts_mask :])):
            raise LayerError(f"{kind.__name__} takes one list of tensors")
        if len(args) > 1:
            by_name[_MASK_ARGUMENT] = args[1]
        args = [*lists[0]] if lists and isinstance(lists[0], tuple) else lists
        names = kind.input_names
    elif _has_state_in_inputs(call, kind):
        args = [args[0][0], args[0][1:], *args[1:]]
    return args[len(names) :], dict(zip(names, args, strict=False)) | by_name


def _has_state_in_inputs(call: LayerCall, kind: type[LayerKind]) -> bool:
    """Whether the first argument is a list of inputs and states, as in older versions."""
    return (
        _INITIAL_STATE_ARGUMENT in kind.input_names
        and not call.is_current
        and isinstance(next(iter(call.args), None), tuple)
    )


def _demand_known_arguments(call: LayerCall, kind: type[LayerKind]) -> None:
    """Raise LayerError unless Keras 3 accepts the arguments of a call, by position and by name."""
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
    unknown = next((each for each in call.kwargs if each not in known), None)
    if unknown is not None and not (kind.is_operation and has_unnamed_inputs(kind)):
        hint = did_you_mean(unknown, known, else_listed=False)
        raise LayerError(f"{name}'s call has no argument '{unknown}'{hint}")


def demand_known_inputs(kind: type[LayerKind], inputs: tuple[CallInput, ...]) -> None:
    """Raise LayerError where a mapping has an unknown key, or a nest has a null."""
    if not kind.keras_module or kind.kwargs_argument:
        return
    for each in inputs:
        if isinstance(each, dict) and kind.mapping_keys:
            for name in (name for name in each if name not in kind.mapping_keys):
                hint = did_you_mean(name, kind.mapping_keys)
                raise LayerError(f"{kind.__name__} has no input '{name}'{hint}")
        if isinstance(each, tuple | dict) and None in call_input_leaves(each):
            raise LayerError(f"{kind.__name__} reads a list or a mapping that contains null")


def _is_tensor_nest(value: Any) -> bool:
    """Whether a value of a call is a tensor, a nest of tensors, or null."""
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
    """The arguments of a kind that are true or false."""
    return tuple(field.encode_name for field in fields(kind) if field.type is bool)


def _as_bool(value: Any) -> Any:
    """The truth of an integer, as Python takes it; any other value stays."""
    return bool(value) if isinstance(value, int) else value


def _as_call_input(value: Any, numbers: bool = False) -> CallInput:
    """A value as an input: a tensor, a nest, or with `numbers` a constant; None for any other."""
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
