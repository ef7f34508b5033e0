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
from dense_calc.keras_format.reader import from_keras
from dense_calc.report import Report
from dense_calc.tracing.tracer import trace

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


def test_a_merge_of_models_may_stand_in_another_model() -> None:
    one = layer("Dense", {"name": "d", "output_dim": 4, "batch_input_shape": [None, 7]})
    other = layer("Dense", {"name": "e", "output_dim": 5, "batch_input_shape": [None, 8]})
    inside = {**merge_of(one, other), "name": "s"}
    inside["inbound_nodes"] = [[["x", 0, 0], ["y", 0, 0]]]
    inputs = [layer("InputLayer", {"name": name, "batch_input_shape": [None, size]})
              for name, size in (("x", 7), ("y", 8))]  # fmt: skip
    ends = {"inputs": [["x", 0, 0], ["y", 0, 0]], "outputs": [["s", 1, 0]]}
    report = report_of(graph(*inputs, inside, **ends, keras_version="1.2.2"))
    assert report.outputs[0].shape == (None, 9)
    assert report.total_params == 4 * (7 + 1) + 5 * (8 + 1)


def test_a_model_that_is_merged_may_hold_a_custom_layer() -> None:
    first = layer("Dense", {"name": "d", "output_dim": 4, "batch_input_shape": [None, 7]})
    second = layer("Dense", {"name": "e", "output_dim": 5, "batch_input_shape": [None, 8]})
    merge = merge_of(sequential(first, layer("Scale", {"name": "s"})), sequential(second))
    with pytest.raises(DenseCalcError, match="'Scale' is unknown"):
        report_of(merge)
    text = json.dumps(merge)
    model = from_keras(merge, Source("m.json", text), "m", {"Scale": "identity"})
    assert trace(model).outputs[0].shape == (None, 9)


def test_models_that_are_merged_have_no_layers_of_one_name() -> None:
    one = layer("Dense", {"name": "d", "output_dim": 4, "batch_input_shape": [None, 7]})
    with pytest.raises(DenseCalcError, match="the name 'd' is used twice"):
        report_of(merge_of(one, sequential(one)))


def chain(*layers: Config, shape: Any = (4,), dtype: str = "float32") -> Config:
    """A Sequential of Keras 3, which holds these layers and an input."""
    first = {"batch_shape": [None, *shape], "dtype": dtype, "name": "x"}
    written = [layer("InputLayer", first), *({**each, "module": "keras.layers"} for each in layers)]
    return {"module": "keras", "class_name": "Sequential", "config": {"layers": written}}


