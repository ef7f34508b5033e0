"""Unquoted words of YAML → their values in YAML 1.2."""

from __future__ import annotations

import re
from functools import lru_cache

TEXT_TAG = "tag:yaml.org,2002:str"
MAX_NUMBER = 2**63 - 1
_MAX_DIGITS = 40  # longer ones are above MAX_NUMBER, and slow to read

# Patterns are compiled when they are first needed: plain digits and words, nearly all, need none.
_INTEGER_PATTERN = r"[-+]?[0-9]+(?:_[0-9]+)*(?:[eE]\+?[0-9]{1,2})?"
_BASED_INTEGER_PATTERN = r"0o[0-7]+|0x[0-9a-fA-F]+"
_FLOAT_PATTERN = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_NON_FINITE_PATTERN = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"  # infinity, and not-a-number
_SCALAR_WORDS = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@lru_cache(maxsize=10_000)
def resolve_scalar(text: str) -> bool | int | float | str | None:
    """The value of an unquoted word."""
    if text in _SCALAR_WORDS:
        return _SCALAR_WORDS[text]
    if text.isdecimal() and text.isascii():
        return _parse_integer(text)
    if text[0] not in "+-.0123456789":
        return text
    if re.fullmatch(_INTEGER_PATTERN, text):
        return _parse_integer(text)
    if re.fullmatch(_BASED_INTEGER_PATTERN, text):
        return _parse_integer(text, base=0)
    if re.fullmatch(_FLOAT_PATTERN, text):
        return float(text)
    return float(text.replace(".", "")) if re.fullmatch(_NON_FINITE_PATTERN, text) else text


def _parse_integer(text: str, base: int = 10) -> int:
    """The integer that digits write, perhaps with an exponent: `1_000`, `0x1F`, `1e6`."""
    if len(text) > _MAX_DIGITS:
        return MAX_NUMBER + 1
    if base == 0:
        return int(text, base)
    digits, _, exponent = text.lower().partition("e")
    return int(digits) * int(10 ** int(exponent or 0))
