"""What an operation of `keras.ops` is, and how those that differ only in name are made of a rule.

An operation is a layer kind without weights. No axis of its inputs is special, not even the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import NODEFAULT, Meta, defstruct
from msgspec.structs import fields

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.shapes import MAX_RANK, Shape, Shapes, Size, leaf_shapes

_MAX_INT64 = 2**63 - 1  # elements of an array
_MAX_OPERATION_OUTPUTS = 10_000  # outputs of an operation
REQUIRED: Any = NODEFAULT  # in place of a default

Int64 = Annotated[int, Meta(ge=-_MAX_INT64, le=_MAX_INT64)]
Int64Tuple = tuple[Int64, ...]
AxesArgument = Int64 | Int64Tuple | None  # None is often all of them
ShapeArgument = Annotated[tuple[Int64 | None, ...], Meta(max_length=MAX_RANK)]

TWO_INPUTS = range(2, 3)
_ArgumentDefaults = Mapping[str, Any]


class Operation(LayerKind, frozen=True, kw_only=True):
    """An operation; `inputs` are the parameters of Keras' `call`, of which `takes` counts.

    A subclass says in `result` what becomes of the shapes. Those of constants are shapes as well:
    () is a number.
    """

    input_names: ClassVar[tuple[str, ...]] = ("x",)
    is_operation: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True

    @classmethod
    def resolve_keras_module(cls) -> str:
        # Only a file that is written needs it.
        from dense_calc.layers.operations.homes import keras_ops_module

        return keras_ops_module(cls.__name__)

    def output_shape(self, *shapes: Any) -> Shapes:
        given = (*shapes, *[None] * (len(self.input_names) - len(shapes)))
        needed = self.arity.start if self.input_names else max(1, len(given))
        for number, shape in enumerate(given[:needed] or [None]):
            if shape is None:
                name = self.input_names[number] if self.input_names else f"number {number + 1}"
                raise LayerError(f"its input {name} is missing")
        return check_output_shapes(self.infer_shape(*given))

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        # Shapes alone do not need it.
        from dense_calc.layers.operations.output_dtypes import infer_output_dtype

        return infer_output_dtype(self, dtypes)

    def infer_shape(self, *shapes: Any) -> Shapes:
        """What it gives for inputs of these shapes, in the order of `inputs`, None for no input.

        Raises:
            LayerError: Keras refuses.
        """
        raise NotImplementedError


class ListOperation(Operation, frozen=True, kw_only=True):
    """An operation whose `call` takes its inputs as one list."""

    arity: ClassVar[range] = LIST_OF_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ()
    inputs_as_list: ClassVar[bool] = True


class OperationGroup(NamedTuple):
    """Operations that follow one rule, each with its arguments and their defaults.

    An argument that the rule does not know changes no shape; a default overrides the rule's.
    The last inputs, as many as `optional`, may be left out.
    """

    base_kind: type[Operation]
    operations: Mapping[str, _ArgumentDefaults]
    input_names: tuple[str, ...] = ("x",)
    optional_count: int = 0

    def build_kind(self, name: str) -> type[Operation]:
        """The class of one of these operations."""
        types = {each.encode_name: each.type for each in fields(self.base_kind)}
        arguments = [
            (argument, types.get(argument, Any))
            if default is REQUIRED
            else (argument, types.get(argument, Any), default)
            for argument, default in self.operations[name].items()
        ]
        most = len(self.input_names)
        made: Any = defstruct(
            name,
            arguments,
            bases=(self.base_kind,),
            namespace={
                "__doc__": self.base_kind.__doc__,
                "input_names": self.input_names,
                "arity": range(most - self.optional_count, most + 1),
            },
            module=self.base_kind.__module__,
            frozen=True,
            kw_only=True,
        )
        kind: type[Operation] = made
        return kind


def without_arguments(names: str) -> dict[str, _ArgumentDefaults]:
    """Operations without arguments."""
    return {name: {} for name in names.split()}


def check_output_shapes(shapes: Shapes) -> Shapes:
    """The same shapes, each of which an array can have.

    Raises:
        LayerError: a size is below 0, as Keras would not have it, or nothing can be so large.
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
    """The shapes of several outputs, of which there is at least one."""
    outputs = tuple(shapes)
    if not outputs:
        raise LayerError("it would give no output at all", argument)
    return outputs


def demand_few_outputs(count: int, argument: str) -> None:
    """Raise LayerError where so many outputs can only be a mistake."""
    if count > _MAX_OPERATION_OUTPUTS:
        raise LayerError(f"{count:,} outputs are more than {_MAX_OPERATION_OUTPUTS:,}", argument)


def normalize_axis(axis: int, rank: int, argument: str = "axis") -> int:
    """An axis counted from the first.

    Raises:
        LayerError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise LayerError(f"axis {axis} is not among the {rank} axes of the input", argument)
    return axis % rank


def axis_size(shape: Shape, axis: int, argument: str = "axis") -> Size:
    """The size of an axis of a shape."""
    return shape[normalize_axis(axis, len(shape), argument)]


def normalize_axes(axes: int | Sequence[int], rank: int, argument: str = "axis") -> list[int]:
    """One or several axes counted from the first."""
    given = (axes,) if isinstance(axes, int) else axes
    return [normalize_axis(axis, rank, argument) for axis in given]


def remove_axes(shape: Shape, axes: Iterable[int], argument: str = "axis") -> Shape:
    """A shape without axes, taken away from the last on; one named twice takes its neighbour."""
    left = list(shape)
    for axis in sorted(axes, reverse=True):
        if axis >= len(left):
            raise LayerError(f"axis {axis} of {shape} is named twice", argument)
        del left[axis]
    return tuple(left)


def replace_axis_size(shape: Shape, axis: int, size: Size) -> Shape:
    """A shape with another size on an axis that counts from the first."""
    return (*shape[:axis], size, *shape[axis + 1 :])


def is_compatible_shape(one: Shape, other: Shape, *, but: int | None = None) -> bool:
    """Whether two shapes may be the same, perhaps but for one axis; unknown sizes may be any."""
    return len(one) == len(other) and all(
        axis == but or None in sizes or sizes[0] == sizes[1]
        for axis, sizes in enumerate(zip(one, other, strict=True))
    )
