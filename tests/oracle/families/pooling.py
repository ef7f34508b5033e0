"""Random pooling layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import Draw, one_of, simple

from dense_calc.layers import find_kind
from families.convolutional import EVERY_DTYPE, MIXED, QUANTIZED, SELDOM, window

OWN: dict[str, Draw] = SELDOM | {
    "dtype": one_of(*MIXED, *QUANTIZED, *EVERY_DTYPE),
    "padding": one_of(*4 * ["valid", "same"], "SAME"),
}
DEMANDED = {"pool_size"}  # Keras' average pooling requires it; dense-calc has a default


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    rank = len(getattr(find_kind(name), "spatial_axes", ()))
    own = OWN | {
        "output_size": window(rank, 0, 9),
        "pool_size": window(rank, 1, 3),
        "strides": lambda rng: rng.choice([None, window(rank, 1, 3)(rng), window(rank, 0, 6)(rng)]),
    }
    case = simple(rng, name, own, DEMANDED)
    if rng.random() < 0.1:
        case["inputs"] = [{"batch_shape": case["inputs"][0], "dtype": rng.choice(EVERY_DTYPE)}]
    return case
