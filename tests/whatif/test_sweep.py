"""`dense-calc sweep`: combinations, their rows, which are shown and how, and what goes wrong."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest
import yaml
from conftest import ROOT, Run
from hypothesis import given, settings
from hypothesis import strategies as st

from dense_calc import load, summarize, trace
from dense_calc.analysis.budget import checks
from dense_calc.cli import command_line
from dense_calc.errors import DenseCalcError, FileError, Source, SpecError
from dense_calc.files.loader import variants
from dense_calc.keras_format.writer import to_keras
from dense_calc.report import Report
from dense_calc.settings.values import values_of
from dense_calc.spec_language import parse
from dense_calc.whatif import shelf
from dense_calc.whatif.shelf import Shelf, arranged
from dense_calc.whatif.sweeping import Sweep, sweep

Told = Callable[..., str]
Row = dict[str, Any]

# With a width w and a depth d: 9 w, and w (w + 1) for each further copy, and 4 (w + 1).
MODEL = """\
vars: {w: 16, d: 1}
input: [8]
blocks: {b: [Dense: {units: w, name: body}]}
layers: [b: {repeat: d}, Dense: {units: 4, name: head}]
budget: {params: 300}
"""
NO_UNITS = "Dense's 'units' must be a positive integer, not 0"


def params(w: int, d: int = 1) -> int:
    """The parameters of the model."""
    return 9 * w + (d - 1) * w * (w + 1) + 4 * (w + 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model, in which the commands are run."""
    (tmp_path / "m.yaml").write_text(MODEL, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run the command in this process: what it prints; nothing on standard error."""
    for name in ("COLUMNS", "NO_COLOR", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def told(*arguments: str) -> str:
        command_line(["sweep", *arguments], prog_name="dense-calc", standalone_mode=False)
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return told


def rows(told: Told, *arguments: str) -> list[Row]:
    """The rows of a run, as JSON has them."""
    return [json.loads(line) for line in told(*arguments, "--format", "json").splitlines()]


def widths(told: Told, *arguments: str) -> list[Any]:
    """What the width is in each row of a run."""
    return [row["set"]["w"] for row in rows(told, "m.yaml", *arguments)]


# values of a setting as a text → what they are
VALUES: dict[str, list[Any]] = {
    "32": [32],
    "32,64,128": [32, 64, 128],
    " 32 , 64 ": [32, 64],
    "1,2,": [1, 2],
    "8,8": [8, 8],
    "2:12:2": [2, 4, 6, 8, 10, 12],
    "2:5": [2, 3, 4, 5],
    "7:7": [7],
    "2:11:4": [2, 6, 10],
    "2:3:5": [2],
    "12:2:-4": [12, 8, 4],
    "3:1:-1": [3, 2, 1],
    "-2:2:2": [-2, 0, 2],
    "0:0": [0],
    "1_000:1_002": [1000, 1001, 1002],
    "010:0x0c": [10, 11, 12],
    "1e3:1002": [1000, 1001, 1002],
    "1:2:0.5": [1.0, 1.5, 2.0],
    "0:1:0.1": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    "0.1:0.35:0.1": [0.1, 0.2, 0.3],
    "1:0:-0.25": [1.0, 0.75, 0.5, 0.25, 0.0],
    "1,4:6,32": [1, 4, 5, 6, 32],
    "1:2,0.5:1:0.5,relu": [1, 2, 0.5, 1.0, "relu"],
    "relu,gelu": ["relu", "gelu"],
    "\"relu\",'gelu'": ["relu", "gelu"],
    "true,false,null,~": [True, False, None, None],
    "yes,no": ["yes", "no"],
    "0.5,1.0,1e-3": [0.5, 1.0, 0.001],
    "2*4,w // 2": ["2*4", "w // 2"],
    "[32,32,1],[64,64,1]": [[32, 32, 1], [64, 64, 1]],
    "[32, null, 1]": [[32, None, 1]],
    "[3],4:5,[6, 7]": [[3], 4, 5, [6, 7]],
    "{LSTM: {units: 3}},{GRU: {units: 3}}": [{"LSTM": {"units": 3}}, {"GRU": {"units": 3}}],
}


@pytest.mark.parametrize("text", VALUES)
def test_a_text_is_values(text: str) -> None:
    found = list(values_of("w", text))
    assert found == VALUES[text]
    assert list(map(type, found)) == list(map(type, VALUES[text]))


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 60), st.booleans())
def test_a_range_has_its_first_value_and_those_that_the_steps_meet(
    first: int, last: int, step: int, is_down: bool
) -> None:
    low, high = sorted((first, last))
    text = f"{high}:{low}:-{step}" if is_down else f"{low}:{high}:{step}"
    found = list(values_of("w", text))
    assert found[0] == (high if is_down else low)
    assert all(low <= each <= high for each in found)
    assert {abs(b - a) for a, b in pairwise(found)} <= {step}
    assert high - low - abs(found[-1] - found[0]) < step


def test_a_long_range_is_not_written_out() -> None:
    assert isinstance(values_of("w", "1:1000000"), range)


def blamed(text: str, message: str, column: int = 2, width: int | None = None) -> str:
    """The whole complaint about values, of which some are to blame."""
    caret = " " * (5 + column) + "^" * (len(text) if width is None else width)
    return f"--set w:1:{column}: error: {message}\n  1 | [{text}]\n{caret}"


NO_RANGE = "a range is first:last or first:last:step, not"
# values that are none → the complaint
NO_VALUES: dict[str, str] = {
    "2:12:0": blamed("2:12:0", "the step of a range cannot be 0"),
    "2:12:0.0": blamed("2:12:0.0", "the step of a range cannot be 0"),
    "12:2": blamed("12:2", "there is nothing in the range 12:2; to count down: 12:2:-1"),
    "12:2:3": blamed("12:2:3", "there is nothing in the range 12:2:3; to count down: 12:2:-3"),
    "2:12:-3": blamed("2:12:-3", "there is nothing in the range 2:12:-3; to count up: 2:12:3"),
    "12:2:0.5": blamed(
        "12:2:0.5", "there is nothing in the range 12:2:0.5; to count down: 12:2:-0.5"
    ),
    "a:b": blamed("a:b", f"{NO_RANGE} a:b"),
    "1:d": blamed("1:d", f"{NO_RANGE} 1:d"),
    "1:2:x": blamed("1:2:x", f"{NO_RANGE} 1:2:x"),
    ".nan:3": blamed(".nan:3", f"{NO_RANGE} .nan:3"),
    "true:3": blamed("true:3", f"{NO_RANGE} true:3"),
    "1:.inf": blamed("1:.inf", f"{NO_RANGE} 1:.inf"),
    "1:4:1e400": blamed("1:4:1e400", f"{NO_RANGE} 1:4:1e400"),
    "4,a:b,5": blamed("4,a:b,5", f"{NO_RANGE} a:b", column=4, width=3),
    "1:1e9": blamed("1:1e9", "a range may have at most 1,000,000 values; widen its step"),
    "0:1:1e-300": blamed("0:1:1e-300", "a range may have at most 1,000,000 values; widen its step"),
    "9223372036854775808": blamed(
        "9223372036854775808", "a number may be at most 9,223,372,036,854,775,807"
    ),
    "1:600000,1:600000": "error: 'w' has more than 1,000,000 values; take fewer, or wider steps",
}


@pytest.mark.parametrize("text", NO_VALUES)
def test_what_is_no_values_is_a_complaint(text: str) -> None:
    with pytest.raises(SpecError) as error:
        values_of("w", text)
    assert str(error.value) == NO_VALUES[text]


@pytest.mark.parametrize("text", ["1,,2", ",", "[4", "4]", "1:", ":", "a\tb: [", "*a", "!!int 4"])
def test_what_is_no_yaml_is_a_complaint_about_the_setting(text: str) -> None:
    with pytest.raises(SpecError, match=r"^--set w:1:\d+: error: "):
        values_of("w", text)


COMBINATIONS: list[tuple[list[str], list[tuple[Any, ...]]]] = [
    (["w=4,8"], [(4,), (8,)]),
    (["w=4,8", "d=1:3"], [(4, 1), (4, 2), (4, 3), (8, 1), (8, 2), (8, 3)]),
    (["d=1:3", "w=4,8"], [(1, 4), (1, 8), (2, 4), (2, 8), (3, 4), (3, 8)]),
    (["d=1,2", "w=4", "head.units=5,6"], [(1, 4, 5), (1, 4, 6), (2, 4, 5), (2, 4, 6)]),
    (["w=4,4"], [(4,), (4,)]),
    (["w=3", "d=1", "w=4,5"], [(4, 1), (5, 1)]),  # the last of a name wins
    (["w=4,8", "d=1,2", "--zip"], [(4, 1), (8, 2)]),
    (["w=4:8:2", "d=3:1:-1", "--zip"], [(4, 3), (6, 2), (8, 1)]),
    (["w=4", "d=1", "--zip"], [(4, 1)]),
]


@pytest.mark.parametrize(("given", "combinations"), COMBINATIONS)
def test_combinations_are_in_order_and_the_last_setting_changes_fastest(
    given: list[str], combinations: list[tuple[Any, ...]], told: Told
) -> None:
    arguments = [part for each in given for part in (("--set",) if "=" in each else ()) + (each,)]
    found = [row["set"] for row in rows(told, "m.yaml", *arguments)]
    assert [tuple(each.values()) for each in found] == combinations
    names = list(dict.fromkeys(each.partition("=")[0] for each in given if "=" in each))
    assert all(list(each) == names for each in found)


def fields(report: Report) -> Row:
    """What a row has of a report."""
    names = ("total_params", "trainable_params", "non_trainable_params", "total_bytes")
    return {name: getattr(report, name) for name in names}


def expected(path: Path, values: Mapping[str, Any]) -> Row:
    """The row that these settings must have, worked out anew."""
    base = summarize(path).total_params
    try:
        model = load(path, **values)
        report = trace(model)
    except DenseCalcError as error:
        return {"set": values, "error": error.message}
    row = {"set": values, **fields(report), "change": report.total_params - base}
    limits = [limit for limit in model.limits if limit.rule != "exact"]
    if not limits:
        return row
    try:
        return row | {"within_budget": all(check.ok for check in checks(report, limits))}
    except SpecError:
        return row | {"within_budget": None}


# specs → settings and their values
SWEPT: list[tuple[str, dict[str, Any]]] = [
    ("lenet5", {"width": "2:12:5,0,-1,2.5,relu"}),
    ("lenet5", {"conv2d_1.filters": "8,16,0", "digits.units": [1, 10], "width": [6, 8]}),
    ("lenet5", {"input": "[28,28,1],[32,32,3],[4,4,1],[28,28],7"}),
    ("mnist", {"dense.units": "1:3", "dense.use_bias": [True, False], "dense.dtype": ["float16"]}),
    ("gpt2", {"depth": "11:13", "width": "768,780,764", "heads": "12,7"}),
    ("gpt2", {"tokens": [[1024], [512]], "decoder/mlp.units": ["width", 100]}),
    ("gpt2", {"decoder_3/mlp.use_bias": [True, False], "embedding.output_dim": [768, 700]}),
    ("vit-b16", {"side": "224,256,384", "patch": "16,32"}),
    ("residual", {"channels": "16:64:16"}),
    ("stacked", {"input": "[5, 8],[3, 3]"}),
    ("unet", {"width": [8, 16], "classes": "1:3"}),
    ("convnet-any-size", {"input": "[null, null, 3],[null, null, 1],[32, 32, 3]"}),
]


@pytest.mark.parametrize(("spec", "given"), SWEPT)
def test_each_row_is_what_a_summary_says(spec: str, given: dict[str, Any]) -> None:
    path = ROOT / "specs" / f"{spec}.yaml"
    whole = sweep(path, given)
    names = list(given)
    combinations = product(*(values_of(name, each) for name, each in given.items()))
    wanted = [expected(path, dict(zip(names, each, strict=True))) for each in combinations]
    assert list(whole) == wanted
    for place in random.Random(0).sample(range(len(whole)), len(whole)):
        assert whole[place] == wanted[place]


SPECS = {path.stem: path for path in sorted((ROOT / "specs").glob("*.yaml"))}
VARS: dict[str, dict[str, Any]] = {
    name: found["vars"]
    for name, path in SPECS.items()
    if "vars" in (found := yaml.safe_load(path.read_text("utf-8")))
}


@pytest.mark.parametrize("spec", VARS)
def test_a_var_is_what_it_would_be_if_the_file_said_so(spec: str) -> None:
    text = SPECS[spec].read_text("utf-8")
    numbers = {name: value for name, value in VARS[spec].items() if isinstance(value, int)}
    for name, value in numbers.items():
        given = [value, value + 1, 2 * value] if value < 100 else [value + 16]
        for row in sweep(SPECS[spec], {name: given}):
            changed = yaml.safe_load(text)
            changed["vars"] |= row["set"]
            source = Source("m.yaml", yaml.safe_dump(changed, sort_keys=False))
            try:
                wanted = fields(trace(parse(source, "m")))
            except DenseCalcError as error:
                wanted = {"error": error.message}
            assert {key: row[key] for key in wanted} == wanted


@settings(max_examples=40)
@given(st.data())
def test_rows_are_the_same_in_any_order(data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(list(VARS)), "spec")
    names = data.draw(st.permutations(list(VARS[spec])), "names")[:2]
    numbers = st.integers(0, 6) | st.sampled_from([8, 16, 64, 1.5, "2*3", "x", None])
    given = {name: data.draw(st.lists(numbers, min_size=1, max_size=3), name) for name in names}
    whole = sweep(SPECS[spec], given)
    for place in data.draw(st.permutations(range(len(whole))), "order"):
        assert whole[place] == expected(SPECS[spec], whole.settings(place))


ERRORS: list[tuple[str, str, str]] = [
    ("w", "0", NO_UNITS),
    ("w", "2.5", "Dense's 'units' must be a positive integer, not 2.5"),
    ("w", "null", "a var is a number or an expression, not nothing"),
    ("w", "[1, 2]", "a var is a number or an expression, not a list of 2"),
    ("w", "x", "'x' is not a var; there is w, d"),
    ("w", "w", "vars use each other: 'w' uses 'w'"),
    ("w", "1:2:3:4", "'1:2:3:4' is neither a number nor an expression"),
    ("d", "0", "b's 'repeat' must be a positive integer, not 0"),
    (
        "head.activation",
        "relux",
        "Dense's 'activation' must be a name that Keras knows, not 'relux'; did you mean 'relu'?",
    ),
    ("head.units", "[3]", "Dense's 'units' must be a positive integer, not a list of 1"),
    (
        "input",
        "7",
        "InputLayer's 'shape' must be a list of at most 64 integers of at least 0, not 7",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), ERRORS)
def test_what_is_no_model_is_a_row_that_says_why(
    name: str, value: str, message: str, folder: Path
) -> None:
    before, row, after = sweep("m.yaml", {name: [*values_of(name, value)] * 3})
    assert before == row == after
    assert list(row) == ["set", "error"]
    assert row["error"] == message


def test_one_broken_combination_does_not_end_the_run(told: Told) -> None:
    assert told("m.yaml", "--set", "w=4,0,8", "--format", "json") == (
        '{"set":{"w":4},"total_params":56,"trainable_params":56,"non_trainable_params":0,'
        '"total_bytes":224,"change":-156,"within_budget":true}\n'
        '{"set":{"w":0},"error":"' + NO_UNITS + '"}\n'
        '{"set":{"w":8},"total_params":108,"trainable_params":108,"non_trainable_params":0,'
        '"total_bytes":432,"change":-104,"within_budget":true}\n'
    )


INNER = """\
input: [4]
layers:
  - Sequential: {name: inner, input: [4], layers: [Dense: {units: 4, name: one}]}
"""

# arguments after the file → the complaint
COMPLAINTS: list[tuple[str, str]] = [
    ("--set width=3", "error: m.yaml has no var 'width'; there is w, d"),
    ("--set ww=3", "error: m.yaml has no var 'ww'; did you mean 'w'?"),
    (
        "--set w=3 --set head.unit=3",
        "error: Dense 'head' has no argument 'unit'; did you mean 'units'?",
    ),
    ("--set haed.units=3", "error: m.yaml has no layer 'haed'; did you mean 'head'?"),
    ("--set head=3", "error: 'head' is a layer; say which argument of it: head.ARGUMENT=VALUE"),
    (
        "--set b.activation=relu",
        "error: 'b' is a block; let a var stand for its 'activation', and set that",
    ),
    (
        "--set w=1:3 --set d=1,2 --zip",
        "error: settings that go together need as many values each: 'w' has 3 and 'd' has 2",
    ),
    (
        "--set w=1:3 --set d=2 --zip",
        "error: settings that go together need as many values each: 'w' has 3 and 'd' has 1",
    ),
    (
        "--set w=1:1000 --set d=1:1001",
        "error: these are 1,001,000 combinations; there may be 1,000,000: take fewer values, or a "
        "range in wider steps, 32:512:32",
    ),
    ("--set w=4 --where params", "error: 'params' is no condition; write one like 'params<5M'"),
    ("--set w=4 --where=", "error: '' is no condition; write one like 'params<5M'"),
    ("--set w=4 --where parms<3", "error: rows have no 'parms'; did you mean 'params'?"),
    (
        "--set w=4 --where d=1",
        "error: rows have no 'd'; there is w, params, trainable, non_trainable, size, change, "
        "within_budget",
    ),
    (
        "--set w=4 --where params<x",
        "error: 'params' is compared with a number such as 100k or 5M, not 'x'",
    ),
    (
        "--set w=4 --where params=>3",
        "error: 'params' is compared with a number such as 100k or 5M, not '>3'",
    ),
    (
        "--set w=4 --where params<5MB",
        "error: 'params' is compared with a number such as 100k or 5M, not '5MB'; 'MB' counts "
        "bytes",
    ),
    (
        "--set w=4 --where size<1M",
        "error: 'size' is compared with a number such as 20MiB or 80MB, not '1M'; did you mean "
        "'1MB' or '1MiB'?",
    ),
    ("--set w=4 --sort parms", "error: rows have no 'parms'; did you mean 'params'?"),
    ("--set w=4 --sort -parms", "error: rows have no 'parms'; did you mean 'params'?"),
    ("--set w=4,8 --plot a.txt", "error: cannot write a.txt: a plot ends in .svg, .png or .pdf"),
    ("--set w=4,8 --plot a", "error: cannot write a: a plot ends in .svg, .png or .pdf"),
    ("--set w=0 --plot a.svg", "error: cannot write a.svg: there is nothing to plot"),
    ("--set w=4 -o no/a.csv", "error: cannot write no/a.csv: No such file or directory"),
    ("--set w=4,8 --plot no/a.svg", "error: cannot write no/a.svg: No such file or directory"),
]


@pytest.mark.parametrize(("arguments", "message"), COMPLAINTS)
def test_what_is_wrong_is_said_before_anything_is_printed(
    arguments: str, message: str, told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DenseCalcError) as error:
        told("m.yaml", *arguments.split())
    assert str(error.value) == message
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["inner/on.units", "inner/one.unit", "inner.one.units"])
def test_a_setting_that_a_model_inside_has_not_is_a_complaint(name: str, told: Told) -> None:
    Path("m.yaml").write_text(INNER, "utf-8")
    with pytest.raises(SpecError):
        told("m.yaml", "--set", f"{name}=3,4")
    assert [row["total_params"] for row in sweep("m.yaml", {"inner/one.units": [3, 4]})] == [15, 20]


USAGES: list[tuple[str, str]] = [
    ("", "Missing option '--set'."),
    ("--set w", "Invalid value for '--set': 'w' is not NAME=VALUE"),
    ("--set w=", "Invalid value for '--set': 'w=' is not NAME=VALUE"),
    ("--set w=4 --top 0", "Invalid value for '--top': 0 is not in the range x>=1."),
    ("--set w=4 --jobs 0", "Invalid value for '--jobs': 0 is not in the range x>=1."),
    (
        "--set w=4,8 --set d=1,2 --set head.units=1,2 --plot a.svg",
        "A picture shows 2 settings, not 3.",
    ),
    (
        "--set w=4,8 --set d=1,2 --set head.units=1,2 --format chart",
        "A picture shows 2 settings, not 3.",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), USAGES)
def test_a_wrong_command_line_is_a_complaint(arguments: str, message: str, told: Told) -> None:
    with pytest.raises(click.UsageError) as error:
        told("m.yaml", *arguments.split())
    assert error.value.format_message() == message


def test_an_unknown_name_ends_the_run_and_prints_nothing(folder: Path, run: Run) -> None:
    result = run("sweep", "m.yaml", "--set", "ww=3,4", cwd=folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: m.yaml has no var 'ww'; did you mean 'w'?\n"


def test_a_bad_ending_of_a_plot_is_seen_before_the_work(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_row(self: object, settings: object) -> None:
        pytest.fail("a row was worked out")

    monkeypatch.setattr("dense_calc.settings.variants.Variants.row", no_row)
    with pytest.raises(FileError, match=r"a plot ends in"):
        told("m.yaml", "--set", "w=1:1000", "--plot", "a.txt")


@pytest.mark.parametrize("base", ["0", "x", "[]"])
def test_a_file_may_be_no_model_as_it_stands(base: str, told: Told) -> None:
    Path("m.yaml").write_text(MODEL.replace("w: 16", f"w: {base}"), "utf-8")
    (row,) = sweep("m.yaml", {"w": [4]})
    assert (row["total_params"], row["change"]) == (56, None)
    text = told("m.yaml", "--set", "w=4", "--format", "text")
    assert "As the file stands" not in text
    assert text.splitlines()[4].split() == ["4", "56", "56", "224.00", "B", "-", "yes"]


BUDGETED = """\
vars: {w: 4, d: 3}
input: [8]
blocks: {part: [Dense: {units: w, name: dense}]}
layers:
  - part: {repeat: d}
  - Sequential: {name: inner, input: [w], layers: [Dense: {units: 4, name: one}, Dense: {units: 2}]}
budget:
"""
# a budget → whether the models with w=4,5 and d=2,3,4 are within it
BUDGETS: dict[str, list[bool | None]] = {
    "{params: 130}": [True, True, True, True, False, False],
    "{params: 106, min_params: 100}": [False, True, False, False, False, False],
    "{trainable: 0}": [False] * 6,
    "{size: 436}": [True, True, False, True, False, False],
    "{layers: {part: {params: 100}}}": [True, True, True, True, False, False],
    "{layers: {part_2: {params: 20}}}": [None, True, True, None, False, False],
    "{layers: {part_*: {params: 36, each: true}}}": [True, True, True, False, False, False],
    "{layers: {inner: {params: 30}}}": [True, True, True, False, False, False],
    "{layers: {inner/one: {params: 20}}}": [True, True, True, False, False, False],
    "{layers: {inner/one: {params: 24}, part_3: {size: 1MB}}}": [None, None, True] * 2,
    "{params: 1M, layers: {inner/dense: {params: 9}}}": [False] * 6,
}


@pytest.mark.parametrize("budget", BUDGETS)
def test_each_row_is_held_against_the_budget_of_the_file(budget: str, folder: Path) -> None:
    Path("m.yaml").write_text(BUDGETED.replace("budget:", f"budget: {budget}"), "utf-8")
    whole = sweep("m.yaml", {"w": [4, 5], "d": [2, 3, 4]})
    assert [row["within_budget"] for row in whole] == BUDGETS[budget]
    for place in (3, 0, 5, 2, 4, 1):
        assert whole[place] == expected(Path("m.yaml"), whole.settings(place))


@pytest.mark.parametrize("limits", ["", "expect: {params: 3}\n"])
def test_without_a_budget_rows_have_nothing_to_be_within(limits: str, folder: Path) -> None:
    Path("m.yaml").write_text(MODEL.replace("budget: {params: 300}\n", limits), "utf-8")
    (row,) = sweep("m.yaml", {"w": [4]})
    assert "within_budget" not in row


# conditions → the widths of 4, 8, 0, 16, 32 that fulfil them; they have 56, 108, -, 212, 420
CONDITIONS: dict[str, list[int]] = {
    "params<200": [4, 8],
    "w>4 AND w<16": [8],
    "within_budget=yes": [4, 8, 16],
    "within_budget = no": [32],
    "params <= 0.212k": [4, 8, 16],
    "params>=2_12": [16, 32],
    "params>1M": [],
    "params=108": [8],
    "params == 108": [8],
    "params!=108": [4, 16, 32],
    "trainable>100params": [8, 16, 32],
    "non_trainable=0": [4, 8, 16, 32],
    "size<=1KB": [4, 8, 16],
    "size<1KiB": [4, 8, 16],
    "size>1KiB": [32],
    "change<0": [4, 8],
    "change<-150": [4],
    "change>=-104": [8, 16, 32],
    "change>+0.1k": [32],
    "change!=0": [4, 8, 32],
    "within_budget": [4, 8, 16],
    "within_budget=true": [4, 8, 16],
    "within_budget=false": [32],
    "within_budget!=true": [32],
    "w>=8": [8, 16, 32],
    "w<8": [4, 0],
    "w=8.0": [8],
    "w!=8": [4, 0, 16, 32],
    "w=010": [],
    "w>4 and params<300": [8, 16],
    "w>4   and params<300 and within_budget and w!=8": [16],
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_rows_for_which_a_condition_holds_are_shown(condition: str, told: Told) -> None:
    given = ("--set", "w=4,8,0,16,32", "--where", condition)
    assert widths(told, *given) == CONDITIONS[condition]


def test_all_conditions_must_hold(told: Told) -> None:
    given = ("--set", "w=4,8,0,16,32", "--where", "w>4", "--where", "params<300")
    assert widths(told, *given) == [8, 16]


# a setting, its values, and a condition on it → which of the values fulfil it
ON_SETTINGS: list[tuple[str, str, str, list[Any]]] = [
    ("head.activation", "relu,gelu,null", "head.activation=relu", ["relu"]),
    ("head.activation", "relu,gelu", "head.activation != relu", ["gelu"]),
    ("head.use_bias", "true,false", "head.use_bias=false", [False]),
    ("head.use_bias", "true,false", "head.use_bias!=false", [True]),
    ("head.units", "1:9:2", "head.units>3 and head.units<=7", [5, 7]),
    ("head.units", "2*4,3", "head.units=2*4", ["2*4"]),
    ("input", "[8],[9],[3, 8]", "input=[9]", [[9]]),
    ("input", "[8],[9],[3, 8]", "input=[3,8]", [[3, 8]]),
    ("input", "[8],[9],[3, 8]", "input!=[9]", [[8], [3, 8]]),
]


@pytest.mark.parametrize(("name", "values", "condition", "kept"), ON_SETTINGS)
def test_a_condition_may_be_on_any_setting(
    name: str, values: str, condition: str, kept: list[Any], told: Told
) -> None:
    given = ("m.yaml", "--set", f"{name}={values}", "--where", condition)
    assert [row["set"][name] for row in rows(told, *given)] == kept


@pytest.mark.parametrize(
    "condition",
    [
        "w>8 and",
        "w<abc",
        "w<",
        "within_budget<5",
        "not within_budget",
        "200>params",
        "w in 8",
        "error",
        "and",
        " ",
    ],
)
def test_a_condition_that_no_row_could_fulfil_is_a_complaint(condition: str, told: Told) -> None:
    with pytest.raises(SpecError):
        told("m.yaml", "--set", "w=4,8", "--where", condition)


def test_nothing_is_left(told: Told) -> None:
    given = ("m.yaml", "--set", "w=4,8", "--where", "params>1M", "--format")
    assert told(*given, "json") == ""
    assert told(*given, "csv") == (
        "w,total_params,trainable_params,non_trainable_params,total_bytes,change,within_budget,"
        "error\n"
    )
    assert told(*given, "text") == dedent("""\
        m.yaml
        _________________________________________________________________
                                      w  Param #  Trainable  Size  Change
        =================================================================
        Shown: 0 of 2 combinations
        As the file stands: 212 params
        _________________________________________________________________
        """)


# a spec whose sizes are told apart by more than parameters: of two widths and a type
SORTED = """\
vars: {w: 2}
input: [4]
layers: [Dense: {units: w, name: a}, BatchNormalization: {name: n}, Dense: {units: 1, name: b}]
budget: {size: 100}
"""
# in the order of the rows: w, a.dtype and what comes of them
MADE: list[tuple[int, str, int | None]] = [
    (3, "float32", 15 + 12 + 4),
    (3, "float16", 15 + 12 + 4),
    (0, "float32", None),
    (0, "float16", None),
    (1, "float32", 5 + 4 + 2),
    (1, "float16", 5 + 4 + 2),
    (2, "float32", 10 + 8 + 3),
    (2, "float16", 10 + 8 + 3),
]
GROWING = tuple((w, dtype) for w in (1, 2, 3, 0) for dtype in ("32", "16"))
SHRINKING = tuple((w, dtype) for w in (3, 2, 1, 0) for dtype in ("32", "16"))
ORDERS: dict[str, Sequence[tuple[int, str]]] = {
    "w": [(0, "32"), (0, "16"), (1, "32"), (1, "16"), (2, "32"), (2, "16"), (3, "32"), (3, "16")],
    "-w": [(3, "32"), (3, "16"), (2, "32"), (2, "16"), (1, "32"), (1, "16"), (0, "32"), (0, "16")],
    "a.dtype": [(w, "16") for w in (3, 0, 1, 2)] + [(w, "32") for w in (3, 0, 1, 2)],
    "-a.dtype": [(w, "32") for w in (3, 0, 1, 2)] + [(w, "16") for w in (3, 0, 1, 2)],
    **dict.fromkeys(("params", "trainable", "non_trainable", "change"), GROWING),
    **dict.fromkeys(("-params", "-trainable", "-non_trainable", "-change"), SHRINKING),
    "size": [
        (1, "16"),
        (1, "32"),
        (2, "16"),
        (2, "32"),
        (3, "16"),
        (3, "32"),
        (0, "32"),
        (0, "16"),
    ],
    "-size": [
        (3, "32"),
        (3, "16"),
        (2, "32"),
        (2, "16"),
        (1, "32"),
        (1, "16"),
        (0, "32"),
        (0, "16"),
    ],
    "within_budget": [(3, "32"), (1, "32"), (1, "16"), (2, "32"), (2, "16"), (3, "16")],
}


def in_order(told: Told, *arguments: str) -> list[tuple[int, str]]:
    """The widths and types of the rows of a run."""
    Path("m.yaml").write_text(SORTED, "utf-8")
    given = ("--set", "w=3,0,1,2", "--set", "a.dtype=float32,float16")
    found = rows(told, "m.yaml", *given, *arguments)
    return [(row["set"]["w"], row["set"]["a.dtype"].removeprefix("float")) for row in found]


def test_rows_come_as_they_are_made(told: Told) -> None:
    assert in_order(told) == [(w, dtype.removeprefix("float")) for w, dtype, _ in MADE]
    found = [row.get("total_params") for row in sweep("m.yaml", {"w": [3, 0, 1, 2]})]
    assert found == [total for _, dtype, total in MADE if dtype == "float32"]


@pytest.mark.parametrize("by", [each for each in ORDERS if each != "within_budget"])
@pytest.mark.parametrize("top", [None, 1, 3, 7, 8, 9])
@pytest.mark.parametrize("few", [1, 3, 10_000])
def test_rows_are_sorted_what_is_no_model_last_and_equal_ones_as_they_come(
    by: str, top: int | None, few: int, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "FEW", few)
    arguments = () if top is None else ("--top", str(top))
    assert in_order(told, "--sort", by, *arguments) == list(ORDERS[by][:top])


def test_rows_are_sorted_by_whether_they_are_within_budget(told: Told) -> None:
    Path("m.yaml").write_text(MODEL, "utf-8")
    given = ("--set", "w=32,4,0,64,8", "--sort")
    assert widths(told, *given, "within_budget") == [32, 64, 4, 8, 0]
    assert widths(told, *given, "-within_budget") == [4, 8, 32, 64, 0]


def test_the_top_without_an_order_are_the_largest(told: Told) -> None:
    assert widths(told, "--set", "w=4,8,0,32,16", "--top", "2") == [32, 16]
    assert widths(told, "--set", "w=4,8,0,32,16", "--top", "5") == [32, 16, 8, 4, 0]


def test_what_is_wanted_is_chosen_before_it_is_sorted_and_counted(told: Told) -> None:
    given = ("--set", "w=4,8,0,32,16", "--where", "params<300", "--sort", "-w", "--top", "2")
    assert widths(told, *given) == [16, 8]


def test_lists_and_words_have_an_order_too(told: Told) -> None:
    found = rows(told, "m.yaml", "--set", "input=[64],[7],[8, 8],9", "--sort", "input")
    assert [row["set"]["input"] for row in found if "error" not in row] == [[7], [8, 8], [64]]
    given = ("--set", "head.activation=relu,gelu,tanh", "--sort", "-head.activation")
    found = rows(told, "m.yaml", *given)
    assert [row["set"]["head.activation"] for row in found] == ["tanh", "relu", "gelu"]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers())),
    st.booleans(),
    st.none() | st.integers(1, 12),
    st.integers(1, 5),
)
def test_many_rows_are_arranged_as_few_are(
    pairs: list[tuple[int, int]], is_backwards: bool, top: int | None, few: int
) -> None:
    made: list[Row] = [{"set": {"w": w}, "total_params": total} for w, total in pairs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelf, "FEW", few)
        found = arranged(iter(made), lambda row: row["set"]["w"], is_backwards, top)
        assert list(found) == sorted(made, key=lambda r: r["set"]["w"], reverse=is_backwards)[:top]


@pytest.mark.parametrize("few", [0, 1, 4, 5, 6, 100])
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_shelf_gives_its_rows_again_and_again(
    few: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "FEW", chunk)
    made: list[Row] = [
        {"set": {"w": 10**30, "a": "é\x1b\n", "b": [1, None]}, "total_params": 10**25},
        {"set": {"w": 0.1}, "error": "'x'\nis no var"},
        *({"set": {"w": each}, "within_budget": None} for each in range(3)),
    ]
    held = Shelf(iter(made), few)
    assert list(held) == made
    next(iter(held))  # one that is left unread
    assert list(held) == made
    assert list(Shelf([], few)) == []


def test_a_sweep_beyond_what_memory_holds_is_the_same(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("m.yaml", "--set", "w=1:40", "--format", "text", "--sort", "-change")
    wanted = told(*given)
    monkeypatch.setattr(shelf, "FEW", 7)
    monkeypatch.setattr("dense_calc.cli.sweep.Shelf", lambda rows: Shelf(rows, few=5))
    assert told(*given) == wanted


def test_a_disk_that_is_full_is_a_complaint(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    monkeypatch.setattr(shelf, "FEW", 3)
    with pytest.raises(DenseCalcError, match="No space left on device"):
        told("m.yaml", "--set", "w=1:9", "--sort", "w")


# arguments → what is printed of one model, too large a one and none
SHOWN: dict[str, str] = {
    "--format text": """\
        m.yaml
        ________________________________________________________________________________________
          w  Param #  Trainable      Size  Change  In budget  Error
        ========================================================================================
          4       56         56  224.00 B    -156  yes        -
        ________________________________________________________________________________________
        100    1,304      1,304   5.09 KB  +1,092  no         -
        ________________________________________________________________________________________
          0        -          -         -       -  -          Dense's 'units' must be a positive
                                                              integer, not 0
        ========================================================================================
        As the file stands: 212 params
        ________________________________________________________________________________________
        """,
    "--format table --where params<1k": """\
        m.yaml
        ┏━━━┳━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━┓
        ┃ w ┃ Param # ┃ Trainable ┃     Size ┃ Change ┃ In budget ┃
        ┡━━━╇━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━┩
        │ 4 │      56 │        56 │ 224.00 B │   -156 │ yes       │
        └───┴─────────┴───────────┴──────────┴────────┴───────────┘
         Shown: 1 of 3 combinations
         As the file stands: 212 params
        """,
    "--format table --width 60 --ascii": """\
        m.yaml
        +-----+---------+-----------+----------+--------+-----------+------------------+
        |   w | Param # | Trainable |     Size | Change | In budget | Error            |
        +=====+=========+===========+==========+========+===========+==================+
        """,
    "--format table --where w>0 --width 40": """\
        m.yaml
        ┏━━━━━┳━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━━┓
        ┃   w ┃ Param # ┃ Trainable ┃     Size ┃ Change ┃ In budget ┃
        ┡━━━━━╇━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━━┩
        │   4 │      56 │        56 │ 224.00 B │   -156 │ yes       │
        ├─────┼─────────┼───────────┼──────────┼────────┼───────────┤
        │ 100 │   1,304 │     1,304 │  5.09 KB │ +1,092 │ no        │
        └─────┴─────────┴───────────┴──────────┴────────┴───────────┘
         Shown: 2 of 3 combinations
         As the file stands: 212 params

        params
          1.5k ┤
               │                               ●
               │                            ⣀⠤⠊⠁
               │                         ⣀⠔⠊
            1k ┤                      ⡠⠔⠊
               │                   ⡠⠔⠉
               │               ⢀⡠⠒⠉
               │            ⢀⠤⠒⠁
           500 ┤         ⢀⠤⠊⠁
               │      ⣀⠔⠊⠁
               │   ⣀⠔⠊
               │●⠔⠉
             0 ┤
               └┬──────────────────────────────┬
                4                            100
                               w
        """,
    "--format markdown": """\
        **m.yaml**

        | w | Param # | Trainable | Size | Change | In budget | Error |
        | ---: | ---: | ---: | ---: | ---: | --- | --- |
        | 4 | 56 | 56 | 224.00 B | -156 | yes | - |
        | 100 | 1,304 | 1,304 | 5.09 KB | +1,092 | no | - |
        | 0 | - | - | - | - | - | Dense's 'units' must be a positive integer, not 0 |

        - As the file stands: 212 params
        """,
    "--format csv": """\
        w,total_params,trainable_params,non_trainable_params,total_bytes,change,within_budget,error
        4,56,56,0,224,-156,true,
        100,1304,1304,0,5216,1092,false,
        0,,,,,,,"Dense's 'units' must be a positive integer, not 0"
        """,
    "--format json --where w!=100": """\
        {"set":{"w":4},"total_params":56,"trainable_params":56,"non_trainable_params":0,\
"total_bytes":224,"change":-156,"within_budget":true}
        {"set":{"w":0},"error":"Dense's 'units' must be a positive integer, not 0"}
        """,
    "--set w=4,8 --set d=1:3 --format chart --width 40": """\
        d
          │░░░░░░██████
        3 │░░░░░░██████
          │░░░░░░██████
          │░░░░░░▓▓▓▓▓▓
        2 │░░░░░░▓▓▓▓▓▓
          │░░░░░░▓▓▓▓▓▓
          │░░░░░░▒▒▒▒▒▒
        1 │░░░░░░▒▒▒▒▒▒
          │░░░░░░▒▒▒▒▒▒
          └───┬─────┬──
              4     8
                w
        56 ░▒▓█ 252
        params
        """,
    "--set w=4,8 --set d=1:3 --format chart --ascii": """\
        d
          |::::::@@@@@@
        3 |::::::@@@@@@
          |::::::@@@@@@
          |......******
        2 |......******
          |......******
          |......------
        1 |......------
          |......------
          +---+-----+--
              4     8
                w
        56 .:-=+*#%@ 252
        params
        """,
}
OPENED = "--format table --width 60 --ascii"  # the rest is as long as it is narrow


@pytest.mark.parametrize("arguments", SHOWN)
def test_each_format(arguments: str, told: Told) -> None:
    found = told("m.yaml", "--set", "w=4,100,0", *arguments.split())
    wanted = dedent(SHOWN[arguments])
    if arguments == "--format text":  # the error is on one line
        found = found.replace("positive integer, not 0", f"positive\n{' ' * 54}integer, not 0")
        assert [line.rstrip("_=") for line in found.splitlines()] == [
            line.rstrip("_=") for line in wanted.splitlines()
        ]
    elif arguments == OPENED:
        assert found.startswith(wanted)
        assert found.isascii()
    else:
        assert found == wanted


def test_an_error_has_room_on_a_narrow_page(told: Told) -> None:
    """One letter to a line is nothing that anybody reads."""
    given = ("m.yaml", "--set", "w=4,100,0", "--width", "60", "--format")
    for format in ("text", "table"):
        assert "positive" in told(*given, format)


def test_a_table_has_a_chart_if_several_models_are_in_it(told: Told) -> None:
    chart = told("m.yaml", "--set", "w=4,8", "--format", "chart")
    given = ("m.yaml", "--format", "table", "--set")
    assert told(*given, "w=4,8").endswith(f" As the file stands: 212 params\n\n{chart}")
    for few in ("w=4", "w=4,0"):
        assert told(*given, few).endswith("┘\n As the file stands: 212 params\n")
    three = told(*given, "w=4,8", "--set", "d=1,2", "--set", "head.units=1,2")
    assert three.endswith("┘\n As the file stands: 212 params\n")


def test_a_chart_is_of_the_settings_that_change(told: Told) -> None:
    chart = ("m.yaml", "--format", "chart", "--set")
    assert told(*chart, "w=4,8", "--set", "d=2") == told(*chart, "d=2", "--set", "w=4,8")
    assert told(*chart, "w=4,8", "--set", "d=2").splitlines()[-1].strip() == "w"
    zipped = told(*chart, "d=2", *("--set", "w=4"), *("--set", "head.units=3"), "--zip")
    assert zipped.splitlines()[-1].strip() == "d"


def test_a_chart_of_many_shows_all_that_is_left_of_them(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dense_calc.render.sweep_grid.MOST_POINTS", 4)
    text = told("m.yaml", "--set", "w=1:16", "--top", "3", "--format", "chart")
    assert text.splitlines()[-2].split() == ["14", "15", "16"]


def test_a_heat_map_of_many_has_each_row(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dense_calc.render.sweep_grid.MOST_POINTS", 4)
    text = told("m.yaml", "--set", "w=1:8", "--set", "d=1,2", "--format", "chart", "--ascii")
    labels = [line.partition("|")[0].strip() for line in text.splitlines() if "|" in line]
    assert [label for label in labels if label] == ["2", "1"]


# the ending of a file → how what is written begins
ENDINGS = {
    ".json": '{"set":{"w":4},',
    ".jsonl": '{"set":{"w":4},',
    ".csv": "w,total_params,",
    ".md": "**m.yaml**\n\n| w |",
    ".txt": "m.yaml\n____",
    "": "m.yaml\n____",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_as_its_name_ends(ending: str, told: Told, folder: Path) -> None:
    given = ("m.yaml", "--set", "w=4,8,0", "-o", f"out{ending}")
    assert told(*given) == ""
    text = (folder / f"out{ending}").read_text("utf-8")
    assert text.startswith(ENDINGS[ending])
    assert told(*given, "--format", "csv") == ""
    assert (folder / f"out{ending}").read_text("utf-8").startswith("w,total_params")


HEADS = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".pdf": b"%PDF", ".PNG": b"\x89PNG\r\n"}


@pytest.mark.parametrize("ending", HEADS)
def test_a_plot_is_drawn_beside_what_is_printed(ending: str, told: Told, folder: Path) -> None:
    given = ("m.yaml", "--set", "w=4,8,0", "--format", "json")
    assert told(*given, "--plot", f"a{ending}") == told(*given)
    assert (folder / f"a{ending}").read_bytes().startswith(HEADS[ending])


def test_a_plot_says_what_it_shows(told: Told, folder: Path) -> None:
    told("m.yaml", "--set", "w=4,8", "--set", "d=1:3", "--set", "head.units=4", "--plot", "a.svg")
    svg = (folder / "a.svg").read_text("utf-8")
    assert all(f"<!-- {text} -->" in svg for text in ("w", "d", "252", "parameters"))


def test_a_plot_needs_matplotlib(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        FileError, match=r"a plot needs matplotlib: pip install 'dense-calc\[plot\]"
    ):
        told("m.yaml", "--set", "w=4,8", "--plot", "a.svg")


def test_several_processes_print_the_same(folder: Path, run: Run) -> None:
    given = ("sweep", "-", "--set", "w=0:1100", "--where", "w!=3", "--format", "csv")
    one = run(*given, cwd=folder, stdin=MODEL)
    two = run(*given, "--jobs", "2", cwd=folder, stdin=MODEL)
    assert (two.stdout, two.stderr, two.returncode) == (one.stdout, "", 0)
    assert len(one.stdout.splitlines()) == 1101


# The command, which the keyboard can stop even where the tests are run in the background.
STOPPABLE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, '-m', 'dense_calc', *sys.argv[1:]])"
)


def started(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A long run, in a group of its own."""
    given = ("sweep", "m.yaml", "--set", "w=1:1000000", "--format", "json", *arguments)
    return subprocess.Popen(
        [sys.executable, "-c", STOPPABLE, *given],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def said_at_the_end(process: subprocess.Popen[bytes]) -> bytes:
    """What a run and all processes that it started said, once they have ended."""
    assert process.stderr
    try:
        return process.communicate(timeout=60)[1]  # whoever is left holds standard error open
    finally:
        if process.returncode is None or sys.exc_info()[0]:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_closed_pipe_is_silent_and_leaves_no_process(jobs: str, folder: Path) -> None:
    process = started(folder, "--jobs", jobs)
    assert process.stdout
    assert process.stdout.readline().startswith(b'{"set":{"w":1},')
    process.stdout.close()
    process.stdout = None
    assert said_at_the_end(process) == b""
    assert process.returncode in (-signal.SIGPIPE, 128 + signal.SIGPIPE)


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM"])
def test_a_run_that_is_stopped_leaves_no_process(stop: str, folder: Path) -> None:
    process = started(folder, "--jobs", "2")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.Signals[stop])
    assert said_at_the_end(process).strip() == b""
    assert process.returncode != 0


# The command with no patience, which draws its bar at once.
IMPATIENT = (
    "import dense_calc.cli.progress as p; p.PATIENCE = {}; from dense_calc.cli import main; main()"
)


def watched(folder: Path, patience: float, *arguments: str, both: bool = False) -> tuple[str, str]:
    """What comes of a run on standard output, and on a terminal that is its standard error."""
    from pty import openpty  # not everywhere

    own, terminal = openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT.format(patience), "sweep", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "LANG": "C.UTF-8"},
        stdout=terminal if both else subprocess.PIPE,
        stderr=terminal,
    )
    os.close(terminal)
    seen = b""
    while part := read(own):
        seen += part
    os.close(own)
    out = process.communicate()[0] or b""
    assert process.returncode == 0
    return out.decode(), seen.decode()


