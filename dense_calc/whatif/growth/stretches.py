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

from dense_calc.whatif.growth.polynomial import Interpolation, Polynomial, value

Line = Callable[[int], int | None]  # the count at a value, None without a model
Counted = tuple[int, int]  # a value and its count

MAX_DEGREE = 8
MAX_PERIOD = 128  # as many heads as a large model has
MAX_STRETCHES = 6
SPARE = 2  # points of a class beyond those that settle its polynomial
WINDOWS = (8, 16, 32, 64, 128, 256, 640)  # values looked at in a row, until a pattern shows
SHORT_WINDOWS = WINDOWS[:5]  # in a stretch of several
PROBES = 12  # values spread over a range
BLOCK = 5  # values in a row that hold where a pattern does


class Stretch(Struct, frozen=True):
    """From `low` to `high` a count is, on each of these remainders, a polynomial."""

    low: int
    high: int
    period: int
    remainders: tuple[int, ...]
    degree: int

    def meets(self, other: Stretch) -> bool:
        """Whether some values are in both."""
        return self.low <= other.high and other.low <= self.high


class Pattern(Struct, frozen=True):
    """A polynomial for each class of values that has models."""

    period: int
    polynomials: dict[int, Polynomial]

    @property
    def degree(self) -> int:
        """The largest exponent."""
        exponents = (key[0] for each in self.polynomials.values() for key in each)
        return max(exponents, default=0)

    def holds(self, line: Line, at: int) -> bool:
        """Whether it gives the count at a value."""
        count = line(at)
        if count is None:
            return True
        polynomial = self.polynomials.get(at % self.period)
        return polynomial is not None and value(polynomial, (at,)) == count

    def over(self, low: int, high: int) -> Stretch:
        """The stretch on which it holds."""
        return Stretch(low, high, self.period, tuple(sorted(self.polynomials)), self.degree)


def stretches(line: Line, low: int, high: int, at: int) -> list[Stretch]:
    """The stretches from `low` to `high`, that of `at` first; none if no few of them fit."""
    pattern = whole(line, low, high, at)
    return [pattern.over(low, high)] if pattern else several(line, low, high, at)


