"""Keras' merging layers: several inputs become one output."""

from __future__ import annotations

from functools import reduce
from typing import ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, KerasLayer
from dense_calc.shapes import Shape, Size, broadcast

FEW = 4  # shapes that a sentence can list


class Merge(KerasLayer, frozen=True, kw_only=True):
    """An elementwise operation over all inputs, which are broadcast."""

    takes: ClassVar[range] = LIST_OF_INPUTS

    def output_shape(self, *shapes: Shape) -> Shape:
        batches = {shape[0] for shape in shapes} - {None}
        try:
            if len(batches) > 1:
                raise LayerError(f"batch sizes {sorted(filter(None, batches))} differ")
            sizes = reduce(broadcast, (shape[1:] for shape in shapes))
        except LayerError as error:
            raise LayerError(f"cannot merge {listed(shapes)}: {error.message}") from None
        return (batches.pop() if batches else None, *sizes)


class Add(Merge, frozen=True, kw_only=True):
    """The sum of its inputs."""


class Concatenate(KerasLayer, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`; all other sizes must agree."""

    takes: ClassVar[range] = LIST_OF_INPUTS

    axis: int = -1

    def output_shape(self, *shapes: Shape) -> Shape:
        first = shapes[0]
        ranks = {len(shape) for shape in shapes}
        if len(ranks) > 1:
            raise LayerError(
                f"cannot concatenate {listed(shapes)}: they have other numbers of axes"
            )
        # Keras does not look at an axis too far when there is nothing to add.
        if self.axis < -len(first) or (self.axis >= len(first) and len(shapes) > 1):
            raise LayerError(f"axis {self.axis} is not in {first}", "axis")
        axis = self.axis % len(first)
        for other, sizes in enumerate(zip(*shapes, strict=True)):
            if other != axis and len(set(sizes) - {None}) > 1:
                raise LayerError(
                    f"cannot concatenate {listed(shapes)} along axis {self.axis}: "
                    f"sizes differ on axis {other}"
                )
        return (*first[:axis], total([shape[axis] for shape in shapes]), *first[axis + 1 :])


def total(sizes: list[Size]) -> Size:
    """The sum of sizes, unknown if any is."""
    return None if None in sizes else sum(size for size in sizes if size is not None)


def listed(shapes: tuple[Shape, ...]) -> str:
    """Shapes in a sentence; of many, the first and the last."""
    shown = shapes if len(shapes) <= FEW else (*shapes[:3], "...", shapes[-1])
    return " and ".join(map(str, shown))
