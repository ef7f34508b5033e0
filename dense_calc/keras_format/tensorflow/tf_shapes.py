"""What functions of TensorFlow do to shapes where their arguments are no operation's of Keras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_arguments import UNKNOWN, Given, applied, settled, typed
from dense_calc.layers.operations.operation import (
    Int,
    agree,
    broadcast,
    demand_few,
    place,
    places,
    several,
    with_size,
)
from dense_calc.shapes import Shape, Shapes, demand_rank, is_shape, leaves, total, worked

FREE = (None, -1)  # sizes that are not told


def unknown_at(shape: Shape, axes: Iterable[int]) -> Shape:
    """A shape whose sizes along these axes are unknown."""
    for axis in axes:
        shape = with_size(shape, axis, None)
    return shape


def tensors_of(values: Shapes, axis: int | None = None) -> list[Shape]:
    """The shapes in a list of tensors; the first has what is known of the others, but along `axis`.

    Raises:
        LayerError: there is none.
    """
    shapes = list(leaves(values))
    if is_shape(values) or not shapes:
        raise LayerError("it takes a list of tensors")
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) == len(first):
            pairs = enumerate(zip(first, shape, strict=True))
            known = tuple(b if a is None and at != axis else a for at, (a, b) in pairs)
            first = known
    return [first, *shapes[1:]]


def concat(given: Given, values: Shapes, /) -> Shapes:
    """One after the other along an axis."""
    rank = len(tensors_of(values)[0])
    axis = place(given.integer("axis", 0), rank)
    return applied("Concatenate", {"axis": axis}, *tensors_of(values, axis))


def stack(given: Given, values: Shapes, /) -> Shapes:
    """One beside the other along a new axis."""
    return applied("Stack", {"axis": given.integer("axis", 0)}, *tensors_of(values))


def add_n(_given: Given, values: Shapes, /) -> Shapes:
    """The sum of tensors of one shape."""
    stacked = applied("Stack", {}, *tensors_of(values))
    return stacked[1:]


def compared(_given: Given, one: Shape, other: Shape | None, /) -> Shapes:
    """`==` and `!=`, whose second tensor most files lack."""
    return broadcast(one, other or ())


def getitem(given: Given, x: Shape, /) -> Shapes:
    """`x[slice_spec]`. An unknown place is one of any, and an unknown end leaves the size so."""
    spec = settled(given.arguments.get("slice_spec"))
    keys = spec if isinstance(spec, list) else [spec]
    middle = next((at for at, key in enumerate(keys) if is_ellipsis(key)), len(keys))
    after = len([key for key in keys[middle:] if key is not None and not is_ellipsis(key)])
    axis, parts = 0, list[Any]()
    for key in keys:
        if is_ellipsis(key):
            axis = max(axis, len(x) - after)
        if key is None or is_ellipsis(key):
            parts.append(key)
            continue
        part, is_known = part_of(key)
        parts.append(part)
        if not is_known and axis < len(x):
            x = with_size(x, axis, None)
        axis += 1
    return applied("GetItem", {"key": parts}, x)


def is_ellipsis(key: Any) -> bool:
    """Whether this is `...` in a key."""
    return isinstance(key, dict) and key.get("class_name") == "__ellipsis__"


def part_of(key: Any) -> tuple[Any, bool]:
    """A part of a key as Keras 3 writes it, and whether all of it is known."""
    if key is UNKNOWN:
        return 0, False
    if not isinstance(key, dict):
        return key, True
    ends = {name: key.get(name) for name in ("start", "stop", "step")}
    is_known = all(end is not UNKNOWN for end in ends.values())
    return {"class_name": "__slice__", "config": ends if is_known else {}}, is_known


def reshape(given: Given, x: Shape, /) -> Shapes:
    """The same elements in another shape; the one size that is not told follows from the others."""
    target = given.sizes("shape")
    if len([size for size in target if size in FREE]) == 1 and None not in x:
        target = tuple(-1 if size is None else size for size in target)
    return applied("Reshape", {"newshape": target}, x)


def squeeze(given: Given, x: Shape, /) -> Shapes:
    """Without axes of size 1; one that is named may be unknown."""
    axes = given.value("axis", "squeeze_dims")
    if axes is None or axes == []:
        if None in x:
            raise LayerError(f"which axes of {x} are 1 is not known; name them", "axis")
        return applied("Squeeze", {}, x)
    named = typed(axes if isinstance(axes, list) else [axes], tuple[Int, ...], "axis")
    for axis in places(named, len(x)):
        x = with_size(x, axis, x[axis] or (1 if x[axis] is None else 0))
    return applied("Squeeze", {"axis": named}, x)


def tile(given: Given, x: Shape, /) -> Shapes:
    """Repeated along each axis."""
    times_each = given.sizes("multiples")
    demand_each(times_each, x, "multiples")
    repeats = [1 if times is None else times for times in times_each]
    tiled = applied("Tile", {"repeats": repeats}, x)
    return unknown_at(tiled, (axis for axis, times in enumerate(times_each) if times is None))


def demand_each(values: Sequence[Any], shape: Shape, name: str) -> None:
    """Raise LayerError unless there is one value for each axis."""
    if len(values) != len(shape):
        raise LayerError(f"its {name} are {len(values)}, one for each axis of {shape} is wanted")


def repeat(given: Given, x: Shape, /) -> Shapes:
    """Each element along an axis so often."""
    axis = given.value("axis")
    if settled(given.arguments.get("repeats")) is UNKNOWN or None in given.sizes("repeats"):
        if axis is None:
            return (None,)
        return with_size(x, place(typed(axis, Int, "axis"), len(x)), None)
    return applied("Repeat", {"repeats": given.value("repeats"), "axis": axis}, x)


def pad(given: Given, x: Shape, /) -> Shapes:
    """More at the ends of each axis."""
    pairs = typed(given.value("paddings"), tuple[tuple[Int | None, Int | None], ...], "paddings")
    demand_each(pairs, x, "paddings")
    blurred = unknown_at(x, (axis for axis, pair in enumerate(pairs) if None in pair))
    told = [(start or 0, end or 0) for start, end in pairs]
    return applied("Pad", {"pad_width": told}, blurred) if x else x


def split(given: Given, x: Shape, /) -> Shapes:
    """So many equal parts, or parts of these sizes, of which one may be -1: what is left."""
    axis = place(given.integer("axis", 0), len(x))
    parts = given.value("num_or_size_splits")
    if not isinstance(parts, list):
        return applied("Split", {"indices_or_sections": parts, "axis": axis}, x)
    argument = "num_or_size_splits"
    demand_few(len(parts), argument)
    sizes = list(typed(parts, tuple[Int | None, ...], argument))
    whole = x[axis]
    if sizes.count(-1) == 1:
        told = total([size for size in sizes if size != -1])
        rest = None
        if whole is not None and told is not None:
            rest = worked(whole - told, f"{whole} - {told}")
        sizes[sizes.index(-1)] = rest
    elif not agree((whole,), (total(sizes),)):
        raise LayerError(f"parts of {sizes} are not all of {whole}")
    return several((with_size(x, axis, size) for size in sizes), argument)


def gather(given: Given, x: Shape, indices: Shape, /) -> Shapes:
    """What stands at these places of an axis, perhaps with others for each of the first axes."""
    batch = given.integer("batch_dims", 0)
    batch = batch + len(indices) if batch < 0 else batch
    axis = given.integer("axis", batch)
    if not 0 <= batch <= min(len(x), len(indices)) or not agree(x[:batch], indices[:batch]):
        raise LayerError(f"batch_dims {batch} do not fit {x} and {indices}")
    return applied("Take", {"axis": axis}, x, indices[batch:])


def gather_nd(given: Given, x: Shape, indices: Shape, /) -> Shapes:
    """What stands at places, each told along several axes."""
    demand_rank(indices, 1, "(..., depth)", or_more=True)
    depth, batch = indices[-1], given.integer("batch_dims", 0)
    if depth is None:
        raise LayerError(f"the last axis of the indices, {indices}, must be known")
    if batch < 0 or batch + depth > len(x):
        raise LayerError(f"indices of {indices} name more axes than {x} has")
    return (*indices[:-1], *x[batch + depth :])


def boolean_mask(given: Given, x: Shape, mask: Shape, /) -> Shapes:
    """What a mask leaves of one axis or several, which become one."""
    axis = place(given.integer("axis", 0), len(x)) if x else 0
    if not mask or not agree(x[axis : axis + len(mask)], mask):
        raise LayerError(f"a mask of {mask} does not fit {x}")
    return (*x[:axis], None, *x[axis + len(mask) :])


def slice_of(given: Given, x: Shape, /) -> Shapes:
    """A part of these sizes that begins there; -1 is all that is left."""
    starts, sizes = given.sizes("begin"), given.sizes("size")
    demand_each(starts, x, "begin")
    demand_each(sizes, x, "size")
    pairs = zip(starts, sizes, strict=True)
    shape = [None if start is None and size == -1 else size for start, size in pairs]
    told = [start or 0 for start in starts]
    return applied("Slice", {"shape": shape, "start_indices": told}, x, None)


def where(_given: Given, condition: Shape, one: Shape | None, other: Shape | None, /) -> Shapes:
    """Elements of one or the other; alone the places where a condition holds."""
    if one is None and other is None:
        return (None, len(condition))
    return applied("Where", {}, condition, one, other)


def one_hot(given: Given, x: Shape, /) -> Shapes:
    """For each number a row with 1 at that place."""
    axis = given.integer("axis", -1)
    at = len(x) if axis == -1 else axis
    is_known = settled(given.arguments.get("depth")) is not UNKNOWN
    arguments = {"num_classes": given.value("depth") if is_known else 0}
    shape = applied("OneHot", {**arguments, "axis": -1 if at == len(x) else at}, x)
    return shape if is_known else with_size(shape, at, None)


def sequence_mask(given: Given, lengths: Shape, /) -> Shapes:
    """For each length as many ones in a row; the longest is known with data if it is not told."""
    is_known = settled(given.arguments.get("maxlen")) is not UNKNOWN
    longest = given.value("maxlen") if is_known else None
    return (*lengths, None if longest is None else typed(longest, Int, "maxlen"))


def ensure_shape(given: Given, x: Shape, /) -> Shapes:
    """What is known and what is told together."""
    told = given.sizes("shape")
    if not agree(x, told):
        raise LayerError(f"an input of {x} is not {list(told)}")
    return tuple(b if a is None else a for a, b in zip(x, told, strict=True))


def matmul(given: Given, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices, perhaps turned."""
    left = turned(one, given.flag("transpose_a", "adjoint_a"))
    return applied("Matmul", {}, left, turned(other, given.flag("transpose_b", "adjoint_b")))


def matvec(given: Given, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices and vectors."""
    demand_rank(other, 1, "(..., size)", or_more=True)
    left = turned(one, given.flag("transpose_a", "adjoint_a"))
    product = applied("Matmul", {}, left, (*other, 1))
    return product[:-1]


def turned(shape: Shape, is_turned: bool) -> Shape:
    """The shape of matrices, turned or not."""
    demand_rank(shape, 2, "(..., rows, columns)", or_more=True)
    return (*shape[:-2], shape[-1], shape[-2]) if is_turned else shape
