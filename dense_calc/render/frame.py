"""What stands around a picture in the terminal: lines, labels where they fit, and colours."""

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
    """The characters of the axes, and of a point of a curve."""

    vertical: str
    row_tick: str
    corner: str
    horizontal: str
    column_tick: str
    point: str


_ASCII_AXIS_SIGNS, _BOX_AXIS_SIGNS = (
    _AxisSigns("|", "+", "+", "-", "+", "o"),
    _AxisSigns("│", "┤", "└", "─", "┬", "●"),
)


def axis_signs(style: Style) -> _AxisSigns:
    """The characters that the output can carry."""
    return _ASCII_AXIS_SIGNS if style.ascii else _BOX_AXIS_SIGNS


def _escape_for_style(text: str, style: Style) -> str:
    """A text with what the output cannot carry escaped."""
    return text.encode("ascii", "backslashreplace").decode() if style.ascii else text


def value_labels(along: VariableAxis, style: Style) -> list[str]:
    """The values of an axis as they are shown."""
    return [_escape_for_style(text, style) for text in along.value_texts]


def name_lines(name: str, width: int, style: Style) -> list[str]:
    """The name of a variable, on several lines where one is too short."""
    return fold_text(_escape_for_style(escape_unprintable(name), style), width)


def align_right(text: str, width: int) -> str:
    """`text` at the end of so many columns."""
    return " " * (width - display_width(text)) + text


def labels_by_column(middles: Sequence[int], texts: Sequence[str]) -> dict[int, str]:
    """The labels under an axis: of those in one column the first, but the last of all."""
    pairs = list(zip(middles, texts, strict=True))
    return dict([*reversed(pairs), pairs[-1]])


def lower_axis_lines(
    name: str, labels: dict[int, str], edge: int, room: int, style: Style
) -> Iterator[str]:
    """The lower axis, `edge` columns from the left: its line, labels by column, and its name."""
    sign, starts = axis_signs(style), _label_starts(labels, room)
    ruler = (sign.column_tick if column in starts else sign.horizontal for column in range(room))
    yield " " * edge + sign.corner + "".join(ruler)
    below = ""
    for middle, start in sorted(starts.items()):
        below += " " * (edge + 1 + start - display_width(below)) + labels[middle]
    yield below.rstrip()
    for line in name_lines(name, edge + 1 + room, style):
        free = edge + 1 + room - display_width(line)
        yield " " * min(free, edge + 1 + max(0, room - display_width(line)) // 2) + line


def _label_starts(labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, by the columns they tell of: all, or some from end to end, then more."""
    middles = sorted(labels)
    steps = (step for step in range(1, len(middles)) if (len(middles) - 1) % step == 0)
    for some in (middles[::step] for step in steps):
        if len(_fit_labels(some, labels, room)) == len(some):
            return _fit_labels([*some, *middles], labels, room)
    return _fit_labels([middles[-1], *middles], labels, room)


def _fit_labels(middles: Sequence[int], labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, of those that find room beside the ones before them."""
    starts: dict[int, int] = {}
    taken = [False] * (room + LABEL_GAP)
    for middle in middles:
        wide = display_width(labels[middle])
        start = max(0, min(middle - wide // 2, room - wide))
        end = start + wide + LABEL_GAP
        if wide <= room and not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            starts[middle] = start
    return starts


def paint_text(text: str, paint: str, style: Style) -> str:
    """`text` in a colour of rich's, if any, on a terminal with 256 of them."""
    return rich_painter(paint)(text) if style.color and paint and text else text
