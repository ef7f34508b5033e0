"""Compare reports of real Keras and dense-calc for whole models, built from specs.

    python tests/oracle/models.py                        # every file in specs/
    python tests/oracle/models.py specs/gpt2.yaml --set depth=24
    python tests/oracle/models.py --graphs 300 --seed 1  # branches, blocks, sharing, nests

Needs the extra `oracle`. No weight is ever filled, so the largest models fit everywhere. Exit
status 1 if the layers that Keras lists, their order, shapes or counts differ.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

import keras
from compare import dtypes, keras_layer, nest
from graphs import random_nest, random_spec
from keras_files import difference_in_files, difference_in_writing, difference_in_yaml
from msgspec import to_builtins
from msgspec.structs import fields
from ours import nest as listed

from dense_calc.api import load
from dense_calc.call_inputs import CallInput, OutputPath
from dense_calc.errors import Source
from dense_calc.layers.base import LayerKind
from dense_calc.model import Model, Node
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.nested_model import NestedModel
from dense_calc.tracing.tracer import trace

SPECS = Path(__file__).parents[2] / "specs"
DOT = "."  # stands for a slash, which Keras forbids in a name


def main() -> int:
    """Print each model where the reports differ."""
    options = command_line()
    rng = random.Random(options.seed)
    vars = dict(pair.split("=", 1) for pair in options.set)
    models = {str(path): load(path, **vars) for path in options.files}
    for number in range(2 * options.graphs):
        text = json.dumps(random_nest(rng) if number % 2 else random_spec(rng))
        models[text] = parse_spec(Source(f"graph {number}", text), "graph")
    print(f"keras {keras.__version__}, {len(models)} models, seed {options.seed}", flush=True)
    failed = 0
    for name, model in models.items():
        wrong = differences(model)
        failed += bool(wrong)
        print("".join(f"{name}: {line}\n" for line in wrong), end="", flush=True)
    print(f"{len(models) - failed} passed, {failed} failed")
    return 1 if failed else 0


def command_line() -> argparse.Namespace:
    """The options; without files and graphs, the files are all of specs/."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--graphs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    if not options.files and not options.graphs:
        options.files = sorted(SPECS.glob("*.yaml"))
    return options


def differences(model: Model) -> list[str]:
    """The differences between dense-calc and Keras about a model, and about its files."""
    if any(isinstance(node.layer, NestedModel) for node in model.nodes):
        return list(filter(None, [difference_in_yaml(model), difference_in_writing(model)]))
    ours = our_rows(trace(model))
    try:
        built, names, tensors = keras_model(model)
        theirs = keras_rows(model, built, names, tensors)
    except Exception as error:  # any error means that Keras refuses the model
        return [f"Keras: {type(error).__name__}: {error}"[:500]]
    pairs = zip_longest(ours, theirs)
    wrong = [f"{one} is {other} in Keras" for one, other in pairs if one != other]
    in_files = difference_in_files(lambda: built, model, fill=False)
    return [*wrong, *filter(None, [in_files])]


def our_rows(report: Report) -> list[Any]:
    """The rows of a report that have or could have weights, and the totals."""
    rows: list[Any] = [
        (
            row.name.replace("/", DOT),
            *(listed(row.output_shape), listed(row.output_dtype)),
            *(row.params, row.trainable_params),
        )
        for row in report.layers
        if not row.shared_with
    ]
    outputs = [(listed(port.shape), listed(port.dtype)) for port in report.outputs]
    return [*rows, (report.total_params, report.trainable_params, outputs)]


def keras_model(model: Model) -> tuple[Any, dict[str, str], dict[str, Any]]:
    """The Keras model, the first node of each of its layers, and the tensors of all nodes."""
    keras.backend.clear_session(free_memory=False)
    with keras.StatelessScope(initialize_variables=False):
        tensors, names = called(model)
        outputs = [picked(end.source, tensors) for end in model.outputs]
        return keras.Model([tensors[name] for name in model.inputs], outputs), names, tensors


def keras_rows(
    model: Model, built: Any, names: dict[str, str], tensors: dict[str, Any]
) -> list[Any]:
    """The same facts from the Keras model."""
    outputs = [picked(end.source, tensors) for end in model.outputs]
    layers = [layer for layer in built.layers if not (model.is_sequential and is_input(layer))]
    rows: list[Any] = [
        (layer.name, *described(tensors[names[layer.name]]), *counts(layer)) for layer in layers
    ]
    return [*rows, (*counts(built), list(map(described, outputs)))]


def described(output: Any) -> tuple[Any, Any]:
    """The shapes and the dtypes of tensors."""
    return nest(output), dtypes(output)


def counts(layer: Any) -> tuple[int, int]:
    """All parameters and trainable parameters of a layer or model."""
    weights, trained = (
        sum(math.prod(weight.shape) for weight in held)
        for held in (layer.weights, layer.trainable_weights)
    )
    return weights, trained


def is_input(layer: Any) -> bool:
    """Whether this is an input of a Keras model."""
    return isinstance(layer, keras.layers.InputLayer)


def called(model: Model) -> tuple[dict[str, Any], dict[str, str]]:
    """The Keras tensors of a model's nodes, and the first node of each layer by its Keras name."""
    layers: dict[str, Any] = {}
    tensors: dict[str, Any] = {}
    names: dict[str, str] = {}
    for node in model.nodes:
        if not node.inputs:
            tensors[node.name] = input_of(node)
            names[node.name.replace("/", DOT)] = node.name
            continue
        if node.holder not in layers:
            name = node.name.replace("/", DOT)
            layers[node.holder] = keras_layer(
                type(node.layer).__name__, written(node.layer) | {"name": name}
            )
            names[name] = node.name
        tensors[node.name] = call(layers[node.holder], node, tensors)
    return tensors, names


def input_of(node: Node) -> Any:
    """The Keras tensor of an input."""
    return keras.Input(**written(node.layer) | {"name": node.name.replace("/", DOT)})


def call(layer: Any, node: Node, tensors: dict[str, Any]) -> Any:
    """The output of the call of a node."""
    kind = type(node.layer)
    more = {name: getattr(node.layer, name) for name in kind.call_arguments}
    given = [picked(each, tensors) for each in node.call_inputs or node.inputs]
    if kind.inputs_as_list:
        return layer(given, **more)
    return layer(*given, **more)


def picked(what: CallInput, tensors: dict[str, Any]) -> Any:
    """The Keras tensor, or nest of tensors, of the input of a call."""
    match what:
        case str():
            return tensors[what]
        case OutputPath(name, steps):
            found = tensors[name]
            for step in steps:
                found = found[step]
            return found
        case tuple():
            return [picked(each, tensors) for each in what]
        case dict():
            return {name: picked(each, tensors) for name, each in what.items()}
    return None


def written(layer: LayerKind) -> dict[str, Any]:
    """The arguments of a layer that differ from the defaults, in the form of a spec."""
    given = {}
    for field in fields(layer):
        value = getattr(layer, field.name)
        stated = field.required or value != field.default or field.name in DEMANDED
        if stated and field.name not in layer.call_arguments:
            given[field.encode_name] = inner(value)
    return given


def inner(value: Any) -> Any:
    """A value in the form of a spec, layers included."""
    if isinstance(value, LayerKind):
        return {type(value).__name__: written(value)}
    if isinstance(value, tuple):
        return [inner(each) for each in value]
    return to_builtins(value)


DEMANDED = ("pool_size",)  # arguments that only Keras requires


if __name__ == "__main__":
    sys.exit(main())
