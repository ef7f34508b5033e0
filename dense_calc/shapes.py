"""Shapes and the arithmetic of windows; the only home of "unknown".

A size is None where it is not known before data flows (the batch, a free image side). A shape
starts with the batch axis, as in Keras: ``(None, 28, 28, 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeGuard, TypeVar

from dense_calc.errors import LayerError, UnknownSizeError

T = TypeVar("T")
Size = int | None
Shape = tuple[Size, ...]
Sizes = tuple[int, ...]
Shapes = Shape | tuple["Shapes", ...] | dict[str, "Shapes"]  # of several tensors, as Keras nests


class UnknownShape(tuple[Size, ...]):
    """The shape of a tensor of which not even the axes are known; it holds the reason."""

    __slots__ = ()

    def __str__(self) -> str:
        return "?"

    __repr__ = __str__


UNBUILT_SHAPE = UnknownShape(["unbuilt"])  # type: ignore[list-item]  # nobody has said what the model reads
OPAQUE_SHAPE = UnknownShape(["opaque"])  # type: ignore[list-item]  # a layer does what its file does not tell

_NEST_TYPES = {tuple, dict, UnknownShape}
MAX_RANK = 64  # axes of a tensor, as in NumPy
SEQUENCE_AXES = ("length",)
IMAGE_AXES = ("height", "width")
VOLUME_AXES = ("depth", "height", "width")


class ComputedSize(int):
    """A size that remembers the arithmetic it came from, so that it can be explained."""

    arithmetic: str


def computed_size(size: int, how: str) -> ComputedSize:
    """`size`, worked out as `how` says in numbers and + - × // ( ): `(28 - 3) // 2 + 1`."""
    result = ComputedSize(size)
    result.arithmetic = how
    return result


def is_shape(shapes: Shapes) -> TypeGuard[Shape]:
    """Whether this is the shape of one tensor, not of several."""
    return isinstance(shapes, tuple) and _NEST_TYPES.isdisjoint(map(type, shapes))


def child_shapes(shapes: Shapes) -> tuple[Shapes, ...]:
    """What a nest of shapes holds; nothing if it is the shape of one tensor."""
    if isinstance(shapes, dict):
        return tuple(shapes.values())
    return tuple([each for each in shapes if isinstance(each, tuple | dict)])


def child_shape_at(shapes: Shapes, step: int | str) -> Shapes | None:
    """One part of a nest of shapes, by its place or its name; None where there is none."""
    if isinstance(shapes, dict):
        return shapes.get(step) if isinstance(step, str) else None
    part = shapes[step] if isinstance(step, int) and 0 <= step < len(shapes) else None
    return part if isinstance(part, tuple | dict) else None


def leaf_shapes(shapes: Shapes) -> Iterator[Shape]:
    """The shapes of the single tensors in a nest, those of a mapping by its keys, as in Keras."""
    if is_shape(shapes):
        yield shapes
        return
    if isinstance(shapes, dict):
        shapes = dict(sorted(shapes.items()))
    for each in child_shapes(shapes):
        yield from (each,) if is_shape(each) else leaf_shapes(each)


def leaf_paths(shapes: Shapes) -> Iterator[tuple[int | str, ...]]:
    """The way to each single tensor in a nest, in the order of `leaves`."""
    if is_shape(shapes):
        yield ()
    elif isinstance(shapes, dict):
        for name, each in sorted(shapes.items()):
            yield from ((name, *further) for further in leaf_paths(each))
    else:
        for number, each in enumerate(child_shapes(shapes)):
            further = ((),) if is_shape(each) else leaf_paths(each)
            yield from [(number, *way) for way in further]


def find_unknown_shape(shapes: Shapes) -> UnknownShape | None:
    """Why the shape of a tensor among these is not known, None if all are."""
    if isinstance(shapes, UnknownShape):
        return shapes
    if is_shape(shapes):
        return None
    return next((each for each in leaf_shapes(shapes) if isinstance(each, UnknownShape)), None)


def find_unknown_input(inputs: tuple[Shapes | None, ...]) -> UnknownShape | None:
    """Why the inputs of a layer are not known, None if they are."""
    return next(
        filter(None, (find_unknown_shape(each) for each in inputs if each is not None)), None
    )


def strip_arithmetic(shapes: Shapes) -> Shapes:
    """The same shapes without the memory of where sizes came from."""
    if isinstance(shapes, UnknownShape):
        return shapes
    if isinstance(shapes, dict):
        return {name: strip_arithmetic(each) for name, each in shapes.items()}
    if is_shape(shapes):
        return tuple([None if size is None else int(size) for size in shapes])
    return tuple([strip_arithmetic(each) for each in child_shapes(shapes)])


