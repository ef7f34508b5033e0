"""Keras' recurrent cells: what is done at one step of a sequence, and what is remembered of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import ValidationError, convert

from dense_calc.dtypes import FLOATS, Dtypes, dtypes_in
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    SerializedActivation,
    policy_of,
)
from dense_calc.layers.base import (
    AnyLayer,
    LayerKind,
    LayerWithKernel,
    Positive,
    Seed,
    Weight,
    name_of,
    weights_within,
    within,
)
from dense_calc.layers.cell_shapes import (
    MisfitError,
    gated,
    quartered,
    tensors,
    through,
    together,
)
from dense_calc.layers.promotion import promoted
from dense_calc.shapes import Shape, Shapes, is_shape, known

ACTIVATIONS = ("activation", "recurrent_activation")  # the arguments
LOGISTIC = {"glu", "sigmoid", "silu", "swish"}  # activations that JAX does not make of integers


class Cell(AnyLayer):
    """What a cell is for the layer that repeats it, which gives it steps: (batch, inputs)."""

    __slots__ = ()

    @abstractmethod
    def output(self, step: Shape) -> Shape:
        """The shape of what it gives at such a step."""

    def state(self, step: Shape) -> Shapes:
        """The shapes of what it carries to the next step."""
        return self.output(step)


class Recurrent(LayerWithKernel, frozen=True, kw_only=True):
    """The arguments that a cell shares with the layer that repeats it."""

    activation: Activation = "tanh"
    use_bias: bool = True
    recurrent_initializer: Initializer = "orthogonal"
    recurrent_regularizer: Regularizer = None
    recurrent_constraint: Constraint = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: Seed = None

    def gates(
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
            yield from self.bias(once)

    def bias(self, gates: dict[str, int]) -> Iterator[Weight]:
        """The bias of all gates."""
        if self.bias_initializer is None and getattr(self, "unit_forget_bias", False):
            raise LayerError(
                "with unit_forget_bias the bias needs an initializer; remove bias_initializer",
                "bias_initializer",
            )
        yield Weight("bias", gates, self.bias_initializer)

    def activated(self, gate: Shape, argument: str = "activation") -> Shape:
        """The shape of a gate after an activation: glu halves it."""
        activation = getattr(self, argument)
        layer = layer_as_activation(activation, argument)
        if layer:
            with within(argument):
                shape: Any = layer.output_shape(gate)
            return one_tensor(shape, argument)
        name = getattr(activation, "config", activation)
        if name == "threshold":
            raise LayerError(
                f"{argument} 'threshold' wants more arguments than a cell gives it", argument
            )
        if name in LOGISTIC:
            self.demand_fractions(f"{argument} '{name}'")
        if name != "glu":
            return gate
        if not gate or gate[-1] is None or gate[-1] % 2:
            raise LayerError(f"{argument} 'glu' cannot halve {gate}", argument)
        return (*gate[:-1], gate[-1] // 2)

    def demand_fractions(self, what: str) -> None:
        """Raise LayerError where a cell that is called reckons in whole numbers.

        Without `autocast` it reckons in the dtype of what it reads, which are fractions.
        """
        dtype = policy_of(self.dtype).compute
        if self.autocast and "float" not in dtype and "complex" not in dtype:
            raise LayerError(f"{what} cannot be worked out in '{dtype}'; use a float", "dtype")


class UnitsCell(Cell, Recurrent, frozen=True, kw_only=True):
    """A cell that gives `units` numbers for each element of the batch.

    Called as a layer of its own, it takes its states together or one by one.
    """

    takes: ClassVar[range] = range(2, 3)
    inputs: ClassVar[tuple[str, ...]] = ("inputs", "states")
    takes_nested: ClassVar[bool] = True
    reads_dtypes: ClassVar[bool] = True
    memory: ClassVar[int] = 1  # tensors that it remembers
    rule: ClassVar[str] = "(batch, inputs), (batch, units) → (batch, units), (batch, units)"

    units: Positive

    def output(self, step: Shape) -> Shape:
        return (step[0], self.units)

    def output_shape(self, inputs: Shapes, /, *states: Shapes) -> Shapes:
        step = one_tensor(inputs, self.inputs[0])
        known(step, -1)
        given = states[0] if len(states) == 1 else states
        try:
            return self.called(step, given)
        except MisfitError:
            what = self.inputs[0]
            raise LayerError(
                f"for {what} {step} its states must be {self.state(step)}, not {given}"
                if len(step) == 2
                else f"its {what} must have 2 axes, (batch, inputs), not {len(step)}: {step}",
                "from",
            ) from None

    def output_dtype(self, *dtypes: Dtypes) -> Dtypes:
        read = list(dtypes_in(dtypes))[: 1 + self.memory]
        return promoted(*read, policy_of(self.dtype).compute)

    @abstractmethod
    def called(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        """The shapes of the output and of the new states, by the arithmetic of the cell.

        MisfitError where the states are none for such a step.
        """

    def weights(self, inputs: Shape, /, *states: Shapes) -> Iterator[Weight]:
        yield from self.kernels({"inputs": known(inputs, -1)}, {"units": self.units})
        if not states:
            return  # Keras builds an activation only where the cell itself is called
        for argument in ACTIVATIONS:
            layer = layer_as_activation(getattr(self, argument, None), argument)
            if layer:
                yield from weights_within(name_of(layer), layer, self.output(inputs))

    def kernels(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        """The weights for so many inputs."""
        return self.gates(inputs, units, 1)


class SimpleRNNCell(UnitsCell, frozen=True, kw_only=True):
    """One step of SimpleRNN: what it gives is what it remembers."""

    inputs: ClassVar[tuple[str, ...]] = ("sequence", "states")

    def called(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        if 0 < self.dropout < 1 or 0 < self.recurrent_dropout < 1:  # which divide
            self.demand_fractions("dropout")  # the mask is made even where it is not used
        (before,) = tensors(states, 1)
        units = self.units
        output = self.activated(together(gated(step, units), through(before, units, units)))
        return output, output if is_shape(states) else (output,)

    def output_dtype(self, *dtypes: Dtypes) -> Dtypes:
        rates = self.dropout, self.recurrent_dropout
        for rate, dtype in zip(rates, dtypes_in(dtypes), strict=False):
            if 0 < rate < 1 and not (dtype or FLOATS[0]).startswith(FLOATS):
                raise LayerError(f"dropout cannot be worked out in '{dtype}'; cast what it reads")
        return super().output_dtype(*dtypes)


class GatedCell(UnitsCell, frozen=True, kw_only=True):
    """A cell with gates, which are worked out all at once or, as implementation 1, one by one."""

    recurrent_activation: Activation = "sigmoid"
    implementation: int = 2

    @property
    def one_by_one(self) -> bool:
        """Whether the gates are worked out one by one, as dropout of the state needs it."""
        return self.implementation == 1 or self.recurrent_dropout > 0


class GRUCell(GatedCell, frozen=True, kw_only=True):
    """One step of GRU, whose three gates have two biases each with `reset_after`."""

    reset_after: bool = True

    def called(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        (before,) = tensors(states, 1)
        units = self.units
        if not self.one_by_one and len(before) != 2:
            raise MisfitError
        seen, remembered = gated(step, units), through(before, units, units)
        gate = self.activated(together(seen, remembered), "recurrent_activation")
        if self.reset_after:
            kept = together(gate, remembered)
        else:
            kept = through(together(gate, before), units, units)
        fresh = self.activated(together(seen, kept))
        output = together(gate, before, fresh)
        return output, output if is_shape(states) else (output,)

    def kernels(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        return self.gates(inputs, units, 3)

    def bias(self, gates: dict[str, int]) -> Iterator[Weight]:
        return super().bias({"2": 2, **gates} if self.reset_after else gates)


class LSTMCell(GatedCell, frozen=True, kw_only=True):
    """One step of LSTM, which has four gates and remembers its output and a carry."""

    rule: ClassVar[str] = (
        "(batch, inputs), (batch, units), (batch, units) → "
        "(batch, units), (batch, units), (batch, units)"
    )
    takes: ClassVar[range] = range(2, 4)
    memory: ClassVar[int] = 2

    unit_forget_bias: bool = True

    def state(self, step: Shape) -> Shapes:
        return self.output(step), self.output(step)

    def called(self, step: Shape, states: Shapes) -> tuple[Shape, Shapes]:
        before, carry = tensors(states, 2)
        units = self.units
        if self.one_by_one:
            sums = together(gated(step, units), through(before, units, units))
        else:
            sums = quartered(together(gated(step, 4 * units), through(before, units, 4 * units)))
        gate = self.activated(sums, "recurrent_activation")
        carry = together(gate, carry, self.activated(sums))
        output = together(gate, self.activated(carry))
        return output, (output, carry)

    def kernels(self, inputs: dict[str, int], units: dict[str, int]) -> Iterator[Weight]:
        return self.gates(inputs, units, 4)


def layer_as_activation(activation: Activation, argument: str) -> LayerKind | None:
    """The layer that an activation is, None if it is a function.

    Raises:
        LayerError: Keras has no such layer, or does not make it so.
    """
    if not isinstance(activation, SerializedActivation) or isinstance(activation.config, str):
        return None
    from dense_calc.layers import kind_named  # whose table names this module

    try:
        layer: LayerKind = convert(activation.config or {}, kind_named(activation.class_name))
    except (KeyError, ValidationError):
        raise LayerError(
            f"Keras has no such {argument}: {activation.class_name}", argument
        ) from None
    return layer


def one_tensor(shapes: Shapes, what: str) -> Shape:
    """The shape of an input that cannot be several tensors."""
    if not is_shape(shapes):
        raise LayerError(f"its {what} must be one tensor, not several: {shapes}", "from")
    return shapes
