"""Recurrent cells that are called as layers, with activations that are layers themselves."""

from __future__ import annotations

from typing import Any

import pytest

import dense_calc
from dense_calc.errors import LayerError

SPEC = """\
inputs: {{x: [4], h: [2]}}
layers:
  - {cell}: {{units: 2, from: [x, h], {argument}: {{module: keras.layers, class_name: {kind}, config: {config}}}}}
"""  # noqa: E501

# A cell, an argument, the layer that it is, and the params that Keras 3.15.1 counts.
COUNTS = [
    ("GRUCell", "activation", "LeakyReLU", {"negative_slope": 0.3}, 48),
    ("GRUCell", "activation", "PReLU", {}, 50),
    ("GRUCell", "recurrent_activation", "PReLU", {}, 50),
    ("GRUCell", "activation", "Dense", {"units": 2}, 54),
    ("SimpleRNNCell", "activation", "PReLU", {}, 16),
    ("LSTMCell", "activation", "LeakyReLU", {}, 56),
]


def text_of(cell: str, argument: str, kind: str, config: dict[str, Any]) -> str:
    """A spec that calls such a cell; an LSTM's has two states."""
    text = SPEC.format(cell=cell, argument=argument, kind=kind, config=config)
    return text.replace("[x, h]", "[x, h, h]") if cell == "LSTMCell" else text


@pytest.mark.parametrize(("cell", "argument", "kind", "config", "params"), COUNTS)
def test_an_activation_that_is_a_layer_counts_where_the_cell_is_called(
    cell: str, argument: str, kind: str, config: dict[str, Any], params: int, tmp_path: Any
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text_of(cell, argument, kind, config), "utf-8")
    assert dense_calc.summarize(path).total_params == params


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("Unheard", {}, "Keras has no activation Unheard"),
        ("Dense", {}, "Keras has no activation Dense"),
        ("Dense", {"units": 3}, "its states must be"),
        ("Flatten", {"unheard": 1}, "Keras has no activation Flatten"),
    ],
)
def test_an_activation_that_is_no_such_layer(
    kind: str, config: dict[str, Any], said: str, tmp_path: Any
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text_of("GRUCell", "activation", kind, config), "utf-8")
    with pytest.raises(LayerError, match=said):
        dense_calc.summarize(path)
