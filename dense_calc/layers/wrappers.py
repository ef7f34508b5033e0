"""Keras' layers that hold other layers and call them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec import field

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    Regularizer,
    SerializedObject,
    dtype_policy_of,
    normalize_object_name,
)
from dense_calc.layers.base import (
    LIST_OF_INPUTS,
    AnyLayer,
    KerasLayer,
    LayerKind,
    PositiveInt,
    Weight,
    as_layer_kind,
    prefix_error_path,
    sublayer_name,
    sublayer_weights,
)
from dense_calc.layers.layer_references import inner_layers
from dense_calc.shapes import (
    Shape,
    Shapes,
    child_shapes,
    demand_rank,
    find_unknown_shape,
    is_shape,
    size_sum,
)

_KERNEL_NAMES = ("kernel", "embeddings")
_ABSTRACT_REGULARIZER = "regularizer"  # the base class, which Keras knows by name, but cannot use
_MATCHING_ARGUMENTS = ("stateful", "return_sequences", "return_state")  # by both directions


class Wrapper(KerasLayer, frozen=True, kw_only=True):
    """A layer that holds another, which builds its weights and says what becomes of a shape."""

    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("layer",)

    layer: AnyLayer

    @property
    def inner_layer(self) -> LayerKind:
        """The layer inside; LayerError where Keras cannot tell its output for one tensor."""
        layer = as_layer_kind(self.layer)
        if 1 not in layer.arity or layer.arity is LIST_OF_INPUTS or isinstance(layer, Pipeline):
            raise LayerError(
                f"{type(layer).__name__} cannot be inside it: Keras does not know its output "
                "for one tensor",
                "layer",
            )
        return layer

    def inner_input_shape(self, shape: Shape) -> Shape:
        """The shape that the layer inside is given."""
        return shape

    def output_shape(self, shape: Shape, /) -> Shapes:
        layer, one = self.inner_layer, self.inner_input_shape(shape)
        with prefix_error_path("layer"):
            return layer.output_shape(one)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        layer, one = self.inner_layer, self.inner_input_shape(shape)
        with prefix_error_path("layer"):
            yield from sublayer_weights(sublayer_name(layer), layer, one)


class SpectralNormalization(Wrapper, frozen=True, kw_only=True):
    """Divides the kernel of a layer by its spectral norm, which a vector helps to estimate.

    The kernel counts once: Keras lists it first, then the vector, then what else the layer has.
    """

    shape_rule: ClassVar[str] = "(...) → (...')"

    power_iterations: PositiveInt = 1

    @property
    def normalized_layer(self) -> LayerKind:
        """The layer with the kernel: where several of these are nested, the one inside them all."""
        layer = self.inner_layer
        return layer.normalized_layer if isinstance(layer, SpectralNormalization) else layer

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        weights = list(super().weights(shape))
        kernel, dtype = self.find_kernel(weights), None
        adapted = [weight for weight in weights if weight.name.startswith("lora_")]
        if adapted:  # the kernel is a sum, which JAX has in no more than 32 bits, and no weight
            dtype = dtype_policy_of(self.normalized_layer.dtype).compute_dtype.replace(
                "float64", "float32"
            )
        else:
            yield kernel
        last, size = list([kernel, *adapted][-1].axes.items())[-1]
        yield Weight(
            "vector_u",
            {"1": 1, last: size},
            "truncated_normal",
            trainable=False,
            dtype=dtype or kernel.dtype,
        )
        yield from (weight for weight in weights if adapted or weight is not kernel)

    def find_kernel(self, weights: list[Weight]) -> Weight:
        """The weight that is normalized.

        Raises:
            LayerError: the layer has none.
        """
        holder = sublayer_name(self.normalized_layer)
        for weight in weights:
            if weight.name in _KERNEL_NAMES and weight.path[-1] == holder:
                return weight
        kind = type(self.normalized_layer).__name__
        raise LayerError(f"{kind} has no weight 'kernel' or 'embeddings' to normalize", "layer")


class TimeDistributed(Wrapper, frozen=True, kw_only=True):
    """Applies a layer to every time step, with the same weights."""

    accepts_mask: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, time, ...) → (batch, time, ...')"

    def inner_input_shape(self, shape: Shape) -> Shape:
        demand_rank(shape, 3, "(batch, time, ...)", or_more=True)
        return (shape[0], *shape[2:])

    def output_shape(self, shape: Shape, /) -> Shapes:
        one = super().output_shape(shape)
        if not is_shape(one):
            raise LayerError(f"the layer inside must give one tensor, not several: {one}", "layer")
        return one if find_unknown_shape(one) else (one[0], shape[1], *one[1:])


class Pipeline(LayerKind, frozen=True, kw_only=True):
    """Layers one after the other; meant for preprocessing, so that it has no `dtype` of its own."""

    accepts_nested: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True
    accepts_mask: ClassVar[bool] = True
    mapping_keys: ClassVar[tuple[str, ...]] = (
        "images",
        "labels",
        "bounding_boxes",
        "segmentation_masks",
    )
    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("layers",)
    shape_rule: ClassVar[str] = "(...) → (...')"

    layers: tuple[AnyLayer, ...]

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        if not self.layers:
            raise LayerError("it needs at least one layer", "layers")
        return [output for *_, output in self.layer_calls(shapes)][-1]

    def output_dtype(self, dtypes: Dtypes, /) -> Dtypes:
        for layer in map(as_layer_kind, self.layers):
            read = layer.call_dtypes((dtypes,)) if layer.uses_input_dtypes else ()
            dtypes = layer.output_dtype(*read)
        return dtypes

    def weights(self, shapes: Shapes, /) -> Iterator[Weight]:
        for number, (layer, inputs, _) in enumerate(self.layer_calls(shapes)):
            with prefix_error_path("layers", str(number)):
                yield from sublayer_weights(sublayer_name(layer), layer, *inputs)

    def layer_calls(self, shapes: Shapes) -> Iterator[tuple[LayerKind, tuple[Shapes, ...], Shapes]]:
        """Each layer with the shapes that its call is given and those that it gives."""
        for number, layer in enumerate(map(as_layer_kind, self.layers)):
            with prefix_error_path("layers", str(number)):
                inputs = _call_inputs(layer, shapes)
                shapes = layer.output_shape(*inputs)
                layer.demand_traceable(*inputs)
                _demand_computable_penalty(layer, shapes)
            yield layer, inputs, shapes
            if find_unknown_shape(shapes):
                return


class Bidirectional(KerasLayer, frozen=True, kw_only=True):
    """Reads a sequence from both ends, with two copies of a recurrent layer, and merges them.

    Keras tells the output from the forward layer alone, whatever `backward_layer` gives.
    """

    arity: ClassVar[range] = range(1, 4)
    input_names: ClassVar[tuple[str, ...]] = ("sequences", "initial_state", "mask")
    accepts_nested: ClassVar[bool] = True
    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("layer", "backward_layer")
    cloned_layer_arguments: ClassVar[tuple[str, ...]] = ("layer",)
    shape_rule: ClassVar[str] = "(batch, length, features) → (batch, ..., units')"

    layer: AnyLayer
    merge_mode: Literal["sum", "mul", "concat", "ave"] | None = "concat"
    initial_weights: tuple[Any, ...] | None = field(default=None, name="weights")
    backward_layer: AnyLayer | None = None

    def output_shape(self, sequences: Shapes, /, *_others: Shapes | None) -> Shapes:
        self.check_directions()
        forward = as_layer_kind(self.layer)
        with prefix_error_path("layer"):
            output = forward.output_shape(*_call_inputs(forward, sequences))
        if self.backward_layer is not None:  # it must fit, but what it gives is not looked at
            with prefix_error_path("backward_layer"):
                as_layer_kind(self.backward_layer).output_shape(sequences)
        states: tuple[Shapes, ...] = ()
        if not is_shape(output):
            output, *more = child_shapes(output)
            states = (*more, *more)
        assert is_shape(output)
        if self.merge_mode is None:
            return (output, output, *states)
        if self.merge_mode == "concat":
            output = (*output[:-1], size_sum((output[-1], output[-1])))
        return (output, *states) if states else output

    def weights(self, sequences: Shapes, /, *_others: Shapes | None) -> Iterator[Weight]:
        forward = as_layer_kind(self.layer)
        backward = as_layer_kind(self.backward_layer or self.layer)
        name = f"forward_{sublayer_name(forward).removeprefix('forward_')}"
        other = sublayer_name(backward)
        if self.backward_layer is None:
            other = f"backward_{other.removeprefix('backward_')}"
        with prefix_error_path("layer"):
            yield from sublayer_weights(name, forward, sequences)
        with prefix_error_path("layer" if backward is forward else "backward_layer"):
            yield from sublayer_weights(other, backward, sequences)

    def check_directions(self) -> None:
        """Raise LayerError unless the layers are recurrent and one is the mirror of the other."""
        forward = _direction_arguments(self.layer, "layer")
        with prefix_error_path("layer"):
            _demand_copyable(as_layer_kind(self.layer))
        if forward["stateful"] and forward["return_state"]:
            raise LayerError(
                "Keras cannot return the states of a stateful layer from both ends; give up one",
                *("layer", "return_state"),
            )
        if self.backward_layer is None:
            backward = forward | {"go_backwards": True}
        else:
            backward = _direction_arguments(self.backward_layer, "backward_layer")
        if forward["go_backwards"] == backward["go_backwards"]:
            mirror = "layer" if self.backward_layer is None else "backward_layer"
            raise LayerError(
                "both would go the same way; change 'go_backwards'", mirror, "go_backwards"
            )
        for argument in _MATCHING_ARGUMENTS:
            if forward[argument] != backward[argument]:
                raise LayerError(f"both layers must have the same '{argument}'", "backward_layer")


def _call_inputs(layer: LayerKind, shapes: Shapes) -> tuple[Shapes, ...]:
    """What the call of a layer is given that gets the output of another.

    Raises:
        LayerError: it does not read what that is: one tensor, or several.
    """
    kind = type(layer).__name__
    if layer.arity is LIST_OF_INPUTS:
        if is_shape(shapes):
            raise LayerError(f"{kind} reads a list of tensors, not one, {shapes}")
        return child_shapes(shapes)
    if 1 not in layer.arity:
        raise LayerError(f"{kind} takes {layer.arity.start} inputs, not one")
    if not layer.accepts_nested and not is_shape(shapes) and not layer.mapping_keys:
        raise LayerError(f"{kind} reads one tensor, not several: {shapes}")
    return (shapes,)


def _direction_arguments(layer: AnyLayer, argument: str) -> dict[str, bool]:
    """What a recurrent layer says of its direction and of what it gives.

    Raises:
        LayerError: it is not recurrent.
    """
    try:
        return {name: getattr(layer, name) for name in ("go_backwards", *_MATCHING_ARGUMENTS)}
    except AttributeError:
        kind = type(layer).__name__
        raise LayerError(f"it takes recurrent layers such as LSTM, not {kind}", argument) from None


def _demand_computable_penalty(layer: LayerKind, shapes: Shapes) -> None:
    """Raise LayerError unless Keras can work out the penalty on an output, as it does in here."""
    penalty = _regularizer_name(getattr(layer, "activity_regularizer", None))
    if penalty == _ABSTRACT_REGULARIZER:
        raise LayerError("'Regularizer' penalizes nothing; name one as L2", "activity_regularizer")
    if penalty == "orthogonalregularizer" and not (is_shape(shapes) and len(shapes) == 2):
        raise LayerError(
            f"an orthogonal regularizer reads matrices, not {shapes}", "activity_regularizer"
        )


def _demand_copyable(layer: LayerKind) -> None:
    """Raise LayerError unless Keras can write a layer down, and make others of what is written."""
    for name in layer.__struct_fields__:
        if (
            name.endswith("_regularizer")
            and _regularizer_name(getattr(layer, name)) == _ABSTRACT_REGULARIZER
        ):
            raise LayerError("'Regularizer' cannot be copied; name one as L2, or none", name)
    for path, inner in inner_layers(layer):
        with prefix_error_path(*path):
            _demand_copyable(inner)


def _regularizer_name(written: Regularizer) -> str:
    """What a regularizer is, in one of the ways to write it."""
    return normalize_object_name(
        written.class_name if isinstance(written, SerializedObject) else written or ""
    )
