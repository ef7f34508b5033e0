"""`dense-calc layers`: the catalogue tells every kind, and its examples run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from dense_calc.analysis.catalog import describe_kind, kind_examples, kinds_by_family
from dense_calc.api import summarize
from dense_calc.cli import command_line
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, UNEXPORTED_KIND_MODULES, kind_family
from dense_calc.layers.operations import OPERATION_MODULES
from dense_calc.render import Style
from dense_calc.render.catalog_text import render_catalog

KINDS = sorted((*KIND_MODULES, *UNEXPORTED_KIND_MODULES))


def said(*arguments: str) -> str:
    """What `dense-calc layers` prints."""
    result = CliRunner(env={"COLUMNS": None}).invoke(command_line, ["layers", *arguments])
    assert result.exit_code == 0
    return result.stdout


def test_every_kind_has_an_example_in_alphabetical_order() -> None:
    assert list(kind_examples()) == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_the_example_of_a_card_runs(name: str, tmp_path: Path) -> None:
    text = render_catalog([describe_kind(name)], Style())
    example = text[text.index("\nexample\n") + 9 :]
    path = tmp_path / "example.yaml"
    path.write_text("".join(line[2:] + "\n" for line in example.splitlines()), "utf-8")
    assert name in example
    assert summarize(path).outputs


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_says_in_a_sentence_what_it_does(name: str) -> None:
    shown = describe_kind(name)
    first = shown.what.partition("\n")[0]
    assert first.endswith(".")
    assert len(first) <= 120
    assert all(argument.type or argument.choices for argument in shown.arguments)
    required = [argument.required for argument in shown.arguments]
    assert required == sorted(required, reverse=True)


def test_the_list_has_every_kind_and_alias_once() -> None:
    lines = said().splitlines()
    names = [line[2:].split("  ")[0].split(", ") for line in lines if line.startswith("  ")]
    assert sorted(name for row in names for name in row) == sorted((*KIND_MODULES, *KIND_ALIASES))
    assert [line for line in lines if line and line[0] != " "] == sorted(
        set(map(kind_family, KIND_MODULES))
    )


def test_a_card() -> None:
    lines = said("MaxPool2D").splitlines()
    assert lines[0] == "MaxPooling2D, MaxPool2D: pooling"
    assert "  shape  (batch, height, width, channels) → (batch, height', width', channels)" in lines
    (place,) = (number for number, line in enumerate(lines) if line.startswith("  pool_size "))
    assert lines[place].endswith("; default 2")
    assert lines[place + 1].strip() == "Size of the window along each spatial axis."


def test_a_card_of_a_layer_that_keras_3_does_not_have() -> None:
    lines = said("MaxoutDense").splitlines()
    assert lines[0] == "MaxoutDense: retired"
    assert "  shape   (batch, inputs) → (batch, units)" in lines
    assert "  W       (nb_feature, inputs, units)" in lines
    assert any(line.startswith("  nb_feature ") and line.endswith("; default 4") for line in lines)
    assert "    - MaxoutDense: {units: 3}" in lines


def test_weights_in_named_axes() -> None:
    lines = said("Dense").splitlines()
    assert "  kernel  (inputs, units)" in lines
    assert "  params  units × (inputs + 1)" in lines


def test_json() -> None:
    (found,) = json.loads(said("Conv2D", "--format", "json"))
    assert found["rule"] == "(batch, height, width, channels) → (batch, height', width', filters)"
    assert [weight["axes"] for weight in found["weights"]][1] == ["filters"]
    arguments = {argument["name"]: argument for argument in found["arguments"]}
    assert arguments["filters"]["required"]
    assert arguments["padding"] == {
        "name": "padding",
        "what": "Whether edges are padded with zeros (`same`) or not (`valid`).",
        "type": "'valid' or 'same'",
        "choices": ["valid", "same"],
        "required": False,
        "default": "valid",
    }
    listed = json.loads(said("--format", "json"))
    assert sorted(kind["name"] for kinds in listed.values() for kind in kinds) == sorted(
        KIND_MODULES
    )
    assert set(listed) == set(kinds_by_family())


def test_a_kind_that_is_not_there() -> None:
    result = CliRunner().invoke(command_line, ["layers", "convv2d"])
    assert result.exit_code == 2
    assert "there is no layer kind 'convv2d'; did you mean 'Conv2D'?" in result.output


def test_a_kind_is_found_in_any_case() -> None:
    assert said("conv2d") == said("Conv2D")


def test_a_part_of_names_lists_the_kinds_and_operations_that_have_it() -> None:
    listed = json.loads(said("POOLING3d", "--format", "json"))
    assert list(listed) == ["pooling"]
    assert {"MaxPooling3D", "GlobalAveragePooling3D"} < {each["name"] for each in listed["pooling"]}
    listed = json.loads(said("stack", "--format", "json"))
    names = [each["name"] for kinds in listed.values() for each in kinds]
    assert {"StackedRNNCells", "ops.Stack", "ops.Hstack"} < set(names)


def test_operations_are_listed_and_described() -> None:
    (listed,) = json.loads(said("--ops", "--format", "json")).values()
    assert [each["name"] for each in listed] == [
        f"ops.{name}" for name in sorted(OPERATION_MODULES)
    ]
    for each in listed:
        (card,) = json.loads(said(each["name"], "--format", "json"))
        assert card["what"].startswith(each["what"])
    assert said("ops.Stack").startswith("ops.Stack: operations\n")
    result = CliRunner().invoke(command_line, ["layers", "--ops", "Dense"])
    assert "leave out KIND, or write ops.KIND" in result.output


@pytest.mark.parametrize(
    ("kind", "argument", "words"),
    [
        ("ops.Stack", "axis", "an integer; default 0"),
        ("ops.Pad", "pad_width", "an integer or a list of integers or lists of integers; required"),
        ("ops.OneHot", "sparse", "any value; default false"),
        ("RNN", "cell", "a layer or a list of layers; required"),
        ("Bidirectional", "weights", "a list; default null"),
        ("Bidirectional", "merge_mode", "'ave', 'concat', 'mul' or 'sum'; default"),
        (
            "Dense",
            "bias_regularizer",
            "'l1', 'l1l2', 'l2', 'orthogonal_regularizer', 'regularizer',",
        ),
        (
            "Normalization",
            "mean",
            "a number or a list of numbers or lists of numbers; default null",
        ),
    ],
)
def test_an_argument_is_told_in_a_users_words(kind: str, argument: str, words: str) -> None:
    card = render_catalog([describe_kind(kind)], Style())
    assert re.search(rf"\n  {argument} +{re.escape(words)}", card)
