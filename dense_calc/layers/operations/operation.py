"""The base class of the operations of `keras.ops`, and what their shape rules share.

An operation is a layer kind without weights. No axis of its inputs is special, not even the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import NODEFAULT, Meta, defstruct
from msgspec.structs import fields

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.shapes import MAX_RANK, Shape, Shapes, Size, as_tuple, leaf_shapes

_MAX_INT64 = 2**63 - 1  # the largest size of an axis
_MAX_OUTPUTS = 10_000  # of one operation
REQUIRED: Any = NODEFAULT  # the default of an argument that has none

Int64 = Annotated[int, Meta(ge=-_MAX_INT64, le=_MAX_INT64)]
Int64Tuple = tuple[Int64, ...]
AxesArgument = Int64 | Int64Tuple | None  # None often means all axes
ShapeArgument = Annotated[tuple[Int64 | None, ...], Meta(max_length=MAX_RANK)]

_ArgumentDefaults = Mapping[str, Any]


class Operation(LayerKind, frozen=True, kw_only=True):
    """An operation; `input_names` are the parameters of Keras' `call` that are tensors.

    A subclass computes the output shape in `infer_shape`. A constant has a shape as well: () is
    that of a number.
    """

    input_names: ClassVar[tuple[str, ...]] = ("x",)
    is_operation = True
    uses_input_dtypes = True

    @classmethod
    def resolve_keras_module(cls) -> str:
        # Only a file that is written needs it.
        from dense_calc.layers.operations.ops_modules import keras_ops_module

        return keras_ops_module(cls.__name__)

    def output_shape(self, *shapes: Any) -> Shapes:
        inputs = (*shapes, *[None] * (len(self.input_names) - len(shapes)))
        required_count = self.arity.start if self.input_names else max(1, len(inputs))
        for number, shape in enumerate(inputs[:required_count] or [None]):
            if shape is None:
                name = self.input_names[number] if self.input_names else f"number {number + 1}"
                raise LayerError(f"its input {name} is missing")
        return check_output_shapes(self.infer_shape(*inputs))

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        # Shapes alone do not need it.
        from dense_calc.layers.operations.output_dtypes import infer_output_dtype

        return infer_output_dtype(self, dtypes)

    def infer_shape(self, *shapes: Any) -> Shapes:
        """The output shape for inputs of these shapes, None for an optional input that is missing.

        Raises:
            LayerError: Keras refuses the inputs or the arguments.
        """
        raise NotImplementedError


class ListOperation(Operation, frozen=True, kw_only=True):
    """An operation whose `call` takes its inputs as one list."""

    arity = LIST_OF_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ()
    inputs_as_list = True


class OperationGroup(NamedTuple):
    """Operations that share the rules of `base_kind`, each with its arguments and their defaults.

    An argument that `base_kind` does not have changes no shape; a default here overrides its own.
    The last `optional_count` inputs may be left out.
    """

    base_kind: type[Operation]
    operations: Mapping[str, _ArgumentDefaults]
    input_names: tuple[str, ...] = ("x",)
    optional_count: int = 0

    def build_kind(self, name: str) -> type[Operation]:
        """The class of the operation with this name."""
        types = {each.encode_name: each.type for each in fields(self.base_kind)}
        arguments = [
            (argument, types.get(argument, Any))
            if default is REQUIRED
            else (argument, types.get(argument, Any), default)
            for argument, default in self.operations[name].items()
        ]
        input_count = len(self.input_names)
        struct: Any = defstruct(
            name,
            arguments,
            bases=(self.base_kind,),
            namespace={
                "__doc__": self.base_kind.__doc__,
                "input_names": self.input_names,
                "arity": range(input_count - self.optional_count, input_count + 1),
            },
            module=self.base_kind.__module__,
            frozen=True,
            kw_only=True,
        )
        kind: type[Operation] = struct
        return kind


def operations_named(names: str, **defaults: Any) -> dict[str, _ArgumentDefaults]:
    """Operations with these names that all have the same arguments, none by default."""
    return dict.fromkeys(names.split(), defaults)


def check_output_shapes(shapes: Shapes) -> Shapes:
    """The same shapes if arrays can have them.

    Raises:
        LayerError: there are too many axes, or a size is below 0 or too large.
    """
    for shape in leaf_shapes(shapes):
        if len(shape) > MAX_RANK:
            raise LayerError(f"the output would have {len(shape)} axes, more than {MAX_RANK}")
        for size in shape:
            if size is not None and not 0 <= size <= _MAX_INT64:
                much = "more than an array can hold" if size > 0 else "less than 0"
                raise LayerError(f"a size of the output would be {much}")
    return shapes


def collect_outputs(shapes: Iterable[Shape], argument: str) -> tuple[Shape, ...]:
    """The shapes of several outputs; LayerError, which blames `argument`, if there are none."""
    outputs = tuple(shapes)
    if not outputs:
        raise LayerError("it would give no output at all", argument)
    return outputs


def demand_few_outputs(count: int, argument: str) -> None:
    """Raise LayerError if so many outputs can only be a mistake."""
    if count > _MAX_OUTPUTS:
        raise LayerError(f"{count:,} outputs are more than {_MAX_OUTPUTS:,}", argument)


def normalize_axis(axis: int, rank: int, argument: str = "axis") -> int:
    """The number of an axis, counted from the first.

    Raises:
        LayerError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise LayerError(f"axis {axis} is not among the {rank} axes of the input", argument)
    return axis % rank


def axis_size(shape: Shape, axis: int, argument: str = "axis") -> Size:
    """The size of an axis, which may be counted from the last."""
    return shape[normalize_axis(axis, len(shape), argument)]


def normalize_axes(axes: int | tuple[int, ...], rank: int, argument: str = "axis") -> list[int]:
    """The numbers of one or several axes, counted from the first."""
    return [normalize_axis(axis, rank, argument) for axis in as_tuple(axes)]


def drop_axes(shape: Shape, axes: Collection[int]) -> Shape:
    """A shape without these axes; one that is named twice counts once."""
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def remove_axes(shape: Shape, axes: Iterable[int], argument: str = "axis") -> Shape:
    """A shape without these axes, as Keras deletes them one by one from the last on.

    An axis that is named twice removes its neighbour as well, or is refused if it has none.
    """
    remaining = list(shape)
    for axis in sorted(axes, reverse=True):
        if axis >= len(remaining):
            raise LayerError(f"axis {axis} of {shape} is named twice", argument)
        del remaining[axis]
    return tuple(remaining)


def replace_axis_size(shape: Shape, axis: int, size: Size) -> Shape:
    """A shape with another size along an axis, which is counted from the first."""
    return (*shape[:axis], size, *shape[axis + 1 :])


def is_compatible_shape(one: Shape, other: Shape, *, but: int | None = None) -> bool:
    """Whether two shapes may be equal, except along the axis `but`; an unknown size may be any."""
    return len(one) == len(other) and all(
        axis == but or None in sizes or sizes[0] == sizes[1]
        for axis, sizes in enumerate(zip(one, other, strict=True))
    )