# What only a backend or a later version refuses: a file, its params, and what is said of it.
L16 = {"units": 3, "dtype": "float16", "recurrent_initializer": {"class_name": "Orthogonal"}}
TAKEN: dict[str, tuple[Config, int, list[str]]] = {
    "the dtype of inputs, as Keras 2.0 writes it of an Embedding": (
        sequential(layer("Embedding", {"input_dim": 9, "output_dim": 4, "dtype": "int32",
                   "batch_input_shape": [None, 7], "embeddings_initializer": "uniform"})), 36, [],
    ),
    "an Embedding of whole numbers": (
        chain(layer("Embedding", {"input_dim": 9, "output_dim": 4, "dtype": "int32"})), 36,
        ["'embeddings_initializer' cannot be made in int32 with JAX; it is left out"],
    ),
    "an LSTM in float16": (
        chain(layer("LSTM", L16), shape=(7, 4)), 4 * 3 * (4 + 3 + 1),
        ["'recurrent_initializer' cannot be made in float16 with JAX; it is left out"],
    ),
    "an LSTM in float16 within another layer": (
        chain(layer("Bidirectional", {"layer": {**layer("LSTM", L16), "module": "keras.layers"}}),
              shape=(7, 4)), 2 * 4 * 3 * (4 + 3 + 1),
        ["'recurrent_initializer' cannot be made in float16 with JAX; it is left out"],
    ),
    "what only TensorFlow takes": (
        chain(layer("BatchNormalization", {"synchronized": True})), 16,
        ["'synchronized' is for TensorFlow only, and does not change shapes; it is left out"],
    ),
    "an argument of Keras 3.0": (chain(layer("RandomRotation", {"factor": 0.1, "value_range":
        [0, 255]}), shape=(8, 8, 3)), 0, []),
    "TensorFlow's name of a dtype": (chain(layer("Dense", {"units": 3, "dtype": "float"}),
        dtype="double"), 15, []),
    "what tf.keras 2.13 writes, without a version": (
        {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [
            layer("InputLayer", {"batch_input_shape": [None, 4], "ragged": False}),
            layer("Dense", {"units": 3, "dtype": "float32"}),
            layer("LeakyReLU", {"alpha": 0.1}),
        ]}}, 15, [],
    ),
    "0 and 1 for truths": (
        chain(layer("BatchNormalization", {"scale": 1, "center": 0.0})), 12, [],
    ),
    "whole numbers with a fraction": (
        chain(layer("Conv2D", {"filters": 2.0, "kernel_size": [3.0, 3], "strides": 1.0}),
              layer("MaxPooling2D", {"pool_size": 2.0}),
              layer("ZeroPadding2D", {"padding": [[1.0, 1], [0, 2.0]]}), shape=(9, 9, 1)),
        20, [],
    ),
    "a seed that is too large, or negative": (
        chain(layer("Dropout", {"rate": 0.5, "seed": -1}),
              layer("GaussianNoise", {"stddev": 1, "seed": 10**10})), 0, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", TAKEN)
def test_what_only_a_backend_or_a_later_version_refuses_is_read(title: str) -> None:
    config, params, remarks = TAKEN[title]
    text = json.dumps(config, indent=1)
    model = from_keras(config, Source("m.json", text), "m", {})
    assert trace(model).total_params == params
    assert [note.message for note in model.remarks] == remarks
    assert all(str(note.place.resolve().line) != "1" for note in model.remarks)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"filters": 2.5, "kernel_size": 3}, "'filters' must be a positive integer, not 2.5"),
        ({"filters": 2, "kernel_size": [3, 1.5]}, "not 1.5"),
        ({"filters": 2, "kernel_size": 3, "use_bias": 2}, "'use_bias' must be"),
        ({"filters": 2, "kernel_size": 3, "value_range": 2}, "no argument 'value_range'"),
        ({"filters": "2", "kernel_size": 3}, "not '2'"),
    ],
)
def test_what_no_version_took_is_refused(config: Config, said: str) -> None:
    with pytest.raises(DenseCalcError, match=said):
        report_of(chain(layer("Conv2D", config), shape=(9, 9, 1)))


# A layer of an old version, what is said of it, and the words in the line that is to blame.
MISTAKES: dict[str, tuple[int, Config, str, str]] = {
    "a renamed argument": (
        1, layer("Dense", {"output_dim": -3, "batch_input_shape": [None, 4]}),
        "Dense's 'output_dim' must be a positive integer, not -3", '"output_dim": -3',
    ),
    "one of two that became one": (
        1, layer("Convolution2D", {"nb_filter": 3, "nb_row": "a", "nb_col": 2,
                 "batch_input_shape": [None, 9, 9, 1]}),
        "Convolution2D's 'nb_row' must be a positive integer", '"nb_row": "a"',
    ),
    "the shape of the input": (
        2, layer("Dense", {"units": 3, "batch_input_shape": [None, "four"]}),
        "'batch_input_shape' is a list of sizes, not a list of 2", '"batch_input_shape": [',
    ),
    "an input's shape": (
        2, layer("InputLayer", {"batch_input_shape": [None, "four"]}),
        "InputLayer's 'batch_input_shape' must be", '"four"',
    ),
    "what does not fit the input": (
        1, layer("Convolution1D", {"nb_filter": 3, "filter_length": 9,
                 "batch_input_shape": [None, 5, 2]}),
        "9", '"filter_length": 9',
    ),
    "a word that nobody knows": (
        2, layer("Dense", {"units": 3, "unheard": 1, "batch_input_shape": [None, 4]}),
        "Dense has no argument 'unheard'", '"unheard": 1',
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", MISTAKES)
def test_a_mistake_is_told_in_the_words_of_the_file(title: str) -> None:
    keras, written, said, blamed = MISTAKES[title]
    with pytest.raises(DenseCalcError) as caught:
        report_of(sequential(written, keras_version=f"{keras}.0.0"))
    message, line, _ = str(caught.value).split("\n")
    assert said in message
    assert blamed in line
