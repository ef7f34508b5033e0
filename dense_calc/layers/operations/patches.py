"""Operations that move the parts of images between places and channels."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import DataFormat
from dense_calc.layers.base import Positive, Window
from dense_calc.layers.operations.convolutions import convolved
from dense_calc.layers.operations.operation import Int, Ints, Operation
from dense_calc.shapes import Shape, Shapes, Size, demand_rank, product, worked


class ExtractPatches(Operation, frozen=True, kw_only=True):
    """The parts of images or volumes that windows show, each as one long row of numbers."""

    inputs: ClassVar[tuple[str, ...]] = ("images",)
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', elements)"

    size: Positive | tuple[Positive, ...]
    strides: Window | None = None
    dilation_rate: Window = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    data_format: DataFormat | None = None

    def result(self, x: Shape, /) -> Shapes:
        size = (self.size,) * 2 if isinstance(self.size, int) else self.size
        if len(size) not in (2, 3):
            raise LayerError("size must be one number, or one for each of 2 or 3 sides", "size")
        rank = len(size) + 1
        demand_rank(x, rank, "(..., channels)", or_more=True)
        elements = product((*size, x[-rank if self.data_format == "channels_first" else -1]))
        if elements is None:
            raise LayerError(f"the channels must be known, but are not in {x}")
        steps = size if self.strides is None else self.strides, self.dilation_rate
        batch = x if len(x) > rank else (1, *x)
        patches = convolved(batch, size, elements, steps, self.padding, self.data_format)
        return patches[1:] if len(x) == rank else patches


class Unfold(Operation, frozen=True, kw_only=True):
    """The windows over an image, each as one long column."""

    rule: ClassVar[str] = "(batch, channels, height, width) → (batch, elements, places)"

    kernel_size: Int | Ints
    dilation: Int | Ints = 1
    padding: Int | Ints = 0
    stride: Int | Ints = 1

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 4, "(batch, channels, height, width)")
        if None in x[1:]:
            raise LayerError(f"channels, height and width must be known, but are not in {x}")
        kernel, dilation = pair(self.kernel_size, "kernel_size"), pair(self.dilation, "dilation")
        padding, stride = pair(self.padding, "padding"), pair(self.stride, "stride")
        if 0 in stride:
            raise LayerError("stride must not be 0", "stride")
        places = [
            ((size or 0) + 2 * ends - between * (window - 1) - 1) // step + 1
            for size, ends, between, window, step in zip(
                x[2:], padding, dilation, kernel, stride, strict=True
            )
        ]
        return x[0], product((x[1], *kernel)), product(tuple(places))


class Fold(Operation, frozen=True, kw_only=True):
    """An image put together of windows: Unfold the other way round."""

    rule: ClassVar[str] = "(batch, elements, places) → (batch, channels, *output_size)"

    output_size: Int | Ints
    kernel_size: Int | Ints
    dilation: Int | Ints = 1
    padding: Int | Ints = 0
    stride: Int | Ints = 1

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 3, "(batch, elements, places)")
        height, width = pair(self.kernel_size, "kernel_size")
        sides, elements = pair(self.output_size, "output_size"), x[1]
        if elements is None:
            return (x[0], None, *sides)
        if height * width == 0 or elements % (height * width):
            raise LayerError(f"{elements} are not windows of {height} × {width}", "kernel_size")
        channels = elements // (height * width)
        return (x[0], worked(channels, f"{elements} // ({height} × {width})"), *sides)


class Blocks(Operation, frozen=True, kw_only=True):
    """Moves numbers between the channels and blocks of the image."""

    rule: ClassVar[str] = "(batch, height, width, channels) → (batch, height', width', channels')"

    block_size: Int
    data_format: DataFormat | None = DataFormat.channels_last

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 4, "(batch, height, width, channels)")
        if self.data_format == "channels_first":
            return (x[0], *self.moved(*x[1:]))
        batch, height, width, channels = x
        channels, height, width = self.moved(channels, height, width)
        return batch, height, width, channels

    def moved(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        """The channels, the height and the width afterwards."""
        raise NotImplementedError


class DepthToSpace(Blocks, frozen=True, kw_only=True):
    """Makes a block of the image of the channels of each place."""

    def moved(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        block = self.block_size
        return part(channels, block**2), more(height, block), more(width, block)


class SpaceToDepth(Blocks, frozen=True, kw_only=True):
    """Makes channels of each block of the image."""

    def moved(self, channels: Size, height: Size, width: Size) -> tuple[Size, Size, Size]:
        block = self.block_size
        return more(channels, block**2), part(height, block), part(width, block)


def part(size: Size, block: int) -> Size:
    """How many blocks a size holds."""
    if size is None:
        return None
    if block == 0 or size % block:
        raise LayerError(f"{size} is not divisible by {block}", "block_size")
    return worked(size // block, f"{size} // {block}")


def more(size: Size, block: int) -> Size:
    """A size of so many blocks."""
    return None if size is None else worked(size * block, f"{size} × {block}")


def pair(value: int | Ints, argument: str) -> Ints:
    """A number for height and one for width."""
    both = (value, value) if isinstance(value, int) else value
    if len(both) != 2:
        raise LayerError(f"{argument} must be one number or two, not {list(both)}", argument)
    return both
