"""Of several variables: the pieces of their ranges on which a count is one polynomial each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, product, repeat
from math import prod

from msgspec import Struct

from dense_calc.whatif.growth.polynomial import Interpolation, Point, Polynomial, value
from dense_calc.whatif.growth.samples import ExhaustedError, Samples, candidates, drawn_from
from dense_calc.whatif.growth.stretches import Stretch, overlay, stretches

ANCHORS = 3  # points through which the lines go, as one of them may hide what the others show
MAX_PIECES = 16  # that are worked out
MAX_UNKNOWNS = 1000  # coefficients of a polynomial
DRAWN = 12  # points drawn to verify a polynomial
DRAWN_OF_EACH = 4  # where there are several
FEW = 1000  # points of ranges so small that each of them is looked at
SPREAD = 200  # values of each variable that are looked at in larger ones, and points drawn in them
SPARE = 2  # points that must verify a piece, unless it has no others


class Part(Struct, frozen=True):
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


def contains(parts: Iterable[Part], point: Point) -> bool:
    """Whether each of a point's values is in the part for it."""
    return is_within(point, [part.values for part in parts])


class Piece(Struct, frozen=True):
    """A polynomial, and the values of each variable on which it is the count."""

    parts: tuple[Part, ...]
    polynomial: Polynomial

    def holds(self, point: Point) -> bool:
        """Whether a point is in it."""
        return contains(self.parts, point)


class Pieces(Struct, frozen=True):
    """The pieces that were worked out, of so many, and the points that verify them."""

    shown: tuple[Piece, ...]
    number: int
    verified: int


class WrongError(Exception):
    """The count has not the form that was supposed."""


def pieces(samples: Samples, ranges: Sequence[range], start: Point) -> Pieces | None:
    """The pieces that a count has over the ranges, that of `start` first; None if it has none.

    What the lines through one point let suppose is tried; if it is wrong, lines through another
    point are added.
    """
    axes: list[list[Stretch]] = []
    for anchor in islice(dict.fromkeys(samples.anchors(start, ranges)), ANCHORS):
        lines = [
            stretches(samples.line(anchor, axis), values[0], values[-1], anchor[axis])
            for axis, values in enumerate(ranges)
        ]
        if not all(lines):
            return None
        axes = list(map(overlay, axes, lines)) if axes else lines
        try:
            return supposed(samples, axes, ranges, start)
        except WrongError:
            continue
    return None


def supposed(
    samples: Samples, axes: Sequence[Sequence[Stretch]], ranges: Sequence[range], start: Point
) -> Pieces:
    """The pieces, if each variable has these stretches.

    Raises:
        WrongError: it has others.
    """
    number = number_of(axes, start)
    drawn = DRAWN if number == 1 else DRAWN_OF_EACH
    used: set[Point] = set()
    found: list[Piece] = []
    for parts, degrees in islice(parts_of(axes, start), MAX_PIECES):
        piece = worked_out(samples, parts, degrees, start, used)
        if piece:
            found.append(piece)
            for point in islice(further(parts, start), drawn + 2 * len(parts) + 2):
                samples(point)
    if found:
        probe(samples, ranges, start)
    counts = within(samples, ranges)
    number = number if number > MAX_PIECES else len(found)
    if found and is_everywhere(found[0].polynomial, counts):
        whole = tuple(Part(each[0], each[-1]) for each in ranges)
        found, number = [Piece(whole, found[0].polynomial)], 1
    return Pieces(tuple(found), number, verified(found, number, counts, used))


def probe(samples: Samples, ranges: Sequence[range], start: Point) -> None:
    """Look at all points of small ranges, and at those among which the known models are.

    Of large ones, look at points along each axis and anywhere.
    """
    if prod(map(len, ranges)) > FEW:
        for axis, values in enumerate(ranges):
            every = 1 if len(values) <= 2 * SPREAD else len(values) // SPREAD + 1
            for at in values[::every]:
                samples((*start[:axis], at, *start[axis + 1 :]))
        for point in drawn_from(ranges, SPREAD):
            samples(point)
        sides = zip(*within(samples, ranges), strict=True)
        ranges = [range(min(side), max(side) + 1) for side in sides]
    if prod(map(len, ranges)) <= FEW:
        for point in product(*ranges):
            samples(point)


def number_of(axes: Sequence[Sequence[Stretch]], start: Point) -> int:
    """The number of pieces that these stretches make."""
    return prod(
        sum(len(list(parts_in(each, at))) for each in axis)
        for at, axis in zip(start, axes, strict=True)
    )


