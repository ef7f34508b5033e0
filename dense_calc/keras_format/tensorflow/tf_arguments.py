"""What the call of a function of TensorFlow is given, and what an operation makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers.introspect.refusals import describe_refusal, parse_validation_error
from dense_calc.layers.operations import operation_kind
from dense_calc.layers.operations.operation import (
    ShapeArgument,
)
from dense_calc.shapes import Shape

_LIST_CLASS_NAMES = ("__tuple__", "TensorShape")  # classes that stand for a list in files


class TFCallArguments(NamedTuple):
    """What the call of a function is given beside its tensors, as a file has it."""

    arguments: Mapping[str, Any]

    def find_value(self, *names: str) -> Any:
        """The first of these parameters that is given, None if none is.

        Of a list, what another layer gives is None.

        Raises:
            LayerError: all of it is what another layer gives.
        """
        for name in names:
            value = resolve_value(self.arguments.get(name))
            if value is UNKNOWN_VALUE:
                raise LayerError(f"its {name} is what another layer gives, known only with data")
            if value is not None:
                return _unknowns_as_none(value)
        return None

    def read_integer(self, name: str, default: int) -> int:
        """A parameter that is a whole number."""
        value = self.find_value(name)
        number: int = default if value is None else convert_argument(value, int, name)
        return number

    def read_sizes(self, name: str) -> Shape:
        """A parameter that is one whole number, or a list of them, None where they are unknown."""
        value = self.find_value(name)
        if value is None:
            raise LayerError(f"it needs '{name}'")
        sizes: Shape = convert_argument(
            value if isinstance(value, list) else [value], ShapeArgument, name
        )
        return sizes

    def has_flag(self, *names: str) -> bool:
        """Whether one of these parameters is set."""
        return any(bool(self.find_value(name)) for name in names)


UNKNOWN_VALUE = object()  # what another layer gives


def resolve_value(value: Any) -> Any:
    """A value of a file's, as lists and dicts, with UNKNOWN for what another layer gives."""
    match value:
        case list() | tuple():
            return [resolve_value(each) for each in value]
        case {"class_name": str(name), "items": list(items)} if name in _LIST_CLASS_NAMES:
            return resolve_value(items)
        case dict():
            return {name: resolve_value(each) for name, each in value.items()}
        case None | bool() | int() | float() | str():
            return value
    return UNKNOWN_VALUE


def _unknowns_as_none(value: Any) -> Any:
    """The same with None for what is unknown within lists."""
    if isinstance(value, list):
        return [None if each is UNKNOWN_VALUE else _unknowns_as_none(each) for each in value]
    return value


def convert_argument(value: Any, kind: Any, name: str) -> Any:
    """A value that must be of this type.

    Raises:
        LayerError: it is not.
    """
    try:
        return convert(value, kind)
    except ValidationError as error:
        raise LayerError(f"its {name} does not fit: {error}") from None


def apply_operation(name: str, arguments: Mapping[str, Any], *shapes: Any) -> Shape:
    """What an operation of Keras with these arguments makes of these shapes.

    Raises:
        LayerError: there is no such operation, or it refuses.
    """
    kind = operation_kind(name)
    try:
        operation = convert(dict(arguments), kind)
    except ValidationError as error:
        message, _ = describe_refusal(kind, name, dict(arguments), *parse_validation_error(error))
        raise LayerError(message) from None
    result: Any = operation.output_shape(*shapes)  # of an operation with several outputs a nest
    shape: Shape = result
    return shape
