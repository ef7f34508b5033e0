"""`dense-calc growth`: the count of a model as an exact polynomial in its sizes."""

from __future__ import annotations

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
from dense_calc.cli.progress import show_stages
from dense_calc.cli.vary_options import bound_option, variable_bounds, vary_option

if TYPE_CHECKING:
    from dense_calc.whatif.growing import GrowthPart


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
    by: GrowthPart | None,
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
    from dense_calc.render.growth_text import growth_json, render_growth
    from dense_calc.whatif.growing import measure_growth

    chosen = format or format_by_suffix(output_options["output"], TEXT_SUFFIXES)
    models = warn_about_variants(read_variants(file, assumed), assumed)
    lows, highs = variable_bounds(min, vary), variable_bounds(max, vary)
    with show_stages() as watch:
        result = measure_growth(models, vary, lows, highs, by=by, settings=overrides, watch=watch)
    render = growth_json if chosen == "json" else render_growth
    emit_text(lambda style: render(result, style), **output_options)
