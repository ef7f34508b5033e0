"""Regions with the same polynomial → the pieces of a count, as few as can be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd, prod

from msgspec import Struct

from dense_calc.whatif.count_polynomials import CountPolynomial, Point, are_equal_on
from dense_calc.whatif.regions import Region, nearest_point


class PolynomialPiece(Struct, frozen=True):
    """A polynomial, and the values of each variable on which it is the count."""

    domain: Region
    polynomial: CountPolynomial

    def has_point(self, point: Point) -> bool:
        """Whether a point is in it."""
        return _has_point(self.domain, point)


class RegionCount(Struct, frozen=True):
    """A region, and the polynomial that the count is on it, None where there is no model."""

    region: Region
    polynomial: CountPolynomial | None


def merge_regions(
    regions: Sequence[RegionCount], whole: Region, own: Point
) -> list[PolynomialPiece]:
    """The pieces that regions make: as few as can be told apart by a class of each variable."""
    groups = list(_group_by_polynomial(regions).values())
    pieces = []
    for polynomial, members in groups:
        others = [each for other, several in groups if other is not polynomial for each in several]
        domains = _merge_members(members, others, whole)
        pieces += [PolynomialPiece(domain, polynomial) for domain in domains]
    own = nearest_point(whole, own)
    pieces.sort(key=lambda piece: (not piece.has_point(own), [each[0] for each in piece.domain]))
    return pieces


def _group_by_polynomial(
    regions: Iterable[RegionCount],
) -> dict[object, tuple[CountPolynomial, list[Region]]]:
    """The regions of each polynomial, by a key for it; the largest regions tell its form."""
    groups: dict[object, tuple[CountPolynomial, list[Region]]] = {}
    for region, polynomial in sort_by_size(regions):
        key: object = frozenset(polynomial.items())
        if key not in groups:
            fitting = (
                other
                for other, (each, _) in groups.items()
                if are_equal_on(polynomial, each, region)
            )
            key = next(fitting, key)
        groups.setdefault(key, (polynomial, []))[1].append(region)
    return groups


def sort_by_size(regions: Iterable[RegionCount]) -> list[tuple[Region, CountPolynomial]]:
    """The regions with models and their polynomials, those with the most points first."""
    sound = [(each.region, each.polynomial) for each in regions if each.polynomial is not None]
    return sorted(sound, key=lambda pair: -prod(map(len, pair[0])))


def _merge_members(
    members: Sequence[Region], others: Sequence[Region], whole: Region
) -> list[Region]:
    """Regions of one polynomial merged into others, in which no points of `others` are.

    What has no model contradicts nothing.
    """
    merged: list[Region] = []
    for region in members:
        for place, known in enumerate(merged):
            hull = tuple(map(_join_ranges, known, region))
            if not any(_has_overlap(hull, other) for other in others):
                merged[place] = hull
                break
        else:
            merged.append(region)
    for place, region in enumerate(merged):
        rest = [*others, *merged[:place], *merged[place + 1 :]]
        merged[place] = _widen_region(region, rest, whole)
    return merged


def _join_ranges(one: range, other: range) -> range:
    """The smallest range that has the values of both."""
    low, high = min(one[0], other[0]), max(one[-1], other[-1])
    steps = [each.step for each in (one, other) if len(each) > 1]
    return range(low, high + 1, gcd(*steps, one[0] - other[0]) or 1)


def _widen_region(region: Region, others: Sequence[Region], whole: Region) -> Region:
    """A region with all values of a variable, or all of their class, where no other one is."""
    for axis, full in enumerate(whole):
        values = region[axis]
        first = full.start + (values.start - full.start) % values.step
        for wider in (full, range(first, full.stop, values.step)):
            wide = (*region[:axis], wider, *region[axis + 1 :])
            if not any(_has_overlap(wide, each) for each in others):
                region = wide
                break
    return region


def _has_overlap(one: Region, other: Region) -> bool:
    """Whether two regions have a point in common."""
    return all(map(_has_common_value, one, other))


def _has_common_value(one: range, other: range) -> bool:
    """Whether two ranges have a value in common."""
    low, high = max(one[0], other[0]), min(one[-1], other[-1])
    divisor = gcd(one.step, other.step)
    if low > high or (one[0] - other[0]) % divisor:
        return False
    period = other.step // divisor
    steps = (
        (other[0] - one[0]) // divisor * pow(one.step // divisor, -1, period) if period > 1 else 0
    )
    common = one[0] + steps * one.step  # a value of both classes, perhaps out of reach
    return low + (common - low) % (one.step * period) <= high


def find_valid_domain(regions: Iterable[RegionCount]) -> Region | None:
    """The points that have a model, if they are one class of each variable."""
    invalid = [each.region for each in regions if each.polynomial is None]
    if not invalid:
        return None
    hull: Region | None = None
    for region, _ in sort_by_size(regions):
        hull = tuple(map(_join_ranges, hull, region)) if hull else region
    assert hull
    return None if any(_has_overlap(hull, region) for region in invalid) else hull


def _has_point(region: Region, point: Point) -> bool:
    """Whether a point is in a region."""
    return all(at in values for at, values in zip(point, region, strict=True))
