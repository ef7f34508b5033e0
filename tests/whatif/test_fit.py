"""`dense-calc fit`: what people read, the JSON, and the complaints."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import pytest
from conftest import Run

from dense_calc.api import fit

READ = """\
specs/lenet5.yaml: the largest width that fits
_________________________________________________________________
                      width  Param #  Trainable       Size  Slack
=================================================================
fits                     95   99,620     99,620  389.14 KB    380
_________________________________________________________________
next                     96  100,046    100,046  390.80 KB    -46
=================================================================
params: 99,620, at most 100,000 (100k); 380 left (0.4%)
looked at all 96 values: width from 1 to 96
_________________________________________________________________
"""
NONE = """\
specs/lenet5.yaml: no width fits
_________________________________________________________________
                    width  Param #  Trainable       Size    Slack
=================================================================
smallest                1   59,576     59,576  232.72 KB  -49,576
=================================================================
params: 59,576, at most 10,000 (10k); 49,576 over (495.8%)
looked at all 64 values: width from 1 to 64
_________________________________________________________________
"""
FRONTIER = """\
specs/gpt2.yaml: the largest combinations of width, depth that
fit
_________________________________________________________________
       width  depth     Param #   Trainable       Size      Slack
=================================================================
         384     12  40,986,240  40,986,240  156.35 MB  9,013,760
_________________________________________________________________
         480      9  49,555,200  49,555,200  189.04 MB    444,800
_________________________________________________________________
         576      5  49,483,008  49,483,008  188.76 MB    516,992
_________________________________________________________________
         672      2  45,317,664  45,317,664  172.87 MB  4,682,336
_________________________________________________________________
         768      1  46,473,216  46,473,216  177.28 MB  3,526,784
