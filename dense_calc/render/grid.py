"""What a summary shows of a report, as plain text in a grid: the same for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

from msgspec import Struct

from dense_calc.errors import printable
from dense_calc.limits import BYTES
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.render import Style
from dense_calc.report import Report, Row, WeightRow
from dense_calc.shapes import Shapes, is_shape, leaves


class Column(Struct, frozen=True):
    """A column: its title, its cell for a row, and what that is.

    A number is never broken, and aligned to the right; sizes are numbers among other text. On a
    page that is too narrow, a column keeps its `least` width. Where plain digits are wanted, a
    number is its `value`.
    """

    title: str
    cell: Callable[[Any], str]
    number: bool = False
    sizes: bool = False
    least: int = 1
    value: Callable[[Any], int] | None = None


class Grid(Struct, frozen=True):
    """A table as it is shown: a title, columns, the cells of its rows, and the lines below.

    Rows can be read several times. A line below is what it is about, a number, and what is said
    of that.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[list[str]]
    totals: Sequence[tuple[str, str, str]]


def shown(text: str, style: Style) -> str:
    """A text with the signs of arithmetic that the output can carry."""
    return text.translate(PLAIN_SIGNS) if style.ascii else text


def shape_text(shapes: Shapes) -> str:
    """A shape in a cell, or those of several outputs one after the other, as Keras has them."""
    if is_shape(shapes):
        return str(shapes)
    return f"[{', '.join(map(str, leaves(shapes)))}]"


def inputs_text(shapes: Iterable[Shapes | None]) -> str:
    """The shapes of what a call is given, a dash for an input that it is not given."""
    return " and ".join("-" if shape is None else shape_text(shape) for shape in shapes)


class Named(Protocol):
    """What has the name and the class of a layer, or of several that are alike."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def repeat(self) -> int: ...


def layer_text(layer: Named) -> str:
    """A layer in a cell: `head (Dense)`, `decoder/norm × 12 (LayerNormalization)`."""
    return f"{name_text(layer)} ({printable(layer.type)})"


def name_text(row: Named) -> str:
    """A name in a cell, of what stands several times with their number: `decoder × 12`."""
    name = printable(row.name)
    return name if row.repeat == 1 else f"{name} × {row.repeat}"


def params_text(row: Row) -> str:
    """A count in a cell; a layer that is called again has its weights elsewhere."""
    if row.state == "unbuilt":
        return f"{row.params} (unbuilt)"
    return "shared" if row.shared_with else count_text(row, row.params)


def count_text(row: Row, count: int) -> str:
    """A number of parameters in a cell, `?` where there may be more."""
    return UNKNOWN if row.state == "unknown" else f"{count:,}"


def weights_text(row: Row) -> str:
    """The weights of a row in a cell."""
    return UNKNOWN if row.state == "unknown" else ", ".join(map(weight_text, row.weights))


def weight_text(weight: WeightRow) -> str:
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


def quantity_column(quantity: Quantity) -> Column:
    """The column of a quantity; that of all parameters also says whether a layer has its own."""
    text = size_text if quantity.unit is BYTES else "{:,}".format

    def count(row: Row) -> int:
        return quantity.of_rows([row])

    def cell(row: Row) -> str:
        return UNKNOWN if row.state == "unknown" else text(count(row))

    is_first = quantity.column == "params"
    return Column(quantity.title, params_text if is_first else cell, number=True, value=count)


UNKNOWN = "?"  # as Keras prints it
PLAIN_SIGNS = str.maketrans({"×": "x", "→": "->", "·": "."})
COLUMNS = {
    "layer": Column("Layer (type)", layer_text),
    "name": Column("Name", name_text),
    "type": Column("Type", lambda row: printable(row.type)),
    "output_shape": Column("Output Shape", lambda row: shape_text(row.output_shape), sizes=True),
    **{each.column: quantity_column(each) for each in QUANTITIES.values() if each.column},
    "connected_to": Column("Connected to", lambda row: printable(", ".join(row.connected_to))),
    "feeds": Column("Feeds", lambda row: printable(", ".join(row.feeds))),
    "weights": Column("Weights", weights_text, sizes=True),
}
CHAIN = ("layer", "output_shape", "params")
GRAPH = (*CHAIN, "connected_to")


def grid(report: Report, style: Style) -> Grid:
    """The summary of a report."""
    chosen = columns_of(report, style.columns)
    rows = [cells_of(row, chosen, style) for row in report.layers]
    return Grid(title(report), chosen, rows, list(totals(report)))


def columns_of(report: Report, chosen: tuple[str, ...] | None) -> list[Column]:
    """The columns of a summary: the chosen ones, else Keras' for a chain or for a graph."""
    return [COLUMNS[name] for name in chosen or (CHAIN if is_chain(report.layers) else GRAPH)]


def is_chain(rows: Sequence[Row]) -> bool:
    """Whether each row reads the one above it and nothing else."""
    return all(row.connected_to == (above.name,) for above, row in pairwise(rows))


def cells_of(row: object, chosen: Sequence[Column], style: Style) -> list[str]:
    """The cells of a row; a dash for what it has none of, as in Keras."""
    cells = [column.cell(row) or "-" for column in chosen]
    return [shown(cell, style) for cell in cells] if style.ascii else cells


def title(report: Report) -> str:
    """The line above a summary."""
    return f'Model: "{printable(report.name)}"'


def totals(report: Report) -> Iterator[tuple[str, str, str]]:
    """The lines below a summary, as Keras words them: what, how many, and their size.

    Keras counts what an optimizer keeps in the first.
    """
    least = "at least " if report.state == "unknown" else ""
    for what, params, size in (
        (
            "Total params",
            report.total_params + report.optimizer_params,
            report.total_bytes + report.optimizer_bytes,
        ),
        ("Trainable params", report.trainable_params, report.trainable_bytes),
        ("Non-trainable params", report.non_trainable_params, report.non_trainable_bytes),
    ):
        yield f"{what}: {least}", f"{params:,}", f" ({size_text(size)})"
    if report.optimizer_params:
        kept = size_text(report.optimizer_bytes)
        yield f"Optimizer params: {least}", f"{report.optimizer_params:,}", f" ({kept})"
