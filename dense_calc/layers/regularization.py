"""Keras' regularization layers, which change no shape and have no weights.

The state of a random generator is not a parameter here, as in Keras' own count.
"""

from __future__ import annotations

from typing import ClassVar

from dense_calc.layers.arguments.types import DataFormat, PolicyArgument
from dense_calc.layers.base import (
    ElementwiseLayer,
    NonNegativeFloat,
    PositiveInt,
    RandomSeed,
    UnitFraction,
    UnpenalizedLayer,
)
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.shapes import IMAGE_AXES, SEQUENCE_AXES, VOLUME_AXES, Shape


class Dropout(ElementwiseLayer, frozen=True, kw_only=True):
    """Sets a random `rate` of its input to zero while training."""

    rate: UnitFraction
    noise_shape: tuple[PositiveInt | None, ...] | None = None
    seed: RandomSeed = None


class AlphaDropout(ElementwiseLayer, frozen=True, kw_only=True):
    """Drops a random `rate` of its input, but keeps its mean and variance, as SELU needs it.

    Unlike Dropout it does not look at `noise_shape` before data comes.
    """

    rate: UnitFraction
    noise_shape: tuple[int | None, ...] | None = None
    seed: RandomSeed = None


class GaussianDropout(ElementwiseLayer, frozen=True, kw_only=True):
    """Multiplies its input with noise around one while training."""

    rate: UnitFraction
    seed: RandomSeed = None


class GaussianNoise(ElementwiseLayer, frozen=True, kw_only=True):
    """Adds noise around zero while training."""

    stddev: UnitFraction
    seed: RandomSeed = None


class ActivityRegularization(UnpenalizedLayer, frozen=True, kw_only=True):
    """Adds to the loss by how large its input is; a shape it leaves as it is."""

    is_initially_built: ClassVar[bool] = True
    accepts_nested: ClassVar[bool] = True

    l1: NonNegativeFloat | None = 0.0
    l2: NonNegativeFloat | None = 0.0


class _SpatialDropout(SpatialLayer, frozen=True, kw_only=True):
    """Sets a random `rate` of its channels to zero while training, each as a whole."""

    is_initially_built: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides, channels)"

    dtype: PolicyArgument | None = None
    seed: RandomSeed = None

    def output_shape(self, shape: Shape, /) -> Shape:
        self.spatial_sizes(shape)  # checks the rank
        return shape


class SpatialDropout1D(_SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of a sequence to zero while training."""

    spatial_axes = SEQUENCE_AXES

    rate: UnitFraction


class SpatialDropout2D(_SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of an image to zero while training."""

    spatial_axes = IMAGE_AXES

    rate: UnitFraction
    data_format: DataFormat | None = None


class SpatialDropout3D(_SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of a volume to zero while training."""

    spatial_axes = VOLUME_AXES

    rate: UnitFraction
    data_format: DataFormat | None = None
