"""Keras' core layers; EinsumDense and the embeddings have files of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from msgspec import Meta, field
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import (
    DtypePreservingLayer,
    KerasLayer,
    LayerKind,
    NonNegativeInt,
    PositiveInt,
    Weight,
)
from dense_calc.layers.introspect.refusals import NO_TUPLES_MESSAGE
from dense_calc.layers.quantization import QuantizableLayer
from dense_calc.shapes import (
    MAX_RANK,
    UNBUILT_SHAPE,
    Shape,
    Shapes,
    Size,
    child_shapes,
    demand_rank,
    is_shape,
    known_axis_size,
)

if TYPE_CHECKING:
    from dense_calc.layers.functions import KerasFunction

InputShape = Annotated[tuple[NonNegativeInt | None, ...], Meta(max_length=MAX_RANK)]
_IDENTITY_FUNCTION = {"module": "builtins", "class_name": "function", "config": "linear"}
StatedShape = tuple[NonNegativeInt | None, ...]


class Dense(QuantizableLayer, frozen=True, kw_only=True):
    """A fully connected layer: contracts the last axis of its input with `kernel`.

    An input of more than two axes is not flattened: (None, 7, 5) gives (None, 7, units).
    """

    shape_rule: ClassVar[str] = "(batch, ..., inputs) → (batch, ..., units)"

    units: PositiveInt
    use_bias: bool = True

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, ..., features)", or_more=True)
        return (*shape[:-1], self.units)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        bias = Weight("bias", {"units": self.units}, self.bias_initializer)
        kernel = {"inputs": known_axis_size(shape, -1), "units": self.units}
        return self.ordered_weights(kernel, bias if self.use_bias else None)


class Identity(DtypePreservingLayer, frozen=True, kw_only=True):
    """Gives what it is given, be it one tensor or a nest of them."""

    is_initially_built: ClassVar[bool] = True
    accepts_nested: ClassVar[bool] = True


class Masking(KerasLayer, frozen=True, kw_only=True):
    """Tells later layers to skip the time steps where every feature is `mask_value`."""

    is_initially_built: ClassVar[bool] = True

    mask_value: float | tuple[float, ...] | None = 0.0

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 1, "(..., features)", or_more=True)
        return shape


class Lambda(KerasLayer, frozen=True, kw_only=True):
    """A function as a layer. It is not run here: `output_shape` must say what it gives.

    That is the shape without the batch axis, as in Keras, or a list of such shapes. Only what a
    function of `keras.ops` or an activation gives that is known by its name goes without saying.
    """

    accepts_nested: ClassVar[bool] = True
    accepts_mask: ClassVar[bool] = True
    positional_parameters: ClassVar[tuple[str, ...]] = ("inputs", "mask")
    shape_rule: ClassVar[str] = "(batch, ...) → (batch, ...)"

    function: str | dict[str, Any] = ""
    output_size: tuple[NonNegativeInt | StatedShape | None, ...] | dict[str, StatedShape] | None = (
        field(name="output_shape", default=None)
    )
    mask: Any = None
    arguments: dict[str, Any] | None = None

    @property
    def keras_function(self) -> KerasFunction | None:
        """The function, if it is one of Keras by name, None if it is another one or code."""
        if not self.function:
            return None
        from dense_calc.layers.functions import parse_keras_function  # few models have any

        return parse_keras_function(self.function, self.arguments or {})

    def required_config(self) -> dict[str, Any]:
        """The function; the identity stands for one that the spec leaves out."""
        function = self.keras_function
        if function is not None:
            return {"function": function.serialized_form}
        return {} if isinstance(self.function, dict) else {"function": _IDENTITY_FUNCTION}

    def respell_arguments(self, *, keras: bool) -> Lambda:
        function = None if keras else self.keras_function
        return self if function is None else replace(self, function=function.name)

    @property
    def is_opaque(self) -> bool:
        return self.output_size is None and self.keras_function is None

    def demand_serializable(self) -> None:
        stated = self.output_size or ()
        if isinstance(stated, dict) or any(isinstance(each, tuple) for each in stated):
            raise LayerError(NO_TUPLES_MESSAGE, "output_shape")

    def output_shape(self, input_shape: Shapes, /) -> Shapes:
        stated = self.output_size
        if stated is None:
            function = self.keras_function
            if function is not None:
                return function.output_shape(input_shape)
            raise LayerError(
                "its function is not run; state its output shape: 'output_shape: [64]' "
                "for (batch, 64)"
            )
        if isinstance(stated, dict):
            batch = _batch_size_of(input_shape)
            return {name: (batch, *shape) for name, shape in stated.items()}
        return stated_shapes(stated, input_shape)

    def output_for_any_input(self) -> Shapes | None:
        return None if self.output_size is None else self.output_shape((None,))


def stated_shapes(stated: tuple[Size | StatedShape, ...], input_shape: Shapes) -> Shapes:
    """A stated shape, or a tuple of stated shapes, with the batch axis of the input."""
    batch = _batch_size_of(input_shape)
    shapes = [(batch, *each) for each in stated if isinstance(each, tuple)]
    sizes = [each for each in stated if not isinstance(each, tuple)]
    if shapes and sizes:
        raise LayerError("output_shape is one shape or a list of shapes", "output_shape")
    return tuple(shapes) if shapes else (batch, *sizes)


def _batch_size_of(shapes: Shapes) -> Size:
    """The first size in a nest of shapes: the batch.

    Raises:
        LayerError: there is none.
    """
    while not is_shape(shapes):
        shapes = next(iter(child_shapes(shapes)), ())
    demand_rank(shapes, 1, "(batch, ...)", or_more=True)
    return shapes[0]


class InputLayer(LayerKind, frozen=True, kw_only=True):
    """An entry of the model: a shape without (`shape`) or with (`batch_shape`) its batch axis."""

    is_initially_built: ClassVar[bool] = True
    arity: ClassVar[range] = range(1)
    argument_aliases: ClassVar[Mapping[str, str]] = {
        "input_shape": "shape",
        "batch_input_shape": "batch_shape",
    }

    shape: InputShape | None = None
    batch_size: NonNegativeInt | None = None
    dtype: InputDtype | None = None
    sparse: bool | None = None
    ragged: bool | None = None
    batch_shape: InputShape | None = None
    optional: bool = False
    trainable: bool = True  # Keras accepts and ignores it

    def output_dtype(self) -> Dtypes:
        return "int32" if self.dtype == "int" else self.dtype or "float32"

    def output_shape(self) -> Shape:
        if self.batch_shape is not None:
            if self.shape is not None or self.batch_size is not None:
                raise LayerError("batch_shape says it all; remove shape and batch_size")
            return self.batch_shape
        if self.shape is None:
            return UNBUILT_SHAPE
        return (self.batch_size, *self.shape)
