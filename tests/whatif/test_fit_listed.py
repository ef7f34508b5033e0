"""`dense-calc fit` with values of a variable that somebody lists: fractions, ranges and lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st

from dense_calc import fit, sweep
from dense_calc.errors import DenseCalcError

MODEL = """\
vars: {stem: 32, alpha: 1.0}
input: [28, 28, 3]
layers:
  - Conv2D: {filters: int(stem * alpha), kernel_size: 3}
  - Conv2D: {filters: "max(8, int(64 * alpha + 4) // 8 * 8)", kernel_size: 3}
  - GlobalAveragePooling2D
  - Dense: {units: round(10 / alpha)}
"""
CHOICES = st.lists(
    st.one_of(st.integers(-1, 4), st.sampled_from([0.01, 0.1, 0.25, 0.75, 1.0, 1.3, 1.5, 2.5])),
    min_size=1,
    max_size=8,
)
ALPHA = ("fit", "m.yaml", "--vary", "alpha=0.25:2:0.25", "--max-params", "30k")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model whose widths are multiples of a fraction."""
    path = tmp_path_factory.mktemp("models") / "m.yaml"
    path.write_text(MODEL, "utf-8")
    return path


def frontier(path: Path, choices: dict[str, Sequence[Any]], most: int) -> Iterator[dict[str, Any]]:
    """The settings that fit of which none can be raised, by a row for every combination."""
    ordered = {name: sorted(set(values)) for name, values in choices.items()}
    rows = [row for row in sweep(path, ordered) if row.get("total_params", most + 1) <= most]
    fitting = [row["set"] for row in rows]
    for one in fitting:
        if not any(one != other and all(other[name] >= one[name] for name in one)
                   for other in fitting):  # fmt: skip
            yield one


@given(alphas=CHOICES, stems=st.lists(st.integers(1, 90), min_size=1, max_size=9),
       most=st.integers(0, 60_000))  # fmt: skip
def test_fractions_and_lists_are_what_brute_force_says(
    alphas: list[float], stems: list[int], most: int, model: Path
) -> None:
    choices: dict[str, Sequence[Any]] = {"alpha": alphas, "stem": stems}
    if all("error" in row for row in sweep(model, choices)):
        with pytest.raises(DenseCalcError, match="makes a model"):
            fit(model, choices, max_params=most)
        return
    found = fit(model, choices, max_params=most)
    assert [row["set"] for row in found] == list(frontier(model, choices, most))


@given(first=st.integers(1, 30), count=st.integers(1, 40), most=st.integers(0, 60_000))
def test_a_range_of_fractions_is_what_brute_force_says(
    first: int, count: int, most: int, model: Path
) -> None:
    text = f"{first / 20}:{(first + count) / 20}:0.05"
    values = [row["set"]["alpha"] for row in sweep(model, {"alpha": text})]
    *_, best = [{}, *frontier(model, {"alpha": values}, most)]
    found = fit(model, {"alpha": text}, max_params=most)
    assert [row["set"] for row in found] == ([best] if best else [])


def test_a_variable_without_values_has_its_end_beside_fractions(model: Path, run: Run) -> None:
    result = run(*ALPHA, "--vary", "stem", cwd=model.parent)
    told = " ".join(result.stdout.split())
    assert "alpha from 0.25 to 2 in steps of 0.25 and stem from 1 to 64" in told
    assert "without --max, stem goes on until nothing fits while the others have the" in told
    values = {"alpha": [each / 4 for each in range(1, 9)], "stem": range(1, 65)}
    rows = fit(model, {"alpha": "0.25:2:0.25", "stem": None}, max_params="30k")
    assert [row["set"] for row in rows] == list(frontier(model, values, 30_000))


