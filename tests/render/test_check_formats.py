"""What `check` prints for machines and for pull requests, as parsers of other people read it."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import DATA, ROOT, Run
from msgspec.structs import replace
from support.check_readers import (
    FORMATS,
    READERS,
    github_commands,
    junit_suites,
    markdown_cells,
    sarif_run,
)
from support.check_verdicts import ASCII, OVER, PLAIN, WELL, over

from dense_calc.analysis.budget import CheckResult
from dense_calc.errors import escape_unprintable
from dense_calc.quantities import limit_kinds
from dense_calc.render import Style
from dense_calc.render.checks import render_verdicts
from dense_calc.render.checks.sarif import ALL_RULES, LIMIT_RULES
from dense_calc.render.checks.wording import LIMIT_SUBJECTS
from dense_calc.render.markdown import escape_markdown
from dense_calc.spec_language.budget_section import Expect

GOLDEN = DATA / "checks"


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
    "several.yaml": "input: [784]\nlayers:\n  - Dense: {unit: 10}\n  - Dense: {units: 0}\n"
    "  - Flaten\n" + 20 * "  - Dense: {units: -1}\n",
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


def test_github_is_told_where_and_what() -> None:
    verdict = over("./50%: a,b=c.yaml", WELL, OVER, replace(OVER, line=None, column=None))
    (name, where, message), (_, elsewhere, _) = github_commands(
        render_verdicts([verdict], "github", PLAIN)
    )
    title = "params: 2 over (20.0%)"
    assert name == "error"
    assert where == {"file": "50%: a,b=c.yaml", "line": "4", "col": "9", "title": title}
    assert elsewhere == {"file": "50%: a,b=c.yaml", "title": title}
    assert message == (
        "params: 12, at most 10 (1e1); 2 over (20.0%)\n"
        "deep/inner × 3 (Dense): 9 (75.0%)\nhead (Dense): 3 (25.0%)"
    )


def test_github_is_told_nothing_of_what_is_well() -> None:
    verdicts = [CheckResult("a.yaml", True, (WELL,)), CheckResult("b.yaml", True, ())]
    assert render_verdicts(verdicts, "github", PLAIN) == "1 within budget, 1 no limits\n"


def test_standard_input_has_no_path(run: Run) -> None:
    text = ONE_LAYER + "budget: {params: 1}\n"
    ((_, where, _),) = github_commands(run("check", "-", "--format", "github", stdin=text).stdout)
    assert where.keys() == {"title"}
    (result,) = sarif_run(run("check", "-", "--format", "sarif", stdin=text).stdout)["results"]
    assert result["locations"] == []


def test_a_case_of_junit_keeps_its_name_while_the_model_grows() -> None:
    grown = replace(OVER, value=500, slack=-490, percent=-4900.0)
    for check in (OVER, grown, replace(OVER, value=1, ok=True, slack=9)):
        (suite,) = junit_suites(render_verdicts([over("m.yaml", check)], "junit", PLAIN))
        assert [case.name for case in suite] == ["params at most 10 (1e1)"]


def test_equal_checks_are_told_apart_in_junit() -> None:
    (suite,) = junit_suites(render_verdicts([over("m.yaml", OVER, OVER, OVER)], "junit", PLAIN))
    assert [case.name for case in suite] == [
        f"params at most 10 (1e1){number}" for number in ("", " #2", " #3")
    ]


def test_junit_tells_failed_from_broken_and_from_not_checked() -> None:
    broken = CheckResult("b.yaml", False, (), error="no", line=3, column=2)
    verdicts = [over(notes=("no base",)), broken, CheckResult("c.yaml", True, ())]
    failed, wrong, free = junit_suites(render_verdicts(verdicts, "junit", PLAIN))
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
    (result,) = sarif_run(render_verdicts([over(file)], "sarif", PLAIN))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": uri},
        "region": {"startLine": 4, "startColumn": 9},
    }


def test_sarif_has_the_numbers_and_says_if_all_files_could_be_checked() -> None:
    run = sarif_run(render_verdicts([over()], "sarif", PLAIN))
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
    broken = CheckResult("b.yaml", False, (), error="no")
    run = sarif_run(render_verdicts([broken, over()], "sarif", PLAIN))
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert [result["ruleId"] for result in run["results"]] == ["broken-model", "max-params"]


def test_every_limit_there_is_has_a_rule_and_words() -> None:
    limits = {(kind.quantity.name, kind.rule) for kind in limit_kinds().values()}
    facts = {(what, "exact") for what in Expect.__struct_fields__ if what != "source"}
    assert LIMIT_RULES.keys() == limits | facts | {("increase", "max")}
    assert {what for what, _ in LIMIT_RULES} == LIMIT_SUBJECTS.keys()
    assert max(Counter(rule.id for rule in ALL_RULES).values()) == 1


def test_what_failed_stands_first_in_markdown() -> None:
    verdicts = [CheckResult("a.yaml", True, (WELL,)), over("b.yaml", WELL, OVER)]
    head, *rows = markdown_cells(render_verdicts(verdicts, "markdown", PLAIN))
    assert head[0] == "File"
    assert [(row[0], row[-1]) for row in rows[:3]] == [
        ("b.yaml", "❌ over"), ("a.yaml", "✅ ok"), ("b.yaml", "✅ ok"),
    ]  # fmt: skip
    assert rows[4:] == [
        ["Layer", "Value", "Share"],
        ["deep/inner × 3 (Dense)", "9", "75.0%"],
        ["head (Dense)", "3", "25.0%"],
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
    assert escape_markdown(escape_unprintable(text)) == written


def test_a_colour_code_of_the_terminal_is_in_no_format() -> None:
    for format in FORMATS:
        assert render_verdicts([over()], format, Style(color=True, width=20)) == render_verdicts(
            [over()], format, PLAIN
        )


@pytest.mark.parametrize("format", FORMATS)
def test_signs_are_plain_where_the_output_cannot_carry_them(format: str) -> None:
    text = render_verdicts([over(), CheckResult("b.yaml", True, (WELL,))], format, ASCII)
    assert text.isascii()
    READERS[format](text)
    assert not render_verdicts([over()], format, PLAIN).isascii()


@pytest.mark.parametrize("format", ["junit", "sarif"])
def test_names_are_references_where_the_output_cannot_carry_them(format: str) -> None:
    text = render_verdicts([over("é.yaml")], format, ASCII)
    assert text.isascii()
    found = READERS[format](text)
    if format == "junit":
        assert [suite.name for suite in found] == ["é.yaml"]
    else:
        (place,) = found["results"][0]["locations"]
        assert unquote(place["physicalLocation"]["artifactLocation"]["uri"]) == "é.yaml"
