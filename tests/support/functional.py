"""A graph in Keras' JSON, its layers, and the model in it."""

from __future__ import annotations

import json
from typing import Any

import dense_calc
from dense_calc.errors import Source
from dense_calc.keras_format.reader import from_keras


def model_of(text: str, **assume: str) -> dense_calc.model.Model:
    """The model in a JSON text."""
    return from_keras(json.loads(text), Source("m.json", text), "m", assume)


def functional(*layers: dict[str, Any], outputs: Any = (("x", 0, 0),)) -> str:
    """The JSON of a graph with an input `a` of 3 and these layers."""
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 3], "name": "a"},
        "name": "a",
        "inbound_nodes": [],
    }
    config = {"name": "f", "layers": [first, *layers], "input_layers": [["a", 0, 0]]}
    return json.dumps({"class_name": "Functional", "module": "keras.src.models.functional",
                       "config": {**config, "output_layers": outputs}})  # fmt: skip


def layer(
    name: str = "x", *sources: tuple[str, int, int], of: str = "keras.layers.Dense", **config: Any
) -> dict[str, Any]:
    """A layer that is called once for each source."""
    module, _, class_name = of.rpartition(".")
    calls = [
        {
            "args": [{"class_name": "__keras_tensor__", "config": {"keras_history": source}}],
            "kwargs": {},
        }
        for source in sources or [("a", 0, 0)]
    ]
    config = config or {"units": 3}
    return {"module": module, "class_name": class_name, "config": {**config, "name": name},
            "name": name, "inbound_nodes": calls}  # fmt: skip
