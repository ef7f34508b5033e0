"""Keras' layers that augment images: most change them at random, and all keep their shape."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dense_calc.errors import LayerError
from dense_calc.layers.base import DtypePreservingLayer, RandomSeed, UnitFraction
from dense_calc.layers.images import (
    BatchShufflingLayer,
    Factor,
    FactorInterval,
    ImageLayer,
    LabeledImageLayer,
    SignedFactor,
    UnusedFactor,
    demand_image_rank,
    demand_known_sides,
)
from dense_calc.shapes import Shape, Shapes, as_tuple

_PAIR_LENGTH = Meta(min_length=2, max_length=2)
_ValueRange = Annotated[tuple[float, ...], _PAIR_LENGTH]
_UncheckedValueRange = tuple[float, ...] | None  # Keras checks it only when data flows


class BitsInterval(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A lower and an upper bound on the number of bits, whose interval meets that from 1 to 8."""

    lower: Annotated[float, Meta(le=8)]
    upper: Annotated[float, Meta(ge=1)]


_BitsFactor = Annotated[float, Meta(ge=1, le=8)] | BitsInterval

# Keras checks both numbers of a pair here; of a FactorInterval it checks one bound each.
_FractionFactor = UnitFraction | Annotated[tuple[UnitFraction, ...], _PAIR_LENGTH]
_ShiftFraction = Annotated[float, Meta(ge=-1, le=1)]
_ShiftFactor = _ShiftFraction | Annotated[tuple[_ShiftFraction, ...], _PAIR_LENGTH]
_ZoomFraction = Annotated[float, Meta(gt=-1, le=1)]
_ZoomFactor = _ZoomFraction | Annotated[tuple[_ZoomFraction, ...], _PAIR_LENGTH]

_ImageInterpolation = Literal["nearest", "bilinear"]
_FillMode = Literal["constant", "nearest", "reflect", "wrap"]


class _RandomAugmentation(LabeledImageLayer, frozen=True, kw_only=True):
    """A random change, which differs from image to image."""

    seed: RandomSeed = None


class _GeometricAugmentation(_RandomAugmentation, frozen=True, kw_only=True):
    """A random change of positions, which leaves borders to fill."""

    interpolation: _ImageInterpolation = "bilinear"
    fill_mode: _FillMode = "reflect"
    fill_value: float | None = 0.0


class _ColorAugmentation(_RandomAugmentation, frozen=True, kw_only=True):
    """A random change of colors, which lie within `value_range`."""

    value_range: _ValueRange = (0, 255)


class _UncheckedColorAugmentation(_RandomAugmentation, frozen=True, kw_only=True):
    """A random change of colors; Keras checks `value_range` only when data flows."""

    value_range: _UncheckedValueRange = (0, 255)


class AugMix(_ColorAugmentation, frozen=True, kw_only=True):
    """A mixture of chains of random changes; source: arXiv:1912.02781."""

    num_chains: int = 3
    chain_depth: int = 3
    factor: _FractionFactor = 0.3
    alpha: float = 1.0
    all_ops: bool = True
    interpolation: _ImageInterpolation = "bilinear"


class RandAugment(_ColorAugmentation, frozen=True, kw_only=True):
    """Some random changes one after the other; source: arXiv:1909.13719."""

    num_ops: int = 2
    factor: _FractionFactor = 0.5
    interpolation: _ImageInterpolation = "bilinear"


class AutoContrast(LabeledImageLayer, frozen=True, kw_only=True):
    """Colors stretched to the whole range."""

    value_range: _ValueRange = (0, 255)


class ContrastLimitedAdaptiveHistogramEqualization(LabeledImageLayer, frozen=True, kw_only=True):
    """Colors spread evenly within each tile of an image."""

    value_range: _UncheckedValueRange = (0, 255)
    clip_limit: float | None = 4.0
    tile_grid_size: tuple[int, ...] | None = (8, 8)
    factor: UnusedFactor = None

    def demand_traceable(self, shapes: Shapes, /) -> None:
        demand_known_sides(shapes, self.data_format)


class Equalization(DtypePreservingLayer, LabeledImageLayer, frozen=True, kw_only=True):
    """Colors spread evenly over the whole range."""

    value_range: _ValueRange = (0, 255)
    bins: int = 256
    factor: UnusedFactor = None

    def demand_serializable(self) -> None:
        raise LayerError("Keras can make no model of it: it gives back the tensor that it read")


class CutMix(BatchShufflingLayer, frozen=True, kw_only=True):
    """A part of each image replaced by that of another."""

    factor: Factor = 1.0


class MixUp(BatchShufflingLayer, frozen=True, kw_only=True):
    """Each image mixed with another."""

    alpha: float = 0.2
    factor: UnusedFactor = None


