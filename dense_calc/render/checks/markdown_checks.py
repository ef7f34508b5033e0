"""Verdicts as Markdown, for a pull request or $GITHUB_STEP_SUMMARY: a row for each check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dense_calc.analysis.budget import Check, Verdict
from dense_calc.errors import printable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    allowed,
    amount,
    failed,
    mark,
    outcome,
    percent,
    sentence,
    state,
    subject,
    tally,
    where,
)
from dense_calc.render.grid import layer_text, shown
from dense_calc.render.markdown import escaped, table_row

HEAD = ("File", "What", "Value", "Limit", "Outcome", "Check")
NUMBERS = ("Value", "Share")


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """A heading, a table of all checks, failed ones first, and what there is to say of those."""
    return shown("\n".join(lines(verdicts, style)) + "\n", style)


def lines(verdicts: Sequence[Verdict], style: Style) -> Iterator[str]:
    """The lines of it all."""
    yield f"### {marked(tally(verdicts), all(each.ok for each in verdicts), style)}"
    found = [row for verdict in verdicts for row in rows(verdict, style)]
    yield from table(HEAD, (cells for _, cells in sorted(found, key=lambda row: row[0])))
    for verdict in verdicts:
        yield from remarks(verdict)


def rows(verdict: Verdict, style: Style) -> Iterator[tuple[bool, list[str]]]:
    """Whether a check is well, and its cells; a broken file, or one without limits, has a row."""
    file = escaped(printable(verdict.file))
    for check in verdict.checks:
        cells = (subject(check), amount(check.value), allowed(check), outcome(check))
        yield check.ok, [file, *map(escaped, cells), marked(mark(check), check.ok, style)]
    if verdict.error is not None or not verdict.checks:
        word = state(verdict)
        shown_word = marked(word, False, style) if verdict.error is not None else word
        yield verdict.ok, [file, "", "", "", "", shown_word]


def remarks(verdict: Verdict) -> Iterator[str]:
    """What is wrong with a broken file, the largest layers of what is over, and the notes."""
    if verdict.error is not None:
        yield from remark(where(verdict, verdict), printable(verdict.error))
    for check in failed(verdict.checks):
        if check.largest:
            yield from remark(where(verdict, check), sentence(check))
            yield from table(("Layer", "Value", "Share"), parts(check))
    for note in verdict.notes:
        yield from remark(where(verdict, verdict), f"{NOT_CHECKED}: {printable(note)}")


def remark(place: str, text: str) -> Iterator[str]:
    """A paragraph on a place in a file."""
    yield ""
    yield f"**{escaped(place)}**: {escaped(text)}"


def parts(check: Check) -> Iterator[list[str]]:
    """The cells of each layer that a value is made of."""
    for part in check.largest:
        yield list(map(escaped, (layer_text(part), amount(part.value), percent(part.percent))))


def table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table that stands apart from what is above it."""
    yield ""
    yield table_row(head)
    yield table_row("---:" if title in NUMBERS else "---" for title in head)
    yield from map(table_row, rows)


def marked(word: str, is_good: bool, style: Style) -> str:
    """A word behind a sign for good or bad, if the output can carry one."""
    return word if style.ascii else f"{'✅' if is_good else '❌'} {word}"
