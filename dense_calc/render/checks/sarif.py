"""Verdicts as SARIF 2.1.0, for code scanning: a result for each problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from dense_calc import __version__
from dense_calc.analysis.budget import Check, CheckResult, OtherError
from dense_calc.errors import STDIN_NAME, escape_unprintable
from dense_calc.quantities import CORRECT_MENDING, QUANTITIES, SMALLER_MENDING
from dense_calc.render import Style
from dense_calc.render.checks.wording import check_explanation, failed_checks, file_errors
from dense_calc.render.json import JSON_ENCODER, escape_json

_SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_RESULT_PROPERTIES = ("limit", "value", "slack", "percent", "layers", "base", "largest")


class _ScanRule(Struct, frozen=True):
    """A rule of SARIF; `description` says how a model breaks it, `help` how to mend that."""

    id: str
    description: str
    help: str
    level: Literal["error", "note"] = "error"


_RULE_PREFIXES = {"max": "max", "min": "min", "exact": "expected"}
_BROKEN_MODEL_RULE = _ScanRule(
    "broken-model",
    "The file holds no model that can be traced.",
    "Correct the place that the message names; 'dense-calc summary FILE' shows it.",
)
_NOT_CHECKED_RULE = _ScanRule(
    "not-checked",
    "A limit could not be checked.",
    "A base that a shallow clone lacks is there after 'git fetch'.",
    "note",
)

# The quantity of a limit and its rule (max, min or exact) → the rule of SARIF.
LIMIT_RULES = {
    (name, rule): _ScanRule(f"{_RULE_PREFIXES[rule]}-{name}", breach.sentence, breach.mending)
    for name, quantity in QUANTITIES.items()
    for rule, breach in quantity.limits.items()
}
LIMIT_RULES["output_shape", "exact"] = _ScanRule(
    "expected-output-shape", "The output does not have the expected shape.", CORRECT_MENDING
)
LIMIT_RULES["increase", "max"] = _ScanRule(
    "max-increase", "The model has grown by too many parameters.", SMALLER_MENDING
)
ALL_RULES = (*LIMIT_RULES.values(), _BROKEN_MODEL_RULE, _NOT_CHECKED_RULE)


def render_sarif(verdicts: Sequence[CheckResult], style: Style) -> str:
    """One run of dense-calc over all files."""
    run = {
        "tool": {"driver": _tool_driver()},
        "invocations": [{"executionSuccessful": all(each.error is None for each in verdicts)}],
        "columnKind": "unicodeCodePoints",
        "results": [result for verdict in verdicts for result in _sarif_results(verdict)],
    }
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return escape_json(
        msgspec.json.format(JSON_ENCODER.encode(log), indent=2).decode() + "\n", style
    )


def _tool_driver() -> dict[str, Any]:
    """The description of dense-calc and of its rules."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.description},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": rule.level},
        }
        for rule in ALL_RULES
    ]
    return {"name": "dense-calc", "version": __version__, "rules": rules}


def _sarif_results(verdict: CheckResult) -> Iterator[dict[str, Any]]:
    """A result for each error of a file, for each failed check and for each note."""
    for error, message in file_errors(verdict):
        yield _sarif_result(_BROKEN_MODEL_RULE, message, _sarif_locations(verdict, error))
    for check in failed_checks(verdict.checks):
        rule, message = LIMIT_RULES[check.what, check.rule], check_explanation(check)
        values = {name: getattr(check, name) for name in _RESULT_PROPERTIES}
        known = {name: value for name, value in values.items() if value not in (None, ())}
        yield _sarif_result(rule, message, _sarif_locations(verdict, check)) | {"properties": known}
    for note in verdict.notes:
        locations = _sarif_locations(verdict, None)
        yield _sarif_result(_NOT_CHECKED_RULE, escape_unprintable(note), locations)


def _sarif_result(rule: _ScanRule, message: str, locations: list[Any]) -> dict[str, Any]:
    """A result of SARIF: the rule that is broken, a message and the place."""
    return {
        "ruleId": rule.id,
        "ruleIndex": ALL_RULES.index(rule),
        "level": rule.level,
        "message": {"text": _escape_message(message)},
        "locations": locations,
    }


def _escape_message(text: str) -> str:
    """A message without placeholders, `{0}`, or links, `[text](uri)`, which SARIF would resolve."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _sarif_locations(
    verdict: CheckResult, problem: Check | CheckResult | OtherError | None
) -> list[dict[str, Any]]:
    """The place in a file, as far as it is known; none for standard input."""
    if verdict.file == STDIN_NAME:
        return []
    place: dict[str, Any] = {"artifactLocation": {"uri": _artifact_uri(verdict.file)}}
    if problem is not None and problem.line is not None:
        place["region"] = {"startLine": problem.line, "startColumn": problem.column}
    return [{"physicalLocation": place}]


def _artifact_uri(file: str) -> str:
    """The URI of a file, relative if its path is relative."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
