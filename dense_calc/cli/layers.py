"""`dense-calc layers`: the catalogue of layer kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from dense_calc.cli.completed_values import complete_kinds
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import style_options, text_format_option
from dense_calc.cli.output import TEXT_SUFFIXES, emit_text, format_by_suffix
from dense_calc.layers import (
    KIND_ALIASES,
    KIND_MODULES,
    OPERATION_PREFIX,
    UNEXPORTED_KIND_MODULES,
)
from dense_calc.layers.operations import OPERATION_MODULES


@click.command(cls=SectionedCommand)
@click.argument("kinds", metavar="[KIND]...", nargs=-1, shell_complete=complete_kinds)
@click.option("--ops", is_flag=True, help="List the operations of keras.ops instead.")
@text_format_option
@style_options
def layers(kinds: tuple[str, ...], format: str | None, ops: bool, **output_options: Any) -> None:
    """List the layer kinds, or describe some.

    For each KIND, shows its arguments with their defaults, its shape rule and its weights. If KIND
    is a part of names, lists the layers and operations that have it. Without KIND, lists all kinds
    by family.

    Example: dense-calc layers Conv2D
    """
    chosen = format or format_by_suffix(output_options["output"], TEXT_SUFFIXES)
    if ops and kinds:
        raise click.UsageError("--ops lists all operations; leave out KIND, or write ops.KIND.")
    catalogue = _look_up_kinds(kinds, ops)
    if chosen == "json":
        from dense_calc.render.json import catalogue_json

        emit_text(lambda style: catalogue_json(catalogue, style), **output_options)
    else:
        from dense_calc.render.catalog_text import render_catalog

        emit_text(lambda style: render_catalog(catalogue, style), **output_options)


def _look_up_kinds(words: Sequence[str], ops: bool) -> Mapping[str, Any] | Sequence[Any]:
    """What the catalogue has on these words: a card for each name, or the names with a word in it.

    Raises:
        click.BadParameter: no name has a word in it.
    """
    from dense_calc.analysis import catalog

    if not words:
        return catalog.operations_by_family() if ops else catalog.kinds_by_family()
    known = (
        *(*KIND_MODULES, *KIND_ALIASES, *UNEXPORTED_KIND_MODULES),
        *(OPERATION_PREFIX + name for name in OPERATION_MODULES),
    )
    by_lower = {name.lower(): name for name in known} | {name: name for name in known}
    names = [by_lower.get(word) or by_lower.get(word.lower()) for word in dict.fromkeys(words)]
    if all(names):
        return [catalog.describe_kind(name) for name in names if name]
    found = catalog.search_kinds(words)
    if not found:
        from dense_calc.errors import did_you_mean

        hint = did_you_mean(words[0], known)
        raise click.BadParameter(f"there is no layer kind '{words[0]}'{hint}", param_hint="KIND")
    return found
