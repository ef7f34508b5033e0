"""Keras' pooling layers: an N-dimensional base each for windows, whole inputs and given sizes."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import KerasLayer, NotNegative, Window
from dense_calc.shapes import (
    IMAGE,
    SEQUENCE,
    VOLUME,
    Shape,
    channel_axis,
    demand_rank,
    per_axis,
    sides,
    slide,
    with_sides,
)


class Pooling(KerasLayer, frozen=True, kw_only=True):
    """A window slides over the input and gives one number for what it sees.

    Keras 3 demands `pool_size` of its average pooling alone; here it is 2 for both, as it was.
    """

    starts_built: ClassVar[bool] = True
    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    pool_size: Window = 2
    strides: Window | None = None  # as far as the window is wide
    padding: Literal["valid", "same"] = "valid"
    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        rank = len(self.axes)
        pool = per_axis(self.pool_size, rank, "pool_size")
        strides = pool if self.strides is None else per_axis(self.strides, rank, "strides")
        sizes = sides(shape, self.axes, self.data_format)
        places = slide(sizes, pool, strides, pool, self.padding, "pool_size")
        return with_sides(shape, places, shape[channel_axis(self.data_format)], self.data_format)


class GlobalPooling(KerasLayer, frozen=True, kw_only=True):
    """One number for each channel, over all of its positions."""

    starts_built: ClassVar[bool] = True
    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, channels)"

    data_format: DataFormat | None = None
    keepdims: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        pooled = sides(shape, self.axes, self.data_format)
        kept = (1,) * len(pooled) if self.keepdims else ()
        return with_sides(shape, kept, shape[channel_axis(self.data_format)], self.data_format)


class AdaptivePooling(KerasLayer, frozen=True, kw_only=True):
    """Windows over the input, as large and as many as make an output of `output_size`.

    Keras neither looks at the number of axes of the input nor at their sizes, and does not read
    `data_format` in any case.
    """

    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    output_size: NotNegative | tuple[NotNegative, ...]
    data_format: Literal["channels_last", "channels_first"] | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        sizes = per_axis(self.output_size, len(self.axes), "output_size")
        least = 2 if self.data_format == "channels_first" else 1
        demand_rank(shape, least, "(batch, channels, ...)", or_more=True)
        return with_sides(shape, sizes, shape[channel_axis(self.data_format)], self.data_format)


class MaxPooling1D(Pooling, frozen=True, kw_only=True):
    """The largest number in each window over a sequence."""

    axes = SEQUENCE


class AveragePooling1D(Pooling, frozen=True, kw_only=True):
    """The average of each window over a sequence."""

    axes = SEQUENCE


class MaxPooling2D(Pooling, frozen=True, kw_only=True):
    """The largest number in each window over height and width."""

    axes = IMAGE


class AveragePooling2D(Pooling, frozen=True, kw_only=True):
    """The average of each window over height and width."""

    axes = IMAGE


class MaxPooling3D(Pooling, frozen=True, kw_only=True):
    """The largest number in each window over depth, height and width."""

    axes = VOLUME


class AveragePooling3D(Pooling, frozen=True, kw_only=True):
    """The average of each window over depth, height and width."""

    axes = VOLUME


class GlobalMaxPooling1D(GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of a sequence."""

    axes = SEQUENCE


class GlobalAveragePooling1D(GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of a sequence."""

    takes_mask: ClassVar[bool] = True
    call_order: ClassVar[tuple[str, ...]] = ("inputs", "mask")

    axes = SEQUENCE


class GlobalMaxPooling2D(GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of an image."""

    axes = IMAGE


class GlobalAveragePooling2D(GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of an image."""

    axes = IMAGE


class GlobalMaxPooling3D(GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of a volume."""

    axes = VOLUME


class GlobalAveragePooling3D(GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of a volume."""

    axes = VOLUME


class AdaptiveMaxPooling1D(AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over a sequence."""

    axes = SEQUENCE


class AdaptiveAveragePooling1D(AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over a sequence."""

    axes = SEQUENCE


class AdaptiveMaxPooling2D(AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over height and width."""

    axes = IMAGE


class AdaptiveAveragePooling2D(AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over height and width."""

    axes = IMAGE


class AdaptiveMaxPooling3D(AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over depth, height and width."""

    axes = VOLUME


class AdaptiveAveragePooling3D(AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over depth, height and width."""

    axes = VOLUME
