"""How a count grows with its variables: as a polynomial, in pieces, or as a table tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, product
from math import gcd, prod

from msgspec import Struct

from dense_calc.whatif.growth.pieces import Part, Piece, Pieces, contains, is_within, pieces
from dense_calc.whatif.growth.polynomial import Point
from dense_calc.whatif.growth.samples import ExhaustedError, Measure, Samples
from dense_calc.whatif.growth.stretches import MAX_PERIOD, reach

MANY = 16  # values shown of each variable where there is no polynomial
WIDE = 128  # values of a range in which those that are shown double
TWO = 2  # values that always seem to be some multiple apart
SCANNED = 1000  # points from the start of the ranges on that are looked at for a model


class Step(Struct, frozen=True):
    """What the count changes from one value to the next one that has a model."""

    before: int
    after: int
    change: int


class Growth(Struct, frozen=True):
    """How a count grows over ranges of its variables.

    There are `number` pieces, of which some are in `pieces`, the one that the start is in first: a
    single one is a polynomial over the whole ranges, none means that none was found, and `values`
    has some counts. `verified` counts the points beyond those that settled the polynomials,
    `looked_at` all, and `invalid` those without a model, which are all but `valid`, if that is
    known. `is_all` tells whether each point of the ranges was looked at, `stopped` whether the
    search would have gone on.
    """

    ranges: tuple[range, ...]
    pieces: tuple[Piece, ...]
    number: int
    verified: int
    values: tuple[tuple[Point, int], ...]
    steps: tuple[Step | None, ...]
    valid: tuple[Part, ...] | None
    looked_at: int
    is_all: bool
    invalid: int
    stopped: bool


class NoModelError(Exception):
    """No point that was looked at has a model."""


def growth(measure: Measure, ranges: Sequence[range], own: Point) -> Growth:
    """How a count grows over the ranges; `own` are the values to ask for one more at.

    Raises:
        NoModelError: no point that was looked at has a model.
    """
    samples = Samples(measure)
    start = first_valid(samples, ranges, own)
    steps = tuple(step(samples, axis, own) for axis in range(len(own)))
    found, valid, stopped = None, None, False
    values: tuple[tuple[Point, int], ...] = ()
    samples.allow(1)
    try:
        found = pieces(samples, ranges, start)
    except ExhaustedError:
        stopped = True
    samples.allow(2)  # what follows is short
    with suppress(ExhaustedError):
        values = () if found else tuple(table(samples, ranges, start))
        if found or len(ranges) == 1:  # else too little was looked at
            valid = where_valid(samples, ranges, start)
    found = found or Pieces((), 0, 0)
    return Growth(
        ranges=tuple(ranges),
        pieces=found.shown,
        number=found.number,
        verified=found.verified,
        values=values,
        steps=steps,
        valid=valid,
        looked_at=len(samples.known),
        is_all=is_all(samples, ranges),
        invalid=len(samples.known) - len(samples.valid),
        stopped=stopped,
    )


def is_all(samples: Samples, ranges: Sequence[range]) -> bool:
    """Whether each point of the ranges was looked at."""
    return sum(is_within(point, ranges) for point in samples.known) == prod(map(len, ranges))


def first_valid(samples: Samples, ranges: Sequence[range], own: Point) -> Point:
    """The point in the ranges nearest to `own`, or one that has a model.

    Raises:
        NoModelError: none was found.
    """
    nearest = tuple(max(each[0], min(at, each[-1])) for at, each in zip(own, ranges, strict=True))
    for point in samples.anchors(nearest, ranges):
        return point
    for point in islice(product(*ranges), SCANNED):
        if samples(point) is not None:
            return point
    raise NoModelError


def step(samples: Samples, axis: int, own: Point) -> Step | None:
    """What one more of a variable costs, or the next value that has a model."""
    line = samples.line(own, axis)
    ahead = range(own[axis], own[axis] + 2 * MAX_PERIOD)
    counts = ((at, count) for at in ahead if (count := line(at)) is not None)
    pair = list(islice(counts, 2))
    if len(pair) < 2:
        return None
    (before, least), (after, most) = pair
    return Step(before, after, most - least)


def where_valid(samples: Samples, ranges: Sequence[range], start: Point) -> tuple[Part, ...] | None:
    """Where there is a model, if all that is known agrees with one class of each variable."""
    parts = [valid_part(samples, axis, each, start) for axis, each in enumerate(ranges)]
    agrees = all(
        contains(parts, point) == (count is not None)
        for point, count in samples.known.items()
        if is_within(point, ranges)
    )
    return tuple(parts) if agrees else None


def valid_part(samples: Samples, axis: int, values: range, start: Point) -> Part:
    """The values of a variable that have a model, the others as at the start."""
    line, at = samples.line(start, axis), start[axis]
    known = {each: line(each) for each in values_on_line(samples, axis, start) if each in values}
    if None not in known.values():
        return Part(values[0], values[-1])
    sound = [each for each, count in known.items() if count is not None]
    stride = gcd(*(each - at for each in sound)) if len(sound) > TWO else 1

    def is_valid(steps: int) -> bool:
        return line(at + steps * stride) is not None

    down, up = (at - values[0]) // stride, (values[-1] - at) // stride
    below, above = reach(is_valid, 0, -down), reach(is_valid, 0, up)
    low = values[0] if below == -down else at + below * stride
    high = values[-1] if above == up else at + above * stride
    return Part(low, high, stride, at % stride)


def values_on_line(samples: Samples, axis: int, start: Point) -> list[int]:
    """The values of a variable that were looked at, the others as at the start."""
    others = (*start[:axis], *start[axis + 1 :])
    return [point[axis] for point in samples.known if (*point[:axis], *point[axis + 1 :]) == others]


def table(samples: Samples, ranges: Sequence[range], start: Point) -> Iterator[tuple[Point, int]]:
    """The counts at some values of each variable, the others as at the start."""
    seen: set[Point] = set()
    for axis, values in enumerate(ranges):
        for at in shown_values(samples, axis, values, start):
            point = (*start[:axis], at, *start[axis + 1 :])
            count = samples(point)
            if count is not None and point not in seen:
                seen.add(point)
                yield point, count


def shown_values(samples: Samples, axis: int, values: range, start: Point) -> list[int]:
    """The values of a variable to show: spread ones, its own and the next, and all if few count."""
    line, own = samples.line(start, axis), start[axis]
    known = values_on_line(samples, axis, start)
    sound = [at for at in known if at in values and line(at) is not None]
    few = sound if len(sound) <= MANY else ()
    return sorted({*spread(values), own, min(own + 1, values[-1]), *few})


def spread(values: range) -> Sequence[int]:
    """Some of the values: each twice the one before in a wide range, else evenly spread."""
    if len(values) <= MANY:
        return values
    if values[0] >= 0 and len(values) > WIDE:
        first = max(1, values[0])
        return [values[0], *(first << power for power in range((values[-1] // first).bit_length()))]
    return values[
        :: len(values) // MANY | 1
    ]  # odd, to meet values that powers of two do not divide
