"""Files of Keras' that no Keras wrote: they end in a model that can be written, or in a message."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from support.keras_objects import Json, chain, graph, layer, model_of, reading, tensor

from dense_calc.errors import DenseCalcError, Source, SpecError
from dense_calc.keras_format.writer import to_keras
from dense_calc.model import Model
from dense_calc.render import REPORT_FORMATS, Style, render_reports
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

INPUT = tensor("i", [None, 8])
SCALE = layer("lab>Scale", "s")
DENSE = layer("Dense", "d", units=3)
WITHIN = chain(SCALE, name="inner", shape=[None, 8])


def called(written: Json, *args: Any) -> Json:
    """A layer of a graph that is called with these."""
    return {**written, "name": written["config"]["name"], "inbound_nodes": [call(*args)]}


def call(*args: Any) -> Json:
    return {"args": list(args), "kwargs": {}}


def with_stranger() -> Json:
    """A graph with an input that is not among its own, read by what no output needs."""
    written = graph(reading(DENSE, INPUT), called(layer("ReLU", "r"), tensor("j", [None, 4])))
    other = {**layer("InputLayer", "j", batch_shape=[None, 4]), "name": "j", "inbound_nodes": []}
    written["config"]["layers"].append(other)
    written["config"]["output_layers"] = ["d", 0, 0]
    return written


def pipeline(*layers: Json) -> Json:
    written = layer("Pipeline", "p", layers=list(layers))
    del written["config"]["trainable"]
    return written


def array(value: Any) -> Json:
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": "float32"}}


ADD = {**layer("Add", "a"), "module": "keras.src.ops.numpy"}
ADD["config"] = {"name": "a"}
POLICY = {"class_name": "DTypePolicy", "config": {"name": 0}}
MAPPED = {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": 0}}
NO_WORD = "a spec has no word for the class 'Scale'"
UNKNOWN = "'Scale' (lab>Scale) is unknown"

# What such a file is → it, and what is said when it is written as a spec, or before.
ODD = {
    "a class of its own inside a layer": (
        chain(layer("TimeDistributed", "t", layer=SCALE), shape=[None, 4, 8]),
        NO_WORD,
    ),
    "a class of its own in a list inside a layer": (
        chain(pipeline(layer("Rescaling", "r", scale=2), SCALE),
              shape=[None, 4, 8, 3]),
        NO_WORD,
    ),
    "a class of its own in a model inside a layer": (
        chain(layer("TimeDistributed", "t", layer=WITHIN), shape=[None, 4, 8]),
        NO_WORD,
    ),
    "a class of its own in a model inside a pipeline": (
        chain(pipeline(WITHIN, DENSE), shape=[None, 8]),
        NO_WORD,
    ),
    "nothing in a nest": (graph(called(SCALE, [INPUT, None])), NO_WORD),
    "nothing in a mapping": (graph(called(SCALE, {"a": INPUT, "b": None})), NO_WORD),
    "what reads a stranger": (with_stranger(), ""),
    "a policy by a number": (chain(layer("Dense", "d", units=3, dtype=POLICY), shape=[None, 8]),
                             "Dense's 'dtype': DTypePolicy cannot be '0'"),
    "a mode of a number": (chain(layer("Dense", "d", units=3, dtype=MAPPED), shape=[None, 8]),
                           "Dense's 'dtype': QuantizedDTypePolicy cannot be 'int8_from_0'"),
}  # fmt: skip


def write_in_all(model: Model) -> None:
    """Write a model in every format, and in every form."""
    report = trace(model)
    assert all(render_reports([report], format, Style()) for format in REPORT_FORMATS)
    with suppress(SpecError):  # Keras has no class Scale
        to_keras(model)
    again = trace(parse_spec(Source("m.yaml", format_spec(model)), "m"))
    assert again.total_params == report.total_params


@pytest.mark.parametrize("name", [name for name, (_, told) in ODD.items() if not told])
def test_an_odd_model_can_be_written(name: str) -> None:
    write_in_all(model_of(ODD[name][0]))


@pytest.mark.parametrize("name", [name for name, (_, told) in ODD.items() if told])
def test_an_odd_file_is_told(name: str) -> None:
    written, told = ODD[name]
    with pytest.raises(SpecError) as caught:
        write_in_all(model_of(written, **{"*": "identity"}))
    assert caught.value.message.startswith(told)
    assert caught.value.place is not None


@pytest.mark.parametrize("name", [name for name in ODD if "class of its own" in name])
def test_what_is_not_known_is_told_however_deep_it_is(name: str) -> None:
    model = model_of(ODD[name][0])
    with pytest.raises(DenseCalcError) as caught:
        trace(model)
    assert UNKNOWN in caught.value.message
    assert trace(model, partial=True).state == "unknown"
