"""Output shapes of TensorFlow functions whose arguments differ from those of Keras' operations."""

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


def _forget_sizes(shape: Shape, axes: Iterable[int]) -> Shape:
    """A shape with unknown sizes along these axes."""
    for axis in axes:
        shape = replace_axis_size(shape, axis, None)
    return shape


def _tensor_list_shapes(values: Shapes, axis: int | None = None) -> list[Shape]:
    """The shapes in a list of tensors.

    An unknown size of the first shape becomes that of another one, except along `axis`.

    Raises:
        LayerError: there is no tensor.
    """
    shapes = list(leaf_shapes(values))
    if is_shape(values) or not shapes:
        raise LayerError("it takes a list of tensors")
    first, *others = shapes
    for other in others:
        if len(other) == len(first):
            first = tuple(
                sizes[1] if sizes[0] is None and number != axis else sizes[0]
                for number, sizes in enumerate(zip(first, other, strict=True))
            )
    return [first, *others]


def concat_tensors(call: TFCallArguments, values: Shapes, /) -> Shapes:
    """Tensors one after the other along an axis."""
    rank = len(_tensor_list_shapes(values)[0])
    axis = normalize_axis(call.read_integer("axis", 0), rank)
    return apply_operation("Concatenate", {"axis": axis}, *_tensor_list_shapes(values, axis))


def stack_tensors(call: TFCallArguments, values: Shapes, /) -> Shapes:
    """Tensors one beside the other along a new axis."""
    return apply_operation(
        "Stack", {"axis": call.read_integer("axis", 0)}, *_tensor_list_shapes(values)
    )


def add_n(_call: TFCallArguments, values: Shapes, /) -> Shapes:
    """The sum of tensors of one shape."""
    stacked = apply_operation("Stack", {}, *_tensor_list_shapes(values))
    return stacked[1:]


def compare_tensors(_call: TFCallArguments, one: Shape, other: Shape | None, /) -> Shapes:
    """`==` and `!=`; most files lack the second tensor."""
    return broadcast_shapes(one, other or ())


def index_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """`x[slice_spec]`; an unknown index may be any, and an unknown end makes the size unknown."""
    spec = resolve_value(call.arguments.get("slice_spec"))
    keys = spec if isinstance(spec, list) else [spec]
    middle = next((place for place, key in enumerate(keys) if _is_ellipsis(key)), len(keys))
    axes_after = len([key for key in keys[middle:] if key is not None and not _is_ellipsis(key)])
    axis, parts = 0, list[Any]()
    for key in keys:
        if _is_ellipsis(key):
            axis = max(axis, len(x) - axes_after)
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
    """A part of a key in the spelling of Keras 3, and whether all of it is known."""
    if key is UNKNOWN_VALUE:
        return 0, False
    if not isinstance(key, dict):
        return key, True
    ends = {name: key.get(name) for name in ("start", "stop", "step")}
    is_known = all(end is not UNKNOWN_VALUE for end in ends.values())
    return {"class_name": "__slice__", "config": ends if is_known else {}}, is_known


def reshape_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """The same elements in another shape; a single unknown size follows from the others."""
    target = call.read_sizes("shape")
    if len([size for size in target if size in (None, -1)]) == 1 and None not in x:
        target = tuple(-1 if size is None else size for size in target)
    return apply_operation("Reshape", {"newshape": target}, x)


def squeeze_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """Removes axes of size 1; along `axis` an unknown size counts as 1."""
    axes = call.find_value("axis", "squeeze_dims")
    if axes is None or axes == []:
        if None in x:
            raise LayerError(f"which axes of {x} are 1 is not known; name them", "axis")
        return apply_operation("Squeeze", {}, x)
    listed = convert_argument(axes if isinstance(axes, list) else [axes], tuple[Int64, ...], "axis")
    for axis in normalize_axes(listed, len(x)):
        x = replace_axis_size(x, axis, 1 if x[axis] is None else x[axis])
    return apply_operation("Squeeze", {"axis": listed}, x)


