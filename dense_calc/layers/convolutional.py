"""Keras' convolution layers: one N-dimensional base, and a class for each rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.base import KernelLayer, Positive, Weight, Window, per_axis
from dense_calc.layers.words import ConvPadding, DataFormat
from dense_calc.shapes import IMAGE, Shape, channel_axis, known, sides, slide, with_sides


class Conv(KernelLayer, frozen=True, kw_only=True):
    """A convolution: a window slides over the input, and each filter weighs what it sees."""

    axes: ClassVar[tuple[str, ...]]

    filters: Positive
    kernel_size: Window
    strides: Window = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: Window = 1
    groups: Positive = 1

    def output_shape(self, shape: Shape, /) -> Shape:
        rank = len(self.axes)
        kernel = per_axis(self.kernel_size, rank, "kernel_size")
        strides = per_axis(self.strides, rank, "strides")
        dilation = per_axis(self.dilation_rate, rank, "dilation_rate")
        if max(strides) > 1 and max(dilation) > 1:
            raise LayerError("strides and dilation_rate cannot both be above 1", "dilation_rate")
        reach = tuple(rate * (size - 1) + 1 for rate, size in zip(dilation, kernel, strict=True))
        sizes = sides(shape, self.axes, self.data_format)
        places = slide(sizes, kernel, strides, reach, self.padding, "kernel_size")
        return with_sides(shape, places, self.filters, self.data_format)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known(shape, channel_axis(self.data_format))
        for what, count in ("filters", self.filters), ("channels of the input", channels):
            if count % self.groups:
                raise LayerError(
                    f"groups {self.groups} does not divide the {count} {what}", "groups"
                )
        window = per_axis(self.kernel_size, len(self.axes), "kernel_size")
        kernel = dict(zip(self.axes, window, strict=True))
        return self.kernel_and_bias(
            {**kernel, "channels": channels // self.groups, "filters": self.filters}
        )


class Conv2D(Conv, frozen=True, kw_only=True):
    """A convolution over height and width."""

    axes = IMAGE
