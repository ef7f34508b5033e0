"""Random reshaping layers."""

from __future__ import annotations

import math
import random
from typing import Any

from drawing import Draw, inputs, number, one_of, shape, simple

from dense_calc.layers import find_kind

WRONG = 0.07  # how often an argument has a wrong number of sides


def ends(rng: random.Random, rank: int) -> Any:
    """A draw of one number, or of a number or a pair for each side; for one side of a pair."""
    least, most = rng.choice([(0, 2), (0, 2), (0, 2), (0, 5), (-1, 2)])
    sides = rank + (rng.random() < WRONG)
    if rng.random() < 0.3:
        return rng.randint(least, most)
    if rank == 1:
        return rng.choices(range(least, most + 1), k=sides + 1)
    each = number(least, most)
    return [each(rng) if rng.random() < 0.5 else [each(rng), each(rng)] for _ in range(sides)]


def factors(rng: random.Random, rank: int) -> Any:
    """A draw of the factors of the sides."""
    least = 1 if rng.random() < 0.95 else 0
    if rank == 1 or rng.random() < 0.5:
        return rng.randint(least, 4)
    return rng.choices(range(least, 5), k=rank + (rng.random() < WRONG))


def order(rng: random.Random) -> list[int]:
    """The axes in another order, rarely an invalid one."""
    axes = list(range(1, rng.randint(1, 6)))
    rng.shuffle(axes)
    return axes if rng.random() < 0.9 else [*axes, rng.randint(0, 5)]


def target(rng: random.Random, given: list[int | None]) -> list[int | None]:
    """A new shape: the sizes in another order, some multiplied or replaced by -1 or None."""
    sizes = list(given)
    rng.shuffle(sizes)
    if len(sizes) > 1 and None not in sizes and rng.random() < 0.5:
        sizes[:2] = [math.prod(size for size in sizes[:2] if size is not None)]
    if sizes and rng.random() < 0.5:
        sizes[rng.randrange(len(sizes))] = -1
    if rng.random() < 0.25:
        sizes.insert(0, rng.choice([1, 2, 3, -1, None, 0]))
    return sizes


OWN: dict[str, Draw] = {
    "dims": order,
    "interpolation": one_of("nearest", "bilinear", "BICUBIC", "lanczos3", "lanczos5", "other"),
    "n": number(1, 5),
    "target_shape": lambda _: None,  # it depends on the input
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    kind = find_kind(name)
    rank = len(getattr(kind, "spatial_axes", ()))
    own = OWN | {
        "cropping": lambda rng: ends(rng, rank),
        "padding": lambda rng: ends(rng, rank),
        "size": lambda rng: factors(rng, rank),
    }
    case = simple(rng, name, own)
    arguments = case["arguments"]
    case["inputs"] = inputs(rng, kind)
    if name in ("Permute", "RepeatVector") and rng.random() < 0.9:
        case["inputs"] = [shape(rng, 1 + len(arguments.get("dims", "n")))]
    if name == "Reshape":
        arguments["target_shape"] = target(rng, case["inputs"][0][1:])
    if rng.random() < 0.02:
        case["inputs"] = [[]]
    return case
