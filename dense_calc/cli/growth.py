"""`dense-calc growth`: the count of a model as an exact polynomial in its sizes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import (
    ascii_option,
    assume_option,
    set_option,
    style_options,
    text_format_option,
    warn_about_variants,
)
from dense_calc.cli.output import TEXT_SUFFIXES, emit_text, format_by_suffix
from dense_calc.cli.vary_options import MAX_BOUND, bound_option, variable_bounds, vary_option
from dense_calc.errors import DenseCalcError
from dense_calc.whatif.pieces import ModelFormulas
from dense_calc.whatif.variables import empty_range_error, file_values, non_integer_error

if TYPE_CHECKING:
    from dense_calc.whatif.find_growth import Growth

_SPAN_FACTOR = 4  # a range goes up to the value in the file times this, and to a power of two
_MIN_SPAN = 64


@click.command(cls=SectionedCommand)
@click.argument("file", shell_complete=complete_files)
@vary_option(
    "The variables: vars, arguments of layers (dense.units) or sizes of the input (input[0])."
)
@bound_option(
    "--min",
    help="Smallest value of the variables; NAME=N is for one variable. Default: 1. Repeatable.",
)
@bound_option(
    "--max",
    help="Largest value of the variables. Default: about four times the value in FILE. Repeatable.",
)
@click.option(
    "--by",
    type=click.Choice(["layer", "block"]),
    help="Also show the count of each layer or of each block; the copies of a block count "
    "together.",
)
@set_option
@assume_option
@text_format_option
@style_options
@ascii_option
def growth(
    file: str,
    vary: tuple[str, ...],
    min: dict[str, int],
    max: dict[str, int],
    by: str | None,
    overrides: dict[str, str],
    assumed: dict[str, str],
    format: str | None,
    **output_options: Any,
) -> None:
    """Show the parameter count as a formula.

    The formula is exact: a polynomial in the variables. Where one polynomial is not enough, as with
    'width // 2' or 'min(width, 64)', there are several, each with the values for which it holds.
    The output also says what one more unit of each variable costs, at the values in FILE.

    Example: dense-calc growth gallery:gpt2 --vary width,depth
    """
    from dense_calc.files.loader import read_variants

    chosen = format or format_by_suffix(output_options["output"], TEXT_SUFFIXES)
    models = warn_about_variants(read_variants(file, assumed), assumed)
    lows, highs = variable_bounds(min, vary), variable_bounds(max, vary)
    values = file_values(models, vary, overrides, (lows, highs))
    ranges, start = _ranges_and_start(values, lows, highs)
    formulas = ModelFormulas(models, vary, overrides, with_verdicts=False)
    total, result = _measure_growth(formulas, ranges, start)
    from dense_calc.render.growth_text import growth_json, render_growth
    from dense_calc.whatif.explain_in_vars import express_growth

    told = express_growth(formulas.piece_at(start), by)
    if chosen == "json":
        emit_text(
            lambda style: growth_json(models.name, total, result, vary, style, told),
            **output_options,
        )
    else:
        emit_text(lambda style: render_growth(result, vary, style, told), **output_options)


def _ranges_and_start(
    values: Mapping[str, Any], lows: Mapping[str, int], highs: Mapping[str, int]
) -> tuple[list[range], tuple[int, ...]]:
    """The ranges of variables with these values in the file, and the point to start from.

    Raises:
        DenseCalcError: a value is no whole number, or a range is empty.
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
        DenseCalcError: the value is no whole number.
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


def _measure_growth(
    formulas: ModelFormulas, ranges: list[range], start: tuple[int, ...]
) -> tuple[int | None, Growth]:
    """The count at `start`, and the growth of the count over the ranges.

    Raises:
        DenseCalcError: no values in the ranges make a model.
    """
    from dense_calc.symbolic.count_polynomials import Point
    from dense_calc.whatif.find_growth import NoModelError, find_growth

    def counts(points: Iterable[Point]) -> Iterator[int | None]:
        return (row.get("total_params") for row in formulas.rows(points))

    try:
        growth = find_growth(formulas.piece_at, counts, ranges, start)
    except NoModelError:
        point = tuple(each[0] for each in ranges)
        reason = next(formulas.rows([point])).get("error", "")
        pairs = zip(formulas.names, point, strict=True)
        settings = " and ".join(f"{name} = {value:,}" for name, value in pairs)
        message = f"no values from --min to --max make a model; {settings}: {reason}"
        raise DenseCalcError(message) from None
    return next(counts([start])), growth
