"""Keras' layers that hold other layers and call them; Bidirectional has a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
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
from dense_calc.shapes import (
    Shape,
    Shapes,
    child_shapes,
    demand_rank,
    find_unknown_shape,
    is_shape,
)

_KERNEL_NAMES = ("kernel", "embeddings")


class Wrapper(KerasLayer, frozen=True, kw_only=True):
    """A layer around another, whose weights and shapes it takes over."""

    inner_layer_arguments: ClassVar[tuple[str, ...]] = ("layer",)

    layer: AnyLayer

    @property
    def _inner_layer(self) -> LayerKind:
        """The layer inside.

        Raises:
            LayerError: Keras cannot tell its output for one tensor.
        """
        layer = as_layer_kind(self.layer)
        if 1 not in layer.arity or layer.arity is LIST_OF_INPUTS or isinstance(layer, Pipeline):
            raise LayerError(
                f"{type(layer).__name__} cannot be inside it: Keras does not know its output "
                "for one tensor",
                "layer",
            )
        return layer

    def _inner_input_shape(self, shape: Shape) -> Shape:
        """The input shape of the layer inside."""
        return shape

    def output_shape(self, shape: Shape, /) -> Shapes:
        layer, inner_shape = self._inner_layer, self._inner_input_shape(shape)
        with prefix_error_path("layer"):
            return layer.output_shape(inner_shape)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        layer, inner_shape = self._inner_layer, self._inner_input_shape(shape)
        with prefix_error_path("layer"):
            yield from sublayer_weights(sublayer_name(layer), layer, inner_shape)


class SpectralNormalization(Wrapper, frozen=True, kw_only=True):
    """Divides the kernel of a layer by its spectral norm, which a vector helps to estimate.

    The kernel counts once: Keras lists it first, then the vector, then what else the layer has.
    """

    shape_rule: ClassVar[str] = "(...) → (...')"

    power_iterations: PositiveInt = 1

    @property
    def _normalized_layer(self) -> LayerKind:
        """The layer with the kernel: the innermost one where several of these are nested."""
        layer = self._inner_layer
        return layer._normalized_layer if isinstance(layer, SpectralNormalization) else layer

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        weights = list(super().weights(shape))
        kernel, dtype = self._find_kernel(weights), None
        adapted = [weight for weight in weights if weight.name.startswith("lora_")]
        if adapted:  # with LoRA the kernel is a sum, in at most 32 bits with JAX, and no weight
            dtype = dtype_policy_of(self._normalized_layer.dtype).compute_dtype.replace(
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

    def _find_kernel(self, weights: list[Weight]) -> Weight:
        """The weight to normalize.

        Raises:
            LayerError: the layer has none.
        """
        owner = self._normalized_layer
        for weight in weights:
            if weight.name in _KERNEL_NAMES and weight.path[-1] == sublayer_name(owner):
                return weight
        kind = type(owner).__name__
        raise LayerError(f"{kind} has no weight 'kernel' or 'embeddings' to normalize", "layer")


class TimeDistributed(Wrapper, frozen=True, kw_only=True):
    """Applies a layer to every time step, with the same weights."""

    accepts_mask: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(batch, time, ...) → (batch, time, ...')"

    def _inner_input_shape(self, shape: Shape) -> Shape:
        demand_rank(shape, 3, "(batch, time, ...)", or_more=True)
        return (shape[0], *shape[2:])

    def output_shape(self, shape: Shape, /) -> Shapes:
        output = super().output_shape(shape)
        if not is_shape(output):
            problem = f"the layer inside must give one tensor, not several: {output}"
            raise LayerError(problem, "layer")
        return output if find_unknown_shape(output) else (output[0], shape[1], *output[1:])

    def demand_traceable(self, shape: Shape, /) -> None:
        with prefix_error_path("layer"):
            as_layer_kind(self.layer).demand_traceable(self._inner_input_shape(shape))


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
        return [output for *_, output in self._layer_calls(shapes)][-1]

    def output_dtype(self, dtypes: Dtypes, /) -> Dtypes:
        for layer in map(as_layer_kind, self.layers):
            inputs = layer.call_dtypes((dtypes,)) if layer.uses_input_dtypes else ()
            dtypes = layer.output_dtype(*inputs)
        return dtypes

    def weights(self, shapes: Shapes, /) -> Iterator[Weight]:
        for number, (layer, inputs, _) in enumerate(self._layer_calls(shapes)):
            with prefix_error_path("layers", str(number)):
                yield from sublayer_weights(sublayer_name(layer), layer, *inputs)

    def _layer_calls(
        self, shapes: Shapes
    ) -> Iterator[tuple[LayerKind, tuple[Shapes, ...], Shapes]]:
        """Each layer with the shapes of its inputs and of its output."""
        for number, layer in enumerate(map(as_layer_kind, self.layers)):
            with prefix_error_path("layers", str(number)):
                inputs = inner_call_inputs(layer, shapes)
                shapes = layer.output_shape(*inputs)
                layer.demand_traceable(*inputs)
                _demand_computable_penalty(layer, shapes)
            yield layer, inputs, shapes
            if find_unknown_shape(shapes):
                return


def inner_call_inputs(layer: LayerKind, shapes: Shapes) -> tuple[Shapes, ...]:
    """The inputs of an inner layer's call on `shapes`, one tensor or a nest of them.

    Raises:
        LayerError: the layer does not read them.
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


def _demand_computable_penalty(layer: LayerKind, shapes: Shapes) -> None:
    """Raise LayerError unless Keras can compute the activity penalty of a layer in a Pipeline."""
    argument = "activity_regularizer"
    if has_abstract_regularizer(layer, argument):
        raise LayerError("'Regularizer' penalizes nothing; use one such as L2", argument)
    name = _regularizer_name(layer, argument)
    if name == "orthogonalregularizer" and not (is_shape(shapes) and len(shapes) == 2):
        raise LayerError(f"an orthogonal regularizer reads matrices, not {shapes}", argument)


def has_abstract_regularizer(layer: LayerKind, argument: str) -> bool:
    """Whether a regularizer of a layer is the base class, which Keras can name but not use."""
    return _regularizer_name(layer, argument) == "regularizer"


def _regularizer_name(layer: LayerKind, argument: str) -> str:
    """The normalized name of a regularizer of a layer, '' for none."""
    regularizer = getattr(layer, argument, None)
    return normalize_object_name(getattr(regularizer, "class_name", regularizer) or "")
