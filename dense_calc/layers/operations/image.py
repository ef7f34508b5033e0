"""Operations on one image, or on a batch of them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import field

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.operations.operation import (
    Int64,
    Int64Tuple,
    Operation,
    OperationGroup,
    ShapeArgument,
    operations_named,
)
from dense_calc.layers.reshaping import extend_side
from dense_calc.shapes import Shape, Shapes, Size, demand_rank

_IMAGE_RANK, _IMAGE_BATCH_RANK = 3, 4  # axes
_POINTS_SHAPE = (4, 2)
_RGB_CHANNELS = 3


class _ImageOperation(Operation, frozen=True, kw_only=True):
    """An operation on images."""

    input_names: ClassVar[tuple[str, ...]] = ("images",)

    data_format: DataFormat | None = None

    def _channel_count(self, images: Shape) -> Size:
        """The number of channels."""
        return images[-3 if self._is_channels_first else -1]

    @property
    def _is_channels_first(self) -> bool:
        """Whether the channels come before height and width."""
        return self.data_format == "channels_first"

    def _with_size(self, images: Shape, height: Size, width: Size) -> Shape:
        """The shape of images with another height and width."""
        if self._is_channels_first:
            return (*images[:-2], height, width)
        return (*images[:-3], height, width, images[-1])

    def _size(self, images: Shape) -> tuple[Size, Size]:
        """The height and the width."""
        height, width = images[-2:] if self._is_channels_first else images[-3:-1]
        return height, width


class _ImageFilter(_ImageOperation, frozen=True, kw_only=True):
    """Keeps the shape of images."""

    def infer_shape(self, images: Shape, /) -> Shapes:
        _demand_images(images)
        return images


class _ColorConversion(_ImageOperation, frozen=True, kw_only=True):
    """Converts colors of three channels between color spaces."""

    def infer_shape(self, images: Shape, /) -> Shapes:
        _demand_images(images)
        if self._channel_count(images) not in (_RGB_CHANNELS, None):
            raise LayerError(f"the images must have {_RGB_CHANNELS} channels: {images}")
        return images


class RGBToGrayscale(_ImageOperation, frozen=True, kw_only=True):
    """One channel for each three; images with one channel stay as they are."""

    shape_rule = "(batch, height, width, channels) → (batch, height, width, 1)"

    def infer_shape(self, images: Shape, /) -> Shapes:
        _demand_images(images)
        if self._channel_count(images) not in (1, _RGB_CHANNELS, None):
            raise LayerError(f"the images must have {_RGB_CHANNELS} channels or one: {images}")
        return (*images[:-3], 1, *images[-2:]) if self._is_channels_first else (*images[:-1], 1)


class Resize(_ImageOperation, frozen=True, kw_only=True):
    """Images in another size."""

    shape_rule = "(batch, height, width, channels) → (batch, *size, channels)"

    size: Int64Tuple
    interpolation: Any = "bilinear"
    antialias: Any = False
    crop_to_aspect_ratio: Any = False
    pad_to_aspect_ratio: Any = False
    fill_mode: Any = "constant"
    fill_value: Any = 0.0

    def infer_shape(self, images: Shape, /) -> Shapes:
        _demand_images(images)
        if len(self.size) < 2:
            raise LayerError(f"size is height and width, not {list(self.size)}", "size")
        return self._with_size(images, *self.size[:2])


class AffineTransform(_ImageOperation, frozen=True, kw_only=True):
    """Images moved, turned and stretched by one transformation, or by one for each image."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("images", "transform")

    interpolation: Any = "bilinear"
    fill_mode: Any = "constant"
    fill_value: Any = 0

    def infer_shape(self, images: Shape, transform: Shape, /) -> Shapes:
        _demand_images(images)
        if len(transform) not in (1, 2):
            raise LayerError(f"a transform has 1 axis, or 2 for a batch, not {transform}")
        return images


class PerspectiveTransform(_ImageOperation, frozen=True, kw_only=True):
    """Images in another perspective: four points of each move from start to end."""

    arity = range(3, 4)
    input_names: ClassVar[tuple[str, ...]] = ("images", "start_points", "end_points")

    interpolation: Any = "bilinear"
    fill_value: Any = 0

    def infer_shape(self, images: Shape, start: Shape, end: Shape, /) -> Shapes:
        _demand_images(images)
        if start != end or start[-2:] != _POINTS_SHAPE or len(start) not in (2, 3):
            raise LayerError(f"the points must be (4, 2), or (batch, 4, 2), not {start} and {end}")
        return images


