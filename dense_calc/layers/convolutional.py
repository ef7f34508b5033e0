"""Keras' convolution layers: an N-dimensional base for each sort, and a class for each rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    Activation,
    Constraint,
    ConvPadding,
    DataFormat,
    Initializer,
    Regularizer,
    Word,
)
from dense_calc.layers.base import (
    KerasLayer,
    NotNegative,
    Positive,
    Weight,
    Window,
)
from dense_calc.layers.quantization import KernelLayer
from dense_calc.shapes import (
    IMAGE,
    SEQUENCE,
    VOLUME,
    Shape,
    Size,
    Sizes,
    channel_axis,
    known,
    per_axis,
    product,
    sides,
    slide,
    spread,
    with_sides,
)


class CausalPadding(Word):
    """How a convolution over a sequence treats its borders: `causal` fills only the start."""

    valid = "valid"
    same = "same"
    causal = "causal"


class Conv(KernelLayer, frozen=True, kw_only=True):
    """A convolution: a window slides over the input, and each filter weighs what it sees."""

    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', filters)"

    filters: Positive
    kernel_size: Window
    strides: Window = 1
    padding: Word = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: Window = 1
    groups: Positive = 1

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_strides_or_dilation(self)
        return slid(self, shape, self.filters)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known(shape, channel_axis(self.data_format))
        for what, count in ("filters", self.filters), ("channels of the input", channels):
            if count % self.groups:
                raise LayerError(
                    f"groups {self.groups} does not divide the {count} {what}", "groups"
                )
        seen = "channels" if self.groups == 1 else "channels per group"
        return self.kernel_and_bias(
            {**window(self), seen: channels // self.groups, "filters": self.filters}
        )


class OtherConv(KerasLayer, frozen=True, kw_only=True):
    """What the other convolutions share, which have other kernels and no LoRA."""

    axes: ClassVar[tuple[str, ...]]
    rule: ClassVar[str] = Conv.rule

    kernel_size: Window
    strides: Window = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: Window = 1
    activation: Activation = None
    use_bias: bool = True
    bias_initializer: Initializer = "zeros"
    bias_regularizer: Regularizer = None
    bias_constraint: Constraint = None

    def bias(self, axis: str, size: int) -> Iterator[Weight]:
        """The weight that is added to the output, one number for each of its channels."""
        if self.use_bias:
            yield Weight("bias", {axis: size}, self.bias_initializer)


class ConvTranspose(OtherConv, frozen=True, kw_only=True):
    """A convolution the other way round: each place of the input spreads over a window.

    Its kernel has the filters before the channels. Without `output_padding` the output is as
    large as the input of a convolution could have been.
    """

    filters: Positive
    output_padding: NotNegative | tuple[NotNegative, ...] | None = None
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_strides_or_dilation(self)
        _, reach, strides = spans(self)
        extra = None
        if self.output_padding is not None:
            extra = per_axis(self.output_padding, len(self.axes), "output_padding")
            if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
                raise LayerError(
                    f"output_padding {list(extra)} must be below strides {list(strides)} "
                    "on each axis",
                    "output_padding",
                )
        sizes = sides(shape, self.axes, self.data_format)
        spread_out = spread(sizes, reach, strides, self.padding, extra, "output_padding")
        return with_sides(shape, spread_out, self.filters, self.data_format)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known(shape, channel_axis(self.data_format))
        kernel = {**window(self), "filters": self.filters, "channels": channels}
        yield Weight("kernel", kernel, self.kernel_initializer)
        yield from self.bias("filters", self.filters)


class ByChannel(OtherConv, frozen=True, kw_only=True):
    """What convolutions share that look at each channel by itself.

    Keras lets them have strides and dilation at once.
    """

    depth_multiplier: Positive = 1
    depthwise_initializer: Initializer = "glorot_uniform"
    depthwise_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None

    def depthwise(self, name: str, channels: int) -> Weight:
        """The kernel that makes `depth_multiplier` channels of each."""
        axes = {**window(self), "channels": channels, "multiplier": self.depth_multiplier}
        return Weight(name, axes, self.depthwise_initializer)


class DepthwiseConv(ByChannel, frozen=True, kw_only=True):
    """A convolution of each channel by itself, into `depth_multiplier` channels each."""

    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels')"

    def output_shape(self, shape: Shape, /) -> Shape:
        channels = shape[channel_axis(self.data_format)] if len(shape) > 1 else None
        return slid(self, shape, product((channels, self.depth_multiplier)))

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known(shape, channel_axis(self.data_format))
        yield self.depthwise("kernel", channels)
        yield from self.bias("channels × multiplier", channels * self.depth_multiplier)


class SeparableConv(ByChannel, frozen=True, kw_only=True):
    """A convolution of each channel by itself, whose results are then mixed at each place."""

    filters: Positive
    pointwise_initializer: Initializer = "glorot_uniform"
    pointwise_regularizer: Regularizer = None
    pointwise_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        return slid(self, shape, self.filters)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known(shape, channel_axis(self.data_format))
        yield self.depthwise("depthwise_kernel", channels)
        point = {" × ".join("1" * number): 1 for number in range(1, len(self.axes) + 1)}
        mixed = {"channels × multiplier": channels * self.depth_multiplier}
        axes = {**point, **mixed, "filters": self.filters}
        yield Weight("pointwise_kernel", axes, self.pointwise_initializer)
        yield from self.bias("filters", self.filters)


def window(layer: Conv | OtherConv) -> dict[str, int]:
    """The axes of a kernel over which it slides."""
    sizes = per_axis(layer.kernel_size, len(layer.axes), "kernel_size")
    return dict(zip(layer.axes, sizes, strict=True))


def spans(layer: Conv | OtherConv) -> tuple[Sizes, Sizes, Sizes]:
    """The window, what it reaches with dilation, and its strides, each along each axis."""
    rank = len(layer.axes)
    kernel = per_axis(layer.kernel_size, rank, "kernel_size")
    strides = per_axis(layer.strides, rank, "strides")
    dilation = per_axis(layer.dilation_rate, rank, "dilation_rate")
    reach = tuple(rate * (size - 1) + 1 for rate, size in zip(dilation, kernel, strict=True))
    return kernel, reach, strides


def slid(layer: Conv | OtherConv, shape: Shape, channels: Size) -> Shape:
    """The shape that is left of an input when the window has slid over it."""
    sizes = sides(shape, layer.axes, layer.data_format)
    kernel, reach, strides = spans(layer)
    places = slide(sizes, kernel, strides, reach, layer.padding, "kernel_size")
    return with_sides(shape, places, channels, layer.data_format)


def demand_strides_or_dilation(layer: Conv | OtherConv) -> None:
    """Raise LayerError where both are above 1."""
    rank = len(layer.axes)
    strides = per_axis(layer.strides, rank, "strides")
    if max(strides) > 1 and max(per_axis(layer.dilation_rate, rank, "dilation_rate")) > 1:
        raise LayerError("strides and dilation_rate cannot both be above 1", "dilation_rate")


class Conv1D(Conv, frozen=True, kw_only=True):
    """A convolution over a sequence; `causal` padding lets no place see what follows it."""

    axes = SEQUENCE

    padding: CausalPadding = CausalPadding.valid


class Conv2D(Conv, frozen=True, kw_only=True):
    """A convolution over height and width."""

    axes = IMAGE

    padding: ConvPadding = ConvPadding.valid


class Conv3D(Conv, frozen=True, kw_only=True):
    """A convolution over depth, height and width."""

    axes = VOLUME

    padding: ConvPadding = ConvPadding.valid


class Conv1DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over a sequence."""

    axes = SEQUENCE


class Conv2DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over height and width."""

    axes = IMAGE


class Conv3DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over depth, height and width."""

    axes = VOLUME


class DepthwiseConv1D(DepthwiseConv, frozen=True, kw_only=True):
    """A depthwise convolution over a sequence."""

    axes = SEQUENCE


class DepthwiseConv2D(DepthwiseConv, frozen=True, kw_only=True):
    """A depthwise convolution over height and width."""

    axes = IMAGE


class SeparableConv1D(SeparableConv, frozen=True, kw_only=True):
    """A separable convolution over a sequence."""

    axes = SEQUENCE


class SeparableConv2D(SeparableConv, frozen=True, kw_only=True):
    """A separable convolution over height and width."""

    axes = IMAGE
