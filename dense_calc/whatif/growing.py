"""The growth of a model's parameters with vars, arguments and sizes of the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.result import JsonResult
from dense_calc.settings.variants import NO_SETTINGS, ModelVariants, Settings
from dense_calc.symbolic.count_polynomials import Point
from dense_calc.whatif.explain_in_vars import express_growth
from dense_calc.whatif.find_growth import Growth, GrowthExpressions, NoModelError, find_growth
from dense_calc.whatif.pieces import ModelFormulas, Piece
from dense_calc.whatif.stages import StageWatcher, watch_nothing
from dense_calc.whatif.variables import (
    MAX_BOUND,
    empty_range_error,
    file_values,
    non_integer_error,
)

GrowthPart = Literal["layer", "block"]

_SPAN_FACTOR = 4  # a range goes up to the value in the file times this, and to a power of two
_MIN_SPAN = 64


class GrowthResult(JsonResult, Struct, frozen=True):
    """How the parameters of a model grow with its variables.

    `total_params` is the count with the values of the file, None if they make no model. The
    `growth` has the variables in the order of their names.
    """

    name: str
    variables: tuple[str, ...]
    total_params: int | None
    growth: Growth
    expressions: GrowthExpressions

    def __repr__(self) -> str:
        return f"<GrowthResult {self.name!r}: {', '.join(self.variables)}>"


def measure_growth(
    models: ModelVariants,
    vary: Sequence[str],
    lows: Mapping[str, int],
    highs: Mapping[str, int],
    *,
    by: GrowthPart | None = None,
    settings: Settings = NO_SETTINGS,
    watch: StageWatcher = watch_nothing,
) -> GrowthResult:
    """The growth of a model's parameters with these variables, between these bounds.

    `by` asks for the count of each layer or each block, too.

    Raises:
        DenseCalcError: a variable cannot vary, or no values between the bounds make a model.
    """
    values = file_values(models, vary, settings, (lows, highs))
    ranges, start = _ranges_and_start(values, lows, highs)
    formulas = ModelFormulas(models, vary, settings, with_verdicts=False)
    total, growth = _find_growth(formulas, ranges, start, watch)
    expressions = express_growth(formulas.piece_at(start), by)
    return GrowthResult(models.name, tuple(vary), total, growth, expressions)


def _ranges_and_start(
    values: Mapping[str, Any], lows: Mapping[str, int], highs: Mapping[str, int]
) -> tuple[list[range], Point]:
    """The ranges of variables with these values in the file, and the point to start from.

    Raises:
        DenseCalcError: a value is not a whole number, or a range is empty.
    """
    integers = {name: _file_integer(name, value) for name, value in values.items()}
    ranges = [
        _variable_range(name, value, lows.get(name), highs.get(name))
        for name, value in integers.items()
    ]
    pairs = zip(integers.values(), ranges, strict=True)
    return ranges, tuple(each[0] if value is None else value for value, each in pairs)


def _file_integer(name: str, value: object) -> int | None:
    """The value of a variable in the file, None if it has no single value there.

    Raises:
        DenseCalcError: the value is not a whole number.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise non_integer_error(name, value)


def _variable_range(name: str, value: int | None, low: int | None, high: int | None) -> range:
    """The range of a variable; by default from 1 to some four times its `value` in the file.

    Raises:
        DenseCalcError: the range is empty.
    """
    if low is None:
        low = 1 if value is None else min(1, value)
    if high is None:
        limit = _SPAN_FACTOR * max(low, low if value is None else value)
        high = min(MAX_BOUND, max(_MIN_SPAN, 1 << (max(limit, 1) - 1).bit_length()))
    if low > high:
        raise empty_range_error(name, low, high)
    return range(low, high + 1)


def _find_growth(
    formulas: ModelFormulas, ranges: list[range], start: Point, watch: StageWatcher
) -> tuple[int | None, Growth]:
    """The count at `start`, and the growth of the count over the ranges.

    Raises:
        DenseCalcError: no values in the ranges make a model.
    """
    advance = watch(None, "values tried")

    def piece_at(point: Point) -> Piece:
        advance(1)
        return formulas.piece_at(point)

    def counts(points: Iterable[Point]) -> Iterator[int | None]:
        return (row.get("total_params") for row in formulas.rows(points))

    try:
        growth = find_growth(piece_at, counts, ranges, start)
    except NoModelError:
        point = tuple(each[0] for each in ranges)
        reason = next(formulas.rows([point])).get("error", "")
        pairs = zip(formulas.names, point, strict=True)
        settings = " and ".join(f"{name} = {value:,}" for name, value in pairs)
        message = f"no values from --min to --max make a model; {settings}: {reason}"
        raise DenseCalcError(message) from None
    return next(counts([start])), growth
