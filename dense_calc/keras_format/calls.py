"""What the calls of layers are given in a file of Keras': inbound nodes → names and nests of them.

Keras 3 writes the arguments of a call, in which tensors tell their history; older versions write
lists of `[layer, number of its call, number of its output, other arguments]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, get_args

from msgspec import Struct
from msgspec.structs import fields

from dense_calc.building import demand_mask
from dense_calc.errors import LayerError, SpecError, did_you_mean
from dense_calc.keras_format.places import Spot
from dense_calc.layers.base import LayerKind, reads_a_list
from dense_calc.layers.words import InputDtype
from dense_calc.model import Constant, Given, Leaf, names_in

TENSOR = "__keras_tensor__"
ARRAYS = ("__tensor__", "__numpy__")
CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 marks what is no tensor
DTYPES = get_args(InputDtype)
INPUTS = "inputs"  # what the call of a layer takes that has no other name for it
MASK, TRAINING = "mask", "training"  # what the calls of many layers take, too
STATES = "initial_state"  # what older versions add to the list of a recurrent layer's inputs


class Call(Struct):
    """The arguments of one call, by position and by name, tensors among them as Given.

    `is_current` tells those that Keras 3 wrote, and takes.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    is_current: bool = False


class Bound(Struct):
    """What a layer's call comes to: all names that it reads, its inputs, its mask, and the rest.

    The names are in the order in which Keras lists what a layer is connected to.
    """

    reads: tuple[str, ...]
    inputs: tuple[Given, ...]
    of_call: dict[str, Any]
    mask: Given = None


class Calls:
    """The calls of the layers of one model: the names of its nodes, by layer and number.

    `numbers` is how often each layer is called. The calls of some models inside count from 1: in
    inbound nodes those of `from_1`, in the model's outputs those of `ends_from_1`.
    """

    def __init__(
        self, numbers: Mapping[str, int], from_1: Collection[str], ends_from_1: Collection[str]
    ) -> None:
        self.names: dict[str, list[str]] = {}
        taken = set(numbers)
        for layer, number in numbers.items():
            again = (f"{layer}_{each}" for each in range(1, 1 + number + len(taken)))
            free = (name for name in again if name not in taken)
            self.names[layer] = [layer, *(next(free) for _ in range(number - 1))]
            taken.update(self.names[layer])
        self.from_1 = from_1
        self.ends_from_1 = ends_from_1

    def leaf(self, history: Any, spot: Spot) -> Leaf:
        """The tensor that a layer's call gave: `[layer, number of the call, number among all]`.

        Raises:
            SpecError: there is no such call.
        """
        match history:
            case [str(layer), int(call), int(index), *_] if index >= 0:
                names = self.names.get(layer)
            case _:
                raise SpecError("a tensor's history is [layer, call, output]", spot)
        if names is None:
            raise SpecError(f"there is no layer '{layer}' to read", spot)
        if not -len(names) <= call < len(names):
            raise SpecError(f"there is no call [{call}] of '{layer}'; it has {len(names)}", spot)
        return Leaf(names[call], index)

    def call(self, written: Any, spot: Spot) -> Call:
        """One inbound node, of any version.

        Raises:
            SpecError: it is none.
        """
        match written:
            case {"args": list(args), "kwargs": dict(kwargs)}:
                return Call(
                    [self.given(each, spot) for each in args],
                    {name: self.given(each, spot) for name, each in kwargs.items()},
                    is_current=True,
                )
            case list() | dict():
                kwargs = {}
                tensors = self.legacy(written, kwargs, spot)
                if isinstance(tensors, tuple) and len(tensors) == 1:
                    tensors = tensors[0]
                return Call([tensors], kwargs)
        raise SpecError("an inbound node is a list of tensors, or args and kwargs", spot)

    def given(self, written: Any, spot: Spot) -> Any:
        """A value in a call of Keras 3: a tensor, a nest with tensors in it, or a constant."""
        match written:
            case {"class_name": str(name), "config": {"keras_history": history}} if name == TENSOR:
                return self.leaf(history, spot)
            case {"class_name": str(name), "config": {"value": value, **more}} if name in ARRAYS:
                dtype: Any = more.get("dtype")
                return Constant(value, array_dtype=dtype if dtype in DTYPES else None)
            case list():
                items = tuple(self.given(each, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                pairs = {name: self.given(each, spot) for name, each in sorted(written.items())}
                return pairs if any(map(has_tensors, pairs.values())) else written
        return written

    def legacy(self, written: Any, kwargs: dict[str, Any], spot: Spot) -> Any:
        """The same of older versions; `kwargs` takes the arguments that stand with a tensor."""
        match written:
            case [str(name), int(), value, *rest] if name == CONSTANT:
                self.beside(rest, kwargs, spot)
                return value
            case [str(name), int(), int(), *rest]:
                self.beside(rest, kwargs, spot)
                return self.leaf([name, written[1] - (name in self.from_1), written[2]], spot)
            case list():
                items = tuple(self.legacy(each, kwargs, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                return {
                    key: self.legacy(each, kwargs, spot) for key, each in sorted(written.items())
                }
        return written

    def beside(self, rest: list[Any], kwargs: dict[str, Any], spot: Spot) -> None:
        """Put the arguments that stand with a tensor or a constant among `kwargs`."""
        for more in rest:
            if isinstance(more, dict):
                for key, value in more.items():
                    kwargs[key] = self.legacy(value, {}, spot)


def has_tensors(value: Any) -> bool:
    """Whether a tensor or an array is in a value of a call."""
    match value:
        case Leaf() | Constant():
            return True
        case tuple(items):
            return any(map(has_tensors, items))
        case dict(pairs):
            return any(map(has_tensors, pairs.values()))
    return False


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


def referred(written: Any) -> Iterator[tuple[str, int]]:
    """The layers, and the numbers of their calls, that inbound nodes of older versions name."""
    match written:
        case [str(name), int(call), int(), *rest]:
            yield name, call
            yield from referred(rest)
        case list():
            for each in written:
                yield from referred(each)
        case dict():
            yield from referred(list(written.values()))
