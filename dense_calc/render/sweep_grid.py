"""The rows of a sweep as a grid, as lines of JSON or as comma-separated values, and as points."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dense_calc.errors import escape_unprintable
from dense_calc.limits import BYTE_UNIT
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.render import Style
from dense_calc.render.axes import SweepPoints, spec_value_text
from dense_calc.render.csv import quote_commands
from dense_calc.render.difference_grid import change_text, optional_count_text
from dense_calc.render.grid import Column, Grid, row_cells, size_text
from dense_calc.render.json import JSON_ENCODER, escape_json
from dense_calc.whatif.sweeping import Sweep

_SweepRow = Mapping[str, Any]
_SettingChoices = Mapping[str, Sequence[Any]]  # the values of each setting

MAX_PICTURE_POINTS = 10_000  # of a picture, which shows fewer anyway
_NUMERIC_TYPES = (int, float)
_MIN_PROSE_WIDTH = 16  # columns in which sentences can be read
_BUDGET_WORDS = {True: "yes", False: "no", None: "-"}
_CHANGE_COLUMN = Column(
    "Change", lambda row: _optional_text(change_text, row.get("change")), is_number=True
)
# Columns that are there where any row has the key.
_OPTIONAL_COLUMNS = {
    "within_budget": Column(
        "In budget", lambda row: _BUDGET_WORDS[row.get("within_budget")], min_width=9
    ),
    "error": Column(
        "Error", lambda row: escape_unprintable(row.get("error", "")), min_width=_MIN_PROSE_WIDTH
    ),
}
_CSV_FIELDS = (
    *(quantity.total for quantity in QUANTITIES.values()),
    "change",
    "within_budget",
    "error",
)


def _optional_text(text: Any, value: Any) -> str:
    """The text of a value, '' of none."""
    return "" if value is None else str(text(value))


def _total_column(quantity: Quantity) -> Column:
    """The column of what whole models have of a quantity."""
    text = partial(_optional_text, size_text) if quantity.unit is BYTE_UNIT else optional_count_text
    return Column(quantity.title, lambda row: text(row.get(quantity.total)), is_number=True)


TOTAL_COLUMNS = [_total_column(each) for each in QUANTITIES.values() if each.in_tables]


class _CellRows(Iterable[list[str]]):
    """The cells of rows, made each time that they are read: there may be a million."""

    def __init__(self, rows: Iterable[_SweepRow], columns: Sequence[Column], style: Style) -> None:
        self.rows = rows
        self.columns = columns
        self.style = style

    def __iter__(self) -> Iterator[list[str]]:
        for row in self.rows:
            yield row_cells(row, self.columns, self.style)


def combination_grid(whole: Sweep, rows: Iterable[_SweepRow], style: Style) -> Grid:
    """Rows of a sweep, perhaps not all."""
    keys: set[str] = set()
    count = 0
    for row in rows:
        keys.update(row)
        count += 1
    columns = _sweep_columns(whole.choices, keys)
    totals = []
    if count < len(whole):
        totals.append(("Shown: ", f"{count:,}", f" of {len(whole):,} combinations"))
    if whole.variants.base_params is not None:
        totals.append(("As the file stands: ", f"{whole.variants.base_params:,}", " params"))
    return Grid(
        escape_unprintable(whole.variants.name), columns, _CellRows(rows, columns, style), totals
    )


def _sweep_columns(choices: _SettingChoices, keys: Iterable[str]) -> list[Column]:
    """The columns of rows with these settings and, among others, these keys."""
    settings = [setting_column(name, values) for name, values in choices.items()]
    return [
        *settings,
        *TOTAL_COLUMNS,
        _CHANGE_COLUMN,
        *(_OPTIONAL_COLUMNS[key] for key in _OPTIONAL_COLUMNS if key in keys),
    ]


def setting_column(name: str, values: Sequence[Any]) -> Column:
    """The column of a setting that takes these values."""
    is_number = isinstance(values, range) or all(type(value) in _NUMERIC_TYPES for value in values)
    return Column(
        escape_unprintable(name), lambda row: spec_value_text(row["set"][name]), is_number=is_number
    )


def json_lines(rows: Iterable[_SweepRow], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line of JSON for each row."""
    for row in rows:
        yield escape_json(f"{JSON_ENCODER.encode(row).decode()}\n", style)


def csv_lines(rows: Iterable[_SweepRow], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line for each row, under a header; numbers are plain digits."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow((*map(escape_unprintable, names), *_CSV_FIELDS))
    for row in rows:
        yield quote_commands(line.getvalue())
        line.seek(0)
        line.truncate()
        values = (spec_value_text(row["set"][name]) for name in names)
        writer.writerow((*values, *(_csv_value(row.get(field)) for field in _CSV_FIELDS)))
    yield quote_commands(line.getvalue())


def _csv_value(value: Any) -> Any:
    """A value in a field: as in JSON, nothing for none."""
    return spec_value_text(value) if isinstance(value, str | bool) else value


def sweep_points(
    rows: Iterable[_SweepRow], names: Sequence[str], choices: _SettingChoices
) -> SweepPoints:
    """What a picture shows of rows: values of these settings, and parameters.

    Of too many rows, those that have some values of each setting, evenly spread.
    """
    count = sum("error" not in row for row in rows)
    few = None
    if count > MAX_PICTURE_POINTS:
        few = [
            set(map(spec_value_text, _sample_values(choices[name], len(names)))) for name in names
        ]
    return [
        (values, row["total_params"])
        for row in rows
        if "error" not in row
        for values in [tuple(row["set"][name] for name in names)]
        if few is None
        or all(spec_value_text(at) in some for at, some in zip(values, few, strict=True))
    ]


def _sample_values(values: Sequence[Any], settings: int) -> list[Any]:
    """Some values of one of the settings in a picture, the first and the last among them."""
    most = max(2, math.floor(MAX_PICTURE_POINTS ** (1 / settings)))
    if len(values) <= most:
        return list(values)
    return [values[place * (len(values) - 1) // (most - 1)] for place in range(most)]
