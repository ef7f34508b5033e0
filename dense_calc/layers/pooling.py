"""Keras' pooling layers: one N-dimensional base each for windows and for whole inputs."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.layers.base import KerasLayer, Window, per_axis
from dense_calc.layers.words import DataFormat
from dense_calc.shapes import IMAGE, Shape, channel_axis, sides, slide, with_sides


class Pooling(KerasLayer, frozen=True, kw_only=True):
    """A window slides over the input and gives one number for what it sees.

    Keras 3 demands `pool_size` of its average pooling alone; here it is 2 for both, as it was.
    """

    axes: ClassVar[tuple[str, ...]]

    pool_size: Window = 2
    strides: Window | None = None  # as far as the window is wide
    padding: Literal["valid", "same"] = "valid"
    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        rank = len(self.axes)
        pool = per_axis(self.pool_size, rank, "pool_size")
        strides = pool if self.strides is None else per_axis(self.strides, rank, "strides")
        places = slide(
            sides(shape, self.axes, self.data_format),
            pool,
            strides,
            pool,
            self.padding,
            "pool_size",
        )
        return with_sides(shape, places, shape[channel_axis(self.data_format)], self.data_format)


class GlobalPooling(KerasLayer, frozen=True, kw_only=True):
    """One number for each channel, over all of its positions."""

    axes: ClassVar[tuple[str, ...]]

    data_format: DataFormat | None = None
    keepdims: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        pooled = sides(shape, self.axes, self.data_format)
        kept = (1,) * len(pooled) if self.keepdims else ()
        return with_sides(shape, kept, shape[channel_axis(self.data_format)], self.data_format)


class MaxPooling2D(Pooling, frozen=True, kw_only=True):
    """The largest number in each window over height and width."""

    axes = IMAGE


class AveragePooling2D(Pooling, frozen=True, kw_only=True):
    """The average of each window over height and width."""

    axes = IMAGE


class GlobalMaxPooling2D(GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of an image."""

    axes = IMAGE


class GlobalAveragePooling2D(GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of an image."""

    axes = IMAGE
