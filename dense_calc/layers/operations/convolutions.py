"""Convolutions whose kernel is an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import TWO_INPUTS, WindowSize
from dense_calc.layers.operations.operation import Int64, Int64Tuple, Operation
from dense_calc.layers.operations.pooling import (
    BATCH_AXES,
    parse_padding,
    values_per_side,
)
from dense_calc.shapes import (
    Shape,
    Shapes,
    Size,
    Sizes,
    channel_axis,
    demand_rank,
    size_product,
    spatial_sizes,
    transposed_sizes,
    window_counts,
    with_spatial_sizes,
)

_T = TypeVar("_T", int, Size)


class _ConvolutionOperation(Operation, frozen=True, kw_only=True):
    """A window slides over the sides of an input; the kernel is the second input."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "kernel")
    shape_rule = (
        "(batch, *sides, channels), (*window, channels, filters) → (batch, *sides', filters)"
    )

    strides: WindowSize = 1
    padding: str = "valid"
    data_format: DataFormat | None = None
    dilation_rate: WindowSize = 1

    def _demand_kernel_channels(self, x: Shape, kernel: Shape, axis: int) -> None:
        """Raise LayerError unless `axis` of the kernel has the size of the channels."""
        demand_rank(x, 1 if channel_axis(self.data_format) == -1 else 2, BATCH_AXES, or_more=True)
        demand_rank(kernel, 2, "(*window, channels, filters)", or_more=True)
        channels = x[channel_axis(self.data_format)]
        if None not in (channels, kernel[axis]) and channels != kernel[axis]:
            raise LayerError(f"the kernel is for {kernel[axis]} channels, not for {channels}")

    def _convolve(self, x: Shape, kernel: Shape, filters: Size) -> Shape:
        """The output shape with so many filters."""
        self._demand_kernel_channels(x, kernel, -2)
        padding = parse_padding(self.padding, "valid", "same", "causal")
        steps = self.strides, self.dilation_rate
        return convolve_shape(x, kernel[:-2], filters, steps, padding, self.data_format)


class Conv(_ConvolutionOperation, frozen=True, kw_only=True):
    """A convolution; each filter reads all channels."""

    def infer_shape(self, x: Shape, kernel: Shape, /) -> Shapes:
        return self._convolve(x, kernel, kernel[-1] if kernel else None)


class DepthwiseConv(_ConvolutionOperation, frozen=True, kw_only=True):
    """A convolution of each channel by itself."""

    def infer_shape(self, x: Shape, kernel: Shape, /) -> Shapes:
        return self._convolve(x, kernel, _depthwise_filters(kernel))


class SeparableConv(_ConvolutionOperation, frozen=True, kw_only=True):
    """A convolution of each channel by itself, then one of all channels at each place."""

    arity = range(3, 4)
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "depthwise_kernel", "pointwise_kernel")

    def infer_shape(self, x: Shape, depthwise: Shape, pointwise: Shape, /) -> Shapes:
        _depthwise_filters(depthwise)
        demand_rank(pointwise, 1, "(..., channels, filters)", or_more=True)
        return self._convolve(x, depthwise, pointwise[-1])


class ConvTranspose(_ConvolutionOperation, frozen=True, kw_only=True):
    """A transposed convolution; its kernel has the filters before the channels."""

    output_padding: Int64 | Int64Tuple | None = None

    def infer_shape(self, x: Shape, kernel: Shape, /) -> Shapes:
        self._demand_kernel_channels(x, kernel, -1)
        sizes = spatial_sizes(x, self.data_format)
        rank = len(sizes)
        window = _first_values_per_side(kernel[:-2], rank, "kernel")
        # Along an unknown side the size of the window does not matter.
        window = tuple(
            1 if side is None else size for side, size in zip(sizes, window, strict=True)
        )
        dilation = _first_values_per_side(self.dilation_rate, rank, "dilation_rate")
        reach = _dilated_window(window, dilation)
        strides = _first_values_per_side(self.strides, rank, "strides")
        extra = self.output_padding
        if extra is not None:
            extra = _first_values_per_side(extra, rank, "output_padding")
        padding = parse_padding(self.padding, "valid", "same")
        outputs = transposed_sizes(sizes, reach, strides, padding, extra, "output_padding")
        return with_spatial_sizes(x, outputs, kernel[-2], self.data_format)


def convolve_shape(
    shape: Shape,
    window: Shape,
    filters: Size,
    steps: tuple[WindowSize, WindowSize],
    padding: str,
    data_format: str | None,
) -> Shape:
    """The shape after a convolution; `steps` are its strides and its dilation.

    Source: `compute_conv_output_shape` of keras/src/ops/operation_utils.py.
    """
    sizes = spatial_sizes(shape, data_format)
    if len(window) != len(sizes) or len(shape) < 2:
        raise LayerError(f"a window of {len(window)} axes does not fit an input of {shape}")
    strides = values_per_side(steps[0], len(sizes), "strides")
    dilation = values_per_side(steps[1], len(sizes), "dilation_rate")
    if isinstance(steps[1], tuple) and len(steps[1]) != len(sizes):
        raise LayerError(f"give one dilation_rate, or {len(sizes)}", "dilation_rate")
    if padding == "valid" and None in window:
        raise LayerError(f"the size of the window must be known, but is not: {window}")
    known = tuple(size or 0 for size in window)
    reach = _dilated_window(known, dilation)
    counts = window_counts(sizes, known, strides, reach, padding, "kernel")
    return with_spatial_sizes(shape, counts, filters, data_format)


def _first_values_per_side(
    values: int | tuple[_T, ...], rank: int, argument: str
) -> tuple[_T, ...]:
    """One value for each side; of a longer list the first ones, as in Keras."""
    if isinstance(values, int):
        return (values,) * rank
    if len(values) < rank:
        raise LayerError(f"{argument} has {len(values)} sizes for {rank} sides", argument)
    return values[:rank]


def _dilated_window(window: Sequence[Size], dilation: Sizes) -> Sizes:
    """The sizes that a window spans with dilation.

    Raises:
        LayerError: a size of the window is unknown.
    """
    if None in window:
        raise LayerError(f"the size of the window must be known, but is not: {list(window)}")
    return tuple(((size or 0) - 1) * rate + 1 for size, rate in zip(window, dilation, strict=True))


def _depthwise_filters(kernel: Shape) -> Size:
    """The number of filters of a depthwise kernel: channels times multiplier."""
    demand_rank(kernel, 2, "(*window, channels, multiplier)", or_more=True)
    if None in kernel[-2:]:
        raise LayerError(f"the channels of the kernel must be known, but are not in {kernel}")
    return size_product(kernel[-2:])
