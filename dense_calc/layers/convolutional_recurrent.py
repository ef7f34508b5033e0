"""Keras' convolutional LSTM layers: a base for all ranks, and a class for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import UnknownSizeError
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    ConvPadding,
    DataFormat,
    sublayer_dtype,
)
from dense_calc.layers.base import KerasLayer, PositiveInt, Weight, WindowSize, to_snake_case
from dense_calc.layers.cells import RecurrentCell
from dense_calc.layers.convolutional import Conv, Conv1D, Conv2D, Conv3D, window_axes
from dense_calc.layers.recurrent import RecurrentLayerWithOwnCell
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.shapes import (
    IMAGE_AXES,
    SEQUENCE_AXES,
    VOLUME_AXES,
    Shape,
    Shapes,
    demand_rank,
)


class ConvLSTM(RecurrentLayerWithOwnCell, SpatialLayer, frozen=True, kw_only=True):
    """An LSTM whose gates are convolutions: steps and states have spatial axes."""

    creates_sublayers: ClassVar[bool] = True
    _convolution_kind: ClassVar[type[Conv]]
    shape_rule: ClassVar[str] = "(batch, steps, *sides, channels) → (batch, ..., *sides', filters)"

    filters: PositiveInt
    kernel_size: WindowSize
    strides: WindowSize = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: WindowSize = 1
    recurrent_activation: ActivationArgument = "sigmoid"
    unit_forget_bias: bool = True

    @property
    def inner_cell(self) -> RecurrentCell:
        name = to_snake_case(ConvLSTMCell.__name__)
        return ConvLSTMCell(recurrent_layer=self, dtype=sublayer_dtype(self.dtype, name))

    @property
    def gate_convolution(self) -> Conv:
        """The convolution of each gate."""
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return self._convolution_kind(**{name: getattr(self, name) for name in names})

    def step_shape(self, sequences: Shape) -> Shape:
        last = (*self.spatial_axes, "channels")
        axes = last if self.data_format != "channels_first" else (last[-1], *self.spatial_axes)
        demand_rank(sequences, len(axes) + 2, f"({', '.join(('batch', 'steps', *axes))})")
        return (sequences[0], *sequences[2:])


class ConvLSTMCell(RecurrentCell, KerasLayer, frozen=True, kw_only=True):
    """One step of a ConvLSTM; Keras does not export it."""

    recurrent_layer: ConvLSTM

    def step_output(self, step: Shape) -> Shape:
        outer = self.recurrent_layer
        for side, size in zip(outer.spatial_axes, outer.spatial_sizes(step), strict=True):
            if size is None:
                raise UnknownSizeError(
                    f"its states need the {side} of the input, which is unknown in {step}; "
                    "give it a size in the model's input"
                )
        return outer.gate_convolution.output_shape(step)

    def state_shapes(self, step: Shape) -> Shapes:
        return self.step_output(step), self.step_output(step)

    def output_shape(self, step: Shape, _states: Shapes, /) -> Shapes:
        return self.step_output(step), self.state_shapes(step)

    def weights(self, step: Shape, /) -> Iterator[Weight]:
        outer = self.recurrent_layer
        window = window_axes(outer.gate_convolution)
        channels = outer.known_channel_count(step)
        inputs, outputs = {"channels": channels}, {"filters": outer.filters}
        return outer.gate_weights({**window, **inputs}, {**window, **outputs}, 4)


class ConvLSTM1D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of sequences."""

    spatial_axes = SEQUENCE_AXES
    _convolution_kind = Conv1D


class ConvLSTM2D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of images."""

    spatial_axes = IMAGE_AXES
    _convolution_kind = Conv2D


class ConvLSTM3D(ConvLSTM, frozen=True, kw_only=True):
    """A convolutional LSTM over sequences of volumes."""

    spatial_axes = VOLUME_AXES
    _convolution_kind = Conv3D
