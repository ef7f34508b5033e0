"""The arguments of a call of a TensorFlow function, and Keras' operations that take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers.introspect.refusals import describe_refusal, parse_validation_error
from dense_calc.layers.operations import operation_kind
from dense_calc.layers.operations.operation import ShapeArgument
from dense_calc.shapes import Shape

_LIST_CLASS_NAMES = ("__tuple__", "TensorShape")  # classes that stand for a list in files


class TFCallArguments(NamedTuple):
    """The arguments of a call beside its tensors, as a file has them."""

    arguments: Mapping[str, Any]

    def find_value(self, *names: str) -> Any:
        """The value of the first of these parameters that the call has, None if it has none.

        Within a list, a value that another layer computes becomes None.

        Raises:
            LayerError: another layer computes the whole value.
        """
        for name in names:
            value = resolve_value(self.arguments.get(name))
            if value is UNKNOWN_VALUE:
                raise LayerError(f"its {name} is what another layer gives, known only with data")
            if value is not None:
                return _unknowns_as_none(value)
        return None

    def is_unknown(self, name: str) -> bool:
        """Whether another layer computes the value of this parameter."""
        return resolve_value(self.arguments.get(name)) is UNKNOWN_VALUE

    def read_integer(self, name: str, default: int) -> int:
        """The value of a parameter that is an integer."""
        value = self.find_value(name)
        number: int = default if value is None else convert_argument(value, int, name)
        return number

    def read_sizes(self, name: str) -> Shape:
        """The value of a parameter that is an integer or a list of them, None for unknown ones."""
        value = self.find_value(name)
        if value is None:
            raise LayerError(f"it needs '{name}'")
        sizes: Shape = convert_argument(
            value if isinstance(value, list) else [value], ShapeArgument, name
        )
        return sizes

    def has_flag(self, *names: str) -> bool:
        """Whether one of these parameters is true."""
        return any(bool(self.find_value(name)) for name in names)


UNKNOWN_VALUE = object()  # in place of a value that another layer computes


def resolve_value(value: Any) -> Any:
    """A value of a file in lists and dicts, with UNKNOWN_VALUE for what another layer computes."""
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
    """The same value with None for what is unknown within lists."""
    if isinstance(value, list):
        return [None if each is UNKNOWN_VALUE else _unknowns_as_none(each) for each in value]
    return value


def convert_argument(value: Any, kind: Any, name: str) -> Any:
    """The value of an argument in this type; LayerError if it does not fit."""
    try:
        return convert(value, kind)
    except ValidationError as error:
        raise LayerError(f"its {name} does not fit: {error}") from None


def apply_operation(name: str, arguments: Mapping[str, Any], *shapes: Any) -> Shape:
    """The output shape of an operation of Keras with these arguments for inputs of these shapes.

    Raises:
        LayerError: the operation refuses the arguments or the shapes.
    """
    kind = operation_kind(name)
    try:
        operation = convert(dict(arguments), kind)
    except ValidationError as error:
        message, _ = describe_refusal(kind, name, dict(arguments), *parse_validation_error(error))
        raise LayerError(message) from None
    shape: Any = operation.output_shape(*shapes)  # a nest for several outputs
    result: Shape = shape
    return result
