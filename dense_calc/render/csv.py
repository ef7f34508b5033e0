"""Reports as comma-separated values under a header; numbers are plain digits."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from dense_calc.errors import escape_unprintable
from dense_calc.render import Style
from dense_calc.render.grid import REPORT_COLUMNS, translate_signs
from dense_calc.report import LayerRow, Report

_DEFAULT_CSV_COLUMNS = (
    "name",
    "type",
    "output_shape",
    "params",
    "trainable_params",
    "non_trainable_params",
    "connected_to",
)


def render_csv(reports: Sequence[Report], style: Style) -> str:
    """A line for each row; with several models, the first column names the model."""
    chosen = style.columns or _DEFAULT_CSV_COLUMNS
    several = len(reports) > 1
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow((*["model"] * several, *chosen))
    for report in reports:
        first = [escape_unprintable(report.name)] * several
        writer.writerows((*first, *_csv_row_values(row, chosen, style)) for row in report.layers)
    return quote_commands(output.getvalue())


def quote_commands(lines: str) -> str:
    """Lines in which a name that looks like a command to GitHub Actions stands in quotes."""
    return re.sub(r"(?m)^([^\S\n]*::[^,\n]*)", r'"\1"', lines) if "::" in lines else lines


def _csv_row_values(row: LayerRow, chosen: Sequence[str], style: Style) -> list[object]:
    """The values of a row in the chosen columns."""
    return [
        column.value(row)
        if column.value and row.state != "unknown"
        else translate_signs(column.cell_text(row), style)
        for column in map(REPORT_COLUMNS.__getitem__, chosen)
    ]
