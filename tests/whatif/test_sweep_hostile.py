"""Hostile names and values in a sweep: shown, never obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.sweep_model import Told

from dense_calc.errors import DenseCalcError, SpecError

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
        (
            "--set w=4 --where w\x1b",
            r"error: 'w\x1b' is not a condition; write one such as 'params<5M'",
        ),
        (
            "--set w=4 --plot w\x1b",
            r"error: cannot write w\x1b: a plot must end in .svg, .png or .pdf",
        ),
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
