"""The values that a setting takes one after the other: `32,64,128`, `2:12:2`, `relu,gelu`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

from dense_calc.errors import Source, SpecError
from dense_calc.spec.document import Marked, document, resolved

Values = Sequence[Any]

RANGE = r"[^:]*:[^:]*(:[^:]*)?"  # first:last or first:last:step
MOST = 100_000_000  # values that a setting may take


def values_of(name: str, given: Any) -> Values:
    """The values that are given to a setting: as a text, or already as a list or a single one.

    A text is a list of values and ranges, which include their last value.

    Raises:
        SpecError: the text is none.
    """
    if not isinstance(given, str):
        return given if isinstance(given, Sequence) else (given,)
    source = Source(f"--set {name}", f"[{given}]")  # as YAML has a list
    items = document(source).value
    if not isinstance(items, list) or not items:
        raise SpecError(f"'{name}' has no values; write {name}=32,64 or {name}=32:128:32")
    found = [item_values(item) for item in items]
    if sum(map(len, found)) > MOST:
        raise SpecError(f"'{name}' has more than {MOST:,} values")
    return found[0] if len(found) == 1 else tuple(chain.from_iterable(found))


def item_values(item: Marked) -> Values:
    """The values of one item of a list: a range has several."""
    if isinstance(item.value, str) and re.fullmatch(RANGE, item.value):
        return range_of(item)
    return (item.plain(),)


def range_of(item: Marked) -> Values:
    """The numbers from the first to the last, which is one of them if the steps meet it.

    Raises:
        SpecError: an end or the step is no number, or there is no number in it.
    """
    numbers = [resolved(text.strip()) if text.strip() else None for text in item.value.split(":")]
    if not all(type(number) in (int, float) for number in numbers):
        raise SpecError(f"a range is first:last or first:last:step, not {item.value}", item)
    first, last, step = (Fraction(str(number)) for number in (*numbers, 1)[:3])
    if not step:
        raise SpecError("the step of a range cannot be 0", item)
    count = (last - first) // step + 1
    if count < 1:
        back = f"{item.value.rpartition(':')[0] if len(numbers) > 2 else item.value}:{-step}"
        raise SpecError(f"there is nothing in the range {item.value}; to count down: {back}", item)
    if count > MOST:
        raise SpecError(f"a range may have at most {MOST:,} values", item)
    if all(type(number) is int for number in numbers):
        return range(int(first), int(first + count * step), int(step))
    return tuple(float(first + step * number) for number in range(count))