=================================================================
params: at most 50,000,000 (50M)
the range of width ends at 768, which fits; --max widens it
the range of depth ends at 12, which fits; --max widens it
looked at all 96 combinations: width from 96 to 768 in steps of
96 and depth from 1 to 12
_________________________________________________________________
"""
BOUNDS = ("--multiple-of", "width=96", "--max", "768", "--max", "depth=12")
GPT2 = ("specs/gpt2.yaml", "--vary", "width,depth", "--max-params", "50M", *BOUNDS)


@pytest.mark.parametrize(
    ("arguments", "text", "status"),
    [
        (("specs/lenet5.yaml", "--vary", "width"), READ, 0),
        (("specs/lenet5.yaml", "--vary", "width", "--max-params", "10k", "--max", "64"), NONE, 1),
        (GPT2, FRONTIER, 0),
    ],
    ids=["one", "none", "several"],
)
def test_what_people_read(run: Run, arguments: tuple[str, ...], text: str, status: int) -> None:
    result = run("fit", *arguments)
    assert (result.stdout, result.stderr, result.returncode) == (text, "", status)


def test_the_json_is_the_contract(run: Run) -> None:
    result = run("fit", "specs/lenet5.yaml", "--vary", "width", "--format", "json")
    found = json.loads(result.stdout)
    assert found["fits"]["set"] == {"width": 95}
    assert found["fits"]["total_params"] == 99_620
    assert found["next"]["set"] == {"width": 96}
    assert found["slack"] == found["fits"]["slack"] == 380
    assert found["limit"] == {"what": "params", "rule": "max", "amount": 100_000}
    assert found["slacks"] == [found["limit"] | {"slack": 380}]
    assert found["ranges"] == {"width": {"min": 1, "max": 96, "multiple_of": 1}}
    assert (found["monotone"], found["checked"], found["of"]) == (True, 96, 96)
    assert "smallest" not in found


def test_the_json_of_no_answer_has_the_smallest(run: Run) -> None:
    limits = ("--max-params", "1k", "--format", "json")
    result = run("fit", "specs/lenet5.yaml", "--vary", "width", *limits)
    found = json.loads(result.stdout)
    assert result.returncode == 1
    assert (found["fits"], found["next"], found["slack"]) == (None, None, -58_576)
    assert found["smallest"]["set"] == {"width": 1}


def test_the_json_of_several_is_the_frontier(run: Run) -> None:
    found = json.loads(run("fit", *GPT2, "--format", "json").stdout)
    assert [tuple(row["set"].values()) for row in found["frontier"]] == [
        (384, 12), (480, 9), (576, 5), (672, 2), (768, 1),
    ]  # fmt: skip
    assert found["frontier"][0]["slack"] == 9_013_760
    assert found["limits"] == [{"what": "params", "rule": "max", "amount": 50_000_000}]


# what is asked → what is said below the table
REMARKS = {
    "a range that ends": (
        ("specs/lenet5.yaml", "--vary", "width", "--max", "9"),
        "the range of width ends at 9, which fits; --max widens it",
    ),
    "no model above": (
        ("specs/gpt2.yaml", "--vary", "heads", "--max-params", "1B", "--max", "800"),
        "larger values make no valid model: with heads=769, MultiHeadAttention's 'key_dim' must be "
        "a positive integer, not 0",
    ),
    "a limit on layers": (
        ("specs/gpt2.yaml", "--vary", "width", "--max", "1000"),
        "the rows that do not fit break a limit on layers; see dense-calc check",
    ),
    "not monotone": (
        ("specs/gpt2.yaml", "--vary", "heads", "--max", "20"),
        "the count is not monotone: it also falls as heads rises",
    ),
    "not monotone in either": (
        ("specs/gpt2.yaml", "--vary", "heads,width", "--max", "20"),
        "the count is not monotone: it also falls as heads and width rise ",
    ),
}


@pytest.mark.parametrize("case", REMARKS)
def test_what_there_is_to_say_is_said(run: Run, case: str) -> None:
    arguments, said = REMARKS[case]
    assert said in run("fit", *arguments).stdout.replace("\n", " ")


def test_what_does_not_matter_is_told(run: Run, tmp_path: Path) -> None:
    text = "vars: {a: 1}\ninput: [4]\nlayers: [Dense: {units: 8}]\nbudget: {params: 100}\n"
    (tmp_path / "m.yaml").write_text(text, "utf-8")
    result = run("fit", "m.yaml", "--vary", "a", "--max", "50", cwd=tmp_path)
    assert result.returncode == 0
    assert "the count does not depend on a\n" in result.stdout


def test_it_scales(run: Run) -> None:
    options = ("--vary", "width,depth", "--scale", "--multiple-of", "width=12")
    result = run("fit", "specs/gpt2.yaml", *options, "--max", "width=960")
    assert re.search(r"fits\s+768\s+12\s+× 1 ", result.stdout)
    assert re.search(r"next\s+780\s+12\s+× 1.016 ", result.stdout)


def test_of_a_vast_range_only_what_may_fit_is_looked_at(run: Run) -> None:
    given = ("--vary", "width", "--max", "999999999999999999", "--max-params", "100k")
    result = run("fit", "specs/lenet5.yaml", *given)
    assert result.returncode == 0
    assert (
        "looked at 96 of 999,999,999,999,999,999 values: width from 1 to 999,999,999,999,999,999; "
        "none of the others fits"
    ) in " ".join(result.stdout.split())


def test_a_vast_range_where_more_may_fit_is_not_said_to_be_known(run: Run, tmp_path: Path) -> None:
    text = "vars: {a: 1}\ninput: [4]\nlayers: [Dense: {units: 'a % 8 + 1'}]\n"
    (tmp_path / "m.yaml").write_text(text, "utf-8")
    given = ("--vary", "a", "--max", "9999999999", "--max-params", "30")
    result = run("fit", "m.yaml", *given, cwd=tmp_path)
    told = " ".join(result.stdout.split())
    assert "looked at 1,048,576 of 9,999,999,999 values: a from 1 to 9,999,999,999" in told
    assert "larger values may fit; set the range to search with --min and --max" in told


OPEN_PAIRS = {
    "width,heads": "width from 2 to 1,536 in steps of 2 and heads from 2 to 1,536 in steps of 2",
    "width,depth": "width from 1 to 1,536 and depth from 1 to 48",
    "vocab,context": (
        "vocab from 512 to 401,920 in steps of 512 and context from 512 to 524,288 in steps of 512"
    ),
}


@pytest.mark.parametrize("pair", OPEN_PAIRS)
def test_several_variables_without_ends_are_looked_at_in_all_combinations(
    run: Run, pair: str
) -> None:
    result = run("fit", "specs/gpt2.yaml", "--vary", pair, "--max-params", "375M")
    assert f" combinations: {OPEN_PAIRS[pair]}" in " ".join(result.stdout.split())
    assert "looked at all" in result.stdout


def test_too_many_combinations_are_told(run: Run) -> None:
    given = ("--vary", "width,depth", "--max", "9999", "--max-params", "1B")
    result = run("fit", "specs/gpt2.yaml", *given)
    assert (result.stdout, result.returncode) == ("", 2)
    assert "9,999 × 9,999 combinations of width, depth are too many; narrow them" in result.stderr


LENET5 = ("specs/lenet5.yaml", "--vary", "width")
MISTAKES = {
    "too much to vary": (
        ("specs/gpt2.yaml", "--scale", "--vary", ",".join("abcdefghijklmnopq")),
        "17 variables are too many to vary at once; name at most 16, or let one var stand for "
        "several",
    ),
    "nothing to vary": (
        ("specs/lenet5.yaml", "--vary", ","),
        "name what varies in specs/lenet5.yaml: --vary NAME; its vars: width",
    ),
    "an unknown variable": (
        ("specs/lenet5.yaml", "--vary", "widht"),
        "specs/lenet5.yaml has no var 'widht'; did you mean 'width'?",
    ),
    "a variable like none that there is": (
        ("specs/mnist.yaml", "--vary", "heads"),
        "specs/mnist.yaml has no var 'heads', nor any other; "
        "an argument of a layer is --vary LAYER.ARGUMENT",
    ),
    "a min above its max": (
        (*LENET5, "--min", "10", "--max", "5"),
        "'width' has no value: its min, 10, is above its max, 5; see --min and --max",
    ),
    "a multiple of nothing": (
        (*LENET5, "--multiple-of", "0"),
        "'width' cannot be a multiple of 0; give a number from 1 up",
    ),
    "no multiple": (
        (*LENET5, "--multiple-of", "8", "--max", "7"),
        "'width' has no value: no multiple of 8 is from 1 to 7",
    ),
    "a bound of nothing": (
        (*LENET5, "--max", "depth=3"),
        "'depth' has a bound, but does not vary; add --vary depth",
    ),
    "a variable that is fixed": (
        (*LENET5, "--set", "width=3"),
        "'width' cannot vary while --set gives it a value",
    ),
    "no limit from above": (
        (*LENET5, "--min-params", "1k"),
        "there is no upper limit: set a limit such as --max-params 1M",
    ),
    "no budget": (
        ("specs/mnist.yaml", "--vary", "dense.units"),
        "'specs/mnist.yaml' has no budget: set a limit such as --max-params 1M",
    ),
    "no model": (
        ("specs/gpt2.yaml", "--vary", "width", "--max", "11"),
        "none of the 11 values that were tried makes a model; with width=1: MultiHeadAttention's "
        "'key_dim' must be a positive integer, not 0",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(run: Run, case: str) -> None:
    arguments, said = MISTAKES[case]
    result = run("fit", *arguments)
    assert (result.stdout, result.returncode) == ("", 2)
    assert result.stderr == f"error: {said}\n"


@pytest.mark.parametrize("given", ["1.5", "width=", "=", "width=a", "1e3"])
def test_a_bound_is_a_whole_number(run: Run, given: str) -> None:
    result = run("fit", *LENET5, "--min", given)
    assert result.returncode == 2
    assert f"'{given}' is not a whole number, nor NAME=N with one" in result.stderr


def test_a_layer_below_its_minimum_is_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "vars: {w: 16}\ninput: [8]\nlayers: [Dense: {units: w, name: a}, Dense: {units: 4}]\n"
        "budget: {params: 10k, layers: {a: {min_params: 100}}}\n"
    )
    [row] = fit(path, "w")
    assert (row["set"], row["total_params"]) == ({"w": 768}, 9988)


def test_python_gets_plain_rows() -> None:
    [row] = fit("specs/lenet5.yaml", "width", max_params="100k")
    assert (row["set"], row["total_params"], row["slack"]) == ({"width": 95}, 99_620, 380)
    assert pickle.loads(pickle.dumps(row)) == row  # noqa: S301
    assert not fit("specs/lenet5.yaml", ["width"], max_params=1000)
    several = fit("specs/gpt2.yaml", "width,depth", max_params="50M", multiple_of={"width": 96},
                  max={"width": 768, "depth": 12})  # fmt: skip
    assert len(several) == 5
