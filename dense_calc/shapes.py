"""Shapes of tensors, nests of them, and the arithmetic of sizes and windows.

A size is None where it is not known before data flows (the batch, a free image side). A shape
starts with the batch axis, as in Keras: ``(None, 28, 28, 1)``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeGuard, TypeVar

from dense_calc.errors import LayerError, RankError, UnknownSizeError
from dense_calc.symbolic.state import is_symbolic

T = TypeVar("T")
Size = int | None
Shape = tuple[Size, ...]
Sizes = tuple[int, ...]
Shapes = Shape | tuple["Shapes", ...] | dict[str, "Shapes"]  # of tensors in a nest, as in Keras


class UnknownShape(tuple[Size, ...]):
    """The shape of a tensor of which not even the axes are known; its one item is the reason."""

    __slots__ = ()

    def __str__(self) -> str:
        return "?"

    __repr__ = __str__


UNBUILT_SHAPE = UnknownShape(["unbuilt"])  # type: ignore[list-item]  # the model has no input shape
OPAQUE_SHAPE = UnknownShape(["opaque"])  # type: ignore[list-item]  # its file does not tell what a layer does

_NEST_TYPES = {tuple, dict, UnknownShape}
MAX_RANK = 64  # axes of a tensor, as in NumPy
SEQUENCE_AXES = ("length",)
IMAGE_AXES = ("height", "width")
VOLUME_AXES = ("depth", "height", "width")


class ComputedSize(int):
    """A size that remembers the arithmetic it came from, so that it can be explained."""

    arithmetic: str


def computed_size(size: int, arithmetic: str) -> int:
    """`size` with its arithmetic, in numbers and + - × // / ( ) ⌈ ⌉: `(28 - 3) // 2 + 1`.

    A symbolic size remembers an expression anyway.
    """
    if is_symbolic(size):
        return size
    result = ComputedSize(size)
    result.arithmetic = arithmetic
    return result


def is_shape(shapes: Shapes) -> TypeGuard[Shape]:
    """Whether this is the shape of one tensor, not a nest of shapes."""
    return isinstance(shapes, tuple) and _NEST_TYPES.isdisjoint(map(type, shapes))


def child_shapes(shapes: Shapes) -> tuple[Shapes, ...]:
    """The items of a nest of shapes; none if it is the shape of one tensor."""
    if isinstance(shapes, dict):
        return tuple(shapes.values())
    return tuple([each for each in shapes if isinstance(each, tuple | dict)])


def child_shape_at(shapes: Shapes, step: int | str) -> Shapes | None:
    """The item of a nest of shapes with an index or a key; None where there is none."""
    if isinstance(shapes, dict):
        return shapes.get(step) if isinstance(step, str) else None
    part = shapes[step] if isinstance(step, int) and 0 <= step < len(shapes) else None
    return part if isinstance(part, tuple | dict) else None


def leaf_shapes(shapes: Shapes) -> Iterator[Shape]:
    """The shapes of the tensors in a nest; mappings in the order of their keys, as in Keras."""
    if is_shape(shapes):
        yield shapes
        return
    if isinstance(shapes, dict):
        shapes = dict(sorted(shapes.items()))
    for each in child_shapes(shapes):
        yield from (each,) if is_shape(each) else leaf_shapes(each)


def leaf_paths(shapes: Shapes) -> Iterator[tuple[int | str, ...]]:
    """The indices and keys that lead to each tensor in a nest, in the order of `leaf_shapes`."""
    if is_shape(shapes):
        yield ()
    elif isinstance(shapes, dict):
        for name, each in sorted(shapes.items()):
            yield from ((name, *path) for path in leaf_paths(each))
    else:
        for number, each in enumerate(child_shapes(shapes)):
            paths = ((),) if is_shape(each) else leaf_paths(each)
            yield from [(number, *path) for path in paths]


def find_unknown_shape(shapes: Shapes) -> UnknownShape | None:
    """The first unknown shape in a nest, None if all are known."""
    if isinstance(shapes, UnknownShape):
        return shapes
    if is_shape(shapes):
        return None
    return next((each for each in leaf_shapes(shapes) if isinstance(each, UnknownShape)), None)


def find_unknown_input(inputs: tuple[Shapes | None, ...]) -> UnknownShape | None:
    """The first unknown shape among the inputs of a layer, None if all are known."""
    known = (find_unknown_shape(each) for each in inputs if each is not None)
    return next(filter(None, known), None)


def strip_size(size: int) -> int:
    """A size that does not remember its arithmetic."""
    return size if is_symbolic(size) else int(size)


def strip_arithmetic(shapes: Shapes) -> Shapes:
    """The same shapes with plain sizes, which do not remember their arithmetic."""
    if isinstance(shapes, UnknownShape):
        return shapes
    if isinstance(shapes, dict):
        return {name: strip_arithmetic(each) for name, each in shapes.items()}
    if is_shape(shapes):
        return tuple([None if size is None else strip_size(size) for size in shapes])
    return tuple([strip_arithmetic(each) for each in child_shapes(shapes)])


def distinct_sizes(sizes: Iterable[Size]) -> list[Size]:
    """Each of these sizes once."""
    distinct: list[Size] = []
    for size in sizes:
        if size not in distinct:
            distinct.append(size)
    return distinct


def format_sizes(sizes: Sequence[Size]) -> str:
    """Sizes as text: `3 × 3`."""
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
    """Raise LayerError unless `shape` has `rank` axes; the message names them as `axes`."""
    if len(shape) < rank or (len(shape) > rank and not or_more):
        least = "at least " if or_more else ""
        message = f"the input must have {least}{rank} axes, {axes}; it has {len(shape)}: {shape}"
        raise RankError.of_rank(rank, message)


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
    total = sum(size for size in sizes if size is not None)
    return computed_size(total, " + ".join(map(str, sizes)))


def channel_axis(data_format: str | None) -> int:
    """The axis of the channels: 1 where they stand first, after the batch; else the last."""
    return 1 if data_format == "channels_first" else -1


def spatial_sizes(shape: Shape, data_format: str | None) -> Shape:
    """The sizes of the axes that are neither the batch nor the channels."""
    return shape[2:] if data_format == "channels_first" else shape[1:-1]


def with_spatial_sizes(
    shape: Shape, sizes: Shape, channels: Size, data_format: str | None
) -> Shape:
    """`shape` with other spatial sizes and channels."""
    if data_format == "channels_first":
        return (shape[0], channels, *sizes)
    return (shape[0], *sizes, channels)


def window_counts(
    sizes: Shape, window: Sizes, strides: Sizes, reach: Sizes, padding: str, argument: str
) -> Shape:
    """The number of places of a window along each axis.

    `window` is its size, the value of `argument`; `reach` is its size with dilation. With a padding
    other than "valid" only the strides count. Source: `compute_conv_output_shape` and
    `compute_pooling_output_shape` of Keras.

    Raises:
        LayerError: the window does not fit into an axis.
    """
    if padding == "valid":
        counts = tuple(map(_axis_window_count, sizes, reach, strides))
    else:
        counts = tuple(map(_axis_stride_count, sizes, strides))
    if padding == "valid" and any(count is not None and count < 1 for count in counts):
        dilated = "" if reach == window else f", dilated to {format_sizes(reach)},"
        raise LayerError(
            f"{argument} {format_sizes(window)}{dilated} does not fit into {format_sizes(sizes)}; "
            "make it smaller, or write 'padding: same'",
            argument,
        )
    return counts


def _axis_window_count(size: Size, span: int, stride: int) -> Size:
    """The number of places of a window along one axis."""
    if size is None or (span == stride == 1):
        return size
    if stride == 1:
        return computed_size(size - span + 1, f"{size} - {span} + 1")
    return computed_size((size - span) // stride + 1, f"({size} - {span}) // {stride} + 1")


def _axis_stride_count(size: Size, stride: int) -> Size:
    """The number of places of a padded window along one axis."""
    if size is None or stride == 1:
        return size
    return computed_size((size - 1) // stride + 1, f"⌈{size} / {stride}⌉")


def transposed_sizes(
    sizes: Shape, reach: Sizes, strides: Sizes, padding: str, extra: Sizes | None, argument: str
) -> Shape:
    """The sizes that a transposed convolution gives: the inverse of `window_counts`.

    `reach` is the size of the window with dilation. `extra`, the value of `argument`, is added at
    the end of each axis; with None, Keras chooses it. Source: `_get_output_shape_given_tf_padding`
    of Keras.

    Raises:
        LayerError: a size is negative.
    """
    extras = extra or (None,) * len(reach)
    result = tuple(
        _transposed_axis_size(*each, same=padding == "same")
        for each in zip(sizes, reach, strides, extras, strict=True)
    )
    if any(size is not None and size < 0 for size in result):
        problem = f"{argument} {list(extras)} makes sizes {list(result)} of {list(sizes)}"
        raise LayerError(f"{problem}; remove it", argument)
    return result


def _transposed_axis_size(
    size: Size, span: int, stride: int, extra: int | None, *, same: bool
) -> Size:
    """The size that a transposed convolution gives along one axis."""
    if size is None or (same and extra is None and stride == 1):
        return size
    if same and extra is None:
        return computed_size(size * stride, f"{size} × {stride}")
    last = span % 2 if same else span
    if extra is None:
        extra = max(span, stride) - span
    arithmetic = f"({size} - 1) × {stride} + {last}" + (f" + {extra}" if extra else "")
    return computed_size((size - 1) * stride + last + extra, arithmetic)


def as_tuple(value: T | tuple[T, ...]) -> tuple[T, ...]:
    """An argument that is one value or several, as several."""
    return value if isinstance(value, tuple) else (value,)
