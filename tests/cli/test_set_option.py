"""`--set` and `--compare` on the command line: in every command, before and after."""

from __future__ import annotations

import json

import pytest
from conftest import ROOT, Run

MNIST = (ROOT / "specs" / "mnist.yaml").read_text("utf-8")


OUTPUTS = {
    "summary": "968,690",
    "explain": "968,690",
    "check --max-params 900k": "968,690",
    "diff specs/mnist.yaml": "unchanged",
    "convert --to keras": '"units": 1234',
}


@pytest.mark.parametrize(("command", "told"), OUTPUTS.items(), ids=OUTPUTS)
def test_every_command_that_reads_a_model_takes_it(run: Run, command: str, told: str) -> None:
    result = run(*command.split(), "specs/mnist.yaml", "--set", "dense.units=1234")
    assert result.stderr == ""
    assert told in result.stdout


def test_before_and_after(run: Run) -> None:
    result = run("summary", "specs/lenet5.yaml", "--set", "width=12", "--compare")
    assert result.stderr == ""
    assert result.stdout.startswith("specs/lenet5.yaml → specs/lenet5.yaml --set width=12\n")
    assert "conv2d (Conv2D)      156    312    +156  filters: 6 → 12\n" in result.stdout
    assert "Total params: 61,706 → 64,262 (+2,556, +4.1%)\n" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--compare"], "--compare needs --set."),
        (["--compare", "--set", "width=3", "--depth", "1"], "leave out options of the summary."),
        (
            ["--compare", "--set", "width=3", "--columns", "name"],
            "leave out options of the summary.",
        ),
        (["--compare", "--set", "width=3", "--format", "csv"], "--compare has no CSV; use json."),
        (["--compare", "--set", "widht=3"], "has no var 'widht'; did you mean 'width'?"),
    ],
)
def test_what_compare_does_not_go_with(run: Run, options: list[str], said: str) -> None:
    result = run("summary", "specs/lenet5.yaml", *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_before_and_after_of_standard_input(run: Run) -> None:
    result = run("summary", "-", "--set", "dense.units=3", "--compare", stdin=MNIST)
    assert (result.returncode, result.stderr) == (0, "")
    assert "7,850 → 2,355" in result.stdout


def test_before_and_after_as_json(run: Run) -> None:
    result = run(
        "summary", "specs/lenet5.yaml", "--set", "width=12", "--compare", "--format", "json"
    )
    found = json.loads(result.stdout)
    assert found["total_params"] == {"old": 61706, "new": 64262, "change": 2556}
    assert [layer["name"] for layer in found["layers"]] == ["conv2d_1", "conv2d"]
    assert (found["old"], found["new"]) == ("specs/lenet5.yaml", "specs/lenet5.yaml --set width=12")
