"""What `sweep` does not take: each complaint comes before anything is printed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from conftest import Run
from support.sweep_model import INNER, MODEL, Told

from dense_calc.api import sweep
from dense_calc.errors import DenseCalcError, FileError, SpecError

# arguments after the file → the complaint
COMPLAINTS: list[tuple[str, str]] = [
    (
        "--set width=3",
        "error: m.yaml has no var 'width'; use w, d; "
        "an argument of a layer is LAYER.ARGUMENT=VALUE",
    ),
    ("--set ww=3", "error: m.yaml has no var 'ww'; did you mean 'w'?"),
    (
        "--set w=3 --set head.unit=3",
        "error: Dense 'head' has no argument 'unit'; did you mean 'units'?",
    ),
    ("--set haed.units=3", "error: m.yaml has no layer 'haed'; did you mean 'head'?"),
    ("--set head=3", "error: 'head' is a layer; name one of its arguments: head.ARGUMENT=VALUE"),
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
    (
        "--set w=4 --where params",
        "error: 'params' is not a condition; write one such as 'params<5M'",
    ),
    ("--set w=4 --where=", "error: '' is not a condition; write one such as 'params<5M'"),
    ("--set w=4 --where parms<3", "error: rows have no 'parms'; did you mean 'params'?"),
    (
        "--set w=4 --where d=1",
        "error: rows have no 'd'; use w, params, trainable, non_trainable, size, change, "
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
    (
        "--set w=4,8 --plot a.txt",
        "error: cannot write a.txt: a plot must end in .svg, .png or .pdf",
    ),
    ("--set w=4,8 --plot a", "error: cannot write a: a plot must end in .svg, .png or .pdf"),
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
    def no_row(self: object, batch: object) -> None:
        pytest.fail("a row was worked out")

    monkeypatch.setattr("dense_calc.whatif.pieces.ModelFormulas.evaluate", no_row)
    with pytest.raises(FileError, match=r"a plot must end in"):
        told("m.yaml", "--set", "w=1:1000", "--plot", "a.txt")


@pytest.mark.parametrize("base", ["0", "x", "[]"])
def test_a_file_may_be_no_model_as_it_stands(base: str, told: Told) -> None:
    Path("m.yaml").write_text(MODEL.replace("w: 16", f"w: {base}"), "utf-8")
    (row,) = sweep("m.yaml", {"w": [4]})
    assert (row["total_params"], row["change"]) == (56, None)
    text = told("m.yaml", "--set", "w=4", "--format", "text")
    assert "As the file stands" not in text
    assert text.splitlines()[4].split() == ["4", "56", "56", "224.00", "B", "-", "yes"]
