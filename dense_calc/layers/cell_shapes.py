"""The arithmetic of a recurrent cell on the shapes of its step and its states."""

from __future__ import annotations

from dense_calc.shapes import Shape, Shapes, child_shapes, distinct_sizes, is_shape


class StateMismatchError(Exception):
    """The sizes of states and inputs do not fit."""


def traced_elementwise_shape(*shapes: Shape) -> Shape:
    """The shape of an elementwise operation when Keras traces it: all unknown sizes are equal.

    Raises:
        StateMismatchError: two sizes differ and neither is 1.
    """
    rank = max(map(len, shapes))
    merged = []
    for sizes in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        distinct = distinct_sizes(size for size in sizes if size != 1)
        if len(distinct) > 1:
            raise StateMismatchError
        merged.append(distinct.pop() if distinct else 1)
    return tuple(merged)


def kernel_output_shape(step: Shape, outputs: int) -> Shape:
    """The shape of a step after the kernel."""
    return (*step[:-1], outputs)


def recurrent_output_shape(before: Shape, inputs: int, outputs: int) -> Shape:
    """The shape of a state after a recurrent kernel of these sizes."""
    if before[-1:] != (inputs,):
        raise StateMismatchError
    return (*before[:-1], outputs)


def split_gate_shape(sums: Shape) -> Shape:
    """The shape of one of the four gates that share the second axis."""
    if len(sums) < 2 or sums[1] is None or sums[1] % 4:
        raise StateMismatchError
    return (sums[0], sums[1] // 4, *sums[2:])


def state_tensors(states: Shapes, count: int) -> tuple[Shape, ...]:
    """The first `count` tensors of the states of a cell; Keras ignores further ones.

    Keras unpacks states that are one tensor along its first axis.

    Raises:
        StateMismatchError: there are fewer.
    """
    if isinstance(states, dict):
        raise StateMismatchError
    if is_shape(states):
        return (states,) if count == 1 else (states[1:],) * count
    tensors = tuple(each for each in child_shapes(states)[:count] if is_shape(each))
    if len(tensors) < count:
        raise StateMismatchError
    return tensors
