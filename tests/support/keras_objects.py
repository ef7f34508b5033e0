"""Layers and models as objects of Keras' JSON, written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dense_calc.errors import Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.model import Model
from dense_calc.tracing.tracer import trace

Json = dict[str, Any]


def layer(of: str, name: str = "", build: Any = None, **config: Any) -> Json:
    """A layer as Keras 3 writes it; one of a class of one's own has the package `lab`."""
    own = of.startswith("lab>")
    class_name = of.removeprefix("lab>")
    written: Json = {
        "module": None if own else "keras.layers",
        "class_name": class_name,
        "config": {"name": name or class_name.lower(), "trainable": True, **config},
        "registered_name": of if own else None,
    }
    return written | ({"build_config": {"input_shape": build}} if build else {})


def dense(units: int, name: str = "", build: Any = None) -> Json:
    return layer("Dense", name, build, units=units)


def code(name: str, build: Any = None, **config: Any) -> Json:
    """A Lambda, whose code is not run."""
    function = {"class_name": "__lambda__", "config": {"code": "4wEA"}}
    return layer("Lambda", name, build, function=function, arguments={}, **config)


def chain(*layers: Json, name: str = "m", shape: Any = None) -> Json:
    first = [layer("InputLayer", "i", batch_shape=shape)] if shape else []
    config = {"name": name, "trainable": True, "layers": [*first, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def tensor(name: str, shape: Any, index: int = 0) -> Json:
    history = {"shape": shape, "dtype": "float32", "keras_history": [name, 0, index]}
    return {"class_name": "__keras_tensor__", "config": history}


def reading(written: Json, *tensors: Json) -> Json:
    """A layer of a graph that reads these tensors."""
    return written | {"name": written["config"]["name"],
                      "inbound_nodes": [{"args": [*tensors], "kwargs": {}}]}  # fmt: skip


def graph(*layers: Json, shape: Any = (None, 8)) -> Json:
    first = layer("InputLayer", "i", batch_shape=shape) | {"name": "i", "inbound_nodes": []}
    last = layers[-1]["name"]
    config = {"name": "g", "layers": [first, *layers], "input_layers": [["i", 0, 0]],
              "output_layers": [[last, 0, 0]]}  # fmt: skip
    return {"module": "keras", "class_name": "Functional", "config": config}


def model_of(written: Json, **assume: str) -> Model:
    text = json.dumps(written)
    return from_keras(json.loads(text), Source("m.json", text), "m", assume)


def rows_of(written: Json, **assume: str) -> list[tuple[str, Any, int, str]]:
    report = trace(model_of(written, **assume), partial=True)
    return [(row.name, row.output_shape, row.params, row.state) for row in report.layers]


def saved(folder: Path, written: Json) -> str:
    (folder / "m.json").write_text(json.dumps(written, indent=1), "utf-8")
    return "m.json"
