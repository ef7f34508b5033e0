"""Keras' merging layers: several inputs become one output."""

from __future__ import annotations

from functools import reduce
from typing import Annotated, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, TWO_INPUTS, KerasLayer
from dense_calc.layers.broadcasting import broadcast_layer_inputs
from dense_calc.shapes import Shape, demand_rank, distinct_sizes, size_sum

_MAX_LISTED_SHAPES = 4  # in a message


class _MergeLayer(KerasLayer, frozen=True, kw_only=True):
    """An elementwise operation over all inputs, which are broadcast to one shape."""

    arity: ClassVar[range] = LIST_OF_INPUTS
    inputs_as_list: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, ...), (batch, ...) → (batch, ...)"

    def output_shape(self, *shapes: Shape) -> Shape:
        _demand_batch_axes(shapes)
        batches = distinct_sizes(shape[0] for shape in shapes if shape[0] is not None)
        try:
            if len(batches) > 1:
                raise LayerError(f"batch sizes {batches} differ")
            sizes = reduce(broadcast_layer_inputs, (shape[1:] for shape in shapes))
        except LayerError as error:
            raise LayerError(f"cannot merge {_list_shapes(shapes)}: {error.message}") from None
        return (batches[0] if batches else None, *sizes)


class Add(_MergeLayer, frozen=True, kw_only=True):
    """The sum of its inputs."""


class Average(_MergeLayer, frozen=True, kw_only=True):
    """The average of its inputs."""


class Maximum(_MergeLayer, frozen=True, kw_only=True):
    """The largest of its inputs, element by element."""


class Minimum(_MergeLayer, frozen=True, kw_only=True):
    """The smallest of its inputs, element by element."""


class Multiply(_MergeLayer, frozen=True, kw_only=True):
    """The product of its inputs, element by element."""


class Subtract(_MergeLayer, frozen=True, kw_only=True):
    """The first of its two inputs less the second."""

    arity: ClassVar[range] = TWO_INPUTS


class Dot(KerasLayer, frozen=True, kw_only=True):
    """The products of two inputs, summed along an axis of each; a single number is (batch, 1).

    The sizes along `axes` must be the same, both known or both unknown. Keras looks no further
    before data comes: not at the batch, nor at axis 0, which it then refuses.
    """

    arity: ClassVar[range] = TWO_INPUTS
    inputs_as_list: ClassVar[bool] = True
    shape_rule: ClassVar[str] = (
        "(batch, first, features), (batch, second, features) → (batch, first, second)"
    )

    axes: int | Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)]
    normalize: bool = False

    def output_shape(self, first: Shape, second: Shape, /) -> Shape:
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        first_axis, second_axis = map(self._positive_axis, axes, (first, second))
        if first[first_axis] != second[second_axis]:
            raise LayerError(
                f"cannot multiply {_list_shapes((first, second))}: along axes {list(axes)} "
                f"their sizes are {first[first_axis]} and {second[second_axis]}; "
                "name axes of the same size",
                "axes",
            )
        if len(second) < 2:
            raise LayerError(f"the second input has only a batch axis: {second}")
        output = (*_drop_axis(first, first_axis), *_drop_axis(second, second_axis)[1:])
        return (*output, 1) if len(output) == 1 else output

    def _positive_axis(self, axis: int, shape: Shape) -> int:
        """An axis of an input, counted from the first.

        Where `axes` is one negative number, Keras takes it modulo the rank, however far it is.
        """
        wraps = isinstance(self.axes, int) and axis < 0 and shape
        if not wraps and not -len(shape) <= axis < len(shape):
            raise LayerError(f"axis {axis} is not in {shape}", "axes")
        return axis % len(shape)


class Concatenate(KerasLayer, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`; all other sizes must agree."""

    arity: ClassVar[range] = LIST_OF_INPUTS
    inputs_as_list: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, ..., first), (batch, ..., second) → (batch, ..., joined')"

    axis: int = -1

    def output_shape(self, *shapes: Shape) -> Shape:
        _demand_batch_axes(shapes)
        first = shapes[0]
        ranks = {len(shape) for shape in shapes}
        if len(ranks) > 1:
            raise LayerError(
                f"cannot concatenate {_list_shapes(shapes)}: they have different numbers of axes"
            )
        # Keras does not check the upper bound where there is only one input.
        if self.axis < -len(first) or (self.axis >= len(first) and len(shapes) > 1):
            raise LayerError(f"axis {self.axis} is not in {first}", "axis")
        axis = self.axis % len(first)
        for index, sizes in enumerate(zip(*shapes, strict=True)):
            if (
                index != axis
                and len(distinct_sizes(size for size in sizes if size is not None)) > 1
            ):
                raise LayerError(
                    f"cannot concatenate {_list_shapes(shapes)} along axis {self.axis}: "
                    f"sizes differ on axis {index}"
                )
        return (*first[:axis], size_sum([shape[axis] for shape in shapes]), *first[axis + 1 :])


def _demand_batch_axes(shapes: tuple[Shape, ...]) -> None:
    """Raise LayerError for an input without axes, not even that of the batch."""
    for shape in shapes:
        demand_rank(shape, 1, "(batch, ...)", or_more=True)


def _drop_axis(shape: Shape, axis: int) -> Shape:
    """`shape` without the axis at this index."""
    return (*shape[:axis], *shape[axis + 1 :])


def _list_shapes(shapes: tuple[Shape, ...]) -> str:
    """Shapes as a message lists them; of many, the first three and the last."""
    shown = shapes if len(shapes) <= _MAX_LISTED_SHAPES else (*shapes[:3], "...", shapes[-1])
    return " and ".join(map(str, shown))
