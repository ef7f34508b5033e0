"""Models in files of Keras': what it can load beyond the usual, as real Keras 3.15.1 has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.model import Model
from dense_calc.tracing.tracer import trace

INPUT = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "input"}}
DENSE = {"class_name": "Dense", "config": {"units": 2, "name": "dense"}}


def chain(*layers: Any, name: str = "chain") -> dict[str, Any]:
    """A Sequential as Keras writes it."""
    config = {"name": name, "layers": list(layers)}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def graph(*layers: dict[str, Any]) -> dict[str, Any]:
    """A Functional in which each layer reads the one before it."""
    written = []
    for number, layer in enumerate(layers):
        before = [[layers[number - 1]["config"]["name"], 0, 0, {}]] if number else []
        written.append({**layer, "name": layer["config"]["name"], "inbound_nodes": [before]})
        if not number:
            written[0]["inbound_nodes"] = []
    ends = {"input_layers": [[layers[0]["config"]["name"], 0, 0]]}
    ends["output_layers"] = [[layers[-1]["config"]["name"], 0, 0]]
    return {
        "module": "keras",
        "class_name": "Functional",
        "config": {"name": "graph", "layers": written, **ends},
    }


def model_of(value: dict[str, Any], **assumed: str) -> Model:
    """The model that Keras writes so."""
    return from_keras(value, Source("m.json", json.dumps(value)), "m", assumed)


def test_a_sequential_of_nothing_is_an_empty_model() -> None:
    report = trace(model_of(chain()))
    assert (report.name, report.layers, report.inputs, report.outputs) == ("chain", (), (), ())
    assert report.total_params == 0


EMPTY = """Model: "chain"
┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┓
┃ Layer (type) ┃ Output Shape ┃ Param # ┃
┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━┩
└──────────────┴──────────────┴─────────┘
 Total params: 0 (0.00 B)
 Trainable params: 0 (0.00 B)
 Non-trainable params: 0 (0.00 B)
