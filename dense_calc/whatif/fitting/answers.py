"""A question of a file's variants → its answer: what fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.budget import Check
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.settings.variants import Row, Settings
from dense_calc.spec_language.scope import is_number
from dense_calc.whatif.fitting.demands import (
    Demand,
    Measure,
    Watch,
    demand_of,
    is_valid,
    unwatched,
)
from dense_calc.whatif.fitting.frontier import Combinations, frontier
from dense_calc.whatif.fitting.lines import Line, Range, range_of, together
from dense_calc.whatif.fitting.search import Hit, Search, largest
from dense_calc.whatif.variables import no_number, own_values

Bounds = int | Mapping[str, int]
Default = TypeVar("Default", int, None)


class Variants(Protocol):
    """A file that was read once: what its model comes to under settings."""

    @property
    def name(self) -> str: ...
    @property
    def limits(self) -> tuple[Limit, ...]: ...
    def row(self, settings: Mapping[str, Any], /) -> Row: ...
    def value(self, name: str, /) -> Any: ...


class Question(Struct, frozen=True):
    """What is asked: which variables to raise, by which values, and what to fit.

    A bound is one number for all variables, or a number for each that has one. Without limits, the
    budget of the file is what to fit. `settings` stay as they are.
    """

    vary: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    multiple_of: Bounds = 1
    min: Bounds = 1
    max: Bounds | None = None
    scale: bool = False
    settings: Mapping[str, Any] = {}


class Answer(Struct, frozen=True):
    """What fits: a row, or the frontier of several variables; else the row `nearest` to it.

    A row has its slack beside it: what is left to the tightest limit, in its unit. `next` is the
    row above that does not fit, None where the range ends or where `barrier`, a row with an error,
    tells why no model is above. Of the settings `of`, `checked` were looked at; `is_sure` is false
    where others could hold a larger one that fits.
    """

    name: str
    ranges: tuple[Range, ...]
    demand: Demand
    is_scaled: bool
    fits: tuple[Row, ...]
    next: Row | None
    nearest: Row | None
    barrier: Row | None
    is_monotone: bool
    is_constant: bool
    is_sure: bool
    checked: int
    of: int

    @property
    def is_frontier(self) -> bool:
        """Whether several variables are raised apart."""
        return len(self.ranges) > 1 and not self.is_scaled

    @property
    def told(self) -> Row:
        """The row to speak of: the one that fits, or the nearest."""
        row = self.fits[0] if self.fits else self.nearest
        assert row
        return row

    @property
    def checks(self) -> list[Check]:
        """The limits held against that row."""
        return self.demand.checks(self.told)


def answer(variants: Variants, question: Question, watch: Watch = unwatched) -> Answer:
    """What fits of a file's variants.

    Raises:
        DenseCalcError: a variable is unknown or has no values, nothing is limited, there are too
            many combinations, or no setting makes a model.
    """
    bounds = (question.multiple_of, question.min, question.max)
    named = [bound for bound in bounds if isinstance(bound, Mapping)]
    own = own_values(variants, question.vary, question.settings, named)
    for name, value in own.items():
        if value is not None and not is_number(value):
            raise no_number(name, value)
    budget = () if question.limits else variants.limits
    demand = demand_of(question.limits, budget, variants.name)
    ranges = tuple(ranges_of(question))

    def measure(settings: Settings) -> Row:
        return variants.row({**question.settings, **settings})

    if question.scale or len(ranges) == 1:
        line = together(ranges, own) if question.scale else Line(ranges[0])
        search = Search(line, measure, demand, watch)
        return answer_along(search, ranges, variants.name)
    closed = closed_ranges(ranges, own, measure, demand)
    return answer_of_several(Combinations(closed, measure, demand, watch), closed, variants.name)


def ranges_of(question: Question) -> Iterator[Range]:
    """The values of each variable.

    Raises:
        DenseCalcError: there are none.
    """
    for name in question.vary:
        multiple = bound_of(question.multiple_of, name, 1)
        yield range_of(
            name, multiple, bound_of(question.min, name, 1), bound_of(question.max, name, None)
        )


def bound_of(bound: Bounds | None, name: str, default: Default) -> int | Default:
    """The bound that a variable has."""
    if isinstance(bound, Mapping):
        return bound.get(name, default)
    return default if bound is None else bound


def answer_along(search: Search, ranges: tuple[Range, ...], name: str) -> Answer:
    """The answer along a line, up to where all is too large if nobody has set its end.

    Raises:
        DenseCalcError: no setting makes a model.
    """
    if search.line.is_open:
        search.end_at(search.size())
    found = largest(search)
    if not (found.fits or found.nearest):
        raise no_model(found.flaw and found.flaw[1], ranges, found.checked)

    def dressed(hit: Hit | None) -> Row | None:
        return hit and with_slack(hit[1], search.demand, search.line.scale(hit[0]))

    fits = dressed(found.fits)
    return Answer(
        name=name,
        ranges=tuple(cut_at(each, search.line) for each in ranges),
        demand=search.demand,
        is_scaled=search.line.base is not None,
        fits=(fits,) if fits else (),
        next=dressed(found.next) if fits else None,
        nearest=None if fits else dressed(found.nearest),
        barrier=search.barrier(found),
        is_monotone=found.is_monotone,
        is_constant=found.is_constant,
        is_sure=found.is_sure and search.is_end_sure,
        checked=found.checked,
        of=len(search.line),
    )


def cut_at(own: Range, line: Line) -> Range:
    """The values of a variable that a line goes through."""
    first, last = line[0][own.name], line[len(line) - 1][own.name]
    return replace(own, steps=range(first, last + 1, own.steps.step))


def answer_of_several(among: Combinations, ranges: tuple[Range, ...], name: str) -> Answer:
    """The answer for variables that are raised apart, the rows in the order of the first one.

    Raises:
        DenseCalcError: no combination makes a model, or there are too many.
    """
    found = frontier(among)
    names = [each.name for each in ranges]
    rows = sorted(found.maximal(), key=lambda row: [row["set"][name] for name in names])
    if not (rows or found.nearest):
        raise no_model(found.flaw, ranges, found.checked)
    return Answer(
        name=name,
        ranges=ranges,
        demand=among.demand,
        is_scaled=False,
        fits=tuple(with_slack(row, among.demand) for row in rows),
        next=None,
        nearest=None if rows or not found.nearest else with_slack(found.nearest, among.demand),
        barrier=None,
        is_monotone=found.is_monotone,
        is_constant=found.is_constant,
        is_sure=found.is_sure,
        checked=found.checked,
        of=math.prod(map(len, ranges)),
    )


def closed_ranges(
    ranges: Sequence[Range], own: Settings, measure: Measure, demand: Demand
) -> tuple[Range, ...]:
    """The ranges, an open one up to where all is too large while the others are at their least.

    Raises:
        DenseCalcError: no combination is known that makes a model.
    """
    if not any(each.is_open for each in ranges):
        return tuple(ranges)
    least = least_model(ranges, own, measure, demand)
    closed = []
    for each in ranges:
        search = search_with(least, each, measure, demand)
        steps = each.steps[: search.size()] if each.is_open else each.steps
        closed.append(replace(each, steps=steps))
    return tuple(closed)


def least_model(
    ranges: Sequence[Range], own: Settings, measure: Measure, demand: Demand
) -> dict[str, Any]:
    """The least values that make a model, or those that do so one by one from the file's own.

    Raises:
        DenseCalcError: none do.
    """
    least = {each.name: each.steps[0] for each in ranges}
    row = measure(least)
    if is_valid(row):
        return least
    least = dict(own)
    for each in ranges:
        hit = search_with(least, each, measure, demand).valid_from(0, len(each))
        if hit is None:
            told = f"no value of '{each.name}' was found that makes a model"
            raise DenseCalcError(f"{told}: {row['error']}; say --min and --max of each variable")
        least[each.name] = each.steps[hit[0]]
    return least


def search_with(others: Settings, each: Range, measure: Measure, demand: Demand) -> Search:
    """A search along one variable while the others stay."""
    return Search(Line(each), lambda values: measure({**others, **values}), demand, unwatched)


def with_slack(row: Row, demand: Demand, scale: float | None = None) -> Row:
    """A row with what is left to the tightest limit, and with its scale if it has one."""
    check = demand.tightest(row)
    scaled = {} if scale is None else {"scale": scale}
    return {**row, **scaled, "slack": check.slack if check else None}


def no_model(row: Row | None, ranges: Sequence[Range], checked: int) -> DenseCalcError:
    """The complaint that no setting makes a model, with the reason that the first one has."""
    assert row
    told = ", ".join(f"{each.name}={row['set'][each.name]}" for each in ranges)
    many = f"none of the {checked:,} values that were tried makes a model"
    return DenseCalcError(f"{many}; with {told}: {row['error']}")
