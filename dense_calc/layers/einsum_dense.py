"""Keras' EinsumDense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import ClassVar

from msgspec import field

from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.base import NotNegative, Weight
from dense_calc.layers.einsum import Equation, Letters, Sizes, equation_of, int8_scale, sizes_of
from dense_calc.layers.quantization import Axes, QuantizableLayer
from dense_calc.shapes import Shape, demand_rank


class EinsumDense(QuantizableLayer, frozen=True, kw_only=True):
    """A layer whose kernel is multiplied with its input as an einsum equation says.

    `output_shape` is that without the batch axis and without what an ellipsis stands for. Several
    axes in an ellipsis on the left come out in reverse in Keras' shapes, and so they do here.
    """

    rule: ClassVar[str] = "(batch, ...) → (batch, ...)"
    keeps_rank: ClassVar[bool] = True
    zero_name: ClassVar[str] = "zero_point"

    equation: str
    output_size: NotNegative | tuple[NotNegative | None, ...] = field(name="output_shape")
    bias_axes: str | None = None
    gptq_unpacked_column_size: int | None = None

    def sizes(self, shape: Shape) -> tuple[Equation, Sizes]:
        """The equation, and the sizes of its letters for an input of this shape."""
        demand_rank(shape, 1, "(batch, ...)", or_more=True)
        equation = equation_of(self.equation)
        wanted = self.output_size
        given = (wanted,) if isinstance(wanted, int) else wanted
        return equation, sizes_of(equation, shape, given, self.bias_axes)

    def output_shape(self, shape: Shape, /) -> Shape:
        return self.sizes(shape)[1].output

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        _, sizes = self.sizes(shape)
        bias = None
        if self.bias_axes is not None:
            bias = Weight("bias", named_axes(sizes.bias), self.bias_initializer)
        return self.all_weights(named_axes(sizes.kernel), bias)

    def quantized_equation(self, mode: str) -> Equation:
        """The equation, if Keras quantizes it."""
        equation = equation_of(self.equation)
        if equation.elided:
            raise LayerError(f"an equation with '...' cannot be quantized as {mode}", "equation")
        return equation

    def int8_scale(self, kernel: Axes) -> Axes:
        return named_axes(int8_scale(self.quantized_equation("int8"), list(kernel.items())))

    def matrix(self, kernel: Axes, mode: str) -> tuple[Axes, Axes]:
        letters = self.quantized_equation(mode)
        axes = list(kernel)
        if mode == "int4":  # rows are what is summed over
            summed = [each not in letters.outputs for each in letters.kernel]
            rows = [axis for axis, inner in zip(axes, summed, strict=True) if inner]
        elif len(axes) in (2, 3):  # Keras takes the largest axis for the width of the model
            largest = max(axes, key=lambda axis: kernel[axis])
            rows = axes[:1] if len(axes) == 2 or largest == axes[0] else axes[:2]
        else:
            raise LayerError(f"{mode} wants a kernel of 2 or 3 axes, not {len(axes)}", "equation")
        columns = [axis for axis in axes if axis not in rows]
        return flat(kernel, rows), flat(kernel, columns)


def flat(axes: Axes, names: Iterable[str]) -> Axes:
    """Some of the axes as one."""
    return {" × ".join(names) or "1": prod(axes[name] for name in names)}


def named_axes(letters: Letters) -> dict[str, int]:
    """Axes with these letters and sizes, none with the name of another: a second `a` is `1 × a`.

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
        name = letter
        while name in axes:
            name = f"1 × {name}"
        axes[name] = size
    return axes
