"""What a layer kind is: its arguments, its output shape and its weights.

A kind is a frozen `msgspec.Struct` whose fields are the arguments of the Keras constructor, with
Keras' names and defaults. Counts, bytes and the rest are derived elsewhere, once for all kinds.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes, autocast_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    Constraint,
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

PRODUCT_SIGN = " × "  # between the parts of an axis that is a product
ONE_INPUT = range(1, 2)
TWO_INPUTS = range(2, 3)
LIST_OF_INPUTS = range(1, 1_000_000)  # a list of one is a list


class Weight(Struct, frozen=True):
    """A weight of a layer: its name in Keras, and the size of each of its named axes, in order.

    An axis that holds several is named as a product, `4 × units`; a name means one size within a
    layer. `initializer` is the argument that fills it; `dtype` is None where it follows the
    layer's own. `path` leads to the weight through the layers inside the layer: ("query",).
    """

    name: str
    axes: Mapping[str, int]
    initializer: Initializer = None
    trainable: bool = True
    dtype: str | None = None
    path: tuple[str, ...] = ()


class AnyLayer:
    """The type of an argument that is a layer itself; the kind must name it in `wraps`."""

    __slots__ = ()


class LayerKind(Struct, AnyLayer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the rest of the program knows of a layer of any kind.

    `rule` says what becomes of a shape, axis by axis: names of axes and arguments, `...` for any
    number of axes, `*sides` for the spatial axes of the kind, which go with `data_format`.
    """

    arity: ClassVar[range] = ONE_INPUT  # how many inputs a call may have
    input_names: ClassVar[tuple[str, ...]] = ()  # their names, where `from` may be a mapping
    mapping_keys: ClassVar[tuple[str, ...]] = ()  # what one input may hold that is a mapping itself
    accepts_nested: ClassVar[bool] = False  # whether an input may be several tensors
    inner_layer_arguments: ClassVar[
        tuple[str, ...]
    ] = ()  # arguments that are layers or lists of them
    cloned_layer_arguments: ClassVar[
        tuple[str, ...]
    ] = ()  # those of `wraps` of which it makes layers of its own
    creates_sublayers: ClassVar[bool] = (
        False  # whether it makes layers inside that it does not freeze
    )
    has_fixed_rank: ClassVar[bool] = False  # whether all calls must read inputs of as many axes
    call_arguments: ClassVar[
        tuple[str, ...]
    ] = ()  # arguments that Keras' `call` takes, not the class
    inputs_as_list: ClassVar[bool] = False  # whether Keras' `call` takes its inputs as one list
    positional_parameters: ClassVar[
        tuple[str, ...]
    ] = ()  # of a call, if not that of `inputs`, then `of_call`
    kwargs_argument: ClassVar[str] = (
        ""  # the one of `of_call` that takes all other arguments of a call
    )
    keras_module: ClassVar[str] = "keras.layers"  # where Keras has it
    accepts_mask: ClassVar[bool] = False  # whether its call has a mask that is not among `inputs`
    mask_arity: ClassVar[range] = range(
        0
    )  # how many masks its call takes, if it takes a list of them
    is_operation: ClassVar[bool] = False  # whether it is a function, whose inputs may be numbers
    is_initially_built: ClassVar[bool] = (
        False  # whether Keras calls it built before it reads anything
    )
    default_dtype: ClassVar[str | None] = "float32"  # which goes without saying, if any does
    uses_input_dtypes: ClassVar[bool] = False  # whether what it gives depends on its inputs' dtypes
    shape_rule: ClassVar[str] = "(...) → (...)"

    name: _LayerName | None = None

    @property
    def trainable(self) -> bool:
        """Whether gradients change its weights; an argument of most kinds, not of all."""
        return True

    @property
    def dtype(self) -> str | SerializedPolicy | None:
        """Its dtype or dtype policy, None for float32; an argument of most kinds, not of all."""
        return None

    def output_shape(self, *shapes: Any) -> Shapes:
        """The shape of the output for inputs of these shapes, each with its batch axis.

        Inputs come in the order of `inputs`, None for one that is not given.

        Raises:
            LayerError: Keras would not build or call the layer so.
        """
        shape: Shape = shapes[0]
        return shape

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        """The dtype of the output: one for all its tensors, or a nest as that of their shapes.

        `dtypes` are those of the inputs, in the order of `inputs`, where the kind `reads_dtypes`;
        LayerError where Keras would not call it so.
        """
        return dtype_policy_of(self.dtype).compute_dtype

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        """The shape and the dtype of the output, of which one may depend on both of the inputs."""
        return self.output_shape(*shapes), self.output_dtype(*dtypes)

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        """The dtypes of inputs after the layer has converted them, before it is called."""
        return dtypes

    def weights(self, *shapes: Any) -> Iterator[Weight]:
        """The weights for inputs of these shapes, in Keras' order."""
        return iter(())

    def required_config(self) -> dict[str, Any]:
        """Arguments that Keras must be given and a spec may leave out."""
        return {}

    def suggested_replacement(self, *shapes: Any) -> str:
        """The kind to use instead where it leaves open a size that weights need, '' if none."""
        return ""

    def demand_serializable(self) -> None:
        """Raise LayerError where Keras could not load it from a file that says the same."""

    def respell_arguments(self, *, keras: bool) -> LayerKind:
        """The same with its arguments as a file of Keras' spells them, or as a spec does."""
        return self

    @classmethod
    def constructor_arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        """What Keras gives the constructor of the config that a file holds."""
        return config

    @classmethod
    def resolve_keras_module(cls) -> str:
        """The module where Keras has the class, '' if it has none."""
        return cls.keras_module

    @property
    def is_opaque(self) -> bool:
        """Whether what it gives is left to code, which is not run."""
        return False

    def output_for_any_input(self) -> Shapes | None:
        """What it gives whatever it reads, None where that depends on it."""
        return None

    def weights_for_any_input(self) -> tuple[Weight, ...] | None:
        """The weights that it holds whatever it reads, None where they depend on it."""
        return () if type(self).weights is LayerKind.weights else None

    def own_input_shapes(self) -> tuple[Shapes, ...] | None:
        """The shapes that it is built on, whatever it is called with: those of a model."""
        return None

    @property
    def model(self) -> Any:
        """The model that it is, None if it is none."""
        return None

    def nested_value_count(self, *shapes: Any) -> int:
        """How many values the rows of the layers inside take, where it is a model of its own."""
        return 0

    def nested_layer_rows(self, *shapes: Any) -> tuple[Any, ...]:
        """The rows of the layers inside, where the layer is a model of its own."""
        return ()

    def demand_traceable(self, *shapes: Any) -> None:
        """Raise LayerError where JAX cannot trace its call, as Keras lets it inside a Pipeline."""


