"""Convolutions, whose kernel is an input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import Window
from dense_calc.layers.operations.operation import TWO, Int, Ints, Operation
from dense_calc.layers.operations.pooling import BATCH, each, padding_of, sides_of
from dense_calc.shapes import (
    Shape,
    Shapes,
    Size,
    Sizes,
    channel_axis,
    demand_rank,
    product,
    slide,
    spread,
    with_sides,
)

T = TypeVar("T", int, Size)


class Convolution(Operation, frozen=True, kw_only=True):
    """A window slides over the input and weighs what it sees with a kernel that is an input."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("inputs", "kernel")
    rule: ClassVar[str] = (
        "(batch, *sides, channels), (*window, channels, filters) → (batch, *sides', filters)"
    )

    strides: Window = 1
    padding: str = "valid"
    data_format: DataFormat | None = None
    dilation_rate: Window = 1

    def demand_channels(self, x: Shape, kernel: Shape, axis: int) -> None:
        """Raise LayerError where the kernel is for other channels than the input has."""
        demand_rank(x, 1 if channel_axis(self.data_format) == -1 else 2, BATCH, or_more=True)
        demand_rank(kernel, 2, "(*window, channels, filters)", or_more=True)
        channels = x[channel_axis(self.data_format)]
        if None not in (channels, kernel[axis]) and channels != kernel[axis]:
            raise LayerError(f"the kernel is for {kernel[axis]} channels, not for {channels}")

    def slid(self, x: Shape, kernel: Shape, filters: Size) -> Shape:
        """The output with so many filters."""
        self.demand_channels(x, kernel, -2)
        padding = padding_of(self.padding, "valid", "same", "causal")
        steps = self.strides, self.dilation_rate
        return convolved(x, kernel[:-2], filters, steps, padding, self.data_format)


class Conv(Convolution, frozen=True, kw_only=True):
    """A convolution: each filter of the kernel weighs all channels."""

    def result(self, x: Shape, kernel: Shape, /) -> Shapes:
        return self.slid(x, kernel, kernel[-1] if kernel else None)


class DepthwiseConv(Convolution, frozen=True, kw_only=True):
    """A convolution of each channel on its own."""

    def result(self, x: Shape, kernel: Shape, /) -> Shapes:
        return self.slid(x, kernel, by_channel(kernel))


class SeparableConv(Convolution, frozen=True, kw_only=True):
    """A convolution of each channel on its own, and then one of all at each place."""

    takes: ClassVar[range] = range(3, 4)
    inputs: ClassVar[tuple[str, ...]] = ("inputs", "depthwise_kernel", "pointwise_kernel")

    def result(self, x: Shape, depthwise: Shape, pointwise: Shape, /) -> Shapes:
        by_channel(depthwise)
        demand_rank(pointwise, 1, "(..., channels, filters)", or_more=True)
        return self.slid(x, depthwise, pointwise[-1])


class ConvTranspose(Convolution, frozen=True, kw_only=True):
    """A convolution the other way round; its kernel has the filters before the channels."""

    output_padding: Int | Ints | None = None

    def result(self, x: Shape, kernel: Shape, /) -> Shapes:
        self.demand_channels(x, kernel, -1)
        sizes = sides_of(x, self.data_format)
        rank = len(sizes)
        window = first(kernel[:-2], rank, "kernel")
        # The size of a window does not matter along a side that is unknown.
        shown = [1 if side is None else size for side, size in zip(sizes, window, strict=True)]
        reach = reach_of(shown, first(self.dilation_rate, rank, "dilation_rate"))
        strides = first(self.strides, rank, "strides")
        extra = self.output_padding
        more = None if extra is None else first(extra, rank, "output_padding")
        padding = padding_of(self.padding, "valid", "same")
        spans = spread(sizes, reach, strides, padding, more, "output_padding")
        return with_sides(x, spans, kernel[-2], self.data_format)


def convolved(
    shape: Shape,
    window: Shape,
    filters: Size,
    steps: tuple[Window, Window],
    padding: str,
    data_format: str | None,
) -> Shape:
    """A shape after a convolution with these strides and this dilation.

    Source: `compute_conv_output_shape` of keras/src/ops/operation_utils.py.
    """
    sizes = sides_of(shape, data_format)
    if len(window) != len(sizes) or len(shape) < 2:
        raise LayerError(f"a window of {len(window)} axes does not fit an input of {shape}")
    strides = each(steps[0], len(sizes), "strides")
    dilation = each(steps[1], len(sizes), "dilation_rate")
    if isinstance(steps[1], tuple) and len(steps[1]) != len(sizes):
        raise LayerError(f"give one dilation_rate, or {len(sizes)}", "dilation_rate")
    if padding == "valid" and None in window:
        raise LayerError(f"the size of the window must be known, but is not: {window}")
    sized = tuple(size or 0 for size in window)
    places = slide(sizes, sized, strides, reach_of(sized, dilation), padding, "kernel")
    return with_sides(shape, places, filters, data_format)


def first(values: int | tuple[T, ...], rank: int, argument: str) -> tuple[T, ...]:
    """One number for each side, the first ones of a longer list, as a loop of Keras takes them."""
    if isinstance(values, int):
        return (values,) * rank
    if len(values) < rank:
        raise LayerError(f"{argument} has {len(values)} sizes for {rank} sides", argument)
    return values[:rank]


def reach_of(window: Sequence[Size], dilation: Sizes) -> Sizes:
    """What a window spans with dilation.

    Raises:
        LayerError: its size is unknown.
    """
    if None in window:
        raise LayerError(f"the size of the window must be known, but is not: {list(window)}")
    return tuple(
        ((size or 0) - 1) * spread_by + 1 for size, spread_by in zip(window, dilation, strict=True)
    )


def by_channel(kernel: Shape) -> Size:
    """The channels that a kernel makes of each channel on its own."""
    demand_rank(kernel, 2, "(*window, channels, multiplier)", or_more=True)
    if None in kernel[-2:]:
        raise LayerError(f"the channels of the kernel must be known, but are not in {kernel}")
    return product(kernel[-2:])
