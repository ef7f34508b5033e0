"""The rows of a sweep as a grid, as lines of JSON or as comma-separated values, and as points."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dense_calc.errors import printable
from dense_calc.limits import BYTES
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.render import Style
from dense_calc.render.axes import Points, value_text
from dense_calc.render.csv import quoted
from dense_calc.render.difference_grid import count_text, signed
from dense_calc.render.grid import Column, Grid, cells_of, size_text
from dense_calc.render.json import ENCODER, safe
from dense_calc.whatif.sweeping import Sweep

Row = Mapping[str, Any]
Choices = Mapping[str, Sequence[Any]]  # the values of each setting

MOST_POINTS = 10_000  # of a picture, which shows fewer anyway
NUMBERS = (int, float)
PROSE = 16  # columns in which sentences can be read
IN_WORDS = {True: "yes", False: "no", None: "-"}
CHANGE = Column("Change", lambda row: optional(signed, row.get("change")), number=True)
# Columns that are there where any row has the key.
SELDOM = {
    "within_budget": Column("In budget", lambda row: IN_WORDS[row.get("within_budget")], least=9),
    "error": Column("Error", lambda row: printable(row.get("error", "")), least=PROSE),
}
FIELDS = (
    *(quantity.total for quantity in QUANTITIES.values()),
    "change",
    "within_budget",
    "error",
)


def optional(text: Any, value: Any) -> str:
    """The text of a value, '' of none."""
    return "" if value is None else str(text(value))


def total_column(quantity: Quantity) -> Column:
    """The column of what whole models have of a quantity."""
    text = partial(optional, size_text) if quantity.unit is BYTES else count_text
    return Column(quantity.title, lambda row: text(row.get(quantity.total)), number=True)


TOTALS = [total_column(each) for each in QUANTITIES.values() if each.in_tables]


class CellRows(Iterable[list[str]]):
    """The cells of rows, made each time that they are read: there may be a million."""

    def __init__(self, rows: Iterable[Row], columns: Sequence[Column], style: Style) -> None:
        self.rows = rows
        self.columns = columns
        self.style = style

    def __iter__(self) -> Iterator[list[str]]:
        for row in self.rows:
            yield cells_of(row, self.columns, self.style)


def grid(whole: Sweep, rows: Iterable[Row], style: Style) -> Grid:
    """Rows of a sweep, perhaps not all."""
    keys: set[str] = set()
    count = 0
    for row in rows:
        keys.update(row)
        count += 1
    columns = columns_of(whole.choices, keys)
    totals = []
    if count < len(whole):
        totals.append(("Shown: ", f"{count:,}", f" of {len(whole):,} combinations"))
    if whole.variants.base is not None:
        totals.append(("As the file stands: ", f"{whole.variants.base:,}", " params"))
    return Grid(printable(whole.variants.name), columns, CellRows(rows, columns, style), totals)


def columns_of(choices: Choices, keys: Iterable[str]) -> list[Column]:
    """The columns of rows with these settings and, among others, these keys."""
    settings = [setting_column(name, values) for name, values in choices.items()]
    return [*settings, *TOTALS, CHANGE, *(SELDOM[key] for key in SELDOM if key in keys)]


def setting_column(name: str, values: Sequence[Any]) -> Column:
    """The column of a setting that takes these values."""
    is_number = isinstance(values, range) or all(type(value) in NUMBERS for value in values)
    return Column(printable(name), lambda row: value_text(row["set"][name]), number=is_number)


def json_lines(rows: Iterable[Row], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line of JSON for each row."""
    for row in rows:
        yield safe(f"{ENCODER.encode(row).decode()}\n", style)


def csv_lines(rows: Iterable[Row], names: Sequence[str], style: Style) -> Iterator[str]:
    """A line for each row, under a header; numbers are plain digits."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow((*map(printable, names), *FIELDS))
    for row in rows:
        yield quoted(line.getvalue())
        line.seek(0)
        line.truncate()
        values = (value_text(row["set"][name]) for name in names)
        writer.writerow((*values, *(csv_value(row.get(field)) for field in FIELDS)))
    yield quoted(line.getvalue())


def csv_value(value: Any) -> Any:
    """A value in a field: as in JSON, nothing for none."""
    return value_text(value) if isinstance(value, str | bool) else value


def points(rows: Iterable[Row], names: Sequence[str], choices: Choices) -> Points:
    """What a picture shows of rows: values of these settings, and parameters.

    Of too many rows, those that have some values of each setting, evenly spread.
    """
    count = sum("error" not in row for row in rows)
    few = None
    if count > MOST_POINTS:
        few = [set(map(value_text, spread(choices[name], len(names)))) for name in names]
    return [
        (values, row["total_params"])
        for row in rows
        if "error" not in row
        for values in [tuple(row["set"][name] for name in names)]
        if few is None or all(value_text(at) in some for at, some in zip(values, few, strict=True))
    ]


def spread(values: Sequence[Any], settings: int) -> list[Any]:
    """Some values of one of the settings in a picture, the first and the last among them."""
    most = max(2, math.floor(MOST_POINTS ** (1 / settings)))
    if len(values) <= most:
        return list(values)
    return [values[place * (len(values) - 1) // (most - 1)] for place in range(most)]
