"""Shapes and the arithmetic of windows; the only home of "unknown".

A size is None where it is not known before data flows (the batch, a free image side). A shape
starts with the batch axis, as in Keras: ``(None, 28, 28, 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dense_calc.errors import LayerError

Size = int | None
Shape = tuple[Size, ...]
Sizes = tuple[int, ...]

MAX_RANK = 64  # axes of a tensor, as in NumPy
IMAGE = ("height", "width")


def times(sizes: Sequence[Size]) -> str:
    """Sizes as they are said: `3 × 3`."""
    return " × ".join(map(str, sizes))


def known(shape: Shape, axis: int) -> int:
    """The size of an axis that a weight depends on.

    Raises:
        LayerError: it is unknown, so that Keras cannot build the weight, or there is no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise LayerError(f"axis {axis} is not in the input, which is {shape}", "axis")
    size = shape[axis]
    if size is None:
        name = "last axis" if axis == -1 else f"axis {axis}"
        raise LayerError(
            f"the weights depend on the {name} of the input, which is unknown in {shape}; "
            "give it a size in the model's input"
        )
    return size


def demand_rank(shape: Shape, rank: int, axes: str, *, or_more: bool = False) -> None:
    """Raise LayerError unless `shape` has `rank` axes; `axes` is what they are."""
    if len(shape) < rank or (len(shape) > rank and not or_more):
        raise LayerError(
            f"the input must have {'at least ' if or_more else ''}{rank} axes, {axes}; "
            f"it has {len(shape)}: {shape}"
        )


def product(sizes: Shape) -> Size:
    """The number of elements, unknown if any size is; 1 for no axes."""
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def channel_axis(data_format: str | None) -> int:
    """The axis of the channels: the last one unless they are first (after the batch)."""
    return 1 if data_format == "channels_first" else -1


def sides(shape: Shape, names: tuple[str, ...], data_format: str | None) -> Shape:
    """The sizes of the axes called `names`, such as height and width, without batch and channels.

    Raises:
        LayerError: the shape has more or fewer axes.
    """
    first = data_format == "channels_first"
    axes = ("batch", "channels", *names) if first else ("batch", *names, "channels")
    demand_rank(shape, len(axes), f"({', '.join(axes)})")
    return shape[2:] if first else shape[1:-1]


def with_sides(shape: Shape, sizes: Shape, channels: Size, data_format: str | None) -> Shape:
    """`shape` with other sides and channels."""
    if data_format == "channels_first":
        return (shape[0], channels, *sizes)
    return (shape[0], *sizes, channels)


def slide(
    sizes: Shape, window: Sizes, strides: Sizes, reach: Sizes, padding: str, argument: str
) -> Shape:
    """How often a window fits along each axis.

    `window` is its size, which `argument` gave; `reach` is what it spans with dilation. Padding
    other than "valid" fills the sides, so that only the strides count. Source:
    `compute_conv_output_shape` and `compute_pooling_output_shape` of Keras.

    Raises:
        LayerError: somewhere it does not fit once.
    """
    if padding != "valid":
        reach = (1,) * len(reach)
    places = tuple(
        None if size is None else (size - span) // stride + 1
        for size, span, stride in zip(sizes, reach, strides, strict=True)
    )
    if padding == "valid" and any(place is not None and place < 1 for place in places):
        dilated = "" if reach == window else f", dilated to {times(reach)},"
        raise LayerError(
            f"{argument} {times(window)}{dilated} does not fit into {times(sizes)}; "
            "make it smaller, or write 'padding: same'",
            argument,
        )
    return places


def broadcast(one: Shape, other: Shape) -> Shape:
    """The shape of an elementwise operation: axes are matched from the last, and 1 stretches.

    Raises:
        LayerError: two sizes differ and neither is 1.
    """
    if len(one) < len(other):
        one, other = other, one
    lead = len(one) - len(other)
    return (*one[:lead], *map(stretched, one[lead:], other))


def stretched(one: Size, other: Size) -> Size:
    """The size of one broadcast axis; unknown beside anything is unknown, as Keras merges."""
    if one is None or other is None:
        return None
    if one != other and 1 not in (one, other):
        raise LayerError(f"sizes {one} and {other} differ, and neither is 1")
    return other if one == 1 else one
