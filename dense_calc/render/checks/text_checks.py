"""Verdicts as plain text: a line for each check, and the largest layers of what is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dense_calc.analysis.budget import Check, Part, Verdict
from dense_calc.errors import columns, printable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    allowed,
    amount,
    mark,
    outcome,
    percent,
    state,
    subject,
    tally,
)
from dense_calc.render.grid import Column, layer_text, shown
from dense_calc.render.plain_text import GAP, NATURAL, row_lines, wrapped

TEXT, NUMBER = Column("", str), Column("", str, number=True)
CHECK = (TEXT, TEXT, NUMBER, TEXT, TEXT)
PART = (NUMBER, NUMBER, TEXT)
HANGING = "  "  # before what is left of a line that is wrapped


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """The checks of each file, and how many files are in which state."""
    cells = [cells_of(check) for verdict in verdicts for check in verdict.checks]
    rows = aligned(cells, CHECK, 2, style)
    lines = [line for verdict in verdicts for line in lines_of(verdict, rows, style)]
    if len(verdicts) > 1:
        lines.append(f"{len(verdicts):,} files: {tally(verdicts)}")
    return "\n".join(lines) + "\n"


def lines_of(verdict: Verdict, rows: Iterator[list[str]], style: Style) -> Iterator[str]:
    """The lines of one file; those of its checks are the next of `rows`."""
    yield f"{printable(verdict.file)}: {painted(state(verdict), verdict.ok, style)}"
    for check, (first, *others) in zip(verdict.checks, rows, strict=False):
        word = mark(check)
        yield first.replace(word, painted(word, check.ok, style), 1)
        yield from others
        parts = [part_cells(part, style) for part in check.largest]
        for lines in aligned(parts, PART, 8, style):
            yield from lines
    for note in verdict.notes:
        yield f"  {printable(note)}"


def cells_of(check: Check) -> list[str]:
    """A check in columns."""
    return [mark(check), subject(check), amount(check.value), allowed(check), outcome(check)]


def part_cells(part: Part, style: Style) -> list[str]:
    """A layer that a value is made of, in columns."""
    return [amount(part.value), percent(part.percent), shown(layer_text(part), style)]


def aligned(
    rows: list[list[str]], kinds: Sequence[Column], indent: int, style: Style
) -> Iterator[list[str]]:
    """The lines of each row: one, its cells below those of the row above; more where it is narrow.

    No number is broken.
    """
    needed = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    margin = " " * indent
    room = (style.width or NATURAL) - indent
    fits = sum(needed) + len(GAP) * (len(needed) - 1) <= room
    for row in rows:
        if fits:
            yield [margin + line for line in row_lines(row, needed, kinds)]
            continue
        first, *others = wrapped(" ".join(row), max(1, room - len(HANGING)))
        yield [margin + first, *(margin + HANGING + line for line in others)]


def painted(word: str, is_good: bool, style: Style) -> str:
    """A word in green or red, if there is colour."""
    if not style.color:
        return word
    from dense_calc.render.table import PAINTS, painter

    return painter(PAINTS["good" if is_good else "bad"])(word)
