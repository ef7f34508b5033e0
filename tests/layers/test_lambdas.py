"""A `Lambda` of a function that Keras has: known by its name, in specs and in files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace


def model_of(function: Any, arguments: dict[str, Any]) -> Model:
    """A model with a Lambda that reads (None, 5, 8)."""
    layer = {"Lambda": {"function": function, "arguments": arguments}}
    return parse_spec(Source("m.yaml", json.dumps({"input": [5, 8], "layers": [layer]})), "m")


def stored(name: str, module: str = "builtins") -> dict[str, Any]:
    """A function as Keras stores it."""
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


KNOWN: list[tuple[Any, dict[str, Any], Any, dict[str, Any]]] = [
    ("softmax", {}, (None, 5, 8), stored("softmax", "keras.ops")),
    ("mish", {}, (None, 5, 8), stored("mish")),
    ("swish", {}, (None, 5, 8), stored("silu", "keras.ops")),
    ("glu", {}, (None, 5, 4), stored("glu", "keras.ops")),
    (stored("sum"), {}, (), stored("sum", "keras.ops")),
    (stored("sum"), {"axis": 1, "keepdims": True}, (None, 1, 8), stored("sum", "keras.ops")),
    (stored("mean", "keras.ops"), {"axis": -1}, (None, 5), stored("mean", "keras.ops")),
    ("keras.ops.transpose", {"axes": [0, 2, 1]}, (None, 8, 5), stored("transpose", "keras.ops")),
    ("ops.expand_dims", {"axis": -1}, (None, 5, 8, 1), stored("expand_dims", "keras.ops")),
    ("multiply", {"x2": 2.0}, (None, 5, 8), stored("multiply", "keras.ops")),
    ("eigh", {}, None, {}),
    ("rgb_to_hsv", {}, None, {}),
]


@pytest.mark.parametrize(("function", "arguments", "shape", "written"), KNOWN)
def test_a_function_of_keras_is_known(
    function: Any, arguments: dict[str, Any], shape: Any, written: dict[str, Any]
) -> None:
    model = model_of(function, arguments)
    if shape is None:  # the operation refuses what it is given
        with pytest.raises(DenseCalcError):
            trace(model)
        return
    report = trace(model)
    assert report.outputs[0].shape == shape
    value = json.loads(to_keras(model))
    assert value["config"]["layers"][-1]["config"]["function"] == written
    again = from_keras(value, Source("m.json", json.dumps(value)), "m", {})
    assert trace(again).outputs == report.outputs
    text = format_spec(again)
    assert f"function: {written['config']}" in text
    assert trace(parse_spec(Source("m.yaml", text), "m")).outputs == report.outputs


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("scale_it", {}),
        ("reshape", {}),
        ("mish", {"slope": 2}),
        ("sum", {"axes": 1}),
        ("add", {"x2": [1, 2]}),
        ("fold", {"output_size": 2, "kernel_size": 2}),
        ({"class_name": "__lambda__", "config": "sum"}, {}),
    ],
)
def test_any_other_must_say_what_it_gives(function: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(DenseCalcError, match="its function is not run; state its output shape"):
        trace(model_of(function, arguments))


def test_what_is_stated_goes_first() -> None:
    layer = "Lambda: {function: sum, output_shape: [3]}"
    model = parse_spec(Source("m.yaml", f"input: [8]\nlayers: [{layer}]"), "m")
    assert trace(model).outputs[0].shape == (None, 3)
