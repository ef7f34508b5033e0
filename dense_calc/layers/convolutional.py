"""Keras' convolution layers: a base class for each sort, a subclass of it for each rank."""

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
    PRODUCT_SIGN,
    KerasLayer,
    NonNegativeInt,
    PositiveInt,
    Weight,
    WindowSize,
)
from dense_calc.layers.kernels import KernelAndBiasLayer
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.shapes import (
    IMAGE_AXES,
    SEQUENCE_AXES,
    VOLUME_AXES,
    Shape,
    Size,
    Sizes,
    size_product,
    transposed_sizes,
    window_counts,
    with_spatial_sizes,
)


class CausalPadding(CaseInsensitiveEnum):
    """The padding of a convolution over a sequence: `causal` pads only the start."""

    valid = "valid"
    same = "same"
    causal = "causal"


class Conv(KernelAndBiasLayer, SpatialLayer, frozen=True, kw_only=True):
    """A convolution: each filter slides over the input and gives one number at each position."""

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
        channels = self.known_channel_count(shape)
        for name, count in ("filters", self.filters), ("channels of the input", channels):
            if count % self.groups:
                raise LayerError(
                    f"groups {self.groups} does not divide the {count} {name}", "groups"
                )
        inputs = "channels" if self.groups == 1 else "channels per group"
        return self.kernel_and_bias_weights(
            {**window_axes(self), inputs: channels // self.groups, "filters": self.filters}
        )


class _ConvWithoutLora(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """The arguments of the convolutions that have no LoRA, and their bias."""

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

    def _bias_weights(self, axis: str, size: int) -> Iterator[Weight]:
        """The bias along the output channels, an axis of this name and size, if there is one."""
        if self.use_bias:
            yield Weight("bias", {axis: size}, self.bias_initializer)


class ConvTranspose(_ConvWithoutLora, frozen=True, kw_only=True):
    """A convolution the other way round: each position of the input spreads over a window.

    Its kernel has the filters before the channels. Without `output_padding`, a convolution with
    the same arguments would turn the sizes of the output into those of the input.
    """

    filters: PositiveInt
    output_padding: NonNegativeInt | tuple[NonNegativeInt, ...] | None = None
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: Regularizer = None
    kernel_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        _demand_strides_or_dilation(self)
        _, reach, strides = _conv_geometry(self)
        end_padding = self._end_padding(strides)
        sides = self.spatial_sizes(shape)
        sizes = transposed_sizes(sides, reach, strides, self.padding, end_padding, "output_padding")
        return with_spatial_sizes(shape, sizes, self.filters, self.data_format)

    def _end_padding(self, strides: Sizes) -> Sizes | None:
        """`output_padding` along each axis, None where it follows from the strides."""
        if self.output_padding is None:
            return None
        sizes = self.argument_sizes("output_padding")
        if any(size >= stride for size, stride in zip(sizes, strides, strict=True)):
            raise LayerError(
                f"output_padding {list(sizes)} must be below strides {list(strides)} on each axis",
                "output_padding",
            )
        return sizes

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = self.known_channel_count(shape)
        kernel = {**window_axes(self), "filters": self.filters, "channels": channels}
        yield Weight("kernel", kernel, self.kernel_initializer)
        yield from self._bias_weights("filters", self.filters)


class _ChannelwiseConv(_ConvWithoutLora, frozen=True, kw_only=True):
    """A convolution whose kernel reads each channel by itself.

    Unlike the other convolutions it may have both strides and dilation.
    """

    depth_multiplier: PositiveInt = 1
    depthwise_initializer: Initializer = "glorot_uniform"
    depthwise_regularizer: Regularizer = None
    depthwise_constraint: Constraint = None

    def _depthwise_kernel(self, name: str, channels: int) -> Weight:
        """The kernel that makes `depth_multiplier` channels of each input channel."""
        axes = {**window_axes(self), "channels": channels, "multiplier": self.depth_multiplier}
        return Weight(name, axes, self.depthwise_initializer)


class DepthwiseConv(_ChannelwiseConv, frozen=True, kw_only=True):
    """A convolution of each channel by itself, into `depth_multiplier` channels each."""

    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels')"

    def output_shape(self, shape: Shape, /) -> Shape:
        channels = self.channel_count(shape) if len(shape) > 1 else None
        return _slide_over_input(self, shape, size_product((channels, self.depth_multiplier)))

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = self.known_channel_count(shape)
        yield self._depthwise_kernel("kernel", channels)
        yield from self._bias_weights("channels × multiplier", channels * self.depth_multiplier)


class SeparableConv(_ChannelwiseConv, frozen=True, kw_only=True):
    """A convolution of each channel by itself, then a mixture of the results at each position."""

    filters: PositiveInt
    pointwise_initializer: Initializer = "glorot_uniform"
    pointwise_regularizer: Regularizer = None
    pointwise_constraint: Constraint = None

    def output_shape(self, shape: Shape, /) -> Shape:
        return _slide_over_input(self, shape, self.filters)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        channels = self.known_channel_count(shape)
        yield self._depthwise_kernel("depthwise_kernel", channels)
        window = {PRODUCT_SIGN.join("1" * (axis + 1)): 1 for axis in range(len(self.spatial_axes))}
        inputs = {"channels × multiplier": channels * self.depth_multiplier}
        axes = {**window, **inputs, "filters": self.filters}
        yield Weight("pointwise_kernel", axes, self.pointwise_initializer)
        yield from self._bias_weights("filters", self.filters)


def window_axes(layer: Conv | _ConvWithoutLora) -> dict[str, int]:
    """The spatial axes of the kernel."""
    return dict(zip(layer.spatial_axes, layer.argument_sizes("kernel_size"), strict=True))


def _conv_geometry(layer: Conv | _ConvWithoutLora) -> tuple[Sizes, Sizes, Sizes]:
    """Along each axis: the size of the window, its extent with dilation, and its stride."""
    kernel, strides = layer.argument_sizes("kernel_size"), layer.argument_sizes("strides")
    dilation = layer.argument_sizes("dilation_rate")
    reach = tuple(rate * (size - 1) + 1 for rate, size in zip(dilation, kernel, strict=True))
    return kernel, reach, strides


def _slide_over_input(layer: Conv | _ConvWithoutLora, shape: Shape, channels: Size) -> Shape:
    """The output shape of a convolution with so many output channels."""
    sizes = layer.spatial_sizes(shape)
    kernel, reach, strides = _conv_geometry(layer)
    counts = window_counts(sizes, kernel, strides, reach, layer.padding, "kernel_size")
    return with_spatial_sizes(shape, counts, channels, layer.data_format)


def _demand_strides_or_dilation(layer: Conv | _ConvWithoutLora) -> None:
    """Raise LayerError where strides and dilation are both above 1."""
    if max(layer.argument_sizes("strides")) > 1 and max(layer.argument_sizes("dilation_rate")) > 1:
        raise LayerError("strides and dilation_rate cannot both be above 1", "dilation_rate")


class Conv1D(Conv, frozen=True, kw_only=True):
    """A convolution over a sequence; `causal` padding lets no place see what follows it."""

    spatial_axes = SEQUENCE_AXES

    padding: CausalPadding = CausalPadding.valid


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
