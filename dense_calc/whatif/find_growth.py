"""How a count grows with its variables: its formulas, each as a polynomial on a part of the ranges.

The ranges are split into regions until the conditions of one formula hold on all of each, and the
formula is a polynomial there. Regions with the same polynomial are one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Protocol

from msgspec import Struct

from dense_calc.symbolic.count_polynomials import CountPolynomial, Point, in_variables
from dense_calc.symbolic.merge_regions import PolynomialPiece, find_valid_domain, merge_regions
from dense_calc.symbolic.polynomials import Term
from dense_calc.symbolic.region_view import NoPolynomialError, Region, RegionView
from dense_calc.symbolic.regions import (
    Formula,
    TooManyRegionsError,
    nearest_point,
    split_into_regions,
)

CountFunction = Callable[[Iterable[Point]], Iterator[int | None]]  # None: there is no model

_MAX_PARTS = 2  # on which there is the same polynomial, one by one
_MAX_NEXT_VALUES = 256  # in which the next one with a model is looked for
_MAX_TABLE_VALUES = 16  # values shown of each variable where there is no polynomial
_WIDE_RANGE_SIZE = 128  # values of a range in which those that are shown double


class CountFormula(Formula, Protocol):
    """A count as an expression, None where there is no model, and the conditions that it has."""

    @property
    def count(self) -> Term | None: ...


class CountStep(Struct, frozen=True):
    """What the count changes from one value to the next one that has a model."""

    from_value: int
    to_value: int
    count_change: int


class Growth(Struct, frozen=True):
    """How a count grows over ranges of its variables.

    `pieces` are polynomials, that of the start first, which together are the count wherever there
    is a model; none if there are no few of them, when `sample_counts` has some counts. Of the
    `known_count` points of which the count is known, `invalid_count` have no model; `valid_domain`
    holds those that have one, if they are one class of each variable. `is_cut_short`: the ranges
    have too many parts to tell more.
    """

    ranges: tuple[range, ...]
    pieces: tuple[PolynomialPiece, ...]
    sample_counts: tuple[tuple[Point, int], ...]
    next_steps: tuple[CountStep | None, ...]
    valid_domain: Region | None
    known_count: int
    invalid_count: int
    is_cut_short: bool

    @property
    def is_exhaustive(self) -> bool:
        """Whether the count is known at each point of the ranges."""
        return self.known_count == _point_count(self.ranges)


class GrowthExpressions(Struct, frozen=True):
    """A count as an expression, None where there is no model, and where that holds.

    `shares` are expressions for the layers or blocks that make up the count.
    """

    count: str | None = None
    conditions: tuple[str, ...] = ()
    shares: Mapping[str, str] = {}


class NoModelError(Exception):
    """No point has a model, as far as was looked."""


def find_growth(
    formula_at: Callable[[Point], CountFormula],
    counts: CountFunction,
    ranges: Sequence[range],
    own: Point,
) -> Growth:
    """How a count grows over the ranges; `own` are the values to ask for one more at.

    `formula_at` gives the formula that holds at a point.

    Raises:
        NoModelError: no point has a model.
    """
    whole = tuple(ranges)
    steps = tuple(_find_next_step(counts, axis, own) for axis in range(len(own)))
    is_cut_short = False
    try:
        parts = list(split_into_regions(formula_at, whole, own, _read_polynomial))
        parts.sort(key=lambda part: -_point_count(part[0]))
        valid = [(region, polynomial) for region, polynomial in parts if polynomial is not None]
        holes = [region for region, polynomial in parts if polynomial is None]
        pieces = tuple(merge_regions(valid, whole, own))
        known = sum(_point_count(region) for region, _ in valid)
        polynomials = {frozenset(piece.polynomial.items()) for piece in pieces}
        if 0 < len(pieces) <= max(1, min(known // 2, _MAX_PARTS * len(polynomials))):
            invalid = sum(map(_point_count, holes))
            domain = find_valid_domain([region for region, _ in valid], holes)
            return Growth(whole, pieces, (), steps, domain, known + invalid, invalid, False)
    except TooManyRegionsError:
        is_cut_short = True
    except NoPolynomialError:
        pass
    table = _count_table(counts, ranges, own)
    samples = tuple((point, count) for point, count in table.items() if count is not None)
    if not samples:
        raise NoModelError
    missing = len(table) - len(samples)
    return Growth(whole, (), samples, steps, None, len(table), missing, is_cut_short)


def _point_count(region: Region) -> int:
    """The number of points in a region."""
    return prod(map(len, region))


def _read_polynomial(formula: CountFormula, view: RegionView) -> CountPolynomial | None:
    """The polynomial that a count is on the region of a view, None if there is no model."""
    if formula.count is None:
        return None
    return in_variables(view.polynomial(formula.count), view.region)


def _find_next_step(counts: CountFunction, axis: int, own: Point) -> CountStep | None:
    """What one more of a variable costs, or the next value that has a model."""
    ahead = range(own[axis], own[axis] + _MAX_NEXT_VALUES)
    points = ((*own[:axis], at, *own[axis + 1 :]) for at in ahead)
    pairs = zip(ahead, counts(points), strict=True)
    pair = list(islice(((at, count) for at, count in pairs if count is not None), 2))
    if len(pair) < 2:
        return None
    (before, least), (after, most) = pair
    return CountStep(before, after, most - least)


def _count_table(
    counts: CountFunction, ranges: Sequence[range], own: Point
) -> dict[Point, int | None]:
    """The counts at some values of each variable, the others as at the start."""
    start = nearest_point(tuple(ranges), own)
    table: dict[Point, int | None] = {}
    for axis, values in enumerate(ranges):
        near = values[: values.index(start[axis]) + _MAX_NEXT_VALUES]
        shown = sorted({*_spread_values(values), *near[-2 * _MAX_NEXT_VALUES :]})
        points = [(*start[:axis], at, *start[axis + 1 :]) for at in shown]
        found = dict(zip(points, counts(points), strict=True))
        valid = [point for point, count in found.items() if count is not None]
        if len(valid) > _MAX_TABLE_VALUES:
            few = {*_spread_values(values), start[axis], start[axis] + 1}
            if few.isdisjoint(point[axis] for point in valid):
                few = {point[axis] for point in valid[-_MAX_TABLE_VALUES:]}
            found = {point: count for point, count in found.items() if point[axis] in few}
        table |= found
    return table


def _spread_values(values: range) -> Sequence[int]:
    """Some of the values: each twice the one before in a wide range, else evenly spread."""
    if len(values) <= _MAX_TABLE_VALUES:
        return values
    if values[0] >= 0 and len(values) > _WIDE_RANGE_SIZE:
        first = max(1, values[0])
        return [values[0], *(first << power for power in range((values[-1] // first).bit_length()))]
    step = len(values) // _MAX_TABLE_VALUES | 1  # odd, to meet what powers of two do not divide
    return values[::step]
