"""Shapes of elementwise operations: axes are matched from the last, and a size of 1 stretches.

Keras has two rules for an unknown size beside a known one. Its operations take the known size
(`broadcast_shapes` of keras/src/ops/operation_utils.py); its merging layers keep it unknown
(`_compute_elemwise_op_output_shape` of keras/src/layers/merging/base_merge.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import starmap

from dense_calc.errors import LayerError
from dense_calc.shapes import Shape, Size


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The output shape of an elementwise operation.

    Raises:
        LayerError: two sizes differ and neither is 1.
    """
    return reduce(lambda one, other: tuple(starmap(_broadcast_size, _axes(one, other))), shapes)


def broadcast_layer_inputs(one: Shape, other: Shape) -> Shape:
    """The output shape of a merging layer without the batch; raises as `broadcast_shapes` does."""
    longer, shorter = (other, one) if len(one) < len(other) else (one, other)
    return tuple(
        None if None in sizes else _broadcast_size(*sizes) for sizes in _axes(longer, shorter)
    )


def _axes(one: Shape, other: Shape) -> Iterator[tuple[Size, Size]]:
    """The two sizes of each axis, 1 where a shape lacks the axis."""
    rank = max(len(one), len(other))
    return zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other, strict=True)


def _broadcast_size(one: Size, other: Size) -> Size:
    """The size of one axis of the output."""
    if one == 1:
        return other
    if other in (1, None, one):
        return one
    if one is None:
        return other
    raise LayerError(f"sizes {one} and {other} differ, and neither is 1")
