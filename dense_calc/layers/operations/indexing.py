"""Operations that read elements by their places, or write them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.operations.operation import (
    REQUIRED,
    Int64,
    Operation,
    OperationGroup,
    ShapeArgument,
    axis_size,
    collect_outputs,
    normalize_axis,
    replace_axis_size,
)
from dense_calc.shapes import Shape, Shapes, Size, computed_size, size_product

_MAX_INDEX = 2**63  # larger than any place


class _SliceKey(Struct, frozen=True):
    """A slice within a key: every `step`-th place from `start` to `stop`."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None

    def sliced_size(self, size: int) -> int:
        """How many places of an axis of this size are in the slice."""
        step = 1 if self.step is None else self.step
        if step == 0:
            raise LayerError("the step of a slice must not be 0", "key")
        first, last, step = slice(self.start, self.stop, step).indices(size)
        return max(0, (last - first + step - (1 if step > 0 else -1)) // step)


class GetItem(Operation, frozen=True, kw_only=True):
    """The elements `x[key]`: the key `[0, "1:-1", null, "..."]` is `x[0, 1:-1, None, ...]`.

    `key` is an integer, or a list of integers, null for a new axis, slices and one ellipsis. In a
    file these are `{class_name: __slice__, config: {start, stop, step}}` and `{class_name:
    __ellipsis__}`; the short `"1:-1"` and `"..."` mean the same. Keras refuses a slice alone.
    """

    call_arguments = ("key",)
    shape_rule = "(...) → (...')"

    key: Any

    def respell_arguments(self, *, keras: bool) -> GetItem:
        spell_part = _keras_key_part if keras else _short_key_part
        return replace(
            self, key=[spell_part(part) for part in map(_parse_key_part, _key_parts(self.key))]
        )

    def infer_shape(self, x: Shape, /) -> Shapes:
        keys = list(map(_parse_key_part, _key_parts(self.key)))
        if keys.count(...) > 1:
            raise LayerError("a key may hold one ellipsis", "key")
        if ... not in keys:
            keys.append(...)
        middle = keys.index(...)
        before, after = keys[:middle], keys[middle + 1 :]
        start, first = _index_axes(x, before)
        end = len(x) - (len(after) - after.count(None))
        if end < start:
            raise LayerError(f"the key has more parts than {x} has axes", "key")
        _, last = _index_axes(x[end:], after)
        return (*first, *x[start:end], *last)


def _index_axes(shape: Shape, keys: Sequence[Any]) -> tuple[int, Shape]:
    """How many axes the keys use up, and the sizes of the axes that come out of these."""
    axis, sizes = 0, list[Size]()
    for key in keys:
        if key is None:
            sizes.append(1)
            continue
        if axis >= len(shape):
            raise LayerError(f"the key has more parts than {shape} has axes left", "key")
        size = shape[axis]
        axis += 1
        if isinstance(key, _SliceKey):
            sizes.append(None if size is None else key.sliced_size(size))
        elif size is not None and not -size <= key < size:
            raise LayerError(f"place {key} is not in an axis of {size}", "key")
    return axis, tuple(sizes)


def _key_parts(key: Any) -> Sequence[Any]:
    """The parts of a key, as its argument has them."""
    if isinstance(key, dict) and key.get("class_name") == "__tuple__":
        key = key.get("items")
    if isinstance(key, int):
        return [key]
    if isinstance(key, list | tuple):
        return key
    raise LayerError('key is an integer or a list; write ["1:"] for a slice alone', "key")


def _parse_key_part(part: Any) -> Any:
    """A part of a key as an integer, None, a _SliceKey or `...`."""
    if part is None or isinstance(part, int):
        return part
    if isinstance(part, str):
        return ... if part == "..." else _parse_slice(part.split(":"))
    if isinstance(part, dict) and isinstance(part.get("config", {}), dict):
        config = part.get("config", {})
        if part.get("class_name") == "__ellipsis__":
            return ...
        if part.get("class_name") == "__slice__":
            return _parse_slice([config.get(name) for name in ("start", "stop", "step")])
    raise LayerError("a key holds integers, nulls, slices ('1:-1') and '...'", "key")


def _keras_key_part(part: Any) -> Any:
    """A parsed part of a key in the spelling of Keras' files."""
    if part is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(part, _SliceKey):
        return {"class_name": "__slice__", "config": asdict(part)}
    return part


def _short_key_part(part: Any) -> Any:
    """A parsed part of a key in the spelling of Python's brackets."""
    if part is ...:
        return "..."
    if isinstance(part, _SliceKey):
        ends = [part.start, part.stop, *([] if part.step is None else [part.step])]
        return ":".join("" if end is None else str(end) for end in ends)
    return part


def _parse_slice(ends: Sequence[Any]) -> _SliceKey:
    """A slice from its start, its stop and perhaps its step, any of which may be empty."""
    try:
        numbers = [None if each in (None, "") else int(each) for each in ends]
    except (TypeError, ValueError):
        numbers = []
    if not 2 <= len(numbers) <= 3 or any(
        each is not None and abs(each) > _MAX_INDEX for each in numbers
    ):
        raise LayerError("a slice must be 'start:stop' or 'start:stop:step', all integers", "key")
    return _SliceKey(*numbers)


class Take(Operation, frozen=True, kw_only=True):
    """The elements at the places `indices` along `axis`, or among all elements."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x", "indices")
    shape_rule = "(size, ...), (places) → (places, ...)"

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, indices: Shape, /) -> Shapes:
        if self.axis is None:
            return indices
        axis = normalize_axis(self.axis, len(x))
        return (*x[:axis], *indices, *x[axis + 1 :])


class TakeAlongAxis(Operation, frozen=True, kw_only=True):
    """The element along `axis` that each of `indices` names at its own place."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x", "indices")
    shape_rule = "(size, ...), (places, ...) → (places, ...)"

    axis: Int64 | None = None

    def infer_shape(self, x: Shape, indices: Shape, /) -> Shapes:
        shape = (size_product(x),) if self.axis is None else x
        if len(shape) != len(indices):
            raise LayerError(f"indices of {indices} must have as many axes as {shape}")
        axis = normalize_axis(self.axis or 0, len(shape))
        return broadcast_shapes(replace_axis_size(shape, axis, indices[axis]), indices)


