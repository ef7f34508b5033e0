"""Settings that fit nothing: what is said, and where it points."""

from __future__ import annotations

from typing import Any

import pytest
from support.set_model import SPEC, with_settings

from dense_calc.errors import DenseCalcError
from dense_calc.tracing.tracer import trace

# settings → how the complaint begins
COMPLAINTS: dict[str, tuple[dict[str, Any], str]] = {
    "a var that is not there": (
        {"widht": 3},
        "error: m.yaml has no var 'widht'; did you mean 'width'?",
    ),
    "a layer without its argument": (
        {"twice": 3},
        "error: 'twice' is a layer; name one of its arguments: twice.ARGUMENT=VALUE",
    ),
    "a layer that is not there": (
        {"twise.units": 3},
        "error: m.yaml has no layer 'twise'; did you mean 'twice'?",
    ),
    "a layer of a block that is not there": (
        {"body/convv.filters": 3},
        "error: m.yaml has no layer 'body/convv'; did you mean 'body/conv'?",
    ),
    "a layer of a model inside that is not there": (
        {"inner/conv.filters": 3},
        "error: inner has no layer 'conv'; did you mean 'conv2d'?",
    ),
    "an argument that is not there": (
        {"twice.unit": 3},
        "error: Dense 'twice' has no argument 'unit'; did you mean 'units'?",
    ),
    "an argument of what is no layer": (
        {"twice.units.x": 3},
        "error: 'twice.units' is not a layer, and has no 'x'",
    ),
    "an argument of a layer inside that is not there": (
        {"both.layer.unit": 3},
        "error: LSTM 'both.layer' has no argument 'unit'; did you mean 'units'?",
    ),
    "a cell that is not there": (
        {"cells.cell.cells.2.units": 3},
        "error: 'cells.cell.cells' is not a layer, and has no '2'",
    ),
    "a cell whose number is no number": (
        {"cells.cell.cells.².units": 3},
        "error: 'cells.cell.cells' is not a layer, and has no '²'",
    ),
    "a size of the input that is not there": (
        {"input[3]": 3},
        "error: 'input' has input[0] to input[2], not input[3]",
    ),
    "a size that the input no longer has": (
        {"input": [9], "input[2]": 3},
        "--set input[2]:1:1: error: with the other settings, the input has no [2]",
    ),
    "the input of an input": (
        {"input.input_shape": 3},
        "error: InputLayer 'input' has no argument 'input_shape'; did you mean 'batch_shape'?",
    ),
    "the name of a layer": (
        {"twice.name": "x"},
        "error: Dense 'twice' keeps its 'name': only arguments can be set",
    ),
    "a block": (
        {"body.repeat": 3},
        "error: 'body' is a block; let a var stand for its 'repeat', and set that",
    ),
    "the input of a layer": (
        {"twice.input_dim": 3},
        "error: Dense 'twice' takes its shape from its input; set the model's input=[...]",
    ),
    "a value of the wrong type": (
        {"twice.units": "[3]"},
        "--set twice.units:1:1: error: Dense's 'units' must be a positive integer, not a list of "
        "1; write 3\n  1 | [3]\n      ^^^",
    ),
    "a value that is out of bounds": (
        {"twice.units": 0},
        "--set twice.units:1:1: error: Dense's 'units' must be a positive integer, not 0\n"
        "  1 | 0\n      ^",
    ),
    "a name that is no var": (
        {"conv2d.kernel_size": "[3, widht]"},
        "--set conv2d.kernel_size:1:5: error: Conv2D's 'kernel_size' must be a positive integer or "
        "a list of positive integers, but 'widht' is not a var; did you mean 'width'?\n"
        "  1 | [3, widht]\n          ^^^^^",
    ),
    "a word that Keras does not know": (
        {"conv2d.activation": "relv"},
        "--set conv2d.activation:1:1: error: Conv2D's 'activation' must be a name that Keras "
        "knows, not 'relv'; did you mean 'relu'?\n  1 | relv\n      ^^^^",
    ),
    "what is no YAML": (
        {"conv2d.kernel_size": "[3"},
        "--set conv2d.kernel_size:1:1: error: this is not YAML: did not find expected ',' or ']', "
        "while parsing a flow sequence\n  1 | [3\n      ^",
    ),
    "an input that is no shape": (
        {"input": 3},
        "--set input:1:1: error: InputLayer's 'shape' must be a list of at most 64 integers of at "
        "least 0, not 3\n  1 | 3\n      ^",
    ),
    "a number without end": (
        {"width": 2**64},
        "--set width:1:1: error: a number may be at most 9,223,372,036,854,775,807\n"
        "  1 | 18446744073709551616\n      ^^^^^^^^^^^^^^^^^^^^",
    ),
    "arguments that exclude each other": (
        {"twice.lora_rank": 2, "twice.kernel_constraint": "max_norm"},
        "m.yaml:22:5: error: Dense 'twice': lora_rank and kernel_constraint cannot both be set; "
        "remove one\n",
    ),
    "what does not fit any more": (
        {"conv2d.kernel_size": 17},
        "m.yaml:10:43: error: Conv2D 'conv2d': kernel_size 17 × 17 does not fit into 16 × 16; "
        "make it smaller, or write 'padding: same'\n 10 |   - Conv2D: {filters: width, kern",
    ),
}


@pytest.mark.parametrize(("settings", "said"), COMPLAINTS.values(), ids=COMPLAINTS)
def test_a_complaint(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DenseCalcError) as caught:
        trace(with_settings(SPEC, settings))
    assert str(caught.value).startswith(said)
