"""Random merging layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, Draw, arguments_of, one_of, relative, shape

FEW = {"Dot": 2, "Subtract": 2}  # kinds with a fixed number of inputs
AXES = one_of(
    -1, -1, -2, 1, 1, 2, 0, -7, [1, 1], [1, 2], [2, 1], [-1, -1], [-1, 1], [2, -2], [0, 0]
)
OWN: dict[str, Draw] = {
    "axes": AXES,
    "axis": one_of(-1, -1, -1, 1, 1, 2, -2, 0, 4, -4),
    "normalize": BOOLEAN,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind: shapes that mostly agree."""
    arguments = arguments_of(rng, name, OWN)
    count = FEW.get(name, 0) if rng.random() < 0.95 else 0
    first = shape(rng, rng.choice([1, 2, 2, 3, 3, 4, 5]))
    inputs = [first, *(another(rng, first) for _ in range((count or rng.randint(1, 4)) - 1))]
    if name == "Dot" and len(inputs) == 2:
        inputs[1] = shape(rng, rng.choice([2, 2, 3, 3, 4]))
        agree(rng, arguments["axes"], *inputs)
    if rng.random() < 0.02:
        inputs[rng.randrange(len(inputs))] = []
    return {"arguments": arguments, "inputs": inputs}


def another(rng: random.Random, first: list[int | None]) -> list[int | None]:
    """A shape like the first, or with other sizes that broadcast, or with fewer axes."""
    if rng.random() < 0.6:
        return relative(rng, first) if rng.random() < 0.5 else list(first)
    sides = [rng.choice([size, size, 1, None]) for size in first[1:]]
    return [first[0], *sides[rng.choice([0, 0, 0, 1]) :]]


def agree(rng: random.Random, axes: Any, first: list[Any], second: list[Any]) -> None:
    """Mostly give the axes of a product the same size, if there are such axes."""
    one, other = axes if isinstance(axes, list) else (axes, axes)
    both = -len(first) <= one < len(first) and -len(second) <= other < len(second)
    if both and rng.random() < 0.9:
        second[other] = first[one]
