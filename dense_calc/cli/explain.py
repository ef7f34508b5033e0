"""`dense-calc explain`: how each layer gets its shape and its number of parameters."""

from __future__ import annotations

from typing import Any

import click

from dense_calc.cli.completed_values import complete_files, complete_layers
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import (
    assume_option,
    set_option,
    style_options,
    text_format_option,
    warn_about_assumptions,
    warn_about_model,
)
from dense_calc.cli.output import TEXT_SUFFIXES, emit_text, format_by_suffix
from dense_calc.files.loader import read_variants


@click.command(cls=SectionedCommand)
@click.argument("file", shell_complete=complete_files)
@click.argument("layers", metavar="[LAYER]...", nargs=-1, shell_complete=complete_layers)
@click.option(
    "--symbolic",
    is_flag=True,
    help="Also show counts and sizes as formulas in the vars of FILE: 'width × (4 × width + 1)'.",
)
@set_option
@assume_option
@text_format_option
@style_options
def explain(
    file: str,
    layers: tuple[str, ...],
    symbolic: bool,
    overrides: dict[str, str],
    assumed: dict[str, str],
    format: str | None,
    **output_options: Any,
) -> None:
    """Explain the shapes and counts of layers.

    For each LAYER, shows its input and output, the arithmetic of its sizes, the axes of its
    weights, and its count as a formula. Without LAYER, shows all layers, the largest first.

    Example: dense-calc explain gallery:mnist dense
    """
    from dense_calc.analysis.explanation import explain_layers

    chosen = format or format_by_suffix(output_options["output"], TEXT_SUFFIXES)
    models = warn_about_assumptions(read_variants(file, assumed), assumed)
    explanation = explain_layers(warn_about_model(models.model_with(overrides)), layers)
    if symbolic:
        from dense_calc.whatif.explain_in_vars import explain_in_vars

        explanation = explain_in_vars(models, overrides, explanation)
    if chosen == "json":
        from dense_calc.render.json import explanation_json as render
    else:
        from dense_calc.render.explanation_text import render_explanation as render
    emit_text(lambda style: render(explanation, style), **output_options)
