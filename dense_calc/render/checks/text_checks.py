"""Verdicts as plain text: a line for each check, and the largest layers of failed ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dense_calc.analysis.budget import Check, CheckResult, LayerShare
from dense_calc.errors import display_width, escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    amount_text,
    check_subject,
    limit_text,
    outcome_text,
    percent_text,
    state_tally,
    status_word,
    verdict_state,
)
from dense_calc.render.grid import Column, layer_text, translate_signs
from dense_calc.render.plain_text import COLUMN_GAP, UNLIMITED_WIDTH, plain_row_lines, wrap_text

_TEXT_COLUMN, _NUMBER_COLUMN = Column("", str), Column("", str, is_number=True)
_CHECK_COLUMNS = (_TEXT_COLUMN, _TEXT_COLUMN, _NUMBER_COLUMN, _TEXT_COLUMN, _TEXT_COLUMN)
_PART_COLUMNS = (_NUMBER_COLUMN, _NUMBER_COLUMN, _TEXT_COLUMN)
_HANGING_INDENT = "  "  # of the second and later lines of wrapped text


def render_text_checks(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The checks of each file, and a last line that counts the files in each state."""
    cells = [_check_cells(check) for verdict in verdicts for check in verdict.checks]
    rows = _align_rows(cells, _CHECK_COLUMNS, 2, style)
    lines = [line for verdict in verdicts for line in _verdict_lines(verdict, rows, style)]
    if len(verdicts) > 1:
        lines.append(f"{len(verdicts):,} files: {state_tally(verdicts)}")
    return "\n".join(lines) + "\n"


def _verdict_lines(verdict: CheckResult, rows: Iterator[list[str]], style: Style) -> Iterator[str]:
    """The lines of one file; the lines of its checks are the next items of `rows`."""
    state = _paint_word(verdict_state(verdict), verdict.ok, style)
    yield f"{escape_unprintable(verdict.file)}: {state}"
    for check, (first, *others) in zip(verdict.checks, rows, strict=False):
        word = status_word(check)
        yield first.replace(word, _paint_word(word, check.ok, style), 1)
        yield from others
        parts = [_part_cells(part, style) for part in check.largest]
        for lines in _align_rows(parts, _PART_COLUMNS, 8, style):
            yield from lines
    for note in verdict.notes:
        yield f"  {escape_unprintable(note)}"


def _check_cells(check: Check) -> list[str]:
    """The cells of a check."""
    return [
        status_word(check),
        check_subject(check),
        amount_text(check.value),
        limit_text(check),
        outcome_text(check),
    ]


def _part_cells(part: LayerShare, style: Style) -> list[str]:
    """The cells of a layer and its share in a value."""
    return [
        amount_text(part.value),
        percent_text(part.percent),
        translate_signs(layer_text(part), style),
    ]


def _align_rows(
    rows: list[list[str]], columns: Sequence[Column], indent: int, style: Style
) -> Iterator[list[str]]:
    """The lines of each row: one with aligned cells, or wrapped text if the page is too narrow.

    No number is broken.
    """
    needed = [max(map(display_width, cells)) for cells in zip(*rows, strict=True)]
    margin = " " * indent
    room = (style.width or UNLIMITED_WIDTH) - indent
    fits = sum(needed) + len(COLUMN_GAP) * (len(needed) - 1) <= room
    for row in rows:
        if fits:
            yield [margin + line for line in plain_row_lines(row, needed, columns)]
            continue
        first, *others = wrap_text(" ".join(row), max(1, room - len(_HANGING_INDENT)))
        yield [margin + first, *(margin + _HANGING_INDENT + line for line in others)]


def _paint_word(word: str, is_good: bool, style: Style) -> str:
    """A word in green or red, if there is colour."""
    if not style.color:
        return word
    from dense_calc.render.table import PAINT_STYLES, rich_painter

    return rich_painter(PAINT_STYLES["good" if is_good else "bad"])(word)
