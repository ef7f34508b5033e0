"""Limits that a file or a flag puts on a model, and the amounts in them: `5M`, `20MiB`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from dense_calc.errors import Place, describe_value

if TYPE_CHECKING:
    from fractions import Fraction

LimitRule = Literal["max", "min", "exact"]  # values up to the amount, from it on, or only it


class AmountUnit(Struct, frozen=True):
    """A unit of amounts: parameters or bytes.

    `factors` are those of the suffixes of a number, in lower case. `word` follows an amount that
    could be taken for parameters.
    """

    factors: Mapping[str, int]
    examples: tuple[str, str]
    word: str = ""


PARAM_UNIT = AmountUnit(
    {"": 1, "params": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}, ("100k", "5M")
)
BYTE_UNIT = AmountUnit(
    {
        **dict.fromkeys(("", "b", "bytes"), 1),
        **{sign: 10**power for sign, power in {"kb": 3, "mb": 6, "gb": 9, "tb": 12}.items()},
        **{sign: 2**power for sign, power in {"kib": 10, "mib": 20, "gib": 30, "tib": 40}.items()},
    },
    ("20MiB", "80MB"),
    "bytes",
)


_DIGITS_PATTERN = r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:_[0-9]+)*"
_AMOUNT_PATTERN = (
    rf"\+?((?:{_DIGITS_PATTERN})(?:\.[0-9]+)?|\.[0-9]+)(?:[eE]\+?([0-9]{{1,2}}))?\s*([A-Za-z]*)"
)
_MAX_AMOUNT_CHARS = 40
MAX_AMOUNT = 2**63 - 1
_BARE_NUMBER_UNIT = AmountUnit({"": 1}, ("", ""))


class Limit(Struct, frozen=True):
    """A limit on a quantity of a model, or on its output shape.

    `what` is the name of the quantity; `amount` is in its unit, parameters or bytes. For
    "output_shape" it is a shape, or one for each output. `amount_text` is the amount as it is
    written, if not in plain digits. `layers` is the name or the pattern of the layers that count:
    together, or each by itself with `each`. Without it, the whole model counts.
    """

    what: str
    rule: LimitRule
    amount: object
    amount_text: str | None = None
    layers: str | None = None
    each: bool = False
    place: Place | None = None
    layers_place: Place | None = None

    def allows(self, value: object) -> bool:
        """Whether a value keeps to the limit."""
        if isinstance(value, int) and isinstance(self.amount, int):
            if self.rule == "max":
                return value <= self.amount
            if self.rule == "min":
                return value >= self.amount
        return value == self.amount


class AllowedIncrease(Struct, frozen=True):
    """The most parameters that a model may have more than before: a number, or per cent."""

    amount_text: str
    amount: Fraction
    is_percent: bool

    def allowed_params(self, params: int) -> int:
        """The parameters that a model of `params` may gain."""
        return math.floor(self.amount * params / 100 if self.is_percent else self.amount)


class AmountError(ValueError):
    """A value that is no amount; the message says why."""


def parse_increase(text: str) -> AllowedIncrease:
    """The increase that a text allows: `5%`, `100k`.

    Raises:
        AmountError: the text is no amount, or a bare number, which could mean either.
    """
    text = text.strip()
    examples = "5%, 0.5% or 100k"
    if text.endswith("%"):
        return AllowedIncrease(
            text, parse_amount(text[:-1], _BARE_NUMBER_UNIT, examples), is_percent=True
        )
    number = parse_amount(text, PARAM_UNIT, examples)
    if number and not text[-1].isalpha():
        raise AmountError(f"'{text}' could be parameters or per cent: say {text}params or {text}%")
    return AllowedIncrease(text, number, is_percent=False)


def parse_amount(
    value: object, unit: AmountUnit, examples: str, what: str = "a limit must be"
) -> Fraction:
    """The number that a value means in a unit; a complaint about it begins with `what`.

    Raises:
        AmountError: the value is no amount.
    """
    from fractions import Fraction  # 3 ms, for files and flags that set a limit
    from numbers import Real  # NumPy's are such, too

    text = f"{value:f}" if isinstance(value, float) else str(value).strip()
    is_written = isinstance(value, str | Real) and not isinstance(value, bool)
    if is_written and re.match(r"-\s*[0-9.]", text):
        raise AmountError(f"a limit must be at least 0, not {describe_value(value)}")
    is_short = is_written and len(text) <= _MAX_AMOUNT_CHARS
    parts = re.fullmatch(_AMOUNT_PATTERN, text) if is_short else None
    if not parts or parts[3].lower() not in unit.factors:
        hint = _unit_hint(text, parts[3], unit) if parts else _sign_hint(text)
        raise AmountError(f"{what} a number such as {examples}, not {describe_value(value)}{hint}")
    digits = re.sub("[_,]", "", parts[1])
    number: Fraction = Fraction(digits) * 10 ** int(parts[2] or 0) * unit.factors[parts[3].lower()]
    if number > MAX_AMOUNT:
        raise AmountError(f"{describe_value(value)} is too large; use at most {MAX_AMOUNT:,}")
    return number


def _sign_hint(text: str) -> str:
    """The end of a complaint about a limit with a sign, `<10k`, '' if it has none."""
    limit = re.fullmatch(r"(?:<=?|≤)\s*(\S+)", text)
    return f"; write {limit[1]}" if limit else ""


def _unit_hint(text: str, suffix: str, unit: AmountUnit) -> str:
    """The end of a complaint about the suffix of another unit, '' if it is none."""
    if unit is PARAM_UNIT and suffix.lower() in BYTE_UNIT.factors:
        return f"; '{suffix}' counts bytes"
    if unit is BYTE_UNIT and suffix.lower() in PARAM_UNIT.factors:
        return f"; did you mean '{text}B' or '{text}iB'?"
    return ""
