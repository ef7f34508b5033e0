"""Output shapes of TensorFlow functions on images, and of those with sliding windows."""

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
from dense_calc.layers.operations.operation import Int64
from dense_calc.shapes import Shape, Shapes, Size, demand_rank


def _replace_image_sides(images: Shape, height: Size, width: Size) -> Shape:
    """The shape of an image or a batch of images with another height and width."""
    if len(images) not in (3, 4):
        raise LayerError(f"images have 3 axes, or 4 with the batch: {images}")
    return (*images[:-3], height, width, images[-1])


def resize_images(call: TFCallArguments, images: Shape, /) -> Shapes:
    """Images in another size."""
    is_known = not call.is_unknown("size")
    size = call.read_sizes("size") if is_known else (None, None)
    if len(size) != 2:
        raise LayerError(f"its size is height and width, not {list(size)}")
    if call.has_flag("preserve_aspect_ratio"):
        raise LayerError("it keeps the aspect ratio, which is not followed here")
    return _replace_image_sides(images, *size)


def crop_or_pad_images(call: TFCallArguments, images: Shape, /) -> Shapes:
    """Images cropped or padded to a size."""
    sizes = (resolve_value(call.arguments.get(f"target_{side}")) for side in ("height", "width"))
    height, width = (
        None
        if size is UNKNOWN_VALUE
        else convert_argument(size, Int64, "target_height or target_width")
        for size in sizes
    )
    return _replace_image_sides(images, height, width)


def crop_and_resize(
    call: TFCallArguments, images: Shape, boxes: Shape, _of: Shape | None, /
) -> Shapes:
    """Parts of images, one for each box, all in the same size."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    demand_rank(boxes, 2, "(boxes, 4)")
    size = call.read_sizes("crop_size")
    if len(size) != 2:
        raise LayerError(f"its crop_size is height and width, not {list(size)}")
    return (boxes[0], *size, images[-1])


def grayscale_to_rgb(_call: TFCallArguments, images: Shape, /) -> Shapes:
    """Images with three channels in place of one."""
    demand_rank(images, 1, "(..., channels)", or_more=True)
    return (*images[:-1], 3)


def transpose_images(_call: TFCallArguments, images: Shape, /) -> Shapes:
    """Images with height and width exchanged."""
    *batch, _, _, channels = _replace_image_sides(images, None, None)
    return (*batch, images[-2], images[-3], channels)


def extract_patches(call: TFCallArguments, images: Shape, /) -> Shapes:
    """The patches of images under a sliding window, each flattened."""
    demand_rank(images, 4, "(batch, height, width, channels)")
    arguments: dict[str, Any] = {
        argument: _window_sizes(call, parameter, 2, "channels_last")
        for argument, parameter in (
            ("size", "sizes"), ("strides", "strides"), ("dilation_rate", "rates")
        )
    }  # fmt: skip
    return apply_operation("ExtractPatches", {**arguments, "padding": _tf_padding(call)}, images)


def pool_windows(call: TFCallArguments, x: Shape, /) -> Shapes:
    """Pooling: one number for each window."""
    data_format = _tf_data_format(call)
    arguments: dict[str, Any] = {
        argument: _window_sizes(call, parameter, len(x) - 2, data_format)
        for argument, parameter in (("pool_size", "ksize"), ("strides", "strides"))
    }
    return apply_operation(
        "MaxPool", {**arguments, "padding": _tf_padding(call), "data_format": data_format}, x
    )


def convolve_tensor(operation: str, call: TFCallArguments, x: Shape, kernel: Shape, /) -> Shapes:
    """A convolution whose kernel is an input or a constant."""
    data_format = _tf_data_format(call)
    rates = _window_sizes(call, "dilations", len(x) - 2, data_format) or 1
    strides = _window_sizes(call, "strides", len(x) - 2, data_format) or _window_sizes(
        call, "stride", len(x) - 2, data_format
    )
    arguments = {"padding": _tf_padding(call), "data_format": data_format, "dilation_rate": rates}
    return apply_operation(operation, {"strides": strides or 1, **arguments}, x, kernel)


def move_blocks(operation: str, call: TFCallArguments, x: Shape, /) -> Shapes:
    """Numbers moved between the channels and the blocks of images."""
    size = call.find_value("block_size")
    return apply_operation(operation, {"block_size": size, "data_format": _tf_data_format(call)}, x)


def _tf_data_format(call: TFCallArguments) -> str:
    """The data format in Keras' words: `NHWC` is channels_last."""
    data_format = call.find_value("data_format") or "NHWC"
    if not isinstance(data_format, str):
        raise LayerError(f"its data_format is text, not {data_format}")
    return "channels_first" if data_format.startswith("NC") else "channels_last"


def _tf_padding(call: TFCallArguments) -> str:
    """The padding in Keras' words."""
    padding = call.find_value("padding")
    if not isinstance(padding, str):
        raise LayerError("its padding is a list, which is not followed here; VALID and SAME are")
    return padding.lower()


def _window_sizes(
    call: TFCallArguments, name: str, rank: int, data_format: str
) -> list[int] | None:
    """The sizes of a window along the sides; a list may also have those of batch and channels."""
    value = call.find_value(name)
    if value is None:
        return None
    sizes: list[int] = convert_argument(
        value if isinstance(value, list) else [value], list[Int64], name
    )
    if len(sizes) == rank + 2:
        sizes = sizes[2:] if data_format == "channels_first" else sizes[1:-1]
    if len(sizes) not in (1, rank):
        raise LayerError(f"its {name} must be one number, or {rank}, not {sizes}")
    return sizes * rank if len(sizes) == 1 else sizes
