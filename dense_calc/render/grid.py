"""A report as a grid of texts, which each format of a table draws, and the texts of its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

from msgspec import Struct

from dense_calc.errors import escape_unprintable
from dense_calc.limits import BYTE_UNIT
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.render.style import Style
from dense_calc.report import LayerRow, Report, WeightRow
from dense_calc.shapes import Shapes, is_shape, leaf_shapes


class Column(Struct, frozen=True):
    """A column: its title, and the text of its cell in a row.

    Numbers are aligned to the right and never broken; `has_sizes` marks text that contains numbers,
    `is_change` numbers that are more with a plus, less with a minus.
    A column keeps its `min_width` on a narrow page. CSV has the `value` in place of the text.
    """

    title: str
    cell_text: Callable[[Any], str]
    is_number: bool = False
    has_sizes: bool = False
    is_change: bool = False
    min_width: int = 1
    value: Callable[[Any], int] | None = None


class Grid(Struct, frozen=True):
    """A table as text: a title, columns, the cells of its rows, and the lines below.

    Rows can be read several times. A line of `totals` has three parts: a label, a number and a
    remark.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[list[str]]
    totals: Sequence[tuple[str, str, str]]


def translate_signs(text: str, style: Style) -> str:
    """A text with its signs of arithmetic in ASCII, if the output can encode nothing else."""
    return text.translate(_ASCII_REPLACEMENTS) if style.ascii else text


def shape_text(shapes: Shapes) -> str:
    """A shape in a cell, or the shapes of several outputs in brackets, as Keras prints them."""
    if is_shape(shapes):
        return str(shapes)
    return f"[{', '.join(map(str, leaf_shapes(shapes)))}]"


def inputs_text(shapes: Iterable[Shapes | None]) -> str:
    """The shapes of the inputs of a call, a dash for an optional input that is missing."""
    return " and ".join("-" if shape is None else shape_text(shape) for shape in shapes)


class _LayerLike(Protocol):
    """Anything with the name and the class of a layer, or of `repeat` layers that are alike."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def repeat(self) -> int: ...


def layer_text(layer: _LayerLike) -> str:
    """A layer in a cell: `head (Dense)`, `decoder/norm × 12 (LayerNormalization)`."""
    return f"{_name_text(layer)} ({escape_unprintable(layer.type)})"


def _name_text(row: _LayerLike) -> str:
    """A name in a cell, with the number of repeats: `decoder × 12`."""
    name = escape_unprintable(row.name)
    return name if row.repeat == 1 else f"{name} × {row.repeat:,}"


def group_digits(text: str) -> str:
    """An arithmetic with separators in its numbers: `3,072 × (768 + 1)`."""
    return re.sub(r"(?<![\w.])[0-9]{4,}(?![\w.])", lambda match: f"{int(match[0]):,}", text)


def _weights_text(row: LayerRow) -> str:
    """The weights of a row in a cell."""
    return _UNKNOWN_COUNT if row.state == "unknown" else ", ".join(map(_weight_text, row.weights))


def _weight_text(weight: WeightRow) -> str:
    """A weight in a cell: `kernel (784, 10)`."""
    return f"{weight.path} {weight.shape}{'' if weight.trainable else ' frozen'}"


def size_text(size: float) -> str:
    """A number of bytes as Keras prints it: `30.66 KB`, in steps of 1024."""
    step = 1024
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < step:
            return f"{size:.2f} {unit}"
        size /= step
    return f"{size:.2f} PB"


def _quantity_column(quantity: Quantity) -> Column:
    """The column of a quantity; that of all parameters also marks unbuilt layers and later calls.

    The weights of a later call count in the row of the first.
    """
    text = size_text if quantity.unit is BYTE_UNIT else "{:,}".format
    has_marks = quantity.column == "params"

    def count(row: LayerRow) -> int:
        return quantity.sum_rows([row])

    def cell(row: LayerRow) -> str:
        if has_marks and row.state == "unbuilt":
            return f"{row.params:,} (unbuilt)"
        if has_marks and row.shared_with:
            return "shared"
        return _UNKNOWN_COUNT if row.state == "unknown" else text(count(row))

    return Column(quantity.title, cell, is_number=True, value=count)


_UNKNOWN_COUNT = "?"  # as Keras prints it
_ASCII_REPLACEMENTS = str.maketrans({"×": "x", "→": "->", "·": ".", "⌈": "ceil(", "⌉": ")"})
REPORT_COLUMNS = {
    "layer": Column("Layer (type)", layer_text),
    "name": Column("Name", _name_text),
    "type": Column("Type", lambda row: escape_unprintable(row.type)),
    "output_shape": Column(
        "Output Shape", lambda row: shape_text(row.output_shape), has_sizes=True
    ),
    **{each.column: _quantity_column(each) for each in QUANTITIES.values() if each.column},
    "connected_to": Column(
        "Connected to", lambda row: escape_unprintable(", ".join(row.connected_to))
    ),
    "feeds": Column("Feeds", lambda row: escape_unprintable(", ".join(row.feeds))),
    "weights": Column("Weights", _weights_text, has_sizes=True),
}
_CHAIN_COLUMNS = ("layer", "output_shape", "params")
_GRAPH_COLUMNS = (*_CHAIN_COLUMNS, "connected_to")


def report_grid(report: Report, style: Style) -> Grid:
    """The grid of a summary."""
    chosen = _report_columns(report, style.columns)
    rows = [row_cells(row, chosen, style) for row in report.layers]
    return Grid(model_title(report.name), chosen, rows, list(_report_totals(report)))


def _report_columns(report: Report, chosen: tuple[str, ...] | None) -> list[Column]:
    """The columns of a summary: the chosen ones, or those of Keras for a chain or a graph."""
    return [
        REPORT_COLUMNS[name]
        for name in chosen or (_CHAIN_COLUMNS if _is_row_chain(report.layers) else _GRAPH_COLUMNS)
    ]


def _is_row_chain(rows: Sequence[LayerRow]) -> bool:
    """Whether each row reads the one above it and nothing else."""
    return all(row.connected_to == (above.name,) for above, row in pairwise(rows))


def row_cells(row: object, chosen: Sequence[Column], style: Style) -> list[str]:
    """The cells of a row; a dash for an empty one, as in Keras."""
    cells = [column.cell_text(row) or "-" for column in chosen]
    return [translate_signs(cell, style) for cell in cells] if style.ascii else cells


def model_title(name: str) -> str:
    """The title of a summary of the model with this name."""
    return f'Model: "{escape_unprintable(name)}"'


def _report_totals(report: Report) -> Iterator[tuple[str, str, str]]:
    """The lines below a summary, in the words of Keras: what, how many, and their size.

    The first line includes the variables of an optimizer, as in Keras.
    """
    least = "at least " if report.state == "unknown" else ""
    for label, params, size in (
        (
            "Total params",
            report.total_params + report.optimizer_params,
            report.total_bytes + report.optimizer_bytes,
        ),
        ("Trainable params", report.trainable_params, report.trainable_bytes),
        ("Non-trainable params", report.non_trainable_params, report.non_trainable_bytes),
    ):
        yield f"{label}: {least}", f"{params:,}", f" ({size_text(size)})"
    if report.optimizer_params:
        optimizer_size = size_text(report.optimizer_bytes)
        yield f"Optimizer params: {least}", f"{report.optimizer_params:,}", f" ({optimizer_size})"
