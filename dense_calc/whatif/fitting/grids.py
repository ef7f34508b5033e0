"""The values that variables may take, and the points to look at: all combinations, or a line."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import DenseCalcError, describe_value
from dense_calc.settings.values import FloatRange, SettingValues
from dense_calc.spec_language.spec_numbers import is_number
from dense_calc.symbolic.formulas import Point
from dense_calc.whatif.variables import empty_range_error

MAX_POINTS = 2**20  # that are looked at, and values of a variable that has no largest one


class VariableRange(Struct, frozen=True):
    """The values of a variable, in ascending order.

    They are all multiples of a number, which is 0 where somebody has listed them. `is_open` where
    nobody has said which is the largest; `is_thinned` where the multiple is not the one asked for.
    """

    name: str
    values: Sequence[Any]
    multiple: int = 0
    is_open: bool = False
    is_thinned: bool = False


class PointGrid(Struct, frozen=True):
    """All combinations of the values of some variables, the last of which changes fastest.

    With `bases`, the own values of the variables, a line: the one at `leader` moves through its
    values, and the others in proportion to it, each to the nearest of its values.
    """

    ranges: tuple[VariableRange, ...]
    bases: tuple[Fraction, ...] = ()
    leader: int = 0

    @property
    def axes(self) -> list[Sequence[Any]]:
        """The values along each axis."""
        return [each.values for each in ([self.ranges[self.leader]] if self.bases else self.ranges)]

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[Point]:
        return map(self._scaled_point, self.axes[0]) if self.bases else product(*self.axes)

    def point_at(self, place: int) -> Point:
        """The point at a place in the order of all."""
        if self.bases:
            return self._scaled_point(self.axes[0][place])
        values: list[Any] = []
        for axis in reversed(self.axes):
            place, index = divmod(place, len(axis))
            values.insert(0, axis[index])
        return tuple(values)

    def _scaled_point(self, leading: int) -> Point:
        """The values for one of the leading variable: the nearest steps, halves upwards."""
        leader = self.bases[self.leader]
        point = []
        for each, base in zip(self.ranges, self.bases, strict=True):
            numerator = 2 * base.numerator * leader.denominator * leading
            divisor = base.denominator * leader.numerator
            step = each.multiple
            nearest = (numerator + divisor * step) // (2 * divisor * step) * step
            point.append(max(nearest, each.values[0]))
        return tuple(point)

    def strides(self) -> list[int]:
        """The places between two neighbours along each axis."""
        sizes = [*map(len, self.axes)]
        return [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]

    def cut_axis(self, axis: int, values: Sequence[Any], **changes: Any) -> PointGrid:
        """The grid with some of the values of a variable only, and changes of its range."""
        ranges = list(self.ranges)
        ranges[axis] = replace(ranges[axis], values=values, **changes)
        return replace(self, ranges=tuple(ranges))

    def told_ranges(self) -> Iterator[VariableRange]:
        """The values that each variable takes."""
        if not self.bases:
            yield from self.ranges
            return
        ends = self.point_at(0), self.point_at(self.size - 1)
        for each, least, most in zip(self.ranges, *ends, strict=True):
            yield replace(each, values=range(least, most + 1, each.multiple))


def build_listed_range(name: str, values: SettingValues) -> VariableRange:
    """The values that somebody has listed.

    Raises:
        DenseCalcError: there are none, or one is no number.
    """
    if not values:
        raise DenseCalcError(f"'{name}' has no value; list some, or leave out the list")
    if isinstance(values, range | FloatRange):
        return VariableRange(name, values if values[0] <= values[-1] else values[::-1])
    for each in values:
        if not is_number(each) or not math.isfinite(each):
            told = f"only numbers can vary here, and {describe_value(each)} is none"
            raise DenseCalcError(f"'{name}' cannot have this value: {told}")
    return VariableRange(name, sorted(set(values)))


def build_variable_range(name: str, multiple: int, least: int, most: int | None) -> VariableRange:
    """The multiples of a number from the least value to the most there may be.

    Raises:
        DenseCalcError: there are none.
    """
    if multiple < 1:
        told = f"'{name}' cannot be a multiple of {multiple}; give a number from 1 up"
        raise DenseCalcError(told)
    first = -(-least // multiple) * multiple
    if most is None:
        values = range(first, first + MAX_POINTS * multiple, multiple)
        return VariableRange(name, values, multiple, is_open=True)
    values = range(first, most + 1, multiple)
    if values:
        return VariableRange(name, values, multiple)
    if most < least:
        raise empty_range_error(name, least, most)
    told = f"no multiple of {multiple:,} is from {least:,} to {most:,}"
    raise DenseCalcError(f"'{name}' has no value: {told}")


def widen_steps(grid: PointGrid) -> PointGrid:
    """The grid with fewer values of what nobody has ended, where it has too many points.

    Raises:
        DenseCalcError: it has too many all the same.
    """
    while grid.size > MAX_POINTS and len(grid.axes) > 1:
        sizes = [each.is_open * len(each.values) for each in grid.ranges]
        axis = sizes.index(max(sizes))
        if sizes[axis] < 2:
            sizes_text = " × ".join(f"{len(each.values):,}" for each in grid.ranges)
            names = ", ".join(each.name for each in grid.ranges)
            raise DenseCalcError(
                f"{sizes_text} combinations of {names} are too many; narrow them with --min, --max "
                "or --multiple-of, or move them together with --scale"
            )
        values, multiple = grid.ranges[axis].values, grid.ranges[axis].multiple
        odd = values[0] // multiple % 2
        grid = grid.cut_axis(axis, values[odd::2], multiple=2 * multiple, is_thinned=True)
    return grid


def build_scaled_line(ranges: Sequence[VariableRange], own: Mapping[str, Any]) -> PointGrid:
    """The line along which all variables move by one factor from their own values.

    It has a point for each value of the one with the finest steps.

    Raises:
        DenseCalcError: the own value of one is no number above 0, or no factor suits them all.
    """
    bases = tuple(_scaling_base(each.name, own[each.name]) for each in ranges)
    steps = [each.multiple / base for each, base in zip(ranges, bases, strict=True)]
    leader = steps.index(min(steps))
    line = PointGrid(tuple(ranges), bases, leader)

    def is_past_end(place: int) -> bool:
        pairs = zip(line.point_at(place), ranges, strict=True)
        return any(value > each.values[-1] for value, each in pairs if not each.is_open)

    size = bisect_left(range(line.size), True, key=is_past_end)
    if not size:
        raise DenseCalcError("no factor keeps all variables within --min and --max; widen them")
    return line.cut_axis(leader, ranges[leader].values[:size])


def _scaling_base(name: str, value: object) -> Fraction:
    """The own value of a variable, to be scaled.

    Raises:
        DenseCalcError: it is no number above 0.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return Fraction(value)
    has_none = value is None or isinstance(value, bool)
    told = "it has no value" if has_none else f"its value, {value}, is not above 0"
    mending = "leave it out of --vary, or leave out --scale"
    raise DenseCalcError(f"'{name}' cannot be scaled: {told}; {mending}")
