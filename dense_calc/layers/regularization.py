"""Keras' regularization layers: none changes a shape, none has weights.

The state of their random numbers is no parameter: Keras does not count it either.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.layers.arguments.types import DataFormat, Policy
from dense_calc.layers.base import (
    Elementwise,
    LayerKind,
    NotNegativeNumber,
    Positive,
    Seed,
    UnpenalizedLayer,
)
from dense_calc.shapes import IMAGE, SEQUENCE, VOLUME, Shape, sides

Fraction = Annotated[float, Meta(ge=0, le=1)]


class Dropout(Elementwise, frozen=True, kw_only=True):
    """Sets a random `rate` of its input to zero while training."""

    starts_built: ClassVar[bool] = True

    rate: Fraction
    noise_shape: tuple[Positive | None, ...] | None = None
    seed: Seed = None


class AlphaDropout(Elementwise, frozen=True, kw_only=True):
    """Drops a random `rate` of its input, but keeps its mean and variance, as SELU needs it.

    Unlike Dropout it does not look at `noise_shape` before data comes.
    """

    starts_built: ClassVar[bool] = True

    rate: Fraction
    noise_shape: tuple[int | None, ...] | None = None
    seed: Seed = None


class GaussianDropout(Elementwise, frozen=True, kw_only=True):
    """Multiplies its input with noise around one while training."""

    starts_built: ClassVar[bool] = True

    rate: Fraction
    seed: Seed = None


class GaussianNoise(Elementwise, frozen=True, kw_only=True):
    """Adds noise around zero while training."""

    starts_built: ClassVar[bool] = True

    stddev: Fraction
    seed: Seed = None


class ActivityRegularization(UnpenalizedLayer, frozen=True, kw_only=True):
    """Adds to the loss by how large its input is; a shape it leaves as it is."""

    starts_built: ClassVar[bool] = True
    takes_nested: ClassVar[bool] = True

    l1: NotNegativeNumber | None = 0.0
    l2: NotNegativeNumber | None = 0.0


class SpatialDropout(LayerKind, frozen=True, kw_only=True):
    """Sets a random `rate` of its channels to zero while training, each as a whole."""

    starts_built: ClassVar[bool] = True
    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides, channels)"

    dtype: Policy | None = None
    seed: Seed = None

    def output_shape(self, shape: Shape, /) -> Shape:
        sides(shape, self.axes, getattr(self, "data_format", None))
        return shape


class SpatialDropout1D(SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of a sequence to zero while training."""

    axes = SEQUENCE

    rate: Fraction


class SpatialDropout2D(SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of an image to zero while training."""

    axes = IMAGE

    rate: Fraction
    data_format: DataFormat | None = None


class SpatialDropout3D(SpatialDropout, frozen=True, kw_only=True):
    """Sets whole channels of a volume to zero while training."""

    axes = VOLUME

    rate: Fraction
    data_format: DataFormat | None = None
