"""Random core layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import (
    BOOLEAN,
    COMMON,
    FLOATS,
    MIXED,
    Draw,
    arguments_of,
    inputs,
    listed,
    number,
    one_of,
    shape,
    size,
)

from dense_calc.layers import find_kind
from dense_calc.layers.arguments import types
from dense_calc.layers.arguments.dtype_policies import UNQUANTIZED_POLICIES
from dense_calc.layers.arguments.types import DTYPE_BITS

QUANTIZED = 0.4  # how often a dtype policy is quantized
ODD = 0.08  # how often a part is drawn that Keras may refuse
ODD_EQUATIONS = [
    "ab,bc", "ab->ac", "ab,bc->ad", "ab,cb->b", "...ab,bc->ac", "a...,ab->b...", "ab...,bc->ac",
    "ab,bb->ab", "aab,bc->ac", "ab,bc->acc", "abc,cd->abdx", "ab, bc->ac", "0ab,bc->0ac", "",
    "abc,d->abcd", "ab,->ab", "abc,abc->abc", "ab,bc->c", "abcd,dcb->a", "ab,bc->ca", "ba,bc->ac",
    "abcd,cdef->abfe", "ab,cb->ac!",
]  # fmt: skip


def policy(rng: random.Random) -> Any:
    """A dtype policy, a name or a serialized object."""
    if rng.random() > QUANTIZED:
        return plain_policy(rng)
    group = rng.choice(["-1", "1", "2", "3", "128"])
    bits = rng.choice([2, 3, 4, 4, 8])
    mode = rng.choice(["int8", "int4", f"int4/{group}", f"gptq/{bits}/{group}", f"awq/4/{group}"])
    mode = rng.choice([mode, mode, mode, "float8"])
    source = rng.choice(["float32", "float64", "mixed_bfloat16", "bfloat16"])
    if rng.random() < ODD:
        mode = rng.choice([mode, "awq/3/2", "awq", "gptq", "int2", "gptq/4", "int4/x", "int4/0"])
        source = rng.choice([*DTYPE_BITS, *UNQUANTIZED_POLICIES])
    if rng.random() < 0.7:
        return f"{mode}_from_{source}"
    config = {"mode": mode, "source_name": source}
    name = {"int4/": "Int4", "gptq/": "GPTQ", "awq/4": "AWQ"}.get(mode[:5], "Quantized")
    if rng.random() < (0.8 if mode == "float8" else ODD):
        return serialized("QuantizedFloat8DTypePolicy", {**config, "amax_history_length": 7})
    return serialized(f"{name}DTypePolicy", config)


def plain_policy(rng: random.Random) -> Any:
    """A dtype policy that is not quantized."""
    name = rng.choice([*FLOATS, *MIXED])
    if rng.random() < ODD:
        name = rng.choice([*DTYPE_BITS, "int", "int4", "float8", "string", "mixed_float32", "half"])
    config = rng.choice([{"name": name}, {"name": name}, {"name": None}, {}, None])
    mapped = {"default_policy": name, "policy_map": {}}
    named = serialized(rng.choice(["DTypePolicy", "FloatDTypePolicy"]), config)
    odd = [serialized("DTypePolicy", {"nam": name}), serialized("Policy", {"name": name})]
    if rng.random() < ODD:
        return rng.choice(odd)
    return rng.choice([name, name, named, serialized("DTypePolicyMap", mapped)])


def serialized(name: str, config: Any) -> dict[str, Any]:
    """A serialized object of Keras."""
    return {"module": "keras", "class_name": name, "config": config}


def config_of(rng: random.Random) -> Any:
    """A configuration of quantization."""
    data = {"dataset": None, "tokenizer": None}
    name, config = rng.choice(
        [
            ("Int8QuantizationConfig", {}),
            ("Int4QuantizationConfig", {"block_size": rng.choice([None, -1, 2, 3])}),
            ("Int4QuantizationConfig", {}),
            ("Float8QuantizationConfig", {}),
            ("GPTQConfig", {**data, "weight_bits": rng.choice([2, 3, 4, 5]), "group_size": 3}),
            ("GPTQConfig", data),
            ("AWQConfig", {**data, "group_size": rng.choice([-1, 2, -3])}),
        ]
    )
    return rng.choice([None, {**serialized(name, config), "module": "keras.quantizers"}])


def initializer(rng: random.Random) -> Any:
    """An initializer, a name or a serialized object."""
    if rng.random() < ODD:
        config: Any = rng.choice([{"value": 1}, {"seed": 1}, {"gain": 2}, {"x": 1}, None])
        names = ["HeNormal", "Constant", "Orthogonal", "L2", "RandomNormal"]
        return rng.choice(["constant", "identity", serialized(rng.choice(names), config)])
    constant = serialized("Constant", {"value": 1})
    scaled = serialized("VarianceScaling", {"mode": "fan_out", "seed": 3})
    return rng.choice(["he_normal", "zeros", None, "orthogonal", constant, scaled])


def activation(rng: random.Random) -> Any:
    """An activation, a name or a serialized function or layer."""
    name = listed(types.ActivationArgument)(rng) if rng.random() > ODD else "rel"
    function = {"class_name": "function", "module": "builtins", "config": name}
    layer = {"class_name": "LeakyReLU", "module": "keras.layers", "config": {}}
    return rng.choice([name, name, function, layer])


def equation_and_shapes(rng: random.Random) -> tuple[str, list[int | None], list[int | None]]:
    """An equation, and the shapes of an input and an output that mostly fit it."""
    letters = rng.sample("abcdefghXYZ", 8)
    kept, summed, new = (rng.randint(0, 2), rng.choice([0, 1, 1, 2]), rng.choice([0, 1, 1, 2]))
    here = letters[:1]
    kept_letters, summed_letters = letters[1 : 1 + kept], letters[3 : 3 + summed]
    new_letters = letters[5 : 5 + new]
    read, made = kept_letters + summed_letters, kept_letters + new_letters
    if rng.random() < 0.3:
        rng.shuffle(read)
        rng.shuffle(made)
    kernel = summed_letters + new_letters + rng.sample(kept_letters, rng.randint(0, kept) // 2)
    if rng.random() < 0.2:
        rng.shuffle(kernel)
    ellipsis = rng.choice(["", "", "left", "right"])
    sizes = {letter: size(rng) if rng.random() < 0.2 else rng.randint(1, 9) for letter in letters}
    lead = [] if ellipsis == "left" else here
    open_ = {each for each in kept_letters if each not in kernel and rng.random() < 0.5}
    wanted = [None if each in open_ else sizes[each] for each in made]
    more = [size(rng) for _ in range(rng.randint(0, 2))] if ellipsis else []
    given = [sizes[each] for each in read]
    left, right = ("..." if ellipsis == side else "" for side in ("left", "right"))
    batch = rng.choice([None, None, 2])
    inner, outer = "".join(lead + read), "".join(lead + made)
    text = f"{left}{inner}{right},{''.join(kernel)}->{left}{outer}{right}"
    return text, [batch, *more, *given] if left else [batch, *given, *more], wanted


def einsum(rng: random.Random, arguments: dict[str, Any]) -> list[list[int | None]]:
    """The input of an EinsumDense; its arguments are changed to fit it."""
    text, axes, wanted = equation_and_shapes(rng)
    if rng.random() < ODD:
        text = rng.choice(ODD_EQUATIONS)
        axes = shape(rng, rng.randint(1, 4))
    if rng.random() < ODD:
        wanted = shape(rng, rng.randint(1, 4))
    arguments["equation"] = text
    arguments["output_shape"] = wanted[0] if len(wanted) == 1 and wanted[0] is not None else wanted
    letters = text.rpartition("->")[2].replace(".", "")
    known = [each for each, size in zip(letters[::-1], wanted[::-1], strict=False) if size]
    if known and rng.random() < 0.6:
        arguments["bias_axes"] = "".join(rng.sample(known, rng.randint(1, min(2, len(known)))))
    elif rng.random() < ODD:
        arguments["bias_axes"] = rng.choice(["", "q", "b", None])
    if rng.random() < ODD / 2:
        axes = shape(rng, rng.randint(1, 5))
    return [axes]


def lambda_(rng: random.Random, arguments: dict[str, Any]) -> list[Any]:
    """The input of a Lambda, with the shape of its output."""
    arguments["function"] = "lambda x: x"
    shapes = [shape(rng, rng.randint(1, 4))[1:] for _ in range(3)]
    one = rng.choice(shapes)
    arguments["output_shape"] = rng.choice([one, one, one, shapes, {"a": one}])
    return nest(rng)[:1]  # a second input would be the mask


def nest(rng: random.Random) -> list[Any]:
    """One input: a tensor or a nest of tensors."""
    one, other = shape(rng, rng.randint(1, 4)), shape(rng, rng.randint(1, 4))
    return rng.choice([[one], [one], [[one, other]], [[one, [other, one]]], [[one]], [one, other]])


OWN: dict[str, Draw] = {
    "dtype": policy,
    "activation": activation,
    "arguments": one_of(None, {}, {"a": 1}),
    "bias_axes": one_of(None),
    "embeddings_constraint": listed(types.Constraint),
    "embeddings_initializer": initializer,
    "embeddings_regularizer": listed(types.Regularizer),
    "equation": one_of(""),
    "function": one_of(None),
    "gptq_unpacked_column_size": one_of(None, 3),
    "Embedding.input_dim": number(1, 20),
    "ReversibleEmbedding.input_dim": number(1, 20),
    "reverse": BOOLEAN,
    "input_length": one_of(None, 4, [3, None]),
    "kernel_initializer": initializer,
    "logit_soft_cap": one_of(None, 5, 0.5),
    "mask": one_of(None),
    "mask_value": one_of(0, 1.5, None, [1, 2]),
    "mask_zero": BOOLEAN,
    "output_dim": number(1, 12),
    "output_shape": one_of(None),
    "quantization_config": config_of,
    "reverse_dtype": one_of(None, "float32", "bfloat16"),
    "tie_weights": BOOLEAN,
    "weights": one_of(None, None, None, None, None, [[1, 2]]),
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    arguments = arguments_of(rng, name, OWN)
    given: Any = inputs(rng, find_kind(name))
    match name:
        case "EinsumDense":
            given = einsum(rng, arguments)
        case "Lambda":
            given = lambda_(rng, arguments)
        case "Identity" if rng.random() < 0.2:
            mapping = {"b": shape(rng, 2), "a": nest(rng)[0]}
            return {"arguments": arguments, "inputs": mapping, "data": True}
        case "Identity":
            given = nest(rng)
        case "Embedding" | "ReversibleEmbedding" if rng.random() < 0.7:
            kind = rng.choice(["int32", "uint8", "float32", "int64", "bool"])
            given = [{"batch_shape": shape(rng, rng.randint(1, 3)), "dtype": kind}]
        case "InputLayer" if "dtype" in arguments:
            arguments["dtype"] = COMMON["dtype"](rng)
    return {"arguments": arguments, "inputs": given}
