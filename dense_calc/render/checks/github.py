"""Verdicts as workflow commands of GitHub Actions: an annotation for each problem.

GitHub shows the first ten errors and ten notices of a step at their lines, the log all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from dense_calc.analysis.budget import Check, CheckResult, OtherError
from dense_calc.errors import STDIN_NAME, escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    check_explanation,
    check_heading,
    failed_checks,
    file_errors,
    state_tally,
    verdict_state,
)
from dense_calc.render.grid import translate_signs

# As in command.ts of GitHub's actions/toolkit: characters that would end a message or a property.
DATA_ESCAPES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
PROPERTY_ESCAPES = DATA_ESCAPES | str.maketrans({":": "%3A", ",": "%2C"})


def render_github(verdicts: Sequence[CheckResult], style: Style) -> str:
    """The commands, and a last line that counts the files in each state."""
    lines = [line for verdict in verdicts for line in _workflow_commands(verdict)]
    return translate_signs("\n".join((*lines, state_tally(verdicts))) + "\n", style)


def _workflow_commands(verdict: CheckResult) -> Iterator[str]:
    """A command for each error of a file, for each failed check and for each note."""
    for error, message in file_errors(verdict):
        properties = _annotation_properties(verdict, error, verdict_state(verdict))
        yield _workflow_command("error", properties, message)
    for check in failed_checks(verdict.checks):
        properties = _annotation_properties(verdict, check, check_heading(check))
        yield _workflow_command("error", properties, check_explanation(check))
    for note in verdict.notes:
        properties = _annotation_properties(verdict, None, NOT_CHECKED)
        yield _workflow_command("notice", properties, escape_unprintable(note))


def _annotation_properties(
    verdict: CheckResult, problem: Check | CheckResult | OtherError | None, title: str
) -> dict[str, object]:
    """The title of an annotation and its place, as far as that is known."""
    properties: dict[str, object] = {}
    if verdict.file != STDIN_NAME:
        path = PurePath(verdict.file).as_posix()  # GitHub understands neither ./ nor \
        properties["file"] = escape_unprintable(path)
        if problem is not None and problem.line is not None:
            properties |= {"line": problem.line, "col": problem.column}
    return properties | {"title": title}


def _workflow_command(name: str, properties: dict[str, object], message: str) -> str:
    """One command on one line: `::error file=m.yaml,line=12::...`."""
    pairs = (f"{key}={str(value).translate(PROPERTY_ESCAPES)}" for key, value in properties.items())
    return f"::{name} {','.join(pairs)}::{message.translate(DATA_ESCAPES)}"
