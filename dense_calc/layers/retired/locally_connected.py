"""Convolutions of Keras 1 and 2 with a kernel of their own at each output position.

Sources: keras/layers/local.py of Keras 1.2.2 and 2.3.1, and tf_keras.layers.LocallyConnected1D and
2D of tf_keras 2.21, which have three implementations with other weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.arguments.types import ActivationArgument, ConvPadding, DataFormat
from dense_calc.layers.base import PositiveInt, Weight, WindowSize
from dense_calc.layers.convolutional import Conv
from dense_calc.layers.kernels import LayerWithKernel
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.layers.weight_axes import flatten_axes
from dense_calc.shapes import (
    IMAGE_AXES,
    SEQUENCE_AXES,
    Shape,
    Sizes,
    window_counts,
    with_spatial_sizes,
)

_DENSE_IMPLEMENTATION, _SPARSE_IMPLEMENTATION = 2, 3


class _LocallyConnected(LayerWithKernel, SpatialLayer, frozen=True, kw_only=True):
    """A convolution with a kernel of its own at each output position.

    `implementation` 2 has a weight for each pair of an input and an output; 3 has weights only for
    an input inside the window of the output, in one row. With padding "same", windows at a border
    hold fewer inputs.
    """

    keras_module: ClassVar[str] = ""
    shape_rule: ClassVar[str] = Conv.shape_rule

    filters: PositiveInt
    kernel_size: WindowSize
    strides: WindowSize = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    activation: ActivationArgument = None
    use_bias: bool = True
    implementation: Literal[1, 2, 3] = 1

    def output_shape(self, shape: Shape, /) -> Shape:
        return with_spatial_sizes(shape, self._output_sides(shape), self.filters, self.data_format)

    def _output_sides(self, shape: Shape) -> Shape:
        """The sizes of the spatial axes of the output."""
        if self.implementation == 1 and self.padding != ConvPadding.valid:
            raise LayerError("with implementation 1 the padding must be valid", "padding")
        sizes = self.spatial_sizes(shape)
        kernel, strides = self._window_and_strides()
        return window_counts(sizes, kernel, strides, kernel, self.padding, "kernel_size")

    def _window_and_strides(self) -> tuple[Sizes, Sizes]:
        """The window and its strides along each axis."""
        return self.argument_sizes("kernel_size"), self.argument_sizes("strides")

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = {"channels": self.known_channel_count(shape)}
        filters = {"filters": self.filters}
        inputs = _known_axis_sizes(self.spatial_axes, self.spatial_sizes(shape))
        places = _known_axis_sizes(
            [f"{axis}'" for axis in self.spatial_axes], self._output_sides(shape)
        )
        kernel = self._kernel_axes(inputs, places, channels, filters)
        yield Weight("kernel", kernel, self.kernel_initializer)
        if self.use_bias:
            yield Weight("bias", {**places, **filters}, self.bias_initializer)

    def _kernel_axes(
        self,
        inputs: dict[str, int],
        places: dict[str, int],
        channels: dict[str, int],
        filters: dict[str, int],
    ) -> dict[str, int]:
        """The axes of the kernel."""
        first = self.data_format == DataFormat.channels_first
        if self.implementation == _DENSE_IMPLEMENTATION and first:
            return {**channels, **inputs, **filters, **places}
        if self.implementation == _DENSE_IMPLEMENTATION:
            return {**inputs, **channels, **places, **filters}
        if self.implementation == _SPARSE_IMPLEMENTATION:
            sides = inputs.values(), places.values(), *self._window_and_strides()
            pairs = math.prod(map(self._visible_input_count, *sides))
            return {"near pairs": pairs * channels["channels"] * self.filters}
        names = [f"kernel {axis}" for axis in self.spatial_axes]
        window = dict(zip(names, self._window_and_strides()[0], strict=True))
        return {**flatten_axes(places), **flatten_axes({**window, **channels}), **filters}

    def _visible_input_count(self, size: int, places: int, window: int, stride: int) -> int:
        """The number of inputs in all windows along an axis together."""
        if self.padding == ConvPadding.valid:
            return places * window
        # Source: conv_connected_inputs of tf_keras, which centres each window on its input.
        before = window // 2
        after = (places - 1) * stride - before + window - size
        return (
            places * window
            - _total_overhang(before, stride, places)
            - _total_overhang(after, stride, places)
        )


class LocallyConnected1D(_LocallyConnected, frozen=True, kw_only=True):
    """A convolution over a sequence with a kernel of its own at each position."""

    spatial_axes = SEQUENCE_AXES


class LocallyConnected2D(_LocallyConnected, frozen=True, kw_only=True):
    """A convolution over height and width with a kernel of its own at each position."""

    spatial_axes = IMAGE_AXES


def _known_axis_sizes(axes: Iterable[str], sizes: Shape) -> dict[str, int]:
    """The axes with these sizes.

    Raises:
        LayerError: a size is unknown.
    """
    if None in sizes:
        raise UnknownSizeError(
            f"each place has its own kernel, but the sides {sizes} are not all known; "
            "give them sizes in the model's input"
        )
    return {axis: size for axis, size in zip(axes, sizes, strict=True) if size is not None}


def _total_overhang(first: int, stride: int, count: int) -> int:
    """The sum of the overhangs of `count` windows, from `first` down by a `stride` each."""
    overhanging = min(count, -(-first // stride)) if first > 0 else 0
    return overhanging * first - stride * overhanging * (overhanging - 1) // 2
