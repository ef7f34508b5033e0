"""Whole files as old versions of Keras wrote them, and what is said of those that are not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import dense_calc
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reading import from_keras
from dense_calc.report import Report
from dense_calc.tracing import trace

Config = dict[str, Any]


def layer(class_name: str, config: Config | None = None, *calls: Any) -> Config:
    """A layer as a file has it; `calls` are its inbound nodes."""
    config = {"name": class_name.lower(), **(config or {})}
    return {
        "class_name": class_name,
        "config": config,
        "name": config["name"],
        "inbound_nodes": [*calls],
    }


def sequential(*layers: Any, **more: Any) -> Config:
    """A Sequential as Keras 1 and early Keras 2 wrote it."""
    return {"class_name": "Sequential", "config": [*layers], **more}


def graph(*layers: Any, inputs: Any, outputs: Any, **more: Any) -> Config:
    """A Functional."""
    config = {"layers": [*layers], "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Model", "config": {"name": "m", **config}, **more}


def merge_of(*models: Any, mode: str = "concat") -> Config:
    """A Sequential of Keras 1 that begins with a merge of models and ends there."""
    merge = layer("Merge", {"name": mode, "mode": mode, "concat_axis": -1, "layers": [*models]})
    return sequential(merge, keras_version="1.2.2")


def report_of(model: Config) -> Report:
    """The report on a model that a JSON text holds, its layers by line."""
    text = json.dumps(model, indent=1)
    return trace(from_keras(json.loads(text), Source("m.json", text), "m", {}))


def wrapped(*items: Any) -> Config:
    """A list as TensorFlow wraps it."""
    return {"class_name": "ListWrapper", "items": [*items]}


# What a file holds, the shape that its model gives, and its params, by hand.
FILES: dict[str, tuple[Config, Any, int]] = {
    "lists that TensorFlow wraps, at every depth": (
        graph(
            layer("InputLayer", {"name": "x", "batch_input_shape": wrapped(None, 4, 3)}),
            layer("BatchNormalization", {"name": "b", "axis": wrapped(2)},
                  wrapped(wrapped("x", 0, 0, {}))),
            layer("TimeDistributed", {"name": "t", "layer": layer("Reshape",
                  {"target_shape": wrapped(3, 1)})}, wrapped(wrapped("b", 0, 0, {}))),
            inputs=wrapped(wrapped("x", 0, 0)), outputs=wrapped(wrapped("t", 0, 0)),
        ),
        (None, 4, 3, 1), 4 * 3,
    ),
    "Keras 1.0.0, which told no version": (
        sequential(
            layer("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 3, "subsample": [1, 1],
                  "dim_ordering": "th", "batch_input_shape": [None, 3, 10, 10]}),
            layer("UpSampling2D", {"size": [2, 2]}),  # whose files do not tell the ordering
            layer("Flatten"),
            layer("Dense", {"output_dim": 4, "init": "uniform", "input_dim": 2048}),
        ),
        (None, 4), 8 * (3 * 3 * 3 + 1) + 4 * (8 * 16 * 16 + 1),
    ),
    "a Sequential that begins with a merge of models": (merge_of(
        sequential(
            layer("Convolution1D", {"name": "c", "nb_filter": 8, "filter_length": 2,
                  "batch_input_shape": [None, 46, 12]}),
            layer("Flatten", {"name": "f"}),
        ),
        layer("Dense", {"name": "d", "output_dim": 4, "batch_input_shape": [None, 7]}),
        merge_of(
            sequential(layer("InputLayer", {"name": "i", "batch_input_shape": [None, 3]})),
            graph(
                layer("InputLayer", {"name": "x", "batch_input_shape": [None, 4]}),
                layer("Dense", {"name": "e", "output_dim": 3}, [["x", 0, 0]]),
                inputs=[["x", 0, 0]], outputs=[["e", 0, 0]],
            ),
            mode="sum",
        ),
    ), (None, 45 * 8 + 4 + 3), 8 * (2 * 12 + 1) + 4 * (7 + 1) + 3 * (4 + 1)),
    "a loss and a metric, which the model is given as layers": (
        graph(
            layer("InputLayer", {"name": "x", "batch_input_shape": [None, 4]}),
            layer("Dense", {"name": "d", "units": 3}, [["x", 0, 0, {}]]),
            layer("AddLoss", {"name": "l", "unconditional": False}, [["d", 0, 0, {}]]),
            layer("AddMetric", {"name": "n", "aggregation": "mean", "metric_name": "n"},
                  [["l", 0, 0, {}]]),
            inputs=[["x", 0, 0]], outputs=[["n", 0, 0]],
        ),
        (None, 3), 4 * 3 + 3,
    ),
    "cells of tf.keras": (
        sequential(
            layer("RNN", {"batch_input_shape": [None, 7, 4], "return_sequences": True, "cell": [
                layer("PeepholeLSTMCell", {"units": 5}),
                layer("ResidualWrapper", {"cell": layer("DropoutWrapper", {
                    "input_keep_prob": 0.5, "cell": layer("LSTMCell", {"units": 5})})}),
            ]}),
        ),
        (None, 7, 5), 4 * 5 * (4 + 5 + 1) + 3 * 5 + 4 * 5 * (5 + 5 + 1),
    ),
    "an input by the type of its tensor": (
        graph(
            layer("InputLayer", {"name": "x", "type_spec": {
                "class_name": "TypeSpec", "type_spec": "tf.TensorSpec",
                "serialized": [{"class_name": "TensorShape", "items": [None, 4]}, "float32", "x"],
            }}),
            layer("Dense", {"name": "d", "units": 3}, [["x", 0, 0, {}]]),
            inputs=[["x", 0, 0]], outputs=[["d", 0, 0]],
        ),
        (None, 3), 4 * 3 + 3,
    ),
}  # fmt: skip


def test_a_model_of_keras_0_is_named_in_yaml_too(tmp_path: Path) -> None:
    layers = [{"name": "Dense", "custom_name": "d", "output_dim": 5, "input_shape": (4,)}]
    path = tmp_path / "m.yaml"
    path.write_text(yaml.dump({"name": "Sequential", "loss": "mse", "layers": layers}), "utf-8")
    with pytest.raises(DenseCalcError, match=r"it is a model of Keras 0\.3 or older"):
        dense_calc.load(path)


@pytest.mark.parametrize("form", [json.dumps, yaml.dump])
def test_a_spec_may_be_called_sequential(form: Callable[[Any], str], tmp_path: Path) -> None:
    layers = [{"type": "Dense", "name": "d", "units": 3}]
    path = tmp_path / "m"
    path.write_text(form({"name": "Sequential", "input": [4], "layers": layers}), "utf-8")
    assert dense_calc.summarize(path).total_params == 15


@pytest.mark.parametrize("title", FILES)
def test_an_old_file_is_read(title: str) -> None:
    model, shape, params = FILES[title]
    report = report_of(model)
    assert [port.shape for port in report.outputs] == [shape]
    assert report.total_params == params


def test_a_merge_of_models_is_a_graph_with_all_their_inputs() -> None:
    report = report_of(FILES["a Sequential that begins with a merge of models"][0])
    assert [port.name for port in report.inputs] == ["c_input", "d_input", "i", "x"]
    rows = {row.name: row.connected_to for row in report.layers}
    assert (rows["concat"], rows["sum"]) == (("f", "d", "sum"), ("i", "e"))


def test_models_that_are_merged_have_no_layers_of_one_name() -> None:
    one = layer("Dense", {"name": "d", "output_dim": 4, "batch_input_shape": [None, 7]})
    with pytest.raises(DenseCalcError, match="the name 'd' stands here twice"):
        report_of(merge_of(one, sequential(one)))
