"""Operations on images, one alone or a batch of them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import field

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.operations.operation import TWO, Alike, Int, Ints, Operation, Sizes
from dense_calc.layers.reshaping import longer
from dense_calc.shapes import Shape, Shapes, Size, demand_rank

SINGLE, BATCH = 3, 4  # axes
POINTS = (4, 2)
RGB = 3


class OnImages(Operation, frozen=True, kw_only=True):
    """An operation on images."""

    inputs: ClassVar[tuple[str, ...]] = ("images",)

    data_format: DataFormat | None = None

    def at_channels(self, images: Shape) -> Size:
        """The number of channels."""
        return images[-3 if self.first else -1]

    @property
    def first(self) -> bool:
        """Whether the channels come before height and width."""
        return self.data_format == "channels_first"

    def with_sides(self, images: Shape, height: Size, width: Size) -> Shape:
        """Images with another height and width."""
        if self.first:
            return (*images[:-2], height, width)
        return (*images[:-3], height, width, images[-1])

    def sides(self, images: Shape) -> tuple[Size, Size]:
        """The height and the width."""
        height, width = images[-2:] if self.first else images[-3:-1]
        return height, width


class Filter(OnImages, frozen=True, kw_only=True):
    """Keeps the shape of images."""

    def result(self, images: Shape, /) -> Shapes:
        demand_images(images)
        return images


class Colors(OnImages, frozen=True, kw_only=True):
    """Colors written in another way, each with three numbers."""

    def result(self, images: Shape, /) -> Shapes:
        demand_images(images)
        if self.at_channels(images) not in (RGB, None):
            raise LayerError(f"the images must have {RGB} channels: {images}")
        return images


class RGBToGrayscale(OnImages, frozen=True, kw_only=True):
    """One channel of three; images with one stay as they are."""

    rule: ClassVar[str] = "(batch, height, width, channels) → (batch, height, width, 1)"

    def result(self, images: Shape, /) -> Shapes:
        demand_images(images)
        if self.at_channels(images) not in (1, RGB, None):
            raise LayerError(f"the images must have {RGB} channels or one: {images}")
        return (*images[:-3], 1, *images[-2:]) if self.first else (*images[:-1], 1)


class Resize(OnImages, frozen=True, kw_only=True):
    """Images in another size."""

    rule: ClassVar[str] = "(batch, height, width, channels) → (batch, *size, channels)"

    size: Ints
    interpolation: Any = "bilinear"
    antialias: Any = False
    crop_to_aspect_ratio: Any = False
    pad_to_aspect_ratio: Any = False
    fill_mode: Any = "constant"
    fill_value: Any = 0.0

    def result(self, images: Shape, /) -> Shapes:
        demand_images(images)
        if len(self.size) < 2:
            raise LayerError(f"size is height and width, not {list(self.size)}", "size")
        return self.with_sides(images, *self.size[:2])


class AffineTransform(OnImages, frozen=True, kw_only=True):
    """Images moved, turned and stretched by one transformation, or one for each."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("images", "transform")

    interpolation: Any = "bilinear"
    fill_mode: Any = "constant"
    fill_value: Any = 0

    def result(self, images: Shape, transform: Shape, /) -> Shapes:
        demand_images(images)
        if len(transform) not in (1, 2):
            raise LayerError(f"a transform has 1 axis, or 2 for a batch, not {transform}")
        return images


class PerspectiveTransform(OnImages, frozen=True, kw_only=True):
    """Images seen from elsewhere: four points of each move."""

    takes: ClassVar[range] = range(3, 4)
    inputs: ClassVar[tuple[str, ...]] = ("images", "start_points", "end_points")

    interpolation: Any = "bilinear"
    fill_value: Any = 0

    def result(self, images: Shape, start: Shape, end: Shape, /) -> Shapes:
        demand_images(images)
        if start != end or start[-2:] != POINTS or len(start) not in (2, 3):
            raise LayerError(f"the points must be (4, 2), or (batch, 4, 2), not {start} and {end}")
        return images


