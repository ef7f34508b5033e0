"""The values that variables may take, and lines along which one rises, or several together."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import DenseCalcError

OPEN_END = 2**20  # values of a variable that has no largest one


class Range(Struct, frozen=True):
    """The values of a variable, in steps; `is_open` where nobody has said which is the largest."""

    name: str
    steps: range
    is_open: bool = False

    def __len__(self) -> int:
        return len(self.steps)


class Follower(Struct, frozen=True):
    """A variable that moves with another: its values are in proportion to the other's."""

    range: Range
    ratio: Fraction

    def value(self, leading: int) -> int:
        """The nearest of its steps, halves upwards; never below its least value."""
        step = self.range.steps.step
        nearest = math.floor(self.ratio * leading / step + Fraction(1, 2)) * step
        return max(nearest, self.range.steps[0])

    def is_beyond(self, leading: int) -> bool:
        """Whether its largest value is passed."""
        return not self.range.is_open and self.value(leading) > self.range.steps[-1]


class Line(Struct, frozen=True):
    """Settings, each larger than the one before: of a variable, and of those that follow it.

    With a `base`, the leading variable's own value, each has a scale: how often it holds that.
    """

    leader: Range
    followers: tuple[Follower, ...] = ()
    base: Fraction | None = None

    def __len__(self) -> int:
        return len(self.leader)

    def __getitem__(self, index: int) -> dict[str, int]:
        value = self.leader.steps[index]
        return {self.leader.name: value} | {
            each.range.name: each.value(value) for each in self.followers
        }

    @property
    def is_open(self) -> bool:
        """Whether nobody has said where it ends."""
        return self.leader.is_open and all(each.range.is_open for each in self.followers)

    def scale(self, index: int) -> float | None:
        """How many times its own value the leading variable has."""
        return float(self.leader.steps[index] / self.base) if self.base else None

    def up_to(self, size: int) -> Line:
        """The first settings of it."""
        return replace(self, leader=replace(self.leader, steps=self.leader.steps[:size]))


def range_of(name: str, multiple: int, least: int, most: int | None) -> Range:
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
        return Range(name, range(first, first + OPEN_END * multiple, multiple), is_open=True)
    if most < least:
        raise DenseCalcError(
            f"'{name}' has no value: its min, {least:,}, is above its max, {most:,}"
        )
    steps = range(first, most + 1, multiple)
    if not steps:
        raise DenseCalcError(
            f"'{name}' has no value: no multiple of {multiple:,} is from {least:,} to {most:,}"
        )
    return Range(name, steps)


def together(ranges: Sequence[Range], own: Mapping[str, object]) -> Line:
    """The line along which all variables move by one factor from their own values.

    It has a setting for each value of the one with the finest steps; the others are rounded.

    Raises:
        DenseCalcError: the own value of one is no number above 0, or no factor suits them all.
    """
    bases = {each.name: base_of(each.name, own[each.name]) for each in ranges}
    leader = min(ranges, key=lambda each: each.steps.step / bases[each.name])
    followers = tuple(
        Follower(each, bases[each.name] / bases[leader.name])
        for each in ranges
        if each is not leader
    )
    size = bisect_left(
        leader.steps, True, key=lambda value: any(each.is_beyond(value) for each in followers)
    )
    if not size:
        raise DenseCalcError("no factor keeps all variables within --min and --max; widen them")
    return Line(leader, followers, bases[leader.name]).up_to(size)


def base_of(name: str, value: object) -> Fraction:
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
