"""Comparison of a Keras model with what dense-calc reads from its file, and writes for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import keras
from msgspec.structs import replace

from dense_calc.dtypes import leaf_dtypes
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import is_saved_as_sequential, to_keras
from dense_calc.model import Model
from dense_calc.report import LayerRow, Report
from dense_calc.shapes import leaf_shapes
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

Fact = dict[str, Any]


def keras_fact(model: Any) -> Fact:
    """The rows of Keras' own summary, in its order, and its totals.

    Source: `print_summary` of keras.utils.summary_utils, which prints the same.
    """
    if isinstance(model, keras.Sequential):  # prints no connections: each layer reads the one above
        above = [layer.name for layer in model._layers]
        rows = [
            [*keras_row(layer, set())[:-1], [name]]
            for name, layer in zip(above, model.layers, strict=False)
        ]
    else:
        nodes = {node for level in model._nodes_by_depth.values() for node in level}
        rows = [keras_row(layer, nodes) for layer in model.operations]
    return {
        "name": model.name,
        "rows": rows,
        "total_params": elements(model.weights),
        "trainable_params": elements(model.trainable_weights),
    }


def keras_row(layer: Any, nodes: set[Any]) -> list[Any]:
    """Name, class, output shapes and dtypes of the last call, parameters and connections."""
    read = [
        tensor._keras_history.operation.name
        for node in layer._inbound_nodes
        if node in nodes
        for tensor in node.input_tensors
    ]
    tensors = layer._inbound_nodes[-1].output_tensors
    shapes, dtypes = [list(each.shape) for each in tensors], [each.dtype for each in tensors]
    params = elements(layer.weights) if isinstance(layer, keras.Layer) else 0
    return [layer.name, type(layer).__name__, shapes, dtypes, params, read]


def elements(weights: Any) -> int:
    """The numbers in Keras' weights."""
    return sum(math.prod(weight.shape) for weight in weights)


def our_fact(report: Report) -> Fact:
    """The same facts from a report."""
    return {
        "name": report.name,
        "rows": list(map(our_row, report.layers)),
        "total_params": report.total_params,
        "trainable_params": report.trainable_params,
    }


def our_row(row: LayerRow) -> list[Any]:
    """The same facts from a row of a report."""
    shapes = [list(shape) for shape in leaf_shapes(row.output_shape)]
    dtypes = list(leaf_dtypes(row.output_dtype))
    return [row.name, row.type, shapes, dtypes, row.params, list(row.connected_to)]


def as_keras(model: Model) -> Model:
    """The same facts with only the rows that Keras prints."""
    return replace(model, type="Sequential" if is_saved_as_sequential(model) else "Functional")


def loaded(text: str, *, fill: bool) -> Any:
    """The model that Keras loads from JSON; without `fill` its weights are never filled."""
    keras.backend.clear_session(free_memory=False)
    with nullcontext() if fill else keras.StatelessScope(initialize_variables=False):
        return keras.models.model_from_json(text)


def difference_in_files(
    build: Callable[[], Any], model: Model | None = None, *, fill: bool = True
) -> str:
    """The first difference between a Keras model and our reading of its JSON, or in our own JSON.

    A name in Keras has no slash, and a spec lacks the rows and connections that masks add. Where
    Keras cannot build the model or load its own file, only our JSON is compared.
    """
    try:
        built = build()
        text = built.to_json()
        fact = keras_fact(loaded(text, fill=fill))  # a file does not hold all of a model
    except Exception:  # any error means that Keras cannot load it
        return difference_in_writing(model, fill=fill) if model else ""
    try:
        read = from_keras(json.loads(text), Source("model.json", text), "model", {})
        wrong = difference(our_fact(trace(read)), fact) or difference_in_yaml(read)
    except Exception as error:  # any error means that we cannot read it
        wrong = told(error)
    return f"read: {wrong}" if wrong else difference_in_writing(model or read, fill=fill)


def told(error: Exception) -> str:
    """An error in one line, of which the end says most."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[-700:]}"


def difference_in_writing(model: Model, *, fill: bool = True) -> str:
    """The first difference between a model and what Keras loads from the JSON that we write.

    '' where we refuse to write it.
    """
    model = as_keras(model)
    try:
        text = to_keras(model)
    except DenseCalcError:
        return ""
    try:
        ours, theirs = our_fact(trace(model)), keras_fact(loaded(text, fill=fill))
    except Exception as error:  # any error means that Keras does not load it
        return f"written: {told(error)}"
    rows = ours["rows"]
    names = {node.name.replace("/", ".") for node in model.nodes}
    for row in rows:
        row[0], row[-1] = row[0].replace("/", "."), [each.replace("/", ".") for each in row[-1]]
    for row in theirs["rows"]:
        row[-1] = [each for each in row[-1] if each in names]
    theirs["rows"] = [row for row in theirs["rows"] if row[0] in names]
    wrong = difference(ours, theirs)
    return wrong and f"written: {wrong}"


def difference_in_yaml(model: Model) -> str:
    """The first difference between the reports on a model and on the spec that we write of it."""
    text = format_spec(model)
    ours, again = trace(model), trace(parse_spec(Source(text, text), "model"))
    if ours == again:
        return ""
    rows = zip(ours.layers, again.layers, strict=False)
    unlike = next((pair for pair in rows if pair[0] != pair[1]), (ours, again))
    return f"as YAML: {unlike[0]} is {unlike[1]} in {text}"


def fact_of_json(text: str) -> Fact:
    """The facts about a model that dense-calc reads from its JSON."""
    return our_fact(trace(from_keras(json.loads(text), Source("model.json", text), "model", {})))


def difference(ours: Fact, theirs: Fact) -> str:
    """The first difference of two facts, '' if they are equal."""
    for key, value in theirs.items():
        if key != "rows" and ours[key] != value:
            return f"{key} is {ours[key]}, in Keras {value}"
    for one, other in zip(ours["rows"], theirs["rows"], strict=False):
        if one != other:
            return f"{one} is in Keras {other}"
    count, wanted = len(ours["rows"]), len(theirs["rows"])
    return "" if count == wanted else f"{count} rows, in Keras {wanted}"
