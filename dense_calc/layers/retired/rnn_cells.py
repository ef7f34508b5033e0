"""Recurrent cells of tf.keras that Keras 3 does not have, and wrappers of cells.

Sources: tf.keras.experimental.PeepholeLSTMCell of TensorFlow 2.5, and keras/layers/rnn/
cell_wrappers.py of Keras 2.15 (`tf.nn.RNNCellDropoutWrapper` and its like).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from dense_calc.layers.base import AnyLayer, KerasLayer, Weight
from dense_calc.layers.cells import LSTMCell, RecurrentCell
from dense_calc.layers.stacked_cells import as_recurrent_cell, cell_weights
from dense_calc.shapes import Shape, Shapes


class PeepholeLSTMCell(LSTMCell, frozen=True, kw_only=True):
    """An LSTM cell whose gates also read the carry."""

    keras_module: ClassVar[str] = ""

    def weights(self, inputs: Shape, /, *states: Shapes) -> Iterator[Weight]:
        yield from super().weights(inputs, *states)
        for gate in "input", "forget", "output":
            name = f"{gate}_gate_peephole_weights"
            yield Weight(name, {"units": self.units}, self.kernel_initializer)


class _CellWrapper(RecurrentCell, KerasLayer, frozen=True, kw_only=True):
    """A cell around another, without weights of its own."""

    keras_module: ClassVar[str] = ""
    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("cell",)

    cell: AnyLayer

    def step_output(self, step: Shape) -> Shape:
        return as_recurrent_cell(self.cell).step_output(step)

    def state_shapes(self, step: Shape) -> Shapes:
        return as_recurrent_cell(self.cell).state_shapes(step)

    def weights(self, inputs: Shape, /, *_states: Shapes) -> Iterator[Weight]:
        return cell_weights(as_recurrent_cell(self.cell), inputs)


class DeviceWrapper(_CellWrapper, frozen=True, kw_only=True):
    """Runs its cell on one device."""

    device: Any = None


class DropoutWrapper(_CellWrapper, frozen=True, kw_only=True):
    """Drops some of the inputs, states and outputs of its cell."""

    input_keep_prob: float = 1.0
    output_keep_prob: float = 1.0
    state_keep_prob: float = 1.0
    variational_recurrent: bool = False
    input_size: Any = None
    seed: int | None = None
    dropout_fn: Any = None
    dropout_fn_type: str | None = None
    dropout_fn_module: str | None = None


class ResidualWrapper(_CellWrapper, frozen=True, kw_only=True):
    """Adds the input of its cell to the output."""

    residual_fn: Any = None
    residual_fn_type: str | None = None
    residual_fn_module: str | None = None
