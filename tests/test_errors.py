"""Every complaint with its exact text: the files of `tests/data/errors`, rewritten by `--update`.

A case is a title, a spec, and what `dense-calc check m.yaml` says of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DATA
from support.text_cases import case_params, demand_up_to_date

from dense_calc.analysis.budget import check_limits
from dense_calc.errors import (
    DenseCalcError,
    Place,
    Source,
    SpecError,
    did_you_mean,
    escape_unprintable,
)
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

FILES = sorted((DATA / "errors").glob("*.txt"))


def complaint(spec: str) -> str:
    """What dense-calc says of a spec."""
    with pytest.raises(DenseCalcError) as caught:
        check(spec)
    return f"{caught.value}\n"


def check(spec: str) -> None:
    """Hold a spec against its own limits."""
    model = parse_spec(Source("m.yaml", spec), "m")
    list(check_limits(trace(model), model.limits))


@pytest.mark.parametrize(("spec", "said"), case_params(FILES))
def test_a_complaint_says_where_what_and_how_to_mend_it(spec: str, said: str) -> None:
    assert complaint(spec) == said


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_complaints_is_up_to_date(path: Path, update: bool) -> None:
    demand_up_to_date(path, complaint, update)


def test_a_complaint_without_a_place() -> None:
    assert str(SpecError("it is broken")) == "error: it is broken"


def test_a_place_beyond_the_text_has_no_excerpt() -> None:
    error = SpecError("more was expected", Place(Source("m.yaml", "a:\n"), 7, 1, 1))
    assert str(error) == "m.yaml:7:1: error: more was expected"


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\x9b", "\u202e", "\u2028", "\ud800"])
def test_nothing_in_a_file_speaks_to_the_terminal(char: str) -> None:
    shown = escape_unprintable(f"a{char}b")
    assert shown.isprintable()
    assert char not in shown
    error = SpecError(f"what is {char}", Place(Source(f"{char}.yaml", f"a: {char}"), 1, 4, 1))
    assert char not in str(error)


def test_few_choices_are_listed_and_many_are_not() -> None:
    assert did_you_mean("unit", ["units", "name"]) == "; did you mean 'units'?"
    assert did_you_mean("seed", ["units", "name"]) == "; use units, name"
    assert did_you_mean("seed", [f"n{number}" for number in range(50)]) == ""
    assert did_you_mean("seed", []) == ""


def test_a_likely_word_is_found_among_as_many_as_a_moment_suffices_for() -> None:
    names = [f"{'x' * 95}{number:05}" for number in range(10_000)]
    assert did_you_mean("x" * 95, names).startswith(f"; did you mean '{'x' * 95}")
    assert did_you_mean("unit", [*names[:9000], "units"]) == "; did you mean 'units'?"
    assert did_you_mean("y" * 90 + "units", [*names, "y" * 90 + "unit"]) == ""


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("there is no '" + 101 * "n" + "' here", "there is no '" + 40 * "n" + "...' here"),
        ("there is no '" + 100 * "n" + "' here", "there is no '" + 100 * "n" + "' here"),
        (
            "Dense's 'units' is wrong" + 100 * "!" + "'",
            "Dense's 'units' is wrong" + 100 * "!" + "'",
        ),
        (1001 * "n" + 1001 * "m", 1000 * "n" + "..." + 1000 * "m"),
        (2000 * "n", 2000 * "n"),
    ],
)
def test_a_message_repeats_no_more_than_can_be_read(message: str, shown: str) -> None:
    assert SpecError(message).message == shown
