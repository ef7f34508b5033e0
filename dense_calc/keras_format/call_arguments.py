"""A call in a file of Keras' → what the kind of its layer says that it takes."""

from __future__ import annotations

from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from dense_calc.errors import LayerError, did_you_mean
from dense_calc.keras_format.inbound_nodes import Call, has_tensors
from dense_calc.layers.base import LayerKind, reads_a_list
from dense_calc.model import Constant, Given, Leaf, names_in
from dense_calc.tracing.layer import demand_mask

INPUTS = "inputs"  # what the call of a layer takes that has no other name for it
MASK, TRAINING = "mask", "training"  # what the calls of many layers take, too
STATES = "initial_state"  # what older versions add to the list of a recurrent layer's inputs


class Bound(Struct):
    """What a layer's call comes to: all names that it reads, its inputs, its mask, and the rest.

    The names are in the order in which Keras lists what a layer is connected to.
    """

    reads: tuple[str, ...]
    inputs: tuple[Given, ...]
    of_call: dict[str, Any]
    mask: Given = None


def bound(call: Call, kind: type[LayerKind]) -> Bound:
    """A call as what the kind of a layer says that it takes.

    Raises:
        LayerError: Keras' call of the kind takes no such arguments.
    """
    if call.is_current and kind.module and not kind.further:
        demand_known(call, kind)
    values = [*call.args, *(value for _, value in sorted(call.kwargs.items()))]
    reads = tuple(name for value in values for name in names_in(tensors(value)))
    args, by_name = named(call, kind)
    mask = None if MASK in kind.inputs or kind.further else tensors(by_name.get(MASK))
    if mask is not None and kind.module:
        demand_mask(kind, mask if isinstance(mask, tuple) else None)
    if reads_a_list(kind):
        given = [tensors(value, kind.is_operation) for value in args]
        return Bound(reads, tuple(given), {}, mask)
    of_call = {
        name: as_truth(by_name[name]) if name in truths(kind) else by_name[name]
        for name in kind.of_call
        if by_name.get(name) is not None and not has_tensors(by_name[name])
    }
    inputs = [
        None if name in of_call else tensors(by_name.get(name), kind.is_operation)
        for name in kind.inputs or (INPUTS,)
    ]
    while inputs and inputs[-1] is None:
        inputs.pop()
    inputs += [tensors(value) for value in args if has_tensors(value)]
    if kind.further:
        of_call[kind.further] = {
            name: value
            for name, value in call.kwargs.items()
            if name not in (*kind.inputs, INPUTS, *kind.of_call)
        }
    return Bound(reads, tuple(inputs), of_call, mask)


def named(call: Call, kind: type[LayerKind]) -> tuple[list[Any], dict[str, Any]]:
    """What a call is given by position and has no name for, and the rest by name.

    Of a list of inputs, what is in it has names, or none.

    Raises:
        LayerError: it is given more than a list.
    """
    args, by_name = list(call.args), dict(call.kwargs)
    order = kind.call_order or (*(kind.inputs or (INPUTS,)), *kind.of_call)
    if kind.on_a_list:
        held = args[:1] or [value for value in by_name.values() if has_tensors(value)][:1]
        if has_tensors(tuple(args[1 + kind.takes_mask :])):
            raise LayerError(f"{kind.__name__} takes one list of tensors")
        by_name |= dict(zip((MASK,), args[1:], strict=False))
        args = [*held[0]] if held and isinstance(held[0], tuple) else held
        order = kind.inputs
    elif reads_a_list(kind):
        order = ()
    elif STATES in kind.inputs and args and isinstance(args[0], tuple) and not call.is_current:
        args = [args[0][0], args[0][1:], *args[1:]]  # as older versions write them
    return args[len(order) :], dict(zip(order, args, strict=False)) | by_name


def demand_known(call: Call, kind: type[LayerKind]) -> None:
    """Raise LayerError unless Keras 3 takes the arguments of a call by position, and by name."""
    name = kind.__name__
    if not kind.is_operation and not all(map(is_nest, call.args)):
        raise LayerError(f"{name} takes tensors alone by position")
    if kind.on_a_list and call.args and isinstance(call.args[0], Leaf):
        raise LayerError(f"{name} takes a list of tensors, not one")
    if not call.kwargs:
        return
    known = [*kind.inputs, *kind.of_call, TRAINING, *[MASK] * kind.takes_mask]
    if not kind.inputs or kind.on_a_list:
        known.append(INPUTS)
    strays = [each for each in call.kwargs if each not in known]
    if strays and not (kind.is_operation and reads_a_list(kind)):
        hint = did_you_mean(strays[0], known, else_listed=False)
        raise LayerError(f"{name}'s call has no argument '{strays[0]}'{hint}")


def demand_given(kind: type[LayerKind], inputs: tuple[Given, ...]) -> None:
    """Raise LayerError where a mapping names no input of the kind, or a nest has nothing in it."""
    if not kind.module or kind.further:
        return
    for each in inputs:
        if isinstance(each, dict) and kind.keys:
            for name in (name for name in each if name not in kind.keys):
                hint = did_you_mean(name, kind.keys)
                raise LayerError(f"{kind.__name__} has no input '{name}'{hint}")
        if has_gap(each):
            raise LayerError(f"{kind.__name__} is given a list or a mapping with null in it")


def has_gap(given: Given) -> bool:
    """Whether a nest has nothing in one of its places."""
    match given:
        case tuple():
            return any(each is None or has_gap(each) for each in given)
        case dict():
            return has_gap(tuple(given.values()))
    return False


def is_nest(value: Any) -> bool:
    """Whether a value of a call is a tensor, a nest of them, or nothing."""
    match value:
        case None | Leaf() | Constant():
            return True
        case tuple(items):
            return all(map(is_nest, items))
        case dict(pairs):
            return all(map(is_nest, pairs.values()))
    return False


@cache
def truths(kind: type[LayerKind]) -> tuple[str, ...]:
    """The arguments of Keras' call that are true or false."""
    return tuple(field.encode_name for field in fields(kind) if field.type is bool)


def as_truth(value: Any) -> Any:
    """A truth that a file may write as a number, as Python reads it."""
    return bool(value) if isinstance(value, int) else value


def tensors(value: Any, numbers: bool = False) -> Given:
    """What an input is given, also if that is `numbers`; None where it is neither."""
    match value:
        case Leaf() | Constant():
            return value
        case tuple():
            return tuple(tensors(each, numbers) for each in value)
        case dict() if has_tensors(value):
            return {name: tensors(each, numbers) for name, each in value.items()}
        case bool() | int() | float() | list() if numbers:
            return Constant(value)
    return None
