"""Counts and sizes as expressions in the vars: `explain --symbolic`, `growth --by`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import SPECS
from hypothesis import given
from hypothesis import strategies as st

import dense_calc
from dense_calc.cli import command_line
from dense_calc.files.loader import read_variants


def text_of(*arguments: str) -> list[str]:
    """The lines that the command prints."""
    result = CliRunner().invoke(command_line, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def explained(spec: str, *arguments: str) -> Any:
    """What `explain --symbolic` gives as JSON on a model in specs/."""
    command = ("explain", str(SPECS / spec), *arguments, "--symbolic", "--format", "json")
    return json.loads("\n".join(text_of(*command)))


def evaluated(expression: str, values: dict[str, Any]) -> Any:
    """What an expression comes to."""
    return eval(expression.replace("×", "*"), {}, values)


def test_the_expressions_of_a_layer() -> None:
    lines = text_of("explain", str(SPECS / "gpt2.yaml"), "decoder_0/mlp", "--symbolic")
    assert lines[8:10] == [
        "  params   units × (inputs + 1) = 768 × (3,072 + 1) = 2,360,064",
        "  in vars  params = width × (4 × width + 1)",
    ]
    assert lines[10] == "  in vars  output = (None, context, width)"
    assert lines[-1] == (
        "What is said in vars holds where context >= 1, vocab >= 1, width >= 1, depth >= 2, "
        "depth <= 14,285, heads >= 1, (width // heads) >= 1, context != 1, width != 1."
    )


def test_a_remainder_is_told_as_one() -> None:
    data = explained("llama2-7b.yaml", "decoder_0/attention")
    (layer,) = data["layers"]
    assert layer["symbolic"]["params"] == "2 × width × (width // heads) × (heads + kv_heads)"
    assert "heads % kv_heads == 0" in data["symbolic_where"]


def test_a_var_with_a_setting_is_a_number() -> None:
    (layer,) = explained("gpt2.yaml", "decoder_0/mlp", "--set", "width=96")["layers"]
    assert layer["symbolic"] == {"params": "36960", "output": "(None, context, 96)"}


def test_a_copy_that_another_stands_for_is_explained() -> None:
    data = explained("gpt2.yaml", "decoder_7/mlp")
    assert data["layers"][0]["symbolic"]["params"] == "width × (4 × width + 1)"
    assert "depth == 12" in data["symbolic_where"]


def test_without_the_flag_nothing_is_said_of_vars() -> None:
    command = ("explain", str(SPECS / "gpt2.yaml"), "decoder_0/mlp", "--format", "json")
    data = json.loads("\n".join(text_of(*command)))
    assert "symbolic" not in data["layers"][0]
    assert "symbolic_where" not in data


@pytest.mark.parametrize(
    "spec", sorted(path.name for path in SPECS.glob("*.yaml") if "vars:" in path.read_text("utf-8"))
)
def test_expressions_come_to_the_counts_and_sizes(spec: str) -> None:
    """At the values of the file, and wherever the conditions hold."""
    whole = read_variants(SPECS / spec, {})
    own = {name: whole.setting_value(name) for name in whole.vars}
    data = explained(spec)
    assert all(evaluated(condition, own) for condition in data["symbolic_where"])
    for layer in data["layers"]:
        assert evaluated(layer["symbolic"]["params"], own) == layer["params"]
        if "output" in layer["symbolic"]:
            assert list(evaluated(layer["symbolic"]["output"], own)) == layer["output_shape"]


@given(st.integers(1, 100), st.integers(1, 16), st.integers(2, 9))
def test_expressions_hold_where_their_conditions_do(width: int, heads: int, depth: int) -> None:
    values = {"width": width, "heads": heads, "depth": depth, "vocab": 50257, "context": 1024}
    conditions = GPT2["symbolic_where"]
    if all(evaluated(condition, values) for condition in conditions):
        report = dense_calc.summarize(SPECS / "gpt2.yaml", width=width, heads=heads, depth=depth)
        counts = {row.name: row.params for row in report.layers}
        for layer in GPT2["layers"]:
            assert evaluated(layer["symbolic"]["params"], values) == counts[layer["name"]]


GPT2 = explained("gpt2.yaml", "decoder_0/attention", "decoder_1/mlp", "embedding")


def test_growth_by_block_and_by_layer() -> None:
    command = ("growth", str(SPECS / "gpt2.yaml"), "--vary", "width,depth")
    lines = text_of(*command, "--by", "block")
    start = lines.index("of which")
    assert lines[start + 1 : start + 5] == [
        "  embedding            50,257 × width",
        "  places               1,024 × width",
        "  decoder              2 × depth × (width × (4 × width + 24 × (width // 12) + 5) + "
        "18 × (width // 12))",
        "  layer_normalization  2 × width",
    ]
    assert "  decoder/mlp                  depth × width × (4 × width + 1)" in text_of(
        *command, "--by", "layer"
    )
    assert "  decoder/mlp                  depth*width*(4*width + 1)" in text_of(
        *command, "--by", "layer", "--ascii"
    )


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("gpt2.yaml", ["width", "depth"]),
        ("lenet5.yaml", ["width"]),
        ("llama3.2-1b.yaml", ["heads", "depth"]),
        ("transformer.yaml", ["depth", "inner"]),
    ],
)
@pytest.mark.parametrize("by", ["layer", "block"])
def test_the_shares_add_up_to_the_count(spec: str, names: list[str], by: str) -> None:
    command = ("growth", str(SPECS / spec), "--vary", ",".join(names), "--by", by)
    data = json.loads("\n".join(text_of(*command, "--format", "json")))
    own = {name: data["next"][name]["from"] for name in names if data["next"][name]}
    for more in (0, 1):
        values = {name: at + more * (name != "heads") for name, at in own.items()}
        report = dense_calc.summarize(SPECS / spec, **values)
        assert sum(evaluated(each, values) for each in data["by"].values()) == report.total_params


def test_what_is_no_polynomial_is_an_expression() -> None:
    command = ("growth", str(SPECS / "gpt2.yaml"), "--vary", "width,heads", "--max", "64")
    data = json.loads("\n".join(text_of(*command, "--format", "json")))
    assert data["polynomial"] is None
    for width, heads in ((64, 4), (63, 5), (12, 12)):
        values = {"width": width, "heads": heads}
        assert all(evaluated(condition, values) for condition in data["where"])
        report = dense_calc.summarize(SPECS / "gpt2.yaml", **values)
        assert evaluated(data["expression"], values) == report.total_params
    (sentence,) = (line for line in text_of(*command) if line.startswith("Exactly"))
    assert re.match(r"Exactly, params = width × .* where width >= 1 and heads >= 1", sentence)
