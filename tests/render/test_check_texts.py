"""Whatever stands in a name, `check` prints it so that readers get it as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.check_readers import (
    FORMATS,
    READERS,
    github_commands,
    junit_suites,
    markdown_cells,
    sarif_run,
)
from support.check_verdicts import ASCII, OVER, PLAIN, TEXTS, over, verdicts

from dense_calc.analysis.budget import CheckResult, LayerShare
from dense_calc.errors import escape_unprintable
from dense_calc.render import Style
from dense_calc.render.checks import render_verdicts
from dense_calc.render.checks.wording import check_explanation


def failures(given: Sequence[CheckResult]) -> Iterator[str]:
    """What is to be said of verdicts, in their order."""
    for verdict in given:
        if verdict.error is not None:
            yield escape_unprintable(verdict.error)
        yield from (escape_unprintable(each.error) for each in verdict.other_errors)
        yield from (check_explanation(check) for check in verdict.checks if not check.ok)
        yield from map(escape_unprintable, verdict.notes)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("style", [PLAIN, ASCII], ids=["plain", "ascii"])
@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_every_text_can_be_read_and_none_speaks_to_a_terminal(
    format: str, style: Style, given: list[CheckResult]
) -> None:
    text = render_verdicts(given, format, style)
    assert text.endswith("\n")
    assert all(line.isprintable() for line in text.split("\n"))
    READERS[format](text)


@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_github_reads_each_message_as_it_is_and_nothing_else(given: list[CheckResult]) -> None:
    found = github_commands(render_verdicts(given, "github", PLAIN))
    assert [message for _, _, message in found] == list(failures(given))


@given(given=st.lists(verdicts(), min_size=1, max_size=3))
def test_sarif_has_each_message_as_it_is_but_for_links(given: list[CheckResult]) -> None:
    results = sarif_run(render_verdicts(given, "sarif", PLAIN))["results"]
    found = [result["message"]["text"] for result in results]
    assert not any("](" in text for text in found)
    plain = [text.replace("{{", "{").replace("}}", "}") for text in found]
    assert plain == [text.replace("](", "] (") for text in failures(given)]


@given(given=verdicts())
def test_junit_has_each_message_as_it_is(given: CheckResult) -> None:
    (suite,) = junit_suites(render_verdicts([given], "junit", PLAIN))
    assert suite.name == escape_unprintable(given.file)
    found = [result.message for case in suite for result in case.result]
    first = replace(given, other_errors=())  # the others stand in the text below the message
    firsts = [text.partition("\n")[0] for text in failures([first])]
    assert found == firsts


@given(name=TEXTS)
def test_a_name_is_read_in_a_table_as_it_is(name: str) -> None:
    check = replace(OVER, largest=(LayerShare(name, "Dense", 1, 2.0),))
    rows = markdown_cells(render_verdicts([over(name, check)], "markdown", PLAIN))
    cells = [row[0].replace("\u200b", "") for row in (rows[1], rows[-1])]
    assert cells == [
        escape_unprintable(name).strip(),
        f"{escape_unprintable(name)} (Dense)".strip(),
    ]
