"""Keras' recurrent cells: the computation at one step of a sequence, and the states after it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from dense_calc.dtypes import FLOAT_PREFIXES, Dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    dtype_policy_of,
)
from dense_calc.layers.base import (
    TWO_INPUTS,
    AnyLayer,
    PositiveInt,
    Weight,
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
from dense_calc.layers.recurrent_arguments import (
    RecurrentArguments,
    activation_layer,
    demand_single_tensor,
)
from dense_calc.shapes import Shape, Shapes, is_shape, known_axis_size

_ACTIVATION_ARGUMENTS = ("activation", "recurrent_activation")


class RecurrentCell(AnyLayer):
    """A cell as seen by the layer that repeats it, which calls it on steps: (batch, inputs)."""

    __slots__ = ()

    @abstractmethod
    def step_output(self, step: Shape) -> Shape:
        """The shape of the output for a step of this shape."""

    def state_shapes(self, step: Shape) -> Shapes:
        """The shapes of the states that go to the next step."""
        return self.step_output(step)


class UnitsCell(RecurrentCell, RecurrentArguments, frozen=True, kw_only=True):
    """A cell with an output of `units` numbers for each element of the batch.

    A call of the cell as a layer takes its states in one list or one by one.
    """

    arity: ClassVar[range] = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "states")
    accepts_nested: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True
    state_count: ClassVar[int] = 1
    shape_rule: ClassVar[str] = "(batch, inputs), (batch, units) → (batch, units), (batch, units)"

    units: PositiveInt

    def step_output(self, step: Shape) -> Shape:
        return (step[0], self.units)

    def output_shape(self, inputs: Shapes, /, *states: Shapes) -> Shapes:
        step = demand_single_tensor(inputs, self.input_names[0])
        known_axis_size(step, -1)
        state_shapes = states[0] if len(states) == 1 else states
        try:
            return self.call_shapes(step, state_shapes)
        except StateMismatchError:
            name = self.input_names[0]
            raise LayerError(
                f"for {name} {step} its states must be {self.state_shapes(step)}, "
                f"not {state_shapes}"
                if len(step) == 2
                else f"its {name} must have 2 axes, (batch, inputs), not {len(step)}: {step}",
                "from",
            ) from None

    def output_dtype(self, *dtypes: Dtypes) -> Dtypes:
        used = list(leaf_dtypes(dtypes))[: 1 + self.state_count]
        return promote_dtypes(*used, dtype_policy_of(self.dtype).compute_dtype)

    @abstractmethod
    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        """The shapes of the output and of the new states, by the arithmetic of the cell.

        Raises:
            StateMismatchError: the states do not fit the step.
        """

    def weights(self, inputs: Shape, /, *states: Shapes) -> Iterator[Weight]:
        yield from self.kernel_weights(
            {"inputs": known_axis_size(inputs, -1)}, {"units": self.units}
        )
        if not states:
            return  # Keras builds an activation only where the cell itself is called
        for argument in _ACTIVATION_ARGUMENTS:
            layer = activation_layer(getattr(self, argument, None), argument)
            if layer:
                yield from sublayer_weights(sublayer_name(layer), layer, self.step_output(inputs))

    def kernel_weights(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        """The kernels and the bias."""
        return self.gate_weights(inputs, units, 1)


class SimpleRNNCell(UnitsCell, frozen=True, kw_only=True):
    """One step of SimpleRNN: what it gives is what it remembers."""

    input_names: ClassVar[tuple[str, ...]] = ("sequence", "states")

    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        if 0 < self.dropout < 1 or 0 < self.recurrent_dropout < 1:
            self.demand_float_compute("dropout")  # Keras makes its mask even where it is not used
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
                raise LayerError(f"dropout cannot be computed in '{dtype}'; cast what it reads")
        return super().output_dtype(*dtypes)


class _GatedCell(UnitsCell, frozen=True, kw_only=True):
    """A cell with gates, computed all at once or, with `implementation` 1, one by one."""

    recurrent_activation: ActivationArgument = "sigmoid"
    implementation: int = 2

    @property
    def _computes_gates_separately(self) -> bool:
        """Whether the gates are computed one by one, which `recurrent_dropout` needs."""
        return self.implementation == 1 or self.recurrent_dropout > 0


class GRUCell(_GatedCell, frozen=True, kw_only=True):
    """One step of GRU, whose three gates have two biases each with `reset_after`."""

    reset_after: bool = True

    def call_shapes(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        (before,) = state_tensors(states, 1)
        units = self.units
        if not self._computes_gates_separately and len(before) != 2:
            raise StateMismatchError
        from_step = kernel_output_shape(step, units)
        from_state = recurrent_output_shape(before, units, units)
        sums = traced_elementwise_shape(from_step, from_state)
        gate = self.apply_activation(sums, "recurrent_activation")
        if self.reset_after:
            reset = traced_elementwise_shape(gate, from_state)
        else:
            reset = recurrent_output_shape(traced_elementwise_shape(gate, before), units, units)
        candidate = self.apply_activation(traced_elementwise_shape(from_step, reset))
        output = traced_elementwise_shape(gate, before, candidate)
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
        if self._computes_gates_separately:
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
