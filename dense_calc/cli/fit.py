"""`dense-calc fit`: the largest values with which a model keeps to its limits."""

from __future__ import annotations

import sys
from typing import Any

import click

from dense_calc.cli.check import limit_options
from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import assume_option, grid_options, set_option, warn_about_variants
from dense_calc.cli.output import GRID_SUFFIXES, choose_format, emit_text
from dense_calc.cli.progress import show_stages
from dense_calc.cli.vary_options import bound_option, variable_bounds, vary_option
from dense_calc.files.loader import read_variants
from dense_calc.limits import Limit
from dense_calc.render.fit_grid import render_answer
from dense_calc.settings.values import parse_setting_values
from dense_calc.whatif.fitting.answers import FitQuery, answer_fit_query


@click.command(cls=SectionedCommand)
@click.argument("file", shell_complete=complete_files)
@vary_option(
    "The variables: vars, arguments of layers (dense.units) or sizes of the input (input[0]). With "
    "several variables, lists every largest combination. NAME=VALUES tries these values of one "
    "variable: a list (64,96,128) or a range FIRST:LAST:STEP (0.25:2:0.25). Repeatable.",
    with_values=True,
)
@click.option("--scale", is_flag=True, help="Multiply all variables by one factor.")
@limit_options
@bound_option(
    "--multiple-of",
    help="Try only multiples of N; NAME=N is for one variable. Repeatable.",
)
@bound_option("--min", help="Smallest value to try. Default: 1. Repeatable.")
@bound_option(
    "--max",
    help="Largest value to try. By default, goes on until nothing fits. Of more than 1,048,576 "
    "values, some may be skipped; the output then says so. Repeatable.",
)
@set_option
@assume_option
@grid_options
def fit(
    file: str,
    vary: dict[str, str | None],
    scale: bool,
    limits: tuple[Limit, ...],
    assumed: dict[str, str],
    overrides: dict[str, str],
    format: str | None,
    **options: Any,
) -> None:
    """Find the largest values that fit the limits.

    The limits are those of the command line or, without any, the budget in FILE. Every value is
    tried, because a larger value can make a smaller model. Exit status 1 if nothing fits.

    Example: dense-calc fit gallery:lenet5 --vary width --max-params 100k
    """
    chosen = choose_format(format, options["output"], GRID_SUFFIXES)
    bounds = {name: options.pop(name) for name in ("multiple_of", "min", "max")}
    listed = {name: text for name, text in vary.items() if text is not None}
    others = vary.keys() - listed.keys()
    query = FitQuery(
        vary=tuple(vary),
        values={name: parse_setting_values(name, text, "--vary") for name, text in listed.items()},
        limits=limits,
        scale=scale,
        settings=overrides,
        **{name: variable_bounds(bound, others) for name, bound in bounds.items()},
    )
    models = warn_about_variants(read_variants(file, assumed), assumed)
    with show_stages() as watch:
        answer = answer_fit_query(models, query, watch)
    emit_text(lambda style: render_answer(answer, chosen, style), **options)
    sys.exit(int(not answer.fitting_rows))
