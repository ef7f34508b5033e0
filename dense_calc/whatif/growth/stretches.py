"""Along one variable: the stretches on which a count is a polynomial on each class of values.

A class are the values that leave the same remainder when they are divided by a period, which is 1
for a plain polynomial. Values without a model contradict nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm

from msgspec import Struct

from dense_calc.whatif.growth.polynomial import (
    Polynomial,
    PolynomialInterpolation,
    evaluate_polynomial,
)

_LineFunction = Callable[[int], int | None]  # the count at a value, None without a model
_ValueCount = tuple[int, int]  # a value and its count

_MAX_DEGREE = 8
MAX_PERIOD = 128  # as many heads as a large model has
_MAX_STRETCHES = 6
_SPARE_POINTS_PER_CLASS = 2  # points of a class beyond those that settle its polynomial
_WINDOW_SIZES = (8, 16, 32, 64, 128, 256, 640)  # values looked at in a row, until a pattern shows
_SHORT_WINDOW_SIZES = _WINDOW_SIZES[:5]  # in a stretch of several
_FAR_PROBES = 12  # values spread over a range
_REACH_BLOCK_SIZE = 5  # values in a row that hold where a pattern does


class CountStretch(Struct, frozen=True):
    """From `low` to `high` a count is, on each of these remainders, a polynomial."""

    low: int
    high: int
    period: int
    remainders: tuple[int, ...]
    degree: int

    def has_overlap(self, other: CountStretch) -> bool:
        """Whether some values are in both."""
        return self.low <= other.high and other.low <= self.high


class _PeriodicPattern(Struct, frozen=True):
    """A polynomial for each class of values that has models."""

    period: int
    polynomials: dict[int, Polynomial]

    @property
    def degree(self) -> int:
        """The largest exponent."""
        exponents = (key[0] for each in self.polynomials.values() for key in each)
        return max(exponents, default=0)

    def is_exact_at(self, line: _LineFunction, at: int) -> bool:
        """Whether it gives the count at a value."""
        count = line(at)
        if count is None:
            return True
        polynomial = self.polynomials.get(at % self.period)
        return polynomial is not None and evaluate_polynomial(polynomial, (at,)) == count

    def stretch_over(self, low: int, high: int) -> CountStretch:
        """The stretch on which it holds."""
        return CountStretch(low, high, self.period, tuple(sorted(self.polynomials)), self.degree)


def find_stretches(line: _LineFunction, low: int, high: int, at: int) -> list[CountStretch]:
    """The stretches from `low` to `high`, that of `at` first; none if no few of them fit."""
    pattern = _whole_range_pattern(line, low, high, at)
    return (
        [pattern.stretch_over(low, high)]
        if pattern
        else _find_several_stretches(line, low, high, at)
    )


def _whole_range_pattern(
    line: _LineFunction, low: int, high: int, at: int
) -> _PeriodicPattern | None:
    """The pattern around `at` that also holds far away, if there is one."""
    far = [*range(low, high, (high - low) // _FAR_PROBES + 1), high]
    for size in _WINDOW_SIZES:
        window = _clamp_window(low, high, at - size // 2, size)
        pattern = _pattern_in_window(line, window, _spare_point_count(window, low, high))
        if pattern and all(pattern.is_exact_at(line, probe) for probe in far):
            return pattern
        if len(window) < size:
            break
    return None


def _clamp_window(low: int, high: int, start: int, size: int) -> range:
    """So many values in a row from `start`, moved into the range; all of them if they are fewer."""
    first = max(low, min(start, high + 1 - size))
    return range(first, min(high, first + size - 1) + 1)


def _spare_point_count(window: range, low: int, high: int) -> int:
    """The points of a class in a window to keep for a check: fewer if there are no others."""
    return 1 if len(window) == high + 1 - low else _SPARE_POINTS_PER_CLASS


def _find_several_stretches(
    line: _LineFunction, low: int, high: int, at: int
) -> list[CountStretch]:
    """The stretches where it takes more than one, that of `at` first; none if too many."""
    first = _longest_stretch(line, low, high, at)
    found = [first]
    above = below = first
    while above and above.high < high and len(found) < _MAX_STRETCHES:
        above = _longest_stretch(line, above.high + 1, high, above.high + 1)
        found.append(above)
    while below and below.low > low and len(found) < _MAX_STRETCHES:
        below = _longest_stretch(line, low, below.low - 1, below.low - 1)
        found.append(below)
    sound = [stretch for stretch in found if stretch]
    is_all = sum(each.high + 1 - each.low for each in sound) == high + 1 - low
    return sound if is_all else []


def _longest_stretch(line: _LineFunction, low: int, high: int, at: int) -> CountStretch | None:
    """The longest stretch whose pattern shows in a window that holds `at`."""
    found: list[CountStretch] = []
    for size in _SHORT_WINDOW_SIZES:
        starts = (at - size // 2, at, at + 1 - size)
        for window in dict.fromkeys(_clamp_window(low, high, start, size) for start in starts):
            pattern = _pattern_in_window(line, window, _spare_point_count(window, low, high))
            if pattern and not any(_is_known_pattern(pattern, window, each) for each in found):
                found.append(_extend_pattern(line, pattern, window, low, high))
    return max(found, key=lambda stretch: stretch.high - stretch.low, default=None)


def _is_known_pattern(pattern: _PeriodicPattern, window: range, stretch: CountStretch) -> bool:
    """Whether a pattern looks like that of a stretch that holds its window."""
    alike = (pattern.period, pattern.degree) == (stretch.period, stretch.degree)
    return alike and stretch.low <= window[0] and window[-1] <= stretch.high


def _extend_pattern(
    line: _LineFunction, pattern: _PeriodicPattern, window: range, low: int, high: int
) -> CountStretch:
    """As far as the pattern of a window holds."""

    def holds(at: int) -> bool:
        return pattern.is_exact_at(line, at)

    return pattern.stretch_over(
        find_last_holding(holds, window[0], low), find_last_holding(holds, window[-1], high)
    )


def find_last_holding(holds: Callable[[int], bool], start: int, end: int) -> int:
    """The last value from `start` towards `end` up to which something holds, found by leaps."""
    way = 1 if end >= start else -1
    distance = abs(end - start)

    def holds_from(steps: int) -> bool:
        ahead = range(steps, min(steps + _REACH_BLOCK_SIZE, distance + 1))
        return all(holds(start + way * step) for step in ahead)

    good, bad = 0, 1
    while bad <= distance and holds_from(bad):
        good, bad = bad, min(2 * bad, distance) if bad < distance else distance + 1
    if bad > distance:
        return end
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if holds_from(middle) else (good, middle)
    while holds(start + way * bad):
        bad += 1
    return start + way * (bad - 1)


def _pattern_in_window(line: _LineFunction, window: range, spare: int) -> _PeriodicPattern | None:
    """The pattern of the least period in a window, each class with so many points to spare."""
    points = [(at, count) for at in window if (count := line(at)) is not None]
    if not points:
        return None
    step = gcd(*(at - points[0][0] for at, _ in points)) or 1
    for period in range(step, min(MAX_PERIOD, len(window) // (1 + spare)) + 1, step):
        pattern = _pattern_of_period(points, period, spare)
        if pattern:
            return pattern
    return None


def _pattern_of_period(
    points: Iterable[_ValueCount], period: int, spare: int
) -> _PeriodicPattern | None:
    """The pattern of a period in points, each class with so many points to spare."""
    classes: dict[int, list[_ValueCount]] = {}
    for point in points:
        classes.setdefault(point[0] % period, []).append(point)
    polynomials = {}
    for remainder, held in classes.items():
        order = _polynomial_degree(held, spare)
        if order is None:
            return None
        polynomials[remainder] = _polynomial_through(held[: order + 1], period)
    return _PeriodicPattern(period, polynomials)


def _polynomial_through(points: Sequence[_ValueCount], period: int) -> Polynomial:
    """The polynomial of the least degree through points of a class."""
    lattice = range(points[0][0], points[-1][0] + 1, period)
    interpolation = PolynomialInterpolation([lattice], [len(points) - 1])
    for at, count in points:
        interpolation.add_point((at,), count)
    return interpolation.build_polynomial()


def _polynomial_degree(points: Sequence[_ValueCount], spare: int) -> int | None:
    """The degree of the polynomial through points: the order above which all differences vanish.

    None if it is too high, or if fewer than `spare` differences vanish.
    """
    column = [Fraction(count) for _, count in points]
    for order in range(_MAX_DEGREE + 2):
        if len(column) < spare:
            return None
        if not any(column):
            return max(order - 1, 0)
        spans = (later[0] - one[0] for one, later in zip(points, points[order + 1 :], strict=False))
        column = [
            (after - one) / span for (one, after), span in zip(pairwise(column), spans, strict=True)
        ]
    return None


def overlay_stretches(
    one: Sequence[CountStretch], other: Sequence[CountStretch]
) -> list[CountStretch]:
    """The stretches on which the patterns of both can be one."""
    return [
        _intersect_stretches(mine, yours)
        for mine in one
        for yours in other
        if mine.has_overlap(yours)
    ]


def _intersect_stretches(one: CountStretch, other: CountStretch) -> CountStretch:
    """What two stretches have in common, with what both ask for."""
    period = lcm(one.period, other.period)
    remainders = (
        rest
        for rest in range(period)
        if rest % one.period in one.remainders or rest % other.period in other.remainders
    )
    return CountStretch(
        max(one.low, other.low),
        min(one.high, other.high),
        period,
        tuple(remainders),
        max(one.degree, other.degree),
    )
