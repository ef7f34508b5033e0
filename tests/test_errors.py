"""Every complaint with its exact text: `tests/data/errors.txt`, rewritten by `--update`.

A case is a title, a spec, and what `dense-calc summary m.yaml` says of it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dense_calc.errors import DenseCalcError, Place, Source, SpecError, did_you_mean, printable
from dense_calc.spec import parse
from dense_calc.tracing import trace

FILE = Path(__file__).parent / "data" / "errors.txt"
CASE = re.compile(r"=== (.*)\n((?s:.*?))~~~\n((?s:.*?))(?==== |\Z)")
CASES = {title: (spec, said) for title, spec, said in CASE.findall(FILE.read_text("utf-8"))}


def complaint(spec: str) -> str:
    """What dense-calc says of a spec."""
    with pytest.raises(DenseCalcError) as caught:
        trace(parse(Source("m.yaml", spec), "m", {}))
    return f"{caught.value}\n"


@pytest.mark.parametrize("title", CASES)
def test_a_complaint_says_where_what_and_how_to_mend_it(title: str) -> None:
    spec, said = CASES[title]
    assert complaint(spec) == said


def test_the_file_of_complaints_is_up_to_date(update: bool) -> None:
    cases = "".join(
        f"=== {title}\n{spec}~~~\n{complaint(spec)}" for title, (spec, _) in CASES.items()
    )
    if update:
        FILE.write_text(cases, "utf-8")
    assert FILE.read_text("utf-8") == cases


def test_a_complaint_without_a_place() -> None:
    assert str(SpecError("it is broken")) == "error: it is broken"


def test_a_place_beyond_the_text_has_no_excerpt() -> None:
    error = SpecError("more was expected", Place(Source("m.yaml", "a:\n"), 7, 1, 1))
    assert str(error) == "m.yaml:7:1: error: more was expected"


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\x9b", "\u202e", "\u2028", "\ud800"])
def test_nothing_in_a_file_speaks_to_the_terminal(char: str) -> None:
    shown = printable(f"a{char}b")
    assert shown.isprintable()
    assert char not in shown
    error = SpecError(f"what is {char}", Place(Source(f"{char}.yaml", f"a: {char}"), 1, 4, 1))
    assert char not in str(error)


def test_few_choices_are_listed_and_many_are_not() -> None:
    assert did_you_mean("unit", ["units", "name"]) == "; did you mean 'units'?"
    assert did_you_mean("seed", ["units", "name"]) == "; there is units, name"
    assert did_you_mean("seed", [f"n{number}" for number in range(50)]) == ""
    assert did_you_mean("seed", []) == ""