def tile_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """The input repeated along each axis."""
    factors = call.read_sizes("multiples")
    _demand_value_per_axis(factors, x, "multiples")
    repeats = [1 if factor is None else factor for factor in factors]
    tiled = apply_operation("Tile", {"repeats": repeats}, x)
    return _forget_sizes(tiled, (axis for axis, factor in enumerate(factors) if factor is None))


def _demand_value_per_axis(values: Sequence[Any], shape: Shape, name: str) -> None:
    """Raise LayerError unless there is one value for each axis."""
    if len(values) != len(shape):
        raise LayerError(f"its {name} are {len(values)}, one for each axis of {shape} is wanted")


def repeat_elements(call: TFCallArguments, x: Shape, /) -> Shapes:
    """Each element along an axis repeated `repeats` times."""
    axis = call.find_value("axis")
    if not call.is_unknown("repeats") and None not in call.read_sizes("repeats"):
        return apply_operation("Repeat", {"repeats": call.find_value("repeats"), "axis": axis}, x)
    if axis is None:
        return (None,)
    number = normalize_axis(convert_argument(axis, Int64, "axis"), len(x))
    return replace_axis_size(x, number, None)


def pad_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """Padding at the ends of each axis."""
    pairs = convert_argument(
        call.find_value("paddings"), tuple[tuple[Int64 | None, Int64 | None], ...], "paddings"
    )
    _demand_value_per_axis(pairs, x, "paddings")
    known = _forget_sizes(x, (axis for axis, pair in enumerate(pairs) if None in pair))
    widths = [(start or 0, end or 0) for start, end in pairs]
    return apply_operation("Pad", {"pad_width": widths}, known) if x else x


def split_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """A number of equal parts, or parts of these sizes, of which -1 takes the rest."""
    axis = normalize_axis(call.read_integer("axis", 0), len(x))
    parts = call.find_value("num_or_size_splits")
    if not isinstance(parts, list):
        return apply_operation("Split", {"indices_or_sections": parts, "axis": axis}, x)
    argument = "num_or_size_splits"
    demand_few_outputs(len(parts), argument)
    sizes = list(convert_argument(parts, tuple[Int64 | None, ...], argument))
    total = x[axis]
    if sizes.count(-1) == 1:
        others = size_sum([size for size in sizes if size != -1])
        rest = None
        if total is not None and others is not None:
            rest = computed_size(total - others, f"{total} - {others}")
        sizes[sizes.index(-1)] = rest
    elif not is_compatible_shape((total,), (size_sum(sizes),)):
        raise LayerError(f"parts of {sizes} are not all of {total}")
    return collect_outputs((replace_axis_size(x, axis, size) for size in sizes), argument)


def gather_slices(call: TFCallArguments, x: Shape, indices: Shape, /) -> Shapes:
    """The elements at these places of an axis; each batch may have its own places."""
    batch_rank = call.read_integer("batch_dims", 0)
    batch_rank = batch_rank + len(indices) if batch_rank < 0 else batch_rank
    axis = call.read_integer("axis", batch_rank)
    if not 0 <= batch_rank <= min(len(x), len(indices)) or not is_compatible_shape(
        x[:batch_rank], indices[:batch_rank]
    ):
        raise LayerError(f"batch_dims {batch_rank} do not fit {x} and {indices}")
    return apply_operation("Take", {"axis": axis}, x, indices[batch_rank:])


def gather_nd(call: TFCallArguments, x: Shape, indices: Shape, /) -> Shapes:
    """The elements or slices at places, each with one index for each of the first axes."""
    demand_rank(indices, 1, "(..., depth)", or_more=True)
    depth, batch_rank = indices[-1], call.read_integer("batch_dims", 0)
    if depth is None:
        raise LayerError(f"the last axis of the indices, {indices}, must be known")
    if batch_rank < 0 or batch_rank + depth > len(x):
        raise LayerError(f"indices of {indices} name more axes than {x} has")
    return (*indices[:-1], *x[batch_rank + depth :])


