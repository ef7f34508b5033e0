"""Unquoted words of YAML → the values that they are to YAML 1.2."""

from __future__ import annotations

import re
from functools import lru_cache

TEXT_TAG = "tag:yaml.org,2002:str"
MAX_NUMBER = 2**63 - 1
MAX_DIGITS = 40  # longer ones are above MAX_NUMBER, and slow to read

# Patterns are compiled when they are first needed: plain digits and words, nearly all, need none.
INTEGER = r"[-+]?[0-9]+(?:_[0-9]+)*(?:[eE]\+?[0-9]{1,2})?"
OTHER_BASE = r"0o[0-7]+|0x[0-9a-fA-F]+"
FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
NO_DIGITS = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"  # infinity, and what is no number
WORDS = {
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@lru_cache(maxsize=10_000)
def resolved(text: str) -> bool | int | float | str | None:
    """The value of an unquoted word."""
    if text in WORDS:
        return WORDS[text]
    if text.isdecimal() and text.isascii():
        return whole(text)
    if text[0] not in "+-.0123456789":
        return text
    if re.fullmatch(INTEGER, text):
        return whole(text)
    if re.fullmatch(OTHER_BASE, text):
        return whole(text, base=0)
    if re.fullmatch(FLOAT, text):
        return float(text)
    return float(text.replace(".", "")) if re.fullmatch(NO_DIGITS, text) else text


def whole(text: str, base: int = 10) -> int:
    """The integer that digits write, perhaps with an exponent: `1_000`, `0x1F`, `1e6`."""
    if len(text) > MAX_DIGITS:
        return MAX_NUMBER + 1
    if base == 0:
        return int(text, base)
    digits, _, exponent = text.lower().partition("e")
    return int(digits) * int(10 ** int(exponent or 0))
