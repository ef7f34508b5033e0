"""Which rows of a sweep are wanted, and in which order: `params<5M and width>=64`, `-size`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from heapq import nlargest, nsmallest
from typing import Any

from msgspec import Struct

from dense_calc.errors import Source, SpecError, did_you_mean
from dense_calc.limits import PARAM_UNIT, AmountError, AmountUnit, parse_amount
from dense_calc.quantities import QUANTITIES
from dense_calc.settings.apply import parse_option_value
from dense_calc.settings.variants import VariantRow

# what rows are asked for → their key, and the unit of its amounts, None for yes and no
_ROW_QUANTITIES: Mapping[str, tuple[str, AmountUnit | None]] = {
    **{name: (quantity.total, quantity.unit) for name, quantity in QUANTITIES.items()},
    "change": ("change", PARAM_UNIT),
    "within_budget": ("within_budget", None),
}
_COMPARISON_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_COMPARISON_PATTERN = f"({'|'.join(_COMPARISON_OPERATORS)})"
_AND_PATTERN = r"(?i)(?<!\s)\s+and\b"  # looked for once in each run of blanks
_EQUALITY_OPERATORS = (operator.eq, operator.ne)
_BOOLEAN_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_DESCENDING_PREFIX = "-"  # before what rows are sorted by: the largest first


class _RowCondition(Struct, frozen=True):
    """What a value of a row must be."""

    name: str
    compare: Callable[[Any, Any], bool]
    expected: Any

    def is_met_by(self, row: VariantRow) -> bool:
        """Whether it holds for a row; it does not where that has no such value."""
        value = _row_value(row, self.name)
        if isinstance(value, tuple):
            value = list(value)
        if self.compare in _EQUALITY_OPERATORS:
            return value is not None and self.compare(value, self.expected)
        return isinstance(value, int | float) and self.compare(value, self.expected)


def _parse_conditions(text: str, settings: Collection[str]) -> Iterator[_RowCondition]:
    """The conditions that a text puts on rows with these settings, all of which must hold.

    Raises:
        SpecError: it is none.
    """
    for part in re.split(_AND_PATTERN, text.strip()):
        if part.strip() == "within_budget":
            yield _RowCondition("within_budget", operator.eq, True)
            continue
        name, sign, value = map(
            str.strip, (*re.split(_COMPARISON_PATTERN, part, maxsplit=1), "", "")[:3]
        )
        if not (name and value):
            raise SpecError(f"'{part.strip()}' is no condition; write one like 'params<5M'")
        _demand_row_field(name, settings)
        compare = _COMPARISON_OPERATORS[sign]
        yield _RowCondition(
            name,
            compare,
            _parse_expected_value(
                name, value, settings, is_order=compare not in _EQUALITY_OPERATORS
            ),
        )


def _parse_expected_value(
    name: str, text: str, settings: Collection[str], *, is_order: bool
) -> Any:
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
    sign, number = (-1, text[1:]) if text.startswith("-") else (1, text)
    try:
        return sign * parse_amount(
            number, unit, " or ".join(unit.examples), f"'{name}' is compared with"
        )
    except AmountError as error:
        raise SpecError(str(error)) from None


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
    wanted = [each for text in where for each in _parse_conditions(text, settings)]
    backwards = by is not None and by.startswith(_DESCENDING_PREFIX) and by not in settings
    name = by[1:] if by and backwards else by
    if name is not None:
        _demand_row_field(name, settings)

    def key(row: VariantRow) -> tuple[bool, Any]:
        value = _row_value(row, str(name))
        return (value is None) != backwards, _value_sort_key(value)

    def pick(rows: Iterable[VariantRow]) -> Iterable[VariantRow]:
        some = (row for row in rows if all(each.is_met_by(row) for each in wanted))
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
