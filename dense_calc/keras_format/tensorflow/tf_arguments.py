"""What the call of a function of TensorFlow is given, and what an operation makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers.introspect.refusals import problem_of, refusal
from dense_calc.layers.operations import operation_named
from dense_calc.layers.operations.operation import (
    Sizes,
)
from dense_calc.shapes import Shape

LISTS = ("__tuple__", "TensorShape")  # classes that stand for a list in files


class Given(NamedTuple):
    """What the call of a function is given beside its tensors, as a file has it."""

    arguments: Mapping[str, Any]

    def value(self, *names: str) -> Any:
        """The first of these parameters that is given, None if none is.

        Of a list, what another layer gives is None.

        Raises:
            LayerError: all of it is what another layer gives.
        """
        for name in names:
            value = settled(self.arguments.get(name))
            if value is UNKNOWN:
                raise LayerError(f"its {name} is what another layer gives, known only with data")
            if value is not None:
                return without_unknown(value)
        return None

    def integer(self, name: str, default: int) -> int:
        """A parameter that is a whole number."""
        value = self.value(name)
        number: int = default if value is None else typed(value, int, name)
        return number

    def sizes(self, name: str) -> Shape:
        """A parameter that is one whole number, or a list of them, None where they are unknown."""
        value = self.value(name)
        if value is None:
            raise LayerError(f"it needs '{name}'")
        sizes: Shape = typed(value if isinstance(value, list) else [value], Sizes, name)
        return sizes

    def flag(self, *names: str) -> bool:
        """Whether one of these parameters is set."""
        return any(bool(self.value(name)) for name in names)


UNKNOWN = object()  # what another layer gives


def settled(value: Any) -> Any:
    """A value of a file's, as lists and dicts, with UNKNOWN for what another layer gives."""
    match value:
        case list() | tuple():
            return [settled(each) for each in value]
        case {"class_name": str(name), "items": list(items)} if name in LISTS:
            return settled(items)
        case dict():
            return {name: settled(each) for name, each in value.items()}
        case None | bool() | int() | float() | str():
            return value
    return UNKNOWN


def without_unknown(value: Any) -> Any:
    """The same with None for what is unknown within lists."""
    if isinstance(value, list):
        return [None if each is UNKNOWN else without_unknown(each) for each in value]
    return value


def typed(value: Any, kind: Any, name: str) -> Any:
    """A value that must be of this type.

    Raises:
        LayerError: it is not.
    """
    try:
        return convert(value, kind)
    except ValidationError as error:
        raise LayerError(f"its {name} does not fit: {error}") from None


def applied(name: str, arguments: Mapping[str, Any], *shapes: Any) -> Shape:
    """What an operation of Keras with these arguments makes of these shapes.

    Raises:
        LayerError: there is no such operation, or it refuses.
    """
    kind = operation_named(name)
    try:
        operation = convert(dict(arguments), kind)
    except ValidationError as error:
        message, _ = refusal(kind, name, dict(arguments), *problem_of(error))
        raise LayerError(message) from None
    result: Any = operation.output_shape(*shapes)  # of an operation with several outputs a nest
    shape: Shape = result
    return shape