def is_everywhere(polynomial: Polynomial, counts: Mapping[Point, int]) -> bool:
    """Whether a polynomial is the count wherever that is known."""
    return all(value(polynomial, point) == count for point, count in counts.items())


def within(samples: Samples, ranges: Sequence[range]) -> dict[Point, int]:
    """The counts that are known in the ranges."""
    return {point: count for point, count in samples.valid.items() if is_within(point, ranges)}


def is_within(point: Point, ranges: Iterable[range]) -> bool:
    """Whether each of a point's values is in the range for it."""
    return all(at in values for at, values in zip(point, ranges, strict=True))


def parts_of(
    axes: Sequence[Sequence[Stretch]], start: Point
) -> Iterator[tuple[tuple[Part, ...], tuple[int, ...]]]:
    """The combinations of classes of each variable, with its degrees; that of `start` first."""
    ordered = [
        sorted(axis, key=lambda each: not each.low <= at <= each.high)
        for at, axis in zip(start, axes, strict=True)
    ]
    found = []
    for combined in product(*ordered):
        classes = (list(parts_in(each, at)) for each, at in zip(combined, start, strict=True))
        degrees = tuple(each.degree for each in combined)
        found.append(zip(product(*classes), repeat(degrees)))
    yield from (each for few in found for each in islice(few, 1))  # of every stretch one, at first
    yield from chain.from_iterable(found)


def parts_in(stretch: Stretch, start: int) -> Iterator[Part]:
    """The classes of a stretch, from that of `start` on."""
    for remainder in sorted(stretch.remainders, key=lambda rest: (rest - start) % stretch.period):
        part = Part(stretch.low, stretch.high, stretch.period, remainder)
        if part.values:
            yield part


def worked_out(
    samples: Samples,
    parts: tuple[Part, ...],
    degrees: Sequence[int],
    start: Point,
    used: set[Point],
) -> Piece | None:
    """The piece of these parts; None without a model. The points that settle it join the `used`.

    Raises:
        WrongError: too few points have a model to tell.
        ExhaustedError: it would have too many terms.
    """
    values = [part.values for part in parts]
    orders = [min(order, len(each) - 1) for order, each in zip(degrees, values, strict=True)]
    lattice = list(map(lattice_of, values, orders, start))
    grid = product(*(each[: order + 1] for each, order in zip(lattice, orders, strict=True)))
    known = (point for point in samples.valid if contains(parts, point))
    if prod(order + 1 for order in orders) > MAX_UNKNOWNS:
        raise ExhaustedError
    interpolation = Interpolation(lattice, orders)
    for point in chain(grid, known, candidates(tuple(each[0] for each in lattice), values)):
        count = samples(point)
        if count is not None and interpolation.add(point, count):
            used.add(point)
        if interpolation.is_complete:
            return Piece(parts, interpolation.polynomial())
    if interpolation.equations:
        raise WrongError
    return None


def lattice_of(values: range, order: int, start: int) -> range:
    """The values from the one nearest to `start` after which as many stand as are needed."""
    nearest = (start - values.start) // values.step
    return values[max(0, min(nearest, len(values) - 1 - order)) :]


def further(parts: Sequence[Part], start: Point) -> Iterator[Point]:
    """Points to verify a piece at: the ends of its parts, alone and together, and drawn ones."""
    values = [part.values for part in parts]
    near = tuple(lattice_of(each, 0, at)[0] for each, at in zip(values, start, strict=True))
    for axis, each in enumerate(values):
        yield from ((*near[:axis], at, *near[axis + 1 :]) for at in (each[0], each[-1]))
    yield tuple(each[0] for each in values)
    yield tuple(each[-1] for each in values)
    yield from candidates(near, values)


def verified(
    found: Sequence[Piece], number: int, counts: Mapping[Point, int], used: Collection[Point]
) -> int:
    """The number of known counts that pieces have, beyond those that settled them.

    Raises:
        WrongError: a count is another, or of no piece, or a piece has too few.
    """
    spare = [0] * len(found)
    for point, count in counts.items():
        for index, piece in enumerate(found):
            if piece.holds(point):
                spare[index] += point not in used
                if value(piece.polynomial, point) != count:
                    raise WrongError
                break
        else:
            if number == len(found):
                raise WrongError
    for piece, points in zip(found, spare, strict=True):
        size = prod(len(part.values) for part in piece.parts)
        if points < min(SPARE, size - sum(map(piece.holds, used))):
            raise WrongError
    return sum(spare)
