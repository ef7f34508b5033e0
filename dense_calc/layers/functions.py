"""Keras' functions that a Lambda calls by name, and their output shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from msgspec import Struct, ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import ActivationName
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.layers.operations import OPERATION_MODULES, operation_kind
from dense_calc.shapes import Shapes, child_shapes

# Operations whose functions are not named after their classes.
_RENAMED_OPERATIONS = {
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "isin": "IsIn",
    "layer_normalization": "LayerNorm",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
}
_IMAGE_MODULE = "image"  # a submodule of keras.ops
_FUNCTION_ALIASES = {"hard_swish": "hard_silu", "swish": "silu"}
# Operations whose symbolic shape in a model differs from that of their function in a Lambda.
_DIVERGENT_OPERATIONS = {
    *("AdaptiveAveragePool", "AdaptiveMaxPool", "AveragePool", "MaxPool"),
    *("Fold", "Ndim", "Slogdet", "View"),
}
_CONSISTENT_OPERATIONS = (
    OPERATION_MODULES.keys() - _DIVERGENT_OPERATIONS - set(_RENAMED_OPERATIONS.values())
)
OPERATIONS_BY_FUNCTION = {
    to_snake_case(name): name for name in _CONSISTENT_OPERATIONS
} | _RENAMED_OPERATIONS
ACTIVATION_FUNCTIONS = (
    frozenset(get_args(ActivationName)) - OPERATIONS_BY_FUNCTION.keys() - _FUNCTION_ALIASES.keys()
)


class KerasFunction(Struct, frozen=True):
    """A function of Keras by its name: an operation, or an activation, which keeps the shape.

    `constant_inputs` names the inputs of the operation that are numbers among the arguments.
    """

    name: str
    operation: LayerKind | None = None
    constant_inputs: tuple[str, ...] = ()

    def output_shape(self, input_shape: Shapes) -> Shapes:
        """The output shape for one tensor, or for a list of tensors where it takes a list.

        Raises:
            LayerError: Keras would not call it on them, or could not infer the shape.
        """
        operation = self.operation
        if operation is None:
            return input_shape
        shapes: list[Shapes | None] = [input_shape]
        if operation.inputs_as_list:
            shapes = list(child_shapes(input_shape))
        else:
            shapes += [
                () if name in self.constant_inputs else None for name in operation.input_names[1:]
            ]
        while shapes and shapes[-1] is None:
            shapes.pop()
        if len(shapes) not in operation.arity:
            raise LayerError(f"{self.name} takes {operation.arity.start} inputs, not {len(shapes)}")
        return operation.output_shape(*shapes)

    @property
    def serialized_form(self) -> dict[str, Any]:
        """The function as a Keras file holds it."""
        module = "builtins"  # where Keras finds activations
        if self.operation is not None:
            home = self.operation.resolve_keras_module().rpartition(".")[2]
            module = f"keras.ops.{_IMAGE_MODULE}" if home == _IMAGE_MODULE else "keras.ops"
        return {
            "module": module,
            "class_name": "function",
            "config": self.name,
            "registered_name": "function",
        }


def parse_keras_function(value: Any, arguments: Mapping[str, Any]) -> KerasFunction | None:
    """The function that a value names in one of Keras' ways, None if it is not known here."""
    match value:
        case {"class_name": "function", "config": str(name)} | str(name):
            pass
        case _:
            return None
    name = name.removeprefix("keras.").removeprefix("ops.").removeprefix("activations.")
    name = _FUNCTION_ALIASES.get(name, name)
    if name in ACTIVATION_FUNCTIONS:
        return None if arguments else KerasFunction(name)
    if name not in OPERATIONS_BY_FUNCTION:
        return None
    kind = operation_kind(OPERATIONS_BY_FUNCTION[name])
    inputs = tuple(each for each in arguments if each in kind.input_names)
    if any(isinstance(arguments[each], list | dict | str) for each in inputs):
        return None
    fields = {each: arguments[each] for each in arguments if each not in inputs}
    try:
        return KerasFunction(name, convert(fields, kind), inputs)
    except ValidationError:
        return None
