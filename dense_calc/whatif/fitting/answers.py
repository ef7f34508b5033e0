"""Answer a query about the variants of a file: the largest values that fit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.budget import Check
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.settings.variants import Settings, VariantRow
from dense_calc.spec_language.spec_numbers import is_number
from dense_calc.whatif.fitting.demands import (
    FitConstraints,
    ProgressFactory,
    RowEvaluator,
    build_constraints,
    is_valid_row,
    no_progress,
)
from dense_calc.whatif.fitting.frontier import CombinationSearch, search_frontier
from dense_calc.whatif.fitting.lines import (
    SettingsLine,
    VariableRange,
    build_scaled_line,
    build_variable_range,
)
from dense_calc.whatif.fitting.search import IndexedRow, LineSearch, search_largest_fit
from dense_calc.whatif.variables import file_values, non_integer_error

FitBounds = int | Mapping[str, int]
DefaultBound = TypeVar("DefaultBound", int, None)


class _VariantsProtocol(Protocol):
    """A file that was read once, and the totals of its model under settings."""

    @property
    def name(self) -> str: ...
    @property
    def limits(self) -> tuple[Limit, ...]: ...
    def row_with(self, settings: Mapping[str, Any], /) -> VariantRow: ...
    def setting_value(self, name: str, /) -> Any: ...


class FitQuery(Struct, frozen=True):
    """The variables to raise, the values that they may take, and the limits to fit.

    A bound is one number for all variables, or a mapping of variables to numbers. Without limits,
    the model must fit the budget of the file. `settings` hold for all values of the variables.
    """

    vary: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    multiple_of: FitBounds = 1
    min: FitBounds = 1
    max: FitBounds | None = None
    scale: bool = False
    settings: Mapping[str, Any] = {}


class FitResult(Struct, frozen=True):
    """The row that fits, or the frontier of several variables; else the `nearest_row`.

    Each row has its slack: what is left to the tightest limit, in the unit of that. `next_row` is
    the row above that does not fit, None where the range ends or where the error of `barrier_row`
    says why there is no model above. `is_sure` is false where a row that was not evaluated could
    hold a larger one that fits.
    """

    name: str
    ranges: tuple[VariableRange, ...]
    constraints: FitConstraints
    is_scaled: bool
    fitting_rows: tuple[VariantRow, ...]
    next_row: VariantRow | None
    nearest_row: VariantRow | None
    barrier_row: VariantRow | None
    is_monotone: bool
    is_constant: bool
    is_sure: bool
    checked_count: int
    total_count: int

    @property
    def is_frontier(self) -> bool:
        """Whether several variables are raised apart."""
        return len(self.ranges) > 1 and not self.is_scaled

    @property
    def main_row(self) -> VariantRow:
        """The first row that fits, or the nearest."""
        row = self.fitting_rows[0] if self.fitting_rows else self.nearest_row
        assert row
        return row

    @property
    def checks(self) -> list[Check]:
        """The checks of the main row."""
        return self.constraints.check_row(self.main_row)


def answer_fit_query(
    variants: _VariantsProtocol, question: FitQuery, watch: ProgressFactory = no_progress
) -> FitResult:
    """The largest values with which the model of a file fits.

    Raises:
        DenseCalcError: a variable is unknown or has no values, nothing is limited, there are too
            many combinations, or no setting makes a model.
    """
    bounds = (question.multiple_of, question.min, question.max)
    named = [bound for bound in bounds if isinstance(bound, Mapping)]
    own = file_values(variants, question.vary, question.settings, named)
    for name, value in own.items():
        if value is not None and not is_number(value):
            raise non_integer_error(name, value)
    budget = () if question.limits else variants.limits
    demand = build_constraints(question.limits, budget, variants.name)
    ranges = tuple(_variable_ranges(question))

    def measure(settings: Settings) -> VariantRow:
        return evaluate({**question.settings, **settings})

    if question.scale or len(ranges) == 1:
        line = build_scaled_line(ranges, own) if question.scale else SettingsLine(ranges[0])
        search = LineSearch(line, measure, demand, watch)
        return _fit_along_line(search, ranges, variants.name)
    closed = _close_ranges(ranges, own, measure, demand)
    combinations = CombinationSearch(closed, measure, demand, watch)
    return _fit_combinations(combinations, closed, variants.name)


def _variable_ranges(question: FitQuery) -> Iterator[VariableRange]:
    """The values of each variable.

    Raises:
        DenseCalcError: there are none.
    """
    for name in question.vary:
        multiple = _variable_bound(question.multiple_of, name, 1)
        least = _variable_bound(question.min, name, 1)
        yield build_variable_range(name, multiple, least, _variable_bound(question.max, name, None))


def _variable_bound(
    bound: FitBounds | None, name: str, default: DefaultBound
) -> int | DefaultBound:
    """The bound of one variable."""
    if isinstance(bound, Mapping):
        return bound.get(name, default)
    return default if bound is None else bound


def _fit_along_line(search: LineSearch, ranges: tuple[VariableRange, ...], name: str) -> FitResult:
    """The result along a line, which ends where all is too large if no end was given.

    Raises:
        DenseCalcError: no setting makes a model.
    """
    if search.line.is_open:
        search.truncate_line(search.size_until_too_large())
    found = search_largest_fit(search)
    if not (found.largest_fit or found.nearest_miss):
        invalid = found.first_invalid and found.first_invalid[1]
        raise _no_model_error(invalid, ranges, found.checked_count)

    def with_slack(hit: IndexedRow | None) -> VariantRow | None:
        return hit and _row_with_slack(hit[1], search.demand, search.line.scale_at(hit[0]))

    fits = with_slack(found.largest_fit)
    return FitResult(
        name=name,
        ranges=tuple(_truncate_range(each, search.line) for each in ranges),
        constraints=search.demand,
        is_scaled=search.line.base_value is not None,
        fitting_rows=(fits,) if fits else (),
        next_row=with_slack(found.next_above) if fits else None,
        nearest_row=None if fits else with_slack(found.nearest_miss),
        barrier_row=search.barrier_row(found),
        is_monotone=found.is_monotone,
        is_constant=found.is_constant,
        is_sure=found.is_sure and search.is_end_sure,
        checked_count=found.checked_count,
        total_count=len(search.line),
    )


def _truncate_range(own: VariableRange, line: SettingsLine) -> VariableRange:
    """The range of a variable, cut to the values on a line."""
    first, last = line[0][own.name], line[len(line) - 1][own.name]
    return replace(own, values=range(first, last + 1, own.values.step))


def _fit_combinations(
    among: CombinationSearch, ranges: tuple[VariableRange, ...], name: str
) -> FitResult:
    """The result for variables that are raised apart, the rows in the order of the first one.

    Raises:
        DenseCalcError: no combination makes a model, or there are too many.
    """
    found = search_frontier(among)
    names = [each.name for each in ranges]
    rows = sorted(found.maximal_rows(), key=lambda row: [row["set"][name] for name in names])
    if not (rows or found.nearest_miss):
        raise _no_model_error(found.first_invalid, ranges, found.checked_count)
    miss = None if rows else found.nearest_miss
    nearest = _row_with_slack(miss, among.demand) if miss else None
    return FitResult(
        name=name,
        ranges=ranges,
        constraints=among.demand,
        is_scaled=False,
        fitting_rows=tuple(_row_with_slack(row, among.demand) for row in rows),
        next_row=None,
        nearest_row=nearest,
        barrier_row=None,
        is_monotone=found.is_monotone,
        is_constant=found.is_constant,
        is_sure=found.is_sure,
        checked_count=found.checked_count,
        total_count=math.prod(map(len, ranges)),
    )


def _close_ranges(
    ranges: Sequence[VariableRange], own: Settings, measure: RowEvaluator, demand: FitConstraints
) -> tuple[VariableRange, ...]:
    """The ranges; an open one ends where all is too large while the others are at their least.

    Raises:
        DenseCalcError: no combination is known that makes a model.
    """
    if not any(each.is_open for each in ranges):
        return tuple(ranges)
    least = _least_valid_values(ranges, own, measure, demand)
    closed = []
    for each in ranges:
        search = _variable_search(least, each, measure, demand)
        steps = each.values[: search.size_until_too_large()] if each.is_open else each.values
        closed.append(replace(each, values=steps))
    return tuple(closed)


def _least_valid_values(
    ranges: Sequence[VariableRange], own: Settings, measure: RowEvaluator, demand: FitConstraints
) -> dict[str, Any]:
    """The least values with a model, or values with a model found one by one from the file's own.

    Raises:
        DenseCalcError: none do.
    """
    least = {each.name: each.values[0] for each in ranges}
    row = measure(least)
    if is_valid_row(row):
        return least
    least = dict(own)
    for each in ranges:
        hit = _variable_search(least, each, measure, demand).first_valid_from(0, len(each))
        if hit is None:
            missing = f"no value of '{each.name}' was found that makes a model"
            raise DenseCalcError(f"{missing}: {row['error']}; say --min and --max of each variable")
        least[each.name] = each.values[hit[0]]
    return least


def _variable_search(
    others: Settings, each: VariableRange, measure: RowEvaluator, demand: FitConstraints
) -> LineSearch:
    """A search along one variable while the others stay."""
    return LineSearch(
        SettingsLine(each), lambda values: measure({**others, **values}), demand, no_progress
    )


def _row_with_slack(
    row: VariantRow, demand: FitConstraints, scale: float | None = None
) -> VariantRow:
    """A row with its slack, and with its scale if the variables have one."""
    check = demand.tightest_check(row)
    scaled = {} if scale is None else {"scale": scale}
    return {**row, **scaled, "slack": check.slack if check else None}


def _no_model_error(
    row: VariantRow | None, ranges: Sequence[VariableRange], checked: int
) -> DenseCalcError:
    """The error that no setting makes a model, with the reason of the first one."""
    assert row
    settings = ", ".join(f"{each.name}={row['set'][each.name]}" for each in ranges)
    many = f"none of the {checked:,} values that were tried makes a model"
    return DenseCalcError(f"{many}; with {settings}: {row['error']}")
