"""Random regularization layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import COMMON, Draw, inputs, one_of, shape, simple

from dense_calc.layers import find_kind

PENALTY = one_of(0, 0.01, 1, None, -1)
OWN: dict[str, Draw] = {
    "AlphaDropout.noise_shape": one_of(None, [1, None], [3, 0], [-1], []),
    "ActivityRegularization.activity_regularizer": one_of(None, "l2"),
    "l1": PENALTY,
    "l2": PENALTY,
    "noise_shape": one_of(None, [1, None], [2, 1, 3], [], [3, 0]),
    "stddev": COMMON["rate"],
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    case = simple(rng, name, OWN)
    if name == "ActivityRegularization" and rng.random() < 0.95:
        case["arguments"].pop("activity_regularizer", None)  # unknown to this class in Keras
    kind = find_kind(name)
    case["inputs"] = inputs(rng, kind)
    if not hasattr(kind, "spatial_axes"):
        case["inputs"] = [shape(rng, rng.randint(1, 5)) if rng.random() < 0.97 else []]
    return case
