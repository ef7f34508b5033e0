"""Of several variables: the pieces of their ranges on which a count is one polynomial each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product, repeat
from math import prod

from msgspec import Struct

from dense_calc.whatif.growth.polynomial import (
    Point,
    Polynomial,
    PolynomialInterpolation,
    evaluate_polynomial,
)
from dense_calc.whatif.growth.samples import (
    CountSamples,
    SampleLimitError,
    candidate_points,
    random_points,
)
from dense_calc.whatif.growth.stretches import CountStretch, find_stretches, overlay_stretches

_MAX_ANCHORS = 3  # points through which the lines go, as one of them may hide what the others show
_MAX_PIECES = 16  # that are worked out
_MAX_UNKNOWNS = 1000  # coefficients of a polynomial
_SINGLE_PIECE_CHECKS = 12  # points drawn to verify a polynomial
_MULTI_PIECE_CHECKS = 4  # where there are several
_MAX_EXHAUSTIVE_POINTS = 1000  # points of ranges so small that each of them is looked at
_PROBES_PER_AXIS = (
    200  # values of each variable that are looked at in larger ones, and points drawn in them
)
_MIN_SPARE_POINTS = 2  # points that must verify a piece, unless it has no others


class ResidueRange(Struct, frozen=True):
    """The values from `low` to `high` that leave `remainder` when divided by `period`."""

    low: int
    high: int
    period: int = 1
    remainder: int = 0

    @property
    def values(self) -> range:
        """All of them."""
        first = self.low + (self.remainder - self.low) % self.period
        return range(first, self.high + 1, self.period)


def is_in_domain(parts: Iterable[ResidueRange], point: Point) -> bool:
    """Whether each of a point's values is in the part for it."""
    return is_within_ranges(point, [part.values for part in parts])


class PolynomialPiece(Struct, frozen=True):
    """A polynomial, and the values of each variable on which it is the count."""

    domain: tuple[ResidueRange, ...]
    polynomial: Polynomial

    def has_point(self, point: Point) -> bool:
        """Whether a point is in it."""
        return is_in_domain(self.domain, point)


class PiecewiseResult(Struct, frozen=True):
    """The pieces that were worked out, of so many, and the points that verify them."""

    pieces: tuple[PolynomialPiece, ...]
    piece_count: int
    verified_count: int


class _FormMismatchError(Exception):
    """The count has not the form that was supposed."""


def find_pieces(
    samples: CountSamples, ranges: Sequence[range], start: Point
) -> PiecewiseResult | None:
    """The pieces that a count has over the ranges, that of `start` first; None if it has none.

    What the lines through one point let suppose is tried; if it is wrong, lines through another
    point are added.
    """
    axes: list[list[CountStretch]] = []
    for anchor in islice(dict.fromkeys(samples.anchor_points(start, ranges)), _MAX_ANCHORS):
        lines = [
            find_stretches(samples.line_through(anchor, axis), values[0], values[-1], anchor[axis])
            for axis, values in enumerate(ranges)
        ]
        if not all(lines):
            return None
        axes = list(map(overlay_stretches, axes, lines)) if axes else lines
        try:
            return _pieces_from_stretches(samples, axes, ranges, start)
        except _FormMismatchError:
            continue
    return None


def _pieces_from_stretches(
    samples: CountSamples,
    axes: Sequence[Sequence[CountStretch]],
    ranges: Sequence[range],
    start: Point,
) -> PiecewiseResult:
    """The pieces, if each variable has these stretches.

    Raises:
        _FormMismatchError: it has others.
    """
    number = _count_pieces(axes, start)
    drawn = _SINGLE_PIECE_CHECKS if number == 1 else _MULTI_PIECE_CHECKS
    used: set[Point] = set()
    found: list[PolynomialPiece] = []
    for parts, degrees in islice(_candidate_domains(axes, start), _MAX_PIECES):
        piece = _interpolate_piece(samples, parts, degrees, start, used)
        if piece:
            found.append(piece)
            for point in islice(_verification_points(parts, start), drawn + 2 * len(parts) + 2):
                samples(point)
    if found:
        _probe_ranges(samples, ranges, start)
    counts = _counts_within(samples, ranges)
    number = number if number > _MAX_PIECES else len(found)
    if found and _is_polynomial_exact(found[0].polynomial, counts):
        whole = tuple(ResidueRange(each[0], each[-1]) for each in ranges)
        found, number = [PolynomialPiece(whole, found[0].polynomial)], 1
    return PiecewiseResult(tuple(found), number, _count_verified(found, number, counts, used))


def _probe_ranges(samples: CountSamples, ranges: Sequence[range], start: Point) -> None:
    """Look at all points of small ranges, and at those among which the known models are.

    Of large ones, look at points along each axis and anywhere.
    """
    if prod(map(len, ranges)) > _MAX_EXHAUSTIVE_POINTS:
        for axis, values in enumerate(ranges):
            every = (
                1 if len(values) <= 2 * _PROBES_PER_AXIS else len(values) // _PROBES_PER_AXIS + 1
            )
            for at in values[::every]:
                samples((*start[:axis], at, *start[axis + 1 :]))
        for point in random_points(ranges, _PROBES_PER_AXIS):
            samples(point)
        sides = zip(*_counts_within(samples, ranges), strict=True)
        ranges = [range(min(side), max(side) + 1) for side in sides]
    if prod(map(len, ranges)) <= _MAX_EXHAUSTIVE_POINTS:
        for point in product(*ranges):
            samples(point)


