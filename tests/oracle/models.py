"""Build whole models in real Keras from their specs, and show where the reports differ.

    python tests/oracle/models.py                        # every file in specs/
    python tests/oracle/models.py specs/gpt2.yaml --set depth=24
    python tests/oracle/models.py --graphs 300 --seed 1  # random graphs: branches, blocks, sharing

Needs the extra `oracle`. No weight is ever filled, so that the largest models fit everywhere. Exit
status 1 if anything differs: the layers that Keras lists, their order, their shapes and counts.
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
from compare import ON_A_LIST, keras_layer, nest
from msgspec import to_builtins
from msgspec.structs import fields
from ours import nest as listed

from dense_calc.errors import Source
from dense_calc.layers.base import LayerKind
from dense_calc.loading import load
from dense_calc.model import Given, Model, Node, Output
from dense_calc.report import Report
from dense_calc.spec import parse
from dense_calc.tracing import trace

SPECS = Path(__file__).parents[2] / "specs"
DOT = "."  # what stands for a slash in Keras, which allows none in a name


def main() -> int:
    """Compare, and print what differs."""
    options = command_line()
    rng = random.Random(options.seed)
    vars = dict(pair.split("=", 1) for pair in options.set)
    models = {str(path): load(path, **vars) for path in options.files}
    for number in range(options.graphs):
        text = json.dumps(random_spec(rng))
        models[text] = parse(Source(f"graph {number}", text), "graph", {})
    print(f"keras {keras.__version__}, {len(models)} models, seed {options.seed}", flush=True)
    failed = 0
    for name, model in models.items():
        wrong = differences(model)
        failed += bool(wrong)
        print("".join(f"{name}: {line}\n" for line in wrong), end="", flush=True)
    print(f"{len(models) - failed} passed, {failed} failed")
    return 1 if failed else 0


def command_line() -> argparse.Namespace:
    """The options; without files and graphs, every spec."""
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
    """What dense-calc and Keras say otherwise of a model."""
    ours = our_rows(trace(model))
    try:
        theirs = keras_rows(model)
    except Exception as error:  # whatever it is, Keras does not build the model
        return [f"Keras: {type(error).__name__}: {error}"[:500]]
    pairs = zip_longest(ours, theirs)
    return [f"{one} is {other} in Keras" for one, other in pairs if one != other]


def our_rows(report: Report) -> list[Any]:
    """The rows that hold weights, or could, and the totals."""
    rows: list[Any] = [
        (row.name.replace("/", DOT), listed(row.output_shape), row.params, row.trainable_params)
        for row in report.layers
        if not row.shared_with
    ]
    outputs = [listed(port.shape) for port in report.outputs]
    return [*rows, (report.total_params, report.trainable_params, outputs)]


def keras_rows(model: Model) -> list[Any]:
    """The same of the Keras model."""
    keras.backend.clear_session()
    with keras.StatelessScope(initialize_variables=False):
        tensors, names = called(model)
        outputs = [picked(end.what, tensors) for end in model.outputs]
        built = keras.Model([tensors[name] for name in model.inputs], outputs)
    layers = [layer for layer in built.layers if not (model.is_chain and is_input(layer))]
    rows: list[Any] = [
        (layer.name, nest(tensors[names[layer.name]]), *counts(layer)) for layer in layers
    ]
    return [*rows, (*counts(built), [nest(output) for output in outputs])]


def counts(layer: Any) -> tuple[int, int]:
    """The parameters of a layer or model, and those that are trained."""
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
    """What the call of a node gives."""
    kind = type(node.layer)
    more = {name: getattr(node.layer, name) for name in kind.of_call}
    given = [picked(each, tensors) for each in node.call or node.inputs]
    if kind.__name__ in ON_A_LIST:
        return layer(given, **more)
    return layer(*given, **more)


def picked(what: Given, tensors: dict[str, Any]) -> Any:
    """The Keras tensor, or nest of them, that an input is given."""
    match what:
        case str():
            return tensors[what]
        case Output(name, steps):
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
    """The arguments of a layer that are not Keras' defaults, as a spec has them."""
    given = {}
    for field in fields(layer):
        value = getattr(layer, field.name)
        stated = field.required or value != field.default or field.name in DEMANDED
        if stated and field.name not in layer.of_call:
            given[field.encode_name] = inner(value)
    return given


def inner(value: Any) -> Any:
    """A value as a spec has it, layers included."""
    if isinstance(value, LayerKind):
        return {type(value).__name__: written(value)}
    if isinstance(value, tuple):
        return [inner(each) for each in value]
    return to_builtins(value)


DEMANDED = ("pool_size",)  # what Keras demands and dense-calc does not


WIDTH = 4  # of every tensor in a random graph, so that any layer can read any other


def random_spec(rng: random.Random) -> dict[str, Any]:
    """A random graph of layers with branches, blocks and shared layers."""
    inputs = [f"in{number}" for number in range(rng.randint(1, 3))]
    blocks = {"plain": random_list(rng, ["input"], {})}
    blocks["outer"] = random_list(rng, ["input"], {"plain": rng.randint(1, 3)})
    layers = random_list(rng, inputs, {"plain": 2, "outer": rng.randint(1, 3)})
    spec = {"inputs": {name: [WIDTH] for name in inputs}, "blocks": blocks, "layers": layers}
    if rng.random() < 0.5:
        names = [name for layer in layers for name in names_of(layer)]
        spec["outputs"] = rng.sample(names, rng.randint(1, min(3, len(names))))
    return spec


def random_list(rng: random.Random, known: list[str], blocks: dict[str, int]) -> list[Any]:
    """Layers, or uses of these blocks, that read what is known or what stands above them."""
    known, layers = list(known), []
    dense: list[str] = []  # what can be called again
    for number in range(rng.randint(2, 8)):
        name = f"n{number}"
        source = rng.choice(known[-3:] if rng.random() < 0.7 else known)
        sort = rng.choice(["Dense", "Dense", "Add", "ReLU", "reuse", "block"])
        if sort == "reuse" and dense:
            layer: dict[str, Any] = {"reuse": rng.choice(dense), "name": name, "from": source}
        elif sort == "Add" and len(known) > 1:
            layer = {"Add": {"name": name, "from": rng.sample(known, 2)}}
        elif sort == "block" and blocks:
            block = rng.choice(list(blocks))
            layer = {block: {"name": name, "repeat": blocks[block], "from": source}}
        elif sort == "ReLU":
            layer = {"ReLU": {"name": name, "from": source}}
        else:
            layer = {"Dense": {"units": WIDTH, "name": name, "from": source}}
        if sort == "Dense" or (sort == "block" and blocks):
            dense.append(name)
        known.append(name)
        layers.append(layer)
    return layers


def names_of(layer: dict[str, Any]) -> list[str]:
    """The name of a layer in a random graph."""
    return [layer["name"]] if "reuse" in layer else [each["name"] for each in layer.values()]


if __name__ == "__main__":
    sys.exit(main())
