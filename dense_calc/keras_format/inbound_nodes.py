"""What the calls of layers are given in a file of Keras': inbound nodes → names and nests of them.

Keras 3 writes the arguments of a call, in which tensors tell their history; older versions write
lists of `[layer, number of its call, number of its output, other arguments]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from numbers import Number
from typing import Any, get_args

from msgspec import Struct

from dense_calc.call_inputs import Constant, OutputIndex
from dense_calc.errors import SpecError
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.layers.arguments.types import InputDtype

KERAS_TENSOR_CLASS = "__keras_tensor__"
_ARRAY_CLASSES = ("__tensor__", "__numpy__")
_CONSTANT_MARKER = "_CONSTANT_VALUE"  # how Keras 2 marks what is no tensor
INPUT_DTYPES = get_args(InputDtype)
_STRING_DTYPE = "string"  # the dtype of the arrays that hold no numbers


class LayerCall(Struct):
    """The arguments of one call, by position and by name, tensors among them as Given.

    `is_current` tells those that Keras 3 wrote, and takes.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    is_current: bool = False


class LayerCalls:
    """The calls of the layers of one model: the names of its nodes, by layer and number.

    `numbers` is how often each layer is called. The calls of some models inside count from 1: in
    inbound nodes those of `from_1`, in the model's outputs those of `ends_from_1`.
    """

    def __init__(
        self, numbers: Mapping[str, int], from_1: Collection[str], ends_from_1: Collection[str]
    ) -> None:
        self.node_names: dict[str, list[str]] = {}
        taken = set(numbers)
        for layer, number in numbers.items():
            again = (f"{layer}_{each}" for each in range(1, 1 + number + len(taken)))
            free = (name for name in again if name not in taken)
            self.node_names[layer] = [layer, *(next(free) for _ in range(number - 1))]
            taken.update(self.node_names[layer])
        self.inbound_from_1 = from_1
        self.outputs_from_1 = ends_from_1

    def resolve_tensor(self, history: Any, spot: JsonPlace) -> OutputIndex:
        """The tensor that a layer's call gave: `[layer, number of the call, number among all]`.

        Raises:
            SpecError: there is no such call.
        """
        match history:
            case [str(layer), int(call), int(index), *_] if index >= 0:
                names = self.node_names.get(layer)
            case _:
                raise SpecError("a tensor's history is [layer, call, output]", spot)
        if names is None:
            raise SpecError(f"there is no layer '{layer}' to read", spot)
        if not -len(names) <= call < len(names):
            raise SpecError(f"there is no call [{call}] of '{layer}'; it has {len(names)}", spot)
        return OutputIndex(names[call], index)

    def parse_call(self, written: Any, spot: JsonPlace) -> LayerCall:
        """One inbound node, of any version.

        Raises:
            SpecError: it is none.
        """
        match written:
            case {"args": list(args), "kwargs": dict(kwargs)}:
                return LayerCall(
                    [self.parse_argument(each, spot) for each in args],
                    {name: self.parse_argument(each, spot) for name, each in kwargs.items()},
                    is_current=True,
                )
            case list() | dict():
                kwargs = {}
                tensors = self.parse_legacy_argument(written, kwargs, spot)
                if isinstance(tensors, tuple) and len(tensors) == 1:
                    tensors = tensors[0]
                return LayerCall([tensors], kwargs)
        raise SpecError("an inbound node is a list of tensors, or args and kwargs", spot)

    def parse_argument(self, written: Any, spot: JsonPlace) -> Any:
        """A value in a call of Keras 3: a tensor, a nest with tensors in it, or a constant."""
        match written:
            case {"class_name": str(name), "config": {"keras_history": history}} if (
                name == KERAS_TENSOR_CLASS
            ):
                return self.resolve_tensor(history, spot)
            case {"class_name": str(name), "config": {"value": value, **more}} if (
                name in _ARRAY_CLASSES
            ):
                dtype: Any = more.get("dtype")
                if not _has_only_numbers(value) and dtype != _STRING_DTYPE:
                    raise SpecError("an array in a call holds numbers", spot)
                return Constant(value, array_dtype=dtype if dtype in INPUT_DTYPES else None)
            case list():
                items = tuple(self.parse_argument(each, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                pairs = {
                    name: self.parse_argument(each, spot) for name, each in sorted(written.items())
                }
                return pairs if any(map(has_tensors, pairs.values())) else written
        return written

    def parse_legacy_argument(self, written: Any, kwargs: dict[str, Any], spot: JsonPlace) -> Any:
        """The same of older versions; `kwargs` takes the arguments that stand with a tensor."""
        match written:
            case [str(name), int(), value, *rest] if name == _CONSTANT_MARKER:
                self.collect_legacy_arguments(rest, kwargs, spot)
                return value
            case [str(name), int(), int(), *rest]:
                self.collect_legacy_arguments(rest, kwargs, spot)
                return self.resolve_tensor(
                    [name, written[1] - (name in self.inbound_from_1), written[2]], spot
                )
            case list():
                items = tuple(self.parse_legacy_argument(each, kwargs, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                return {
                    key: self.parse_legacy_argument(each, kwargs, spot)
                    for key, each in sorted(written.items())
                }
        return written

    def collect_legacy_arguments(
        self, rest: list[Any], kwargs: dict[str, Any], spot: JsonPlace
    ) -> None:
        """Put the arguments that stand with a tensor or a constant among `kwargs`."""
        for more in rest:
            if isinstance(more, dict):
                for key, value in more.items():
                    kwargs[key] = self.parse_legacy_argument(value, {}, spot)


def _has_only_numbers(value: Any) -> bool:
    """Whether a value is a number, or a list of such, at any depth."""
    return (
        all(map(_has_only_numbers, value)) if isinstance(value, list) else isinstance(value, Number)
    )


def has_tensors(value: Any) -> bool:
    """Whether a tensor or an array is in a value of a call."""
    match value:
        case OutputIndex() | Constant():
            return True
        case tuple(items):
            return any(map(has_tensors, items))
        case dict(pairs):
            return any(map(has_tensors, pairs.values()))
    return False


def layer_references(written: Any) -> Iterator[tuple[str, int]]:
    """The layers, and the numbers of their calls, that inbound nodes of older versions name."""
    match written:
        case [str(name), int(call), int(), *rest]:
            yield name, call
            yield from layer_references(rest)
        case list():
            for each in written:
                yield from layer_references(each)
        case dict():
            yield from layer_references(list(written.values()))
