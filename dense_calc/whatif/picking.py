"""Which rows of a sweep are wanted, and in which order: `params<5M and width>=64`, `-size`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.limits import COUNTS, SIZES, TOTALS, AmountError, Units, amount
from dense_calc.spec.document import resolved
from dense_calc.variants import Row
from dense_calc.whatif.shelf import arranged

# what rows are asked for → their key, and the units of its amounts
MEASURES: Mapping[str, tuple[str, Units]] = {
    "params": (TOTALS["params"], COUNTS),
    "trainable": (TOTALS["trainable"], COUNTS),
    "non_trainable": ("non_trainable_params", COUNTS),
    "size": (TOTALS["size"], SIZES),
    "change": ("change", COUNTS),
    "within_budget": ("within_budget", {}),
}
EXAMPLES = {"size": "20MiB or 80MB"}
OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
CONDITION = rf"\s*(.+?)\s*({'|'.join(OPERATORS)})\s*(.+?)\s*"
BACKWARDS = "-"  # before what rows are sorted by: the largest first


class Condition(Struct, frozen=True):
    """What a value of a row must be."""

    name: str
    compare: Callable[[Any, Any], bool]
    wanted: Any

    def holds(self, row: Row) -> bool:
        """Whether it holds for a row; it does not where that has no such value."""
        value = value_in(row, self.name)
        if value is None or (isinstance(value, str) != isinstance(self.wanted, str)):
            return self.compare is operator.ne and value is not None
        try:
            return self.compare(value, self.wanted)
        except TypeError:  # lists have no order among numbers
            return False


def conditions(text: str, settings: Collection[str]) -> Iterator[Condition]:
    """The conditions that a text puts on rows with these settings, all of which must hold.

    Raises:
        SpecError: it is none.
    """
    for part in re.split(r"\s+and\s+", text.strip()):
        if part == "within_budget":
            yield Condition(part, operator.eq, True)
            continue
        found = re.fullmatch(CONDITION, part)
        if not found:
            raise SpecError(f"'{part}' is no condition; write one like 'params<5M'")
        name, sign, value = found.groups()
        demand_known(name, settings)
        yield Condition(name, OPERATORS[sign], wanted(name, value, settings))


def wanted(name: str, text: str, settings: Collection[str]) -> Any:
    """The value that rows are compared with.

    Raises:
        SpecError: it is none.
    """
    if name in settings:
        return resolved(text)
    _, units = MEASURES[name]
    if not units:
        return resolved(text)
    sign, number = (-1, text[1:]) if text.startswith("-") else (1, text)
    try:
        return sign * amount(number, units, EXAMPLES.get(name, "100k or 5M"))
    except AmountError as error:
        raise SpecError(str(error).replace("a limit is", f"'{name}' is compared with")) from None


def demand_known(name: str, settings: Collection[str]) -> None:
    """Raise SpecError unless rows have a value of this name."""
    if name not in settings and name not in MEASURES:
        raise SpecError(f"rows have no '{name}'{did_you_mean(name, (*settings, *MEASURES))}")


def value_in(row: Row, name: str) -> Any:
    """The setting, or what the model comes to, that a row has by this name; None for none."""
    return row["set"][name] if name in row["set"] else row.get(MEASURES[name][0])


def in_order(
    rows: Iterable[Row], by: str, settings: Collection[str], top: int | None
) -> Iterable[Row]:
    """The rows sorted by a setting or by what the models come to; what has no value comes last.

    Raises:
        SpecError: rows have no such value.
    """
    backwards = by.startswith(BACKWARDS) and by not in settings
    name = by[1:] if backwards else by
    demand_known(name, settings)

    def key(row: Row) -> tuple[bool, bool, Any]:
        value = value_in(row, name)
        if isinstance(value, list | tuple):
            value = str(value)
        return (value is None) != backwards, isinstance(value, str), 0 if value is None else value

    return arranged(rows, key, backwards, top)
