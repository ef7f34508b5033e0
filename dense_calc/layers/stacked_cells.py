"""Keras' StackedRNNCells, and how a layer or a stack calls the cells that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.dtypes import Dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import dtype_policy_of, normalize_object_name
from dense_calc.layers.base import (
    TWO_INPUTS,
    AnyLayer,
    KerasLayer,
    LayerKind,
    Weight,
    as_layer_kind,
    prefix_error_path,
    sublayer_name,
    sublayer_weights,
)
from dense_calc.layers.cells import RecurrentCell
from dense_calc.layers.promotion import promote_dtypes
from dense_calc.layers.recurrent_arguments import demand_single_tensor
from dense_calc.shapes import Shape, Shapes, child_shapes, is_shape


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


def as_recurrent_cell(layer: AnyLayer) -> RecurrentCell:
    """An argument that must be a cell, with the type that it has; LayerError for another layer."""
    if not isinstance(layer, RecurrentCell):
        what = type(layer).__name__ if isinstance(layer, LayerKind) else repr(layer)
        raise LayerError(f"it takes a cell such as LSTMCell, not {what}")
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
    output, after = child_shapes(call_cell_on_step(cell, inputs, state))
    if is_shape(after) and after[:1] == (None,):
        raise LayerError("a stack of one cell in a stack can be called only with a known batch")
    if single and len(after) == 1:
        (after,) = child_shapes(after)
    return demand_single_tensor(output, "output"), after


def call_cell_on_step(cell: AnyLayer, step: Shape, states: Shapes) -> Shapes:
    """The shapes of the output and of the new states of a cell that is called on a step."""
    return as_layer_kind(cell).output_shape(step, (states,) if is_shape(states) else states)


def cell_weights(cell: RecurrentCell, step: Shape) -> Iterator[Weight]:
    """The weights of a cell inside a layer, for steps of this shape."""
    layer = as_layer_kind(cell)
    return sublayer_weights(sublayer_name(layer), layer, step)
