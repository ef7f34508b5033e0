"""Verdicts as SARIF 2.1.0, for code scanning: a result for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from dense_calc import __version__
from dense_calc.analysis.budget import Check, Verdict
from dense_calc.errors import STDIN, printable
from dense_calc.quantities import CORRECT, QUANTITIES, SMALLER
from dense_calc.render import Style
from dense_calc.render.checks.wording import explained, failed
from dense_calc.render.json import ENCODER, safe

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
PROPERTIES = ("limit", "value", "slack", "percent", "layers", "base", "largest")


class ScanRule(Struct, frozen=True):
    """A rule of SARIF's: its id, what it is that breaks it, and what can be done about that."""

    id: str
    short: str
    help: str
    level: Literal["error", "note"] = "error"


SIDES = {"max": "max", "min": "min", "exact": "expected"}
BROKEN = ScanRule(
    "broken-model",
    "The file holds no model that can be traced.",
    "Correct the place that the message names; 'dense-calc summary FILE' shows it.",
)
NOT_CHECKED = ScanRule(
    "not-checked",
    "A limit could not be checked.",
    "A base that a shallow clone lacks is there after 'git fetch'.",
    "note",
)

# what a limit is put on, and which side of it is allowed → the rule
RULES = {
    (name, rule): ScanRule(f"{SIDES[rule]}-{name}", breach.sentence, breach.mending)
    for name, quantity in QUANTITIES.items()
    for rule, breach in quantity.limits.items()
}
RULES["output_shape", "exact"] = ScanRule(
    "expected-output-shape", "The output has not the shape that is expected.", CORRECT
)
RULES["increase", "max"] = ScanRule(
    "max-increase", "The model has grown by too many parameters.", SMALLER
)
ALL_RULES = (*RULES.values(), BROKEN, NOT_CHECKED)


def render(verdicts: Sequence[Verdict], style: Style) -> str:
    """One run of dense-calc over all files."""
    run = {
        "tool": {"driver": driver()},
        "invocations": [{"executionSuccessful": all(each.error is None for each in verdicts)}],
        "columnKind": "unicodeCodePoints",
        "results": [result for verdict in verdicts for result in results(verdict)],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return safe(msgspec.json.format(ENCODER.encode(log), indent=2).decode() + "\n", style)


def driver() -> dict[str, Any]:
    """Dense-calc, and the rules that it holds models to."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.short},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": rule.level},
        }
        for rule in ALL_RULES
    ]
    return {"name": "dense-calc", "version": __version__, "rules": rules}


def results(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """What is wrong with a file, and what could not be checked."""
    if verdict.error is not None:
        yield result(BROKEN, printable(verdict.error), locations(verdict, verdict))
    for check in failed(verdict.checks):
        rule, message = RULES[check.what, check.rule], explained(check)
        given = {name: getattr(check, name) for name in PROPERTIES}
        known = {name: value for name, value in given.items() if value not in (None, ())}
        yield result(rule, message, locations(verdict, check)) | {"properties": known}
    for note in verdict.notes:
        yield result(NOT_CHECKED, printable(note), locations(verdict, None))


def result(rule: ScanRule, message: str, locations: list[Any]) -> dict[str, Any]:
    """What breaks a rule, and where."""
    return {
        "ruleId": rule.id,
        "ruleIndex": ALL_RULES.index(rule),
        "level": rule.level,
        "message": {"text": literal(message)},
        "locations": locations,
    }


def literal(text: str) -> str:
    """A text as a message in which nothing is a placeholder, `{0}`, or a link, `[text](uri)`."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def locations(verdict: Verdict, at: Check | Verdict | None) -> list[dict[str, Any]]:
    """The place in a file, as far as it is known; none for standard input."""
    if verdict.file == STDIN:
        return []
    place: dict[str, Any] = {"artifactLocation": {"uri": uri(verdict.file)}}
    if at is not None and at.line is not None:
        place["region"] = {"startLine": at.line, "startColumn": at.column}
    return [{"physicalLocation": place}]


def uri(file: str) -> str:
    """The file by its path: relative where that is, else from the root."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
