"""The base of all layer kinds: arguments, output shape and weights.

A kind is a frozen `msgspec.Struct` whose fields are the arguments of the Keras constructor, with
Keras' names and defaults. Counts, bytes and the rest follow from it elsewhere, for all kinds alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes, autocast_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    Initializer,
    PolicyArgument,
    Regularizer,
    SerializedPolicy,
    dtype_policy_of,
    variable_dtype,
)
from dense_calc.shapes import Shape, Shapes, is_shape

PositiveInt = Annotated[int, Meta(ge=1)]
NonNegativeInt = Annotated[int, Meta(ge=0)]
NonNegativeFloat = Annotated[float, Meta(ge=0)]
UnitFraction = Annotated[float, Meta(ge=0, le=1)]
WindowSize = PositiveInt | tuple[PositiveInt, ...]  # one size for all axes, or one for each
MAX_SEED = 2**32 - 1  # Keras stores a seed as a uint32
RandomSeed = Annotated[int, Meta(ge=0, le=MAX_SEED)] | None
_LayerName = Annotated[str, Meta(min_length=1, pattern="^[^/]*$")]

PRODUCT_SIGN = " × "  # between the factors in an axis name: `4 × units`
# Numbers of inputs that a call may have; a list may hold a single input.
ONE_INPUT = range(1, 2)
TWO_INPUTS = range(2, 3)
LIST_OF_INPUTS = range(1, 1_000_000)


class Weight(Struct, frozen=True):
    """A weight of a layer: its name in Keras and its named axes with their sizes, in order.

    A name that is a product, `4 × units`, is one axis; a name means one size within a layer.
    `initializer` is the layer's argument that fills the weight. `dtype` is None for the dtype of
    the layer. `path` names the layers inside the layer that lead to the weight: `("query",)`.
    """

    name: str
    axes: Mapping[str, int]
    initializer: Initializer = None
    trainable: bool = True
    dtype: str | None = None
    path: tuple[str, ...] = ()


class AnyLayer:
    """The type of an argument that is a layer; the kind lists it in `inner_layer_arguments`."""

    __slots__ = ()


class LayerKind(Struct, AnyLayer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the rest of the program knows about a layer, whatever its kind.

    `shape_rule` says what becomes of a shape, axis by axis: names of axes and arguments, `...` for
    any number of axes, `*sides` for the spatial axes of the kind, which follow `data_format`.
    """

    # The inputs of a call: how many, and their names where `from` may be a mapping.
    arity: ClassVar[range] = ONE_INPUT
    input_names: ClassVar[tuple[str, ...]] = ()
    mapping_keys: ClassVar[tuple[str, ...]] = ()  # the keys of an input that is a mapping itself
    accepts_nested: ClassVar[bool] = False  # whether one input may be several tensors
    has_fixed_rank: ClassVar[bool] = False  # whether the inputs of all calls need equally many axes
    inputs_as_list: ClassVar[bool] = False  # whether Keras' `call` takes all inputs as one list
    accepts_mask: ClassVar[bool] = False  # whether `call` takes a mask outside `input_names`
    mask_arity: ClassVar[range] = range(0)  # how many masks `call` takes if it takes a list
    # The other parameters of Keras' `call`, which the constructor does not take: the one for more
    # keyword arguments, and the order by position if not `input_names`, then `call_arguments`.
    call_arguments: ClassVar[tuple[str, ...]] = ()
    kwargs_argument: ClassVar[str] = ""
    positional_parameters: ClassVar[tuple[str, ...]] = ()
    argument_aliases: ClassVar[Mapping[str, str]] = {}  # older names that Keras takes → its names
    # The arguments that are layers or lists of layers, and those that Keras clones.
    inner_layer_arguments: ClassVar[tuple[str, ...]] = ()
    cloned_layer_arguments: ClassVar[tuple[str, ...]] = ()
    creates_sublayers: ClassVar[bool] = False  # whether it makes layers that freezing it spares
    keras_module: ClassVar[str] = "keras.layers"  # the module of the class in Keras
    is_operation: ClassVar[bool] = False  # whether it is a function; its inputs may be numbers
    is_initially_built: ClassVar[bool] = False  # whether Keras calls it built before its first call
    default_dtype: ClassVar[str | None] = "float32"  # what a `dtype` of None means, if anything
    uses_input_dtypes: ClassVar[bool] = False  # whether the output dtype depends on the inputs'
    shape_rule: ClassVar[str] = "(...) → (...)"

    name: _LayerName | None = None

    @property
    def trainable(self) -> bool:
        """Whether gradients change its weights; most kinds have it as an argument."""
        return True

    @property
    def dtype(self) -> str | SerializedPolicy | None:
        """Its dtype or dtype policy, None for float32; most kinds have it as an argument."""
        return None

    def output_shape(self, *shapes: Any) -> Shapes:
        """The shape of the output for inputs of these shapes, each with its batch axis.

        Inputs come in the order of `input_names`, None for a missing one.

        Raises:
            LayerError: Keras would not build or call the layer on them.
        """
        shape: Shape = shapes[0]
        return shape

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        """The dtype of the output: one for all its tensors, or a nest like their shapes.

        `dtypes` are those of the inputs, in the order of `input_names`, where the kind
        `uses_input_dtypes`.

        Raises:
            LayerError: Keras would not call the layer on them.
        """
        return dtype_policy_of(self.dtype).compute_dtype

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        """The shape and the dtype of the output, for kinds where one depends on the other."""
        return self.output_shape(*shapes), self.output_dtype(*dtypes)

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        """The dtypes that its call sees: those of the inputs after autocasting."""
        return dtypes

    def weights(self, *shapes: Any) -> Iterator[Weight]:
        """The weights for inputs of these shapes, in Keras' order."""
        return iter(())

    def required_config(self) -> dict[str, Any]:
        """Arguments that a Keras file must hold and a spec may omit."""
        return {}

    def suggested_replacement(self, *shapes: Any) -> str:
        """The kind to use instead if this one leaves a size open that weights need, else ''."""
        return ""

    def demand_serializable(self) -> None:
        """Raise LayerError where Keras could not load the layer from a file."""

    def respell_arguments(self, *, keras: bool) -> LayerKind:
        """The same layer with its arguments spelled as in a Keras file, or as in a spec."""
        return self

    @classmethod
    def constructor_arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The part of the config in a Keras file that goes to the constructor."""
        return config

    @classmethod
    def resolve_keras_module(cls) -> str:
        """The module of the class in Keras, '' if Keras has no such class."""
        return cls.keras_module

    @property
    def is_opaque(self) -> bool:
        """Whether only code, which is not run, knows the output."""
        return False

    def output_for_any_input(self) -> Shapes | None:
        """The output shape where it is the same for every input, else None."""
        return None

    def weights_for_any_input(self) -> tuple[Weight, ...] | None:
        """The weights where they are the same for every input, else None."""
        return () if type(self).weights is LayerKind.weights else None

    def own_input_shapes(self) -> tuple[Shapes, ...] | None:
        """The input shapes that a nested model is built on, whatever it is called with."""
        return None

    @property
    def model(self) -> Any:
        """The model, if the layer is a nested model, else None."""
        return None

    def nested_value_count(self, *shapes: Any) -> int:
        """The number of values in the rows of a nested model."""
        return 0

    def nested_layer_rows(self, *shapes: Any) -> tuple[Any, ...]:
        """The rows of the layers of a nested model."""
        return ()

    def demand_traceable(self, *shapes: Any) -> None:
        """Raise LayerError where JAX cannot trace the call, as Keras does inside a Pipeline."""


def has_unnamed_inputs(kind: type[LayerKind]) -> bool:
    """Whether the inputs of a kind have no names: a call takes a list of them."""
    return kind.arity is LIST_OF_INPUTS or (kind.inputs_as_list and not kind.input_names)


@contextmanager
def prefix_error_path(*path: str) -> Iterator[None]:
    """Put the argument that holds an inner layer before the path of that layer's errors."""
    try:
        yield
    except LayerError as error:
        raise type(error)(error.message, *path, *error.path) from None


