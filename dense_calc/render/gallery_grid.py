"""The list of the gallery, as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dense_calc.errors import escape_unprintable
from dense_calc.render import Style, render_grids
from dense_calc.render.grid import Column, Grid, row_cells
from dense_calc.render.json import escape_json, json_text, object_or_array

_MIN_PROSE_WIDTH = 16  # a narrower column is hard to read
_COLUMNS = (
    Column("Name", lambda row: escape_unprintable(row["name"])),
    Column("Param #", lambda row: f"{row['total_params']:,}", is_number=True),
    Column("What", lambda row: escape_unprintable(row["description"]), min_width=_MIN_PROSE_WIDTH),
    Column("Source", lambda row: escape_unprintable(row["source"]), min_width=_MIN_PROSE_WIDTH),
)


def render_gallery(rows: Sequence[Mapping[str, Any]], format: str, style: Style) -> str:
    """The models of the gallery in a format; a row has the keys of the JSON."""
    if format == "json":
        return escape_json(object_or_array(map(json_text, rows), several=True), style)
    cells = [row_cells(row, _COLUMNS, style) for row in rows]
    totals = [("Print one: ", "", "dense-calc gallery NAME")]
    return render_grids([Grid("Gallery", _COLUMNS, cells, totals)], format, style)
