"""Keras' Bidirectional: a recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec import field

from dense_calc.errors import LayerError
from dense_calc.layers.base import (
    AnyLayer,
    KerasLayer,
    LayerKind,
    Weight,
    as_layer_kind,
    prefix_error_path,
    sublayer_name,
    sublayer_weights,
)
from dense_calc.layers.layer_references import inner_layers
from dense_calc.layers.recurrent import RecurrentLayer
from dense_calc.layers.wrappers import has_abstract_regularizer, inner_call_inputs
from dense_calc.shapes import Shape, Shapes, child_shapes, is_shape, size_sum

_MATCHING_ARGUMENTS = ("stateful", "return_sequences", "return_state")  # equal in both directions


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
        self._check_directions()
        forward = as_layer_kind(self.layer)
        with prefix_error_path("layer"):
            output = forward.output_shape(*inner_call_inputs(forward, sequences))
        if self.backward_layer is not None:  # it must accept the input; its output is ignored
            with prefix_error_path("backward_layer"):
                as_layer_kind(self.backward_layer).output_shape(sequences)
        states: tuple[Shapes, ...] = ()
        if not is_shape(output):
            output, *forward_states = child_shapes(output)
            states = (*forward_states, *forward_states)
        assert is_shape(output)
        if self.merge_mode is None:
            return (output, output, *states)
        if self.merge_mode == "concat":
            output = (*output[:-1], size_sum((output[-1], output[-1])))
        return (output, *states) if states else output

    def demand_traceable(self, sequences: Shape, /, *_others: Shapes | None) -> None:
        for argument in self.inner_layer_arguments:
            layer = getattr(self, argument)
            if isinstance(layer, RecurrentLayer):
                with prefix_error_path(argument):
                    layer.demand_repeatable_step(sequences)

    def weights(self, sequences: Shapes, /, *_others: Shapes | None) -> Iterator[Weight]:
        forward = as_layer_kind(self.layer)
        backward = as_layer_kind(self.backward_layer or self.layer)
        forward_name = f"forward_{sublayer_name(forward).removeprefix('forward_')}"
        backward_name = sublayer_name(backward)
        if self.backward_layer is None:
            backward_name = f"backward_{backward_name.removeprefix('backward_')}"
        with prefix_error_path("layer"):
            yield from sublayer_weights(forward_name, forward, sequences)
        with prefix_error_path("layer" if backward is forward else "backward_layer"):
            yield from sublayer_weights(backward_name, backward, sequences)

    def _check_directions(self) -> None:
        """Raise LayerError unless the layers are recurrent, with opposite directions."""
        forward = _direction_arguments(self.layer, "layer")
        with prefix_error_path("layer"):
            _demand_copyable(as_layer_kind(self.layer))
        if forward["stateful"] and forward["return_state"]:
            raise LayerError(
                "Keras cannot return the states of a stateful layer from both ends; remove one",
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


def _direction_arguments(layer: AnyLayer, argument: str) -> dict[str, bool]:
    """The arguments of a recurrent layer that both directions are compared by.

    Raises:
        LayerError: the layer is not recurrent.
    """
    try:
        return {name: getattr(layer, name) for name in ("go_backwards", *_MATCHING_ARGUMENTS)}
    except AttributeError:
        kind = type(layer).__name__
        raise LayerError(f"it takes recurrent layers such as LSTM, not {kind}", argument) from None


def _demand_copyable(layer: LayerKind) -> None:
    """Raise LayerError unless Keras can copy a layer by writing its config and reading it."""
    for name in layer.__struct_fields__:
        if name.endswith("_regularizer") and has_abstract_regularizer(layer, name):
            raise LayerError("'Regularizer' cannot be copied; use one such as L2, or none", name)
    for path, inner in inner_layers(layer):
        with prefix_error_path(*path):
            _demand_copyable(inner)