def apply_boolean_mask(call: TFCallArguments, x: Shape, mask: Shape, /) -> Shapes:
    """The elements where a mask is true; the axes of the mask become one."""
    axis = normalize_axis(call.read_integer("axis", 0), len(x)) if x else 0
    if not mask or not is_compatible_shape(x[axis : axis + len(mask)], mask):
        raise LayerError(f"a mask of {mask} does not fit {x}")
    return (*x[:axis], None, *x[axis + len(mask) :])


def slice_tensor(call: TFCallArguments, x: Shape, /) -> Shapes:
    """The part of these sizes from `begin` on; -1 is the rest of an axis."""
    starts, sizes = call.read_sizes("begin"), call.read_sizes("size")
    _demand_value_per_axis(starts, x, "begin")
    _demand_value_per_axis(sizes, x, "size")
    pairs = zip(starts, sizes, strict=True)
    shape = [None if start is None and size == -1 else size for start, size in pairs]
    known_starts = [start or 0 for start in starts]
    return apply_operation("Slice", {"shape": shape, "start_indices": known_starts}, x, None)


def select_elements(
    _call: TFCallArguments, condition: Shape, one: Shape | None, other: Shape | None, /
) -> Shapes:
    """Elements of one tensor or the other; without these the places where a condition holds."""
    if one is None and other is None:
        return (None, len(condition))
    return apply_operation("Where", {}, condition, one, other)


def encode_one_hot(call: TFCallArguments, x: Shape, /) -> Shapes:
    """A row for each number, with 1 at the place of the number."""
    axis = call.read_integer("axis", -1)
    place = len(x) if axis == -1 else axis
    is_known = not call.is_unknown("depth")
    arguments = {"num_classes": call.find_value("depth") if is_known else 0}
    shape = apply_operation("OneHot", {**arguments, "axis": -1 if place == len(x) else place}, x)
    return shape if is_known else replace_axis_size(shape, place, None)


def sequence_mask(call: TFCallArguments, lengths: Shape, /) -> Shapes:
    """A row for each length, with that many ones; without `maxlen` only data tell its size."""
    is_known = not call.is_unknown("maxlen")
    longest = call.find_value("maxlen") if is_known else None
    return (*lengths, None if longest is None else convert_argument(longest, Int64, "maxlen"))


def ensure_shape(call: TFCallArguments, x: Shape, /) -> Shapes:
    """The shape of the input, with sizes of `shape` in place of unknown ones."""
    shape = call.read_sizes("shape")
    if not is_compatible_shape(x, shape):
        raise LayerError(f"an input of {x} is not {list(shape)}")
    return tuple(size if known is None else known for known, size in zip(x, shape, strict=True))


def multiply_matrices(call: TFCallArguments, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices, either of which may be transposed."""
    left = _transpose_matrices(one, call.has_flag("transpose_a", "adjoint_a"))
    right = _transpose_matrices(other, call.has_flag("transpose_b", "adjoint_b"))
    return apply_operation("Matmul", {}, left, right)


def multiply_matrix_vector(call: TFCallArguments, one: Shape, other: Shape, /) -> Shapes:
    """The product of matrices, which may be transposed, and vectors."""
    demand_rank(other, 1, "(..., size)", or_more=True)
    left = _transpose_matrices(one, call.has_flag("transpose_a", "adjoint_a"))
    product = apply_operation("Matmul", {}, left, (*other, 1))
    return product[:-1]


def _transpose_matrices(shape: Shape, is_transposed: bool) -> Shape:
    """The shape of matrices that may be transposed."""
    demand_rank(shape, 2, "(..., rows, columns)", or_more=True)
    return (*shape[:-2], shape[-1], shape[-2]) if is_transposed else shape
