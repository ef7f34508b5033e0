"""Keras' EinsumDense."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import field

from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.base import NonNegativeInt, Weight
from dense_calc.layers.einsum import (
    EinsumEquation,
    EinsumSizes,
    LetterSizes,
    einsum_int8_scale,
    einsum_sizes,
    parse_equation,
)
from dense_calc.layers.quantization import QuantizableLayer
from dense_calc.layers.weight_axes import WeightAxes, distinct_axis_name, flatten_axes
from dense_calc.shapes import Shape, as_tuple, demand_rank


class EinsumDense(QuantizableLayer, frozen=True, kw_only=True):
    """A layer whose kernel is multiplied with its input as an einsum equation says.

    `output_shape` is that without the batch axis and without what an ellipsis stands for. Several
    axes in an ellipsis on the left come out in reverse in Keras' shapes, and so they do here.
    """

    shape_rule: ClassVar[str] = "(batch, ...) → (batch, ...)"
    has_fixed_rank: ClassVar[bool] = True
    zero_point_name: ClassVar[str] = "zero_point"

    equation: str
    output_size: NonNegativeInt | tuple[NonNegativeInt | None, ...] = field(name="output_shape")
    bias_axes: str | None = None
    gptq_unpacked_column_size: int | None = None

    def _equation_and_sizes(self, shape: Shape) -> tuple[EinsumEquation, EinsumSizes]:
        """The equation, and the sizes of its letters for an input of this shape."""
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        equation = parse_equation(self.equation)
        output_sizes: Shape = as_tuple(self.output_size)
        return equation, einsum_sizes(equation, shape, output_sizes, self.bias_axes)

    def output_shape(self, shape: Shape, /) -> Shape:
        return self._equation_and_sizes(shape)[1].output_shape

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        _, sizes = self._equation_and_sizes(shape)
        bias = None
        if self.bias_axes is not None:
            bias = Weight("bias", _axes_by_letter(sizes.bias_sizes), self.bias_initializer)
        return self.ordered_weights(_axes_by_letter(sizes.kernel_sizes), bias)

    def _quantized_equation(self, mode: str) -> EinsumEquation:
        """The equation of a quantized layer.

        Raises:
            LayerError: Keras does not quantize it.
        """
        equation = parse_equation(self.equation)
        if equation.has_ellipsis:
            raise LayerError(f"an equation with '...' cannot be quantized as {mode}", "equation")
        return equation

    def int8_scale_axes(self, kernel: WeightAxes) -> WeightAxes:
        return _axes_by_letter(
            einsum_int8_scale(self._quantized_equation("int8"), list(kernel.items()))
        )

    def matrix_axes(self, kernel: WeightAxes, mode: str) -> tuple[WeightAxes, WeightAxes]:
        equation = self._quantized_equation(mode)
        axes = list(kernel)
        if mode == "int4":  # rows are the axes that the product sums over
            rows = [
                axis
                for axis, letter in zip(axes, equation.kernel_letters, strict=True)
                if letter not in equation.output_letters
            ]
        elif len(axes) in (2, 3):  # Keras takes the largest axis for the width of the model
            largest = max(axes, key=lambda axis: kernel[axis])
            rows = axes[:1] if len(axes) == 2 or largest == axes[0] else axes[:2]
        else:
            raise LayerError(f"{mode} needs a kernel of 2 or 3 axes, not {len(axes)}", "equation")
        return (
            flatten_axes({axis: kernel[axis] for axis in rows}),
            flatten_axes({axis: size for axis, size in kernel.items() if axis not in rows}),
        )


def _axes_by_letter(letters: LetterSizes) -> dict[str, int]:
    """Axes with these letters and sizes, all named differently: a second `a` is `1 × a`.

    Raises:
        LayerError: a size is unknown.
    """
    axes: dict[str, int] = {}
    for letter, size in letters:
        if size is None:
            raise UnknownSizeError(
                f"the weights depend on axis '{letter}' of the equation, which is unknown; "
                "give it a size in output_shape or in the model's input",
                "output_shape",
            )
        axes[distinct_axis_name(letter, axes)] = size
    return axes
