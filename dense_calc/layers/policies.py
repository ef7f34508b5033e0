"""Dtype policies: the dtypes of a layer's work and of its weights, and how they are quantized.

A policy is a dtype (`bfloat16`), a mixture (`mixed_float16`), or one of them with the mode in which
the layer is quantized: `int8_from_mixed_bfloat16`, `int4/128_from_float32`,
`gptq/4/128_from_float32`. Source: `keras.dtype_policies.get`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

HISTORY = 1024  # of float8: how many steps back the largest values are kept

# The policies that are not quantized.
PLAIN = (
    *("float16", "float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16"),
    *("int", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("bool", "string", "complex64", "complex128"),
)

# Names that begin like a mode, such as the dtype int8, cannot stand alone; float16 is too coarse
# for int8.
SOURCE = (
    r"(?:(?:mixed_)?b?float16|float(?:32|64|8_e4m3fn|8_e5m2)|u?int(?:8|16|32|64)|int|bool|string"
    r"|complex(?:64|128))$"
)
GROUP = r"/(?:-1|[1-9]\d*)"  # how many numbers share a scale; -1 for all
PATTERN = (
    r"^(?!int8$|float8_e\w*$|int8_from_(?:mixed_)?float16$)"
    rf"(?:(?:int8|float8|int4(?:{GROUP})?|gptq/[2348]{GROUP}|awq/4{GROUP})_from_)?{SOURCE}"
)

# The classes of which a policy may be a serialized object, and the modes that each has.
CLASSES = {
    "DTypePolicy": "",
    "FloatDTypePolicy": "",
    "QuantizedDTypePolicy": "(?:int8|int4|float8)",
    "QuantizedFloat8DTypePolicy": "float8",
    "Int4DTypePolicy": "int4/.*",
    "GPTQDTypePolicy": "gptq/.*",
    "AWQDTypePolicy": "awq/.*",
    "DTypePolicyMap": "",
}


class DTypePolicy(Struct, frozen=True):
    """What a policy says: dtypes, the mode of quantization, and that mode's numbers."""

    compute: str
    variable: str
    mode: str | None = None
    bits: int = 4  # of one quantized weight
    group: int = -1  # how many of them share a scale; -1 for all
    history: int = HISTORY


@cache
def named(policy: str) -> DTypePolicy:
    """What the policy with this name says."""
    quantized, _, source = policy.rpartition("_from_")
    source = "int32" if source == "int" else source
    compute = source.removeprefix("mixed_")
    variable = source if source == compute else "float32"
    mode, *numbers = quantized.split("/")
    match list(map(int, numbers)):
        case [bits, group]:
            return DTypePolicy(compute, variable, mode, bits, group)
        case [group]:
            return DTypePolicy(compute, variable, mode, group=group)
    return DTypePolicy(compute, variable, mode or None)


def deserialized(class_name: str, config: Mapping[str, Any]) -> DTypePolicy:
    """What a serialized policy says.

    Raises:
        ValueError: Keras would not make it.
    """
    values = dict(config)
    length = values.pop("amax_history_length", HISTORY) if "Float8" in class_name else HISTORY
    if class_name == "DTypePolicyMap":
        policy = values.pop("default_policy", None) or "float32"
        known = PATTERN
        if values.pop("policy_map", None) != {}:
            raise ValueError("a map of policies is for several layers; give each its own dtype")
    elif CLASSES[class_name]:
        policy = f"{values.pop('mode', '')}_from_{values.pop('source_name', None) or 'float32'}"
        known = f"(?={CLASSES[class_name]}_from_){PATTERN}"
    else:
        policy = values.pop("name", None) or "float32"
        known = SOURCE
    for name in values:
        raise ValueError(f"{class_name} has no argument '{name}'")
    if not re.match(known, str(policy)):
        raise ValueError(f"{class_name} cannot be '{policy}'")
    if not isinstance(length, int) or length < 0:
        raise ValueError(f"amax_history_length must be an integer of at least 0, not {length}")
    return replace(named(policy), history=length)
