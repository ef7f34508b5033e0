"""What differs between two models, as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from dense_calc.analysis.difference import Argument, Change, Comparison, Total
from dense_calc.errors import printable
from dense_calc.render import Style
from dense_calc.render.checks.wording import percent, sentence
from dense_calc.render.grid import (
    Column,
    Grid,
    cells_of,
    inputs_text,
    layer_text,
    shape_text,
    shown,
    size_text,
)
from dense_calc.render.json import by_key, one_or_all, safe
from dense_calc.report import Port

SELDOM = ("outputs", "checks", "notes")
TOTALS = {
    "total_params": "Total params",
    "trainable_params": "Trainable params",
    "non_trainable_params": "Non-trainable params",
}


def moved(total: Total, text: Callable[[int], str]) -> str:
    """Both values of a total, or the one if they are the same."""
    return f"{text(total.old)} → {text(total.new)}" if total.change else text(total.new)


def apart(total: Total) -> str:
    """How far a total has moved: `+1,150, +14.6 %`."""
    if not total.change:
        return "unchanged"
    if not total.old:
        return signed(total.change)
    share = percent(100 * abs(total.change) / total.old)
    return f"{signed(total.change)}, {'-' if total.change < 0 else '+'}{share}"


def signed(change: int) -> str:
    """A change with its sign: `+1,150`, `-12`, `0`."""
    return f"{change:+,}" if change else "0"


def count_text(count: int | None) -> str:
    """A number of parameters, or a dash where there is no layer."""
    return "-" if count is None else f"{count:,}"


def what(change: Change) -> Iterator[str]:
    """What has become of a layer, in words."""
    if change.status != "changed":
        yield change.status
    if change.renamed_from is not None:
        yield f"was '{printable(change.renamed_from)}'"
    yield from map(argument_text, change.arguments)
    given = change.input_shapes
    if given and change.change and not change.arguments:
        yield f"input: {inputs_text(given.old)} → {inputs_text(given.new)}"


def argument_text(argument: Argument) -> str:
    """What has become of an argument: `units: 10 → 12`."""
    return f"{printable(argument.name)}: {value_text(argument.old)} → {value_text(argument.new)}"


def value_text(value: object) -> str:
    """A value as a spec has it, on one line."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return printable(msgspec.json.encode(value).decode())


def ports_text(ports: Sequence[Port]) -> str:
    """What a model gives: `digits (None, 10)`."""
    return ", ".join(f"{printable(port.name)} {shape_text(port.shape)}" for port in ports)


COLUMNS = (
    Column("Layer (type)", layer_text),
    Column("Old", lambda change: count_text(change.params.old), number=True),
    Column("New", lambda change: count_text(change.params.new), number=True),
    Column("Change", lambda change: signed(change.change), number=True),
    Column("What", lambda change: "; ".join(what(change)), sizes=True),
)


def grid(comparison: Comparison, style: Style) -> Grid:
    """The layers that differ, and the totals."""
    rows = [cells_of(change, COLUMNS, style) for change in comparison.layers]
    if not rows:
        rows = [["no layer differs", "-", "-", "-", "-"]]
    title = shown(f"{printable(comparison.old)} → {printable(comparison.new)}", style)
    return Grid(title, COLUMNS, rows, list(totals(comparison, style)))


def totals(comparison: Comparison, style: Style) -> Iterator[tuple[str, str, str]]:
    """The lines below: each total with its change, and what checks and notes say."""
    for name, title in TOTALS.items():
        total: Total = getattr(comparison, name)
        yield f"{title}: ", shown(moved(total, "{:,}".format), style), f" ({apart(total)})"
    size = comparison.total_bytes
    change = f" ({signed(size.change)} bytes)" if size.change else " (unchanged)"
    yield "Size of weights: ", shown(moved(size, size_text), style), change
    if comparison.outputs:
        old, new = comparison.outputs.old, comparison.outputs.new
        yield "Outputs: ", shown(f"{ports_text(old)} → {ports_text(new)}", style), ""
    for check in comparison.checks:
        yield "", sentence(check), ""
    for note in comparison.notes:
        yield "", printable(note), ""


def render_json(comparisons: Sequence[Comparison], several: bool, style: Style) -> str:
    """The differences, a line for each layer: an object, or an array of them for several files."""
    texts = (by_key(each, "layers", SELDOM, never="blocks") for each in comparisons)
    return safe(one_or_all(texts, several), style)
