"""Random preprocessing layers for numbers."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, COMMON, Draw, arguments_of, number, one_of, shape, size


def statistics(rng: random.Random) -> Any:
    """A mean or a variance: a number, a list, or a list of lists."""
    if rng.random() < 0.4:
        return rng.choice([0, 0.5, 3])
    if rng.random() < 0.6:
        return [1.5] * rng.randint(0, 5)
    return [[0.5] * rng.choice([2, 3]) for _ in range(rng.randint(0, 3))]


OWN: dict[str, Draw] = {
    "Discretization.epsilon": one_of(0.01, 0.1),
    "axis": one_of(-1, -1, 1, None, [], [-1], [1], [1, 2], [2, -1], [-1, 1], [1, 1], 5, -3, [0]),
    "bin_boundaries": one_of([], [0.0], [-1, 0, 1.5], [3, 1]),
    "dtype": lambda rng: (
        rng.choice(["bool", "uint8", "int64", "int8_from_float32"])
        if rng.random() < 0.2
        else COMMON["dtype"](rng)
    ),
    "invert": BOOLEAN,
    "mean": statistics,
    "num_bins": number(0, 9),
    "num_tokens": number(1, 9),
    "offset": one_of(0, -1.5, [1, 2, 3], [[1], [2]]),
    "output_mode": one_of("int", "one_hot", "multi_hot", "count", "binary", "one_hot", "count"),
    "scale": one_of(2, 0.5, [1, 2], [[0.5, 1], [1, 2]]),
    "variance": statistics,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    arguments = arguments_of(rng, name, OWN)
    given = shape(rng, rng.randint(0, 5) + 1) if rng.random() < 0.95 else []
    if name != "Normalization" and rng.random() < 0.15:
        arguments["sparse"] = rng.random() < 0.7
    if rng.random() < 0.9:
        mend(rng, name, arguments, given)
    dtype = rng.choice(["float32", "int32", "float16"])
    inputs: Any = [{"batch_shape": given, "dtype": dtype}]
    if name == "CategoryEncoding" and rng.random() < 0.3:
        weights = given if rng.random() < 0.8 else shape(rng, 2)
        inputs = {"inputs": inputs[0], "count_weights": weights}
    return {"arguments": arguments, "inputs": inputs}


def mend(rng: random.Random, name: str, arguments: dict[str, Any], given: list[Any]) -> None:
    """Change arguments so that the layer is likely valid."""
    if name == "Rescaling":
        arguments.pop("sparse", None)
    if name == "Discretization":
        arguments.pop("trainable", None)
        if arguments.get("output_mode", "int") == "int":
            arguments.pop("sparse", None)
        if "num_bins" in arguments:
            arguments.pop("bin_boundaries", None)
        else:
            arguments.setdefault("bin_boundaries", [0.5, 1])
    if name == "Normalization":
        arguments.pop("variance", None)
        if "mean" in arguments and rng.random() < 0.7:  # as many numbers as the axes have
            axis = arguments.get("axis", -1)
            kept = [axis] if isinstance(axis, int) else sorted(axis or [])
            fitting = [given[each] for each in kept if -len(given) <= each < len(given)]
            mean: Any = 0.5
            for each in reversed(fitting[rng.randint(0, 1) :]):
                mean = [mean] * rng.choice([each or 1, each or 1, 1, size(rng) or 1])
            arguments["mean"] = mean
        if "mean" in arguments:
            arguments["variance"] = arguments["mean"]
