"""JSON of Keras that is broken: each mistake is told, and nothing runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.functional import functional, layer, model_of

import dense_calc
from dense_calc.errors import DenseCalcError
from dense_calc.tracing.tracer import trace

CODE = {
    "class_name": "__lambda__",
    "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
}
ERRORS = {
    "a circle": (
        functional(layer("x", ("y", 0, 0)), layer("y", ("x", 0, 0))),
        "layers read each other in a circle: 'x' reads 'y' reads 'x'",
    ),
    "itself": (
        functional(layer("x", ("x", 0, 0))),
        "layers read each other in a circle: 'x' reads 'x'",
    ),
    "no such layer": (functional(layer("x", ("b", 0, 0))), "there is no layer 'b' to read"),
    "no such call": (
        functional(layer("x", ("a", 5, 0))),
        "there is no call [5] of 'a'; it has 1",
    ),
    "no such output": (
        functional(layer("x", ("a", 0, 7))),
        "Dense 'x': 'a' has no output 7; it has 1",
    ),
    "no such end": (functional(layer(), outputs=[["q", 0, 0]]), "there is no layer 'q' to read"),
    "no end": (functional(layer(), outputs=[]), "a Functional needs 'output_layers'"),
    "never called": (
        functional({**layer(), "inbound_nodes": []}),
        "'x' is read, and never called",
    ),
    "the same name": (functional(layer(), layer()), "the name 'x' is used twice"),
    "code": (
        functional(layer(of="keras.layers.Lambda", function=CODE)),
        "what the Lambda 'x' gives is unknown, and no code is run; state it: --assume x=identity, "
        "or --assume 'x={output_shape: [64]}'",
    ),
    "code for a shape": (
        functional(layer(of="keras.layers.Lambda", function=CODE, output_shape=CODE)),
        "what the Lambda 'x' gives is unknown, and no code is run; state it: --assume x=identity, "
        "or --assume 'x={output_shape: [64]}'",
    ),
    "a module": (
        functional(layer(of="os.system")),
        "'system' is unknown, and no code is run; state what it does: --assume system=identity, or "
        "--assume 'system={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "a class that only is called like one of Keras'": (
        functional({**layer(), "module": "lab", "registered_name": "lab>Dense"}),
        "'Dense' (lab>Dense) is unknown, and no code is run; state what it does: --assume "
        "Dense=identity, or --assume 'Dense={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "an operation": (
        functional(layer(of="keras.src.ops.numpy.Foo")),
        "'Foo' is unknown, and no code is run; state what it does: --assume Foo=identity, or "
        "--assume 'Foo={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "an argument": (
        functional(layer(units=3, unit=4)),
        "Dense has no argument 'unit'; did you mean 'units'?",
    ),
    "a value": (
        functional(layer(units="3")),
        "Dense's 'units' must be a positive integer, not '3'",
    ),
    "what is missing": (functional(layer(use_bias=False)), "Dense needs 'units'"),
    "a class of its own": (
        '{"class_name": "MyModel", "config": {}}',
        "the model has a custom class, 'MyModel', and the file does not tell its layers; a "
        "Sequential or a Functional can be read",
    ),
    "no input": (
        '{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": '
        '[{"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}]}}',
        "the model has no input shape, as it was saved before it was built; set the shape: --set "
        "'input=[28, 28, 1]'",
    ),
    "a merge": (
        '<<<<<<< HEAD\n{"class_name": "Sequential"}\n=======\n{}\n>>>>>>> wider\n',
        "a conflict marker of git; keep one of the two sides",
    ),
    "a merge in it": (
        '{"class_name": "Sequential", "config":\n<<<<<<< HEAD\n{}}',
        "a conflict marker of git; keep one of the two sides",
    ),
    "no JSON": ('{"class_name": "Sequential", "config": {', "this is not JSON: "),
    "deep": (
        '{"class_name": "Sequential", "config": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "too much: it is nested without end",
    ),
    "digits": (
        functional(layer()).replace('"units": 3', '"units": ' + "9" * 5000),
        "a number has too many digits",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_broken_file_is_told(tmp_path: Path, name: str) -> None:
    text, message = ERRORS[name]
    path = tmp_path / "m.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.summarize(path)
    assert caught.value.message.startswith(message)
    assert message.endswith(": ") or caught.value.message == message
    assert re.match(rf"{re.escape(str(path))}:[12]:", str(caught.value))


def nested(depth: int) -> dict[str, Any]:
    """Models in models, so many."""
    first = {"module": "keras.layers", "class_name": "InputLayer",
             "config": {"batch_shape": [None, 3], "name": "i"}}  # fmt: skip
    inner: dict[str, Any] = {
        "module": "keras.layers",
        "class_name": "ReLU",
        "config": {"name": "r"},
    }
    for _ in range(depth):
        config = {"name": "s", "layers": [first, inner]}
        inner = {"module": "keras", "class_name": "Sequential", "config": config}
    return inner


def test_models_in_models_have_an_end() -> None:
    assert trace(model_of(json.dumps(nested(30)))).total_params == 0
    with pytest.raises(DenseCalcError, match="more than 32 models are nested in each other"):
        model_of(json.dumps(nested(200)))
