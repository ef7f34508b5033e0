"""Verdicts as plain text: a line for each check, and the largest layers of what is over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dense_calc.budgets import Check, Part, Verdict
from dense_calc.errors import columns, printable
from dense_calc.render import Style
from dense_calc.render.cells import Column, shown
from dense_calc.render.checks.words import (
    allowed,
    amount,
    mark,
    outcome,
    part_name,
    percent,
    state,
    subject,
    tally,
)
from dense_calc.render.text import GAP, row_lines, shares

TEXT, NUMBER = Column("", str), Column("", str, number=True)
CHECK = (TEXT, TEXT, NUMBER, TEXT, TEXT)
PART = (NUMBER, NUMBER, TEXT)
NATURAL = 100_000  # a width that wraps nothing


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """The checks of each file, and how many files are in which state."""
    lines = [line for verdict in verdicts for line in lines_of(verdict, style)]
    if len(verdicts) > 1:
        lines.append(f"{len(verdicts):,} files: {tally(verdicts)}")
    return "\n".join(lines) + "\n"


def lines_of(verdict: Verdict, style: Style) -> Iterator[str]:
    """The lines of one file."""
    yield f"{printable(verdict.file)}: {painted(state(verdict), verdict.ok, style)}"
    cells = list(map(cells_of, verdict.checks))
    lines = aligned(cells, CHECK, 2, style)
    for check, (first, *others) in zip(verdict.checks, lines, strict=True):
        word = mark(check)
        yield first.replace(word, painted(word, check.ok, style), 1)
        yield from others
        parts = [part_cells(part, style) for part in check.largest]
        for wrapped in aligned(parts, PART, 8, style):
            yield from wrapped
    for note in verdict.notes:
        yield f"  {printable(note)}"


def cells_of(check: Check) -> list[str]:
    """A check in columns."""
    return [mark(check), subject(check), amount(check.value), allowed(check), outcome(check)]


def part_cells(part: Part, style: Style) -> list[str]:
    """A layer that a value is made of, in columns."""
    return [amount(part.value), percent(part.percent), shown(part_name(part), style)]


def aligned(
    rows: list[list[str]], kinds: Sequence[Column], indent: int, style: Style
) -> Iterator[list[str]]:
    """The lines of each row: its cells below those of the row above, wrapped where it is narrow."""
    needed = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    room = (style.width or NATURAL) - indent - len(GAP) * (len(needed) - 1)
    if sum(needed) > room:
        needed = shares(needed, [column.number for column in kinds], room)
    for row in rows:
        yield [" " * indent + line for line in row_lines(row, needed, kinds)]


def painted(word: str, is_good: bool, style: Style) -> str:
    """A word in green or red, if there is colour."""
    if not style.color:
        return word
    from dense_calc.render.table import paint_named

    return paint_named("good" if is_good else "bad")(word)
