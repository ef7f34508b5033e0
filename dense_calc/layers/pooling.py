"""Keras' pooling layers, which pool windows, whole inputs, or to an output of a fixed size."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import KerasLayer, NonNegativeInt, WindowSize
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.shapes import (
    IMAGE_AXES,
    SEQUENCE_AXES,
    VOLUME_AXES,
    Shape,
    demand_rank,
    window_counts,
)


class _WindowPooling(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """A window slides over the input and gives one number for the numbers in it.

    Keras 3 requires `pool_size` of its average pooling; here it is 2, as in Keras 2.
    """

    is_initially_built: ClassVar[bool] = True

    pool_size: WindowSize = 2
    strides: WindowSize | None = None  # None is the size of the window
    padding: Literal["valid", "same"] = "valid"
    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        pool = self.argument_sizes("pool_size")
        strides = pool if self.strides is None else self.argument_sizes("strides")
        sizes = self.spatial_sizes(shape)
        counts = window_counts(sizes, pool, strides, pool, self.padding, "pool_size")
        return self.replace_spatial_sizes(shape, counts)


class _GlobalPooling(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """One number for each channel, over all of its positions."""

    is_initially_built: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, channels)"

    data_format: DataFormat | None = None
    keepdims: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        sides = self.spatial_sizes(shape)
        return self.replace_spatial_sizes(shape, (1,) * len(sides) if self.keepdims else ())


class _AdaptivePooling(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """Windows over the input, as large and as many as make an output of `output_size`.

    Keras checks neither the number of axes of the input nor their sizes, and takes `data_format`
    only in lower case.
    """

    output_size: NonNegativeInt | tuple[NonNegativeInt, ...]
    data_format: Literal["channels_last", "channels_first"] | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        sizes = self.argument_sizes("output_size")
        min_rank = 2 if self.data_format == "channels_first" else 1
        demand_rank(shape, min_rank, "(batch, channels, ...)", or_more=True)
        return self.replace_spatial_sizes(shape, sizes)


class MaxPooling1D(_WindowPooling, frozen=True, kw_only=True):
    """The largest number in each window over a sequence."""

    spatial_axes = SEQUENCE_AXES


class AveragePooling1D(_WindowPooling, frozen=True, kw_only=True):
    """The average of each window over a sequence."""

    spatial_axes = SEQUENCE_AXES


class MaxPooling2D(_WindowPooling, frozen=True, kw_only=True):
    """The largest number in each window over height and width."""

    spatial_axes = IMAGE_AXES


class AveragePooling2D(_WindowPooling, frozen=True, kw_only=True):
    """The average of each window over height and width."""

    spatial_axes = IMAGE_AXES


class MaxPooling3D(_WindowPooling, frozen=True, kw_only=True):
    """The largest number in each window over depth, height and width."""

    spatial_axes = VOLUME_AXES


class AveragePooling3D(_WindowPooling, frozen=True, kw_only=True):
    """The average of each window over depth, height and width."""

    spatial_axes = VOLUME_AXES


class GlobalMaxPooling1D(_GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of a sequence."""

    spatial_axes = SEQUENCE_AXES


class GlobalAveragePooling1D(_GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of a sequence."""

    accepts_mask: ClassVar[bool] = True
    positional_parameters: ClassVar[tuple[str, ...]] = ("inputs", "mask")

    spatial_axes = SEQUENCE_AXES


class GlobalMaxPooling2D(_GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of an image."""

    spatial_axes = IMAGE_AXES


class GlobalAveragePooling2D(_GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of an image."""

    spatial_axes = IMAGE_AXES


class GlobalMaxPooling3D(_GlobalPooling, frozen=True, kw_only=True):
    """The largest number of each channel of a volume."""

    spatial_axes = VOLUME_AXES


class GlobalAveragePooling3D(_GlobalPooling, frozen=True, kw_only=True):
    """The average of each channel of a volume."""

    spatial_axes = VOLUME_AXES


class AdaptiveMaxPooling1D(_AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over a sequence."""

    spatial_axes = SEQUENCE_AXES


class AdaptiveAveragePooling1D(_AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over a sequence."""

    spatial_axes = SEQUENCE_AXES


class AdaptiveMaxPooling2D(_AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over height and width."""

    spatial_axes = IMAGE_AXES


class AdaptiveAveragePooling2D(_AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over height and width."""

    spatial_axes = IMAGE_AXES


class AdaptiveMaxPooling3D(_AdaptivePooling, frozen=True, kw_only=True):
    """The largest number in each of `output_size` windows over depth, height and width."""

    spatial_axes = VOLUME_AXES


class AdaptiveAveragePooling3D(_AdaptivePooling, frozen=True, kw_only=True):
    """The average of each of `output_size` windows over depth, height and width."""

    spatial_axes = VOLUME_AXES
