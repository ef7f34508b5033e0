"""Keras' convolution layers: an N-dimensional base for each sort, and a class for each rank."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    CaseInsensitiveEnum,
    Constraint,
    ConvPadding,
    DataFormat,
    Initializer,
    Regularizer,
)
from dense_calc.layers.base import (
    KerasLayer,
    NonNegativeInt,
    PositiveInt,
    Weight,
    WindowSize,
)
from dense_calc.layers.quantization import KernelAndBiasLayer
from dense_calc.shapes import (
    IMAGE_AXES,
    SEQUENCE_AXES,
    VOLUME_AXES,
    Shape,
    Size,
    Sizes,
    channel_axis,
    known_axis_size,
    size_product,
    sizes_per_axis,
    spatial_sizes,
    transposed_sizes,
    window_counts,
    with_spatial_sizes,
)


class _CausalPadding(CaseInsensitiveEnum):
    """How a convolution over a sequence treats its borders: `causal` fills only the start."""

    valid = "valid"
    same = "same"
    causal = "causal"


class Conv(KernelAndBiasLayer, frozen=True, kw_only=True):
    """A convolution: a window slides over the input, and each filter weighs what it sees."""

    spatial_axes: ClassVar[tuple[str, ...]]
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', filters)"

    filters: PositiveInt
    kernel_size: WindowSize
    strides: WindowSize = 1
    padding: CaseInsensitiveEnum = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: WindowSize = 1
    groups: PositiveInt = 1

    def output_shape(self, shape: Shape, /) -> Shape:
        _demand_strides_or_dilation(self)
        return _slide_over_input(self, shape, self.filters)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known_axis_size(shape, channel_axis(self.data_format))
        for what, count in ("filters", self.filters), ("channels of the input", channels):
            if count % self.groups:
                raise LayerError(
                    f"groups {self.groups} does not divide the {count} {what}", "groups"
                )
        seen = "channels" if self.groups == 1 else "channels per group"
        return self.kernel_and_bias_weights(
            {**window_axes(self), seen: channels // self.groups, "filters": self.filters}
        )


class _ConvWithoutLora(KerasLayer, frozen=True, kw_only=True):
    """What the other convolutions share, which have other kernels and no LoRA."""

    spatial_axes: ClassVar[tuple[str, ...]]
    shape_rule: ClassVar[str] = Conv.shape_rule

    kernel_size: WindowSize
    strides: WindowSize = 1
    padding: ConvPadding = ConvPadding.valid
    data_format: DataFormat | None = None
    dilation_rate: WindowSize = 1
    activation: ActivationArgument = None
    use_bias: bool = True
    bias_initializer: Initializer = "zeros"
    bias_regularizer: Regularizer = None
    bias_constraint: Constraint = None

    def bias_weights(self, axis: str, size: int) -> Iterator[Weight]:
        """The weight that is added to the output, one number for each of its channels."""
        if self.use_bias:
            yield Weight("bias", {axis: size}, self.bias_initializer)


class ConvTranspose(_ConvWithoutLora, frozen=True, kw_only=True):
    """A convolution the other way round: each place of the input spreads over a window.

    Its kernel has the filters before the channels. Without `output_padding` the output is as
    large as the input of a convolution could have been.
    """

    filters: PositiveInt
    output_padding: NonNegativeInt | tuple[NonNegativeInt, ...] | None = None
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        _demand_strides_or_dilation(self)
        _, reach, strides = _conv_geometry(self)
        extra = None
        if self.output_padding is not None:
            extra = sizes_per_axis(self.output_padding, len(self.spatial_axes), "output_padding")
            if any(more >= stride for more, stride in zip(extra, strides, strict=True)):
                raise LayerError(
                    f"output_padding {list(extra)} must be below strides {list(strides)} "
                    "on each axis",
                    "output_padding",
                )
        sizes = spatial_sizes(shape, self.spatial_axes, self.data_format)
        spread_out = transposed_sizes(sizes, reach, strides, self.padding, extra, "output_padding")
        return with_spatial_sizes(shape, spread_out, self.filters, self.data_format)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known_axis_size(shape, channel_axis(self.data_format))
        kernel = {**window_axes(self), "filters": self.filters, "channels": channels}
        yield Weight("kernel", kernel, self.kernel_initializer)
        yield from self.bias_weights("filters", self.filters)


class _ChannelwiseConv(_ConvWithoutLora, frozen=True, kw_only=True):
    """What convolutions share that look at each channel by itself.

    Keras lets them have strides and dilation at once.
    """

    depth_multiplier: PositiveInt = 1
    depthwise_initializer: Initializer = "glorot_uniform"
    depthwise_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None

    def depthwise_kernel(self, name: str, channels: int) -> Weight:
        """The kernel that makes `depth_multiplier` channels of each."""
        axes = {**window_axes(self), "channels": channels, "multiplier": self.depth_multiplier}
        return Weight(name, axes, self.depthwise_initializer)


class DepthwiseConv(_ChannelwiseConv, frozen=True, kw_only=True):
    """A convolution of each channel by itself, into `depth_multiplier` channels each."""

    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels')"

    def output_shape(self, shape: Shape, /) -> Shape:
        channels = shape[channel_axis(self.data_format)] if len(shape) > 1 else None
        return _slide_over_input(self, shape, size_product((channels, self.depth_multiplier)))

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known_axis_size(shape, channel_axis(self.data_format))
        yield self.depthwise_kernel("kernel", channels)
        yield from self.bias_weights("channels × multiplier", channels * self.depth_multiplier)


class SeparableConv(_ChannelwiseConv, frozen=True, kw_only=True):
    """A convolution of each channel by itself, whose results are then mixed at each place."""

    filters: PositiveInt
    pointwise_initializer: Initializer = "glorot_uniform"
    pointwise_regularizer: Regularizer = None
    pointwise_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        return _slide_over_input(self, shape, self.filters)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = known_axis_size(shape, channel_axis(self.data_format))
        yield self.depthwise_kernel("depthwise_kernel", channels)
        point = {" × ".join("1" * number): 1 for number in range(1, len(self.spatial_axes) + 1)}
        mixed = {"channels × multiplier": channels * self.depth_multiplier}
        axes = {**point, **mixed, "filters": self.filters}
        yield Weight("pointwise_kernel", axes, self.pointwise_initializer)
        yield from self.bias_weights("filters", self.filters)


def window_axes(layer: Conv | _ConvWithoutLora) -> dict[str, int]:
    """The axes of a kernel over which it slides."""
    sizes = sizes_per_axis(layer.kernel_size, len(layer.spatial_axes), "kernel_size")
    return dict(zip(layer.spatial_axes, sizes, strict=True))


def _conv_geometry(layer: Conv | _ConvWithoutLora) -> tuple[Sizes, Sizes, Sizes]:
    """The window, what it reaches with dilation, and its strides, each along each axis."""
    rank = len(layer.spatial_axes)
    kernel = sizes_per_axis(layer.kernel_size, rank, "kernel_size")
    strides = sizes_per_axis(layer.strides, rank, "strides")
    dilation = sizes_per_axis(layer.dilation_rate, rank, "dilation_rate")
    reach = tuple(rate * (size - 1) + 1 for rate, size in zip(dilation, kernel, strict=True))
    return kernel, reach, strides


def _slide_over_input(layer: Conv | _ConvWithoutLora, shape: Shape, channels: Size) -> Shape:
    """The shape that is left of an input when the window has slid over it."""
    sizes = spatial_sizes(shape, layer.spatial_axes, layer.data_format)
    kernel, reach, strides = _conv_geometry(layer)
    places = window_counts(sizes, kernel, strides, reach, layer.padding, "kernel_size")
    return with_spatial_sizes(shape, places, channels, layer.data_format)


def _demand_strides_or_dilation(layer: Conv | _ConvWithoutLora) -> None:
    """Raise LayerError where both are above 1."""
    rank = len(layer.spatial_axes)
    strides = sizes_per_axis(layer.strides, rank, "strides")
    if max(strides) > 1 and max(sizes_per_axis(layer.dilation_rate, rank, "dilation_rate")) > 1:
        raise LayerError("strides and dilation_rate cannot both be above 1", "dilation_rate")


class Conv1D(Conv, frozen=True, kw_only=True):
    """A convolution over a sequence; `causal` padding lets no place see what follows it."""

    spatial_axes = SEQUENCE_AXES

    padding: _CausalPadding = _CausalPadding.valid


class Conv2D(Conv, frozen=True, kw_only=True):
    """A convolution over height and width."""

    spatial_axes = IMAGE_AXES

    padding: ConvPadding = ConvPadding.valid


class Conv3D(Conv, frozen=True, kw_only=True):
    """A convolution over depth, height and width."""

    spatial_axes = VOLUME_AXES

    padding: ConvPadding = ConvPadding.valid


class Conv1DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over a sequence."""

    spatial_axes = SEQUENCE_AXES


class Conv2DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over height and width."""

    spatial_axes = IMAGE_AXES


class Conv3DTranspose(ConvTranspose, frozen=True, kw_only=True):
    """A transposed convolution over depth, height and width."""

    spatial_axes = VOLUME_AXES


class DepthwiseConv1D(DepthwiseConv, frozen=True, kw_only=True):
    """A depthwise convolution over a sequence."""

    spatial_axes = SEQUENCE_AXES


class DepthwiseConv2D(DepthwiseConv, frozen=True, kw_only=True):
    """A depthwise convolution over height and width."""

    spatial_axes = IMAGE_AXES


class SeparableConv1D(SeparableConv, frozen=True, kw_only=True):
    """A separable convolution over a sequence."""

    spatial_axes = SEQUENCE_AXES


class SeparableConv2D(SeparableConv, frozen=True, kw_only=True):
    """A separable convolution over height and width."""

    spatial_axes = IMAGE_AXES
