"""What the arithmetic of a recurrent cell makes of the shapes of its step and its states."""

from __future__ import annotations

from dense_calc.shapes import Shape, Shapes, child_shapes, is_shape


class StateMismatchError(Exception):
    """The sizes of states and inputs do not agree."""


def traced_elementwise_shape(*shapes: Shape) -> Shape:
    """The shape of an elementwise operation, as Keras traces it: all unknown sizes are the same.

    Raises:
        MisfitError: two sizes differ and neither is 1.
    """
    rank = max(map(len, shapes))
    merged = []
    for sizes in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        several = set(sizes) - {1}
        if len(several) > 1:
            raise StateMismatchError
        merged.append(several.pop() if several else 1)
    return tuple(merged)


def kernel_output_shape(step: Shape, outputs: int) -> Shape:
    """A step after its kernel, which fits it."""
    return (*step[:-1], outputs)


def recurrent_output_shape(before: Shape, inputs: int, outputs: int) -> Shape:
    """A state after a recurrent kernel with so many inputs and outputs."""
    if before[-1:] != (inputs,):
        raise StateMismatchError
    return (*before[:-1], outputs)


def split_gate_shape(sums: Shape) -> Shape:
    """One of the four gates that stand side by side in the second axis."""
    if len(sums) < 2 or sums[1] is None or sums[1] % 4:
        raise StateMismatchError
    return (sums[0], sums[1] // 4, *sums[2:])


def state_tensors(states: Shapes, number: int) -> tuple[Shape, ...]:
    """The first so many tensors of the states of a cell; further ones are not looked at.

    Of states that are one tensor Keras takes what stands in it.

    Raises:
        MisfitError: there are fewer.
    """
    if isinstance(states, dict):
        raise StateMismatchError
    if is_shape(states):
        return (states,) if number == 1 else (states[1:],) * number
    found = tuple(each for each in child_shapes(states)[:number] if is_shape(each))
    if len(found) < number:
        raise StateMismatchError
    return found
