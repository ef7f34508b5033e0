"""Layers of classes that Keras does not have: their output and weights are stated, or unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import field

from dense_calc.dtypes import Dtypes
from dense_calc.gaps import Gap
from dense_calc.layers.arguments.types import PolicyArgument
from dense_calc.layers.base import AnyLayer, LayerKind, NonNegativeInt, Weight, as_layer_kind
from dense_calc.layers.core import StatedShape, stated_shapes
from dense_calc.shapes import OPAQUE_SHAPE, Shapes

WeightShapes = dict[str, tuple[NonNegativeInt, ...]]  # the shapes of weights by their names


class CustomLayer(LayerKind, frozen=True, kw_only=True):
    """A layer of a class that Keras does not have.

    `weight_shapes` is None if the weights are unknown. `frozen` names those that are not trained.
    """

    accepts_nested: ClassVar[bool] = True
    arity: ClassVar[range] = range(1, 1000)
    uses_input_dtypes: ClassVar[bool] = True
    keras_module: ClassVar[str] = ""
    shape_rule: ClassVar[str] = "(...) → (...')"

    weight_shapes: WeightShapes | None = field(name="weights", default_factory=dict)
    frozen: tuple[str, ...] = ()
    trainable: bool = True
    dtype: PolicyArgument | None = None

    def weights(self, *_shapes: Any) -> Iterator[Weight]:
        for name, sizes in (self.weight_shapes or {}).items():
            axes = {f"axis {axis}": size for axis, size in enumerate(sizes)}
            yield Weight(name, axes, "zeros", trainable=name not in self.frozen)

    def weights_for_any_input(self) -> tuple[Weight, ...] | None:
        return None if self.weight_shapes is None else tuple(self.weights())


class AssumedLayer(CustomLayer, frozen=True, kw_only=True):
    """A layer whose output shape and weights a user states.

    `stated_shape` has no batch axis. Without one, the output has the shape of the input.
    """

    weight_shapes: WeightShapes = field(name="weights", default_factory=dict)
    stated_shape: tuple[NonNegativeInt | StatedShape | None, ...] | None = field(
        name="output_shape", default=None
    )

    def output_shape(self, shapes: Shapes, /, *_others: Any) -> Shapes:
        return shapes if self.stated_shape is None else stated_shapes(self.stated_shape, shapes)

    def output_dtype(self, dtypes: Dtypes, /, *_others: Any) -> Dtypes:
        return dtypes if self.stated_shape is None else None

    def output_for_any_input(self) -> Shapes | None:
        return None if self.stated_shape is None else stated_shapes(self.stated_shape, (None,))


class OpaqueLayer(CustomLayer, frozen=True, kw_only=True, eq=False):
    """A layer whose output, and perhaps weights, only its file may state.

    `gap` describes it in messages. `fallback` is the layer to take where the file states nothing.
    """

    weight_shapes: WeightShapes | None = field(name="weights", default=None)
    gap: Gap
    fallback: AnyLayer | None = None

    @property
    def is_opaque(self) -> bool:
        return True

    def output_shape(self, *shapes: Any) -> Shapes:
        return as_layer_kind(self.fallback).output_shape(*shapes) if self.fallback else OPAQUE_SHAPE

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        return as_layer_kind(self.fallback).output_dtype(*dtypes) if self.fallback else None