class RandomBrightness(_ColorAugmentation, frozen=True, kw_only=True):
    """Images made brighter or darker."""

    factor: SignedFactor | None


class RandomColorDegeneration(ImageLayer, frozen=True, kw_only=True):
    """Colors mixed with their grays; images must have three channels."""

    factor: SignedFactor
    value_range: _ValueRange = (0, 255)
    seed: RandomSeed = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_image_rank(shape)
        channels = shape[-3 if self.data_format == "channels_first" else -1]
        if channels not in (None, 3):
            raise LayerError(f"images must have 3 channels, not {channels}, as in {shape}")
        return shape


class RandomColorJitter(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Brightness, contrast, saturation and hue changed, each if it has a factor."""

    brightness_factor: SignedFactor | None = None
    contrast_factor: Factor | None = None
    saturation_factor: SignedFactor | None = None
    hue_factor: Factor | None = None
    factor: UnusedFactor = None

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        uses_range = self.brightness_factor is not None or self.saturation_factor is not None
        if uses_range and len(self.value_range or ()) != 2:
            raise LayerError("value_range must be a list of 2 numbers", "value_range")
        return shapes


class RandomContrast(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Colors moved from or to their mean."""

    factor: Factor


class RandomElasticTransform(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Images pulled to and fro as if on rubber."""

    factor: Factor = 1.0
    scale: Factor = 1.0
    interpolation: _ImageInterpolation = "bilinear"
    fill_mode: _FillMode | Literal["mirror"] = "reflect"
    fill_value: float | None = 0.0

    def demand_traceable(self, shapes: Shapes, /) -> None:
        raise LayerError("inside a pipeline Keras cannot run it with JAX")


class RandomErasing(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """A part of each image wiped out, with `fill_value` or with noise."""

    factor: Factor = 1.0
    scale: Factor = FactorInterval(0.02, 0.33)
    fill_value: float | None = None


class RandomFlip(_RandomAugmentation, frozen=True, kw_only=True):
    """Images mirrored; Keras looks at the word for `mode` when data flows."""

    mode: str = "horizontal_and_vertical"


class RandomGaussianBlur(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Images blurred by a window of odd sides."""

    factor: Factor = 1.0
    kernel_size: int | Annotated[tuple[int, ...], _PAIR_LENGTH] = 3
    sigma: Factor = 1.0

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        for side in as_tuple(self.kernel_size):
            if side % 2 == 0:
                raise LayerError(f"kernel_size must be odd, not {side}", "kernel_size")
        return shapes


class RandomGrayscale(DtypePreservingLayer, ImageLayer, frozen=True, kw_only=True):
    """Some images without their colors, in as many channels."""

    factor: UnitFraction = 0.5
    seed: RandomSeed = None


class RandomHue(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Colors turned around the color wheel."""

    factor: Factor


class RandomInvert(_UncheckedColorAugmentation, frozen=True, kw_only=True):
    """Some images as negatives."""

    factor: Factor = 1.0


class RandomPerspective(_RandomAugmentation, frozen=True, kw_only=True):
    """Images seen at an angle."""

    factor: Factor = 1.0
    scale: UnitFraction = 1.0
    interpolation: _ImageInterpolation = "bilinear"
    fill_value: float | None = 0.0


class RandomPosterization(_ColorAugmentation, frozen=True, kw_only=True):
    """Colors of fewer bits."""

    factor: _BitsFactor


class RandomRotation(_GeometricAugmentation, frozen=True, kw_only=True):
    """Images turned by a part of a circle."""

    factor: SignedFactor | None


class RandomSaturation(_ColorAugmentation, frozen=True, kw_only=True):
    """Colors made paler or stronger."""

    factor: SignedFactor


class RandomSharpness(_ColorAugmentation, frozen=True, kw_only=True):
    """Images made sharper or softer."""

    factor: Factor


class RandomShear(_GeometricAugmentation, frozen=True, kw_only=True):
    """Images slanted."""

    x_factor: _FractionFactor = 0.0
    y_factor: _FractionFactor = 0.0


class RandomTranslation(_GeometricAugmentation, frozen=True, kw_only=True):
    """Images moved by a part of their sides."""

    height_factor: _ShiftFactor
    width_factor: _ShiftFactor


class RandomZoom(_GeometricAugmentation, frozen=True, kw_only=True):
    """Images nearer or further away; without `width_factor` in proportion."""

    height_factor: _ZoomFactor
    width_factor: _ZoomFactor | None = None


class Solarization(_ColorAugmentation, frozen=True, kw_only=True):
    """Bright colors inverted, beyond a threshold."""

    addition_factor: _FractionFactor = 0.0
    threshold_factor: _FractionFactor = 0.0
