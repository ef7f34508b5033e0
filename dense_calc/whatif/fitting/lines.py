"""The values that variables may take, and lines along which one rises, or several together."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import DenseCalcError

_OPEN_RANGE_SIZE = 2**20  # values of a variable that has no largest one


class VariableRange(Struct, frozen=True):
    """The values of a variable, in steps; `is_open` where nobody has said which is the largest."""

    name: str
    values: range
    is_open: bool = False

    def __len__(self) -> int:
        return len(self.values)


class _ProportionalVariable(Struct, frozen=True):
    """A variable that moves with another: its values are in proportion to the other's."""

    variable_range: VariableRange
    ratio: Fraction

    def value_for(self, leading: int) -> int:
        """The nearest of its steps, halves upwards; never below its least value."""
        step = self.variable_range.values.step
        nearest = math.floor(self.ratio * leading / step + Fraction(1, 2)) * step
        return max(nearest, self.variable_range.values[0])

    def is_past_end(self, leading: int) -> bool:
        """Whether its largest value is passed."""
        return (
            not self.variable_range.is_open
            and self.value_for(leading) > self.variable_range.values[-1]
        )


class SettingsLine(Struct, frozen=True):
    """The settings of a variable and of those that follow it, in rising order.

    With `base_value`, the leading variable's own value, each has a scale: its multiple of that.
    """

    leading_range: VariableRange
    followers: tuple[_ProportionalVariable, ...] = ()
    base_value: Fraction | None = None

    def __len__(self) -> int:
        return len(self.leading_range)

    def __getitem__(self, index: int) -> dict[str, int]:
        value = self.leading_range.values[index]
        return {self.leading_range.name: value} | {
            each.variable_range.name: each.value_for(value) for each in self.followers
        }

    @property
    def is_open(self) -> bool:
        """Whether nobody has said where it ends."""
        return self.leading_range.is_open and all(
            each.variable_range.is_open for each in self.followers
        )

    def scale_at(self, index: int) -> float | None:
        """How many times its own value the leading variable has."""
        return (
            float(self.leading_range.values[index] / self.base_value) if self.base_value else None
        )

    def truncate_to(self, size: int) -> SettingsLine:
        """The first settings of it."""
        return replace(
            self, leading_range=replace(self.leading_range, values=self.leading_range.values[:size])
        )


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
        return VariableRange(
            name, range(first, first + _OPEN_RANGE_SIZE * multiple, multiple), is_open=True
        )
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


def build_scaled_line(ranges: Sequence[VariableRange], own: Mapping[str, object]) -> SettingsLine:
    """The line along which all variables move by one factor from their own values.

    It has a setting for each value of the one with the finest steps; the others are rounded.

    Raises:
        DenseCalcError: the own value of one is no number above 0, or no factor suits them all.
    """
    bases = {each.name: _scaling_base(each.name, own[each.name]) for each in ranges}
    leader = min(ranges, key=lambda each: each.values.step / bases[each.name])
    followers = tuple(
        _ProportionalVariable(each, bases[each.name] / bases[leader.name])
        for each in ranges
        if each is not leader
    )
    size = bisect_left(
        leader.values, True, key=lambda value: any(each.is_past_end(value) for each in followers)
    )
    if not size:
        raise DenseCalcError("no factor keeps all variables within --min and --max; widen them")
    return SettingsLine(leader, followers, bases[leader.name]).truncate_to(size)


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
