"""The arguments of recurrent cells and of the layers that repeat them: gates and activations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import ValidationError, convert

from dense_calc.errors import LayerError
from dense_calc.layers import find_kind
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    Constraint,
    Initializer,
    Regularizer,
    SerializedActivation,
    dtype_policy_of,
)
from dense_calc.layers.base import LayerKind, RandomSeed, Weight, prefix_error_path
from dense_calc.layers.kernels import LayerWithKernel
from dense_calc.shapes import Shape, Shapes, is_shape

_FLOAT_ONLY_ACTIVATIONS = {"glu", "sigmoid", "silu", "swish"}  # JAX refuses them integers


class RecurrentArguments(LayerWithKernel, frozen=True, kw_only=True):
    """The arguments that a cell and the layer that repeats it have in common."""

    activation: ActivationArgument = "tanh"
    use_bias: bool = True
    recurrent_initializer: Initializer = "orthogonal"
    recurrent_regularizer: Regularizer = None
    recurrent_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: RandomSeed = None

    def gate_weights(
        self, inputs: dict[str, int], outputs: dict[str, int], count: int
    ) -> Iterator[Weight]:
        """The kernels and the bias of `count` gates, which read the step and the last output.

        The last axis of `outputs` is the size of one gate.
        """
        axis, size = next(reversed(outputs.items()))
        product = {f"{count} × {axis}": count * size}
        gates = product if count > 1 else {axis: size}
        yield Weight("kernel", {**inputs, **gates}, self.kernel_initializer)
        yield Weight("recurrent_kernel", {**outputs, **product}, self.recurrent_initializer)
        if self.use_bias:
            yield from self.bias_weights(gates)

    def bias_weights(self, gates: dict[str, int]) -> Iterator[Weight]:
        """The bias of all gates."""
        if self.bias_initializer is None and getattr(self, "unit_forget_bias", False):
            raise LayerError(
                "with unit_forget_bias the bias needs an initializer; remove bias_initializer",
                "bias_initializer",
            )
        yield Weight("bias", gates, self.bias_initializer)

    def apply_activation(self, gate: Shape, argument: str = "activation") -> Shape:
        """The shape of a gate after an activation; the activation glu halves the last axis."""
        activation = getattr(self, argument)
        layer = activation_layer(activation, argument)
        if layer:
            with prefix_error_path(argument):
                shape: Any = layer.output_shape(gate)
            return demand_single_tensor(shape, argument)
        name = getattr(activation, "config", activation)
        if name == "threshold":
            raise LayerError(
                f"{argument} 'threshold' needs more arguments than a cell passes", argument
            )
        if name in _FLOAT_ONLY_ACTIVATIONS:
            self.demand_float_compute(f"{argument} '{name}'")
        if name != "glu":
            return gate
        if not gate or gate[-1] is None or gate[-1] % 2:
            raise LayerError(f"{argument} 'glu' cannot halve {gate}", argument)
        return (*gate[:-1], gate[-1] // 2)

    def demand_float_compute(self, subject: str) -> None:
        """Raise LayerError where a called cell computes in integers, which `subject` cannot do.

        Without `autocast` it computes in the dtype of its inputs, which are floats.
        """
        dtype = dtype_policy_of(self.dtype).compute_dtype
        if self.autocast and "float" not in dtype and "complex" not in dtype:
            raise LayerError(f"{subject} cannot be computed in '{dtype}'; use a float", "dtype")


def activation_layer(activation: ActivationArgument, argument: str) -> LayerKind | None:
    """An activation that is a layer, None if it is a function.

    Raises:
        LayerError: Keras has no such layer, or none with these arguments.
    """
    if not isinstance(activation, SerializedActivation) or isinstance(activation.config, str):
        return None
    try:
        layer: LayerKind = convert(activation.config or {}, find_kind(activation.class_name))
    except (KeyError, ValidationError):
        raise LayerError(f"Keras has no {argument} {activation.class_name}", argument) from None
    return layer


def demand_single_tensor(shapes: Shapes, argument: str) -> Shape:
    """The shape of an input that must be one tensor, else LayerError."""
    if not is_shape(shapes):
        raise LayerError(f"its {argument} must be one tensor, not several: {shapes}", "from")
    return shapes
