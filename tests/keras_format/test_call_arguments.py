"""Calls in Keras' files: the arguments that a call has are those that Keras 3.15.1 takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dense_calc.call_inputs import format_call_input
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace


def tensor(name: str) -> dict[str, Any]:
    """The output of an input of the model."""
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def array(value: Any) -> dict[str, Any]:
    """What is no tensor of the model, in a call."""
    return {"class_name": "__tensor__", "config": {"value": value, "dtype": "float32"}}


def input_layer(name: str, shape: list[int | None], dtype: str = "float32") -> dict[str, Any]:
    """An input of the model."""
    config = {"batch_shape": shape, "dtype": dtype, "name": name}
    return {"module": "keras.layers", "class_name": "InputLayer", "config": config, "name": name}


X, Y, Z, M, K = map(tensor, "xyzmk")
INPUTS = [
    *(input_layer(name, [None, 5, 8]) for name in "xyz"),
    *(input_layer(name, [None, 5], "bool") for name in "mk"),
]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "CategoryEncoding": {"num_tokens": 4, "output_mode": "count"},
    "Dense": {"units": 2},
    "LSTM": {"units": 2},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 2},
    "TimeDistributed": {"layer": {"module": "keras.layers", "class_name": "ReLU", "config": {}}},
}


def model_of(
    class_name: str, args: list[Any], kwargs: dict[str, Any], inputs: str = "xyzmk"
) -> Model:
    """A model with one call of a class: an operation if it is written `ops.Add`."""
    module, _, name = f"layers.{class_name}".rpartition(".")
    layer = {
        "module": "keras.layers" if module == "layers" else "keras.src.ops.numpy",
        "class_name": name,
        "config": {"name": "l", **ARGUMENTS.get(name, {})},
        "name": "l",
        "inbound_nodes": [{"args": args, "kwargs": kwargs}],
    }
    config = {
        "name": "f",
        "layers": [*INPUTS, layer],
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": ["l", 0, 0],
    }
    value = {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}
    return from_keras(value, Source("m.json", json.dumps(value)), "m", {})


TAKEN: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("Attention", [[X, Y]], {}),
    ("Attention", [[X, Y, Z]], {"mask": [M, K, M]}),
    ("Attention", [[X, Y]], {"mask": [M, None]}),
    ("Attention", [[X, Y], [M, K]], {}),
    ("Attention", [], {"inputs": [X, Y]}),
    ("AdditiveAttention", [[X, Y]], {"mask": [None, M], "training": True}),
    ("MultiHeadAttention", [X], {"value": Y, "attention_mask": M}),
    ("MultiHeadAttention", [], {"query": X, "value": Y, "key": Z}),
    ("MultiHeadAttention", [X, Y], {"query_mask": M, "key_mask": K}),
    ("Add", [], {"inputs": [X, Y]}),
    ("BatchNormalization", [X], {"mask": M}),
    ("GlobalAveragePooling1D", [X, M], {}),
    ("TimeDistributed", [X], {"mask": M}),
    ("RMSNormalization", [], {"x": X}),
    ("Dense", [X], {"training": None}),
    ("CategoryEncoding", [M], {"count_weights": K}),
    ("ops.LogicalAnd", [M, True], {}),
    ("ops.LogicalAnd", [False, M], {}),
    ("ops.Where", [M, None, None], {}),
    ("ops.Where", [M], {"x1": 0, "x2": False}),
    ("ops.Add", [float("nan"), X], {}),
]


@pytest.mark.parametrize(("class_name", "args", "kwargs"), TAKEN)
def test_a_call_is_the_same_in_every_form(
    class_name: str, args: list[Any], kwargs: dict[str, Any]
) -> None:
    model = model_of(class_name, args, kwargs)
    report = trace(model)
    for text in format_spec(model), to_keras(model):
        again = (
            from_keras(json.loads(text), Source("m.json", text), "m", {})
            if text.startswith("{")
            else parse_spec(Source("m.yaml", text), "m")
        )
        assert trace(again) == report
        assert call_of(again) == call_of(model)


def call_of(model: Model) -> str:
    """What the layer of a model is given, in words, with its mask."""
    node = model.nodes[-1]
    call = list(node.call_inputs or node.inputs)
    while call[-1] is None:
        call.pop()
    return f"{format_call_input(tuple(call))} {format_call_input(node.mask)}"


REFUSED: list[tuple[str, list[Any], dict[str, Any], str]] = [
    ("Attention", [[X]], {}, "Attention 'l': it takes 2 inputs (query, value), not 1"),
    ("Attention", [[X, Y, Z, X]], {}, "Attention 'l': it takes 2 inputs (query, value), not 4"),
    ("Attention", [X], {}, "'l': Attention takes a list of tensors, not one"),
    (
        "Attention",
        [[X, Y]],
        {"mask": [M]},
        "'l': Attention takes a list of 2 or 3 masks, with null for a missing one",
    ),
    (
        "AdditiveAttention",
        [[X, Y]],
        {"mask": M},
        "'l': AdditiveAttention takes a list of 2 or 3 masks, with null for a missing one",
    ),
    ("MultiHeadAttention", [X], {}, "MultiHeadAttention 'l': it takes 2 inputs (query, value), "),
    ("MultiHeadAttention", [X, Y], {"mask": M}, "'l': MultiHeadAttention's call has no argument "),
    ("MultiHeadAttention", [X, Y], {"foo": 1}, "'l': MultiHeadAttention's call has no argument "),
    ("Add", [X], {}, "'l': Add takes a list of tensors, not one"),
    ("Add", [[X, Y], Z], {}, "'l': Add takes one list of tensors"),
    ("Dense", [X, Y], {}, "Dense 'l': it takes 1 input, not 2"),
    ("Dense", [X], {"mask": M}, "'l': Dense's call has no argument 'mask'"),
    ("Dense", [X, True], {}, "'l': Dense takes tensors alone by position"),
    ("Dense", [], {"x": X}, "'l': Dense's call has no argument 'x'"),
    ("Dense", [], {}, "'l' is called with something that is not a tensor"),
    ("Dense", [1.0], {}, "'l': Dense takes tensors alone by position"),
    ("LSTM", [[X, Y]], {}, "LSTM 'l': its sequences must be one tensor, not several: "),
    ("CategoryEncoding", [], {"count_weights": K}, "CategoryEncoding 'l': it needs 'inputs'"),
    ("ops.Add", [1, 2], {}, "'l' is called with something that is not a tensor"),
    ("ops.Add", [X, Y, Z], {}, "Add 'l': it takes 2 inputs (x1, x2), not 3"),
    ("ops.Add", [X], {"mask": M}, "'l': Add's call has no argument 'mask'"),
    ("ops.Stack", [[X, None]], {}, "'l' is called with something that is not a tensor"),
    (
        "LSTM",
        [X],
        {"initial_state": [None, Y]},
        "'l': LSTM reads a list or a mapping that contains null",
    ),
    ("MixUp", [{"images": X, "label": M}], {}, "'l': MixUp has no input 'label'; did you mean "),
    ("ops.Add", [X, array("one")], {}, "an array in a call holds numbers"),
    ("ops.Add", [X, array([1, [None]])], {}, "an array in a call holds numbers"),
]


@pytest.mark.parametrize(("class_name", "args", "kwargs", "message"), REFUSED)
def test_a_call_that_keras_refuses(
    class_name: str, args: list[Any], kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(DenseCalcError) as caught:
        trace(model_of(class_name, args, kwargs))
    assert caught.value.message.startswith(message)


def test_inputs_are_those_that_the_model_has() -> None:
    model = model_of("Dense", [X], {}, "zx")
    assert model.inputs == ("z", "x")
    with pytest.raises(DenseCalcError, match="'x' is read, and not among 'input_layers'"):
        model_of("Dense", [X], {}, "y")
    with pytest.raises(DenseCalcError, match="a Functional needs 'input_layers'"):
        model_of("Dense", [X], {}, "")
