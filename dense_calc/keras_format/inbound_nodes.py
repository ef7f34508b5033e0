"""Read the inbound nodes of a layer in a Keras file: the arguments of its calls.

Keras 3 writes all arguments; a tensor among them has its history, `[layer, call, output]`. Older
versions write lists of `[layer, call, output, other arguments]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from numbers import Number
from typing import Any

from msgspec import Struct

from dense_calc.call_inputs import Constant, OutputIndex
from dense_calc.errors import SpecError
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.layers.arguments.types import INPUT_DTYPES

KERAS_TENSOR_CLASS = "__keras_tensor__"
_ARRAY_CLASSES = ("__tensor__", "__numpy__")
_CONSTANT_MARKER = "_CONSTANT_VALUE"  # how Keras 2 marks a constant among tensors
_STRING_DTYPE = "string"  # the only dtype of an array without numbers


class LayerCall(Struct):
    """The arguments of one call, by position and by name; a tensor is an `OutputIndex`.

    `is_current` is whether Keras 3 wrote them.
    """

    args: list[Any]
    kwargs: dict[str, Any]
    is_current: bool = False


class LayerCalls:
    """The calls of the layers of one model: the names of their nodes, by layer and number.

    `numbers` is how often each layer is called. Calls of some nested models are numbered from 1:
    of those in `inbound_from_1` in inbound nodes, of those in `outputs_from_1` in the model's
    outputs.
    """

    def __init__(
        self,
        numbers: Mapping[str, int],
        inbound_from_1: Collection[str],
        outputs_from_1: Collection[str],
    ) -> None:
        self.node_names: dict[str, list[str]] = {}
        taken = set(numbers)
        for layer, number in numbers.items():
            numbered = (f"{layer}_{each}" for each in range(1, 1 + number + len(taken)))
            free = (name for name in numbered if name not in taken)
            self.node_names[layer] = [layer, *(next(free) for _ in range(number - 1))]
            taken.update(self.node_names[layer])
        self._inbound_from_1 = inbound_from_1
        self.outputs_from_1 = outputs_from_1

    def resolve_tensor(self, history: Any, spot: JsonPlace) -> OutputIndex:
        """The tensor with this history: `[layer, number of its call, number of the output]`.

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
        """The call of an inbound node, of any version.

        Raises:
            SpecError: the value is no inbound node, or names a call that does not exist.
        """
        match written:
            case {"args": list(args), "kwargs": dict(kwargs)}:
                return LayerCall(
                    [self._parse_argument(each, spot) for each in args],
                    {name: self._parse_argument(each, spot) for name, each in kwargs.items()},
                    is_current=True,
                )
            case list() | dict():
                kwargs = {}
                tensors = self._parse_legacy_argument(written, kwargs, spot)
                if isinstance(tensors, tuple) and len(tensors) == 1:
                    tensors = tensors[0]
                return LayerCall([tensors], kwargs)
        raise SpecError("an inbound node is a list of tensors, or args and kwargs", spot)

    def _parse_argument(self, written: Any, spot: JsonPlace) -> Any:
        """A value in a call of Keras 3: a tensor, a nest with tensors, or a constant."""
        match written:
            case {"class_name": str(name), "config": {"keras_history": history}} if (
                name == KERAS_TENSOR_CLASS
            ):
                return self.resolve_tensor(history, spot)
            case {"class_name": str(name), "config": {"value": value, **others}} if (
                name in _ARRAY_CLASSES
            ):
                dtype: Any = others.get("dtype")
                if not _has_only_numbers(value) and dtype != _STRING_DTYPE:
                    raise SpecError("an array in a call holds numbers", spot)
                return Constant(value, array_dtype=dtype if dtype in INPUT_DTYPES else None)
            case list():
                items = tuple(self._parse_argument(each, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                pairs = {
                    name: self._parse_argument(each, spot) for name, each in sorted(written.items())
                }
                return pairs if any(map(has_tensors, pairs.values())) else written
        return written

    def _parse_legacy_argument(self, written: Any, kwargs: dict[str, Any], spot: JsonPlace) -> Any:
        """A value in a call of an older version; arguments beside a tensor are put in `kwargs`."""
        match written:
            case [str(name), int(), value, *rest] if name == _CONSTANT_MARKER:
                self._collect_legacy_arguments(rest, kwargs, spot)
                return value
            case [str(name), int(), int(), *rest]:
                self._collect_legacy_arguments(rest, kwargs, spot)
                return self.resolve_tensor(
                    [name, written[1] - (name in self._inbound_from_1), written[2]], spot
                )
            case list():
                items = tuple(self._parse_legacy_argument(each, kwargs, spot) for each in written)
                return items if any(map(has_tensors, items)) else written
            case dict() if "class_name" not in written:
                return {
                    key: self._parse_legacy_argument(each, kwargs, spot)
                    for key, each in sorted(written.items())
                }
        return written

    def _collect_legacy_arguments(
        self, rest: list[Any], kwargs: dict[str, Any], spot: JsonPlace
    ) -> None:
        """Put the arguments beside a tensor or a constant in `kwargs`."""
        for arguments in rest:
            if isinstance(arguments, dict):
                for name, value in arguments.items():
                    kwargs[name] = self._parse_legacy_argument(value, {}, spot)


def _has_only_numbers(value: Any) -> bool:
    """Whether a value is a number, or a nest of lists of numbers."""
    return (
        all(map(_has_only_numbers, value)) if isinstance(value, list) else isinstance(value, Number)
    )


def has_tensors(value: Any) -> bool:
    """Whether a value of a call is or contains a tensor or an array."""
    match value:
        case OutputIndex() | Constant():
            return True
        case tuple(items):
            return any(map(has_tensors, items))
        case dict(pairs):
            return any(map(has_tensors, pairs.values()))
    return False


def layer_references(written: Any) -> Iterator[tuple[str, int]]:
    """The layers, with the numbers of their calls, that inbound nodes of older versions read."""
    match written:
        case [str(name), int(call), int(), *rest]:
            yield name, call
            yield from layer_references(rest)
        case list():
            for each in written:
                yield from layer_references(each)
        case dict():
            yield from layer_references(list(written.values()))