def read(terminal: int) -> bytes:
    """What comes next of a terminal, nothing at its end."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody is left to write
        return b""


CSV = ("m.yaml", "--set", "w=4,0,8", "--format", "csv")


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_a_long_run_has_a_bar_where_somebody_waits(folder: Path, told: Told) -> None:
    out, seen = watched(folder, 0, *CSV)
    assert out == told(*CSV)
    assert "sweep" in seen
    assert "3/3" in seen
    assert seen.endswith("\x1b[2K")  # it is wiped away


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_a_short_run_has_no_bar_nor_one_that_prints_where_the_bar_would_be(folder: Path) -> None:
    assert watched(folder, 60, *CSV)[1] == ""
    assert "sweep" not in watched(folder, 0, *CSV, both=True)[1]
    out, seen = watched(folder, 0, *CSV[:3], "--format", "markdown", both=True)
    assert out == ""
    assert seen.index("3/3") < seen.index("**m.yaml**")


def test_there_is_no_bar_without_a_terminal(folder: Path, told: Told) -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPATIENT.format(0), "sweep", *CSV],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "FORCE_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (result.stdout, result.stderr) == (told(*CSV), "")


HOSTILE = """\
input: [8]
layers: [Dense: {units: 4, name: "a|b\\u001b[31m*模*"}]
"""
LAYER = "a|b\x1b[31m*模*"
FORMATS = ("text", "table", "markdown", "csv", "json", "chart")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "given", [f"{LAYER}.units=3,4,0", f'{LAYER}.activation=relu,"x\\e[31m|\\n\\u202e",gelu']
)
def test_no_text_speaks_to_the_terminal(format: str, given: str, told: Told) -> None:
    Path("m\x1b[31m|.yaml").write_text(HOSTILE, "utf-8")
    text = told("m\x1b[31m|.yaml", "--set", given, "--format", format)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "模" in text
    if format == "json":
        assert [list(row["set"]) for row in map(json.loads, text.splitlines())] == [
            [given.partition("=")[0]]
        ] * 3


def test_a_name_is_no_markup(told: Told) -> None:
    Path("m.yaml").write_text(HOSTILE, "utf-8")
    lines = told("m.yaml", "--set", f"{LAYER}.units=3", "--format", "markdown").splitlines()
    assert lines[2].startswith(r"| a\|b\\x1b\[31m\*模\*.units | Param # |")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--set w\x1b=3", r"error: m.yaml has no var 'w\x1b'; did you mean 'w'?"),
        ("--set w=4 --sort w\x1b", r"error: rows have no 'w\x1b'; did you mean 'w'?"),
        ("--set w=4 --where w\x1b", r"error: 'w\x1b' is no condition; write one like 'params<5M'"),
        ("--set w=4 --plot w\x1b", r"error: cannot write w\x1b: a plot ends in .svg, .png or .pdf"),
        ("--set w=4\x1b", r"--set w:1:3: error: this is not YAML: control characters are not"),
    ],
)
def test_no_complaint_speaks_to_the_terminal(arguments: str, message: str, told: Told) -> None:
    with pytest.raises(DenseCalcError) as error:
        told("m.yaml", *arguments.split(" "))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("given", ["w=\udcff,3", "head.activation=\udcff", "w\udcff=3"])
def test_bytes_that_are_no_text_are_a_complaint(given: str, told: Told) -> None:
    with pytest.raises(SpecError) as error:
        told("m.yaml", "--set", given)
    assert "\\udcff" in str(error.value)


# specs → a layer, and what Keras' file calls it
LAYERS: list[tuple[str, str, str]] = [
    ("lenet5", "digits", "digits"),
    ("mnist", "dense", "dense"),
    ("gpt2", "decoder_3/mlp", "decoder_3.mlp"),
]


@pytest.mark.parametrize(("spec", "layer", "keras"), LAYERS)
def test_a_file_of_keras_is_swept_by_the_arguments_of_its_layers(
    spec: str, layer: str, keras: str, folder: Path
) -> None:
    Path("keras.json").write_text(to_keras(load(SPECS[spec])), "utf-8")
    values = {"units": [3, 768, 0], "use_bias": [True, False]}
    ours = sweep(SPECS[spec], {f"{layer}.{name}": each for name, each in values.items()})
    theirs = sweep("keras.json", {f"{keras}.{name}": each for name, each in values.items()})
    for row, same in zip(ours, theirs, strict=True):
        known = {key: value for key, value in same.items() if key not in ("set", "error")}
        assert {key: row[key] for key in known} == known
        assert row.get("error", "").replace("/", ".") == same.get("error", "").replace("/", ".")
        assert same == expected(Path("keras.json"), same["set"])


def test_a_class_of_ones_own_may_be_assumed(told: Told) -> None:
    Path("m.yaml").write_text(INNER.partition("layers")[0] + "layers: [Dense: {units: 3}]\n")
    whole = json.loads(to_keras(load("m.yaml")))
    whole["config"]["layers"].append(
        {"class_name": "Scale", "registered_name": "Scale", "module": None, "config": {"name": "s"}}
    )
    Path("m.json").write_text(json.dumps(whole), "utf-8")
    (row,) = sweep("m.json", {"dense.units": [5]}, assume={"Scale": "identity"})
    assert row["total_params"] == 25
    given = ("m.json", "--set", "dense.units=5", "--assume", "Scale=identity", "--format", "csv")
    assert told(*given).splitlines()[1] == "5,25,25,0,100,10,,"


GIVEN: dict[str, Any] = {"w": "4,0,8:20:4", "d": [1, 2], "head.units": range(3, 5)}


def parts_of(whole: Sweep) -> list[Sweep]:
    """Some parts of a sweep."""
    return [whole, whole[3:7], whole[::-3], whole[5:5], whole[2:][::2][1:]]


def test_a_sweep_its_parts_and_its_rows_can_be_pickled(folder: Path) -> None:
    whole = sweep("m.yaml", GIVEN)
    first = whole[0]  # something is known of it then
    Path("m.yaml").unlink()
    for part in parts_of(whole):
        copy = pickle.loads(pickle.dumps(part))  # noqa: S301
        assert isinstance(copy, Sweep)
        assert list(copy) == list(part)
        assert pickle.loads(pickle.dumps(list(part))) == list(part)  # noqa: S301
    assert pickle.loads(pickle.dumps(whole))[0] == first == whole[0]  # noqa: S301


@pytest.mark.parametrize("zipped", [False, True])
def test_a_sweep_of_a_keras_file_can_be_pickled(zipped: bool, folder: Path) -> None:
    Path("keras.json").write_text(to_keras(load("m.yaml")), "utf-8")
    whole = sweep("keras.json", {"head.units": [3, 0], "input": [[8], [9]]}, zip=zipped)
    made = list(whole)
    Path("keras.json").unlink()
    assert list(pickle.loads(pickle.dumps(whole))) == made  # noqa: S301
    assert len(made) == (2 if zipped else 4)


def test_a_sweep_of_long_ranges_is_small_and_quick(folder: Path) -> None:
    whole = sweep("m.yaml", {"w": "1:1000", "d": range(1, 1001)})
    assert len(whole) == 1_000_000
    assert len(pickle.dumps(whole[5:10])) < 2000
    assert whole[-1]["set"] == {"w": 1000, "d": 1000}
    assert whole[1234:][4321]["set"] == {"w": 6, "d": 556}
    assert next(iter(whole))["total_params"] == params(1)


edges = st.none() | st.integers(-30, 30)
steps = st.none() | st.integers(-4, 4).filter(bool)
cuts = st.lists(st.builds(slice, edges, edges, steps), max_size=3)


@given(cuts, st.integers(-30, 30), st.booleans())
def test_parts_are_as_those_of_a_list(taken: list[slice], place: int, zipped: bool) -> None:
    given = {"width": [4, 0, 8], "digits.units": [1, 2, 3]}
    whole: Sweep = sweep(SPECS["lenet5"], given, zip=zipped)
    made = list(whole)
    for each in taken:
        whole, made = whole[each], made[each]
        assert len(whole) == len(made)
        assert list(whole) == made
    assert list(reversed(whole)) == made[::-1]
    try:
        wanted = made[place]
    except IndexError:
        with pytest.raises(IndexError):
            whole[place]
    else:
        assert whole[place] == wanted


# settings as Python has them → the values that are tried
PLAIN: list[tuple[Any, list[Any]]] = [
    ([4, 8], [4, 8]),
    ((4, 8), [4, 8]),
    (range(4, 6), [4, 5]),
    (4, [4]),
    (4.0, [4.0]),
    ("4", [4]),
    ("4:6", [4, 5, 6]),
    (["4", "2*4"], ["4", "2*4"]),
    ([], []),
]


@pytest.mark.parametrize(("value", "values"), PLAIN)
def test_settings_of_python(value: Any, values: list[Any], folder: Path) -> None:
    found = list(sweep("m.yaml", {"w": value}))
    assert [row["set"] for row in found] == [{"w": each} for each in values]
    assert all(row["total_params"] == params(int(eval(str(row["set"]["w"])))) for row in found)


def test_without_settings_there_is_the_model_as_it_stands(folder: Path) -> None:
    assert [row["total_params"] for row in sweep("m.yaml", {})] == [params(16)]


def test_an_unknown_setting_is_said_before_any_row(folder: Path) -> None:
    with pytest.raises(SpecError, match="has no var 'ww'; did you mean 'w'"):
        sweep("m.yaml", {"w": [1], "ww": [1]})
    with pytest.raises(FileError, match="No such file"):
        sweep("n.yaml", {"w": [1]})
    with pytest.raises(SpecError, match="'w' has 2 and 'd' has 1"):
        sweep("m.yaml", {"w": [1, 2], "d": [1]}, zip=True)
    assert variants("m.yaml", {}).row({"w": 4})["total_params"] == params(4)


def test_values_of_other_libraries_are_numbers(folder: Path) -> None:
    class Whole:
        """A number as NumPy has it."""

        def __init__(self, value: Any) -> None:
            self.value = value

        def tolist(self) -> Any:
            return self.value

    found = sweep(folder / "m.yaml", {"w": Whole([4, 8]), "d": [Whole(1)]})
    assert [row["set"] for row in found] == [{"w": 4, "d": 1}, {"w": 8, "d": 1}]
    assert all(type(value) is int for row in found for value in row["set"].values())


def test_values_without_end_are_a_complaint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dense_calc.settings.values.MOST", 100)
    with pytest.raises(SpecError, match="more than 100 values; take fewer"):
        sweep(folder / "m.yaml", {"w": itertools.count(1)})


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "vast"]
)
def test_what_is_no_number_is_a_row_that_says_so(value: Any, folder: Path) -> None:
    (row,) = sweep(folder / "m.yaml", {"w": [value]})
    assert row["error"] in ("'w' must be a finite number", f"'w' may be at most {2**63 - 1:,}")
