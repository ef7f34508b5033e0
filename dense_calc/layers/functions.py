"""Functions of Keras' that are named and not written down: what one makes of a shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from msgspec import Struct, ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import ActivationName
from dense_calc.layers.base import LayerKind, snake_case
from dense_calc.layers.operations import OPERATIONS, operation_named
from dense_calc.shapes import Shapes, parts

# Operations whose functions are not named after their classes.
RENAMED = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "isin": "IsIn",
    "layer_normalization": "LayerNorm",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
}
IMAGES = "image"  # the module of those that are in `keras.ops.image` alone
OTHER_NAMES = {"hard_swish": "hard_silu", "swish": "silu"}  # of the same functions
# Operations that tell another shape as a part of a model than their functions give in a Lambda.
UNLIKE = {
    *("AdaptiveAveragePool", "AdaptiveMaxPool", "AveragePool", "MaxPool"),
    *("Fold", "Ndim", "Slogdet", "View"),
}
LIKE = OPERATIONS.keys() - UNLIKE - set(RENAMED.values())
NAMED = {snake_case(name): name for name in LIKE} | RENAMED
ACTIVATIONS = frozenset(get_args(ActivationName)) - NAMED.keys() - OTHER_NAMES.keys()


class Function(Struct, frozen=True):
    """A function of Keras' by its name: an operation, or an activation that keeps the shape.

    `numbers` are the inputs of the operation that are given beside what it reads.
    """

    name: str
    operation: LayerKind | None = None
    numbers: tuple[str, ...] = ()

    def output_shape(self, given: Shapes) -> Shapes:
        """What it makes of one tensor, or of a list where it takes one.

        Raises:
            LayerError: Keras would not call it so, or could not tell the shape.
        """
        operation = self.operation
        if operation is None:
            return given
        shapes: list[Shapes | None] = [given]
        if operation.on_a_list:
            shapes = list(parts(given))
        else:
            shapes += [() if name in self.numbers else None for name in operation.inputs[1:]]
        while shapes and shapes[-1] is None:
            shapes.pop()
        if len(shapes) not in operation.takes:
            raise LayerError(f"{self.name} takes {operation.takes.start} inputs, not {len(shapes)}")
        return operation.output_shape(*shapes)

    @property
    def serialized(self) -> dict[str, Any]:
        """The function as Keras loads it."""
        module = "builtins"  # where Keras finds activations
        if self.operation is not None:
            home = self.operation.home().rpartition(".")[2]
            module = f"keras.ops.{IMAGES}" if home == IMAGES else "keras.ops"
        return {
            "module": module,
            "class_name": "function",
            "config": self.name,
            "registered_name": "function",
        }


def function_in(written: Any, arguments: Mapping[str, Any]) -> Function | None:
    """The function that is named in one of Keras' ways; None if that is not Keras', or not so."""
    match written:
        case {"class_name": "function", "config": str(name)} | str(name):
            pass
        case _:
            return None
    name = name.removeprefix("keras.").removeprefix("ops.").removeprefix("activations.")
    name = OTHER_NAMES.get(name, name)
    if name in ACTIVATIONS:
        return None if arguments else Function(name)
    if name not in NAMED:
        return None
    kind = operation_named(NAMED[name])
    numbers = tuple(each for each in arguments if each in kind.inputs)
    if any(isinstance(arguments[each], list | dict | str) for each in numbers):
        return None
    own = {each: value for each, value in arguments.items() if each not in numbers}
    try:
        return Function(name, convert(own, kind), numbers)
    except ValidationError:
        return None
