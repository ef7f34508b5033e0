"""What the calls of layers are given in a file of Keras': inbound nodes → names and nests of them.

Keras 3 writes the arguments of a call, in which tensors tell their history; older versions write
lists of `[layer, number of its call, number of its output, other arguments]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from numbers import Number
from typing import Any, get_args

from msgspec import Struct

from dense_calc.errors import SpecError
from dense_calc.keras_format.json_locations import Spot
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.model import Constant, Leaf

TENSOR = "__keras_tensor__"
ARRAYS = ("__tensor__", "__numpy__")
CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 marks what is no tensor
DTYPES = get_args(InputDtype)
TEXT = "string"  # the dtype of the arrays that hold no numbers


class Call(Struct):
    """The arguments of one call, by position and by name, tensors among them as Given.

    `is_current` tells those that Keras 3 wrote, and takes.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    is_current: bool = False


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
                if not holds_numbers(value) and dtype != TEXT:
                    raise SpecError("an array in a call holds numbers", spot)
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


def holds_numbers(value: Any) -> bool:
    """Whether a value is a number, or a list of such, at any depth."""
    return all(map(holds_numbers, value)) if isinstance(value, list) else isinstance(value, Number)


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
