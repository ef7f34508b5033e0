"""What stands around a picture in the terminal: lines, labels where they fit, and colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dense_calc.errors import columns, printable
from dense_calc.render import Style
from dense_calc.render.axes import Axis
from dense_calc.render.plain_text import folded
from dense_calc.render.table import painter

NARROWEST = 10  # columns of a picture
GAP = 2  # columns between two labels


class Signs(NamedTuple):
    """The characters of the axes, and of a point of a curve."""

    up: str
    tick: str
    corner: str
    across: str
    mark: str
    point: str


PLAIN, BOXES = Signs("|", "+", "+", "-", "+", "o"), Signs("│", "┤", "└", "─", "┬", "●")


def signs(style: Style) -> Signs:
    """The characters that the output can carry."""
    return PLAIN if style.ascii else BOXES


def plain(text: str, style: Style) -> str:
    """A text with what the output cannot carry escaped."""
    return text.encode("ascii", "backslashreplace").decode() if style.ascii else text


def value_labels(along: Axis, style: Style) -> list[str]:
    """The values of an axis as they are shown."""
    return [plain(text, style) for text in along.texts]


def name_lines(name: str, width: int, style: Style) -> list[str]:
    """The name of a variable, on several lines where one is too short."""
    return folded(plain(printable(name), style), width)


def to_the_right(text: str, width: int) -> str:
    """`text` at the end of so many columns."""
    return " " * (width - columns(text)) + text


def by_column(middles: Sequence[int], texts: Sequence[str]) -> dict[int, str]:
    """The labels under an axis: of those in one column the first, but the last of all."""
    pairs = list(zip(middles, texts, strict=True))
    return dict([*reversed(pairs), pairs[-1]])


def foot(name: str, labels: dict[int, str], edge: int, room: int, style: Style) -> Iterator[str]:
    """The lower axis, `edge` columns from the left: its line, labels by column, and its name."""
    sign, starts = signs(style), placed(labels, room)
    ruler = (sign.mark if column in starts else sign.across for column in range(room))
    yield " " * edge + sign.corner + "".join(ruler)
    below = ""
    for middle, start in sorted(starts.items()):
        below += " " * (edge + 1 + start - columns(below)) + labels[middle]
    yield below.rstrip()
    for line in name_lines(name, edge + 1 + room, style):
        free = edge + 1 + room - columns(line)
        yield " " * min(free, edge + 1 + max(0, room - columns(line)) // 2) + line


def placed(labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, by the columns they tell of: all, or some from end to end, then more."""
    middles = sorted(labels)
    steps = (step for step in range(1, len(middles)) if (len(middles) - 1) % step == 0)
    for some in (middles[::step] for step in steps):
        if len(fitted(some, labels, room)) == len(some):
            return fitted([*some, *middles], labels, room)
    return fitted([middles[-1], *middles], labels, room)


def fitted(middles: Sequence[int], labels: dict[int, str], room: int) -> dict[int, int]:
    """Where labels begin, of those that find room beside the ones before them."""
    starts: dict[int, int] = {}
    taken = [False] * (room + GAP)
    for middle in middles:
        wide = columns(labels[middle])
        start = max(0, min(middle - wide // 2, room - wide))
        end = start + wide + GAP
        if wide <= room and not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            starts[middle] = start
    return starts


def painted(text: str, paint: str, style: Style) -> str:
    """`text` in a colour of rich's, if any, on a terminal with 256 of them."""
    return painter(paint)(text) if style.color and paint and text else text
