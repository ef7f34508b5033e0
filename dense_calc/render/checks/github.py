"""Verdicts as workflow commands of GitHub Actions: an annotation for each thing that is wrong.

GitHub shows ten errors and ten notices of a step at their lines; the log has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from dense_calc.analysis.budget import Check, CheckResult
from dense_calc.errors import STDIN_NAME, escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    check_explanation,
    check_heading,
    failed_checks,
    state_tally,
    verdict_state,
)
from dense_calc.render.grid import translate_signs

# As in command.ts of the toolkit of GitHub Actions: what would end a message, or a property.
DATA_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY_ESCAPES = DATA_ESCAPES | str.maketrans({":": "%3A", ",": "%2C"})


def render(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The commands, and in a last line how many files are in which state."""
    lines = [line for verdict in verdicts for line in _workflow_commands(verdict)]
    return translate_signs("\n".join((*lines, state_tally(verdicts))) + "\n", style)


def _workflow_commands(verdict: CheckResult) -> Iterator[str]:
    """A command for each thing that is to be said of a file; none if all is well."""
    if verdict.error is not None:
        message = escape_unprintable(verdict.error)
        yield _workflow_command(
            "error", _annotation_properties(verdict, verdict, verdict_state(verdict)), message
        )
    for check in failed_checks(verdict.checks):
        yield _workflow_command(
            "error",
            _annotation_properties(verdict, check, check_heading(check)),
            check_explanation(check),
        )
    for note in verdict.notes:
        yield _workflow_command(
            "notice", _annotation_properties(verdict, None, NOT_CHECKED), escape_unprintable(note)
        )


def _annotation_properties(
    verdict: CheckResult, at: Check | CheckResult | None, title: str
) -> dict[str, object]:
    """Where an annotation stands, as far as that is known, and its title."""
    found: dict[str, object] = {}
    if verdict.file != STDIN_NAME:
        found["file"] = escape_unprintable(
            PurePath(verdict.file).as_posix()
        )  # GitHub knows no ./ or \\
        if at is not None and at.line is not None:
            found |= {"line": at.line, "col": at.column}
    return found | {"title": title}


def _workflow_command(name: str, properties: dict[str, object], message: str) -> str:
    """One command on one line: `::error file=m.yaml,line=12::...`."""
    pairs = (f"{key}={str(value).translate(PROPERTY_ESCAPES)}" for key, value in properties.items())
    return f"::{name} {','.join(pairs)}::{message.translate(DATA_ESCAPES)}"