def sublayer_weights(name: str, layer: LayerKind, *shapes: Any) -> Iterator[Weight]:
    """The weights of a layer inside another, which calls it `name`.

    Freezing the inner layer freezes its own weights, not those of layers inside it.
    """
    for weight in layer.weights(*shapes):
        yield replace(
            weight,
            trainable=weight.trainable and (layer.trainable or bool(weight.path)),
            dtype=weight.dtype or variable_dtype(layer.dtype),
            path=(name, *weight.path),
        )


@cache
def to_snake_case(kind: str) -> str:
    """Keras' name for the first layer of a kind: `conv2d`; source: keras.utils.naming."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def as_layer_kind(argument: AnyLayer) -> LayerKind:
    """An argument that is a layer, with the type that it has."""
    assert isinstance(argument, LayerKind)
    return argument


def sublayer_name(layer: LayerKind) -> str:
    """The name of an inner layer within its outer one."""
    return layer.name or to_snake_case(type(layer).__name__)


class UnpenalizedLayer(LayerKind, frozen=True, kw_only=True):
    """The arguments of `keras.layers.Layer` without `activity_regularizer`.

    A base of its own, because ActivityRegularization makes its regularizer from other arguments.
    """

    trainable: bool = True
    dtype: PolicyArgument | None = None
    autocast: bool = True
    input_shape: tuple[NonNegativeInt | None, ...] | None = None
    input_dim: NonNegativeInt | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, as msgspec wants it, where Keras would not make the layer."""
        if self.input_dim is not None and self.input_shape is not None:
            raise ValueError("input_dim and input_shape mean the same; remove one")

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        if not self.autocast:
            return dtypes
        return autocast_dtypes(dtypes, dtype_policy_of(self.dtype).compute_dtype)


class KerasLayer(UnpenalizedLayer, frozen=True, kw_only=True):
    """The arguments of `keras.layers.Layer`, which nearly every kind takes."""

    activity_regularizer: Regularizer = None


class DtypePreservingLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer whose output has the dtype of its input, after autocasting."""

    uses_input_dtypes: ClassVar[bool] = True

    def output_dtype(self, dtypes: Dtypes, /) -> Dtypes:
        return dtypes


class ElementwiseLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that keeps shapes; Keras refuses a nest of tensors only when data flows."""

    accepts_nested: ClassVar[bool] = True
    is_initially_built: ClassVar[bool] = True

    def demand_traceable(self, shapes: Any, /) -> None:
        if not is_shape(shapes):
            raise LayerError(f"{type(self).__name__} reads one tensor, not several: {shapes}")
