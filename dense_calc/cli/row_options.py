"""`sweep --where "params<5M and width>=64" --sort -size`: which rows are wanted, in which order."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import nlargest, nsmallest
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from dense_calc.errors import Source, SpecError, did_you_mean
from dense_calc.limits import PARAM_UNIT, AmountError, AmountUnit, parse_amount
from dense_calc.quantities import QUANTITIES
from dense_calc.settings.values import parse_option_value
from dense_calc.settings.variants import VariantRow

# what rows are asked for → their key, and the unit of its amounts, None for yes and no
_ROW_QUANTITIES: Mapping[str, tuple[str, AmountUnit | None]] = {
    **{name: (quantity.total, quantity.unit) for name, quantity in QUANTITIES.items()},
    "change": ("change", PARAM_UNIT),
    "within_budget": ("within_budget", None),
}
_COMPARISON_OPERATORS = {"<=": le, ">=": ge, "==": eq, "!=": ne, "<": lt, ">": gt, "=": eq}
_COMPARISON_PATTERN = f"({'|'.join(_COMPARISON_OPERATORS)})"
_AND_PATTERN = r"(?i)(?<!\s)\s+and\b"  # looked for once in each run of blanks
_BOOLEAN_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_DESCENDING_PREFIX = "-"  # before what rows are sorted by: the largest first


def _parse_condition(text: str, settings: Collection[str]) -> Callable[[VariantRow], bool]:
    """Whether a condition holds for a row with these settings; it does not without its value.

    Raises:
        SpecError: the text is no condition.
    """
    whole = "within_budget=true" if text.strip() == "within_budget" else text
    parts = list(map(str.strip, re.split(_COMPARISON_PATTERN, whole, maxsplit=1)))
    if len(parts) == 1 or not all(parts):
        raise SpecError(f"'{text.strip()}' is not a condition; write one such as 'params<5M'")
    name, sign, amount = parts
    _demand_row_field(name, settings)
    compare = _COMPARISON_OPERATORS[sign]
    is_order = compare not in (eq, ne)
    expected = _parse_expected(name, amount, settings, is_order=is_order)

    def holds(row: VariantRow) -> bool:
        value = _row_value(row, name)
        has_value = isinstance(value, int | float) if is_order else value is not None
        return has_value and compare(value, expected)

    return holds


def _parse_expected(name: str, text: str, settings: Collection[str], *, is_order: bool) -> Any:
    """The value that rows are compared with, a number where it is `is_order` that counts.

    Raises:
        SpecError: it is none.
    """
    if name in settings:
        value = parse_option_value(Source(f"--where {name}", text)).plain_value()
        if is_order and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise SpecError(f"'{name}' is compared with a number, not '{text}'")
        return value
    _, unit = _ROW_QUANTITIES[name]
    if unit is None:
        if is_order or text.lower() not in _BOOLEAN_WORDS:
            raise SpecError(f"'{name}' is yes or no; write {name} or {name}=no")
        return _BOOLEAN_WORDS[text.lower()]
    number, examples = text.removeprefix("-"), " or ".join(unit.examples)
    try:
        amount = parse_amount(number, unit, examples, f"'{name}' is compared with")
    except AmountError as error:
        raise SpecError(str(error)) from None
    return amount if number == text else -amount


def _demand_row_field(name: str, settings: Collection[str]) -> None:
    """Raise SpecError unless rows have a value of this name."""
    if name not in settings and name not in _ROW_QUANTITIES:
        raise SpecError(f"rows have no '{name}'{did_you_mean(name, (*settings, *_ROW_QUANTITIES))}")


def _row_value(row: VariantRow, name: str) -> Any:
    """The setting, or what the model comes to, that a row has by this name; None for none."""
    return row["set"][name] if name in row["set"] else row.get(_ROW_QUANTITIES[name][0])


def build_row_selector(
    where: Iterable[str], by: str | None, top: int | None, settings: Collection[str]
) -> Callable[[Iterable[VariantRow]], Iterable[VariantRow]]:
    """What takes from rows with these settings those for which all conditions hold.

    Sorted by a setting or by what the models come to; what has no such value comes last.

    Raises:
        SpecError: a condition is none, or rows have nothing of this name.
    """
    parts = (part for text in where for part in re.split(_AND_PATTERN, text.strip()))
    wanted = [_parse_condition(part, settings) for part in parts]
    name = by if by is None or by in settings else by.removeprefix(_DESCENDING_PREFIX)
    backwards = name != by
    if name is not None:
        _demand_row_field(name, settings)

    def key(row: VariantRow) -> tuple[bool, Any]:
        value = _row_value(row, str(name))
        return (value is None) != backwards, _value_sort_key(value)

    def pick(rows: Iterable[VariantRow]) -> Iterable[VariantRow]:
        some = (row for row in rows if all(holds(row) for holds in wanted))
        if name is None:
            return some
        if top is None:
            return sorted(some, key=key, reverse=backwards)
        return (nlargest if backwards else nsmallest)(top, some, key)

    return pick


def _value_sort_key(value: Any) -> tuple[int, Any]:
    """What values of any kind are compared by: numbers first, then words, then lists."""
    if isinstance(value, list | tuple):
        return 2, list(map(_value_sort_key, value))
    if isinstance(value, str):
        return 1, value
    return 0, 0 if value is None else value
