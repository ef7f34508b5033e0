"""`dense-calc layers`: the catalogue of layer kinds."""

from __future__ import annotations

from typing import Any

import click

from dense_calc.cli.options import emit_text, style_options
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, UNEXPORTED_KIND_MODULES


@click.command()
@click.argument("kinds", metavar="[KIND]...", nargs=-1)
@click.option(
    "--format", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
@style_options
def layers(kinds: tuple[str, ...], format: str, **look: Any) -> None:
    """List the layer kinds by family; or show the arguments, the rule and the weights of a KIND.

    Example: dense-calc layers Conv2D
    """
    known = (*KIND_MODULES, *KIND_ALIASES, *UNEXPORTED_KIND_MODULES)
    for name in kinds:
        if name not in known:
            from dense_calc.errors import did_you_mean

            hint = did_you_mean(name, known)
            raise click.BadParameter(f"there is no layer kind '{name}'{hint}", param_hint="KIND")
    from dense_calc.analysis import catalog

    shown = (
        [catalog.describe_kind(name) for name in dict.fromkeys(kinds)]
        if kinds
        else catalog.kinds_by_family()
    )
    if format == "json":
        from dense_calc.render.json import catalogue_json

        emit_text(lambda style: catalogue_json(shown, style), **look)
    else:
        from dense_calc.render.catalog_text import render_catalog

        emit_text(lambda style: render_catalog(shown, style), **look)
