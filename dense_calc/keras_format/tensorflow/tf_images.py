"""What functions of TensorFlow do to images, and those with windows to the sides of an input."""

from __future__ import annotations

from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_arguments import UNKNOWN, Given, applied, settled, typed
from dense_calc.layers.operations.operation import (
    Int,
)
from dense_calc.shapes import Shape, Shapes, Size, demand_rank


def with_image(images: Shape, height: Size, width: Size) -> Shape:
    """Images, one or a batch, of another size."""
    if len(images) not in (3, 4):
        raise LayerError(f"images have 3 axes, or 4 with the batch: {images}")
    return (*images[:-3], height, width, images[-1])


def resize(given: Given, images: Shape, /) -> Shapes:
    """Images in another size."""
    is_known = settled(given.arguments.get("size")) is not UNKNOWN
    size = given.sizes("size") if is_known else (None, None)
    if len(size) != 2:
        raise LayerError(f"its size is height and width, not {list(size)}")
    if given.flag("preserve_aspect_ratio"):
        raise LayerError("it keeps the aspect ratio, which is not followed here")
    return with_image(images, *size)


def framed(given: Given, images: Shape, /) -> Shapes:
    """Images cut or filled up to a size."""
    sizes = (settled(given.arguments.get(f"target_{side}")) for side in ("height", "width"))
    height, width = (
        None if size is UNKNOWN else typed(size, Int, "target_height or target_width")
        for size in sizes
    )
    return with_image(images, height, width)


def crop_and_resize(given: Given, images: Shape, boxes: Shape, _of: Shape | None, /) -> Shapes:
    """Parts of images, one for each box."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    demand_rank(boxes, 2, "(boxes, 4)")
    size = given.sizes("crop_size")
    if len(size) != 2:
        raise LayerError(f"its crop_size is height and width, not {list(size)}")
    return (boxes[0], *size, images[-1])


def grayscale_to_rgb(_given: Given, images: Shape, /) -> Shapes:
    """Three channels of one."""
    demand_rank(images, 1, "(..., channels)", or_more=True)
    return (*images[:-1], 3)


def transposed(_given: Given, images: Shape, /) -> Shapes:
    """Images with height and width exchanged."""
    turned_about = with_image(images, None, None)
    return (*turned_about[:-3], images[-2], images[-3], images[-1])


def extract_patches(given: Given, images: Shape, /) -> Shapes:
    """The parts of images that windows show, each as one long row of numbers."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    arguments: dict[str, Any] = {
        argument: window(given, parameter, 2, "channels_last")
        for argument, parameter in (
            ("size", "sizes"), ("strides", "strides"), ("dilation_rate", "rates")
        )
    }  # fmt: skip
    return applied("ExtractPatches", {**arguments, "padding": padding_of(given)}, images)


def pool(given: Given, x: Shape, /) -> Shapes:
    """One number for each window."""
    form = format_of(given)
    arguments: dict[str, Any] = {
        argument: window(given, parameter, len(x) - 2, form)
        for argument, parameter in (("pool_size", "ksize"), ("strides", "strides"))
    }
    return applied("MaxPool", {**arguments, "padding": padding_of(given), "data_format": form}, x)


def conv(operation: str, given: Given, x: Shape, kernel: Shape, /) -> Shapes:
    """A convolution with a kernel that is an input, or numbers."""
    form = format_of(given)
    rates = window(given, "dilations", len(x) - 2, form) or 1
    strides = window(given, "strides", len(x) - 2, form) or window(
        given, "stride", len(x) - 2, form
    )
    arguments = {"padding": padding_of(given), "data_format": form, "dilation_rate": rates}
    return applied(operation, {"strides": strides or 1, **arguments}, x, kernel)


def blocks(operation: str, given: Given, x: Shape, /) -> Shapes:
    """Numbers that move between channels and blocks of an image."""
    size = given.value("block_size")
    return applied(operation, {"block_size": size, "data_format": format_of(given)}, x)


def format_of(given: Given) -> str:
    """Where the channels are, in Keras' words: `NHWC` has them last."""
    written = given.value("data_format") or "C"
    if not isinstance(written, str):
        raise LayerError(f"its data_format is text, not {written}")
    return "channels_first" if written.startswith("NC") else "channels_last"


def padding_of(given: Given) -> str:
    """What is done at the borders, in Keras' words."""
    written = given.value("padding")
    if not isinstance(written, str):
        raise LayerError("its padding is a list, which is not followed here; VALID and SAME are")
    return written.lower()


def window(given: Given, name: str, rank: int, form: str) -> list[int] | None:
    """A window's sizes along the sides; TensorFlow may also tell those of batch and channels."""
    value = given.value(name)
    if value is None:
        return None
    sizes: list[int] = typed(value if isinstance(value, list) else [value], list[Int], name)
    if len(sizes) == rank + 2:
        sizes = sizes[2:] if form == "channels_first" else sizes[1:-1]
    if len(sizes) not in (1, rank):
        raise LayerError(f"its {name} must be one number, or {rank}, not {sizes}")
    return sizes * rank if len(sizes) == 1 else sizes
