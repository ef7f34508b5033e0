"""Keras' recurrent layers: a cell or a stack of cells, repeated for each step of a sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec.structs import force_setattr

from dense_calc.dtypes import Dtypes, leaf_dtypes
from dense_calc.errors import LayerError, describe_value
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    dtype_policy_of,
    normalize_object_name,
    sublayer_dtype,
)
from dense_calc.layers.base import (
    TWO_INPUTS,
    AnyLayer,
    KerasLayer,
    LayerKind,
    PositiveInt,
    Weight,
    as_layer_kind,
    prefix_error_path,
    sublayer_name,
    sublayer_weights,
    to_snake_case,
)
from dense_calc.layers.cells import (
    GRUCell,
    LSTMCell,
    RecurrentCell,
    SimpleRNNCell,
    UnitsCell,
)
from dense_calc.layers.promotion import promote_dtypes
from dense_calc.layers.recurrent_arguments import RecurrentArguments, demand_single_tensor
from dense_calc.shapes import Shape, Shapes, child_shapes, demand_rank, is_shape

_CuDNNChoice = Literal["auto"] | bool  # whether to use NVIDIA's library


class StackedRNNCells(RecurrentCell, KerasLayer, frozen=True, kw_only=True):
    """Cells one after the other as one cell: each reads what the one before it gives.

    Called as a layer, it uses only as many of its cells as there are states.
    """

    arity: ClassVar[range] = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "states")
    accepts_nested: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True
    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("cells",)
    shape_rule: ClassVar[str] = "(batch, inputs), ... → (batch, units'), ..."

    cells: tuple[AnyLayer, ...]

    def _cell_steps(self, step: Shape) -> Iterator[tuple[int, RecurrentCell, Shape]]:
        """Each cell with its number and the shape of its step."""
        for number, layer in enumerate(self.cells):
            with prefix_error_path("cells", str(number)):
                cell = as_recurrent_cell(layer)
                yield number, cell, step
                step = cell.step_output(step)

    def step_output(self, step: Shape) -> Shape:
        if not self.cells:
            raise LayerError("it needs at least one cell", "cells")
        return [cell.step_output(each) for _, cell, each in self._cell_steps(step)][-1]

    def state_shapes(self, step: Shape) -> Shapes:
        return tuple(cell.state_shapes(each) for _, cell, each in self._cell_steps(step))

    def output_shape(self, inputs: Shapes, states: Shapes, /) -> Shapes:
        output = demand_single_tensor(inputs, "inputs")
        if isinstance(states, dict) or (is_shape(states) and states):
            raise LayerError(f"its states must be a list, one for each cell, not {states}", "from")
        new = []
        for (number, cell, step), state in zip(
            self._cell_steps(output), child_shapes(states), strict=False
        ):
            with prefix_error_path("cells", str(number)):
                if output[-1:] != step[-1:]:
                    raise LayerError(f"it reads {step}, but the cell before it gives {output}")
                output, after = _call_stacked_cell(as_layer_kind(cell), output, state)
            new.append(after)
        return output, new[0] if len(new) == 1 else tuple(new)

    def output_dtype(self, inputs: Dtypes, states: Dtypes, /) -> Dtypes:
        """The dtypes of the output and of each cell's state, one for all tensors of a state."""
        step, new = inputs, []
        for cell, state in zip(self.cells, states or (), strict=False):
            layer = as_layer_kind(cell)
            output = layer.output_dtype(*layer.call_dtypes((step, state)))
            step, after = output if isinstance(output, tuple) else (output, output)
            new.append(after)
        return promote_dtypes(*leaf_dtypes(step)), new[0] if len(new) == 1 else tuple(new)

    def weights(self, inputs: Shape, /, *_states: Shapes) -> Iterator[Weight]:
        for number, cell, step in self._cell_steps(inputs):
            with prefix_error_path("cells", str(number)):
                yield from cell_weights(cell, step)


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
                        f"a cell such as LSTMCell must stand here, not {describe_value(each)}"
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


class GRU(_GatedRecurrentLayer, frozen=True, kw_only=True):
    """A gated recurrent unit; with `reset_after` each gate has two biases."""

    cell_kind = GRUCell

    reset_after: bool = True


class LSTM(_GatedRecurrentLayer, frozen=True, kw_only=True):
    """Long short-term memory: four gates, and a carry beside the output."""

    cell_kind = LSTMCell

    unit_forget_bias: bool = True


def as_recurrent_cell(layer: AnyLayer) -> RecurrentCell:
    """An argument that must be a cell, with the type that it has; LayerError for another layer."""
    if not isinstance(layer, RecurrentCell):
        what = type(layer).__name__ if isinstance(layer, LayerKind) else repr(layer)
        raise LayerError(f"a cell such as LSTMCell must stand here, not {what}")
    return layer


def _call_stacked_cell(cell: LayerKind, inputs: Shape, state: Shapes) -> tuple[Shape, Shapes]:
    """The output and the new state of a cell in a stack that is called as a layer.

    Unlike for a cell on its own, Keras puts a single state into a list, calls the activity
    regularizer, and refuses a quantized dtype policy.
    """
    assert isinstance(cell, KerasLayer)
    regularizer = getattr(cell.activity_regularizer, "class_name", cell.activity_regularizer)
    if normalize_object_name(str(regularizer)) == "regularizer":
        raise LayerError(
            "activity_regularizer must be one of its kinds, such as L2", "activity_regularizer"
        )
    if dtype_policy_of(cell.dtype).quantization_mode:
        raise LayerError("a cell in a stack that is called cannot be quantized", "dtype")
    single = is_shape(state)
    output, after = child_shapes(cell.output_shape(inputs, (state,) if single else state))
    if is_shape(after) and after[:1] == (None,):
        raise LayerError("a stack of one cell in a stack can be called only with a known batch")
    if single and len(after) == 1:
        (after,) = child_shapes(after)
    return demand_single_tensor(output, "output"), after


def cell_weights(cell: RecurrentCell, step: Shape) -> Iterator[Weight]:
    """The weights of a cell inside a layer, for steps of this shape."""
    layer = as_layer_kind(cell)
    return sublayer_weights(sublayer_name(layer), layer, step)
