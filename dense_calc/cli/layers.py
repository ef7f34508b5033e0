"""`dense-calc layers`: the catalogue of layer kinds."""

from __future__ import annotations

from typing import Any

import click

from dense_calc.cli.options import emit, look_options
from dense_calc.layers import ALIASES, KINDS


@click.command()
@click.argument("kinds", metavar="[KIND]...", nargs=-1)
@click.option(
    "--format", type=click.Choice(["text", "json"]), default="text", help="How to print it."
)
@look_options
def layers(kinds: tuple[str, ...], format: str, **look: Any) -> None:
    """List the layer kinds by family; or show the arguments, the rule and the weights of a KIND.

    Example: dense-calc layers Conv2D
    """
    for name in kinds:
        if name not in KINDS and name not in ALIASES:
            from dense_calc.errors import did_you_mean

            hint = did_you_mean(name, (*KINDS, *ALIASES))
            raise click.BadParameter(f"there is no layer kind '{name}'{hint}", param_hint="KIND")
    from dense_calc.analysis import catalog

    shown = [catalog.card(name) for name in dict.fromkeys(kinds)] if kinds else catalog.families()
    if format == "json":
        from dense_calc.render.json import catalogue_json

        emit(lambda style: catalogue_json(shown, style), **look)
    else:
        from dense_calc.render.catalog_text import render

        emit(lambda style: render(shown, style), **look)
