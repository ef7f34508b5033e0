"""Keras' activation layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.arguments import types
from dense_calc.layers.base import (
    ElementwiseLayer,
    KerasLayer,
    NonNegativeFloat,
    Weight,
)
from dense_calc.layers.weight_axes import distinct_axis_name
from dense_calc.shapes import IMAGE_AXES, SEQUENCE_AXES, VOLUME_AXES, Shape, Shapes, as_tuple

# The names of the axes after the batch, by their number; more than 4 are numbered instead.
_AXIS_NAMES_BY_COUNT = {
    len(sides) + 1: (*sides, "channels") for sides in ((), SEQUENCE_AXES, IMAGE_AXES, VOLUME_AXES)
}


class Activation(ElementwiseLayer, frozen=True, kw_only=True):
    """An activation function, applied to each element."""

    activation: types.ActivationArgument


class ELU(ElementwiseLayer, frozen=True, kw_only=True):
    """An exponential linear unit: below zero it bends to -alpha."""

    alpha: float = 1.0


class LeakyReLU(ElementwiseLayer, frozen=True, kw_only=True):
    """A rectified linear unit that lets a part of what is negative through.

    `alpha` is the old name of `negative_slope`, which then counts for nothing.
    """

    negative_slope: float = 0.3
    alpha: NonNegativeFloat | None = None

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        if self.alpha is None and self.negative_slope < 0:
            raise LayerError(
                f"negative_slope must be at least 0, not {self.negative_slope:g}", "negative_slope"
            )
        return shapes


class PReLU(KerasLayer, frozen=True, kw_only=True):
    """A rectified linear unit with a slope for each element, which is learned.

    Axes count from 1, the first after the batch; along `shared_axes` one slope serves all.
    """

    alpha_initializer: types.Initializer = "Zeros"
    alpha_regularizer: types.Regularizer = None
    alpha_constraint: types.Constraint = None
    shared_axes: int | tuple[int, ...] | None = None

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        shared = self._shared_positions(shape)
        names = _AXIS_NAMES_BY_COUNT.get(len(shape) - 1) or [
            f"axis {axis}" for axis in range(1, len(shape))
        ]
        axes: dict[str, int] = {}
        for axis, (name, size) in enumerate(zip(names, shape[1:], strict=True), 1):
            if axis - 1 in shared:
                axes[distinct_axis_name("1", axes)] = 1
            elif size is None:
                raise UnknownSizeError(
                    f"each element has a slope, but axis {axis} is unknown in {shape}; give "
                    f"it a size, or share the slopes along it: 'shared_axes: [{axis}]'",
                    "shared_axes",
                )
            else:
                axes[name] = size
        yield Weight("alpha", axes, self.alpha_initializer)

    def _shared_positions(self, shape: Shape) -> set[int]:
        """Positions of `shared_axes` among the axes after the batch; Keras takes 0 for the last."""
        axes = () if self.shared_axes is None else as_tuple(self.shared_axes)
        for axis in axes:
            if not 2 - len(shape) <= axis < len(shape):
                raise LayerError(
                    f"axis {axis} is not in the input, which is {shape}", "shared_axes"
                )
        return {(axis - 1) % (len(shape) - 1) for axis in axes}


class ReLU(ElementwiseLayer, frozen=True, kw_only=True):
    """A rectified linear unit, with an optional ceiling, leak and threshold."""

    max_value: NonNegativeFloat | None = None
    negative_slope: NonNegativeFloat = 0.0
    threshold: NonNegativeFloat = 0.0


class Softmax(ElementwiseLayer, frozen=True, kw_only=True):
    """Makes the elements along `axis` positive with the sum 1.

    A second input is a mask of what counts. Keras looks at neither `axis` nor the mask's shape
    before data comes.
    """

    arity: ClassVar[range] = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "mask")

    axis: int | tuple[int, ...] | None = -1

    def output_shape(self, shapes: Shapes, _mask: Shapes | None = None, /) -> Shapes:
        return shapes
