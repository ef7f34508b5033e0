"""Layers that only the models of `keras.applications` use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.layers.base import TWO_INPUTS, KerasLayer, PositiveInt, Weight
from dense_calc.shapes import Shape


class LayerScale(KerasLayer, frozen=True, kw_only=True):
    """Scales each channel by a learned factor; source: keras.applications.convnext."""

    keras_module: ClassVar[str] = "keras.src.applications.convnext"

    init_values: float
    projection_dim: PositiveInt

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        yield Weight("gamma", {"channels": self.projection_dim}, "ones")


class StochasticDepth(KerasLayer, frozen=True, kw_only=True):
    """Drops its input now and then while it is trained; source: keras.applications.convnext."""

    keras_module: ClassVar[str] = LayerScale.keras_module

    drop_path_rate: float


class CustomScaleLayer(KerasLayer, frozen=True, kw_only=True):
    """Adds its second input, scaled, to the first; source: keras.applications.inception_resnet_v2.

    Keras looks at the shapes only when data comes; it gives what the first input is.
    """

    arity: ClassVar[range] = TWO_INPUTS
    inputs_as_list: ClassVar[bool] = True
    keras_module: ClassVar[str] = "keras.src.applications.inception_resnet_v2"
    shape_rule: ClassVar[str] = "(...), (...) → (...)"

    scale: float

    def output_shape(self, first: Shape, second: Shape, /) -> Shape:
        return first
