"""`dense-calc layers`: the catalogue of layer kinds."""

from __future__ import annotations

from typing import Any

import click

from dense_calc.cli.completed_values import complete_kinds
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import style_options, text_format_option
from dense_calc.cli.output import TEXT_SUFFIXES, emit_text, format_by_suffix
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, UNEXPORTED_KIND_MODULES


@click.command(cls=SectionedCommand)
@click.argument("kinds", metavar="[KIND]...", nargs=-1, shell_complete=complete_kinds)
@text_format_option
@style_options
def layers(kinds: tuple[str, ...], format: str | None, **output_options: Any) -> None:
    """List the layer kinds, or describe some.

    For each KIND, shows its arguments with their defaults, its shape rule and its weights. Without
    KIND, lists all kinds by family.

    Example: dense-calc layers Conv2D
    """
    chosen = format or format_by_suffix(output_options["output"], TEXT_SUFFIXES)
    known = (*KIND_MODULES, *KIND_ALIASES, *UNEXPORTED_KIND_MODULES)
    for name in kinds:
        if name not in known:
            from dense_calc.errors import did_you_mean

            hint = did_you_mean(name, known)
            raise click.BadParameter(f"there is no layer kind '{name}'{hint}", param_hint="KIND")
    from dense_calc.analysis import catalog

    cards = [catalog.describe_kind(name) for name in dict.fromkeys(kinds)]
    catalogue = cards or catalog.kinds_by_family()
    if chosen == "json":
        from dense_calc.render.json import catalogue_json

        emit_text(lambda style: catalogue_json(catalogue, style), **output_options)
    else:
        from dense_calc.render.catalog_text import render_catalog

        emit_text(lambda style: render_catalog(catalogue, style), **output_options)