class MapCoordinates(Operation, frozen=True, kw_only=True):
    """What stands at the given coordinates of an array."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("inputs", "coordinates")
    rule: ClassVar[str] = "(...), (axes, places) → (places)"

    order: Any
    fill_mode: Any = "constant"
    fill_value: Any = 0

    def result(self, x: Shape, coordinates: Shape, /) -> Shapes:
        demand_rank(coordinates, 2, "(axes, places, ...)", or_more=True)
        if coordinates[0] != len(x):
            raise LayerError(f"coordinates of {coordinates} are not for the axes of {x}")
        return coordinates[1:]


class ScaleAndTranslate(Operation, frozen=True, kw_only=True):
    """Images scaled and moved into an output of a shape that the call tells."""

    takes: ClassVar[range] = range(3, 4)
    inputs: ClassVar[tuple[str, ...]] = ("images", "scale", "translation")
    of_call = ("output_shape",)
    call_order: ClassVar[tuple[str, ...]] = ("images", "output_shape", "scale", "translation")
    rule: ClassVar[str] = "(...) → output_shape"

    spatial_dims: Any
    method: Any
    antialias: Any = True
    wanted: Sizes = field(name="output_shape")

    def result(self, *_shapes: Shape) -> Shapes:
        return self.wanted


class SobelEdges(OnImages, frozen=True, kw_only=True):
    """The edges of images in both directions."""

    rule: ClassVar[str] = "(batch, height, width, channels) → (batch, height, width, channels, 2)"

    def result(self, images: Shape, /) -> Shapes:
        demand_rank(images, BATCH, "(batch, height, width, channels)")
        return (*images, 2)


class SSIM(OnImages, frozen=True, kw_only=True):
    """How alike two images are, one number for each pair."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("image1", "image2")
    rule: ClassVar[str] = "(batch, ...), (batch, ...) → (batch)"

    max_val: Any = 1.0
    filter_size: Any = 11
    filter_sigma: Any = 1.5
    k1: Any = 0.01
    k2: Any = 0.03

    def result(self, one: Shape, other: Shape, /) -> Shapes:
        demand_images(one)
        demand_images(other)
        return one[: len(one) - SINGLE]


class Framed(OnImages, frozen=True, kw_only=True):
    """Images with more or less at their ends; of two ends and the new size, two are given."""

    rule: ClassVar[str] = "(batch, height, width, channels) → (batch, height', width', channels)"
    what: ClassVar[Literal["padding", "cropping"]]
    sign: ClassVar[int]

    target_height: Int | None = None
    target_width: Int | None = None

    def result(self, images: Shape, /) -> Shapes:
        demand_images(images)
        height, width = self.sides(images)
        return self.with_sides(
            images,
            self.side(height, "top", "bottom", "height"),
            self.side(width, "left", "right", "width"),
        )

    def side(self, size: Size, start: str, end: str, axis: str) -> Size:
        """A side in its new size."""
        names = f"{start}_{self.what}", f"{end}_{self.what}", f"target_{axis}"
        first, last, target = (getattr(self, name) for name in names)
        wanted: Size = target
        if [first, last, target].count(None) != 1:
            raise LayerError(f"give two of {', '.join(names)}", names[0])
        if any(given is not None and given < 0 for given in (first, last, target)):
            raise LayerError(f"none of {', '.join(names)} may be negative", names[0])
        if size is None:
            if target is None and self.sign < 0:
                raise LayerError(f"the {axis} is unknown; give {names[2]}", names[2])
            return wanted
        if target is None:
            return longer(size, (self.sign * first, self.sign * last))
        given = first if last is None else last
        if self.sign * (target - size) < given:
            raise LayerError(f"{size} cannot become {target} so", names[2])
        return wanted


class PadImages(Framed, frozen=True, kw_only=True):
    """Images with zeros around them."""

    what = "padding"
    sign = 1

    top_padding: Int | None = None
    left_padding: Int | None = None
    bottom_padding: Int | None = None
    right_padding: Int | None = None


class CropImages(Framed, frozen=True, kw_only=True):
    """A part of images."""

    what = "cropping"
    sign = -1

    top_cropping: Int | None = None
    left_cropping: Int | None = None
    bottom_cropping: Int | None = None
    right_cropping: Int | None = None


def demand_images(shape: Shape) -> None:
    """Raise LayerError where this is neither an image nor a batch of them."""
    if len(shape) not in (SINGLE, BATCH):
        raise LayerError(f"images have {SINGLE} axes, or {BATCH} in a batch, not {shape}")


# fmt: off
ALIKE = (
    Alike(Colors, {"HSVToRGB": {"data_format": None}, "RGBToHSV": {"data_format": None}},
          inputs=("images",)),
    Alike(Filter, {
        "ElasticTransform": {
            "alpha": 20.0, "sigma": 5.0, "interpolation": "bilinear", "fill_mode": "reflect",
            "fill_value": 0.0, "seed": None,
        },
        "GaussianBlur": {"kernel_size": (3, 3), "sigma": (1.0, 1.0)},
    }, inputs=("images",)),
)
# fmt: on
