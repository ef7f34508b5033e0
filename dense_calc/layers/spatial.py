"""The base of layers whose inputs have spatial axes, such as height and width."""

from __future__ import annotations

from typing import ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.shapes import (
    Shape,
    Size,
    Sizes,
    channel_axis,
    demand_rank,
    known_axis_size,
    spatial_sizes,
    with_spatial_sizes,
)


class SpatialLayer(LayerKind, frozen=True, kw_only=True):
    """A layer whose input has spatial axes beside those of the batch and the channels."""

    spatial_axes: ClassVar[tuple[str, ...]]
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    @property
    def data_format(self) -> str | None:
        """The position of the channels, last by default; an argument of most kinds, not of all."""
        return None

    def spatial_sizes(self, shape: Shape) -> Shape:
        """The sizes of the spatial axes of an input.

        Raises:
            LayerError: the input has more or fewer axes.
        """
        first = self.data_format == "channels_first"
        sides = self.spatial_axes
        axes = ("batch", "channels", *sides) if first else ("batch", *sides, "channels")
        demand_rank(shape, len(axes), f"({', '.join(axes)})")
        return spatial_sizes(shape, self.data_format)

    def replace_spatial_sizes(self, shape: Shape, sizes: Shape) -> Shape:
        """The shape of an input with these sizes of its spatial axes."""
        return with_spatial_sizes(shape, sizes, self.channel_count(shape), self.data_format)

    def channel_count(self, shape: Shape) -> Size:
        """The number of channels of an input, None where it is unknown."""
        return shape[channel_axis(self.data_format)]

    def known_channel_count(self, shape: Shape) -> int:
        """The number of channels of an input; LayerError where it is unknown."""
        return known_axis_size(shape, channel_axis(self.data_format))

    def argument_sizes(self, argument: str) -> Sizes:
        """The value of an argument, such as "strides", as one size for each spatial axis.

        Raises:
            LayerError: it has another number of sizes.
        """
        value, rank = getattr(self, argument), len(self.spatial_axes)
        sizes: Sizes = (value,) * rank if isinstance(value, int) else value
        if len(sizes) != rank:
            several = f", or a list of {rank}, one for each axis" if rank > 1 else ""
            raise LayerError(
                f"{argument} must be one integer{several}, not {list(sizes)}", argument
            )
        return sizes
