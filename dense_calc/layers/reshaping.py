"""Keras' reshaping layers."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.base import KerasLayer, NotNegative
from dense_calc.layers.words import DataFormat
from dense_calc.shapes import IMAGE, MAX_RANK, Shape, channel_axis, product, sides, with_sides

SizeOrRest = Annotated[int, Meta(ge=-1)]
Pad = NotNegative | Annotated[tuple[NotNegative, ...], Meta(min_length=2, max_length=2)]


class Flatten(KerasLayer, frozen=True, kw_only=True):
    """All axes but the batch in one."""

    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        return (shape[0], product(shape[1:]))


class Reshape(KerasLayer, frozen=True, kw_only=True):
    """The same elements in another shape; -1 stands for what is left."""

    target_shape: Annotated[tuple[SizeOrRest | None, ...], Meta(max_length=MAX_RANK)]

    def output_shape(self, shape: Shape, /) -> Shape:
        target = self.target_shape
        if target.count(-1) > 1:
            raise LayerError("target_shape may hold -1 once", "target_shape")
        elements = product(shape[1:])
        if elements is None or None in target:
            return (shape[0], *(None if size == -1 else size for size in target))
        rest = math.prod(size for size in target if size is not None and size != -1)
        fits = elements == rest if -1 not in target else rest and elements % rest == 0
        if not fits:
            raise LayerError(
                f"target_shape {list(target)} does not hold the {elements:,} elements "
                f"of the input, {shape}",
                "target_shape",
            )
        return (shape[0], *(elements // rest if size == -1 else size for size in target))


class ZeroPadding(KerasLayer, frozen=True, kw_only=True):
    """Zeros around the input; `padding` is one number, one for each axis, or pairs of them."""

    axes: ClassVar[tuple[str, ...]]

    padding: int | tuple[Pad, ...] = 1
    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        sizes = tuple(
            None if size is None else size + pad
            for size, pad in zip(
                sides(shape, self.axes, self.data_format), self.added(), strict=True
            )
        )
        if any(size is not None and size < 0 for size in sizes):
            raise LayerError(
                f"padding {self.padding} leaves less than nothing of {shape}", "padding"
            )
        return with_sides(shape, sizes, shape[channel_axis(self.data_format)], self.data_format)

    def added(self) -> tuple[int, ...]:
        """The zeros added to each axis, both ends together. A single number may be negative."""
        if isinstance(self.padding, int):
            return (2 * self.padding,) * len(self.axes)
        if len(self.padding) != len(self.axes):
            raise LayerError(
                f"padding must be one integer, or {len(self.axes)} integers or pairs of them, "
                f"not {len(self.padding)}",
                "padding",
            )
        return tuple(2 * pad if isinstance(pad, int) else sum(pad) for pad in self.padding)


class ZeroPadding2D(ZeroPadding, frozen=True, kw_only=True):
    """Rows and columns of zeros around an image."""

    axes = IMAGE
