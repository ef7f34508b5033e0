"""Random activation layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import Draw, listed, one_of, shape, simple

from dense_calc.layers.arguments import types

SLOPE = one_of(0, 0.2, 1, 0.3, -0.5)
OWN: dict[str, Draw] = {
    "ELU.alpha": one_of(0, 1.0, -1, 2.5),
    "LeakyReLU.alpha": SLOPE,
    "Softmax.axis": one_of(-1, 1, 7, None, [1], [1, 2], [-1, -2, 9], []),
    "alpha_constraint": listed(types.Constraint),
    "alpha_initializer": one_of("Zeros", "he_normal", "uniform", "orthogonal", "identity", None),
    "alpha_regularizer": listed(types.Regularizer),
    "negative_slope": SLOPE,
    "shared_axes": one_of(None, 1, [1], [1, 2], [2, 1], [1, 2, 3], 0, [-1], [3, 3], -2, [5], []),
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind; Softmax sometimes with a mask."""
    case = simple(rng, name, OWN)
    first = shape(rng, rng.choice([1, 2, 3, 4, 4, 5, 6])) if rng.random() < 0.98 else []
    case["inputs"] = [first]
    if name == "Softmax" and rng.random() < 0.3:
        mask = {"batch_shape": rng.choice([first, first[1:], [7, *first]]), "dtype": "bool"}
        case["inputs"] = rng.choice([[first, mask], {"inputs": first, "mask": mask}])
    return case
