"""Regions with the same polynomial → the pieces of a count, as few as can be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd

from msgspec import Struct

from dense_calc.symbolic.count_polynomials import CountPolynomial, Point, are_equal_on
from dense_calc.symbolic.region_view import Region
from dense_calc.symbolic.regions import has_point, nearest_point


class PolynomialPiece(Struct, frozen=True):
    """A polynomial, and the values of each variable on which it is the count."""

    domain: Region
    polynomial: CountPolynomial


def merge_regions(
    counted: Iterable[tuple[Region, CountPolynomial]], whole: Region, own: Point
) -> list[PolynomialPiece]:
    """The pieces that regions make: as few as can be told apart by a class of each variable.

    Where several polynomials are the same on a region, the first of them tells the form.
    """
    groups: list[tuple[CountPolynomial, list[Region]]] = []
    for region, polynomial in counted:
        for known, members in groups:
            if are_equal_on(polynomial, known, region):
                members.append(region)
                break
        else:
            groups.append((polynomial, [region]))
    pieces = []
    for polynomial, members in groups:
        others = [each for other, several in groups if other is not polynomial for each in several]
        domains = _merge_members(members, others, whole)
        pieces += [PolynomialPiece(domain, polynomial) for domain in domains]
    own = nearest_point(whole, own)
    pieces.sort(key=lambda each: (not has_point(each.domain, own), [at[0] for at in each.domain]))
    return pieces


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


def find_valid_domain(valid: Sequence[Region], holes: Sequence[Region]) -> Region | None:
    """The points that have a model, if some have none and the others are a class of each variable.

    `holes` are the regions without models.
    """
    hull = valid[0]
    for region in valid:
        hull = tuple(map(_join_ranges, hull, region))
    return hull if holes and not any(_has_overlap(hull, each) for each in holes) else None