def format_sizes(sizes: Sequence[Size]) -> str:
    """Sizes as they are said: `3 × 3`."""
    return " × ".join(map(str, sizes))


def demand_axis(shape: Shapes, axis: int) -> None:
    """Raise LayerError unless `shape` has this axis; Keras counts the parts of a nest as axes."""
    if not -len(shape) <= axis < len(shape):
        raise LayerError(f"axis {axis} is not in the input, which is {shape}", "axis")


def known_axis_size(shape: Shape, axis: int) -> int:
    """The size of an axis that a weight depends on.

    Raises:
        LayerError: it is unknown, so that Keras cannot build the weight, or there is no such axis.
    """
    demand_axis(shape, axis)
    size = shape[axis]
    if size is None:
        name = "the last axis" if axis == -1 else f"axis {axis}"
        raise UnknownSizeError(
            f"the weights depend on {name} of the input, which is unknown in {shape}; "
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


def size_product(sizes: Shape) -> Size:
    """The number of elements, unknown if any size is; 1 for no axes."""
    if None in sizes:
        return None
    elements = math.prod(size for size in sizes if size is not None)
    return computed_size(elements, format_sizes(sizes)) if len(sizes) > 1 else elements


def size_sum(sizes: Sequence[Size]) -> Size:
    """The sum of sizes, unknown if any is."""
    if None in sizes:
        return None
    return computed_size(
        sum(size for size in sizes if size is not None), " + ".join(map(str, sizes))
    )


def channel_axis(data_format: str | None) -> int:
    """The axis of the channels: the last one unless they are first (after the batch)."""
    return 1 if data_format == "channels_first" else -1


def with_spatial_sizes(
    shape: Shape, sizes: Shape, channels: Size, data_format: str | None
) -> Shape:
    """`shape` with other sides and channels."""
    if data_format == "channels_first":
        return (shape[0], channels, *sizes)
    return (shape[0], *sizes, channels)


def window_counts(
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
    places = tuple(map(_axis_window_count, sizes, reach, strides))
    if padding == "valid" and any(place is not None and place < 1 for place in places):
        dilated = "" if reach == window else f", dilated to {format_sizes(reach)},"
        raise LayerError(
            f"{argument} {format_sizes(window)}{dilated} does not fit into {format_sizes(sizes)}; "
            "make it smaller, or write 'padding: same'",
            argument,
        )
    return places


def _axis_window_count(size: Size, span: int, stride: int) -> Size:
    """How often a window fits along one axis."""
    if size is None or (span == stride == 1):
        return size
    if stride == 1:
        return computed_size(size - span + 1, f"{size} - {span} + 1")
    return computed_size((size - span) // stride + 1, f"({size} - {span}) // {stride} + 1")


def transposed_sizes(
    sizes: Shape, reach: Sizes, strides: Sizes, padding: str, extra: Sizes | None, argument: str
) -> Shape:
    """How far windows spread that are laid down, one for each place: `slide` the other way round.

    `reach` is what a window spans with dilation; `extra` is added at the end of each axis, as
    `argument` gave it, and None is as much as Keras holds to be fit. Source:
    `_get_output_shape_given_tf_padding` of Keras.

    Raises:
        LayerError: somewhere nothing is left, not even an empty axis.
    """
    more = extra or (None,) * len(reach)
    spans = tuple(
        _transposed_axis_size(*each, same=padding == "same")
        for each in zip(sizes, reach, strides, more, strict=True)
    )
    if any(span is not None and span < 0 for span in spans):
        raise LayerError(
            f"{argument} {list(more)} makes sizes {list(spans)} of {list(sizes)}; remove it",
            argument,
        )
    return spans


def _transposed_axis_size(
    size: Size, span: int, stride: int, extra: int | None, *, same: bool
) -> Size:
    """How far windows spread along one axis."""
    if size is None or (same and extra is None and stride == 1):
        return size
    if same and extra is None:
        return computed_size(size * stride, f"{size} × {stride}")
    last = span % 2 if same else span
    if extra is None:
        extra = max(span, stride) - span
    tail = f" + {extra}" if extra else ""
    return computed_size(
        (size - 1) * stride + last + extra, f"({size} - 1) × {stride} + {last}{tail}"
    )


def as_tuple(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """An argument that is one value or several, as several."""
    return value if isinstance(value, tuple) else (value,)