class Slice(Operation, frozen=True, kw_only=True):
    """The part with this `shape` that begins at `start_indices`; -1 is the rest of an axis.

    The starts are a second input, or an argument: only then the size of the rest is known.
    """

    arity = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "start_indices")
    call_arguments = ("start_indices",)
    shape_rule = "(...) → shape"

    shape: ShapeArgument
    start_indices: Int64 | tuple[Int64, ...] | None = None

    def infer_shape(self, x: Shape, _starts: Shape | None, /) -> Shapes:
        starts = self.start_indices
        if len(self.shape) != len(x):
            raise LayerError(f"shape must have one size for each axis of {x}", "shape")
        if isinstance(starts, tuple) and len(starts) != len(x):
            raise LayerError(f"start_indices must be one for each axis of {x}", "start_indices")
        return tuple(
            self._remaining_size(size, axis) if part == -1 else part
            for axis, (size, part) in enumerate(zip(x, self.shape, strict=True))
        )

    def _remaining_size(self, size: Size, axis: int) -> Size:
        """The size of an axis from its start on."""
        starts = self.start_indices
        if size is None or starts is None:
            return None
        if isinstance(starts, int):
            raise LayerError("start_indices must be one for each axis", "start_indices")
        return computed_size(size - starts[axis], f"{size} - {starts[axis]}")


class _TargetShapeOperation(Operation, frozen=True, kw_only=True):
    """An array of this `shape`, whatever its inputs are."""

    shape_rule = "(...) → shape"

    shape: ShapeArgument

    def infer_shape(self, *_shapes: Shape) -> Shapes:
        return self.shape


class _FilledArray(_TargetShapeOperation, frozen=True, kw_only=True):
    """An array of one value."""

    dtype: InputDtype | None = None


class UnravelIndex(Operation, frozen=True, kw_only=True):
    """The places of flat indices in an array of `shape`, one output for each axis."""

    input_names: ClassVar[tuple[str, ...]] = ("indices",)
    shape_rule = "(...) → (...), ..."

    shape: ShapeArgument

    def infer_shape(self, indices: Shape, /) -> Shapes:
        return collect_outputs(
            [(None,) if None in self.shape else indices] * len(self.shape), "shape"
        )


class TopK(Operation, frozen=True, kw_only=True):
    """The `k` largest elements along the last axis, and their places."""

    shape_rule = "(..., size) → (..., k), (..., k)"

    k: Int64
    sorted: Any = True

    def infer_shape(self, x: Shape, /) -> Shapes:
        axis_size(x, -1, "k")
        return ((*x[:-1], self.k),) * 2


INDEXING_GROUPS = (
    OperationGroup(
        _TargetShapeOperation, {"Scatter": {"shape": REQUIRED}}, input_names=("indices", "values")
    ),
    OperationGroup(
        _FilledArray, {"Full": {"shape": REQUIRED, "dtype": None}}, input_names=("fill_value",)
    ),
)
