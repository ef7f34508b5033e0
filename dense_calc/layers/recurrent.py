"""Keras' recurrent layers: a cell, or a stack of them, repeated for each step of a sequence."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec.structs import force_setattr

from dense_calc.dtypes import Dtypes, dtypes_in
from dense_calc.errors import LayerError, said
from dense_calc.layers.arguments.types import Activation, dtype_within, plain, policy_of
from dense_calc.layers.base import (
    AnyLayer,
    KerasLayer,
    LayerKind,
    Positive,
    Weight,
    layer_in,
    name_of,
    snake_case,
    weights_within,
    within,
)
from dense_calc.layers.cells import (
    Cell,
    GRUCell,
    LSTMCell,
    Recurrent,
    SimpleRNNCell,
    UnitsCell,
    one_tensor,
)
from dense_calc.layers.promotion import promoted
from dense_calc.shapes import Shape, Shapes, demand_rank, is_shape, parts

CuDNN = Literal["auto"] | bool  # whether NVIDIA's library may be used


class StackedRNNCells(Cell, KerasLayer, frozen=True, kw_only=True):
    """Cells one after the other as one cell: each reads what the one before it gives.

    Called as a layer, it uses only as many of its cells as there are states.
    """

    takes: ClassVar[range] = range(2, 3)
    inputs: ClassVar[tuple[str, ...]] = ("inputs", "states")
    takes_nested: ClassVar[bool] = True
    reads_dtypes: ClassVar[bool] = True
    wraps: ClassVar[tuple[str, ...]] = ("cells",)
    rule: ClassVar[str] = "(batch, inputs), ... → (batch, units'), ..."

    cells: tuple[AnyLayer, ...]

    def steps(self, step: Shape) -> Iterator[tuple[int, Cell, Shape]]:
        """Each cell with its number and the shape of the step that it reads."""
        for number, layer in enumerate(self.cells):
            with within("cells", str(number)):
                cell = ready(layer)
                yield number, cell, step
                step = cell.output(step)

    def output(self, step: Shape) -> Shape:
        if not self.cells:
            raise LayerError("it needs at least one cell", "cells")
        return [cell.output(read) for _, cell, read in self.steps(step)][-1]

    def state(self, step: Shape) -> Shapes:
        return tuple(cell.state(read) for _, cell, read in self.steps(step))

    def output_shape(self, inputs: Shapes, states: Shapes, /) -> Shapes:
        output = one_tensor(inputs, "inputs")
        if isinstance(states, dict) or (is_shape(states) and states):
            raise LayerError(f"its states must be a list, one for each cell, not {states}", "from")
        new = []
        for (number, cell, step), state in zip(self.steps(output), parts(states), strict=False):
            with within("cells", str(number)):
                if output[-1:] != step[-1:]:
                    raise LayerError(f"it reads {step}, but the cell before it gives {output}")
                output, after = stacked(layer_in(cell), output, state)
            new.append(after)
        return output, new[0] if len(new) == 1 else tuple(new)

    def output_dtype(self, inputs: Dtypes, states: Dtypes, /) -> Dtypes:
        """The dtypes of the output and of each cell's state, one for all tensors of a state."""
        step, new = inputs, []
        for cell, state in zip(self.cells, states or (), strict=False):
            layer = layer_in(cell)
            given = layer.output_dtype(*layer.call_dtypes((step, state)))
            step, after = given if isinstance(given, tuple) else (given, given)
            new.append(after)
        return promoted(*dtypes_in(step)), new[0] if len(new) == 1 else tuple(new)

    def weights(self, inputs: Shape, /, *_states: Shapes) -> Iterator[Weight]:
        for number, cell, step in self.steps(inputs):
            with within("cells", str(number)):
                yield from weights_of(cell, step)


class Loop(AnyLayer):
    """What a layer does that repeats a cell; it gives the last output, or that of each step.

    Keras tells the shapes without looking at the initial state or at the mask.
    """

    __slots__ = ()

    takes: ClassVar[range] = range(1, 4)
    inputs: ClassVar[tuple[str, ...]] = ("sequences", "initial_state", "mask")
    takes_nested: ClassVar[bool] = True
    rule: ClassVar[str] = "(batch, steps, inputs) → (batch, ..., units)"

    path: ClassVar[tuple[str, ...]] = ()  # the argument that is the cell

    return_sequences: bool
    return_state: bool
    stateful: bool

    @property
    @abstractmethod
    def repeated(self) -> Cell:
        """The cell."""

    def step(self, sequences: Shape) -> Shape:
        """The shape of one step of sequences of this shape."""
        demand_rank(sequences, 3, "(batch, steps, inputs)")
        return (sequences[0], *sequences[2:])

    def output_shape(self, sequences: Shapes, /, *_others: Shapes | None) -> Shapes:
        shape = one_tensor(sequences, "sequences")
        step = self.step(shape)
        with within(*self.path):
            batch, *others = self.repeated.output(step)
            states = self.repeated.state(step)
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
        for state in parts(states):
            if not all(map(is_shape, parts(state))):
                told = "Keras gives no states of stacks in a stack; stack their cells themselves"
                raise LayerError(told, "return_state")
        return (output, *parts(states))

    def weights(self, sequences: Shape, /, *_others: Shapes | None) -> Iterator[Weight]:
        with within(*self.path):
            yield from weights_of(self.repeated, self.step(sequences))


