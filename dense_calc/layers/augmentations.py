"""Keras' layers that change images and keep their shape, most of them at random."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from dense_calc.errors import LayerError
from dense_calc.layers.base import KeepsDtype, Seed
from dense_calc.layers.images import (
    Factor,
    ImageLayer,
    LabeledImages,
    Reach,
    Shuffled,
    SignedFactor,
    UnusedFactor,
    UpToOne,
    demand_image,
    demand_known_sides,
)
from dense_calc.shapes import Shape, Shapes

PAIR = Meta(min_length=2, max_length=2)
Range = Annotated[tuple[float, ...], PAIR]
UncheckedRange = tuple[float, ...] | None  # Keras looks at it when data flows


class BitsReach(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A least and a most that reach into 1 to 8."""

    least: Annotated[float, Meta(le=8)]
    most: Annotated[float, Meta(ge=1)]


Bits = Annotated[float, Meta(ge=1, le=8)] | BitsReach

# Factors of which Keras looks at both numbers of a pair.
Share = UpToOne | Annotated[tuple[UpToOne, ...], PAIR]
Shift = Annotated[float, Meta(ge=-1, le=1)]
Shifts = Shift | Annotated[tuple[Shift, ...], PAIR]
Zoom = Annotated[float, Meta(gt=-1, le=1)]
Zooms = Zoom | Annotated[tuple[Zoom, ...], PAIR]

Interpolation = Literal["nearest", "bilinear"]
FillMode = Literal["constant", "nearest", "reflect", "wrap"]


class Random(LabeledImages, frozen=True, kw_only=True):
    """A change that differs from image to image."""

    seed: Seed = None


class Warp(Random, frozen=True, kw_only=True):
    """A change of where things are, which leaves borders to fill."""

    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: float | None = 0.0


class Colors(Random, frozen=True, kw_only=True):
    """A change of colors, which lie within `value_range`."""

    value_range: Range = (0, 255)


class UncheckedColors(Random, frozen=True, kw_only=True):
    """A change of colors, which lie within `value_range`; Keras does not look at that at first."""

    value_range: UncheckedRange = (0, 255)


class AugMix(Colors, frozen=True, kw_only=True):
    """A mixture of chains of random changes; source: arXiv:1912.02781."""

    num_chains: int = 3
    chain_depth: int = 3
    factor: Share = 0.3
    alpha: float = 1.0
    all_ops: bool = True
    interpolation: Interpolation = "bilinear"


class RandAugment(Colors, frozen=True, kw_only=True):
    """Some random changes one after the other; source: arXiv:1909.13719."""

    num_ops: int = 2
    factor: Share = 0.5
    interpolation: Interpolation = "bilinear"


class AutoContrast(LabeledImages, frozen=True, kw_only=True):
    """Colors stretched to the whole range."""

    value_range: Range = (0, 255)


class ContrastLimitedAdaptiveHistogramEqualization(LabeledImages, frozen=True, kw_only=True):
    """Colors spread evenly within each tile of an image."""

    value_range: UncheckedRange = (0, 255)
    clip_limit: float | None = 4.0
    tile_grid_size: tuple[int, ...] | None = (8, 8)
    factor: UnusedFactor = None

    def demand_traceable(self, shapes: Shapes, /) -> None:
        demand_known_sides(shapes, self.data_format)


class Equalization(KeepsDtype, LabeledImages, frozen=True, kw_only=True):
    """Colors spread evenly over the whole range."""

    value_range: Range = (0, 255)
    bins: int = 256
    factor: UnusedFactor = None

    def demand_storable(self) -> None:
        raise LayerError("Keras can make no model of it: it gives back the tensor that it read")


class CutMix(Shuffled, frozen=True, kw_only=True):
    """A part of each image replaced by that of another."""

    factor: Factor = 1.0


class MixUp(Shuffled, frozen=True, kw_only=True):
    """Each image mixed with another."""

    alpha: float = 0.2
    factor: UnusedFactor = None


class RandomBrightness(Colors, frozen=True, kw_only=True):
    """Images made brighter or darker."""

    factor: SignedFactor | None


