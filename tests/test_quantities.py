"""A quantity is one entry: with it stand its flag, limit, column, condition and rule of SARIF."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# The program with two quantities more: the number of weight tensors, and bytes at 16 bits.
TOY = """
import sys
from dense_calc import quantities

toy = quantities.Quantity(
    name="tensors",
    total="total_tensors",
    column="tensors",
    words="tensors",
    title="Tensors",
    layer_amount=lambda row: len(row.counted_weights),
    limits={
        "max": quantities.LimitBreach("There are too many tensors.", "Remove some.", "The most."),
        "exact": quantities.LimitBreach("The tensors are not as many as expected.", "Correct it."),
    },
)
quantities.QUANTITIES["tensors"] = toy
quantities.QUANTITIES["memory"] = quantities.Quantity(
    name="memory",
    total="total_memory",
    column="memory",
    words="bytes at 16 bits",
    title="Memory",
    unit=quantities.BYTE_UNIT,
    layer_amount=lambda row: 2 * row.params,
)
from dense_calc.cli import main
main()
"""
MODEL = """\
vars: {depth: 3}
input: [4]
blocks: {b: [Dense: {units: 4}]}
layers: [b: {repeat: depth}, Dense: {units: 2, use_bias: false, name: head}]
budget: {tensors: 7, layers: {"head*": {tensors: 1}}}
expect: {tensors: 7}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.yaml"
    path.write_text(MODEL)
    return path


def run(*arguments: object) -> tuple[int, str]:
    """The exit status and the output of the program with the toy quantity."""
    command = [sys.executable, "-c", TOY, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_quantity_is_checked(model: Path) -> None:
    status, text = run("check", model)
    assert status == 0
    assert "tensors of 'head*'  1  at most 1" in text
    status, text = run("check", model, "--max-tensors", 6, "--format", "markdown")
    assert status == 1
    assert "1 over (16.7%)" in text
    assert "| b/dense × 3 (Dense) | 6 | 85.7% |" in text
    _, text = run("check", model, "--max-tensors", 6, "--format", "sarif")
    (broken,) = json.loads(text)["runs"][0]["results"]
    assert broken["ruleId"] == "max-tensors"


def test_a_quantity_is_a_column(model: Path) -> None:
    _, text = run("summary", "--help")
    assert "non_trainable_params, tensors, memory, connected_to" in " ".join(text.split())
    _, text = run("summary", model, "--columns", "name,tensors", "--format", "csv")
    assert text.splitlines() == [
        "name,tensors",
        "b_0/dense,2",
        "b_1/dense,2",
        "b_2/dense,2",
        "head,1",
    ]
    _, text = run("summary", model, "--columns", "name,tensors", "--format", "csv", "--depth", 1)
    assert text.splitlines() == ["name,tensors", "b × 3,6", "head,1"]
    _, text = run("summary", model, "--columns", "name,tensors", "--format", "text")
    assert "Tensors" in text
    _, text = run("summary", model, "--columns", "name,memory", "--format", "markdown")
    assert "| head | 16.00 B |" in text


def test_a_quantity_is_a_condition_and_a_column_of_a_sweep(model: Path) -> None:
    command = ("sweep", model, "--set", "depth=1:5", "--where", "tensors<=7")
    status, text = run(*command, "--sort", "-tensors", "--format", "csv")
    assert status == 0
    head, *rows = text.splitlines()
    at = head.split(",").index("total_tensors")
    assert [row.split(",")[at] for row in rows] == ["7", "5", "3"]
    _, text = run(*command, "--where", "memory>100B", "--format", "text")
    assert "Tensors" in text
    assert "136.00 B" in text
    assert "96.00 B" not in text


def test_a_quantity_limits_what_fits(model: Path) -> None:
    status, text = run("fit", model, "--vary", "depth", "--max-tensors", 15, "--format", "json")
    assert status == 0
    assert json.loads(text)["fits"]["set"] == {"depth": 7}


def test_a_limit_of_a_quantity_is_an_argument_of_fit() -> None:
    from dense_calc import fit

    with pytest.raises(TypeError, match="fit\\(\\) has no argument 'max_parms'; did you mean"):
        fit("specs/lenet5.yaml", "width", max_parms=1)
