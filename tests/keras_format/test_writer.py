"""What is written for Keras, beyond what it shares with what is read: only what Keras loads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dense_calc.errors import DenseCalcError, LayerError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace


def model_of(spec: str) -> Model:
    """The model of a spec."""
    return parse_spec(Source("m.yaml", spec), "m")


def written(spec: str) -> dict[str, Any]:
    """The JSON that is written of a spec."""
    found: dict[str, Any] = json.loads(to_keras(model_of(spec)))
    return found


def read(value: dict[str, Any]) -> Report:
    """The report on what is read in JSON."""
    return trace(from_keras(value, Source("m.json", json.dumps(value)), "m", {}))


@pytest.mark.parametrize(
    ("layer", "class_name"),
    [
        ("ReLU", "Sequential"),
        ("ops.Relu", "Functional"),
        ("Add: {from: [dense]}", "Functional"),
        ("ReversibleEmbedding: {input_dim: 9, output_dim: 4}", "Sequential"),
        ("ReversibleEmbedding: {input_dim: 9, output_dim: 4, reverse: true}", "Functional"),
        ("Sequential: {input: [4], layers: [ReLU]}", "Sequential"),
        ("Functional: {input: [4], layers: [ops.Relu]}", "Sequential"),
    ],
)
def test_a_sequential_holds_only_what_keras_adds_to_it(layer: str, class_name: str) -> None:
    spec = f"input: [3]\nlayers: [Dense: {{units: 4}}, {layer}]"
    assert written(spec)["class_name"] == class_name
    rows = [row.type for row in trace(model_of(spec)).layers]
    assert rows == [row.type for row in read(written(spec)).layers]
    assert (rows[0] == "InputLayer") == (class_name == "Functional")


@pytest.mark.parametrize(
    ("operation", "kwargs"),
    [
        ("ops.Where: {from: x}", {"x1": None, "x2": None}),
        ("ops.LayerNorm: {from: x}", {"gamma": None, "beta": None}),
        ("ops.RMSNorm: {from: x}", {"scale": None}),
        ("ops.BatchNorm: {axis: -1, from: [x, y, y]}", {"offset": None, "scale": None}),
        ("ops.Add: {from: [x, 1]}", {}),
    ],
)
def test_an_operation_is_told_that_it_is_not_given_an_input(
    operation: str, kwargs: dict[str, None]
) -> None:
    value = written(f"inputs: {{x: [3], y: {{batch_shape: [3]}}}}\nlayers: [{operation}]")
    (call,) = value["config"]["layers"][-1]["inbound_nodes"]
    assert call["kwargs"] == kwargs
    assert read(value).outputs


NAMED = """
inputs: {p: [8], q: [4]}
layers:
  - Functional:
      name: inner
      inputs: {x: [8], memory: [4]}
      layers:
        - Dense: {units: 4, from: x}
        - Concatenate: {from: [dense, memory]}
      from: {x: p, memory: q}
  - {reuse: inner, from: [[p, q]]}
