"""The rows of a sweep as a grid, as lines of JSON or CSV, and as points of a picture."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import contains
from typing import Any

from dense_calc.errors import escape_unprintable
from dense_calc.limits import BYTE_UNIT
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.render import Style
from dense_calc.render.axes import SweepPoints, shown_value_text, spec_value_text
from dense_calc.render.csv import quote_commands
from dense_calc.render.difference_grid import change_text, optional_count_text
from dense_calc.render.grid import Column, Grid, row_cells, size_text
from dense_calc.render.json import JSON_ENCODER, escape_json
from dense_calc.whatif.sweeping import Sweep

_SweepRow = Mapping[str, Any]
_SweepRows = Iterable[_SweepRow]
_SettingChoices = Mapping[str, Sequence[Any]]  # the values of each setting

MAX_PICTURE_POINTS = 10_000  # nobody could tell more of them apart
_NUMERIC_TYPES = (int, float)
_MIN_PROSE_WIDTH = 16  # a narrower column is hard to read
_BUDGET_WORDS = {True: "yes", False: "no", None: "-"}
_CHANGE_COLUMN = Column(
    "Change", lambda row: _optional_text(change_text, row.get("change")), is_number=True
)
# Columns that are left out if no row has the key.
_OPTIONAL_COLUMNS = {
    "within_budget": Column(
        "In budget", lambda row: _BUDGET_WORDS[row.get("within_budget")], min_width=9
    ),
    "error": Column(
        "Error", lambda row: escape_unprintable(row.get("error", "")), min_width=_MIN_PROSE_WIDTH
    ),
}
_CSV_NUMBERS = (*(quantity.total for quantity in QUANTITIES.values()), "change")
_CSV_FIELDS = (*_CSV_NUMBERS, "within_budget", "error")


def _optional_text(format_value: Callable[[Any], str], value: Any) -> str:
    """The text of a value, '' for None."""
    return "" if value is None else format_value(value)


def _total_column(quantity: Quantity) -> Column:
    """The column of a quantity's total in a model."""
    text = partial(_optional_text, size_text) if quantity.unit is BYTE_UNIT else optional_count_text
    return Column(quantity.title, lambda row: text(row.get(quantity.total)), is_number=True)


TOTAL_COLUMNS = [_total_column(each) for each in QUANTITIES.values() if each.in_tables]


class _CellRows(Iterable[list[str]]):
    """The cells of rows, made anew each time they are read, as there may be a million rows."""

    def __init__(self, rows: Iterable[_SweepRow], columns: Sequence[Column], style: Style) -> None:
        self._rows = rows
        self._columns = columns
        self._style = style

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            yield row_cells(row, self._columns, self._style)


def combination_grid(sweep: Sweep, rows: Iterable[_SweepRow], style: Style) -> Grid:
    """The grid of a sweep with these of its rows."""
    keys: set[str] = set()
    count = 0
    for row in rows:
        keys.update(row)
        count += 1
    columns = _sweep_columns(sweep.choices, keys)
    models = sweep.variants
    totals = []
    if count < len(sweep):
        totals.append(("Shown: ", f"{count:,}", f" of {len(sweep):,} combinations"))
    if models.base_params is not None:
        totals.append(("Without changes: ", f"{models.base_params:,}", " params"))
    return Grid(escape_unprintable(models.name), columns, _CellRows(rows, columns, style), totals)


def _sweep_columns(choices: _SettingChoices, keys: Iterable[str]) -> list[Column]:
    """The columns of a sweep: its settings, the totals, and those of the optional `keys`."""
    return [
        *(setting_column(name, values) for name, values in choices.items()),
        *TOTAL_COLUMNS,
        _CHANGE_COLUMN,
        *(column for key, column in _OPTIONAL_COLUMNS.items() if key in keys),
    ]


def setting_column(name: str, values: Sequence[Any]) -> Column:
    """The column of a setting with these values."""
    is_number = isinstance(values, range) or all(type(value) in _NUMERIC_TYPES for value in values)
    return Column(
        escape_unprintable(name),
        lambda row: shown_value_text(row["set"][name]),
        is_number=is_number,
    )


def json_lines(parts: Iterable[_SweepRows], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line of JSON for each row, in a text for each part of the rows.

    The `names` of the settings are in it anyway.
    """
    for rows in parts:
        yield escape_json(JSON_ENCODER.encode_lines(rows).decode(), style)


def csv_lines(parts: Iterable[_SweepRows], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line of CSV for each row, under a header, in a text for each part of the rows."""
    yield _csv_text([(*map(escape_unprintable, names), *_CSV_FIELDS)])
    for rows in parts:
        yield _csv_text(map(_csv_values, rows))


def _csv_text(lines: Iterable[Sequence[Any]]) -> str:
    """Lines of CSV with these values."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return quote_commands(text.getvalue())


def _csv_values(row: _SweepRow) -> list[Any]:
    """The values of a line of CSV: numbers as plain digits, the others as in a spec."""
    return [
        *[value if type(value) is int else spec_value_text(value) for value in row["set"].values()],
        *map(row.get, _CSV_NUMBERS),
        _optional_text(spec_value_text, row.get("within_budget")),
        _optional_text(spec_value_text, row.get("error")),
    ]


def sweep_points(
    rows: Iterable[_SweepRow], names: Sequence[str], choices: _SettingChoices
) -> SweepPoints:
    """The points of a picture: the values of these settings, and the parameters, in each row.

    If there are too many rows, only those with evenly spread values of each setting.
    """
    count = sum("error" not in row for row in rows)
    points = (
        (tuple(row["set"][name] for name in names), row["total_params"])
        for row in rows
        if "error" not in row
    )
    if count <= MAX_PICTURE_POINTS:
        return list(points)
    samples = [
        set(map(spec_value_text, _sample_values(choices[name], len(names)))) for name in names
    ]
    return [
        (values, params)
        for values, params in points
        if all(map(contains, samples, map(spec_value_text, values)))
    ]


def _sample_values(values: Sequence[Any], setting_count: int) -> list[Any]:
    """Evenly spread values of a setting, with the first and the last, for a picture of so many."""
    limit = max(2, math.floor(MAX_PICTURE_POINTS ** (1 / setting_count)))
    if len(values) <= limit:
        return list(values)
    return [values[index * (len(values) - 1) // (limit - 1)] for index in range(limit)]
