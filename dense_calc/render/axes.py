"""What the axes of a chart and of a plot have in common: the order of values, and their text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct

from dense_calc.errors import printable

Points = Sequence[tuple[tuple[Any, ...], int]]  # values of the variables, and parameters
Cells = Mapping[tuple[int, int], int]  # column and row, and parameters

PICTURES = (".svg", ".png", ".pdf")  # how files of them end
UNITS = {"T": 10**12, "B": 10**9, "M": 10**6, "k": 10**3}  # as in budgets
SPANS = 5  # most of them between the ticks of an axis
WIDE = 100  # counts that differ by this factor have a logarithmic scale of colours
FINITE = 1e300  # numbers beyond it have no place on a line
WORDS = {None: "null", True: "true", False: "false"}


class Axis(Struct, frozen=True):
    """The distinct values of a variable: numbers by their size, anything else as it comes."""

    name: str
    values: tuple[Any, ...]
    is_numeric: bool

    @property
    def texts(self) -> list[str]:
        """The values as a spec has them."""
        return list(map(value_text, self.values))

    @property
    def places(self) -> list[float]:
        """Where each value stands, from 0 to 1: words in the middle of equal parts."""
        if not self.is_numeric or len(self.values) == 1:
            return [(index + 0.5) / len(self.values) for index in range(len(self.values))]
        low, high = self.values[0], self.values[-1]
        return [(value - low) / (high - low) for value in self.values]

    def key(self, value: Any) -> Any:
        """What stands for a value among `values`: words may be lists, which have no hash."""
        return value if self.is_numeric else value_text(value)


def axes(names: Sequence[str], points: Points) -> list[Axis]:
    """The axis of each variable."""
    return [axis(name, [values[at] for values, _ in points]) for at, name in enumerate(names)]


def axis(name: str, values: Sequence[Any]) -> Axis:
    """The axis of a variable that takes these values."""
    if all(map(is_number, values)):
        return Axis(name, tuple(sorted(set(values))), True)
    return Axis(name, tuple(dict.fromkeys(map(value_text, values))), False)


def is_number(value: Any) -> bool:
    """Whether a value has a place on a line: no truth value, no infinity."""
    return isinstance(value, int | float) and type(value) is not bool and abs(value) < FINITE


def counts_along(along: Axis, points: Points) -> list[int]:
    """The counts of one variable's values, in their order."""
    counts = {along.key(value): total for (value,), total in points}
    return [counts[value] for value in along.values]


def counts_over(across: Axis, up: Axis, points: Points) -> Cells:
    """The counts of two variables' values, by their places in the order of each axis."""
    columns = {value: index for index, value in enumerate(across.values)}
    rows = {value: index for index, value in enumerate(up.values)}
    return {(columns[across.key(x)], rows[up.key(y)]): total for (x, y), total in points}


def value_text(value: Any) -> str:
    """A value as a spec has it, on one line; a float without the noise of its last digits."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    if value is None or isinstance(value, bool):
        return WORDS[value]
    return f"{value:.12g}" if isinstance(value, float) else printable(str(value))


def human(total: int) -> str:
    """A count in a unit of people if that is exact in two decimals, else in all its digits."""
    for unit, size in UNITS.items():
        if total >= size and total * 100 % size == 0:
            whole, hundredths = divmod(total * 100 // size, 100)
            return f"{whole:,}.{hundredths:02}".rstrip("0").rstrip(".") + unit
        if total >= size:
            break
    return f"{total:,}"


def ticks(low: int, high: int) -> list[int]:
    """Round counts, the first not above `low` and the last not below `high`."""
    if low == high:
        low, high = 0, high or 1  # a level line is drawn above zero
    step = next(step for step in steps() if -(-high // step) - low // step <= SPANS)
    return list(range(low // step * step, high + step, step))


def steps() -> Iterator[int]:
    """What ticks may be apart: 1, 2, 5, 10, 20, ..."""
    return (lead * 10**power for power in count() for lead in (1, 2, 5))


def is_wide(totals: Iterable[int]) -> bool:
    """Whether counts differ so much that only a logarithmic scale tells the small ones apart."""
    low, high = min(totals), max(totals)
    return 0 < low * WIDE <= high
