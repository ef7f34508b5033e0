"""Expressions on a region: their bounds, their polynomials, and whether a condition holds on it.

A region has a range for each variable, so that it can be the values of a class, 5, 17, 29, ... In
it, the value of a variable is `first + step × index`: expressions become polynomials in indices.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import gcd, prod

from dense_calc.symbolic.condition_log import Condition, ConditionLog, Operation
from dense_calc.symbolic.formulas import compile_formulas
from dense_calc.symbolic.polynomials import (
    CONSTANT,
    Polynomial,
    Term,
    add,
    as_constant,
    multiply,
    split_quotient,
)

Region = tuple[range, ...]
_Interval = tuple[int, int]


class UndecidedError(Exception):
    """There is no one answer on the region: a range of it has to be split into these parts."""

    def __init__(self, axis: int, parts: Iterable[range]) -> None:
        super().__init__(axis, parts)
        self.axis = axis
        self.parts = tuple(filter(None, parts))


class NoPolynomialError(Exception):
    """An expression is no polynomial while a variable of this axis has several values."""

    def __init__(self, axis: int) -> None:
        super().__init__(axis)
        self.axis = axis


class RegionView:
    """Expressions of a log on a region around a point; the region is a part of a `whole`."""

    def __init__(
        self,
        log: ConditionLog,
        region: Region,
        point: Sequence[int],
        whole: Region | None = None,
    ) -> None:
        self._whole = RegionView(log, whole, point) if whole else None
        self.log = log
        self.point = point
        self.region = region
        self._bounds: dict[int, _Interval | None] = {}
        self._polynomials: dict[int, Polynomial] = {}

    def demand_condition(self, condition: Condition) -> None:
        """Return where a condition, which holds at some point of the region, holds on all of it.

        Raises:
            UndecidedError: it does not, or that is not known.
        """
        terms = [each for each in (condition.left, condition.right) if isinstance(each, tuple)]
        axes = sorted({axis for term in terms for axis in self._axes_of_term(term)})
        if not axes:
            return
        if condition.right is None and isinstance(condition.left, tuple):
            if _is_decided(condition.relation, self.term_bounds(condition.left)):
                return
            if condition.relation != ">=" and self._is_constant(condition.left):
                return
        axes.sort(key=lambda axis: -len(self.region[axis]))
        for axis in axes:
            values = self.region[axis]
            low, high = self._decided_around(condition, axis)
            if low <= high:
                parts = values[:low], values[low : high + 1], values[high + 1 :]
                raise UndecidedError(axis, parts)
        middle = len(self.region[axes[0]]) // 2
        values = self.region[axes[0]]
        raise UndecidedError(axes[0], (values[:middle], values[middle:]))

    def _decided_around(self, condition: Condition, axis: int) -> tuple[int, int]:
        """The first and the last index of an axis between which a condition is known to hold.

        They are around the point; the last is below the first where it is not even known there.
        """
        if condition.right is not None or not isinstance(condition.left, tuple):
            return 1, 0
        term, values = condition.left, self.region[axis]
        at = values.index(self.point[axis])

        def is_decided(low: int, high: int) -> bool:
            part = values[low : high + 1]
            view = RegionView(self.log, replace_range(self.region, axis, part), self.point)
            return _is_decided(condition.relation, view.term_bounds(term))

        if not is_decided(at, at):
            return 1, 0
        ahead = range(at + 1, len(values))
        high = at + bisect_left(ahead, True, key=lambda end: not is_decided(at, end))
        behind = range(at - 1, -1, -1)
        low = at - bisect_left(behind, True, key=lambda start: not is_decided(start, high))
        return low, high

    def _is_constant(self, term: Term) -> bool:
        """Whether an expression has one value on the region.

        Raises:
            UndecidedError: it is a polynomial on each class of values only.
        """
        try:
            return not self._varying_polynomial(term).keys() - {CONSTANT}
        except NoPolynomialError as error:
            values = self.region[error.axis]
            at = values.index(self.point[error.axis])
            parts = values[:at], values[at : at + 1], values[at + 1 :]
            raise UndecidedError(error.axis, parts) from None

    def polynomial(self, term: Term) -> Polynomial:
        """An expression as a polynomial in the indices of the variables.

        Raises:
            UndecidedError: it is one on each class of values only.
            NoPolynomialError: it is none.
        """
        result: Polynomial = {}
        for monomial, number in term:
            part = as_constant(number)
            for atom in monomial:
                part = multiply(part, self._atom_polynomial(atom))
            result = add(result, part)
        return result

    def _atom_polynomial(self, atom: int) -> Polynomial:
        """An atom as a polynomial in the indices of the variables."""
        if atom not in self._polynomials:
            self._polynomials[atom] = self._build_atom_polynomial(atom)
        return self._polynomials[atom]

    def _build_atom_polynomial(self, atom: int) -> Polynomial:
        """The same, worked out."""
        operation = self.log.atoms[atom]
        if not isinstance(operation, Operation):
            values = self.region[atom]
            step = values.step if len(values) > 1 else 1
            return add(as_constant(values.start), {(atom,): step})
        axes = list(self._axes_of_atom(atom))
        if not axes:
            return as_constant(self._value_at_point(atom))
        bounds = (self._whole or self)._atom_bounds(atom)
        if bounds and bounds[0] == bounds[1]:
            return as_constant(bounds[0])
        terms = [each for each in operation.operands if isinstance(each, tuple)]
        if operation.name != "//" or len(terms) < 2:
            raise NoPolynomialError(axes[0])
        dividend, divisor = map(self._varying_polynomial, terms)
        for monomial in divisor.keys() - {CONSTANT}:
            raise NoPolynomialError(monomial[0])
        whole, rest = split_quotient(dividend, divisor[CONSTANT])
        for monomial, number in rest.items():
            if monomial:
                factor = abs(divisor[CONSTANT]) // gcd(divisor[CONSTANT], number)
                values = self.region[monomial[0]]
                classes = (values[start::factor] for start in range(min(factor, len(values))))
                raise UndecidedError(monomial[0], classes)
        return whole

    def _varying_polynomial(self, term: Term) -> Polynomial:
        """An expression as a polynomial in the indices of variables with several values."""
        result: Polynomial = {}
        for monomial, number in self.polynomial(term).items():
            if all(len(self.region[axis]) > 1 for axis in monomial):  # else the index is 0
                result = add(result, {monomial: number})
        return result

    def _value_at_point(self, atom: int) -> int:
        """The value of an atom at the point."""
        ((value,),) = filter(
            None, compile_formulas(self.log, (), [(((atom,), 1),)])([tuple(self.point)])
        )
        assert isinstance(value, int)
        return value

    def _axes_of_term(self, term: Term) -> Iterator[int]:
        """The axes along which an expression may change."""
        for monomial, _ in term:
            for atom in monomial:
                yield from self._axes_of_atom(atom)

    def _axes_of_atom(self, atom: int) -> Iterator[int]:
        """The axes along which an atom may change."""
        operation = self.log.atoms[atom]
        if not isinstance(operation, Operation):
            if len(self.region[atom]) > 1:
                yield atom
            return
        for operand in operation.operands:
            if isinstance(operand, tuple):
                yield from self._axes_of_term(operand)

    def term_bounds(self, term: Term) -> _Interval | None:
        """The least and the most that an expression may be; None if that is not known."""
        low = high = 0
        for monomial, number in term:
            factors: list[_Interval] = [(number, number)]
            for atom in monomial:
                bounds = self._atom_bounds(atom)
                if bounds is None:
                    return None
                factors.append(bounds)
            ends = [prod(each) for each in product(*factors)] if len(factors) > 1 else [number]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def _atom_bounds(self, atom: int) -> _Interval | None:
        """The least and the most that an atom may be; None if that is not known."""
        if atom not in self._bounds:
            self._bounds[atom] = self._find_atom_bounds(atom)
        return self._bounds[atom]

    def _find_atom_bounds(self, atom: int) -> _Interval | None:
        """The same, worked out."""
        operation = self.log.atoms[atom]
        if not isinstance(operation, Operation):
            return self.region[atom][0], self.region[atom][-1]
        if operation.name != "//":
            return None
        parts = [
            self.term_bounds(each) if isinstance(each, tuple) else None
            for each in operation.operands
        ]
        dividend, divisor = parts
        if dividend is None or divisor is None or divisor[0] < 1:
            return None
        ends = [one // other for one in dividend for other in divisor]
        return min(ends), max(ends)


def replace_range(region: Region, axis: int, values: range) -> Region:
    """A region with other values along an axis."""
    return (*region[:axis], values, *region[axis + 1 :])


def _is_decided(relation: str, bounds: _Interval | None) -> bool:
    """Whether an expression with these bounds is `>= 0`, `== 0` or `!= 0` whatever it is."""
    if bounds is None:
        return False
    low, high = bounds
    return {">=": low >= 0, "==": low == high == 0, "!=": low > 0 or high < 0}[relation]
