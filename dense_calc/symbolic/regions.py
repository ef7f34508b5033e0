"""Regions of several variables, split until one formula holds on all of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from dense_calc.symbolic.condition_log import Condition, ConditionLog
from dense_calc.symbolic.region_view import Region, RegionView, UndecidedError, replace_range

_MAX_REGIONS = 1000


class Formula(Protocol):
    """Something that is known wherever the conditions of a log hold."""

    @property
    def log(self) -> ConditionLog: ...
    @property
    def conditions(self) -> Sequence[Condition]: ...


AnyFormula = TypeVar("AnyFormula", bound=Formula)
Reading = TypeVar("Reading")


class TooManyRegionsError(Exception):
    """A region has more parts than are looked at."""


def nearest_point(region: Region, own: Sequence[int]) -> tuple[int, ...]:
    """The point of a region nearest to `own`, axis by axis."""
    return tuple(
        values[max(0, min((at - values.start) // values.step, len(values) - 1))]
        for values, at in zip(region, own, strict=True)
    )


def split_into_regions(
    formula_at: Callable[[tuple[int, ...]], AnyFormula],
    whole: Region,
    own: Sequence[int],
    read: Callable[[AnyFormula, RegionView], Reading],
) -> Iterator[tuple[Region, Reading]]:
    """The parts of a region on each of which one formula holds, and what is read from it there.

    The part of `own`, or nearest to it, is the first. `formula_at` gives the formula of a point;
    `read` may ask for smaller parts.

    Raises:
        TooManyRegionsError: there are too many parts.
    """
    pending = [whole]
    found = 0
    while pending:
        region = pending.pop()
        point = nearest_point(region, own)
        formula = formula_at(point)
        others: list[Region] = []
        while True:
            view = RegionView(formula.log, region, point, whole)
            try:
                for condition in formula.conditions:
                    view.demand_condition(condition)
                reading = read(formula, view)
                break
            except UndecidedError as request:
                parts = [replace_range(region, request.axis, part) for part in request.parts]
                (region,) = (part for part in parts if has_point(part, point))
                others += [part for part in parts if part is not region]
        yield region, reading
        pending += others
        found += 1 + len(others)
        if found > _MAX_REGIONS:
            raise TooManyRegionsError


def has_point(region: Region, point: Sequence[int]) -> bool:
    """Whether a point is in a region."""
    return all(at in values for at, values in zip(point, region, strict=True))
