"""Keras' recurrent cells: what is done at one step of a sequence, and what is remembered of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import ValidationError, convert

from dense_calc.dtypes import FLOAT_PREFIXES, Dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    Constraint,
    Initializer,
    Regularizer,
    SerializedActivation,
    dtype_policy_of,
)
from dense_calc.layers.base import (
    TWO_INPUTS,
    AnyLayer,
    LayerKind,
    LayerWithKernel,
    PositiveInt,
    RandomSeed,
    Weight,
    prefix_error_path,
    sublayer_name,
    sublayer_weights,
)
from dense_calc.layers.cell_shapes import (
    StateMismatchError,
    kernel_output_shape,
    recurrent_output_shape,
    split_gate_shape,
    state_tensors,
    traced_elementwise_shape,
)
from dense_calc.layers.promotion import promote_dtypes
from dense_calc.shapes import Shape, Shapes, is_shape, known_axis_size

_ACTIVATION_ARGUMENTS = ("activation", "recurrent_activation")  # the arguments
_FLOAT_ONLY_ACTIVATIONS = {
    "glu",
    "sigmoid",
    "silu",
    "swish",
}  # activations that JAX does not make of integers


class RecurrentCell(AnyLayer):
    """What a cell is for the layer that repeats it, which gives it steps: (batch, inputs)."""

    __slots__ = ()

    @abstractmethod
    def step_output(self, step: Shape) -> Shape:
        """The shape of what it gives at such a step."""

    def state_shapes(self, step: Shape) -> Shapes:
        """The shapes of what it carries to the next step."""
        return self.step_output(step)


class RecurrentArguments(LayerWithKernel, frozen=True, kw_only=True):
    """The arguments that a cell shares with the layer that repeats it."""

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
        """The kernels of so many gates, which read the step and the last output, and their bias.

        The last axis of `outputs` is that of one gate.
        """
        axis, size = next(reversed(outputs.items()))
        held = {f"{count} × {axis}": count * size}
        once = held if count > 1 else {axis: size}
        yield Weight("kernel", {**inputs, **once}, self.kernel_initializer)
        yield Weight("recurrent_kernel", {**outputs, **held}, self.recurrent_initializer)
        if self.use_bias:
            yield from self.bias_weights(once)

    def bias_weights(self, gates: dict[str, int]) -> Iterator[Weight]:
        """The bias of all gates."""
        if self.bias_initializer is None and getattr(self, "unit_forget_bias", False):
            raise LayerError(
                "with unit_forget_bias the bias needs an initializer; remove bias_initializer",
                "bias_initializer",
            )
        yield Weight("bias", gates, self.bias_initializer)

    def apply_activation(self, gate: Shape, argument: str = "activation") -> Shape:
        """The shape of a gate after an activation: glu halves it."""
        activation = getattr(self, argument)
        layer = _activation_layer(activation, argument)
        if layer:
            with prefix_error_path(argument):
                shape: Any = layer.output_shape(gate)
            return demand_single_tensor(shape, argument)
        name = getattr(activation, "config", activation)
        if name == "threshold":
            raise LayerError(
                f"{argument} 'threshold' wants more arguments than a cell gives it", argument
            )
        if name in _FLOAT_ONLY_ACTIVATIONS:
            self.demand_float_compute(f"{argument} '{name}'")
        if name != "glu":
            return gate
        if not gate or gate[-1] is None or gate[-1] % 2:
            raise LayerError(f"{argument} 'glu' cannot halve {gate}", argument)
        return (*gate[:-1], gate[-1] // 2)

    def demand_float_compute(self, what: str) -> None:
        """Raise LayerError where a cell that is called reckons in whole numbers.

        Without `autocast` it reckons in the dtype of what it reads, which are fractions.
        """
        dtype = dtype_policy_of(self.dtype).compute_dtype
        if self.autocast and "float" not in dtype and "complex" not in dtype:
            raise LayerError(f"{what} cannot be worked out in '{dtype}'; use a float", "dtype")


class UnitsCell(RecurrentCell, RecurrentArguments, frozen=True, kw_only=True):
    """A cell that gives `units` numbers for each element of the batch.

    Called as a layer of its own, it takes its states together or one by one.
    """

    arity: ClassVar[range] = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "states")
    accepts_nested: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True
    state_count: ClassVar[int] = 1  # tensors that it remembers
    shape_rule: ClassVar[str] = "(batch, inputs), (batch, units) → (batch, units), (batch, units)"

    units: PositiveInt

    def step_output(self, step: Shape) -> Shape:
        return (step[0], self.units)

    def output_shape(self, inputs: Shapes, /, *states: Shapes) -> Shapes:
        step = demand_single_tensor(inputs, self.input_names[0])
        known_axis_size(step, -1)
        given = states[0] if len(states) == 1 else states
        try:
            return self.call_shapes(step, given)
        except StateMismatchError:
            what = self.input_names[0]
            raise LayerError(
                f"for {what} {step} its states must be {self.state_shapes(step)}, not {given}"
                if len(step) == 2
                else f"its {what} must have 2 axes, (batch, inputs), not {len(step)}: {step}",
                "from",
            ) from None

    def output_dtype(self, *dtypes: Dtypes) -> Dtypes:
        read = list(leaf_dtypes(dtypes))[: 1 + self.state_count]
        return promote_dtypes(*read, dtype_policy_of(self.dtype).compute_dtype)

    @abstractmethod
    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        """The shapes of the output and of the new states, by the arithmetic of the cell.

        MisfitError where the states are none for such a step.
        """

    def weights(self, inputs: Shape, /, *states: Shapes) -> Iterator[Weight]:
        yield from self.kernel_weights(
            {"inputs": known_axis_size(inputs, -1)}, {"units": self.units}
        )
        if not states:
            return  # Keras builds an activation only where the cell itself is called
        for argument in _ACTIVATION_ARGUMENTS:
            layer = _activation_layer(getattr(self, argument, None), argument)
            if layer:
                yield from sublayer_weights(sublayer_name(layer), layer, self.step_output(inputs))

    def kernel_weights(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        """The weights for so many inputs."""
        return self.gate_weights(inputs, units, 1)


class SimpleRNNCell(UnitsCell, frozen=True, kw_only=True):
    """One step of SimpleRNN: what it gives is what it remembers."""

    input_names: ClassVar[tuple[str, ...]] = ("sequence", "states")

    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        if 0 < self.dropout < 1 or 0 < self.recurrent_dropout < 1:  # which divide
            self.demand_float_compute("dropout")  # the mask is made even where it is not used
        (before,) = state_tensors(states, 1)
        units = self.units
        output = self.apply_activation(
            traced_elementwise_shape(
                kernel_output_shape(step, units), recurrent_output_shape(before, units, units)
            )
        )
        return output, output if is_shape(states) else (output,)

    def output_dtype(self, *dtypes: Dtypes) -> Dtypes:
        rates = self.dropout, self.recurrent_dropout
        for rate, dtype in zip(rates, leaf_dtypes(dtypes), strict=False):
            if 0 < rate < 1 and not (dtype or FLOAT_PREFIXES[0]).startswith(FLOAT_PREFIXES):
                raise LayerError(f"dropout cannot be worked out in '{dtype}'; cast what it reads")
        return super().output_dtype(*dtypes)


class _GatedCell(UnitsCell, frozen=True, kw_only=True):
    """A cell with gates, which are worked out all at once or, as implementation 1, one by one."""

    recurrent_activation: ActivationArgument = "sigmoid"
    implementation: int = 2

    @property
    def computes_gates_separately(self) -> bool:
        """Whether the gates are worked out one by one, as dropout of the state needs it."""
        return self.implementation == 1 or self.recurrent_dropout > 0


class GRUCell(_GatedCell, frozen=True, kw_only=True):
    """One step of GRU, whose three gates have two biases each with `reset_after`."""

    reset_after: bool = True

    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        (before,) = state_tensors(states, 1)
        units = self.units
        if not self.computes_gates_separately and len(before) != 2:
            raise StateMismatchError
        seen, remembered = (
            kernel_output_shape(step, units),
            recurrent_output_shape(before, units, units),
        )
        gate = self.apply_activation(
            traced_elementwise_shape(seen, remembered), "recurrent_activation"
        )
        if self.reset_after:
            kept = traced_elementwise_shape(gate, remembered)
        else:
            kept = recurrent_output_shape(traced_elementwise_shape(gate, before), units, units)
        fresh = self.apply_activation(traced_elementwise_shape(seen, kept))
        output = traced_elementwise_shape(gate, before, fresh)
        return output, output if is_shape(states) else (output,)

    def kernel_weights(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        return self.gate_weights(inputs, units, 3)

    def bias_weights(self, gates: dict[str, int]) -> Iterator[Weight]:
        return super().bias_weights({"2": 2, **gates} if self.reset_after else gates)


class LSTMCell(_GatedCell, frozen=True, kw_only=True):
    """One step of LSTM, which has four gates and remembers its output and a carry."""

    shape_rule: ClassVar[str] = (
        "(batch, inputs), (batch, units), (batch, units) → "
        "(batch, units), (batch, units), (batch, units)"
    )
    arity: ClassVar[range] = range(2, 4)
    state_count: ClassVar[int] = 2

    unit_forget_bias: bool = True

    def state_shapes(self, step: Shape) -> Shapes:
        return self.step_output(step), self.step_output(step)

    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        before, carry = state_tensors(states, 2)
        units = self.units
        if self.computes_gates_separately:
            sums = traced_elementwise_shape(
                kernel_output_shape(step, units), recurrent_output_shape(before, units, units)
            )
        else:
            sums = split_gate_shape(
                traced_elementwise_shape(
                    kernel_output_shape(step, 4 * units),
                    recurrent_output_shape(before, units, 4 * units),
                )
            )
        gate = self.apply_activation(sums, "recurrent_activation")
        carry = traced_elementwise_shape(gate, carry, self.apply_activation(sums))
        output = traced_elementwise_shape(gate, self.apply_activation(carry))
        return output, (output, carry)

    def kernel_weights(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        return self.gate_weights(inputs, units, 4)


def _activation_layer(activation: ActivationArgument, argument: str) -> LayerKind | None:
    """The layer that an activation is, None if it is a function.

    Raises:
        LayerError: Keras has no such layer, or does not make it so.
    """
    if not isinstance(activation, SerializedActivation) or isinstance(activation.config, str):
        return None
    from dense_calc.layers import find_kind  # whose table names this module

    try:
        layer: LayerKind = convert(activation.config or {}, find_kind(activation.class_name))
    except (KeyError, ValidationError):
        raise LayerError(
            f"Keras has no such {argument}: {activation.class_name}", argument
        ) from None
    return layer


def demand_single_tensor(shapes: Shapes, what: str) -> Shape:
    """The shape of an input that cannot be several tensors."""
    if not is_shape(shapes):
        raise LayerError(f"its {what} must be one tensor, not several: {shapes}", "from")
    return shapes