"""


def test_a_model_that_is_called_by_names_has_them() -> None:
    value = written(NAMED)
    inner = next(each for each in value["config"]["layers"] if each["name"] == "inner")
    assert inner["config"]["input_layers"] == {"x": ["x", 0, 0], "memory": ["memory", 0, 0]}
    read_by = [
        {name: tensor["config"]["keras_history"][0] for name, tensor in call["args"][0].items()}
        for call in inner["inbound_nodes"]
    ]
    assert read_by == [{"x": "p", "memory": "q"}] * 2
    assert read(value).total_params == trace(model_of(NAMED)).total_params


def test_names_in_their_order_need_none() -> None:
    value = written(NAMED.replace("memory", "y"))
    inner = next(each for each in value["config"]["layers"] if each["name"] == "inner")
    assert inner["config"]["input_layers"] == [["x", 0, 0], ["y", 0, 0]]
    first, second = inner["inbound_nodes"]
    assert set(first["args"][0]) == {"x", "y"}
    assert len(second["args"][0]) == 2


def test_a_sequential_inside_is_built_on_what_it_is_called_on() -> None:
    layer = "Sequential: {name: s, layers: [Dense: {units: 4}, ReLU]}"
    spec = f"input: [8]\nlayers: [{layer}, Dense: {{units: 8}}, {{reuse: s}}]"
    model = model_of(spec)
    report = trace(model)
    assert report.total_params == (8 + 1) * 4 + (4 + 1) * 8
    assert report == trace(parse_spec(Source("m.yaml", format_spec(model)), "m"))
    assert "input" not in format_spec(model).partition("Sequential")[2]
    inner = next(each for each in written(spec)["config"]["layers"] if each["name"] == "s")
    assert [each["class_name"] for each in inner["config"]["layers"]] == ["Dense", "ReLU"]
    assert read(written(spec)).total_params == report.total_params


def test_a_sequential_inside_must_be_called_on_something() -> None:
    with pytest.raises(DenseCalcError, match="the model has no input; write 'input: "):
        model_of("layers: [Sequential: {layers: [ReLU]}]")


@pytest.mark.parametrize(
    ("names", "call"),
    [
        (("x", "memory"), {"x": "p", "memory": "q"}),
        (("x", "memory"), {"x": "p", "memory": "q", "more": "p"}),
        (("a", "b"), {"b": "q", "a": "p"}),
    ],
)
def test_a_model_may_have_other_names_for_its_inputs(
    names: tuple[str, str], call: dict[str, str]
) -> None:
    value = written(NAMED)
    inner = next(each for each in value["config"]["layers"] if each["name"] == "inner")
    tensors = {"p": inner["inbound_nodes"][0]["args"][0]["x"]}
    tensors["q"] = inner["inbound_nodes"][0]["args"][0]["memory"]
    inner["config"]["input_layers"] = dict(zip(names, [["x", 0, 0], ["memory", 0, 0]], strict=True))
    inner["inbound_nodes"] = [{"args": [{key: tensors[call[key]] for key in call}], "kwargs": {}}]
    value["config"]["output_layers"] = [["inner", 1, 0]]
    assert read(value).outputs[0].shape == (None, 4 + 4)
    inner["inbound_nodes"][0]["args"][0].pop(names[1])
    with pytest.raises(LayerError, match="it "):
        read(value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            "ops.Histogram: {range: [0, 1]}",
            "Histogram 'histogram': Keras cannot load it from a file: it needs a tuple, and files "
            "have lists",
        ),
        (
            "ops.AdaptiveMaxPool: {output_size: [2]}",
            "AdaptiveMaxPool 'adaptive_max_pool': Keras cannot load it from a file: it needs a "
            "tuple, and files have lists",
        ),
        (
            "Lambda: {output_shape: [[2], [3]]}",
            "Lambda 'lambda': Keras cannot load it from a file: it needs a tuple, and files have "
            "lists",
        ),
        (
            "Pipeline: {layers: [Equalization]}",
            "Pipeline 'pipeline': Keras can make no model of it: it gives back the tensor that it "
            "read",
        ),
    ],
)
def test_what_keras_could_not_load_is_not_written(layer: str, message: str) -> None:
    with pytest.raises(LayerError) as caught:
        written(f"input: [8, 8, 3]\nlayers: [{layer}]")
    assert caught.value.message == message


@pytest.mark.parametrize(
    "order", ["[q, v, k]", "{key: k, query: q, value: v}", "{query: q, key: k, value: v}"]
)
def test_connections_keep_their_order(order: str) -> None:
    attention = f"MultiHeadAttention: {{num_heads: 2, key_dim: 4, from: {order}}}"
    inputs = "inputs: {q: [3, 8], k: [4, 8], v: [4, 8]}"
    spec = f"type: Functional\n{inputs}\nlayers: [{attention}]"
    assert read(written(spec)).layers == trace(model_of(spec)).layers


def test_numbers_that_json_does_not_have_are_written_as_pythons_json_writes_them() -> None:
    spec = "input: [4, 2]\nlayers: [Masking: {mask_value: [.nan, -.inf]}]\n"
    text = to_keras(model_of(spec))
    assert "NaN,\n" in text
    again = from_keras(json.loads(text), Source("m.json", text), "m", {})
    assert "mask_value: [.nan, -.inf]" in format_spec(again)


def test_a_number_that_no_spec_can_hold_is_refused() -> None:
    constant = "{class_name: Constant, config: {value: 1}}"
    spec = f"input: [4]\nlayers: [Dense: {{units: 2, bias_initializer: {constant}}}]\n"
    value = written(spec)
    value["config"]["layers"][1]["config"]["bias_initializer"]["config"]["value"] = 2**63
    model = from_keras(value, Source("m.json", json.dumps(value)), "m", {})
    with pytest.raises(DenseCalcError, match="a number in a spec may be at most 9,223,"):
        format_spec(model)


def test_a_list_of_null_is_not_nothing() -> None:
    spec = "name: m\ninput: [4]\nlayers:\n  - Dropout: {rate: 0.5, noise_shape: [null]}\n"
    assert format_spec(model_of(spec)) == spec
