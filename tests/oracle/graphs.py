"""Random graphs of layers, with branches, blocks in blocks, shared layers and chosen outputs."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

READ = ["float32", "float16", "int32"]
POLICIES = ["float32", "float32", "mixed_float16", "bfloat16"]
WIDTH = 4  # the last axis of every tensor, so that any layer can read any other


def random_spec(rng: random.Random) -> dict[str, Any]:
    """A random graph of layers with branches, blocks and shared layers."""
    inputs = [f"in{number}" for number in range(rng.randint(1, 3))]
    blocks = {"plain": random_list(rng, ["input"], {})}
    blocks["outer"] = random_list(rng, ["input"], {"plain": rng.randint(1, 3)})
    layers = random_list(rng, inputs, {"plain": 2, "outer": rng.randint(1, 3)})
    tensors = {name: {"shape": [WIDTH], "dtype": rng.choice(READ)} for name in inputs}
    spec = {"inputs": tensors, "blocks": blocks, "layers": layers}
    if rng.random() < 0.5:
        names = [name for layer in layers for name in names_of(layer)]
        spec["outputs"] = rng.sample(names, rng.randint(1, min(3, len(names))))
    return spec


def random_nest(rng: random.Random) -> dict[str, Any]:
    """A model that calls another one with a list, or with a mapping of its inputs in random order.

    It does not do both: Keras would list the connections of one or the other in another order.
    """
    sizes = {name: rng.randint(2, 5) for name in rng.sample("abcd", rng.randint(1, 3))}
    read = [{"Dense": {"units": 3, "name": f"dense_{name}", "from": name}} for name in sizes]
    ends = [layer["Dense"]["name"] for layer in read]
    joined = rng.choice([{"Add": {"from": ends}}, {"ops.Stack": {"from": ends}}])
    outputs: dict[str, Any] = rng.choice(
        [{}, {"outputs": ends[:2]}, {"outputs": {"y": ends[-1], "x": ends[0]}}]
    )
    inner = {"name": "inner", "inputs": {name: [size] for name, size in sizes.items()}}
    outer = {name.upper(): [size] for name, size in sizes.items()}
    by_name = rng.random() < 0.5
    first, *more = [given(rng, sizes, by_name=by_name) for _ in range(rng.randint(1, 3))]
    called = {"Functional": {**inner, "layers": [*read, joined], **outputs, "from": first}}
    layers = [called, *({"reuse": "inner", "from": each} for each in more)]
    return {"inputs": outer, "layers": layers}


def given(rng: random.Random, names: Iterable[str], *, by_name: bool) -> Any:
    """The argument of a call of a model: a list, a mapping in random order, or one input."""
    names = list(names)
    if by_name:
        return {name: name.upper() for name in rng.sample(names, len(names))}
    return [[name.upper() for name in names]] if len(names) > 1 else names[0].upper()


def random_list(rng: random.Random, known: list[str], blocks: dict[str, int]) -> list[Any]:
    """Layers and uses of `blocks` that read tensors in `known` or layers above them."""
    known, layers = list(known), []
    dense: list[str] = []  # layers that can be called again
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
            kind = rng.choice(["ReLU", "Flatten", "Identity"])
            layer = {kind: {"name": name, "dtype": rng.choice(POLICIES), "from": source}}
        else:
            policy = rng.choice(POLICIES)
            layer = {"Dense": {"units": WIDTH, "name": name, "dtype": policy, "from": source}}
        if sort == "Dense" or (sort == "block" and blocks):
            dense.append(name)
        known.append(name)
        layers.append(layer)
    return layers


def names_of(layer: dict[str, Any]) -> list[str]:
    """The names of a layer in a random graph."""
    return [layer["name"]] if "reuse" in layer else [each["name"] for each in layer.values()]
