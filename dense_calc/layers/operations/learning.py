"""Batch normalization and losses, most of which compare the shapes of their inputs."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.operations.operation import (
    Int64,
    Operation,
    axis_size,
    normalize_axis,
    remove_axes,
)
from dense_calc.shapes import Shape, Shapes, demand_rank


class BatchNorm(Operation, frozen=True, kw_only=True):
    """A normalization with one mean and one variance for each place along `axis`."""

    arity = range(3, 6)
    input_names: ClassVar[tuple[str, ...]] = ("x", "mean", "variance", "offset", "scale")
    shape_rule = "(..., size), (size), (size) → (..., size)"

    axis: Int64
    epsilon: Any = 0.001

    def infer_shape(self, x: Shape, /, *vectors: Shape | None) -> Shapes:
        expected = (axis_size(x, self.axis),)
        if vectors[2] is not None and vectors[3] is None:
            raise LayerError("Keras needs a scale where there is an offset")
        for name, shape in zip(self.input_names[1:], vectors, strict=True):
            if shape is not None and shape != expected:
                raise LayerError(f"{name} must have the shape {expected}, not {shape}")
        return x


class BinaryCrossentropy(Operation, frozen=True, kw_only=True):
    """The loss of each element."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("target", "output")
    shape_rule = "(...), (...) → (...)"

    from_logits: Any = False

    def infer_shape(self, target: Shape, output: Shape, /) -> Shapes:
        _demand_equal_shapes(target, output)
        return output


class CategoricalCrossentropy(BinaryCrossentropy, frozen=True, kw_only=True):
    """The loss of each row of classes; Keras removes the last axis, whatever `axis` is."""

    shape_rule = "(..., classes), (..., classes) → (...)"

    axis: Any = -1

    def infer_shape(self, target: Shape, output: Shape, /) -> Shapes:
        _demand_equal_shapes(target, output)
        demand_rank(output, 1, "(..., classes)", or_more=True)
        return output[:-1]


class SparseCategoricalCrossentropy(BinaryCrossentropy, frozen=True, kw_only=True):
    """The loss of each row of classes; the target is the number of one class."""

    shape_rule = "(...), (..., classes) → (...)"

    axis: Int64 = -1

    def infer_shape(self, target: Shape, output: Shape, /) -> Shapes:
        rows = remove_axes(output, [normalize_axis(self.axis, len(output))])
        classes = target[:-1] if len(target) == len(output) and target[-1] == 1 else target
        _demand_equal_shapes(classes, rows)
        return rows


class CTCLoss(Operation, frozen=True, kw_only=True):
    """The loss of each sequence of a batch."""

    arity = range(4, 5)
    input_names: ClassVar[tuple[str, ...]] = ("target", "output", "target_length", "output_length")
    shape_rule = "(batch, ...), (batch, ...), (batch), (batch) → (batch)"

    mask_index: Any = 0

    def infer_shape(self, *shapes: Shape) -> Shapes:
        for shape in shapes:
            demand_rank(shape, 1, "(batch, ...)", or_more=True)
        batches = {shape[0] for shape in shapes}
        if len(batches) > 1:
            raise LayerError(f"the batches differ: {', '.join(map(str, shapes))}")
        return (shapes[0][0],)


class CTCDecode(Operation, frozen=True, kw_only=True):
    """The best sequences of classes, and their scores."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "sequence_lengths")
    shape_rule = "(batch, length, classes), (batch) → (paths, batch, length), (batch, paths)"

    strategy: str = "greedy"
    beam_width: Any = 100
    top_paths: Int64 = 1
    merge_repeated: Any = True
    mask_index: Any = 0

    def infer_shape(self, x: Shape, _lengths: Shape, /) -> Shapes:
        demand_rank(x, 2, "(batch, length, ...)", or_more=True)
        paths = 1 if self.strategy == "greedy" else self.top_paths
        return (paths, *x[:2]), (x[0], paths)


def _demand_equal_shapes(one: Shape, other: Shape) -> None:
    """Raise LayerError unless the shapes are equal; an unknown size equals only an unknown one."""
    if one != other:
        raise LayerError(f"target and output do not fit: {one} and {other} differ")
