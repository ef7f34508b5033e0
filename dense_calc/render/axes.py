"""The axes of charts and plots: the order of values, their text, and round numbers as ticks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct

from dense_calc.errors import escape_unprintable

SweepPoints = Sequence[tuple[tuple[Any, ...], int]]  # the variables' values and the parameters
CellCounts = Mapping[tuple[int, int], int]  # column and row → parameters

PICTURE_SUFFIXES = (".svg", ".png", ".pdf")
_HUMAN_UNITS = {"T": 10**12, "B": 10**9, "M": 10**6, "k": 10**3}  # as in budgets
_MAX_TICK_SPANS = 5
_LOG_SCALE_FACTOR = 100  # counts that differ by this factor get a logarithmic scale of colours
_MAX_AXIS_NUMBER = 1e300  # arithmetic with numbers beyond it would overflow
_SPEC_LITERALS = {None: "null", True: "true", False: "false"}


class VariableAxis(Struct, frozen=True):
    """The distinct values of a variable: numbers sorted, anything else in the order of the rows."""

    name: str
    values: tuple[Any, ...]
    is_numeric: bool

    @property
    def value_texts(self) -> list[str]:
        """The values as people read them."""
        return list(map(shown_value_text, self.values))

    @property
    def positions(self) -> list[float]:
        """The place of each value, from 0 to 1: words in the middle of equal parts."""
        if not self.is_numeric or len(self.values) == 1:
            return [(index + 0.5) / len(self.values) for index in range(len(self.values))]
        low, high = self.values[0], self.values[-1]
        return [(value - low) / (high - low) for value in self.values]

    def value_key(self, value: Any) -> Any:
        """The item of `values` for a value: its text if it is no number, as lists have no hash."""
        return value if self.is_numeric else spec_value_text(value)


def build_axes(names: Sequence[str], points: SweepPoints) -> list[VariableAxis]:
    """The axis of each variable."""
    return [
        _build_axis(name, [values[index] for values, _ in points])
        for index, name in enumerate(names)
    ]


def _build_axis(name: str, values: Sequence[Any]) -> VariableAxis:
    """The axis of a variable with these values."""
    if all(map(_is_axis_number, values)):
        return VariableAxis(name, tuple(sorted(set(values))), True)
    return VariableAxis(name, tuple(dict.fromkeys(map(spec_value_text, values))), False)


def _is_axis_number(value: Any) -> bool:
    """Whether a value can be placed on a line of numbers: no truth value, no infinity."""
    return (
        isinstance(value, int | float) and type(value) is not bool and abs(value) < _MAX_AXIS_NUMBER
    )


def counts_by_value(axis: VariableAxis, points: SweepPoints) -> list[int]:
    """The counts for one variable, in the order of its axis."""
    counts = {axis.value_key(value): total for (value,), total in points}
    return [counts[value] for value in axis.values]


def counts_by_cell(across: VariableAxis, up: VariableAxis, points: SweepPoints) -> CellCounts:
    """The counts for two variables, by the places of their values on each axis."""
    columns = {value: index for index, value in enumerate(across.values)}
    rows = {value: index for index, value in enumerate(up.values)}
    return {
        (columns[across.value_key(x)], rows[up.value_key(y)]): total for (x, y), total in points
    }


def _short_literal(value: Any) -> str:
    """A value that is no text and no list, a float without the noise of its last digits."""
    if value is None or isinstance(value, bool):
        return _SPEC_LITERALS[value]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def shown_value_text(value: Any) -> str:
    """A value as people read it: as a spec writes it, but a whole number with separators."""
    return f"{value:,}" if type(value) is int else spec_value_text(value)


def spec_value_text(value: Any, literal: Callable[[Any], str] = _short_literal) -> str:
    """A value as a spec writes it, on one line; `literal` writes what is no text and no list."""
    if isinstance(value, str):
        return escape_unprintable(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(spec_value_text(item, literal) for item in value)}]"
    return escape_unprintable(literal(value))


def human_count(total: int) -> str:
    """A count in k, M, B or T if that is exact with two decimals, else with all its digits."""
    for unit, size in _HUMAN_UNITS.items():
        if total >= size and total * 100 % size == 0:
            whole, hundredths = divmod(total * 100 // size, 100)
            return f"{whole:,}.{hundredths:02}".rstrip("0").rstrip(".") + unit
        if total >= size:
            break
    return f"{total:,}"


def count_ticks(low: int, high: int) -> list[int]:
    """Round counts, the first not above `low` and the last not below `high`."""
    if low == high:
        low, high = 0, high or 1  # equal counts are drawn above zero
    step = next(step for step in _tick_steps() if -(-high // step) - low // step <= _MAX_TICK_SPANS)
    return list(range(low // step * step, high + step, step))


def _tick_steps() -> Iterator[int]:
    """The distances that ticks may have: 1, 2, 5, 10, 20, ..."""
    return (lead * 10**power for power in count() for lead in (1, 2, 5))


def needs_log_scale(totals: Iterable[int]) -> bool:
    """Whether counts differ so much that only a logarithmic scale shows the small ones."""
    low, high = min(totals), max(totals)
    return 0 < low * _LOG_SCALE_FACTOR <= high
