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

from dense_calc.errors import DenseCalcError
from dense_calc.symbolic.formulas import Point

MAX_POINTS = 2**20  # that are looked at, and values of a variable that has no largest one


class VariableRange(Struct, frozen=True):
    """The values of a variable, in steps; `is_open` where nobody has said which is the largest."""

    name: str
    values: range
    is_open: bool = False


class PointGrid(Struct, frozen=True):
    """All combinations of the values of some variables, the last of which rises fastest.

    With `bases`, the own values of the variables, a line: all move in proportion to these, the
    first one through its values, the others to the nearest of theirs.
    """

    ranges: tuple[VariableRange, ...]
    bases: tuple[Fraction, ...] = ()

    @property
    def axes(self) -> list[range]:
        """The values along each axis."""
        return [each.values for each in (self.ranges[:1] if self.bases else self.ranges)]

    def __len__(self) -> int:
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[Point]:
        return map(self._scaled_point, self.axes[0]) if self.bases else product(*self.axes)

    def point_at(self, place: int) -> Point:
        """The point at a place in the order of all."""
        if self.bases:
            return self._scaled_point(self.axes[0][place])
        values: list[int] = []
        for axis in reversed(self.axes):
            place, index = divmod(place, len(axis))
            values.insert(0, axis[index])
        return tuple(values)

    def _scaled_point(self, leading: int) -> Point:
        """The values for one of the first variable: the nearest steps, halves upwards."""
        leader = self.bases[0]
        point = []
        for each, base in zip(self.ranges, self.bases, strict=True):
            numerator = 2 * base.numerator * leader.denominator * leading
            divisor = base.denominator * leader.numerator
            step = each.values.step
            nearest = (numerator + divisor * step) // (2 * divisor * step) * step
            point.append(max(nearest, each.values[0]))
        return tuple(point)

    def strides(self) -> list[int]:
        """The places between two neighbours along each axis."""
        sizes = [*map(len, self.axes)]
        return [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]

    def cut_to(self, size: int) -> PointGrid:
        """A line with only the first values of its first variable."""
        first = self.ranges[0]
        return replace(self, ranges=(replace(first, values=first.values[:size]), *self.ranges[1:]))

    def told_range(self, name: str) -> VariableRange:
        """The values that a variable takes."""
        first, last = self.point_at(0), self.point_at(len(self) - 1)
        [(own, least, most)] = [
            each for each in zip(self.ranges, first, last, strict=True) if each[0].name == name
        ]
        return replace(own, values=range(least, most + 1, own.values.step))


def build_variable_range(name: str, multiple: int, least: int, most: int | None) -> VariableRange:
    """The multiples of a number from the least value to the most there may be.

    Raises:
        DenseCalcError: there are none.
    """
    if multiple < 1:
        raise DenseCalcError(
            f"'{name}' cannot be a multiple of {multiple}; give a number from 1 up"
        )
    first = -(-least // multiple) * multiple
    if most is None:
        values = range(first, first + MAX_POINTS * multiple, multiple)
        return VariableRange(name, values, is_open=True)
    if most < least:
        raise DenseCalcError(
            f"'{name}' has no value: its min, {least:,}, is above its max, {most:,}"
        )
    steps = range(first, most + 1, multiple)
    if not steps:
        raise DenseCalcError(
            f"'{name}' has no value: no multiple of {multiple:,} is from {least:,} to {most:,}"
        )
    return VariableRange(name, steps)


def build_grid(ranges: Sequence[VariableRange]) -> PointGrid:
    """The grid of some ranges; if it is too large, those that nobody has ended get wider steps.

    The variable with the most values is the last one.

    Raises:
        DenseCalcError: it is still too large.
    """
    axes = list(ranges)
    while math.prod(len(each.values) for each in axes) > MAX_POINTS:
        widest = max(axes, key=lambda each: each.is_open * len(each.values))
        if not widest.is_open or len(widest.values) == 1:
            sizes = " × ".join(f"{len(each.values):,}" for each in ranges)
            names = ", ".join(each.name for each in ranges)
            raise DenseCalcError(
                f"{sizes} combinations of {names} are too many; narrow them with --min, --max or "
                "--multiple-of, or move them together with --scale"
            )
        odd = widest.values[0] // widest.values.step % 2
        axes[axes.index(widest)] = replace(widest, values=widest.values[odd::2])
    return PointGrid(tuple(sorted(axes, key=lambda each: len(each.values))))


def build_scaled_line(ranges: Sequence[VariableRange], own: Mapping[str, Any]) -> PointGrid:
    """The line along which all variables move by one factor from their own values.

    It has a point for each value of the one with the finest steps.

    Raises:
        DenseCalcError: the own value of one is no number above 0, or no factor suits them all.
    """
    bases = {each.name: _scaling_base(each.name, own[each.name]) for each in ranges}
    ordered = sorted(ranges, key=lambda each: each.values.step / bases[each.name])
    line = PointGrid(tuple(ordered), tuple(bases[each.name] for each in ordered))

    def is_past_end(place: int) -> bool:
        pairs = zip(line.point_at(place), ordered, strict=True)
        return any(value > each.values[-1] for value, each in pairs if not each.is_open)

    size = bisect_left(range(len(line)), True, key=is_past_end)
    if not size:
        raise DenseCalcError("no factor keeps all variables within --min and --max; widen them")
    return line.cut_to(size)


def _scaling_base(name: str, value: object) -> Fraction:
    """The own value of a variable, to be scaled.

    Raises:
        DenseCalcError: it is no number above 0.
    """
    match value:
        case bool() | None:
            told = "it has no number of its own"
        case int() | float() if 0 < value < math.inf:
            return Fraction(value)
        case _:
            told = f"its own value, {value}, is not above 0"
    mending = "leave it out of --vary, or leave out --scale"
    raise DenseCalcError(f"'{name}' cannot be scaled: {told}; {mending}")
