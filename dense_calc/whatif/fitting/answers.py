"""Answer a query about the variants of a file: the largest values that fit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.budget import Check
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.settings.variants import NO_SETTINGS, ModelVariants, Settings, VariantRow
from dense_calc.spec_language.spec_numbers import is_number
from dense_calc.whatif.fitting.demands import FitConstraints, build_constraints
from dense_calc.whatif.fitting.ends import LineEnd
from dense_calc.whatif.fitting.grids import (
    MAX_POINTS,
    PointGrid,
    VariableRange,
    build_grid,
    build_scaled_line,
    build_variable_range,
)
from dense_calc.whatif.fitting.search import (
    GridOutcome,
    ProgressFactory,
    look_at_all,
    no_progress,
)
from dense_calc.whatif.pieces import ModelFormulas
from dense_calc.whatif.variables import file_values, non_integer_error

FitBounds = int | Mapping[str, int]
DefaultBound = TypeVar("DefaultBound", int, None)


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
    variants: ModelVariants,
    question: FitQuery,
    watch: ProgressFactory = no_progress,
    formulas_type: type[ModelFormulas] = ModelFormulas,
) -> FitResult:
    """The largest values with which the model of a file fits.

    Raises:
        DenseCalcError: a variable is unknown or has no values, nothing is limited, there are too
            many combinations, or no setting makes a model.
    """
    own = _own_values(variants, question)
    own_limits = () if question.limits else variants.limits
    constraints = build_constraints(question.limits, own_limits, variants.name)
    ranges = tuple(_variable_ranges(question))

    def find_end(grid: PointGrid, others: Settings = NO_SETTINGS) -> LineEnd:
        names = [each.name for each in grid.ranges]
        fixed = {**question.settings, **others}
        formulas = formulas_type(variants, names, fixed, with_verdicts=constraints.is_budget)
        return LineEnd(formulas, constraints, grid)

    if question.scale or len(ranges) == 1:
        line = build_scaled_line(ranges, own) if question.scale else PointGrid(ranges)
        grid, looked_at, is_sure = _close_line(find_end(line))
    else:
        looked_at = grid = _close_grid(ranges, own, find_end)
        is_sure = True
    outcome = look_at_all(find_end(grid).formulas, constraints, looked_at, watch)
    formulas = formulas_type(variants, [each.name for each in grid.ranges], question.settings)
    return _build_result(formulas, question, outcome, grid, is_sure=is_sure)


def _own_values(variants: ModelVariants, question: FitQuery) -> Settings:
    """The values that the file has for the variables.

    Raises:
        DenseCalcError: one cannot vary.
    """
    bounds = (question.multiple_of, question.min, question.max)
    named = [bound for bound in bounds if isinstance(bound, Mapping)]
    own = file_values(variants, question.vary, question.settings, named)
    for name, value in own.items():
        if value is not None and not is_number(value):
            raise non_integer_error(name, value)
    return own


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


def _close_line(end: LineEnd) -> tuple[PointGrid, PointGrid, bool]:
    """A line with its end, the part of it to look at, and whether that suffices.

    A line without an end gets one. One that is too long is looked at as if it had none.
    """
    line = end.line
    if all(each.is_open for each in line.ranges):
        line = line.cut_to(end.find_size()[0])
        return line, line, True
    if end.size <= MAX_POINTS:
        return line, line, True
    size, is_proven = end.find_size()
    return line, line.cut_to(min(size, MAX_POINTS)), is_proven and size <= MAX_POINTS


def _close_grid(
    ranges: Sequence[VariableRange],
    own: Settings,
    find_end: Callable[[PointGrid, Settings], LineEnd],
) -> PointGrid:
    """The grid of ranges; one without an end gets one while the others have the file's own values.

    The file's own value of a variable is not cut off.
    """
    closed = list(ranges)
    for axis, each in enumerate(ranges):
        if each.is_open:
            others = {
                other.name: min(max(own[other.name], other.values[0]), other.values[-1])
                for other in ranges
                if other is not each and own[other.name] is not None
            }
            size, _ = find_end(PointGrid((each,)), others).find_size()
            size = max(size, bisect_right(each.values, own[each.name] or 0))
            closed[axis] = replace(each, values=each.values[:size])
    return build_grid(closed)


def _row_at(
    formulas: ModelFormulas,
    question: FitQuery,
    constraints: FitConstraints,
    grid: PointGrid,
    place: int,
) -> VariantRow:
    """The row at a place of a grid, with its slack, and with its scale if the grid has one."""
    row = next(formulas.rows([grid.point_at(place)]))
    leading = row["set"][grid.ranges[0].name]
    row["set"] = {name: row["set"][name] for name in (*question.settings, *question.vary)}
    if "error" in row:
        return row
    scale = {"scale": float(leading / grid.bases[0])} if grid.bases else {}
    check = constraints.tightest_check(row)
    return {**row, **scale, "slack": check.slack if check else None}


def _build_result(
    formulas: ModelFormulas,
    question: FitQuery,
    outcome: GridOutcome,
    grid: PointGrid,
    *,
    is_sure: bool,
) -> FitResult:
    """The result for a grid of which these points were looked at.

    Raises:
        DenseCalcError: no point makes a model.
    """
    row_at = partial(_row_at, formulas, question, outcome.constraints, grid)
    if not outcome.valid_places:
        raise _no_model_error(row_at(0), question.vary, len(outcome.grid))
    return FitResult(
        name=formulas.variants.name,
        ranges=tuple(map(grid.told_range, question.vary)),
        constraints=outcome.constraints,
        is_scaled=question.scale,
        is_monotone=outcome.is_monotone,
        is_constant=outcome.is_constant,
        is_sure=is_sure,
        checked_count=len(outcome.grid),
        total_count=len(grid),
        **_answer_rows(outcome, row_at, question.vary),
    )


def _answer_rows(
    outcome: GridOutcome, row_at: Callable[[int], VariantRow], names: Sequence[str]
) -> dict[str, Any]:
    """The rows of a result: what fits, what is above on a line, or what is nearest."""
    valid, maximal = outcome.valid_places, outcome.maximal_places()
    rows = sorted(map(row_at, maximal), key=lambda row: [row["set"][name] for name in names])
    size = len(outcome.grid)
    above = maximal[0] + 1 if maximal and len(outcome.grid.axes) == 1 else size
    next_place = valid[bisect_left(valid, above)] if above <= valid[-1] else None
    return {
        "fitting_rows": tuple(rows),
        "next_row": None if next_place is None else row_at(next_place),
        "nearest_row": None if rows else row_at(min(valid, key=outcome.distance_to_fit)),
        "barrier_row": row_at(above) if next_place is None and above < size else None,
    }


def _no_model_error(row: VariantRow, names: Sequence[str], checked: int) -> DenseCalcError:
    """The error that no setting makes a model, with the reason of the first one."""
    settings = ", ".join(f"{name}={row['set'][name]}" for name in names)
    many = f"none of the {checked:,} values that were tried makes a model"
    return DenseCalcError(f"{many}; with {settings}: {row['error']}")
