"""What a file does not tell: models that nobody has built, code that is not run, classes of others.

The tables of unbuilt models are those of Keras 3.15.1.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from conftest import Run
from support.keras_objects import (
    Json,
    chain,
    code,
    dense,
    graph,
    layer,
    model_of,
    reading,
    rows_of,
    saved,
    tensor,
)

import dense_calc
from dense_calc.errors import LayerError, SpecError
from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.render import Style, render_reports
from dense_calc.shapes import OPAQUE_SHAPE
from dense_calc.tracing.tracer import trace

# Kinds whose layers Keras calls built as soon as they are made.
START_BUILT = {
    *("Activation", "ActivityRegularization", "AlphaDropout", "AveragePooling1D"),
    *("AveragePooling2D", "AveragePooling3D", "Dropout", "ELU", "GaussianDropout", "GaussianNoise"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "Identity", "InputLayer"),
    *("LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "ReLU", "Reshape"),
    *("Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization"),
}


UNBUILT = chain(dense(4), layer("Dropout", rate=0.5), dense(2, "head"))
INNER = chain(dense(3, "a"), dense(2, "b"), name="inner")
BUILT = chain(dense(3, "a"), dense(2, "b"), name="inner", shape=[None, 4])


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_which_kinds_start_built(kind: str) -> None:
    assert find_kind(kind).is_initially_built == (kind in START_BUILT)


@pytest.mark.parametrize(
    ("written", "cells", "total"),
    [
        (UNBUILT, ["dense (Dense),?,0 (unbuilt)", "dropout (Dropout),?,0",
                   "head (Dense),?,0 (unbuilt)"], 0),
        (chain(dense(4), INNER), ["dense (Dense),?,0 (unbuilt)",
                                  "inner (Sequential),?,0 (unbuilt)"], 0),
        (chain(dense(4), BUILT, dense(2, "head")), [
            "dense (Dense),?,0 (unbuilt)", 'inner (Sequential),"(None, 2)",23',
            "head (Dense),?,0 (unbuilt)"], 23),
        (chain(INNER), ["inner (Sequential),?,0 (unbuilt)"], 0),
        (chain(code("f")), ["f (Lambda),?,0 (unbuilt)"], 0),
    ],
)  # fmt: skip
def test_a_model_that_nobody_has_built(written: Json, cells: list[str], total: int) -> None:
    report = trace(model_of(written), partial=True)
    assert report.total_params == total
    text = render_reports([report], "text", Style())
    for cell in cells:
        (row,) = csv.reader([cell])
        assert [row] == [
            [line[: -len(row[2])].rstrip()[: -len(row[1])].rstrip(), row[1], row[2]]
            for line in text.splitlines()
            if line.startswith(row[0])
        ]
    assert f"Total params: {total} (" in text


def test_an_unbuilt_model_on_the_command_line(tmp_path: Path, run: Run) -> None:
    saved(tmp_path, UNBUILT)
    said = (
        "the model has no input shape, as it was saved before it was built; set the shape: --set "
        "'input=[28, 28, 1]'"
    )
    done = run("summary", "m.json", "--format", "csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, f"m.json: warning: {said}\n")
    assert done.stdout.splitlines()[1:3] == ["dense,Dense,?,0,0,0,i".replace(",i", ",input_layer"),
                                             "dropout,Dropout,?,0,0,0,dense"]  # fmt: skip
    data = json.loads(run("summary", "m.json", "--format", "json", cwd=tmp_path).stdout)
    assert (data["state"], data["total_params"], data["outputs"]) == (
        "unbuilt", 0, [{"name": "head", "shape": None, "dtype": "float32"}])  # fmt: skip
    assert [row.get("state") for row in data["layers"]] == ["unbuilt", None, "unbuilt"]
    for command in (["explain"], ["check", "--max-params", "9"], ["convert", "--to", "yaml"]):
        refused = run(command[0], "m.json", *command[1:], cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stderr.splitlines()[0] == f"m.json:8:4: error: {said}"
        given = run(command[0], "m.json", *command[1:], "--set", "input=[8]", cwd=tmp_path)
        assert given.returncode == (1 if command[0] == "check" else 0)
    assert dense_calc.summarize(tmp_path / "m.json", input=[8]).total_params == 36 + 10


def test_a_model_inside_is_built_on_what_it_is_called_with() -> None:
    report = trace(model_of(graph(reading(INNER, tensor("i", [None, 8])))))
    assert [(row.name, row.params) for row in report.layers] == [("i", 0), ("inner", 27 + 8)]
    assert [row.output_shape for row in report.layers[1].layers] == [(None, 3), (None, 2)]


def test_the_first_layer_tells_what_it_was_built_on() -> None:
    assert trace(model_of(chain(dense(4, build=[None, 8])))).total_params == 36


# NVIDIA's model of a car that drives itself, as Keras 1 writes it.
CAR: Json = {"class_name": "Sequential", "keras_version": "1.2.1", "config": [
    {"class_name": "Lambda", "config": {
        "name": "norm", "trainable": True, "arguments": {}, "function": "scale",
        "function_type": "function", "output_shape": None, "output_shape_type": "raw",
        "batch_input_shape": [None, 66, 200, 3], "input_dtype": "float32"}},
    {"class_name": "Convolution2D", "config": {
        "name": "conv", "nb_filter": 24, "nb_row": 5, "nb_col": 5, "subsample": [2, 2],
        "border_mode": "valid", "dim_ordering": "tf", "activation": "elu"}},
    {"class_name": "Flatten", "config": {"name": "flat"}},
    {"class_name": "Dense", "config": {"name": "steer", "output_dim": 1}},
]}  # fmt: skip


@pytest.mark.parametrize("name", ["scale", "norm", "Lambda", "*"])
def test_what_a_first_layer_reads_stays_when_it_is_assumed(name: str) -> None:
    report = trace(model_of(CAR, **{name: "identity"}))
    assert report.layers[0].output_shape == (None, 66, 200, 3)
    assert report.total_params == 74_737


def test_a_marshalled_function_has_no_name() -> None:
    written = json.loads(json.dumps(CAR))
    written["config"][0]["config"] |= {"function": ["4wEA", None, None], "function_type": "lambda"}
    with pytest.raises(SpecError, match="state it: --assume norm=identity, or"):
        trace(model_of(written))
    assert trace(model_of(written, norm="identity")).total_params == 74_737


FACTS = {
    "the tensor that the next layer reads": (
        graph(reading(code("f"), tensor("i", [None, 8])),
              reading(dense(2), tensor("f", [None, 3]))),
        [("f", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "one of several tensors": (
        graph(reading(code("f"), tensor("i", [None, 8])),
              reading(dense(2), tensor("f", [None, 3], 1))),
        [("f", (OPAQUE_SHAPE, (None, 3)), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "what the next layer was built on": (
        chain(code("f", [None, 8]), dense(2, build=[None, 3]), shape=[None, 8]),
        [("f", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "a layer between that changes no shape": (
        chain(code("f", [None, 8]), layer("ReLU"), dense(2, build=[None, 3]), shape=[None, 8]),
        [("f", (None, 3), 0, ""), ("relu", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "a layer between that changes it": (
        chain(code("f", [None, 8, 4]), layer("GlobalMaxPooling1D", "g"), dense(2, build=[None, 3]),
              shape=[None, 8, 4]),
        [("f", OPAQUE_SHAPE, 0, ""), ("g", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "nothing": (
        chain(dense(4, "a"), code("f"), dense(2, "b"), layer("Flatten"), shape=[None, 8]),
        [("a", (None, 4), 36, ""), ("f", OPAQUE_SHAPE, 0, ""), ("b", OPAQUE_SHAPE, 0, "unknown"),
         ("flatten", OPAQUE_SHAPE, 0, "")],
    ),
    "its own output shape": (
        chain(code("f", output_shape=[3]), dense(2), shape=[None, 8]),
        [("f", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "an output shape after what is not known": (
        chain(code("f"), code("g", output_shape=[3]), dense(2), shape=[None, 8]),
        [("f", OPAQUE_SHAPE, 0, ""), ("g", (None, 3), 0, ""), ("dense", (None, 2), 8, "")],
    ),
    "of a class of its own no weights": (
        chain(layer("lab>Scale", "s", [None, 8]), dense(2, build=[None, 3]), shape=[None, 8]),
        [("s", (None, 3), 0, "unknown"), ("dense", (None, 2), 8, "")],
    ),
    "other than what it reads": (
        chain(code("f", [None, 9]), dense(2, build=[None, 3]), shape=[None, 8]),
        [("f", OPAQUE_SHAPE, 0, ""), ("dense", OPAQUE_SHAPE, 0, "unknown")],
    ),
    "no shape at all": (
        graph(reading(code("f"), tensor("i", [None, 8])),
              reading(dense(2), tensor("f", [-3, "x"]))),
        [("f", OPAQUE_SHAPE, 0, ""), ("dense", OPAQUE_SHAPE, 0, "unknown")],
    ),
    "a wrapper of code": (
        graph(reading(layer("TimeDistributed", "t", layer=code("f")), tensor("i", [None, 8, 4])),
              reading(dense(2), tensor("t", [None, 8, 3])), shape=[None, 8, 4]),
        [("t", (None, 8, 3), 0, "unknown"), ("dense", (None, 8, 2), 8, "")],
    ),
    "a model inside with what is not known": (
        graph(reading(chain(code("f"), dense(3, "a"), name="c", shape=[None, 8]),
                      tensor("i", [None, 8])),
              reading(dense(2), tensor("c", [None, 3]))),
        [("c", (None, 3), 0, "unknown"), ("dense", (None, 2), 8, "")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("told", FACTS)
def test_what_a_file_tells_is_taken(told: str) -> None:
    written, rows = FACTS[told]
    assert [row for row in rows_of(written) if row[0] != "i"] == rows


def test_what_a_file_tells_holds_for_what_it_was_read_with(tmp_path: Path) -> None:
    path = tmp_path / saved(tmp_path, FACTS["what the next layer was built on"][0])
    assert dense_calc.summarize(path).total_params == 8
    with pytest.raises(SpecError, match="what the Lambda 'f' gives is unknown"):
        dense_calc.summarize(path, input=[9])
    assert dense_calc.summarize(path, {"*": "identity"}, input=[9]).total_params == 9 * 2 + 2


SEVERAL = chain(
    layer("lab>Scale", "s"), layer("lab>Scale", "t"), code("f"),
    layer("Dense", "d", units=2, activation="swoosh"), shape=[None, 8],
)  # fmt: skip


def test_one_message_tells_all_that_is_not_known(tmp_path: Path, run: Run) -> None:
    refused = run("summary", saved(tmp_path, SEVERAL), cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert [line for line in refused.stderr.splitlines() if "m.json" in line] == [
        "m.json:23:19: error: 3 things are unknown, and no code is run; state what each does, or "
        "assume that all change nothing: --assume '*=identity'",
        "m.json:23:19: note: 'Scale' (lab>Scale), 2 times: --assume Scale=identity, or --assume "
        "'Scale={output_shape: [64], weights: {kernel: [10, 64]}}'",
        "m.json:39:4: note: what the Lambda 'f' gives: --assume f=identity, or --assume "
        "'f={output_shape: [64]}'",
        "m.json:62:20: note: 'swoosh': --assume swoosh=identity",
    ]
    done = run("summary", "m.json", "--assume", "*=identity", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    ways = ["--assume", "Scale=identity", "--assume", "f={output_shape: [5]}", "--assume",
            "swoosh=identity"]  # fmt: skip
    done = run("summary", "m.json", *ways, "--format", "csv", "--columns", "params", cwd=tmp_path)
    assert done.stdout.split() == ["params", "0", "0", "0", str(5 * 2 + 2)]


def test_what_all_that_is_not_known_does_leaves_what_the_file_tells() -> None:
    told = chain(code("f", [None, 8]), dense(2, build=[None, 3]), code("g"), shape=[None, 8])
    assert [row[1] for row in rows_of(told, **{"*": "identity"})] == [(None, 3), (None, 2),
                                                                      (None, 2)]  # fmt: skip


def test_outputs_that_nothing_reads_are_not_told() -> None:
    told = graph(reading(code("f"), tensor("i", [None, 8])),
                 reading(dense(2), tensor("f", [None, 3], 1)))  # fmt: skip
    with pytest.raises(SpecError, match="what the Lambda 'f' gives is unknown"):
        trace(model_of(told))
    with pytest.raises(LayerError, match="'f' has no output 1; it has 1"):
        trace(model_of(told, **{"*": "identity"}))
    assert trace(model_of(told, f="{output_shape: [[5], [3]]}")).total_params == 8


def test_a_partial_summary(tmp_path: Path, run: Run) -> None:
    saved(tmp_path, chain(dense(4, "a"), layer("lab>Scale", "s"), dense(2, "b"), shape=[None, 8]))
    refused = run("summary", "m.json", cwd=tmp_path)

    def partial(format: str) -> str:
        done = run("summary", "m.json", "--partial", "--format", format, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, refused.stderr)
        return done.stdout

    assert partial("text").splitlines()[4:11] == [
        "a (Dense)                                   (None, 4)          36",
        "_" * 65,
        "s (Scale)                                   ?                   ?",
        "_" * 65,
        "b (Dense)                                   ?                   ?",
        "=" * 65,
        "Total params: at least 36 (144.00 B)",
    ]
    assert "- Total params: at least 36 (144.00 B)" in partial("markdown")
    assert " Total params: at least 36 (144.00 B)" in partial("table")
    assert list(csv.reader(io.StringIO(partial("csv"))))[2] == [
        *("s", "Scale", "?", "?", "?", "?", "a"),
    ]
    data = json.loads(partial("json"))
    assert (data["total_params"], data["total_bytes"], data["state"]) == (None, None, "unknown")
    assert data["at_least"]["total_params"] == 36
    assert data["at_least"]["non_trainable_bytes"] == 0
    row = data["layers"][1]
    assert (row["output_shape"], row["params"], row["state"]) == (None, None, "unknown")
    assert (data["layers"][0]["params"], data["outputs"][0]["shape"]) == (36, None)


def test_a_shape_between_that_is_not_known(tmp_path: Path, run: Run) -> None:
    saved(tmp_path, FACTS["a layer between that changes it"][0])
    done = run("summary", "m.json", "--partial", "--format", "json", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert (data["total_params"], data["partial"], "at_least" in data) == (8, True, False)
    assert [row["output_shape"] for row in data["layers"]] == [None, [None, 3], [None, 2]]
    assert (done.returncode, done.stderr[:45]) == (
        2,
        "m.json:22:4: error: what the Lambda 'f' gives",
    )


def test_a_partial_summary_of_what_is_all_known(tmp_path: Path, run: Run) -> None:
    saved(tmp_path, chain(dense(4), shape=[None, 8]))
    done = run("summary", "m.json", "--partial", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
