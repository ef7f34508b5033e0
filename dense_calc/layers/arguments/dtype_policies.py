"""Dtype policies: the dtypes of computation and of weights, and the mode of quantization.

A policy is a dtype (`bfloat16`), a mixture (`mixed_float16`), or one of these after the mode in
which the layer is quantized: `int8_from_mixed_bfloat16`, `int4/128_from_float32`,
`gptq/4/128_from_float32`. Source: `keras.dtype_policies.get`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import describe_value

_DEFAULT_HISTORY_LENGTH = 1024  # steps for which float8 keeps the largest values

# The policies without quantization.
UNQUANTIZED_POLICIES = (
    *("float16", "float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16"),
    *("int", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("bool", "string", "complex64", "complex128"),
)

# A dtype that is also a mode, such as int8, is no policy; Keras refuses int8 of float16.
_SOURCE_PATTERN = (
    r"(?:(?:mixed_)?b?float16|float(?:32|64|8_e4m3fn|8_e5m2)|u?int(?:8|16|32|64)|int|bool|string"
    r"|complex(?:64|128))$"
)
_GROUP_SIZE_PATTERN = r"/(?:-1|[1-9]\d*)"  # how many numbers share a scale; -1 for all
_NO_INT8_OF_FLOAT16 = r"(?!int8_from_(?:mixed_)?float16$)"
POLICY_PATTERN = (
    rf"^(?!int8$|float8_e\w*$){_NO_INT8_OF_FLOAT16}"
    rf"(?:(?:int8|float8|int4(?:{_GROUP_SIZE_PATTERN})?|gptq/[2348]{_GROUP_SIZE_PATTERN}|awq/4{_GROUP_SIZE_PATTERN})_from_)?{_SOURCE_PATTERN}"
)

POLICY_MAP_CLASS = "DTypePolicyMap"
_REGEX_METACHARACTERS = set("\\^$*+?{}[]|()")

# A mode alone: only objects have gptq and awq without their numbers.
_MODE_PATTERN = rf"{_NO_INT8_OF_FLOAT16}(?:int8|float8|int4|gptq|awq)_from_{_SOURCE_PATTERN}"
# The classes of serialized policies, each with a pattern for what it is, if it has a mode.
_POLICY_CLASS_PATTERNS = {
    "DTypePolicy": "",
    "FloatDTypePolicy": "",
    "QuantizedDTypePolicy": _MODE_PATTERN,
    "QuantizedFloat8DTypePolicy": _MODE_PATTERN,
    "Int4DTypePolicy": f"(?=int4/){POLICY_PATTERN}",
    "GPTQDTypePolicy": f"(?=gptq/){POLICY_PATTERN}",
    "AWQDTypePolicy": f"(?=awq/){POLICY_PATTERN}",
    POLICY_MAP_CLASS: "",
}


class DTypePolicy(Struct, frozen=True):
    """The content of a policy: dtypes, the mode of quantization, and the numbers of that mode."""

    compute_dtype: str
    variable_dtype: str
    quantization_mode: str | None = None
    weight_bits: int = 4  # of one quantized weight; 0 where the policy lacks these numbers
    group_size: int = -1  # weights that share a scale; -1 for all
    amax_history_length: int = _DEFAULT_HISTORY_LENGTH


@cache
def parse_policy_name(policy: str) -> DTypePolicy:
    """The policy with this name."""
    quantized, _, source = policy.rpartition("_from_")
    source = "int32" if source == "int" else source
    compute = source.removeprefix("mixed_")
    variable = source if source == compute else "float32"
    mode, *numbers = quantized.split("/")
    match list(map(int, numbers)):
        case [bits, group]:
            return DTypePolicy(compute, variable, mode, bits, group)
        case [group]:
            return DTypePolicy(compute, variable, mode, group_size=group)
    lacks_numbers = mode in ("gptq", "awq")
    return DTypePolicy(compute, variable, mode or None, weight_bits=0 if lacks_numbers else 4)


def deserialize_policy(class_name: str, config: Mapping[str, Any]) -> DTypePolicy:
    """The policy that a Keras file holds as an object.

    Raises:
        ValueError: Keras would not make it.
    """
    values = dict(config)
    length = (
        values.pop("amax_history_length", _DEFAULT_HISTORY_LENGTH)
        if "Float8" in class_name
        else _DEFAULT_HISTORY_LENGTH
    )
    if class_name == POLICY_MAP_CLASS:
        return parse_policy_map(config)[0]
    known = _POLICY_CLASS_PATTERNS[class_name]
    if known:
        source = _policy_name_or_default(values.pop("source_name", None))
        policy = f"{values.pop('mode', '')}_from_{source}"
    else:
        policy = _policy_name_or_default(values.pop("name", None))
        known = _SOURCE_PATTERN
    for name in values:
        raise ValueError(f"{class_name} has no argument '{name}'")
    if not re.match(known, str(policy)):
        raise ValueError(f"{class_name} cannot be '{policy}'")
    if not isinstance(length, int) or length < 0:
        raise ValueError(f"amax_history_length must be an integer of at least 0, not {length}")
    return replace(parse_policy_name(policy), amax_history_length=length)


def parse_policy_map(config: Mapping[str, Any]) -> tuple[DTypePolicy, dict[str, DTypePolicy]]:
    """The default policy of a map, and its policies by the paths of layers.

    A path may be a pattern with `.*`. Other patterns are refused: they could take forever to match.

    Raises:
        ValueError: Keras would not make the map, or it holds another pattern.
    """
    for name in config.keys() - {"default_policy", "policy_map"}:
        raise ValueError(f"{POLICY_MAP_CLASS} has no argument '{name}'")
    paths = config.get("policy_map") or {}
    if not isinstance(paths, dict):
        raise ValueError("policy_map is a mapping of paths to policies")
    for path in paths:
        if _REGEX_METACHARACTERS & set(path.replace(".*", "")):
            raise ValueError(f"of patterns in policy_map only '.*' is read, not '{path}'")
    default = _parse_map_policy(config.get("default_policy"))
    return default, {path: _parse_map_policy(policy) for path, policy in paths.items()}


def _parse_map_policy(policy: Any) -> DTypePolicy:
    """A policy in a map, written as a name or as an object.

    Raises:
        ValueError: it is neither.
    """
    match policy:
        case None:
            return parse_policy_name("float32")
        case str() if re.match(POLICY_PATTERN, policy):
            return parse_policy_name(policy)
        case {"class_name": str(name), "config": dict(config)} if (
            name in _POLICY_CLASS_PATTERNS and name != POLICY_MAP_CLASS
        ):
            return deserialize_policy(name, config)
    raise ValueError(
        f"a policy in a map is a name or a class and its config, not {describe_value(policy)}"
    )


def _policy_name_or_default(name: Any) -> Any:
    """The name of a policy, Keras' default where there is none."""
    return "float32" if name is None else name
