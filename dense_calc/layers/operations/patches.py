"""Operations that cut images into patches, or move numbers between the sides and channels."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import PositiveInt, WindowSize
from dense_calc.layers.operations.convolutions import convolve_shape
from dense_calc.layers.operations.operation import Int64, Int64Tuple, Operation
from dense_calc.shapes import Shape, Shapes, Size, computed_size, demand_rank, size_product


class ExtractPatches(Operation, frozen=True, kw_only=True):
    """The patches of images or volumes under a sliding window, each flattened."""

    input_names: ClassVar[tuple[str, ...]] = ("images",)
    shape_rule = "(batch, *sides, channels) → (batch, *sides', elements)"

    size: PositiveInt | tuple[PositiveInt, ...]
    strides: WindowSize | None = None
    dilation_rate: WindowSize = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    data_format: DataFormat | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        size = (self.size,) * 2 if isinstance(self.size, int) else self.size
        if len(size) not in (2, 3):
            raise LayerError("size must be one number, or one for each of 2 or 3 sides", "size")
        rank = len(size) + 1
        demand_rank(x, rank, "(..., channels)", or_more=True)
        elements = size_product((*size, x[-rank if self.data_format == "channels_first" else -1]))
        if elements is None:
            raise LayerError(f"the channels must be known, but are not in {x}")
        steps = size if self.strides is None else self.strides, self.dilation_rate
        batch = x if len(x) > rank else (1, *x)
        patches = convolve_shape(batch, size, elements, steps, self.padding, self.data_format)
        return patches[1:] if len(x) == rank else patches


class Unfold(Operation, frozen=True, kw_only=True):
    """The patches of an image under a sliding window, each flattened to a column."""

    shape_rule = "(batch, channels, height, width) → (batch, elements, places)"

    kernel_size: Int64 | Int64Tuple
    dilation: Int64 | Int64Tuple = 1
    padding: Int64 | Int64Tuple = 0
    stride: Int64 | Int64Tuple = 1

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 4, "(batch, channels, height, width)")
        if None in x[1:]:
            raise LayerError(f"channels, height and width must be known, but are not in {x}")
        kernel = _height_width_pair(self.kernel_size, "kernel_size")
        dilation = _height_width_pair(self.dilation, "dilation")
        padding = _height_width_pair(self.padding, "padding")
        stride = _height_width_pair(self.stride, "stride")
        if 0 in stride:
            raise LayerError("stride must not be 0", "stride")
        places = [
            ((size or 0) + 2 * ends - rate * (window - 1) - 1) // step + 1
            for size, ends, rate, window, step in zip(
                x[2:], padding, dilation, kernel, stride, strict=True
            )
        ]
        return x[0], size_product((x[1], *kernel)), size_product(tuple(places))


class Fold(Operation, frozen=True, kw_only=True):
    """An image from its patches: the inverse of Unfold."""

    shape_rule = "(batch, elements, places) → (batch, channels, *output_size)"

    output_size: Int64 | Int64Tuple
    kernel_size: Int64 | Int64Tuple
    dilation: Int64 | Int64Tuple = 1
    padding: Int64 | Int64Tuple = 0
    stride: Int64 | Int64Tuple = 1

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 3, "(batch, elements, places)")
        height, width = _height_width_pair(self.kernel_size, "kernel_size")
        sides, elements = _height_width_pair(self.output_size, "output_size"), x[1]
        if elements is None:
            return (x[0], None, *sides)
        if height * width == 0 or elements % (height * width):
            raise LayerError(f"{elements} are not windows of {height} × {width}", "kernel_size")
        channels = elements // (height * width)
        return (x[0], computed_size(channels, f"{elements} // ({height} × {width})"), *sides)


class _BlockOperation(Operation, frozen=True, kw_only=True):
    """Moves numbers between the channels and the blocks of images."""

    shape_rule = "(batch, height, width, channels) → (batch, height', width', channels')"

    block_size: Int64
    data_format: DataFormat | None = DataFormat.channels_last

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 4, "(batch, height, width, channels)")
        if self.data_format == "channels_first":
            return (x[0], *self._rearrange(*x[1:]))
        batch, height, width, channels = x
        channels, height, width = self._rearrange(channels, height, width)
        return batch, height, width, channels

    def _rearrange(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        """The channels, the height and the width of the output."""
        raise NotImplementedError


class DepthToSpace(_BlockOperation, frozen=True, kw_only=True):
    """Spreads the channels of each place over a block of the image."""

    def _rearrange(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        block = self.block_size
        return (
            _divide_by_block(channels, block**2),
            _multiply_by_block(height, block),
            _multiply_by_block(width, block),
        )


class SpaceToDepth(_BlockOperation, frozen=True, kw_only=True):
    """Collects each block of the image in the channels of one place."""

    def _rearrange(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        block = self.block_size
        return (
            _multiply_by_block(channels, block**2),
            _divide_by_block(height, block),
            _divide_by_block(width, block),
        )


def _divide_by_block(size: Size, block: int) -> Size:
    """The number of blocks in a size; LayerError if it is not a whole number."""
    if size is None:
        return None
    if block == 0 or size % block:
        raise LayerError(f"{size} is not divisible by {block}", "block_size")
    return computed_size(size // block, f"{size} // {block}")


def _multiply_by_block(size: Size, block: int) -> Size:
    """The size of so many blocks."""
    return None if size is None else computed_size(size * block, f"{size} × {block}")


def _height_width_pair(value: int | Int64Tuple, argument: str) -> Int64Tuple:
    """One number for the height and one for the width."""
    pair = (value, value) if isinstance(value, int) else value
    if len(pair) != 2:
        raise LayerError(f"{argument} must be one number or two, not {list(pair)}", argument)
    return pair
