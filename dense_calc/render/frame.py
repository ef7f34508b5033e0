"""The frame of a picture in the terminal: axes, labels where they fit, and colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dense_calc.errors import display_width, escape_unprintable
from dense_calc.render import Style
from dense_calc.render.axes import VariableAxis
from dense_calc.render.plain_text import fold_text
from dense_calc.render.table import rich_painter

MIN_PICTURE_WIDTH = 10  # columns of a picture
LABEL_GAP = 2  # columns between two labels


class _AxisSigns(NamedTuple):
    """The characters that draw the axes and the points of a curve."""

    vertical: str
    row_tick: str
    corner: str
    horizontal: str
    column_tick: str
    point: str


_ASCII_AXIS_SIGNS = _AxisSigns("|", "+", "+", "-", "+", "o")
_BOX_AXIS_SIGNS = _AxisSigns("│", "┤", "└", "─", "┬", "●")


def axis_signs(style: Style) -> _AxisSigns:
    """The characters of the axes that the output can encode."""
    return _ASCII_AXIS_SIGNS if style.ascii else _BOX_AXIS_SIGNS


def _escape_for_style(text: str, style: Style) -> str:
    """A text in which the characters that the output cannot encode are escaped."""
    return text.encode("ascii", "backslashreplace").decode() if style.ascii else text


def value_labels(axis: VariableAxis, style: Style) -> list[str]:
    """The values of an axis as labels."""
    return [_escape_for_style(text, style) for text in axis.value_texts]


def name_lines(name: str, width: int, style: Style) -> list[str]:
    """The lines of a variable's name: one, or several if it is longer than `width`."""
    return fold_text(_escape_for_style(escape_unprintable(name), style), width)


def labels_by_column(middles: Sequence[int], texts: Sequence[str]) -> dict[int, str]:
    """The label of each column under an axis: the first one for it; the last label always stays."""
    pairs = list(zip(middles, texts, strict=True))
    return dict([*reversed(pairs), pairs[-1]])


def lower_axis_lines(
    name: str, labels: dict[int, str], edge: int, room: int, style: Style
) -> Iterator[str]:
    """The lower axis, `edge` columns from the left: its line, labels by column, and its name."""
    sign, starts = axis_signs(style), _label_starts(labels, room)
    ruler = (sign.column_tick if column in starts else sign.horizontal for column in range(room))
    yield " " * edge + sign.corner + "".join(ruler)
    label_line = ""
    for middle, start in sorted(starts.items()):
        label_line += " " * (edge + 1 + start - display_width(label_line)) + labels[middle]
    yield label_line.rstrip()
    for line in name_lines(name, edge + 1 + room, style):
        free = edge + 1 + room - display_width(line)
        yield " " * min(free, edge + 1 + max(0, room - display_width(line)) // 2) + line


def _label_starts(labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, by their columns: all, or evenly spaced ones and then more that fit."""
    middles = sorted(labels)
    steps = (step for step in range(1, len(middles)) if (len(middles) - 1) % step == 0)
    for spaced in (middles[::step] for step in steps):
        if len(_fit_labels(spaced, labels, room)) == len(spaced):
            return _fit_labels([*spaced, *middles], labels, room)
    return _fit_labels([middles[-1], *middles], labels, room)


def _fit_labels(middles: Sequence[int], labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, by their columns, without those that overlap an earlier one."""
    starts: dict[int, int] = {}
    taken = [False] * (room + LABEL_GAP)
    for middle in middles:
        width = display_width(labels[middle])
        start = max(0, min(middle - width // 2, room - width))
        end = start + width + LABEL_GAP
        if width <= room and not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            starts[middle] = start
    return starts


def paint_text(text: str, paint: str, style: Style) -> str:
    """`text` in a style of rich, if there is colour; '' is no style."""
    return rich_painter(paint)(text) if style.color and paint and text else text
