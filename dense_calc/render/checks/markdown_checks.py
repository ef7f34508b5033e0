"""Verdicts as Markdown, for a pull request or $GITHUB_STEP_SUMMARY: a row for each check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dense_calc.analysis.budget import Check, CheckResult
from dense_calc.errors import escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    amount_text,
    check_sentence,
    check_subject,
    failed_checks,
    file_errors,
    file_location,
    limit_text,
    outcome_text,
    percent_text,
    state_tally,
    status_word,
    verdict_state,
)
from dense_calc.render.grid import layer_text, translate_signs
from dense_calc.render.markdown import escape_markdown, markdown_row

_CHECK_HEADERS = ("File", "What", "Value", "Limit", "Outcome", "Check")
_NUMBER_HEADERS = ("Value", "Share")


def render_markdown_checks(verdicts: Sequence[CheckResult], style: Style) -> str:
    """A heading, a table of all checks, failed ones first, and remarks about those."""
    return translate_signs("\n".join(_markdown_lines(verdicts, style)) + "\n", style)


def _markdown_lines(verdicts: Sequence[CheckResult], style: Style) -> Iterator[str]:
    """The lines of the heading, the table and the remarks."""
    yield f"### {_word_with_sign(state_tally(verdicts), all(each.ok for each in verdicts), style)}"
    rows = [row for verdict in verdicts for row in _verdict_rows(verdict, style)]
    rows.sort(key=lambda row: row[0])
    yield from _markdown_table(_CHECK_HEADERS, (cells for _, cells in rows))
    for verdict in verdicts:
        yield from _verdict_remarks(verdict)


def _verdict_rows(verdict: CheckResult, style: Style) -> Iterator[tuple[bool, list[str]]]:
    """Whether a check holds, and its cells; a file that is broken or has no limits has a row."""
    file = escape_markdown(escape_unprintable(verdict.file))
    for check in verdict.checks:
        texts = (check_subject(check), amount_text(check.value), limit_text(check))
        cells = map(escape_markdown, (*texts, outcome_text(check)))
        yield check.ok, [file, *cells, _word_with_sign(status_word(check), check.ok, style)]
    if verdict.error is not None or not verdict.checks:
        word = verdict_state(verdict)
        shown_word = _word_with_sign(word, False, style) if verdict.error is not None else word
        yield verdict.ok, [file, "", "", "", "", shown_word]


def _verdict_remarks(verdict: CheckResult) -> Iterator[str]:
    """The errors of a broken file, the largest layers of each failed check, and the notes."""
    place = file_location(verdict, verdict)
    for error, message in file_errors(verdict):
        yield from _remark_paragraph(file_location(verdict, error), message)
    for check in failed_checks(verdict.checks):
        if check.largest:
            yield from _remark_paragraph(file_location(verdict, check), check_sentence(check))
            yield from _markdown_table(("Layer", "Value", "Share"), _part_rows(check))
    for note in verdict.notes:
        yield from _remark_paragraph(place, f"{NOT_CHECKED}: {escape_unprintable(note)}")


def _remark_paragraph(place: str, text: str) -> Iterator[str]:
    """A paragraph about a place in a file, below an empty line."""
    yield ""
    yield f"**{escape_markdown(place)}**: {escape_markdown(text)}"


def _part_rows(check: Check) -> Iterator[list[str]]:
    """The cells of the largest layers of a check."""
    for part in check.largest:
        texts = (layer_text(part), amount_text(part.value), percent_text(part.percent))
        yield list(map(escape_markdown, texts))


def _markdown_table(titles: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table, below an empty line."""
    yield ""
    yield markdown_row(titles)
    yield markdown_row("---:" if title in _NUMBER_HEADERS else "---" for title in titles)
    yield from map(markdown_row, rows)


def _word_with_sign(word: str, is_good: bool, style: Style) -> str:
    """A word behind a sign for good or bad, if the output can encode one."""
    return word if style.ascii else f"{'✅' if is_good else '❌'} {word}"
