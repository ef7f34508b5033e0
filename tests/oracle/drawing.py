"""Random arguments and shapes of layers."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any, get_args

from msgspec.structs import fields

from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.layers.arguments import types
from dense_calc.layers.base import LayerKind

Draw = Callable[[random.Random], Any]

TOGETHER = {
    "bidirectional": "wrappers",
    "einsum_dense": "core",
    "embedding": "core",
    "hashing": "text",
    "simple_attention": "attention",
    "stacked_cells": "recurrent",
}  # modules of layers that share a module of `families/`
OPTIONAL = 0.4  # how often an optional argument is drawn
MISPLACED = 0.05  # how often a layer with spatial axes reads an input of any rank


def drawn(rng: random.Random, name: str) -> dict[str, Any]:
    """A case of a kind, drawn by the module of `families/` for the kind's module."""
    module = KIND_MODULES[name]
    family = import_module(f"families.{TOGETHER.get(module, module)}")
    case: dict[str, Any] = family.draw(rng, name)
    return case


def simple(
    rng: random.Random, name: str, own: Mapping[str, Draw], demanded: Collection[str] = ()
) -> dict[str, Any]:
    """A case of a kind whose arguments `own` or COMMON draw independently."""
    arguments = arguments_of(rng, name, own, demanded)
    return {"arguments": arguments, "inputs": inputs(rng, find_kind(name))}


def arguments_of(
    rng: random.Random, name: str, own: Mapping[str, Draw], demanded: Collection[str] = ()
) -> dict[str, Any]:
    """Random arguments: all that are required or `demanded`, and some of the others."""
    draws = {**COMMON, **own}
    required = {field.encode_name: field.required for field in fields(find_kind(name))}
    return {
        argument: draws.get(f"{name}.{argument}", draws.get(argument, no_draw(argument)))(rng)
        for argument in required
        if argument not in UNDRAWN
        and (required[argument] or argument in demanded or rng.random() < OPTIONAL)
    }


def no_draw(argument: str) -> Draw:
    """A draw that raises LookupError: neither COMMON nor a family says how to draw `argument`."""

    def complain(_rng: random.Random) -> Any:
        raise LookupError(f"say how '{argument}' is drawn")

    return complain


def inputs(rng: random.Random, kind: type[LayerKind]) -> list[list[int | None]]:
    """The shapes of the inputs of a kind; several inputs mostly have the same shape."""
    axes = getattr(kind, "spatial_axes", ())
    rank = len(axes) + 2 if axes and rng.random() > MISPLACED else rng.randint(1, 6)
    if len(kind.arity) == 1:
        return [shape(rng, rank) for _ in range(kind.arity.start)]
    first = shape(rng, rank)
    return [first, *(relative(rng, first) for _ in range(rng.randint(0, 3)))]


def shape(rng: random.Random, rank: int) -> list[int | None]:
    """A random shape of `rank` axes, the batch included."""
    batch = rng.choice([None, None, None, 2])
    return [batch, *(size(rng) for _ in range(rank - 1))]


def size(rng: random.Random) -> int | None:
    """A random size, sometimes unknown, 0 or 1."""
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
    """A draw of one of these values."""
    return lambda rng: rng.choice(choices)


def number(least: int, most: int) -> Draw:
    """A draw of an integer."""
    return lambda rng: rng.randint(least, most)


def window(most: int) -> Draw:
    """A draw of a window argument: one number, or one for each of two axes."""
    one = number(1, most)
    return lambda rng: one(rng) if rng.random() < 0.6 else [one(rng), one(rng)]


def listed(literal: Any) -> Draw:
    """A draw of a word that the type `literal` allows."""
    return one_of(*get_args(get_args(literal)[0]))


FLOATS = sorted(types.RANDOM_NUMBER_DTYPES)
MIXED = ["mixed_float16", "mixed_bfloat16"]
QUANTIZED = ["int8_from_float32", "int4/2_from_mixed_float16", "float8_from_bfloat16", "int8"]
BOOLEAN = one_of(True, False)
COMMON: dict[str, Draw] = {
    "activation": listed(types.ActivationArgument),
    "activity_regularizer": listed(types.Regularizer),
    "autocast": BOOLEAN,
    "axis": number(-4, 4),
    "batch_shape": one_of([None, 3], [2, 3, None], []),
    "batch_size": one_of(None, 4),
    "beta_initializer": one_of("zeros", "he_normal", "orthogonal", None),
    "bias_constraint": listed(types.Constraint),
    "bias_initializer": one_of("zeros", "Ones", "random_normal", None, "orthogonal", "identity"),
    "bias_regularizer": listed(types.Regularizer),
    "center": BOOLEAN,
    "data_format": one_of("channels_first", "channels_last", "Channels_Last", None),
    "dilation_rate": window(3),
    "dtype": one_of(*FLOATS, *FLOATS, *MIXED, *QUANTIZED, "int32", "string"),
    "epsilon": one_of(1e-5, 1),
    "filters": number(1, 12),
    "groups": one_of(1, 1, 2, 3),
    "input_dim": one_of(None, None, None, 3),
    "input_shape": one_of([3], [4, 4, 1]),
    "keepdims": BOOLEAN,
    "kernel_constraint": listed(types.Constraint),
    "kernel_initializer": one_of("he_normal", "zeros", None, "identity", "orthogonal"),
    "kernel_regularizer": listed(types.Regularizer),
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
    "threshold": one_of(0, 1.5, 2, -1),
    "trainable": BOOLEAN,
    "units": number(1, 12),
    "use_bias": BOOLEAN,
}

# Never drawn: they choose how a tensor is stored, which no report says.
UNDRAWN = {
    "ragged",
    "sparse",
}
