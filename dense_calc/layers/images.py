"""Base classes of Keras' layers for images, and the layers that resize or crop them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import KerasLayer, NonNegativeInt, RandomSeed, UnitFraction
from dense_calc.shapes import IMAGE_AXES, Shape, Shapes, is_shape


class FactorInterval(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The interval from which Keras draws a factor; it must meet that from 0 to 1."""

    lower: Annotated[float, Meta(le=1)]
    upper: Annotated[float, Meta(ge=0)]


class SignedFactorInterval(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The interval from which Keras draws a factor; it must meet that from -1 to 1."""

    lower: Annotated[float, Meta(le=1)]
    upper: Annotated[float, Meta(ge=-1)]


Factor = UnitFraction | FactorInterval
SignedFactor = Annotated[float, Meta(ge=-1, le=1)] | SignedFactorInterval
UnusedFactor = SignedFactor | None  # an argument of Keras' base class that changes nothing


class ImageLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that reads one tensor of images; Keras does not check its shape."""

    bounding_box_format: str | None = None
    data_format: DataFormat | None = None


class LabeledImageLayer(ImageLayer, frozen=True, kw_only=True):
    """A layer of images, or of a mapping of images with their labels, boxes and masks."""

    mapping_keys: ClassVar[tuple[str, ...]] = (
        "images",
        "labels",
        "bounding_boxes",
        "segmentation_masks",
    )
    accepts_nested: ClassVar[bool] = True

    def output_shape(self, shapes: Any, /) -> Shapes:
        output: Shapes = shapes
        return output


class BatchShufflingLayer(LabeledImageLayer, frozen=True, kw_only=True):
    """A layer that mixes each image with another of the batch, which it shuffles."""

    seed: RandomSeed = None

    def demand_traceable(self, shapes: Shapes, /) -> None:
        if _image_shape(shapes)[:1] == (None,):
            raise LayerError("inside a pipeline JAX cannot shuffle an unknown batch")


class _ImageSizeLayer(ImageLayer, frozen=True, kw_only=True):
    """A layer whose output images have the height and width of its arguments."""

    spatial_axes: ClassVar[tuple[str, ...]] = IMAGE_AXES
    shape_rule: ClassVar[str] = "(..., *sides, channels) → (..., *sides', channels)"

    height: NonNegativeInt | None
    width: NonNegativeInt | None

    def _resized_shape(self, shapes: Shapes, axis: int) -> Shape:
        """`shapes` with the new height at `axis`, which counts from 0, and the width after it.

        Keras counts the tensors of a list or mapping as if they were axes: where two are its
        height and width, the output is `(height, width)`.
        """
        if not is_shape(shapes):
            if axis == 0 and len(shapes) == 2:
                return (self.height, self.width)
            raise LayerError(
                "it sizes one tensor, not a mapping or a list; give it the images alone", "from"
            )
        if not 0 <= axis < len(shapes) - 1:
            raise LayerError(f"the input must have a height and a width; it is {shapes}")
        return (*shapes[:axis], self.height, self.width, *shapes[axis + 2 :])


class CenterCrop(_ImageSizeLayer, frozen=True, kw_only=True):
    """The middle of each image; a smaller image is resized."""

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_image_rank(shape)
        return self._resized_shape(shape, _height_axis(shape, self.data_format))

    def demand_traceable(self, shape: Shape, /) -> None:
        demand_known_sides(shape, self.data_format)


class RandomCrop(_ImageSizeLayer, LabeledImageLayer, frozen=True, kw_only=True):
    """A random part of each image; the axes before its sides may be any number."""

    factor: UnusedFactor = None
    seed: RandomSeed = None

    def output_shape(self, shapes: Any, /) -> Shape:
        return self._resized_shape(shapes, _height_axis(shapes, self.data_format))

    def demand_traceable(self, shapes: Shapes, /) -> None:
        height, width = demand_known_sides(shapes, self.data_format)
        if height > (self.height or height) and width > (self.width or width):
            raise LayerError(
                f"inside a pipeline JAX cannot cut a random part out of {height} × {width}; "
                "use CenterCrop or Resizing there"
            )


class Resizing(_ImageSizeLayer, LabeledImageLayer, frozen=True, kw_only=True):
    """Images of another size; Keras takes the first two axes for the sides unless there are four.

    It looks at the words for interpolation and filling when data flows.
    """

    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float | None = 0.0
    antialias: bool = False

    def output_shape(self, shapes: Any, /) -> Shape:
        is_batch = len(shapes) == 4
        return self._resized_shape(shapes, is_batch + (self.data_format == "channels_first"))


class MaxNumBoundingBoxes(LabeledImageLayer, frozen=True, kw_only=True):
    """As many bounding boxes for each image: some are dropped, or boxes of `fill_value` added."""

    max_number: int
    fill_value: int = -1
    factor: UnusedFactor = None

    def output_shape(self, shapes: Any, /) -> Shapes:
        if not isinstance(shapes, dict) or "bounding_boxes" not in shapes:
            return super().output_shape(shapes)
        boxes = shapes["bounding_boxes"]
        if not isinstance(boxes, dict) or set(boxes) != {"boxes", "labels"}:
            raise LayerError("bounding_boxes must be a mapping of 'boxes' and 'labels'", "from")
        if self.max_number < 0:
            raise LayerError("max_number must not be negative", "max_number")
        for name, shape in boxes.items():
            if not is_shape(shape) or len(shape) < 2:
                raise LayerError(
                    f"the {name} must have an axis after the batch, not {shape}", "from"
                )
        boxes = {name: (shape[0], self.max_number, *shape[2:]) for name, shape in boxes.items()}
        return {**shapes, "bounding_boxes": boxes}


def demand_image_rank(shape: Shape) -> None:
    """Raise LayerError unless `shape` is that of an image or of a batch of images."""
    if len(shape) not in (3, 4):
        raise LayerError(
            "the input must be an image or a batch of them, with 3 or 4 axes; "
            f"it has {len(shape)}: {shape}"
        )


def _image_shape(shapes: Shapes) -> Shape:
    """The shape of the images in the input of an image layer; () where there are none."""
    images = shapes.get("images", ()) if isinstance(shapes, dict) else shapes
    return images if is_shape(images) else ()


def _height_axis(shapes: Shapes, data_format: str | None) -> int:
    """The axis of the height in images, with or without a batch axis."""
    return len(shapes) - 3 + (data_format == "channels_first")


def demand_known_sides(shapes: Shapes, data_format: str | None) -> tuple[int, int]:
    """Height and width of images.

    Raises:
        LayerError: one of them is unknown.
    """
    images = _image_shape(shapes)
    axis = _height_axis(images, data_format)
    height, width = images[axis : axis + 2] if len(images) > 2 else (0, 0)
    if height is None or width is None:
        raise LayerError(f"inside a pipeline JAX needs known sides; they are not in {shapes}")
    return height, width
