"""Polynomials with exact coefficients: their values, and the one that goes through given points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import comb, prod

Point = tuple[int, ...]
Exponents = tuple[int, ...]  # one for each variable
Polynomial = Mapping[Exponents, Fraction]  # the coefficients, none of them zero
_EquationRow = dict[Exponents, Fraction]  # the left side of a linear equation


def evaluate_polynomial(polynomial: Polynomial, point: Point) -> Fraction:
    """What a polynomial comes to at a point."""
    terms = (
        coefficient * prod(map(pow, point, exponents))
        for exponents, coefficient in polynomial.items()
    )
    return sum(terms, Fraction())


class PolynomialInterpolation:
    """The search for the one polynomial of these degrees, at most, through points on a lattice.

    The lattice has a variable's values at `start`, `start + step`, `start + 2 * step`, ... The
    unknowns are the coefficients of products of binomials, which are whole for whole counts; points
    in the order of the lattice make the equations triangular, and any others will do, too.
    """

    def __init__(self, lattice: Sequence[range], degrees: Sequence[int]) -> None:
        self.lattice = lattice
        self.unknowns = list(product(*(range(degree + 1) for degree in degrees)))
        # By the unknown that each determines.
        self.equations: dict[Exponents, tuple[_EquationRow, Fraction]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether the points so far allow one polynomial only."""
        return len(self.equations) == len(self.unknowns)

    def add_point(self, point: Point, count: int) -> bool:
        """Take another point; whether it said what the others did not."""
        row, right = self.reduce_equation(self.equation_row(point), Fraction(count))
        if not row:
            return False
        pivot = min(row)
        scale = row[pivot]
        row, right = {key: factor / scale for key, factor in row.items()}, right / scale
        for other, (held, amount) in self.equations.items():
            if pivot in held:
                self.equations[other] = _subtract_equation(held, amount, held[pivot], row, right)
        self.equations[pivot] = row, right
        return True

    def equation_row(self, point: Point) -> _EquationRow:
        """The equation of a point: what each unknown is multiplied by."""
        steps = [
            (at - values.start) // values.step
            for at, values in zip(point, self.lattice, strict=True)
        ]
        factors = ((key, prod(map(_binomial_coefficient, steps, key))) for key in self.unknowns)
        return {key: Fraction(factor) for key, factor in factors if factor}

    def reduce_equation(self, row: _EquationRow, right: Fraction) -> tuple[_EquationRow, Fraction]:
        """An equation without the unknowns that others settle."""
        for pivot in [key for key in row if key in self.equations]:
            row, right = _subtract_equation(row, right, row[pivot], *self.equations[pivot])
        return row, right

    def build_polynomial(self) -> Polynomial:
        """The polynomial, once the points are enough."""
        found: dict[Exponents, Fraction] = {}
        axes = [
            list(_binomial_polynomials(values, 1 + max(key[axis] for key in self.unknowns)))
            for axis, values in enumerate(self.lattice)
        ]
        for key, (_, factor) in self.equations.items():
            expanded = [axes[axis][order] for axis, order in enumerate(key)]
            for terms in product(*map(enumerate, expanded if factor else ())):
                exponents = tuple(power for power, _ in terms)
                part = factor * prod((coefficient for _, coefficient in terms), start=Fraction(1))
                found[exponents] = found.get(exponents, Fraction()) + part
        return {exponents: coefficient for exponents, coefficient in found.items() if coefficient}


def _subtract_equation(
    row: _EquationRow, right: Fraction, times: Fraction, other: _EquationRow, amount: Fraction
) -> tuple[_EquationRow, Fraction]:
    """An equation less so many times another."""
    result = dict(row)
    for key, factor in other.items():
        result[key] = result.get(key, Fraction()) - times * factor
    return {key: factor for key, factor in result.items() if factor}, right - times * amount


def _binomial_coefficient(number: int, order: int) -> int:
    """`number` over `order`, also of a negative number."""
    if number >= 0:
        return comb(number, order)
    count = comb(order - number - 1, order)
    return -count if order % 2 else count


def _binomial_polynomials(values: range, orders: int) -> Iterator[list[Fraction]]:
    """The coefficients, constant first, of `(x - start) / step` over 0, 1, ... in powers of x."""
    row = [Fraction(1)]
    for order in range(orders):
        yield row
        root, scale = values.start + order * values.step, (order + 1) * values.step
        raised = [Fraction(), *row]
        row = [
            (above - root * own) / scale
            for above, own in zip(raised, [*row, Fraction()], strict=True)
        ]
