"""Verdicts as workflow commands of GitHub Actions: an annotation for each thing that is wrong.

GitHub shows ten errors and ten notices of a step at their lines; the log has them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from dense_calc.analysis.budget import Check, Verdict
from dense_calc.errors import STDIN, printable
from dense_calc.render import Style
from dense_calc.render.checks.wording import (
    NOT_CHECKED,
    explained,
    failed,
    heading,
    state,
    tally,
)
from dense_calc.render.grid import shown

# As in command.ts of the toolkit of GitHub Actions: what would end a message, or a property.
IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
IN_PROPERTY = IN_DATA | str.maketrans({":": "%3A", ",": "%2C"})


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """The commands, and in a last line how many files are in which state."""
    lines = [line for verdict in verdicts for line in commands(verdict)]
    return shown("\n".join((*lines, tally(verdicts))) + "\n", style)


def commands(verdict: Verdict) -> Iterator[str]:
    """A command for each thing that is to be said of a file; none if all is well."""
    if verdict.error is not None:
        message = printable(verdict.error)
        yield command("error", properties(verdict, verdict, state(verdict)), message)
    for check in failed(verdict.checks):
        yield command("error", properties(verdict, check, heading(check)), explained(check))
    for note in verdict.notes:
        yield command("notice", properties(verdict, None, NOT_CHECKED), printable(note))


def properties(verdict: Verdict, at: Check | Verdict | None, title: str) -> dict[str, object]:
    """Where an annotation stands, as far as that is known, and its title."""
    found: dict[str, object] = {}
    if verdict.file != STDIN:
        found["file"] = printable(PurePath(verdict.file).as_posix())  # GitHub knows no ./ or \\
        if at is not None and at.line is not None:
            found |= {"line": at.line, "col": at.column}
    return found | {"title": title}


def command(name: str, properties: dict[str, object], message: str) -> str:
    """One command on one line: `::error file=m.yaml,line=12::...`."""
    pairs = (f"{key}={str(value).translate(IN_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {','.join(pairs)}::{message.translate(IN_DATA)}"