def _count_pieces(axes: Sequence[Sequence[CountStretch]], start: Point) -> int:
    """The number of pieces that these stretches make."""
    return prod(
        sum(len(list(_residue_ranges_in(each, at))) for each in axis)
        for at, axis in zip(start, axes, strict=True)
    )


def _is_polynomial_exact(polynomial: Polynomial, counts: Mapping[Point, int]) -> bool:
    """Whether a polynomial is the count wherever that is known."""
    return all(evaluate_polynomial(polynomial, point) == count for point, count in counts.items())


def _counts_within(samples: CountSamples, ranges: Sequence[range]) -> dict[Point, int]:
    """The counts that are known in the ranges."""
    return {
        point: count
        for point, count in samples.valid_counts.items()
        if is_within_ranges(point, ranges)
    }


def is_within_ranges(point: Point, ranges: Iterable[range]) -> bool:
    """Whether each of a point's values is in the range for it."""
    return all(at in values for at, values in zip(point, ranges, strict=True))


def _candidate_domains(
    axes: Sequence[Sequence[CountStretch]], start: Point
) -> Iterator[tuple[tuple[ResidueRange, ...], tuple[int, ...]]]:
    """The combinations of classes of each variable, with its degrees; that of `start` first."""
    ordered = [
        sorted(axis, key=lambda each: not each.low <= at <= each.high)
        for at, axis in zip(start, axes, strict=True)
    ]
    found = []
    for combined in product(*ordered):
        classes = (
            list(_residue_ranges_in(each, at)) for each, at in zip(combined, start, strict=True)
        )
        degrees = tuple(each.degree for each in combined)
        found.append(zip(product(*classes), repeat(degrees)))
    yield from (each for few in found for each in islice(few, 1))  # of every stretch one, at first
    yield from chain.from_iterable(found)


def _residue_ranges_in(stretch: CountStretch, start: int) -> Iterator[ResidueRange]:
    """The classes of a stretch, from that of `start` on."""
    for remainder in sorted(stretch.remainders, key=lambda rest: (rest - start) % stretch.period):
        part = ResidueRange(stretch.low, stretch.high, stretch.period, remainder)
        if part.values:
            yield part


def _interpolate_piece(
    samples: CountSamples,
    parts: tuple[ResidueRange, ...],
    degrees: Sequence[int],
    start: Point,
    used: set[Point],
) -> PolynomialPiece | None:
    """The piece of these parts; None without a model. The points that settle it join the `used`.

    Raises:
        _FormMismatchError: too few points have a model to tell.
        SampleLimitError: it would have too many terms.
    """
    values = [part.values for part in parts]
    orders = [min(order, len(each) - 1) for order, each in zip(degrees, values, strict=True)]
    lattice = list(map(_lattice_values, values, orders, start))
    grid = product(*(each[: order + 1] for each, order in zip(lattice, orders, strict=True)))
    known = (point for point in samples.valid_counts if is_in_domain(parts, point))
    if prod(order + 1 for order in orders) > _MAX_UNKNOWNS:
        raise SampleLimitError
    interpolation = PolynomialInterpolation(lattice, orders)
    for point in chain(grid, known, candidate_points(tuple(each[0] for each in lattice), values)):
        count = samples(point)
        if count is not None and interpolation.add_point(point, count):
            used.add(point)
        if interpolation.is_complete:
            return PolynomialPiece(parts, interpolation.build_polynomial())
    if interpolation.equations:
        raise _FormMismatchError
    return None


def _lattice_values(values: range, order: int, start: int) -> range:
    """The values from the one nearest to `start` after which as many stand as are needed."""
    nearest = (start - values.start) // values.step
    return values[max(0, min(nearest, len(values) - 1 - order)) :]


def _verification_points(parts: Sequence[ResidueRange], start: Point) -> Iterator[Point]:
    """Points to verify a piece at: the ends of its parts, alone and together, and drawn ones."""
    values = [part.values for part in parts]
    near = tuple(_lattice_values(each, 0, at)[0] for each, at in zip(values, start, strict=True))
    for axis, each in enumerate(values):
        yield from ((*near[:axis], at, *near[axis + 1 :]) for at in (each[0], each[-1]))
    yield tuple(each[0] for each in values)
    yield tuple(each[-1] for each in values)
    yield from candidate_points(near, values)


def _count_verified(
    found: Sequence[PolynomialPiece],
    number: int,
    counts: Mapping[Point, int],
    used: Collection[Point],
) -> int:
    """The number of known counts that pieces have, beyond those that settled them.

    Raises:
        _FormMismatchError: a count is another, or of no piece, or a piece has too few.
    """
    spare = [0] * len(found)
    for point, count in counts.items():
        for index, piece in enumerate(found):
            if piece.has_point(point):
                spare[index] += point not in used
                if evaluate_polynomial(piece.polynomial, point) != count:
                    raise _FormMismatchError
                break
        else:
            if number == len(found):
                raise _FormMismatchError
    for piece, points in zip(found, spare, strict=True):
        size = prod(len(part.values) for part in piece.domain)
        if points < min(_MIN_SPARE_POINTS, size - sum(map(piece.has_point, used))):
            raise _FormMismatchError
    return sum(spare)
