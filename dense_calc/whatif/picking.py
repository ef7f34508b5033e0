"""Which rows of a sweep are wanted, and in which order: `params<5M and width>=64`, `-size`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from dense_calc.errors import Source, SpecError, did_you_mean
from dense_calc.limits import PARAMETERS, AmountError, Unit, amount
from dense_calc.quantities import QUANTITIES
from dense_calc.settings.apply import meant
from dense_calc.settings.variants import Row
from dense_calc.whatif.shelf import arranged

# what rows are asked for → their key, and the unit of its amounts, None for yes and no
MEASURES: Mapping[str, tuple[str, Unit | None]] = {
    **{name: (quantity.total, quantity.unit) for name, quantity in QUANTITIES.items()},
    "change": ("change", PARAMETERS),
    "within_budget": ("within_budget", None),
}
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
SIGN = f"({'|'.join(OPERATORS)})"
AND = r"(?i)(?<!\s)\s+and\b"  # looked for once in each run of blanks
SAME = (operator.eq, operator.ne)
TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
BACKWARDS = "-"  # before what rows are sorted by: the largest first


class Condition(Struct, frozen=True):
    """What a value of a row must be."""

    name: str
    compare: Callable[[Any, Any], bool]
    wanted: Any

    def holds(self, row: Row) -> bool:
        """Whether it holds for a row; it does not where that has no such value."""
        value = value_in(row, self.name)
        if isinstance(value, tuple):
            value = list(value)
        if self.compare in SAME:
            return value is not None and self.compare(value, self.wanted)
        return isinstance(value, int | float) and self.compare(value, self.wanted)


def conditions(text: str, settings: Collection[str]) -> Iterator[Condition]:
    """The conditions that a text puts on rows with these settings, all of which must hold.

    Raises:
        SpecError: it is none.
    """
    for part in re.split(AND, text.strip()):
        if part.strip() == "within_budget":
            yield Condition("within_budget", operator.eq, True)
            continue
        name, sign, value = map(str.strip, (*re.split(SIGN, part, maxsplit=1), "", "")[:3])
        if not (name and value):
            raise SpecError(f"'{part.strip()}' is no condition; write one like 'params<5M'")
        demand_known(name, settings)
        compare = OPERATORS[sign]
        yield Condition(name, compare, wanted(name, value, settings, is_order=compare not in SAME))


def wanted(name: str, text: str, settings: Collection[str], *, is_order: bool) -> Any:
    """The value that rows are compared with, a number where it is `is_order` that counts.

    Raises:
        SpecError: it is none.
    """
    if name in settings:
        value = meant(Source(f"--where {name}", text)).plain()
        if is_order and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise SpecError(f"'{name}' is compared with a number, not '{text}'")
        return value
    _, unit = MEASURES[name]
    if unit is None:
        if is_order or text.lower() not in TRUTHS:
            raise SpecError(f"'{name}' is yes or no; write {name} or {name}=no")
        return TRUTHS[text.lower()]
    sign, number = (-1, text[1:]) if text.startswith("-") else (1, text)
    try:
        return sign * amount(number, unit, " or ".join(unit.examples), f"'{name}' is compared with")
    except AmountError as error:
        raise SpecError(str(error)) from None


def demand_known(name: str, settings: Collection[str]) -> None:
    """Raise SpecError unless rows have a value of this name."""
    if name not in settings and name not in MEASURES:
        raise SpecError(f"rows have no '{name}'{did_you_mean(name, (*settings, *MEASURES))}")


def value_in(row: Row, name: str) -> Any:
    """The setting, or what the model comes to, that a row has by this name; None for none."""
    return row["set"][name] if name in row["set"] else row.get(MEASURES[name][0])


def picked(
    where: Iterable[str], by: str | None, top: int | None, settings: Collection[str]
) -> Callable[[Iterable[Row]], Iterable[Row]]:
    """What takes from rows with these settings those for which all conditions hold.

    Sorted by a setting or by what the models come to; what has no such value comes last.

    Raises:
        SpecError: a condition is none, or rows have nothing of this name.
    """
    wanted = [each for text in where for each in conditions(text, settings)]
    backwards = by is not None and by.startswith(BACKWARDS) and by not in settings
    name = by[1:] if by and backwards else by
    if name is not None:
        demand_known(name, settings)

    def key(row: Row) -> tuple[bool, Any]:
        value = value_in(row, str(name))
        return (value is None) != backwards, rank(value)

    def pick(rows: Iterable[Row]) -> Iterable[Row]:
        some = (row for row in rows if all(each.holds(row) for each in wanted))
        return some if name is None else arranged(some, key, backwards, top)

    return pick


def rank(value: Any) -> tuple[int, Any]:
    """What values of any kind are compared by: numbers first, then words, then lists."""
    if isinstance(value, list | tuple):
        return 2, list(map(rank, value))
    if isinstance(value, str):
        return 1, value
    return 0, 0 if value is None else value
