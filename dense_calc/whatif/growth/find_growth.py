"""How a count grows with its variables: as a polynomial, in pieces, or as a table tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice, product
from math import gcd, prod

from msgspec import Struct

from dense_calc.whatif.growth.pieces import (
    PiecewiseResult,
    PolynomialPiece,
    ResidueRange,
    find_pieces,
    is_in_domain,
    is_within_ranges,
)
from dense_calc.whatif.growth.polynomial import Point
from dense_calc.whatif.growth.samples import CountFunction, CountSamples, SampleLimitError
from dense_calc.whatif.growth.stretches import MAX_PERIOD, find_last_holding

_MAX_TABLE_VALUES = 16  # values shown of each variable where there is no polynomial
_WIDE_RANGE_SIZE = 128  # values of a range in which those that are shown double
_AMBIGUOUS_STRIDE_POINTS = 2  # values that always seem to be some multiple apart
_MAX_SCANNED_POINTS = 1000  # points from the start of the ranges on that are looked at for a model


class CountStep(Struct, frozen=True):
    """What the count changes from one value to the next one that has a model."""

    from_value: int
    to_value: int
    count_change: int


class Growth(Struct, frozen=True):
    """How a count grows over ranges of its variables.

    `pieces` are polynomials, that of the start first; there may be more (`piece_count`), or none
    if no polynomial was found, when `sample_counts` has some counts. `verified_count` is the number
    of points that confirmed the polynomials, beyond those that determined them. `evaluated_count`
    points were evaluated in all, of which `invalid_count` have no model; `valid_domain` holds those
    that have one, if that is known. `is_exhaustive`: every point was evaluated. `is_cut_short`: the
    search ended before its time.
    """

    ranges: tuple[range, ...]
    pieces: tuple[PolynomialPiece, ...]
    piece_count: int
    verified_count: int
    sample_counts: tuple[tuple[Point, int], ...]
    next_steps: tuple[CountStep | None, ...]
    valid_domain: tuple[ResidueRange, ...] | None
    evaluated_count: int
    is_exhaustive: bool
    invalid_count: int
    is_cut_short: bool


class NoModelError(Exception):
    """No point that was looked at has a model."""


def growth(measure: CountFunction, ranges: Sequence[range], own: Point) -> Growth:
    """How a count grows over the ranges; `own` are the values to ask for one more at.

    Raises:
        NoModelError: no point that was looked at has a model.
    """
    samples = CountSamples(measure)
    start = _find_start_point(samples, ranges, own)
    steps = tuple(_find_next_step(samples, axis, own) for axis in range(len(own)))
    found, valid, stopped = None, None, False
    values: tuple[tuple[Point, int], ...] = ()
    samples.set_allowance(1)
    try:
        found = find_pieces(samples, ranges, start)
    except SampleLimitError:
        stopped = True
    samples.set_allowance(2)  # what follows is short
    with suppress(SampleLimitError):
        values = () if found else tuple(_count_table(samples, ranges, start))
        if found or len(ranges) == 1:  # else too little was looked at
            valid = _find_valid_domain(samples, ranges, start)
    found = found or PiecewiseResult((), 0, 0)
    return Growth(
        ranges=tuple(ranges),
        pieces=found.pieces,
        piece_count=found.piece_count,
        verified_count=found.verified_count,
        sample_counts=values,
        next_steps=steps,
        valid_domain=valid,
        evaluated_count=len(samples.known_counts),
        is_exhaustive=_is_fully_sampled(samples, ranges),
        invalid_count=len(samples.known_counts) - len(samples.valid_counts),
        is_cut_short=stopped,
    )


def _is_fully_sampled(samples: CountSamples, ranges: Sequence[range]) -> bool:
    """Whether each point of the ranges was looked at."""
    return sum(is_within_ranges(point, ranges) for point in samples.known_counts) == prod(
        map(len, ranges)
    )


def _find_start_point(samples: CountSamples, ranges: Sequence[range], own: Point) -> Point:
    """The point in the ranges nearest to `own`, or one that has a model.

    Raises:
        NoModelError: none was found.
    """
    nearest = tuple(max(each[0], min(at, each[-1])) for at, each in zip(own, ranges, strict=True))
    for point in samples.anchor_points(nearest, ranges):
        return point
    for point in islice(product(*ranges), _MAX_SCANNED_POINTS):
        if samples(point) is not None:
            return point
    raise NoModelError


def _find_next_step(samples: CountSamples, axis: int, own: Point) -> CountStep | None:
    """What one more of a variable costs, or the next value that has a model."""
    line = samples.line_through(own, axis)
    ahead = range(own[axis], own[axis] + 2 * MAX_PERIOD)
    counts = ((at, count) for at in ahead if (count := line(at)) is not None)
    pair = list(islice(counts, 2))
    if len(pair) < 2:
        return None
    (before, least), (after, most) = pair
    return CountStep(before, after, most - least)


def _find_valid_domain(
    samples: CountSamples, ranges: Sequence[range], start: Point
) -> tuple[ResidueRange, ...] | None:
    """Where there is a model, if all that is known agrees with one class of each variable."""
    parts = [_valid_axis_range(samples, axis, each, start) for axis, each in enumerate(ranges)]
    agrees = all(
        is_in_domain(parts, point) == (count is not None)
        for point, count in samples.known_counts.items()
        if is_within_ranges(point, ranges)
    )
    return tuple(parts) if agrees else None


def _valid_axis_range(
    samples: CountSamples, axis: int, values: range, start: Point
) -> ResidueRange:
    """The values of a variable that have a model, the others as at the start."""
    line, at = samples.line_through(start, axis), start[axis]
    known = {
        each: line(each) for each in _sampled_axis_values(samples, axis, start) if each in values
    }
    if None not in known.values():
        return ResidueRange(values[0], values[-1])
    sound = [each for each, count in known.items() if count is not None]
    stride = gcd(*(each - at for each in sound)) if len(sound) > _AMBIGUOUS_STRIDE_POINTS else 1

    def is_valid(steps: int) -> bool:
        return line(at + steps * stride) is not None

    down, up = (at - values[0]) // stride, (values[-1] - at) // stride
    below, above = find_last_holding(is_valid, 0, -down), find_last_holding(is_valid, 0, up)
    low = values[0] if below == -down else at + below * stride
    high = values[-1] if above == up else at + above * stride
    return ResidueRange(low, high, stride, at % stride)


def _sampled_axis_values(samples: CountSamples, axis: int, start: Point) -> list[int]:
    """The values of a variable that were looked at, the others as at the start."""
    others = (*start[:axis], *start[axis + 1 :])
    return [
        point[axis]
        for point in samples.known_counts
        if (*point[:axis], *point[axis + 1 :]) == others
    ]


def _count_table(
    samples: CountSamples, ranges: Sequence[range], start: Point
) -> Iterator[tuple[Point, int]]:
    """The counts at some values of each variable, the others as at the start."""
    seen: set[Point] = set()
    for axis, values in enumerate(ranges):
        for at in _table_values(samples, axis, values, start):
            point = (*start[:axis], at, *start[axis + 1 :])
            count = samples(point)
            if count is not None and point not in seen:
                seen.add(point)
                yield point, count


def _table_values(samples: CountSamples, axis: int, values: range, start: Point) -> list[int]:
    """The values of a variable to show: spread ones, its own and the next, and all if few count."""
    line, own = samples.line_through(start, axis), start[axis]
    known = _sampled_axis_values(samples, axis, start)
    sound = [at for at in known if at in values and line(at) is not None]
    few = sound if len(sound) <= _MAX_TABLE_VALUES else ()
    return sorted({*_spread_values(values), own, min(own + 1, values[-1]), *few})


def _spread_values(values: range) -> Sequence[int]:
    """Some of the values: each twice the one before in a wide range, else evenly spread."""
    if len(values) <= _MAX_TABLE_VALUES:
        return values
    if values[0] >= 0 and len(values) > _WIDE_RANGE_SIZE:
        first = max(1, values[0])
        return [values[0], *(first << power for power in range((values[-1] // first).bit_length()))]
    return values[
        :: len(values) // _MAX_TABLE_VALUES | 1
    ]  # odd, to meet values that powers of two do not divide
