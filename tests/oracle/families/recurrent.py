"""Random recurrent layers and cells, with and without initial states."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, FLOATS, Draw, arguments_of, listed, one_of, size

from dense_calc.layers.arguments import types

CELLS = ("SimpleRNNCell", "GRUCell", "LSTMCell")
ODD = 0.06  # how often a shape has an unusual number of axes, or a state another size
OWN: dict[str, Draw] = {
    "bias_initializer": one_of(*["zeros", "Ones", "random_normal"] * 2, None, "stft"),
    "dropout": one_of(0, 0.2, 0.5, 1, 1.5, -0.5),
    "dtype": one_of(*["float32", "mixed_float16", "mixed_bfloat16"] * 3, *FLOATS, "int32"),
    "go_backwards": BOOLEAN,
    "implementation": one_of(1, 2, 0),
    "input_dim": one_of(None),
    "kernel_initializer": one_of("he_normal", "zeros", "Ones", None, "orthogonal"),
    "name": one_of("own", "a b", "lstm_cell", "x.y", "slash/ed"),
    "recurrent_activation": listed(types.ActivationArgument),
    "recurrent_constraint": listed(types.Constraint),
    "recurrent_dropout": one_of(0, 0.2, 1, 1.5, -0.5),
    "recurrent_initializer": one_of("orthogonal", "zeros", "he_normal", None, "random_normal"),
    "recurrent_regularizer": listed(types.Regularizer),
    "reset_after": BOOLEAN,
    "return_sequences": BOOLEAN,
    "return_state": BOOLEAN,
    "stateful": one_of(True, False, False),
    "unit_forget_bias": BOOLEAN,
    "unroll": BOOLEAN,
    "use_cudnn": one_of("auto", True, False),
    "zero_output_for_mask": BOOLEAN,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    arguments = arguments_of(rng, name, OWN | {"cell": cell_or_cells, "cells": cells})
    batch = rng.choice([None, None, None, 2])
    if arguments.get("stateful") and rng.random() < 0.8:
        batch = rng.choice([1, 2])
    if name in (*CELLS, "StackedRNNCells"):
        first = "sequence" if name == "SimpleRNNCell" else "inputs"
        step = misshapen(rng, [batch, rng.randint(1, 8)])
        state = states(rng, {name: arguments}, batch)
        return {"arguments": arguments, "inputs": call(rng, {first: step, "states": state})}
    given: dict[str, Any] = {"sequences": misshapen(rng, [batch, size(rng), rng.randint(1, 8)])}
    if rng.random() < 0.3:
        written = arguments.get("cell", {name.replace("Cell", "") + "Cell": arguments})
        given["initial_state"] = states(rng, written, batch)
        if rng.random() < 0.3:
            given["mask"] = {"batch_shape": [batch, 3], "dtype": "bool"}
    return {"arguments": arguments, "inputs": call(rng, given)}


def call(rng: random.Random, given: dict[str, Any]) -> Any:
    """The inputs of a call, as a list or a mapping."""
    return given if rng.random() < 0.3 else list(given.values())


def cell(rng: random.Random, depth: int = 0) -> Any:
    """A cell in the form of a spec; sometimes a layer that is no cell."""
    if rng.random() < 0.04:
        return rng.choice([{"Dense": {"units": 3}}, "Flatten", 3, None])
    if rng.random() < 0.1 and depth < 2:
        return {"StackedRNNCells": {"cells": cells(rng, depth + 1)}}
    name = rng.choice(CELLS)
    return {name: arguments_of(rng, name, OWN)}


def cells(rng: random.Random, depth: int = 0) -> list[Any]:
    """A list of random cells."""
    return [cell(rng, depth) for _ in range(rng.choice([0, 1, 1, 2, 2, 2, 3, 3]))]


def cell_or_cells(rng: random.Random) -> Any:
    """One cell, or several."""
    return cell(rng) if rng.random() < 0.6 else cells(rng)


def states(rng: random.Random, written: Any, batch: int | None) -> Any:
    """The shapes of the states of a cell, mostly valid."""
    if isinstance(written, list):
        return [states(rng, each, batch) for each in written] or [[batch, 3]]
    ((kind, arguments),) = written.items() if isinstance(written, dict) else (("", {}),)
    if kind == "StackedRNNCells":
        return states(rng, arguments["cells"], batch)
    units = arguments.get("units", arguments.get("filters", 3))
    count = 2 if "LSTM" in kind else 1
    if rng.random() < ODD:
        count = rng.randint(1, 3)
    shapes = [misshapen(rng, [batch, units]) for _ in range(count)]
    return shapes[0] if count == 1 and rng.random() < 0.6 else shapes


def misshapen(rng: random.Random, shape: list[int | None]) -> list[int | None]:
    """A shape, sometimes with another number of axes or another size."""
    if rng.random() < ODD:
        shape = [*shape[:1], size(rng), *shape[1:]] if rng.random() < 0.5 else shape[:-1]
    if shape and rng.random() < ODD:
        shape[rng.randrange(len(shape))] = size(rng)
    return shape
