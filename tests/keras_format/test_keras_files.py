"""Keras' own files: every row that Keras shows, in every container, and nothing that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import SPECS, Run
from support.applications import FACTS
from support.functional import model_of

import dense_calc
from dense_calc.dtypes import leaf_dtypes
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.writer import to_keras
from dense_calc.report import LayerRow, Report
from dense_calc.shapes import leaf_shapes
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

SPEC_FILES = sorted(SPECS.glob("*.yaml"))


SHORT = [title for title, fact in FACTS.items() if len(fact["rows"]) < 200]


def row_of(row: LayerRow) -> list[Any]:
    """A row as the facts have it."""
    shapes = [list(shape) for shape in leaf_shapes(row.output_shape)]
    dtypes = list(leaf_dtypes(row.output_dtype))
    return [row.name, row.type, shapes, dtypes, row.params, list(row.connected_to)]


@pytest.mark.parametrize("title", FACTS)
def test_every_row_is_what_keras_shows(title: str) -> None:
    fact = FACTS[title]
    report = trace(model_of(fact["json"]))
    assert report.name == fact["name"]
    for row, wanted in zip(report.layers, fact["rows"], strict=True):
        assert row_of(row) == wanted
    assert report.total_params == fact["total_params"]
    assert report.trainable_params == fact["trainable_params"]


def test_all_applications_are_there() -> None:
    assert sum(title[0].isupper() and "{" not in title for title in FACTS) == 40


@pytest.mark.parametrize("title", SHORT)
def test_the_spec_of_a_file_gives_the_same_report(title: str) -> None:
    model = model_of(FACTS[title]["json"])
    text = format_spec(model)
    assert trace(parse_spec(Source("m.yaml", text), "m")) == trace(model)


@pytest.mark.parametrize("title", SHORT)
def test_the_json_of_a_file_gives_the_same_report(title: str) -> None:
    model = model_of(FACTS[title]["json"])
    assert trace(model_of(to_keras(model))) == trace(model)


def dotted(report: Report) -> list[list[Any]]:
    """The rows of a report with the names that Keras allows, and a shared layer once."""
    return [json.loads(json.dumps(row_of(row)).replace("/", ".")) for row in report.layers]


@pytest.mark.parametrize("path", SPEC_FILES, ids=lambda path: path.stem)
def test_a_spec_and_its_json_and_the_spec_of_that_agree(path: Path) -> None:
    model = dense_calc.load(path)
    read = model_of(to_keras(model))
    report = trace(read)
    ours = trace(model)
    assert (report.total_params, report.total_bytes) == (ours.total_params, ours.total_bytes)
    if not model.calls:
        assert dotted(report) == dotted(ours)
    assert trace(parse_spec(Source("m.yaml", format_spec(read)), "m")) == report


def test_a_run_of_layers_is_written_once() -> None:
    text = "input: [8]\nlayers: [{repeat: 5, layers: [Dense: {units: 8}, ReLU]}, Dense: {units: 2}]"
    written = format_spec(model_of(to_keras(parse_spec(Source("m", text), "m"))))
    assert written == (
        "name: m\n"
        "input: [8]\n"
        "layers:\n"
        "  - repeat: 5\n"
        "    layers:\n"
        "      - Dense: {units: 8}\n"
        "      - ReLU\n"
        "  - Dense: {units: 2}\n"
    )


def test_what_says_nothing_is_left_out() -> None:
    assert format_spec(model_of(FACTS["chain"]["json"])).splitlines() == [
        "name: chain",
        "inputs: {input_layer_1: [5, 6, 6, 1]}",
        "layers:",
        "  - TimeDistributed:",
        "      layer: {Sequential: {name: sequential, inputs: {input_layer: [6, 6, 1]}, layers: "
        "[{Conv2D: {filters: 2, kernel_size: 3}}, Flatten]}}",
        "  - Sequential:",
        "      name: head",
        "      inputs: {input_layer_2: [5, 32]}",
        "      layers:",
        "        - LSTM: {units: 4, return_sequences: true}",
        "        - Dense: {units: 2}",
    ]


def test_the_yaml_of_keras_2_has_tuples(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "class_name: Sequential\n"
        "keras_version: 2.2.4\n"
        "config:\n"
        "- class_name: Dense\n"
        "  config:\n"
        "    batch_input_shape: !!python/tuple [null, 4]\n"
        "    units: 3\n"
        "    name: !!python/unicode 'd'\n"
        "- {class_name: GRU, config: {units: 2, name: g}}\n",
        "utf-8",
    )
    with pytest.raises(DenseCalcError, match="GRU 'g': the input must have 3 axes"):
        dense_calc.summarize(path)
    path.write_text(path.read_text("utf-8").rpartition("- ")[0], "utf-8")
    assert dense_calc.summarize(path).total_params == 3 * 4 + 3


def test_a_model_inside_is_one_row_that_holds_its_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(FACTS["nested"]["json"], "utf-8")
    report = json.loads(run("summary", str(path), "--format", "json").stdout)
    row = next(row for row in report["layers"] if row["name"] == "inner")
    assert (row["type"], row["params"], row["connected_to"]) == (
        "Functional",
        72,
        ["a", "inner", "b"],
    )
    assert [each["name"] for each in row["layers"]] == ["x", "deep"]
    assert [weight["path"] for weight in row["weights"]] == ["deep/kernel", "deep/bias"]


def test_a_straight_functional_shows_its_input_and_no_connections(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(FACTS["straight"]["json"], "utf-8")
    printed = run("summary", str(path)).stdout
    assert "x (InputLayer)" in printed
    assert "Connected to" not in printed


def test_convert_writes_a_file(tmp_path: Path, run: Run) -> None:
    done = run("convert", "specs/mnist.yaml", "-o", str(tmp_path / "m.json"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "m.json").read_text("utf-8"))["class_name"] == "Sequential"
    unsaid = run("convert", "specs/mnist.yaml")
    assert unsaid.returncode == 2
    assert unsaid.stderr.endswith("Error: Choose a format: --to keras or --to yaml.\n")
    lossy = run("convert", "specs/mnist.yaml", "--to", "yaml")
    assert lossy.stderr == "warning: 'budget' and 'expect' are left out\n"
    back = run("convert", str(tmp_path / "m.json"), "--to", "yaml")
    assert back.stderr == ""
    assert back.stdout == (
        "name: mnist\n"
        "input: [1, 28, 28]\n"
        "layers:\n"
        "  - Flatten\n"
        "  - Dense: {units: 10}\n"
        "  - Activation: {activation: softmax}\n"
    )