def whole(line: Line, low: int, high: int, at: int) -> Pattern | None:
    """The pattern around `at` that also holds far away, if there is one."""
    far = [*range(low, high, (high - low) // PROBES + 1), high]
    for size in WINDOWS:
        window = window_of(low, high, at - size // 2, size)
        pattern = pattern_in(line, window, spare(window, low, high))
        if pattern and all(pattern.holds(line, probe) for probe in far):
            return pattern
        if len(window) < size:
            break
    return None


def window_of(low: int, high: int, start: int, size: int) -> range:
    """So many values in a row from `start`, moved into the range; all of them if they are fewer."""
    first = max(low, min(start, high + 1 - size))
    return range(first, min(high, first + size - 1) + 1)


def spare(window: range, low: int, high: int) -> int:
    """The points of a class in a window to keep for a check: fewer if there are no others."""
    return 1 if len(window) == high + 1 - low else SPARE


def several(line: Line, low: int, high: int, at: int) -> list[Stretch]:
    """The stretches where it takes more than one, that of `at` first; none if too many."""
    first = longest(line, low, high, at)
    found = [first]
    above = below = first
    while above and above.high < high and len(found) < MAX_STRETCHES:
        above = longest(line, above.high + 1, high, above.high + 1)
        found.append(above)
    while below and below.low > low and len(found) < MAX_STRETCHES:
        below = longest(line, low, below.low - 1, below.low - 1)
        found.append(below)
    sound = [stretch for stretch in found if stretch]
    is_all = sum(each.high + 1 - each.low for each in sound) == high + 1 - low
    return sound if is_all else []


def longest(line: Line, low: int, high: int, at: int) -> Stretch | None:
    """The longest stretch whose pattern shows in a window that holds `at`."""
    found: list[Stretch] = []
    for size in SHORT_WINDOWS:
        starts = (at - size // 2, at, at + 1 - size)
        for window in dict.fromkeys(window_of(low, high, start, size) for start in starts):
            pattern = pattern_in(line, window, spare(window, low, high))
            if pattern and not any(is_known(pattern, window, each) for each in found):
                found.append(extended(line, pattern, window, low, high))
    return max(found, key=lambda stretch: stretch.high - stretch.low, default=None)


def is_known(pattern: Pattern, window: range, stretch: Stretch) -> bool:
    """Whether a pattern looks like that of a stretch that holds its window."""
    alike = (pattern.period, pattern.degree) == (stretch.period, stretch.degree)
    return alike and stretch.low <= window[0] and window[-1] <= stretch.high


def extended(line: Line, pattern: Pattern, window: range, low: int, high: int) -> Stretch:
    """As far as the pattern of a window holds."""

    def holds(at: int) -> bool:
        return pattern.holds(line, at)

    return pattern.over(reach(holds, window[0], low), reach(holds, window[-1], high))


def reach(holds: Callable[[int], bool], start: int, end: int) -> int:
    """The last value from `start` towards `end` up to which something holds, found by leaps."""
    way = 1 if end >= start else -1
    distance = abs(end - start)

    def holds_from(steps: int) -> bool:
        ahead = range(steps, min(steps + BLOCK, distance + 1))
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


def pattern_in(line: Line, window: range, spare: int) -> Pattern | None:
    """The pattern of the least period in a window, each class with so many points to spare."""
    points = [(at, count) for at in window if (count := line(at)) is not None]
    if not points:
        return None
    step = gcd(*(at - points[0][0] for at, _ in points)) or 1
    for period in range(step, min(MAX_PERIOD, len(window) // (1 + spare)) + 1, step):
        pattern = pattern_of(points, period, spare)
        if pattern:
            return pattern
    return None


def pattern_of(points: Iterable[Counted], period: int, spare: int) -> Pattern | None:
    """The pattern of a period in points, each class with so many points to spare."""
    classes: dict[int, list[Counted]] = {}
    for point in points:
        classes.setdefault(point[0] % period, []).append(point)
    polynomials = {}
    for remainder, held in classes.items():
        order = degree(held, spare)
        if order is None:
            return None
        polynomials[remainder] = through(held[: order + 1], period)
    return Pattern(period, polynomials)


def through(points: Sequence[Counted], period: int) -> Polynomial:
    """The polynomial of the least degree through points of a class."""
    lattice = range(points[0][0], points[-1][0] + 1, period)
    interpolation = Interpolation([lattice], [len(points) - 1])
    for at, count in points:
        interpolation.add((at,), count)
    return interpolation.polynomial()


def degree(points: Sequence[Counted], spare: int) -> int | None:
    """The degree of the polynomial through points: the order above which all differences vanish.

    None if it is too high, or if fewer than `spare` differences vanish.
    """
    column = [Fraction(count) for _, count in points]
    for order in range(MAX_DEGREE + 2):
        if len(column) < spare:
            return None
        if not any(column):
            return max(order - 1, 0)
        spans = (later[0] - one[0] for one, later in zip(points, points[order + 1 :], strict=False))
        column = [
            (after - one) / span for (one, after), span in zip(pairwise(column), spans, strict=True)
        ]
    return None


def overlay(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """The stretches on which the patterns of both can be one."""
    return [both(mine, yours) for mine in one for yours in other if mine.meets(yours)]


def both(one: Stretch, other: Stretch) -> Stretch:
    """What two stretches have in common, with what both ask for."""
    period = lcm(one.period, other.period)
    remainders = (
        rest
        for rest in range(period)
        if rest % one.period in one.remainders or rest % other.period in other.remainders
    )
    return Stretch(
        max(one.low, other.low),
        min(one.high, other.high),
        period,
        tuple(remainders),
        max(one.degree, other.degree),
    )
