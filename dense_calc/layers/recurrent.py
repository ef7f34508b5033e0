"""Keras' recurrent layers: a cell or a stack of cells, repeated for each step of a sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec.structs import force_setattr

from dense_calc.errors import LayerError, describe_value
from dense_calc.layers.arguments.types import ActivationArgument, sublayer_dtype
from dense_calc.layers.base import (
    AnyLayer,
    KerasLayer,
    LayerKind,
    PositiveInt,
    Weight,
    prefix_error_path,
    to_snake_case,
)
from dense_calc.layers.cells import (
    GRUCell,
    LSTMCell,
    RecurrentCell,
    SimpleRNNCell,
    UnitsCell,
)
from dense_calc.layers.recurrent_arguments import RecurrentArguments, demand_single_tensor
from dense_calc.layers.stacked_cells import (
    StackedRNNCells,
    as_recurrent_cell,
    call_cell_on_step,
    cell_weights,
)
from dense_calc.shapes import Shape, Shapes, child_shapes, demand_rank, is_shape

_CuDNNChoice = Literal["auto"] | bool  # whether to use NVIDIA's library


class RecurrentLayer(AnyLayer):
    """A layer that repeats a cell, with the last output as its own, or the outputs of all steps.

    Keras infers the shapes without the initial state and the mask.
    """

    __slots__ = ()

    arity: ClassVar[range] = range(1, 4)
    input_names: ClassVar[tuple[str, ...]] = ("sequences", "initial_state", "mask")
    accepts_nested: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, steps, inputs) → (batch, ..., units)"

    _cell_path: ClassVar[tuple[str, ...]] = ()  # the argument that holds the cell, if any

    return_sequences: bool
    return_state: bool
    stateful: bool
    unroll: bool

    @property
    @abstractmethod
    def inner_cell(self) -> RecurrentCell:
        """The repeated cell."""

    def step_shape(self, sequences: Shape) -> Shape:
        """The shape of one step of such sequences."""
        demand_rank(sequences, 3, "(batch, steps, inputs)")
        return (sequences[0], *sequences[2:])

    def output_shape(self, sequences: Shapes, /, *_others: Shapes | None) -> Shapes:
        shape = demand_single_tensor(sequences, "sequences")
        step = self.step_shape(shape)
        with prefix_error_path(*self._cell_path):
            batch, *others = self.inner_cell.step_output(step)
            states = self.inner_cell.state_shapes(step)
        if self.stateful and batch is None:
            raise LayerError(
                "a stateful layer needs a known batch; give the model's input a 'batch_size'",
                "stateful",
            )
        output = (batch, *shape[1:2], *others) if self.return_sequences else (batch, *others)
        if not self.return_state:
            return output
        if is_shape(states):
            return output, states
        for state in child_shapes(states):
            if not all(map(is_shape, child_shapes(state))):
                problem = "Keras gives no states of stacks in a stack; stack their cells themselves"
                raise LayerError(problem, "return_state")
        return (output, *child_shapes(states))

    def demand_traceable(self, sequences: Shape, /, *_others: Shapes | None) -> None:
        self.demand_repeatable_step(sequences)

    def demand_repeatable_step(self, sequences: Shape) -> None:
        """Raise LayerError unless the states of a step go to the next one, as JAX passes them."""
        demand_rank(sequences, 3, "(batch, steps, inputs)", or_more=True)
        step, cell = self.step_shape(sequences), self.inner_cell
        states = cell.state_shapes(step)
        with prefix_error_path(*self._cell_path):
            _, after = child_shapes(call_cell_on_step(cell, step, states))
            if self.unroll:
                call_cell_on_step(cell, step, after)
            elif after not in (states, (states,)):
                raise LayerError(
                    f"inside a pipeline a step must give states like those that it takes, "
                    f"{states}, not {after}"
                )

    def weights(self, sequences: Shape, /, *_others: Shapes | None) -> Iterator[Weight]:
        with prefix_error_path(*self._cell_path):
            yield from cell_weights(self.inner_cell, self.step_shape(sequences))


class RNN(RecurrentLayer, KerasLayer, frozen=True, kw_only=True):
    """Repeats a cell for each step of a sequence, or several cells, which are stacked."""

    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("cell",)
    _cell_path: ClassVar[tuple[str, ...]] = inner_layer_arguments

    cell: Any  # a layer, or a list of them
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.cell, list):
            for each in self.cell:
                if not isinstance(each, LayerKind):
                    raise ValueError(
                        f"it takes a cell such as LSTMCell, not {describe_value(each)}"
                    )
            force_setattr(self, "cell", StackedRNNCells(cells=tuple(self.cell)))

    @property
    def inner_cell(self) -> RecurrentCell:
        return as_recurrent_cell(self.cell)

    def step_shape(self, sequences: Shape) -> Shape:
        # Where the batch is known, Keras builds a cell on it even without an axis of inputs.
        least = 3 if sequences[:1] == (None,) else 2
        demand_rank(sequences, least, "(batch, steps, inputs)", or_more=True)
        return (sequences[0], *sequences[2:])


class RecurrentLayerWithOwnCell(RecurrentLayer, RecurrentArguments, frozen=True, kw_only=True):
    """A layer that makes its cell from its own arguments."""

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False


class _UnitsRecurrentLayer(RecurrentLayerWithOwnCell, frozen=True, kw_only=True):
    """A layer that passes its arguments to a cell with `units` outputs."""

    cell_kind: ClassVar[type[UnitsCell]]

    units: PositiveInt

    @property
    def inner_cell(self) -> RecurrentCell:
        kind = self.cell_kind
        arguments = {name: getattr(self, name) for name in kind.__struct_fields__}
        name = to_snake_case(kind.__name__)
        return kind(**arguments | {"name": name, "dtype": sublayer_dtype(self.dtype, name)})


class SimpleRNN(_UnitsRecurrentLayer, frozen=True, kw_only=True):
    """The plain recurrent layer: each output is made of the step and of the output before."""

    cell_kind = SimpleRNNCell

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "activity_regularizer", None)  # Keras accepts and ignores it


class _GatedRecurrentLayer(_UnitsRecurrentLayer, frozen=True, kw_only=True):
    """A layer whose cell has gates."""

    recurrent_activation: ActivationArgument = "sigmoid"
    implementation: int = 2
    use_cudnn: _CuDNNChoice = "auto"

    def demand_traceable(self, sequences: Shape, /, *others: Shapes | None) -> None:
        super().demand_traceable(sequences, *others)
        # For cuDNN Keras wants one mask of dropout, but such a cell has one for each gate.
        drops_inputs_alone = self.dropout > 0 >= self.recurrent_dropout
        if drops_inputs_alone and self.implementation == 1 and self.use_cudnn:
            problem = "inside a pipeline Keras cannot drop inputs with 'implementation: 1'"
            raise LayerError(f"{problem}; set use_cudnn: false", "implementation")


class GRU(_GatedRecurrentLayer, frozen=True, kw_only=True):
    """A gated recurrent unit; with `reset_after` each gate has two biases."""

    cell_kind = GRUCell

    reset_after: bool = True


class LSTM(_GatedRecurrentLayer, frozen=True, kw_only=True):
    """Long short-term memory: four gates, and a carry beside the output."""

    cell_kind = LSTMCell

    unit_forget_bias: bool = True
