"""Keras' convolutional LSTM layers: a base for all ranks, and a class for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import UnknownSizeError
from dense_calc.layers.arguments.types import Activation, ConvPadding, DataFormat, dtype_within
from dense_calc.layers.base import KerasLayer, Positive, Weight, Window, snake_case
from dense_calc.layers.cells import Cell
from dense_calc.layers.convolutional import Conv, Conv1D, Conv2D, Conv3D, window
from dense_calc.layers.recurrent import Repeating
from dense_calc.shapes import (
    IMAGE,
    SEQUENCE,
    VOLUME,
    Shape,
    Shapes,
    channel_axis,
    demand_rank,
    known,
    sides,
)


class ConvLSTM(Repeating, frozen=True, kw_only=True):
    """An LSTM whose gates are convolutions: its steps and its states are images or the like."""

    makes_layers: ClassVar[bool] = True
    axes: ClassVar[tuple[str, ...]]
    convolution: ClassVar[type[Conv]]
    rule: ClassVar[str] = "(batch, steps, *sides, channels) → (batch, ..., *sides', filters)"

    filters: Positive
    kernel_size: Window
    strides: Window = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: Window = 1
    recurrent_activation: Activation = "sigmoid"
    unit_forget_bias: bool = True

    @property
    def repeated(self) -> Cell:
        name = snake_case(ConvLSTMCell.__name__)
        return ConvLSTMCell(loop=self, dtype=dtype_within(self.dtype, name))

    @property
    def gate(self) -> Conv:
        """The convolution that each gate is."""
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return self.convolution(**{name: getattr(self, name) for name in names})

    def step(self, sequences: Shape) -> Shape:
        last = (*self.axes, "channels")
        axes = last if self.data_format != "channels_first" else (last[-1], *self.axes)
        demand_rank(sequences, len(axes) + 2, f"({', '.join(('batch', 'steps', *axes))})")
        return (sequences[0], *sequences[2:])


class ConvLSTMCell(Cell, KerasLayer, frozen=True, kw_only=True):
    """One step of a ConvLSTM; Keras does not give it out by itself."""

    loop: ConvLSTM

    def output(self, step: Shape) -> Shape:
        loop = self.loop
        for side, size in zip(loop.axes, sides(step, loop.axes, loop.data_format), strict=True):
            if size is None:
                raise UnknownSizeError(
                    f"its states need a known {side}, which the input leaves open: {step}; "
                    "give it a size in the model's input"
                )
        return loop.gate.output_shape(step)

    def state(self, step: Shape) -> Shapes:
        return self.output(step), self.output(step)

    def weights(self, step: Shape, /) -> Iterator[Weight]:
        loop = self.loop
        seen = window(loop.gate)
        channels = known(step, channel_axis(loop.data_format))
        inputs, outputs = {"channels": channels}, {"filters": loop.filters}
        return loop.gates({**seen, **inputs}, {**seen, **outputs}, 4)


class ConvLSTM1D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of sequences."""

    axes = SEQUENCE
    convolution = Conv1D


class ConvLSTM2D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of images."""

    axes = IMAGE
    convolution = Conv2D


class ConvLSTM3D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of volumes."""

    axes = VOLUME
    convolution = Conv3D
