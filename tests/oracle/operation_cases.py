"""Random calls of the operations of `keras.ops`: their arguments and the shapes of their inputs."""

from __future__ import annotations

import random
from typing import Any

from operation_arguments import Case, Drawn, alike, arguments_of, shape
from operation_draws import DRAWS

TYPED = 0.6  # how often inputs have other dtypes than float32
READ = [
    "float16", "bfloat16", "float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "complex64", "float8_e4m3fn",
]  # fmt: skip


def draw(rng: random.Random, name: str) -> Case:
    """A random case of an operation."""
    arguments, inputs = DRAWS.get(name, anything)(rng, name)
    if rng.random() < 0.02 and inputs and name != "Select":
        inputs[rng.randrange(len(inputs))] = shape(rng)
    usual = rng.choice(READ) if rng.random() < TYPED else "float32"
    dtypes = [dtypes_of(rng, each, usual) for each in inputs]
    return {"op": name, "arguments": arguments, "inputs": inputs, "dtypes": dtypes}


def dtypes_of(rng: random.Random, given: Any, usual: str) -> Any:
    """The dtype of an input, a list for a list of tensors; empty where the input is missing."""
    if given is None:
        return []
    if any(isinstance(each, list) for each in given):
        return [dtypes_of(rng, each, usual) for each in given]
    return rng.choice([usual, usual, rng.choice(READ)]) if usual != "float32" else usual


def anything(rng: random.Random, name: str) -> Drawn:
    """Independent arguments, and inputs that are mostly similar."""
    return arguments_of(rng, name), alike(rng, name, shape(rng))
