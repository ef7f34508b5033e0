"""Random layers: a kind, arguments and input shapes, most of them sound and some of them not.

A case is a line of JSON, so that one that fails can be pasted into `tests/data/facts.jsonl`::

    {"kind": "Dense", "arguments": {"units": 3}, "inputs": [[null, 5]]}
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from msgspec.structs import fields

from dense_calc.layers import KINDS, kind_named, words
from dense_calc.layers.base import LayerKind

Case = dict[str, Any]
Draw = Callable[[random.Random], Any]

FACTS = Path(__file__).parents[1] / "data" / "facts.jsonl"
DEMANDED = {"pool_size"}  # by Keras' average pooling; dense-calc has a default
OPTIONAL = 0.4  # how often an argument is given that need not be
MISTAKEN = 0.05  # how often an argument is nonsense
MISTAKES = [-1, 0, 2.5, "nonsense", [1, 2, 3], [], None, True]
MISPLACED = 0.05  # how often an image layer gets no image


def read_facts() -> list[Case]:
    """The table of facts: cases with what Keras makes of them."""
    return [json.loads(line) for line in FACTS.read_text("utf-8").splitlines()]


def draw(rng: random.Random) -> Case:
    """One case of a random kind."""
    name = rng.choice(list(KINDS))
    kind = kind_named(name)
    arguments = {
        field.name: ARGUMENTS.get(f"{name}.{field.name}", ARGUMENTS[field.name])(rng)
        for field in fields(kind)
        if field.name in ARGUMENTS
        and (field.required or field.name in DEMANDED or rng.random() < OPTIONAL)
    }
    case: Case = {"kind": name, "arguments": arguments, "inputs": inputs(rng, kind)}
    if rng.random() < MISTAKEN:
        arguments[rng.choice(list(arguments) or ["unit"])] = rng.choice(MISTAKES)
        case["nonsense"] = True  # dense-calc may refuse it where Keras does not look
    return case


def inputs(rng: random.Random, kind: type[LayerKind]) -> list[list[int | None]]:
    """Shapes of as many inputs as the kind takes; those of several mostly agree."""
    axes = getattr(kind, "axes", ())
    rank = len(axes) + 2 if axes and rng.random() > MISPLACED else rng.randint(1, 6)
    if len(kind.takes) == 1:
        return [shape(rng, rank) for _ in range(kind.takes.start)]
    first = shape(rng, rank)
    return [first, *(relative(rng, first) for _ in range(rng.randint(0, 3)))]


def shape(rng: random.Random, rank: int) -> list[int | None]:
    """A shape with its batch axis."""
    batch = rng.choice([None, None, None, 2])
    return [batch, *(size(rng) for _ in range(rank - 1))]


def size(rng: random.Random) -> int | None:
    """A size, now and then unknown, 0 or 1."""
    return rng.choice([None, 0, 1]) if rng.random() < 0.12 else rng.randint(2, 16)


def relative(rng: random.Random, first: list[int | None]) -> list[int | None]:
    """A shape like the first, or one that differs in a size or in the number of axes."""
    other = list(first)
    if rng.random() < 0.3:
        other[rng.randrange(len(other))] = size(rng)
    if rng.random() < 0.1:
        other.insert(1, size(rng))
    return other


def one_of(*choices: Any) -> Draw:
    """An argument that is one of these."""
    return lambda rng: rng.choice(choices)


def number(least: int, most: int) -> Draw:
    """An argument that is a whole number."""
    return lambda rng: rng.randint(least, most)


def window(most: int) -> Draw:
    """An argument of a sliding window: one number, or one for each of two axes."""
    one = number(1, most)
    return lambda rng: one(rng) if rng.random() < 0.6 else [one(rng), one(rng)]


def listed(literal: Any) -> Draw:
    """An argument that is a word of a closed set."""
    return one_of(*get_args(get_args(literal)[0]))


def target_shape(rng: random.Random) -> list[int | None]:
    """A shape for Reshape, with a rest more often than not."""
    return [rng.choice([1, 2, 3, 4, 8, -1, -1, None]) for _ in range(rng.randint(0, 4))]


FLOATS = sorted(words.FLOATS)
BOOLEAN = one_of(True, False)
ARGUMENTS: dict[str, Draw] = {
    "activation": listed(words.Activation),
    "activity_regularizer": listed(words.Regularizer),
    "autocast": BOOLEAN,
    "axis": number(-4, 4),
    "batch_shape": one_of([None, 3], [2, 3, None], []),
    "batch_size": one_of(None, 4),
    "beta_initializer": one_of("zeros", "he_normal", "orthogonal", None),
    "bias_constraint": listed(words.Constraint),
    "bias_initializer": one_of("zeros", "Ones", "random_normal", None, "orthogonal", "identity"),
    "bias_regularizer": listed(words.Regularizer),
    "center": BOOLEAN,
    "data_format": one_of("channels_first", "channels_last", "Channels_Last", None),
    "dilation_rate": window(3),
    "dtype": one_of(*FLOATS, *FLOATS, "mixed_float16", "mixed_bfloat16", "int32", "string"),
    "epsilon": one_of(1e-5, 1),
    "filters": number(1, 12),
    "groups": one_of(1, 1, 2, 3),
    "input_shape": one_of([3], [4, 4, 1]),
    "keepdims": BOOLEAN,
    "kernel_constraint": listed(words.Constraint),
    "kernel_initializer": one_of("he_normal", "zeros", None, "identity", "orthogonal"),
    "kernel_regularizer": listed(words.Regularizer),
    "kernel_size": window(5),
    "lora_alpha": one_of(None, 2, 0.5),
    "lora_rank": one_of(None, None, None, 0, 1, 3),
    "max_value": one_of(None, 0, 6.0, -1),
    "momentum": one_of(0.9, 0),
    "name": one_of("own", "a b", "x.y", "é", "__", "slash/ed"),
    "negative_slope": one_of(0, 0.2, 1, -0.1),
    "noise_shape": one_of(None, [1, None], [3, 0]),
    "optional": BOOLEAN,
    "padding": one_of("valid", "same", "same", "SAME", "causal"),
    "pool_size": window(4),
    "rate": one_of(0, 0.1, 0.2, 0.5, 1, 1.5),
    "renorm": BOOLEAN,
    "renorm_clipping": one_of(None, {"rmax": 3}, {"rmax": 1, "rmin": 2}, {"dmax": -1}, {"x": 1}),
    "scale": BOOLEAN,
    "seed": one_of(None, 7, 2**31),
    "shape": one_of([3], [None, 3], [], [0]),
    "strides": window(3),
    "target_shape": target_shape,
    "threshold": one_of(0, 1.5, 2, -1),
    "trainable": BOOLEAN,
    "units": number(1, 12),
    "use_bias": BOOLEAN,
    "ZeroPadding2D.padding": one_of(1, 0, -1, [1, 2], [[1, 0], [2, 3]], [3, [1, 2]], [1, 2, 3]),
}
