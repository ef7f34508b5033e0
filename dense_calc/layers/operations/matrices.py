"""Operations on matrices: diagonals, decompositions, systems of equations."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.operations.operation import (
    Int64,
    Operation,
    OperationGroup,
    axis_size,
    drop_axes,
    normalize_axis,
    operations_named,
)
from dense_calc.shapes import Shape, Shapes, Size, computed_size, demand_rank, size_product

_MATRIX_AXES = "(..., rows, columns)"


def _matrix_sizes(shape: Shape) -> tuple[Shape, Size, Size]:
    """The batch axes, and the rows and columns of the matrices."""
    demand_rank(shape, 2, _MATRIX_AXES, or_more=True)
    return shape[:-2], shape[-2], shape[-1]


def _known_matrix_sizes(shape: Shape) -> tuple[Shape, int, int]:
    """The batch axes, and the rows and columns, of which Keras needs the smaller.

    Raises:
        LayerError: one of the two is unknown.
    """
    batches, rows, columns = _matrix_sizes(shape)
    if rows is None or columns is None:
        raise LayerError(f"rows and columns must be known, but are not in {shape}")
    return batches, rows, columns


def _square_matrix_sizes(shape: Shape) -> tuple[Shape, Size]:
    """The batch axes, and the size of square matrices.

    Raises:
        LayerError: they are not square, or only one of their sizes is known.
    """
    batches, rows, columns = _matrix_sizes(shape)
    if rows != columns:
        raise LayerError(f"the matrices must be square, not {rows} × {columns}")
    return batches, rows


class _SquareMatrixOperation(Operation, frozen=True, kw_only=True):
    """Keeps the shape of square matrices."""

    shape_rule = "(..., size, size) → (..., size, size)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        _square_matrix_sizes(x)
        return x


class Det(Operation, frozen=True, kw_only=True):
    """One number for each square matrix."""

    shape_rule = "(..., size, size) → (...)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _square_matrix_sizes(x)[0]


class Logdet(Operation, frozen=True, kw_only=True):
    """One number for each matrix; Keras does not check that there are square matrices."""

    shape_rule = Det.shape_rule

    def infer_shape(self, x: Shape, /) -> Shapes:
        return x[:-2]


class Slogdet(Operation, frozen=True, kw_only=True):
    """The signs and the logarithms of determinants; for Keras the sign is a single number."""

    shape_rule = "(..., size, size) → (), (...)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (), x[:-2]


class _EigenDecomposition(Operation, frozen=True, kw_only=True):
    """The eigenvalues and the eigenvectors of square matrices."""

    shape_rule = "(..., size, size) → (..., size), (..., size, size)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        _square_matrix_sizes(x)
        return x[:-1], x


class LuFactor(Operation, frozen=True, kw_only=True):
    """The triangular factors of each matrix in one matrix, and the order of its rows."""

    shape_rule = "(..., rows, columns) → (..., rows, columns), (..., smaller)"

    def infer_shape(self, x: Shape, /) -> Shapes:
        batches, rows, columns = _known_matrix_sizes(x)
        return x, (*batches, min(rows, columns))


class Qr(Operation, frozen=True, kw_only=True):
    """An orthogonal and a triangular factor of each matrix."""

    shape_rule = "(..., rows, columns) → (..., rows, smaller), (..., smaller, columns)"

    mode: Literal["reduced", "complete"] = "reduced"

    def infer_shape(self, x: Shape, /) -> Shapes:
        batches, rows, columns = _known_matrix_sizes(x)
        inner = min(rows, columns) if self.mode == "reduced" else rows
        return (*batches, rows, inner), (*batches, inner, columns)


class SVD(Operation, frozen=True, kw_only=True):
    """The singular values, and with `compute_uv` the singular vectors of both sides."""

    shape_rule = "(..., rows, columns) → (..., rows, rows), (..., smaller), (..., columns, columns)"

    full_matrices: bool = True
    compute_uv: bool = True

    def infer_shape(self, x: Shape, /) -> Shapes:
        batches, rows, columns = _known_matrix_sizes(x)
        smaller = min(rows, columns)
        values = (*batches, smaller)
        if not self.compute_uv:
            return values
        left, right = (rows, columns) if self.full_matrices else (smaller, smaller)
        return (*batches, rows, left), values, (*batches, right, columns)


class Pinv(Operation, frozen=True, kw_only=True):
    """The pseudo-inverse of each matrix."""

    shape_rule = "(..., rows, columns) → (..., columns, rows)"

    rcond: Any = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        batches, rows, columns = _matrix_sizes(x)
        return (*batches, columns, rows)


class MatrixRank(Operation, frozen=True, kw_only=True):
    """The rank of each matrix."""

    shape_rule = "(..., rows, columns) → (...)"

    tol: Any = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        return _matrix_sizes(x)[0]


class _LinearSolve(Operation, frozen=True, kw_only=True):
    """The solution x of a x = b, of the same shape as `b`: vectors or matrices."""

    shape_rule = "(..., size, size), (..., size, columns) → (..., size, columns)"

    def infer_shape(self, a: Shape, b: Shape, /) -> Shapes:
        _square_matrix_sizes(a)
        demand_rank(b, 1, "(..., size)", or_more=True)
        axis = {0: -2, 1: -1}.get(len(b) - len(a))
        if axis is not None and a[axis] != b[axis]:
            raise LayerError(f"{a} and {b} must have the same size on axis {axis}")
        return b


class Lstsq(Operation, frozen=True, kw_only=True):
    """The least-squares solution of equations, for one vector or for several."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("a", "b")
    shape_rule = "(rows, columns), (rows, ...) → (columns, ...)"

    rcond: Any = None

    def infer_shape(self, a: Shape, b: Shape, /) -> Shapes:
        demand_rank(a, 2, "(rows, columns)")
        if len(b) not in (1, 2) or a[0] != b[0]:
            raise LayerError(f"b must have the rows of a, {a}, and one more axis at most, not {b}")
        return (a[1], *b[1:])


