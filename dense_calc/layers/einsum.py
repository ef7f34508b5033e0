"""The equation of an EinsumDense layer, `abc,cd->abd`, and the shapes that it stands for.

Source: `_analyze_einsum_string` of keras/src/layers/core/einsum_dense.py, whose arithmetic is
followed to the letter; also where it is odd, as Keras' shapes are what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from dense_calc.errors import LayerError
from dense_calc.shapes import Shape, Size

# Keras reads as much of an equation as fits; `0` stands for the ellipsis.
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
    has_ellipsis: bool  # whether it has an ellipsis
    has_leading_ellipsis: bool  # whether that stands on the left


class EinsumSizes(Struct, frozen=True):
    """The size of each axis of the output, the kernel and the bias; `1` where it has no letter."""

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
    equation: EinsumEquation, shape: Shape, wanted: Shape, bias_axes: str | None
) -> EinsumSizes:
    """The sizes for an input of `shape`, where the output is `wanted` to be so after its batch.

    Raises:
        LayerError: they do not fit.
    """
    try:
        output = _einsum_output_shape(equation, shape, wanted)
        elided = len(shape) - len(equation.input_letters)
        lead = elided if equation.has_leading_ellipsis else 0
        start = -len(equation.input_letters) if equation.has_leading_ellipsis else 0
        made = {
            each: output[place] for each, place in _letter_positions(equation.output_letters, lead)
        }
        read = {
            each: shape[place] for each, place in _letter_positions(equation.input_letters, start)
        }
    except IndexError:
        raise LayerError(
            f"'{equation.input_letters}' and '{equation.output_letters}' of the equation do not fit "
            f"an input of {shape} and an output of {list(wanted)} after the batch axis",
            "equation",
        ) from None
    for letter, size in read.items():
        if made.get(letter) not in (None, size):
            here = "unknown" if size is None else size
            raise LayerError(
                f"axis '{letter}' is {here} in the input and {made[letter]} in output_shape; "
                "make them the same, or give null in output_shape",
                "output_shape",
            )
    _demand_known_letters(equation, bias_axes)
    kernel = [(letter, made.get(letter, read.get(letter))) for letter in equation.kernel_letters]
    return EinsumSizes(tuple(output), kernel, _bias_letter_sizes(equation, made, elided, bias_axes))


def _einsum_output_shape(equation: EinsumEquation, shape: Shape, wanted: Shape) -> list[Size]:
    """The shape of the output; several axes on the left come in reverse, as Keras has them."""
    elided = len(shape) - len(equation.input_letters)
    output = [shape[0], *wanted]
    if equation.has_leading_ellipsis:
        for size in shape[1 : max(elided, 1)]:
            output.insert(1, size)
    elif elided > 0:
        output += shape[-elided:]
    return output


def _letter_positions(letters: str, first: int) -> Iterable[tuple[str, int]]:
    """The place of each letter, the last one if it stands there twice."""
    return {letter: place for place, letter in enumerate(letters, first)}.items()


def _demand_known_letters(equation: EinsumEquation, bias_axes: str | None) -> None:
    """Raise LayerError where a letter stands for nothing."""
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
    equation: EinsumEquation, made: dict[str, Size], elided: int, bias_axes: str | None
) -> LetterSizes:
    """The axes of the bias: those from the first that it has, 1 for those that it has not."""
    if bias_axes is None:
        return []
    letters = equation.output_letters[min(map(equation.output_letters.find, bias_axes)) :]
    bias = [(each, made[each]) if each in bias_axes else ("1", 1) for each in letters]
    return [*bias, *[("1", 1)] * (0 if equation.has_leading_ellipsis else max(elided, 0))]


def einsum_int8_scale(equation: EinsumEquation, kernel: Sequence[tuple[str, int]]) -> LetterSizes:
    """The axes of the scale of an int8 kernel: those of the output, 1 where the kernel has none.

    Source: `_analyze_quantization_info` and `_get_kernel_scale_shape`, with their surprises where
    there is more to sum over than the output has room for.

    Raises:
        LayerError: they do not find a shape.
    """
    inputs, letters, outputs = (
        equation.input_letters,
        equation.kernel_letters,
        equation.output_letters,
    )
    sizes = [
        pair if letter in outputs else ("1", 1)
        for letter, pair in zip(letters, kernel, strict=True)
    ]
    summed = [place for place, letter in enumerate(letters) if letter not in outputs]
    room = [place for place, letter in enumerate(outputs) if letter not in letters]
    order = [letters.find(letter) for letter in outputs if letter in letters]
    superfluous = []
    # Without room Keras goes on with the place that it had before, whatever it was for.
    input_room = [place for place, letter in enumerate(outputs) if letter not in inputs]
    input_summed = sum(letter not in outputs for letter in inputs)
    used = input_room[:input_summed]
    place = used[-1] if used else outputs.find(letters[-1])
    for axis in summed:
        if room:
            place = room.pop(0)
        else:
            superfluous.append(axis)
        order.insert(place, axis)
    scale = [sizes[axis] for axis in order]
    for place in room:
        scale.insert(place, ("1", 1))
    try:
        for place in reversed(superfluous):
            scale.pop(place)
    except IndexError:
        raise LayerError(
            f"Keras finds no scale for a kernel of '{letters}' in int8", "dtype"
        ) from None
    return scale
