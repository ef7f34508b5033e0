"""Convolutions of Keras 1 and 2 that have another kernel at each place of their output.

Sources: keras/layers/local.py of Keras 1.2.2 and 2.3.1, and tf_keras.layers.LocallyConnected1D and
2D of tf_keras 2.21, which have three implementations with other weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.arguments.types import Activation, ConvPadding, DataFormat
from dense_calc.layers.base import TIMES, LayerWithKernel, Positive, Weight, Window
from dense_calc.layers.convolutional import Conv
from dense_calc.shapes import (
    IMAGE,
    SEQUENCE,
    Shape,
    Sizes,
    channel_axis,
    known,
    per_axis,
    sides,
    slide,
    with_sides,
)

DENSE, SPARSE = 2, 3  # implementations


class LocallyConnected(LayerWithKernel, frozen=True, kw_only=True):
    """A convolution whose kernel is another at each place of the output.

    `implementation` 2 keeps a weight for each pair of an input and an output, near or not; 3 keeps
    those that are near, in one row. At a border with "same" padding a window sees less.
    """

    module: ClassVar[str] = ""
    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = Conv.rule

    filters: Positive
    kernel_size: Window
    strides: Window = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    activation: Activation = None
    use_bias: bool = True
    implementation: Literal[1, 2, 3] = 1

    def output_shape(self, shape: Shape, /) -> Shape:
        return with_sides(shape, self.places(shape), self.filters, self.data_format)

    def places(self, shape: Shape) -> Shape:
        """The sizes of the output without batch and channels."""
        if self.implementation == 1 and self.padding != ConvPadding.valid:
            raise LayerError("with implementation 1 the padding must be valid", "padding")
        sizes = sides(shape, self.axes, self.data_format)
        kernel, strides = self.window()
        return slide(sizes, kernel, strides, kernel, self.padding, "kernel_size")

    def window(self) -> tuple[Sizes, Sizes]:
        """The window and its strides along each axis."""
        rank = len(self.axes)
        return (
            per_axis(self.kernel_size, rank, "kernel_size"),
            per_axis(self.strides, rank, "strides"),
        )

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = {"channels": known(shape, channel_axis(self.data_format))}
        filters = {"filters": self.filters}
        inputs = sized(self.axes, sides(shape, self.axes, self.data_format))
        places = sized([f"{axis}'" for axis in self.axes], self.places(shape))
        kernel = self.kernel(inputs, places, channels, filters)
        yield Weight("kernel", kernel, self.kernel_initializer)
        if self.use_bias:
            yield Weight("bias", {**places, **filters}, self.bias_initializer)

    def kernel(
        self,
        inputs: dict[str, int],
        places: dict[str, int],
        channels: dict[str, int],
        filters: dict[str, int],
    ) -> dict[str, int]:
        """The axes of the kernel."""
        first = self.data_format == DataFormat.channels_first
        if self.implementation == DENSE and first:
            return {**channels, **inputs, **filters, **places}
        if self.implementation == DENSE:
            return {**inputs, **channels, **places, **filters}
        if self.implementation == SPARSE:
            seen = math.prod(map(self.seen, inputs.values(), places.values(), *self.window()))
            return {"near pairs": seen * channels["channels"] * self.filters}
        window = dict(zip((f"kernel {axis}" for axis in self.axes), self.window()[0], strict=True))
        return {**joined(places), **joined({**window, **channels}), **filters}

    def seen(self, size: int, places: int, window: int, stride: int) -> int:
        """How many inputs all windows along an axis see together."""
        if self.padding == ConvPadding.valid:
            return places * window
        # Source: conv_connected_inputs of tf_keras, which centres each window on its input.
        before = window // 2
        after = (places - 1) * stride - before + window - size
        return places * window - overhang(before, stride, places) - overhang(after, stride, places)


class LocallyConnected1D(LocallyConnected, frozen=True, kw_only=True):
    """A convolution over a sequence with another kernel at each place."""

    axes = SEQUENCE


class LocallyConnected2D(LocallyConnected, frozen=True, kw_only=True):
    """A convolution over height and width with another kernel at each place."""

    axes = IMAGE


def sized(axes: Iterable[str], sizes: Shape) -> dict[str, int]:
    """The axes of a weight with these sizes.

    Raises:
        LayerError: one is unknown.
    """
    if None in sizes:
        raise UnknownSizeError(
            f"each place has a kernel of its own, but the sides {sizes} are not all known; "
            "give them sizes in the model's input"
        )
    return {axis: size for axis, size in zip(axes, sizes, strict=True) if size is not None}


def joined(axes: dict[str, int]) -> dict[str, int]:
    """Several axes as one."""
    return {TIMES.join(axes): math.prod(axes.values())}


def overhang(first: int, stride: int, count: int) -> int:
    """How far so many windows stand out together, each less than the one before by a stride."""
    several = min(count, -(-first // stride)) if first > 0 else 0
    return several * first - stride * several * (several - 1) // 2