class Diag(Operation, frozen=True, kw_only=True):
    """A matrix from its diagonal, or the diagonal of a matrix."""

    shape_rule = "(size) → (size, size)"

    k: Int64 = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        if len(x) == 1:
            return (_diagonal_matrix_size(x[0], self.k),) * 2
        demand_rank(x, 2, "(rows, columns)")
        return (_diagonal_length(x[0], x[1], self.k),)


class Diagflat(Operation, frozen=True, kw_only=True):
    """A matrix with all elements of its input on a diagonal."""

    shape_rule = "(...) → (elements, elements)"

    k: Int64 = 0

    def infer_shape(self, x: Shape, /) -> Shapes:
        return (_diagonal_matrix_size(size_product(x), self.k),) * 2


class Diagonal(Operation, frozen=True, kw_only=True):
    """The diagonals of the matrices along two axes, on a new last axis."""

    shape_rule = "(rows, columns, ...) → (..., diagonal)"

    offset: Int64 = 0
    axis1: Int64 = 0
    axis2: Int64 = 1

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(rows, columns, ...)", or_more=True)
        rows, columns = axis_size(x, self.axis1, "axis1"), axis_size(x, self.axis2, "axis2")
        return (*_non_matrix_sizes(self, x), _diagonal_length(rows, columns, self.offset))


class Trace(Operation, frozen=True, kw_only=True):
    """The sum of the diagonal of each matrix along two axes."""

    shape_rule = "(rows, columns, ...) → (...)"

    offset: Int64 = 0
    axis1: Int64 = 0
    axis2: Int64 = 1

    def infer_shape(self, x: Shape, /) -> Shapes:
        others = _non_matrix_sizes(self, x)
        if len(others) > len(x) - 2:
            raise LayerError("axis1 and axis2 must differ", "axis2")
        return others


def _non_matrix_sizes(operation: Diagonal | Trace, shape: Shape) -> Shape:
    """The sizes of the axes other than `axis1` and `axis2`."""
    axis1 = normalize_axis(operation.axis1, len(shape), "axis1")
    axis2 = normalize_axis(operation.axis2, len(shape), "axis2")
    return drop_axes(shape, (axis1, axis2))


def _diagonal_matrix_size(size: Size, offset: int) -> Size:
    """The size of a square matrix with a diagonal of this length at an offset from the main one."""
    if size is None or not offset:
        return size
    return computed_size(size + abs(offset), f"{size} + {abs(offset)}")


def _diagonal_length(rows: Size, columns: Size, offset: int) -> Size:
    """The length of a diagonal, 0 if it lies outside the matrix."""
    if rows is None or columns is None:
        return None
    length = columns - offset if offset > 0 else rows + offset
    return max(0, min(length, rows, columns))


MATRICES_GROUPS = (
    OperationGroup(
        _SquareMatrixOperation,
        {**operations_named("Cholesky CholeskyInverse", upper=False), "Inv": {}},
    ),
    OperationGroup(_EigenDecomposition, operations_named("Eig Eigh")),
    OperationGroup(
        _LinearSolve, {"Solve": {}, "SolveTriangular": {"lower": False}}, input_names=("a", "b")
    ),
)
