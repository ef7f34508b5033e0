"""What functions of TensorFlow do to images, and those with windows to the sides of an input."""

from __future__ import annotations

from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_arguments import (
    UNKNOWN_VALUE,
    TFCallArguments,
    apply_operation,
    convert_argument,
    resolve_value,
)
from dense_calc.layers.operations.operation import (
    Int64,
)
from dense_calc.shapes import Shape, Shapes, Size, demand_rank


def _replace_image_sides(images: Shape, height: Size, width: Size) -> Shape:
    """Images, one or a batch, of another size."""
    if len(images) not in (3, 4):
        raise LayerError(f"images have 3 axes, or 4 with the batch: {images}")
    return (*images[:-3], height, width, images[-1])


def resize_images(given: TFCallArguments, images: Shape, /) -> Shapes:
    """Images in another size."""
    is_known = resolve_value(given.arguments.get("size")) is not UNKNOWN_VALUE
    size = given.read_sizes("size") if is_known else (None, None)
    if len(size) != 2:
        raise LayerError(f"its size is height and width, not {list(size)}")
    if given.has_flag("preserve_aspect_ratio"):
        raise LayerError("it keeps the aspect ratio, which is not followed here")
    return _replace_image_sides(images, *size)


def crop_or_pad_images(given: TFCallArguments, images: Shape, /) -> Shapes:
    """Images cut or filled up to a size."""
    sizes = (resolve_value(given.arguments.get(f"target_{side}")) for side in ("height", "width"))
    height, width = (
        None
        if size is UNKNOWN_VALUE
        else convert_argument(size, Int64, "target_height or target_width")
        for size in sizes
    )
    return _replace_image_sides(images, height, width)


def crop_and_resize(
    given: TFCallArguments, images: Shape, boxes: Shape, _of: Shape | None, /
) -> Shapes:
    """Parts of images, one for each box."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    demand_rank(boxes, 2, "(boxes, 4)")
    size = given.read_sizes("crop_size")
    if len(size) != 2:
        raise LayerError(f"its crop_size is height and width, not {list(size)}")
    return (boxes[0], *size, images[-1])


def grayscale_to_rgb(_given: TFCallArguments, images: Shape, /) -> Shapes:
    """Three channels of one."""
    demand_rank(images, 1, "(..., channels)", or_more=True)
    return (*images[:-1], 3)


def transpose_images(_given: TFCallArguments, images: Shape, /) -> Shapes:
    """Images with height and width exchanged."""
    turned_about = _replace_image_sides(images, None, None)
    return (*turned_about[:-3], images[-2], images[-3], images[-1])


def extract_patches(given: TFCallArguments, images: Shape, /) -> Shapes:
    """The parts of images that windows show, each as one long row of numbers."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    arguments: dict[str, Any] = {
        argument: _window_sizes(given, parameter, 2, "channels_last")
        for argument, parameter in (
            ("size", "sizes"), ("strides", "strides"), ("dilation_rate", "rates")
        )
    }  # fmt: skip
    return apply_operation("ExtractPatches", {**arguments, "padding": _tf_padding(given)}, images)


def pool_windows(given: TFCallArguments, x: Shape, /) -> Shapes:
    """One number for each window."""
    form = _tf_data_format(given)
    arguments: dict[str, Any] = {
        argument: _window_sizes(given, parameter, len(x) - 2, form)
        for argument, parameter in (("pool_size", "ksize"), ("strides", "strides"))
    }
    return apply_operation(
        "MaxPool", {**arguments, "padding": _tf_padding(given), "data_format": form}, x
    )


def convolve_tensor(operation: str, given: TFCallArguments, x: Shape, kernel: Shape, /) -> Shapes:
    """A convolution with a kernel that is an input, or numbers."""
    form = _tf_data_format(given)
    rates = _window_sizes(given, "dilations", len(x) - 2, form) or 1
    strides = _window_sizes(given, "strides", len(x) - 2, form) or _window_sizes(
        given, "stride", len(x) - 2, form
    )
    arguments = {"padding": _tf_padding(given), "data_format": form, "dilation_rate": rates}
    return apply_operation(operation, {"strides": strides or 1, **arguments}, x, kernel)


def move_blocks(operation: str, given: TFCallArguments, x: Shape, /) -> Shapes:
    """Numbers that move between channels and blocks of an image."""
    size = given.find_value("block_size")
    return apply_operation(
        operation, {"block_size": size, "data_format": _tf_data_format(given)}, x
    )


def _tf_data_format(given: TFCallArguments) -> str:
    """Where the channels are, in Keras' words: `NHWC` has them last."""
    written = given.find_value("data_format") or "C"
    if not isinstance(written, str):
        raise LayerError(f"its data_format is text, not {written}")
    return "channels_first" if written.startswith("NC") else "channels_last"


def _tf_padding(given: TFCallArguments) -> str:
    """What is done at the borders, in Keras' words."""
    written = given.find_value("padding")
    if not isinstance(written, str):
        raise LayerError("its padding is a list, which is not followed here; VALID and SAME are")
    return written.lower()


def _window_sizes(given: TFCallArguments, name: str, rank: int, form: str) -> list[int] | None:
    """A window's sizes along the sides; TensorFlow may also tell those of batch and channels."""
    value = given.find_value(name)
    if value is None:
        return None
    sizes: list[int] = convert_argument(
        value if isinstance(value, list) else [value], list[Int64], name
    )
    if len(sizes) == rank + 2:
        sizes = sizes[2:] if form == "channels_first" else sizes[1:-1]
    if len(sizes) not in (1, rank):
        raise LayerError(f"its {name} must be one number, or {rank}, not {sizes}")
    return sizes * rank if len(sizes) == 1 else sizes