def has_unnamed_inputs(kind: type[LayerKind]) -> bool:
    """Whether the inputs of a kind have no names: as many as there are, or those of a list."""
    return kind.arity is LIST_OF_INPUTS or (kind.inputs_as_list and not kind.input_names)


@contextmanager
def prefix_error_path(*path: str) -> Iterator[None]:
    """Complaints of a layer inside another lead to it by the outer one's argument."""
    try:
        yield
    except LayerError as error:
        raise type(error)(error.message, *path, *error.path) from None


def distinct_axis_name(name: str, axes: Container[str]) -> str:
    """`name`, with as many `1 × ` in front as make it differ from the names in `axes`."""
    while name in axes:
        name = f"1{PRODUCT_SIGN}{name}"
    return name


def flatten_axes(axes: Mapping[str, int]) -> dict[str, int]:
    """All axes of a weight in one, their product; an axis of size 1 where there are none."""
    return {PRODUCT_SIGN.join(axes) or "1": prod(axes.values())}


def sublayer_weights(name: str, layer: LayerKind, *shapes: Any) -> Iterator[Weight]:
    """The weights of a layer that another knows by `name`; to freeze it freezes its own alone."""
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
    """A layer that is an argument, as the kind that it is."""
    assert isinstance(argument, LayerKind)
    return argument


def sublayer_name(layer: LayerKind) -> str:
    """What a layer knows one inside it by."""
    return layer.name or to_snake_case(type(layer).__name__)


class UnpenalizedLayer(LayerKind, frozen=True, kw_only=True):
    """The arguments of `keras.layers.Layer` without a penalty on what the layer gives."""

    trainable: bool = True
    dtype: PolicyArgument | None = None
    autocast: bool = True
    input_shape: tuple[NonNegativeInt | None, ...] | None = None
    input_dim: NonNegativeInt | None = None

    def __post_init__(self) -> None:
        """Raise ValueError, as msgspec wants it, where Keras would not make the layer."""
        if self.input_dim is not None and self.input_shape is not None:
            raise ValueError("input_dim and input_shape say the same; remove one")

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        return (
            autocast_dtypes(dtypes, dtype_policy_of(self.dtype).compute_dtype)
            if self.autocast
            else dtypes
        )


class KerasLayer(UnpenalizedLayer, frozen=True, kw_only=True):
    """The arguments that nearly every layer takes (`keras.layers.Layer`)."""

    activity_regularizer: Regularizer = None


class DtypePreservingLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that gives tensors of the dtypes that its call gets."""

    uses_input_dtypes: ClassVar[bool] = True

    def output_dtype(self, dtypes: Dtypes, /) -> Dtypes:
        return dtypes


class ElementwiseLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that leaves shapes as they are: Keras takes a nest, until data flows."""

    accepts_nested: ClassVar[bool] = True

    def demand_traceable(self, shapes: Any, /) -> None:
        if not is_shape(shapes):
            raise LayerError(f"{type(self).__name__} reads one tensor, not several: {shapes}")


class LayerWithKernel(KerasLayer, frozen=True, kw_only=True):
    """The arguments of a layer that multiplies with a kernel and may add a bias."""

    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None
