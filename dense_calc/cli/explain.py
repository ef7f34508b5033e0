"""`dense-calc explain`: how each layer gets its shape and its number of parameters."""

from __future__ import annotations

from typing import Any

import click

from dense_calc.cli.options import (
    assume_option,
    load_model,
    set_option,
    style_options,
    text_format_option,
)
from dense_calc.cli.output import emit_text


@click.command()
@click.argument("file")
@click.argument("layers", metavar="[LAYER]...", nargs=-1)
@set_option
@assume_option
@text_format_option
@style_options
def explain(
    file: str,
    layers: tuple[str, ...],
    overrides: dict[str, str],
    assumed: dict[str, str],
    format: str,
    **output_options: Any,
) -> None:
    """Show how the model in FILE comes to its shapes and its parameters.

    Of each LAYER: its input and output, the arithmetic of its sizes, its weights by their axes,
    and its count as a formula. Without a LAYER, of all, the largest first.

    Example: dense-calc explain specs/mnist.yaml dense
    """
    from dense_calc.analysis.explanation import explain_layers

    report, explanations = explain_layers(load_model(file, overrides, assumed), layers)
    if format == "json":
        from dense_calc.render.json import explanation_json

        emit_text(lambda style: explanation_json(report, explanations, style), **output_options)
    else:
        from dense_calc.render.explanation_text import render_explanations

        emit_text(lambda style: render_explanations(report, explanations, style), **output_options)
