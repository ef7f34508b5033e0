"""Floats that are quotients of integers: they are rounded and compared exactly, as integers are.

Where the dividend is below 2**52, the float nearest to the quotient is on the same side of each
whole and each half number as the quotient: those are further from it than the nearest float.
"""

from __future__ import annotations

import math
from typing import Any

from dense_calc.symbolic.state import is_symbolic

_MAX_DIVIDEND = 2**52


def note_quotient(result: Any, name: str, one: Any, other: Any) -> Any:
    """The result of an operation; it is noted if it is a quotient of integers, as 0.75 × one is."""
    if name == "*" and type(one) is float:
        one, other = other, one
    if name == "*" and type(other) is float and math.isfinite(other) and isinstance(one, int):
        dividend, other = other.as_integer_ratio()
        one, name = one * dividend, "/"
    if name == "/" and isinstance(one, int) and isinstance(other, int):
        (monomial,) = result.polynomial
        result.log.quotients[monomial] = one, other
    return result


def find_quotient(number: Any) -> tuple[Any, Any] | None:
    """The integers of which a float is the quotient, the second above 0; None of other numbers."""
    if not is_symbolic(number) or type(number.value) is not float:
        return None
    pair = number.log.quotients.get(next(iter(number.polynomial)))
    if pair is None or abs(getattr(pair[0], "value", pair[0])) >= _MAX_DIVIDEND:
        return None
    dividend, divisor = pair
    if divisor < 0:
        dividend, divisor = -dividend, -divisor
    is_exact = -_MAX_DIVIDEND < dividend < _MAX_DIVIDEND  # as is recorded
    return (dividend, divisor) if is_exact else None


def clear_divisor(one: Any, other: Any) -> tuple[Any, Any] | None:
    """Two integers that compare as a quotient and an integer do; None of any other numbers."""
    if isinstance(other, int) and (quotient := find_quotient(one)):
        return quotient[0], other * quotient[1]
    if isinstance(one, int) and (quotient := find_quotient(other)):
        return one * quotient[1], quotient[0]
    return None


def round_quotient(name: str, dividend: Any, divisor: Any) -> Any:
    """The floor, the ceiling, the whole part or the nearest integer of a quotient."""
    if name == "round":  # to the even one of two
        nearest, rest = divmod(2 * dividend + divisor, 2 * divisor)
        is_half = divisor % 2 == 0 and rest == 0
        return nearest - 1 if is_half and nearest % 2 == 1 else nearest
    if name == "floor" or (name == "trunc" and dividend >= 0):
        return dividend // divisor
    return -(-dividend // divisor)