class MapCoordinates(Operation, frozen=True, kw_only=True):
    """The elements at coordinates of an array."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "coordinates")
    shape_rule = "(...), (axes, places) → (places)"

    order: Any
    fill_mode: Any = "constant"
    fill_value: Any = 0

    def infer_shape(self, x: Shape, coordinates: Shape, /) -> Shapes:
        demand_rank(coordinates, 2, "(axes, places, ...)", or_more=True)
        if coordinates[0] != len(x):
            raise LayerError(f"coordinates of {coordinates} are not for the axes of {x}")
        return coordinates[1:]


class ScaleAndTranslate(Operation, frozen=True, kw_only=True):
    """Images scaled and moved into an output whose shape is an argument of the call."""

    arity = range(3, 4)
    input_names: ClassVar[tuple[str, ...]] = ("images", "scale", "translation")
    call_arguments = ("output_shape",)
    positional_parameters = ("images", "output_shape", "scale", "translation")
    shape_rule = "(...) → output_shape"

    spatial_dims: Any
    method: Any
    antialias: Any = True
    scaled_shape: ShapeArgument = field(name="output_shape")

    def infer_shape(self, *_shapes: Shape) -> Shapes:
        return self.scaled_shape


class SobelEdges(_ImageOperation, frozen=True, kw_only=True):
    """The edges of images, in both directions."""

    shape_rule = "(batch, height, width, channels) → (batch, height, width, channels, 2)"

    def infer_shape(self, images: Shape, /) -> Shapes:
        demand_rank(images, _IMAGE_BATCH_RANK, "(batch, height, width, channels)")
        return (*images, 2)


class SSIM(_ImageOperation, frozen=True, kw_only=True):
    """The similarity of two images, one number for each pair."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("image1", "image2")
    shape_rule = "(batch, ...), (batch, ...) → (batch)"

    max_val: Any = 1.0
    filter_size: Any = 11
    filter_sigma: Any = 1.5
    k1: Any = 0.01
    k2: Any = 0.03

    def infer_shape(self, one: Shape, other: Shape, /) -> Shapes:
        _demand_images(one)
        _demand_images(other)
        return one[: len(one) - _IMAGE_RANK]


class _PadOrCropImages(_ImageOperation, frozen=True, kw_only=True):
    """Longer or shorter images; of the two ends and the new size of a side, two are arguments."""

    shape_rule = "(batch, height, width, channels) → (batch, height', width', channels)"
    _argument_suffix: ClassVar[Literal["padding", "cropping"]]
    _growth_sign: ClassVar[int]

    target_height: Int64 | None = None
    target_width: Int64 | None = None

    def infer_shape(self, images: Shape, /) -> Shapes:
        _demand_images(images)
        height, width = self._size(images)
        return self._with_size(
            images,
            self._resize_side(height, "top", "bottom", "height"),
            self._resize_side(width, "left", "right", "width"),
        )

    def _resize_side(self, size: Size, start: str, end: str, axis: str) -> Size:
        """The new size of a side."""
        suffix = self._argument_suffix
        names = f"{start}_{suffix}", f"{end}_{suffix}", f"target_{axis}"
        arguments: list[Size] = [getattr(self, name) for name in names]
        if arguments.count(None) != 1:
            raise LayerError(f"give two of {', '.join(names)}", names[0])
        if any(argument is not None and argument < 0 for argument in arguments):
            raise LayerError(f"none of {', '.join(names)} may be negative", names[0])
        target = arguments[2]
        ends = [end for end in arguments[:2] if end is not None]
        if size is None:
            if target is None and self._growth_sign < 0:
                raise LayerError(f"the {axis} is unknown; give {names[2]}", names[2])
        elif target is None:
            return extend_side(size, tuple(self._growth_sign * end for end in ends))
        elif self._growth_sign * (target - size) < ends[0]:
            raise LayerError(f"{size} cannot become {target} so", names[2])
        return target


class PadImages(_PadOrCropImages, frozen=True, kw_only=True):
    """Images with zeros around them."""

    _argument_suffix = "padding"
    _growth_sign = 1

    top_padding: Int64 | None = None
    left_padding: Int64 | None = None
    bottom_padding: Int64 | None = None
    right_padding: Int64 | None = None


class CropImages(_PadOrCropImages, frozen=True, kw_only=True):
    """A part of images."""

    _argument_suffix = "cropping"
    _growth_sign = -1

    top_cropping: Int64 | None = None
    left_cropping: Int64 | None = None
    bottom_cropping: Int64 | None = None
    right_cropping: Int64 | None = None


def _demand_images(shape: Shape) -> None:
    """Raise LayerError unless this is the shape of an image or of a batch of them."""
    if len(shape) not in (_IMAGE_RANK, _IMAGE_BATCH_RANK):
        raise LayerError(
            f"images have {_IMAGE_RANK} axes, or {_IMAGE_BATCH_RANK} in a batch, not {shape}"
        )


# fmt: off
IMAGE_GROUPS = (
    OperationGroup(
        _ColorConversion, operations_named("HSVToRGB RGBToHSV", data_format=None),
        input_names=("images",),
    ),
    OperationGroup(_ImageFilter, {
        "ElasticTransform": {
            "alpha": 20.0, "sigma": 5.0, "interpolation": "bilinear", "fill_mode": "reflect",
            "fill_value": 0.0, "seed": None,
        },
        "GaussianBlur": {"kernel_size": (3, 3), "sigma": (1.0, 1.0)},
    }, input_names=("images",)),
)
# fmt: on
