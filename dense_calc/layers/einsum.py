"""The equation of an EinsumDense layer, `abc,cd->abd`, and the shapes that it stands for.

Source: `_analyze_einsum_string` of keras/src/layers/core/einsum_dense.py. Its arithmetic is kept
even where it is odd, because Keras' shapes come from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from dense_calc.errors import LayerError
from dense_calc.shapes import Shape, Size

# Keras ignores what follows a match; `0` stands for the ellipsis.
_LEADING_ELLIPSIS_FORM = "0([a-zA-Z]+),([a-zA-Z]+)->0([a-zA-Z]+)"
_OTHER_EQUATION_FORMS = (
    "([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)",
    "([a-zA-Z]{2,})0,([a-zA-Z]+)->([a-zA-Z]+)0",
)

LetterSizes = Sequence[tuple[str, Size]]


class EinsumEquation(Struct, frozen=True):
    """The letters of the input, the kernel and the output."""

    input_letters: str
    kernel_letters: str
    output_letters: str
    has_ellipsis: bool
    has_leading_ellipsis: bool  # on the left of the letters


class EinsumSizes(Struct, frozen=True):
    """The sizes of the output, the kernel and the bias; an axis without a letter is called `1`."""

    output_shape: Shape
    kernel_sizes: LetterSizes
    bias_sizes: LetterSizes


def parse_equation(text: str) -> EinsumEquation:
    """The parts of an equation.

    Raises:
        LayerError: Keras does not understand it.
    """
    short = text.replace("...", "0")
    for form in (*_OTHER_EQUATION_FORMS, _LEADING_ELLIPSIS_FORM):
        match = re.match(form, short)
        if match:
            elided, leads = "0" in match[0], form == _LEADING_ELLIPSIS_FORM
            return EinsumEquation(match[1], match[2], match[3], elided, leads)
    raise LayerError(
        "the equation must look like 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...', "
        f"not '{text}'",
        "equation",
    )


def einsum_sizes(
    equation: EinsumEquation, shape: Shape, stated: Shape, bias_axes: str | None
) -> EinsumSizes:
    """The sizes for an input of `shape` and an output of the `stated` sizes after its batch axis.

    Raises:
        LayerError: they do not fit.
    """
    inputs, outputs = equation.input_letters, equation.output_letters
    elided = len(shape) - len(inputs)
    lead, start = (elided, -len(inputs)) if equation.has_leading_ellipsis else (0, 0)
    try:
        output = _einsum_output_shape(equation, shape, stated)
        output_sizes = {each: output[place] for each, place in _letter_positions(outputs, lead)}
        input_sizes = {each: shape[place] for each, place in _letter_positions(inputs, start)}
    except IndexError:
        raise LayerError(
            f"'{inputs}' and '{outputs}' of the equation do not fit an input of {shape} and an "
            f"output of {list(stated)} after the batch axis",
            "equation",
        ) from None
    _demand_equal_sizes(input_sizes, output_sizes)
    _demand_known_letters(equation, bias_axes)
    sizes = input_sizes | output_sizes
    kernel = [(letter, sizes.get(letter)) for letter in equation.kernel_letters]
    bias = _bias_letter_sizes(equation, output_sizes, elided, bias_axes)
    return EinsumSizes(tuple(output), kernel, bias)


def _demand_equal_sizes(inputs: dict[str, Size], outputs: dict[str, Size]) -> None:
    """Raise LayerError where a letter has one size in the input and another in the output."""
    for letter, size in inputs.items():
        if outputs.get(letter) not in (None, size):
            known = "unknown" if size is None else size
            raise LayerError(
                f"axis '{letter}' is {known} in the input and {outputs[letter]} in output_shape; "
                "make them the same, or give null in output_shape",
                "output_shape",
            )


def _einsum_output_shape(equation: EinsumEquation, shape: Shape, stated: Shape) -> list[Size]:
    """The shape of the output; several axes of a leading ellipsis come in reverse, as in Keras."""
    elided = len(shape) - len(equation.input_letters)
    output = [shape[0], *stated]
    if equation.has_leading_ellipsis:
        for size in shape[1 : max(elided, 1)]:
            output.insert(1, size)
    elif elided > 0:
        output += shape[-elided:]
    return output


def _letter_positions(letters: str, first: int) -> Iterable[tuple[str, int]]:
    """The position of each letter, the last one of a letter that occurs twice."""
    return {letter: place for place, letter in enumerate(letters, first)}.items()


def _demand_known_letters(equation: EinsumEquation, bias_axes: str | None) -> None:
    """Raise LayerError where a letter has no counterpart."""
    inputs, kernel, outputs = (
        equation.input_letters,
        equation.kernel_letters,
        equation.output_letters,
    )
    for letter in outputs:
        if letter not in inputs + kernel:
            raise LayerError(
                f"'{letter}' of the output is neither in the input nor in the kernel", "equation"
            )
    for letter in kernel:
        if letter not in inputs + outputs:
            raise LayerError(
                f"'{letter}' of the kernel is neither in the input nor in the output", "equation"
            )
    if bias_axes == "":
        raise LayerError("bias_axes names no axis; leave it out for no bias", "bias_axes")
    for letter in bias_axes or "":
        if letter not in outputs:
            raise LayerError(
                f"bias_axes has '{letter}', which is not in the output, '{outputs}'", "bias_axes"
            )


def _bias_letter_sizes(
    equation: EinsumEquation, sizes: dict[str, Size], elided: int, bias_axes: str | None
) -> LetterSizes:
    """The output axes from the first in `bias_axes` on, of size 1 where they are not in it."""
    if bias_axes is None:
        return []
    letters = equation.output_letters[min(map(equation.output_letters.find, bias_axes)) :]
    bias = [(each, sizes[each]) if each in bias_axes else ("1", 1) for each in letters]
    return [*bias, *[("1", 1)] * (0 if equation.has_leading_ellipsis else max(elided, 0))]


def einsum_int8_scale(equation: EinsumEquation, kernel: Sequence[tuple[str, int]]) -> LetterSizes:
    """The axes of the scale of an int8 kernel: those of the output, 1 where the kernel has none.

    Source: `_analyze_quantization_info` and `_get_kernel_scale_shape`, with their surprises where
    the kernel sums over more axes than the output has room for.

    Raises:
        LayerError: they do not find a shape.
    """
    letters = equation.kernel_letters
    sizes = [
        axis if letter in equation.output_letters else ("1", 1)
        for letter, axis in zip(letters, kernel, strict=True)
    ]
    order, free_places, surplus = _scale_axis_order(equation)
    scale = [sizes[axis] for axis in order]
    for place in free_places:
        scale.insert(place, ("1", 1))
    try:
        for axis in reversed(surplus):
            scale.pop(axis)
    except IndexError:
        raise LayerError(f"Keras cannot scale a kernel of '{letters}' in int8", "dtype") from None
    return scale


def _scale_axis_order(equation: EinsumEquation) -> tuple[list[int], list[int], list[int]]:
    """The kernel's axes in the order of the scale, free places, and axes without a place."""
    letters, outputs = equation.kernel_letters, equation.output_letters
    order = [letters.find(letter) for letter in outputs if letter in letters]
    free_places = [place for place, letter in enumerate(outputs) if letter not in letters]
    surplus = []
    # Without a free place Keras goes on with the last value of its variable for places.
    new_places = [
        place for place, letter in enumerate(outputs) if letter not in equation.input_letters
    ]
    input_sums = sum(letter not in outputs for letter in equation.input_letters)
    used = new_places[:input_sums]
    place = used[-1] if used else outputs.find(letters[-1])
    for axis, letter in enumerate(letters):
        if letter in outputs:
            continue
        if free_places:
            place = free_places.pop(0)
        else:
            surplus.append(axis)
        order.insert(place, axis)
    return order, free_places, surplus
