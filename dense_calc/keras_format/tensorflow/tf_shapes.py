"""What functions of TensorFlow do to shapes where their arguments are no operation's of Keras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.tensorflow.tf_arguments import (
    UNKNOWN_VALUE,
    TFCallArguments,
    apply_operation,
    convert_argument,
    resolve_value,
)
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.operations.operation import (
    Int64,
    collect_outputs,
    demand_few_outputs,
    is_compatible_shape,
    normalize_axes,
    normalize_axis,
    replace_axis_size,
)
from dense_calc.shapes import (
    Shape,
    Shapes,
    computed_size,
    demand_rank,
    is_shape,
    leaf_shapes,
    size_sum,
)

_UNKNOWN_SIZES = (None, -1)  # sizes that are not told


def _forget_sizes(shape: Shape, axes: Iterable[int]) -> Shape:
    """A shape whose sizes along these axes are unknown."""
    for axis in axes:
        shape = replace_axis_size(shape, axis, None)
    return shape


def _tensor_list_shapes(values: Shapes, axis: int | None = None) -> list[Shape]:
    """The shapes in a list of tensors; the first has what is known of the others, but along `axis`.

    Raises:
        LayerError: there is none.
    """
    shapes = list(leaf_shapes(values))
    if is_shape(values) or not shapes:
        raise LayerError("it takes a list of tensors")
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) == len(first):
            pairs = enumerate(zip(first, shape, strict=True))
            known = tuple(b if a is None and at != axis else a for at, (a, b) in pairs)
            first = known
    return [first, *shapes[1:]]


def concat_tensors(given: TFCallArguments, values: Shapes, /) -> Shapes:
    """One after the other along an axis."""
    rank = len(_tensor_list_shapes(values)[0])
    axis = normalize_axis(given.read_integer("axis", 0), rank)
    return apply_operation("Concatenate", {"axis": axis}, *_tensor_list_shapes(values, axis))


def stack_tensors(given: TFCallArguments, values: Shapes, /) -> Shapes:
    """One beside the other along a new axis."""
    return apply_operation(
        "Stack", {"axis": given.read_integer("axis", 0)}, *_tensor_list_shapes(values)
    )


def add_n(_given: TFCallArguments, values: Shapes, /) -> Shapes:
    """The sum of tensors of one shape."""
    stacked = apply_operation("Stack", {}, *_tensor_list_shapes(values))
    return stacked[1:]


def compare_tensors(_given: TFCallArguments, one: Shape, other: Shape | None, /) -> Shapes:
    """`==` and `!=`, whose second tensor most files lack."""
    return broadcast_shapes(one, other or ())


def index_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """`x[slice_spec]`. An unknown place is one of any, and an unknown end leaves the size so."""
    spec = resolve_value(given.arguments.get("slice_spec"))
    keys = spec if isinstance(spec, list) else [spec]
    middle = next((at for at, key in enumerate(keys) if _is_ellipsis(key)), len(keys))
    after = len([key for key in keys[middle:] if key is not None and not _is_ellipsis(key)])
    axis, parts = 0, list[Any]()
    for key in keys:
        if _is_ellipsis(key):
            axis = max(axis, len(x) - after)
        if key is None or _is_ellipsis(key):
            parts.append(key)
            continue
        part, is_known = _translate_key_part(key)
        parts.append(part)
        if not is_known and axis < len(x):
            x = replace_axis_size(x, axis, None)
        axis += 1
    return apply_operation("GetItem", {"key": parts}, x)


def _is_ellipsis(key: Any) -> bool:
    """Whether this is `...` in a key."""
    return isinstance(key, dict) and key.get("class_name") == "__ellipsis__"


def _translate_key_part(key: Any) -> tuple[Any, bool]:
    """A part of a key as Keras 3 writes it, and whether all of it is known."""
    if key is UNKNOWN_VALUE:
        return 0, False
    if not isinstance(key, dict):
        return key, True
    ends = {name: key.get(name) for name in ("start", "stop", "step")}
    is_known = all(end is not UNKNOWN_VALUE for end in ends.values())
    return {"class_name": "__slice__", "config": ends if is_known else {}}, is_known


def reshape_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """The same elements in another shape; the one size that is not told follows from the others."""
    target = given.read_sizes("shape")
    if len([size for size in target if size in _UNKNOWN_SIZES]) == 1 and None not in x:
        target = tuple(-1 if size is None else size for size in target)
    return apply_operation("Reshape", {"newshape": target}, x)


def squeeze_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """Without axes of size 1; one that is named may be unknown."""
    axes = given.find_value("axis", "squeeze_dims")
    if axes is None or axes == []:
        if None in x:
            raise LayerError(f"which axes of {x} are 1 is not known; name them", "axis")
        return apply_operation("Squeeze", {}, x)
    named = convert_argument(axes if isinstance(axes, list) else [axes], tuple[Int64, ...], "axis")
    for axis in normalize_axes(named, len(x)):
        x = replace_axis_size(x, axis, x[axis] or (1 if x[axis] is None else 0))
    return apply_operation("Squeeze", {"axis": named}, x)


def tile_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """Repeated along each axis."""
    times_each = given.read_sizes("multiples")
    _demand_value_per_axis(times_each, x, "multiples")
    repeats = [1 if times is None else times for times in times_each]
    tiled = apply_operation("Tile", {"repeats": repeats}, x)
    return _forget_sizes(tiled, (axis for axis, times in enumerate(times_each) if times is None))


def _demand_value_per_axis(values: Sequence[Any], shape: Shape, name: str) -> None:
    """Raise LayerError unless there is one value for each axis."""
    if len(values) != len(shape):
        raise LayerError(f"its {name} are {len(values)}, one for each axis of {shape} is wanted")


def repeat_elements(given: TFCallArguments, x: Shape, /) -> Shapes:
    """Each element along an axis so often."""
    axis = given.find_value("axis")
    if resolve_value(given.arguments.get("repeats")) is UNKNOWN_VALUE or None in given.read_sizes(
        "repeats"
    ):
        if axis is None:
            return (None,)
        return replace_axis_size(
            x, normalize_axis(convert_argument(axis, Int64, "axis"), len(x)), None
        )
    return apply_operation("Repeat", {"repeats": given.find_value("repeats"), "axis": axis}, x)


def pad_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """More at the ends of each axis."""
    pairs = convert_argument(
        given.find_value("paddings"), tuple[tuple[Int64 | None, Int64 | None], ...], "paddings"
    )
    _demand_value_per_axis(pairs, x, "paddings")
    blurred = _forget_sizes(x, (axis for axis, pair in enumerate(pairs) if None in pair))
    told = [(start or 0, end or 0) for start, end in pairs]
    return apply_operation("Pad", {"pad_width": told}, blurred) if x else x


def split_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """So many equal parts, or parts of these sizes, of which one may be -1: what is left."""
    axis = normalize_axis(given.read_integer("axis", 0), len(x))
    parts = given.find_value("num_or_size_splits")
    if not isinstance(parts, list):
        return apply_operation("Split", {"indices_or_sections": parts, "axis": axis}, x)
    argument = "num_or_size_splits"
    demand_few_outputs(len(parts), argument)
    sizes = list(convert_argument(parts, tuple[Int64 | None, ...], argument))
    whole = x[axis]
    if sizes.count(-1) == 1:
        told = size_sum([size for size in sizes if size != -1])
        rest = None
        if whole is not None and told is not None:
            rest = computed_size(whole - told, f"{whole} - {told}")
        sizes[sizes.index(-1)] = rest
    elif not is_compatible_shape((whole,), (size_sum(sizes),)):
        raise LayerError(f"parts of {sizes} are not all of {whole}")
    return collect_outputs((replace_axis_size(x, axis, size) for size in sizes), argument)


def gather_slices(given: TFCallArguments, x: Shape, indices: Shape, /) -> Shapes:
    """What stands at these places of an axis, perhaps with others for each of the first axes."""
    batch = given.read_integer("batch_dims", 0)
    batch = batch + len(indices) if batch < 0 else batch
    axis = given.read_integer("axis", batch)
    if not 0 <= batch <= min(len(x), len(indices)) or not is_compatible_shape(
        x[:batch], indices[:batch]
    ):
        raise LayerError(f"batch_dims {batch} do not fit {x} and {indices}")
    return apply_operation("Take", {"axis": axis}, x, indices[batch:])


def gather_nd(given: TFCallArguments, x: Shape, indices: Shape, /) -> Shapes:
    """What stands at places, each told along several axes."""
    demand_rank(indices, 1, "(..., depth)", or_more=True)
    depth, batch = indices[-1], given.read_integer("batch_dims", 0)
    if depth is None:
        raise LayerError(f"the last axis of the indices, {indices}, must be known")
    if batch < 0 or batch + depth > len(x):
        raise LayerError(f"indices of {indices} name more axes than {x} has")
    return (*indices[:-1], *x[batch + depth :])


def apply_boolean_mask(given: TFCallArguments, x: Shape, mask: Shape, /) -> Shapes:
    """What a mask leaves of one axis or several, which become one."""
    axis = normalize_axis(given.read_integer("axis", 0), len(x)) if x else 0
    if not mask or not is_compatible_shape(x[axis : axis + len(mask)], mask):
        raise LayerError(f"a mask of {mask} does not fit {x}")
    return (*x[:axis], None, *x[axis + len(mask) :])


def slice_tensor(given: TFCallArguments, x: Shape, /) -> Shapes:
    """A part of these sizes that begins there; -1 is all that is left."""
    starts, sizes = given.read_sizes("begin"), given.read_sizes("size")
    _demand_value_per_axis(starts, x, "begin")
    _demand_value_per_axis(sizes, x, "size")
    pairs = zip(starts, sizes, strict=True)
    shape = [None if start is None and size == -1 else size for start, size in pairs]
    told = [start or 0 for start in starts]
    return apply_operation("Slice", {"shape": shape, "start_indices": told}, x, None)


def select_elements(
    _given: TFCallArguments, condition: Shape, one: Shape | None, other: Shape | None, /
) -> Shapes:
    """Elements of one or the other; alone the places where a condition holds."""
    if one is None and other is None:
        return (None, len(condition))
    return apply_operation("Where", {}, condition, one, other)


def encode_one_hot(given: TFCallArguments, x: Shape, /) -> Shapes:
    """For each number a row with 1 at that place."""
    axis = given.read_integer("axis", -1)
    at = len(x) if axis == -1 else axis
    is_known = resolve_value(given.arguments.get("depth")) is not UNKNOWN_VALUE
    arguments = {"num_classes": given.find_value("depth") if is_known else 0}
    shape = apply_operation("OneHot", {**arguments, "axis": -1 if at == len(x) else at}, x)
    return shape if is_known else replace_axis_size(shape, at, None)


def sequence_mask(given: TFCallArguments, lengths: Shape, /) -> Shapes:
    """For each length as many ones in a row; the longest is known with data if it is not told."""
    is_known = resolve_value(given.arguments.get("maxlen")) is not UNKNOWN_VALUE
    longest = given.find_value("maxlen") if is_known else None
    return (*lengths, None if longest is None else convert_argument(longest, Int64, "maxlen"))


def ensure_shape(given: TFCallArguments, x: Shape, /) -> Shapes:
    """What is known and what is told together."""
    told = given.read_sizes("shape")
    if not is_compatible_shape(x, told):
        raise LayerError(f"an input of {x} is not {list(told)}")
    return tuple(b if a is None else a for a, b in zip(x, told, strict=True))


def multiply_matrices(given: TFCallArguments, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices, perhaps turned."""
    left = _transpose_matrices(one, given.has_flag("transpose_a", "adjoint_a"))
    return apply_operation(
        "Matmul", {}, left, _transpose_matrices(other, given.has_flag("transpose_b", "adjoint_b"))
    )


def multiply_matrix_vector(given: TFCallArguments, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices and vectors."""
    demand_rank(other, 1, "(..., size)", or_more=True)
    left = _transpose_matrices(one, given.has_flag("transpose_a", "adjoint_a"))
    product = apply_operation("Matmul", {}, left, (*other, 1))
    return product[:-1]


def _transpose_matrices(shape: Shape, is_turned: bool) -> Shape:
    """The shape of matrices, turned or not."""
    demand_rank(shape, 2, "(..., rows, columns)", or_more=True)
    return (*shape[:-2], shape[-1], shape[-2]) if is_turned else shape
