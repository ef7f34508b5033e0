"""Random attention layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, Draw, arguments_of, number, one_of, shape, size

Shape = list[int | None]

# By their names, as Keras lists what a call gives by name. A spec may read masks in another order,
# which no file of Keras' can say where one is left out: `convert` does not keep that.
MASKS = ("attention_mask", "key_mask", "query_mask", "value_mask")


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind; inputs mostly fit each other, and are a list or a mapping."""
    inputs = given(rng, same=name == "GroupedQueryAttention")
    arguments = arguments_of(rng, name, OWN)
    if name in ("Attention", "AdditiveAttention"):
        if rng.random() < 0.05:
            inputs.pop(rng.choice(list(inputs)))
        return {"arguments": arguments, "inputs": list(inputs.values())}
    if rng.random() < 0.5:
        return {"arguments": arguments, "inputs": list(inputs.values())}
    for mask in MASKS:
        if rng.random() < 0.1:
            inputs[mask] = {"batch_shape": shape(rng, rng.randint(1, 4)), "dtype": "bool"}
    if rng.random() < 0.05:
        inputs.pop(rng.choice(list(inputs)))
    return {"arguments": arguments, "inputs": inputs}


def given(rng: random.Random, *, same: bool) -> dict[str, Any]:
    """The shapes of query, value and perhaps key, more often with equal features if `same`."""
    odd = 0.15 if same else 0.4
    query = lengths(rng, odd)
    value = resized(rng, query) if rng.random() < 0.9 else lengths(rng, odd)
    if rng.random() < (0.9 if same else 0.5):
        value[-1] = query[-1]
    inputs = {"query": query, "value": value}
    if rng.random() < 0.4:
        key = [*value[:-1], value[-1] if rng.random() < 0.5 else size(rng)]
        inputs["key"] = resized(rng, key) if rng.random() < 0.15 else key
    return inputs


def lengths(rng: random.Random, odd: float) -> Shape:
    """A shape of three axes, or with probability `odd` of any number of axes."""
    one = shape(rng, rng.randint(1, 5) if rng.random() < odd else 3)
    return one if one[-1] is not None or rng.random() < 0.2 else [*one[:-1], 5]


def resized(rng: random.Random, like: Shape) -> Shape:
    """A shape that may differ in one size."""
    other = list(like)
    other[rng.randrange(len(other))] = size(rng)
    return other


def axes(rng: random.Random) -> int | list[int]:
    """Axes for attention, mostly of an input with four."""
    one = number(1, 2) if rng.random() < 0.7 else number(-11, 6)
    return one(rng) if rng.random() < 0.4 else [one(rng) for _ in range(rng.randint(0, 3))]


def mostly(*choices: Any) -> Draw:
    """A draw of one of these values, the first ones more often."""
    return lambda rng: choices[min(rng.randrange(len(choices)), rng.randrange(len(choices)))]


OWN: dict[str, Draw] = {
    "attention_axes": axes,
    "bias_initializer": mostly(
        *("zeros", "Ones", "random_normal", "uniform", "one", "orthogonal", "identity", None)
    ),
    "dtype": mostly(
        *("float32", "bfloat16", "mixed_float16", "float16", "float64", "int8_from_float32"),
        *("float8_from_bfloat16", "int4/2_from_float32", "gptq/3/2_from_float32", "int32"),
        *("awq/4/-1_from_float32", "complex64", "string"),
    ),
    "dropout": mostly(0, 0.1, 0.5, 0.2, 1, -0.5, 1.5),
    "flash_attention": one_of(None, False, True),
    "head_dim": number(1, 8),
    "kernel_initializer": mostly(
        *("he_normal", "GlorotNormal", {"class_name": "RandomNormal", "config": {}}, "zeros"),
        *("variance_scaling", "ones", "orthogonal", None, "identity", "constant"),
    ),
    "input_dim": mostly(None, None, 3),
    "key_dim": number(1, 8),
    "name": mostly("own", "a b", "x.y", "é", "__", "slash/ed"),
    "num_heads": number(1, 4),
    "num_key_value_heads": mostly(1, 2, 2, 3),
    "num_query_heads": mostly(6, 12, 4, 0),
    "output_shape": one_of(None, 5, 1, 0, [7], [3, 4], [2, 0], []),
    "return_attention_scores": BOOLEAN,
    "score_mode": mostly("concat", "dot", "dot", "Dot"),
    "seed": mostly(None, 7, 2**31, -1, 2**33),
    "sliding_window": mostly(None, 1, 4, 2, 0),
    "use_causal_mask": BOOLEAN,
    "use_gate": BOOLEAN,
    "use_scale": BOOLEAN,
    "value_dim": one_of(None, 3, 8),
}
