"""Random convolutions with windows of the rank of the kind and channels first or last."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, FLOATS, Draw, listed, number, one_of, simple

from dense_calc.layers import find_kind
from dense_calc.layers.arguments import types

MISSHAPEN = 0.015  # how often a window has a wrong number of sizes
EVERY_DTYPE = ("int32", "uint8", "bool", "float64", "complex64", "string")
SOUND = ("he_normal", "zeros", "Ones", "zeros", "glorot_uniform", "uniform", None)
MIXED = ["mixed_float16", "mixed_bfloat16"]
QUANTIZED = ["int8_from_float32", "int4_from_mixed_bfloat16", "float8_from_float16"]
SELDOM: dict[str, Draw] = {  # arguments of every layer that mostly make it invalid
    "input_dim": one_of(*5 * [None], 3),
    "name": one_of(*4 * ["own", "a b", "x.y", "é", "__"], "slash/ed"),
}
initializer = one_of(*5 * SOUND, "orthogonal", "identity")
OWN: dict[str, Draw] = SELDOM | {
    "bias_initializer": initializer,
    "depth_multiplier": one_of(1, 2, 3),
    "depthwise_constraint": listed(types.Constraint),
    "depthwise_initializer": initializer,
    "depthwise_regularizer": listed(types.Regularizer),
    "dtype": one_of(*8 * FLOATS, *4 * MIXED, *QUANTIZED, *EVERY_DTYPE),
    "filters": one_of(1, 6, 6, 6, 12, 12, 5),
    "groups": one_of(1, 1, 1, 2, 3),
    "kernel_initializer": initializer,
    "lora_rank": one_of(None, None, 0, 1, 4),
    "padding": one_of(*5 * ["valid", "same", "SAME", "Valid"], "causal"),
    "Conv1D.padding": one_of("valid", "same", "causal", "causal", "Causal"),
    "pointwise_constraint": listed(types.Constraint),
    "pointwise_initializer": initializer,
    "pointwise_regularizer": listed(types.Regularizer),
    "use_bias": BOOLEAN,
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind; windows mostly fit, and groups mostly divide the channels."""
    rank = len(getattr(find_kind(name), "spatial_axes", ()))
    own = OWN | {
        "kernel_size": window(rank, 1, 3),
        "strides": window(rank, 1, 3),
        "dilation_rate": window(rank, 1, 3),
        "output_padding": window(rank, 0, 1),
    }
    case = simple(rng, name, own)
    arguments = case["arguments"]
    if largest(arguments, "strides") > 1 and rng.random() < 0.8:
        arguments.pop("dilation_rate", None)
    if "output_padding" in arguments and rng.random() < 0.8:
        arguments["strides"] = window(rank, 2, 4)(rng)
        arguments.pop("dilation_rate", None)
    if arguments.get("lora_rank") and rng.random() < 0.8:
        arguments.pop("kernel_constraint", None)
    shape = case["inputs"][0]
    if len(shape) > 1 and rng.random() < 0.8:
        first = str(arguments.get("data_format")).lower() == "channels_first"
        shape[1 if first else -1] = rng.choice([1, 3, 6, 6, 12])
    if rng.random() < 0.1:
        case["inputs"] = [{"batch_shape": shape, "dtype": rng.choice(EVERY_DTYPE)}]
    return case


def window(rank: int, least: int, most: int) -> Draw:
    """A draw of a window argument: one size for all sides, or one for each."""
    one = number(least, most)

    def drawn(rng: random.Random) -> Any:
        if rng.random() < 0.5:
            return one(rng)
        sizes = rank if rng.random() > MISSHAPEN else rng.randint(0, 4)
        return [one(rng) for _ in range(sizes)]

    return drawn


def largest(arguments: dict[str, Any], name: str) -> int:
    """The largest size of a window argument; 1 where it is missing."""
    value = arguments.get(name, 1)
    return max(value, default=1) if isinstance(value, list) else int(value)
