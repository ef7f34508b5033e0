"""What real Keras shows of a model, and what dense-calc reads in the file of the same model."""

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
    if isinstance(model, keras.Sequential):  # which prints no connections: each reads the one above
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
    """Name, class, shapes and dtypes of what the last call gives, parameters, what is connected."""
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
    """The same of a report."""
    return {
        "name": report.name,
        "rows": list(map(our_row, report.layers)),
        "total_params": report.total_params,
        "trainable_params": report.trainable_params,
    }


def our_row(row: LayerRow) -> list[Any]:
    """The same of a row."""
    shapes = [list(shape) for shape in leaf_shapes(row.output_shape)]
    dtypes = list(leaf_dtypes(row.output_dtype))
    return [row.name, row.type, shapes, dtypes, row.params, list(row.connected_to)]


def as_keras(model: Model) -> Model:
    """The same model, of which rows are those that Keras prints."""
    return replace(model, type="Sequential" if is_saved_as_sequential(model) else "Functional")


def loaded(text: str, *, fill: bool) -> Any:
    """The model that Keras loads from JSON; the weights of large ones are not to fill."""
    keras.backend.clear_session(free_memory=False)
    with nullcontext() if fill else keras.StatelessScope(initialize_variables=False):
        return keras.models.model_from_json(text)


def difference_in_files(
    build: Callable[[], Any], model: Model | None = None, *, fill: bool = True
) -> str:
    """What differs between a Keras model and our reading of its JSON, or our JSON and the model.

    A name in Keras has no slash. Of what masks make, rows and connections, a spec has nothing.
    Nothing is asked where Keras cannot build the model, or read its own file.
    """
    try:
        built = build()
        text = built.to_json()
        fact = keras_fact(loaded(text, fill=fill))  # not all is in a file that the model had
    except Exception:  # whatever it is, Keras itself cannot
        return difference_in_writing(model, fill=fill) if model else ""
    try:
        read = from_keras(json.loads(text), Source("model.json", text), "model", {})
        wrong = difference(our_fact(trace(read)), fact) or difference_in_yaml(read)
    except Exception as error:  # whatever it is, a file could not be read
        wrong = told(error)
    return f"read: {wrong}" if wrong else difference_in_writing(model or read, fill=fill)


def told(error: Exception) -> str:
    """A mistake in a line, of which the end says most."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[-700:]}"


def difference_in_writing(model: Model, *, fill: bool = True) -> str:
    """What differs between a model and what Keras loads of the JSON that we write of it.

    Nothing is asked where we refuse to write it.
    """
    model = as_keras(model)
    try:
        text = to_keras(model)
    except DenseCalcError:
        return ""
    try:
        ours, theirs = our_fact(trace(model)), keras_fact(loaded(text, fill=fill))
    except Exception as error:  # whatever it is, Keras does not load it
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
    """What differs between the reports on a model and on the spec that dense-calc writes of it."""
    text = format_spec(model)
    ours, again = trace(model), trace(parse_spec(Source(text, text), "model"))
    if ours == again:
        return ""
    rows = zip(ours.layers, again.layers, strict=False)
    unlike = next((pair for pair in rows if pair[0] != pair[1]), (ours, again))
    return f"as YAML: {unlike[0]} is {unlike[1]} in {text}"


def fact_of_json(text: str) -> Fact:
    """The same of what dense-calc reads in a model's JSON."""
    return our_fact(trace(from_keras(json.loads(text), Source("model.json", text), "model", {})))


def difference(ours: Fact, theirs: Fact) -> str:
    """The first thing that is not the same, '' if everything is."""
    for key, value in theirs.items():
        if key != "rows" and ours[key] != value:
            return f"{key} is {ours[key]}, in Keras {value}"
    for one, other in zip(ours["rows"], theirs["rows"], strict=False):
        if one != other:
            return f"{one} is in Keras {other}"
    count, wanted = len(ours["rows"]), len(theirs["rows"])
    return "" if count == wanted else f"{count} rows, in Keras {wanted}"