class RNN(Loop, KerasLayer, frozen=True, kw_only=True):
    """Repeats a cell for each step of a sequence, or several cells, which are stacked."""

    wraps: ClassVar[tuple[str, ...]] = ("cell",)
    path: ClassVar[tuple[str, ...]] = wraps

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
                    raise ValueError(f"a cell such as LSTMCell must stand here, not {said(each)}")
            force_setattr(self, "cell", StackedRNNCells(cells=tuple(self.cell)))

    @property
    def repeated(self) -> Cell:
        return ready(self.cell)

    def step(self, sequences: Shape) -> Shape:
        # Where the batch is known, Keras builds a cell on it even without an axis of inputs.
        least = 3 if sequences[:1] == (None,) else 2
        demand_rank(sequences, least, "(batch, steps, inputs)", or_more=True)
        return (sequences[0], *sequences[2:])


class Repeating(Loop, Recurrent, frozen=True, kw_only=True):
    """A layer that makes its own cell."""

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False


class UnitsLoop(Repeating, frozen=True, kw_only=True):
    """A layer that hands on its arguments to a cell that gives `units` numbers."""

    cell_kind: ClassVar[type[UnitsCell]]

    units: Positive

    @property
    def repeated(self) -> Cell:
        kind = self.cell_kind
        arguments = {name: getattr(self, name) for name in kind.__struct_fields__}
        name = snake_case(kind.__name__)
        return kind(**arguments | {"name": name, "dtype": dtype_within(self.dtype, name)})


class SimpleRNN(UnitsLoop, frozen=True, kw_only=True):
    """The plain recurrent layer: each output is made of the step and of the output before."""

    cell_kind = SimpleRNNCell

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "activity_regularizer", None)  # Keras takes it and forgets it


class GatedLoop(UnitsLoop, frozen=True, kw_only=True):
    """A layer whose cell has gates."""

    recurrent_activation: Activation = "sigmoid"
    implementation: int = 2
    use_cudnn: CuDNN = "auto"


class GRU(GatedLoop, frozen=True, kw_only=True):
    """A gated recurrent unit; with `reset_after` each gate has two biases."""

    cell_kind = GRUCell

    reset_after: bool = True


class LSTM(GatedLoop, frozen=True, kw_only=True):
    """Long short-term memory: four gates, and a carry beside the output."""

    cell_kind = LSTMCell

    unit_forget_bias: bool = True


def ready(layer: AnyLayer) -> Cell:
    """A layer that is an argument, as the cell that it must be."""
    if not isinstance(layer, Cell):
        what = type(layer).__name__ if isinstance(layer, LayerKind) else repr(layer)
        raise LayerError(f"a cell such as LSTMCell must stand here, not {what}")
    return layer


def stacked(cell: LayerKind, inputs: Shape, state: Shapes) -> tuple[Shape, Shapes]:
    """What a cell in a stack that is called gives, and its new state; a state is given in a list.

    Unlike a cell that is called by itself, it has its activity regularizer called, and may not
    wait to be quantized.
    """
    assert isinstance(cell, KerasLayer)
    regularizer = getattr(cell.activity_regularizer, "class_name", cell.activity_regularizer)
    if plain(str(regularizer)) == "regularizer":
        raise LayerError(
            "activity_regularizer must be one of its kinds, such as L2", "activity_regularizer"
        )
    if policy_of(cell.dtype).mode:
        raise LayerError("a cell in a stack that is called cannot be quantized", "dtype")
    alone = is_shape(state)
    output, after = parts(cell.output_shape(inputs, (state,) if alone else state))
    if is_shape(after) and after[:1] == (None,):
        raise LayerError("a stack of one cell in a stack can be called only with a known batch")
    if alone and len(after) == 1:
        (after,) = parts(after)
    return one_tensor(output, "output"), after


def weights_of(cell: Cell, step: Shape) -> Iterator[Weight]:
    """The weights of a cell inside a layer, for such steps."""
    layer = layer_in(cell)
    return weights_within(name_of(layer), layer, step)
