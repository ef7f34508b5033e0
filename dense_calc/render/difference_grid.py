"""Comparisons of two models as a grid or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dense_calc.analysis.difference import (
    ArgumentChange,
    LayerChange,
    ModelComparison,
    TotalChange,
    fold_copies,
)
from dense_calc.errors import escape_unprintable
from dense_calc.render import Style, render_grids
from dense_calc.render.axes import spec_value_text
from dense_calc.render.checks.wording import check_sentence, percent_text
from dense_calc.render.grid import (
    Column,
    Grid,
    inputs_text,
    layer_text,
    row_cells,
    shape_text,
    size_text,
    translate_signs,
)
from dense_calc.render.json import escape_json, json_text, object_or_array, struct_json
from dense_calc.report import Port

_OPTIONAL_COMPARISON_KEYS = ("outputs", "checks", "notes")
_TOTAL_TITLES = {
    "total_params": "Total params",
    "trainable_params": "Trainable params",
    "non_trainable_params": "Non-trainable params",
}


def _total_text(total: TotalChange, format_total: Callable[[int], str]) -> str:
    """Both values of a total, or one if they are the same."""
    new = format_total(total.new)
    return f"{format_total(total.old)} → {new}" if total.change else new


def _total_change_text(total: TotalChange) -> str:
    """The change of a total, also in per cent: `+1,150, +14.6%`."""
    if not total.change:
        return "unchanged"
    if not total.old:
        return change_text(total.change)
    share = percent_text(100 * abs(total.change) / total.old)
    return f"{change_text(total.change)}, {'-' if total.change < 0 else '+'}{share}"


def change_text(change: int) -> str:
    """A change with its sign: `+1,150`, `-12`, `0`."""
    return f"{change:+,}" if change else "0"


def optional_count_text(count: int | None) -> str:
    """A number of parameters, or a dash where there is no layer."""
    return "-" if count is None else f"{count:,}"


def _change_phrases(change: LayerChange) -> Iterator[str]:
    """The changes of a layer in words."""
    if change.status != "changed":
        yield change.status
    if change.renamed_from is not None:
        yield f"was '{escape_unprintable(change.renamed_from)}'"
    yield from map(_argument_change_text, change.arguments)
    shapes = change.input_shapes
    if shapes and change.change and not change.arguments:
        yield f"input: {inputs_text(shapes.old)} → {inputs_text(shapes.new)}"


def _argument_change_text(argument: ArgumentChange) -> str:
    """The change of an argument: `units: 10 → 12`."""
    old, new = _argument_value_text(argument.old), _argument_value_text(argument.new)
    return f"{escape_unprintable(argument.name)}: {old} → {new}"


def _argument_value_text(value: object) -> str:
    """A value on one line; floats, mappings and the inputs of a call, a tuple, as JSON."""
    if isinstance(value, tuple):
        return escape_unprintable(json_text(value))
    return spec_value_text(value, json_text)


def _ports_text(ports: Sequence[Port]) -> str:
    """The outputs of a model: `digits (None, 10)`."""
    return ", ".join(f"{escape_unprintable(port.name)} {shape_text(port.shape)}" for port in ports)


_COMPARISON_COLUMNS = (
    Column("Layer (type)", layer_text),
    Column("Old", lambda change: optional_count_text(change.params.old), is_number=True),
    Column("New", lambda change: optional_count_text(change.params.new), is_number=True),
    Column("Change", lambda change: change_text(change.change), is_number=True, is_change=True),
    Column("What", lambda change: "; ".join(_change_phrases(change)), has_sizes=True),
)


def render_comparisons(
    comparisons: Sequence[ModelComparison], several: bool, format: str, style: Style
) -> str:
    """Comparisons in a format; in a table, changes that are alike in all repeats are one row."""
    if format == "json":
        return comparisons_json(comparisons, several, style)
    grids = (comparison_grid(fold_copies(each), style) for each in comparisons)
    return render_grids(grids, format, style)


def comparison_grid(comparison: ModelComparison, style: Style) -> Grid:
    """The grid of a comparison: the layers that differ, and the totals."""
    rows = [row_cells(change, _COMPARISON_COLUMNS, style) for change in comparison.layers]
    if not rows:
        rows = [["no layer differs", "-", "-", "-", "-"]]
    title = translate_signs(
        f"{escape_unprintable(comparison.old)} → {escape_unprintable(comparison.new)}", style
    )
    return Grid(title, _COMPARISON_COLUMNS, rows, list(_comparison_totals(comparison, style)))


def _comparison_totals(comparison: ModelComparison, style: Style) -> Iterator[tuple[str, str, str]]:
    """The lines below the grid: each total with its change, then the checks and the notes."""
    for name, title in _TOTAL_TITLES.items():
        total: TotalChange = getattr(comparison, name)
        yield (
            f"{title}: ",
            translate_signs(_total_text(total, "{:,}".format), style),
            f" ({_total_change_text(total)})",
        )
    size = comparison.total_bytes
    change = f" ({change_text(size.change)} bytes)" if size.change else " (unchanged)"
    yield "Size of weights: ", translate_signs(_total_text(size, size_text), style), change
    if comparison.outputs:
        old, new = comparison.outputs.old, comparison.outputs.new
        yield "Outputs: ", translate_signs(f"{_ports_text(old)} → {_ports_text(new)}", style), ""
    for check in comparison.checks:
        yield "", check_sentence(check), ""
    for note in comparison.notes:
        yield "", escape_unprintable(note), ""


def comparisons_json(comparisons: Sequence[ModelComparison], several: bool, style: Style) -> str:
    """Comparisons as JSON, a line for each layer; an array of objects for several files."""
    texts = (
        struct_json(each, "layers", _OPTIONAL_COMPARISON_KEYS, hidden_field="blocks")
        for each in comparisons
    )
    return escape_json(object_or_array(texts, several), style)
