"""Answer a query about the variants of a file: the largest values that fit."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from dense_calc.analysis.budget import Check
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.result import JsonResult
from dense_calc.settings.values import SettingValues
from dense_calc.settings.variants import ModelVariants, Settings, VariantRow
from dense_calc.spec_language.spec_numbers import is_number
from dense_calc.whatif.fitting.constraints import FitConstraints, build_constraints
from dense_calc.whatif.fitting.ends import EndFinder
from dense_calc.whatif.fitting.grids import (
    PointGrid,
    VariableRange,
    build_listed_range,
    build_scaled_line,
    build_variable_range,
)
from dense_calc.whatif.fitting.search import GridCounts
from dense_calc.whatif.pieces import ModelFormulas
from dense_calc.whatif.stages import StageWatcher, watch_nothing
from dense_calc.whatif.variables import file_values, non_integer_error


class FitQuery(Struct, frozen=True):
    """The variables to raise, the values that they may take, and the limits to fit.

    Those are multiples of a number, 1 by default, from a least one, by default 1, to the most; of
    some variables the `values` are listed. Without limits, the model must fit the budget of the
    file. `settings` hold for all values.
    """

    vary: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    values: Mapping[str, SettingValues] = {}
    multiple_of: Mapping[str, int] = {}
    min: Mapping[str, int] = {}
    max: Mapping[str, int] = {}
    scale: bool = False
    settings: Mapping[str, Any] = {}


class FitResult(JsonResult, Struct, frozen=True):
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

    def __repr__(self) -> str:
        return f"<FitResult {self.name!r}: {[row['set'] for row in self]}>"

    def __len__(self) -> int:
        return len(self.fitting_rows)

    def __iter__(self) -> Iterator[VariantRow]:
        return iter(self.fitting_rows)

    def __getitem__(self, place: int) -> VariantRow:
        return self.fitting_rows[place]

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
    query: FitQuery,
    watch: StageWatcher = watch_nothing,
    formulas_type: type[ModelFormulas] = ModelFormulas,
) -> FitResult:
    """The largest values with which the model of a file fits.

    Raises:
        DenseCalcError: a variable is unknown or has no values, nothing is limited, there are too
            many combinations, or no setting makes a model.
    """
    own = _own_values(variants, query)
    own_limits = () if query.limits else variants.limits
    constraints = build_constraints(query.limits, own_limits, variants.name)
    formulas = formulas_type(variants, query.vary, query.settings)
    ends = EndFinder(formulas, constraints, own, watch(None, "values tried for an end"))
    grid = ends.close_grid(_build_grid(query, own))
    looked_at, is_sure = ends.find_part_to_look_at(grid)
    counts = GridCounts(formulas, constraints, looked_at, watch)
    row_at = partial(_row_at, formulas, constraints, grid)
    if not counts.valid_places:
        row = row_at(0)
        settings = ", ".join(f"{name}={row['set'][name]}" for name in query.vary)
        many = f"none of the {looked_at.size:,} values that were tried makes a model"
        raise DenseCalcError(f"{many}; with {settings}: {row['error']}")
    return FitResult(
        name=variants.name,
        ranges=tuple(grid.told_ranges()),
        constraints=constraints,
        is_scaled=query.scale,
        is_monotone=counts.is_monotone,
        is_constant=counts.is_constant,
        is_sure=is_sure,
        checked_count=looked_at.size,
        total_count=grid.size,
        **_answer_rows(counts, row_at),
    )


def _own_values(variants: ModelVariants, query: FitQuery) -> Settings:
    """The values that the file has for the variables, None where that is none to start from.

    Raises:
        DenseCalcError: one cannot vary, or has listed values and a bound.
    """
    bounds = (query.multiple_of, query.min, query.max)
    own = file_values(variants, query.vary, query.settings, bounds)
    for name, value in own.items():
        if name in query.values:
            if query.scale or any(name in bound for bound in bounds):
                what = "--scale" if query.scale else "its bound"
                raise DenseCalcError(f"'{name}' has a list of values; leave out that, or {what}")
            own[name] = value if is_number(value) else None
        elif value is not None and not is_number(value):
            raise non_integer_error(name, value)
    return own


def _build_grid(query: FitQuery, own: Settings) -> PointGrid:
    """The points that a query asks for, without ends where it says none.

    Raises:
        DenseCalcError: a variable has no values, or cannot be scaled.
    """
    ranges = tuple(
        build_listed_range(name, query.values[name])
        if name in query.values
        else build_variable_range(
            name, query.multiple_of.get(name, 1), query.min.get(name, 1), query.max.get(name)
        )
        for name in query.vary
    )
    return build_scaled_line(ranges, own) if query.scale else PointGrid(ranges)


def _row_at(
    formulas: ModelFormulas, constraints: FitConstraints, grid: PointGrid, place: int
) -> VariantRow:
    """The row at a place of a grid, with its slack, and with its scale if the grid has one."""
    point = grid.point_at(place)
    row = next(formulas.rows([point]))
    if "error" in row:
        return row
    scale = {"scale": float(point[grid.leader] / grid.bases[grid.leader])} if grid.bases else {}
    check = constraints.tightest_check(row)
    return {**row, **scale, "slack": check.slack if check else None}


def _answer_rows(counts: GridCounts, row_at: Callable[[int], VariantRow]) -> dict[str, Any]:
    """The rows of a result: what fits, what is above on a line, or what is nearest."""
    valid, size = counts.valid_places, counts.grid.size
    maximal = sorted(counts.maximal_places())
    above = maximal[0] + 1 if maximal and len(counts.grid.axes) == 1 else size
    next_place = valid[bisect_left(valid, above)] if above <= valid[-1] else None
    return {
        "fitting_rows": tuple(map(row_at, maximal)),
        "next_row": None if next_place is None else row_at(next_place),
        "nearest_row": None if maximal else row_at(min(valid, key=counts.distance_to_fit)),
        "barrier_row": row_at(above) if next_place is None and above < size else None,
    }
