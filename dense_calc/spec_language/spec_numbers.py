"""The numbers of a spec, and the error of an expression that has none for its value."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

Number = int | float


class ExpressionError(Exception):
    """An expression without a value; the message says why."""


def is_number(value: object) -> TypeGuard[Number]:
    """Whether this is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def has_finite_numbers(value: Any) -> bool:
    """Whether all numbers in a value are finite."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return all(map(has_finite_numbers, value))
    return not isinstance(value, float) or math.isfinite(value)