"""


def test_an_empty_model_is_shown(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.json").write_text(json.dumps(chain()), "utf-8")
    (tmp_path / "n.json").write_text(json.dumps(chain(INPUT, DENSE)), "utf-8")
    assert run("summary", "m.json", "--format", "table", cwd=tmp_path).stdout == EMPTY
    for arguments in (["explain", "m.json"], ["check", "m.json"], ["diff", "m.json", "n.json"]):
        assert run(*arguments, cwd=tmp_path).returncode == 0
    written = run("convert", "m.json", "--to", "keras", cwd=tmp_path)
    assert json.loads(written.stdout)["config"]["layers"] == []
    told = run("convert", "m.json", "--to", "yaml", cwd=tmp_path)
    assert told.stderr == "error: a model without input and layers has no spec\n"
    told = run("summary", "m.json", "--set", "input=[3]", cwd=tmp_path)
    assert told.stderr == "error: the model has no input to set\n"


def test_a_sequential_may_be_only_its_input() -> None:
    only = chain(INPUT, name="only")
    assert trace(model_of(only)).layers == ()
    for whole in (chain(INPUT, only, DENSE), graph(INPUT, only, DENSE)):
        rows = {row.name: row for row in trace(model_of(whole)).layers}
        assert (rows["only"].output_shape, rows["only"].params) == ((None, 3), 0)
        assert rows["dense"].params == 8


def test_a_model_without_layers_cannot_be_called() -> None:
    with pytest.raises(DenseCalcError, match="'empty' has no layers, and cannot be called"):
        model_of(chain(INPUT, chain(name="empty"), DENSE))
    with pytest.raises(DenseCalcError, match="a model needs 'layers', a list"):
        model_of({**chain(), "class_name": "Functional"})


SCALE = {"name": "scale", "trainable": True, "init_values": 1e-6, "projection_dim": 3}
NAMES: list[dict[str, Any]] = [
    {"class_name": "LayerScale"},
    {"class_name": "Custom>LayerScale"},
    {"class_name": "keras.applications.convnext>LayerScale"},
    {"class_name": "LayerScale", "module": "keras.src.applications.convnext"},
    {"class_name": "LayerScale", "module": None, "registered_name": "Custom>LayerScale"},
]


@pytest.mark.parametrize("names", NAMES, ids=json.dumps)
def test_layers_of_applications_are_known_by_all_their_names(names: dict[str, Any]) -> None:
    row = trace(model_of(chain(INPUT, {**names, "config": SCALE}))).layers[-1]
    assert (row.type, row.params, row.weights[0].name) == ("LayerScale", 3, "gamma")


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Custom>LayerScale", {**SCALE, "gamma": 1}),
        ("mine>LayerScale", SCALE),
        ("Custom>Dense", DENSE["config"]),
    ],
)
def test_what_is_called_like_them_is_not_taken_for_them(name: str, config: dict[str, Any]) -> None:
    layer = {"class_name": name, "config": config}
    with pytest.raises(DenseCalcError, match="is unknown, and no code is run"):
        trace(model_of(chain(INPUT, layer)))
    short = name.rpartition(">")[2]
    report = trace(model_of(chain(INPUT, layer), **{short: "identity"}))
    assert report.total_params == 0


def test_paths_that_are_dropped_hold_nothing() -> None:
    config = {"name": "drop", "drop_path_rate": 0.1}
    report = trace(model_of(chain(INPUT, {"class_name": "StochasticDepth", "config": config})))
    assert [(row.type, row.output_shape, row.params) for row in report.layers] == [
        ("StochasticDepth", (None, 3), 0)
    ]


@pytest.mark.parametrize("causal", [0, 1, False, True, None])
def test_a_truth_in_a_call_may_be_a_number(causal: Any) -> None:
    steps = {"class_name": "InputLayer", "config": {"batch_shape": [None, 5, 8], "name": "input"}}
    config = {"name": "attention", "num_heads": 2, "key_dim": 3}
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": ["input", 0, 0]}}
    call = {"args": [tensor, tensor], "kwargs": {"use_causal_mask": causal}}
    value = graph(steps, {"class_name": "MultiHeadAttention", "config": config})
    value["config"]["layers"][1]["inbound_nodes"] = [call]
    model = model_of(value)
    layer: Any = model.nodes[-1].layer
    assert layer.use_causal_mask is bool(causal)
    assert trace(model).total_params == 218


@pytest.mark.parametrize(
    ("mode", "output"),
    [("int", (None, 3)), ("one_hot", (None, 3, 4)), ("multi_hot", (None, 4)), ("count", (None, 4))],
)
def test_bins_that_were_adapted_are_as_many_as_were_wanted(mode: str, output: Any) -> None:
    """After `adapt` Keras saves both; its constructor takes one of them."""
    config = {"name": "bins", "bin_boundaries": [0.5, 1, 1.5], "num_bins": 4, "output_mode": mode}
    written = chain(INPUT, {"class_name": "Discretization", "config": config})
    report = trace(model_of(written))
    assert (report.layers[-1].output_shape, report.total_params) == (output, 0)


def test_the_layers_of_a_feature_space_are_known() -> None:
    home = "keras.src.layers.preprocessing.feature_space"
    taken = {"module": home, "class_name": "TFDIdentity", "config": {"name": "taken"}}
    joined = {"module": home, "class_name": "TFDConcat", "config": {"name": "joined", "axis": -1}}
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}
        for name in ("input", "taken")
    ]
    value = graph(INPUT, taken, joined)
    value["config"]["layers"][2]["inbound_nodes"] = [{"args": [tensors], "kwargs": {}}]
    rows = trace(model_of(value)).layers
    assert [(row.type, row.output_shape) for row in rows[1:]] == [
        ("TFDIdentity", (None, 3)),
        ("TFDConcat", (None, 6)),
    ]
    assert rows[-1].connected_to == ("input", "taken")