TOLD = {
    "a range of fractions": (ALPHA[3], "looked at all 8 values: alpha from 0.25 to 2 in steps of"),
    "a list": ("alpha=2,0.5,1,2", "looked at all 3 values: alpha 0.5, 1 or 2"),
    "a single value": ("alpha=0.5", "looked at all 1 value: alpha 0.5"),
    "a range and a value": ("alpha=1:9,0.5", "looked at all 10 values: 10 values of alpha from"),
    "a range downwards": ("stem=9:1:-2", "looked at all 5 values: stem from 1 to 9 in steps of 2"),
    "an end that fits": ("alpha=0.25,0.5", "the range of alpha ends at 0.5, which fits; --vary"),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_values_are_told(case: str, model: Path, run: Run) -> None:
    vary, told = TOLD[case]
    result = run(*ALPHA[:3], vary, *ALPHA[4:], cwd=model.parent)
    assert told in " ".join(result.stdout.split())


def test_the_json_has_the_step_or_the_values(model: Path, run: Run) -> None:
    options = ("--vary", "stem=64,8", "--format", "json")
    found = json.loads(run(*ALPHA, *options, cwd=model.parent).stdout)
    assert found["ranges"] == {
        "alpha": {"min": 0.25, "max": 2.0, "step": 0.25},
        "stem": {"min": 8, "max": 64, "values": [8, 64]},
    }


def test_a_bound_for_all_is_for_those_without_values(model: Path, run: Run) -> None:
    result = run(*ALPHA, "--vary", "stem", "--max", "9", cwd=model.parent)
    assert "in steps of 0.25 and stem from 1 to 9" in " ".join(result.stdout.split())


MISTAKES = {
    "values of several": (("stem,alpha=1:2",), "'stem,alpha=1:2' is neither names, A,B, nor"),
    "no values": (("alpha=",), "'alpha=' is neither names, A,B, nor values of one"),
    "no name": (("=1:2",), "'=1:2' is neither names, A,B, nor values of one"),
    "a word": (("alpha=1,stem",), "only numbers can vary here, and 'stem' is none"),
    "a truth": (("alpha=true",), "only numbers can vary here, and true is none"),
    "a range of nothing": (("alpha=2:1",), "--vary alpha:1:2: error: the range"),
    "a bound of its own": (("stem=8,9", "--max", "stem=9"), "leave out that, or its bound"),
    "a bound of nothing": (("stem=8,9", "--max", "9"), "All variables have lists of values"),
    "a factor": (("stem=8,9", "--scale"), "leave out that, or --scale"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case: str, model: Path, run: Run) -> None:
    given, told = MISTAKES[case]
    result = run(*ALPHA[:3], *given, *ALPHA[4:], cwd=model.parent)
    assert (result.stdout, result.returncode) == ("", 2)
    assert told in " ".join(result.stderr.split())


def test_growth_takes_no_values(model: Path, run: Run) -> None:
    result = run("growth", "m.yaml", "--vary", "stem=1:9", cwd=model.parent)
    assert result.returncode == 2
    assert "'stem' cannot have a list of values here; say with --min" in result.stderr


WRONG_ARGUMENTS: dict[str, dict[str, Any]] = {
    "'max' takes a whole number, or a mapping of names to some, not 'abc'": {"max": "abc"},
    "'min' takes a whole number, or a mapping of names to some, not 1.5": {"min": {"stem": 1.5}},
    "'multiple_of' of 'stem' is too far": {"multiple_of": 10**30},
    "variables have names, such as 'width', not 3": {"vary": 3},
    "a setting has a name such as 'width', not 3": {"vary": [3]},
    "settings are names with values, not a list of 1": {"settings": ["a"]},
    "'stem' has no value; list some": {"vary": {"stem": []}},
    "'stem' cannot have this value: only numbers can vary here, and .nan": {
        "vary": {"stem": [float("nan")]}
    },
}


@pytest.mark.parametrize("told", WRONG_ARGUMENTS)
def test_a_wrong_argument_is_told_in_python(told: str, model: Path) -> None:
    arguments: dict[str, Any] = {"vary": "stem", "max_params": 9_000} | WRONG_ARGUMENTS[told]
    with pytest.raises(DenseCalcError, match=re.escape(told)):
        fit(model, **arguments)


@pytest.mark.parametrize("settings", [{3: [1]}, None, ["alpha"], "alpha=3"])
def test_settings_of_a_sweep_are_names_with_values(settings: Any, model: Path) -> None:
    with pytest.raises(DenseCalcError, match="setting"):
        sweep(model, settings)