class RandomColorDegeneration(ImageLayer, frozen=True, kw_only=True):
    """Colors mixed with their grays; images must have three channels."""

    factor: SignedFactor
    value_range: Range = (0, 255)
    seed: Seed = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_image(shape)
        channels = shape[-3 if self.data_format == "channels_first" else -1]
        if channels not in (None, 3):
            raise LayerError(f"images must have 3 channels, not {channels}, as in {shape}")
        return shape


class RandomColorJitter(UncheckedColors, frozen=True, kw_only=True):
    """Brightness, contrast, saturation and hue changed, each if it has a factor."""

    brightness_factor: SignedFactor | None = None
    contrast_factor: Factor | None = None
    saturation_factor: SignedFactor | None = None
    hue_factor: Factor | None = None
    factor: UnusedFactor = None

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        checked = self.brightness_factor is not None or self.saturation_factor is not None
        if checked and len(self.value_range or ()) != 2:
            raise LayerError("value_range must be a list of 2 numbers", "value_range")
        return shapes


class RandomContrast(UncheckedColors, frozen=True, kw_only=True):
    """Colors moved from or to their mean."""

    factor: Factor


class RandomElasticTransform(UncheckedColors, frozen=True, kw_only=True):
    """Images pulled to and fro as if on rubber."""

    factor: Factor = 1.0
    scale: Factor = 1.0
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode | Literal["mirror"] = "reflect"
    fill_value: float | None = 0.0

    def demand_traceable(self, shapes: Shapes, /) -> None:
        raise LayerError("inside a pipeline Keras cannot run it with JAX")


class RandomErasing(UncheckedColors, frozen=True, kw_only=True):
    """A part of each image wiped out, with `fill_value` or with noise."""

    factor: Factor = 1.0
    scale: Factor = Reach(0.02, 0.33)
    fill_value: float | None = None


class RandomFlip(Random, frozen=True, kw_only=True):
    """Images mirrored; Keras looks at the word for `mode` when data flows."""

    mode: str = "horizontal_and_vertical"


class RandomGaussianBlur(UncheckedColors, frozen=True, kw_only=True):
    """Images blurred by a window of odd sides."""

    factor: Factor = 1.0
    kernel_size: int | Annotated[tuple[int, ...], PAIR] = 3
    sigma: Factor = 1.0

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        sides = self.kernel_size if isinstance(self.kernel_size, tuple) else (self.kernel_size,)
        for side in sides:
            if side % 2 == 0:
                raise LayerError(f"kernel_size must be odd, not {side}", "kernel_size")
        return shapes


class RandomGrayscale(KeepsDtype, ImageLayer, frozen=True, kw_only=True):
    """Some images without their colors, in as many channels."""

    factor: UpToOne = 0.5
    seed: Seed = None


class RandomHue(UncheckedColors, frozen=True, kw_only=True):
    """Colors turned around the color wheel."""

    factor: Factor


class RandomInvert(UncheckedColors, frozen=True, kw_only=True):
    """Some images as negatives."""

    factor: Factor = 1.0


class RandomPerspective(Random, frozen=True, kw_only=True):
    """Images seen at an angle."""

    factor: Factor = 1.0
    scale: UpToOne = 1.0
    interpolation: Interpolation = "bilinear"
    fill_value: float | None = 0.0


class RandomPosterization(Colors, frozen=True, kw_only=True):
    """Colors of fewer bits."""

    factor: Bits


class RandomRotation(Warp, frozen=True, kw_only=True):
    """Images turned by a part of a circle."""

    factor: SignedFactor | None


class RandomSaturation(Colors, frozen=True, kw_only=True):
    """Colors made paler or stronger."""

    factor: SignedFactor


class RandomSharpness(Colors, frozen=True, kw_only=True):
    """Images made sharper or softer."""

    factor: Factor


class RandomShear(Warp, frozen=True, kw_only=True):
    """Images slanted."""

    x_factor: Share = 0.0
    y_factor: Share = 0.0


class RandomTranslation(Warp, frozen=True, kw_only=True):
    """Images moved by a part of their sides."""

    height_factor: Shifts
    width_factor: Shifts


class RandomZoom(Warp, frozen=True, kw_only=True):
    """Images nearer or further away; without `width_factor` in proportion."""

    height_factor: Zooms
    width_factor: Zooms | None = None


class Solarization(Colors, frozen=True, kw_only=True):
    """Bright colors inverted, beyond a threshold."""

    addition_factor: Share = 0.0
    threshold_factor: Share = 0.0
