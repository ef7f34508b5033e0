"""`dense-calc diff`: two models, or models and what they were at a revision of git's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from dense_calc.budgets import check_of_increase
from dense_calc.cli.bases import base_of, base_options, demand_base
from dense_calc.cli.files import each_file
from dense_calc.cli.options import (
    ascii_option,
    assume_option,
    emit,
    format_of,
    loaded,
    look_options,
    set_option,
)
from dense_calc.compare import Comparison, comparison, folded
from dense_calc.errors import DenseCalcError, remark
from dense_calc.limits import Increase
from dense_calc.loading import title
from dense_calc.render import GRIDS, Style, drawn
from dense_calc.render.comparison import grid, render_json

SUFFIXES = {".json": "json", ".md": "markdown"}


@click.command()
@click.argument("files", metavar="OLD NEW | --base REV FILE...", nargs=-1, required=True)
@base_options
@set_option
@assume_option
@click.option(
    "--format",
    type=click.Choice([*GRIDS, "json"]),
    help="How to print it: a table on a terminal and text elsewhere, or as FILE of -o ends.",
)
@look_options
@ascii_option
def diff(
    files: tuple[str, ...],
    base: str | None,
    max_increase: Increase | None,
    allow_missing_base: bool,
    overrides: dict[str, str],
    assumed: dict[str, str],
    format: str | None,
    **look: Any,
) -> None:
    """Show which layers two models do not have in common, and how much each change weighs.

    Compare two files, or each FILE with what it was at a revision of git's. A layer is known by
    its name; one that is renamed, by its class, arguments and place. Exit status 1 if there are
    more parameters than --max-increase allows.

    Example: dense-calc diff --base origin/main specs/lenet5.yaml
    """
    demand_base(base, allow_missing_base=allow_missing_base)
    if base is None and len(files) != 2:
        raise click.UsageError("diff takes two files, OLD NEW; or --base REV and files.")
    asked = Asked(base, max_increase, allow_missing_base, overrides, assumed)
    found = []
    is_broken = False
    for file, mistake in each_file(files[-1:] if base is None else files):
        try:
            if mistake:
                raise mistake
            found.append(compared(file, files[0], asked))
        except DenseCalcError as error:
            print(error, file=sys.stderr)
            is_broken = True
    if found:
        chosen = format_of(format, look["output"], SUFFIXES)
        emit(lambda style: rendered(found, chosen, style), **look)
    over = [check for each in found for check in each.checks if not check.ok]
    sys.exit(2 if is_broken else int(bool(over)))


class Asked(Struct, frozen=True):
    """What the command line says of the old side, and of both."""

    base: str | None
    max_increase: Increase | None
    allow_missing: bool
    overrides: Mapping[str, str]
    assumed: Mapping[str, str]


def compared(file: str, other: str, asked: Asked) -> Comparison:
    """The comparison of a file with what it was at its base, or with another file.

    Raises:
        DenseCalcError: one of them is missing, or holds no model.
    """
    new = loaded(file, asked.overrides, asked.assumed)
    if asked.base is None:
        found = comparison(
            loaded(other, asked.overrides, asked.assumed), new, title(other), title(file)
        )
    else:
        old = base_of(file, asked.base, asked.overrides, asked.assumed, asked.allow_missing)
        name = title(file, asked.base)
        if isinstance(old, str):
            print(remark("note", old, None), file=sys.stderr)
            return replace(comparison(None, new, name, file), notes=(old,))
        found = comparison(old, new, name, file)
    if asked.max_increase is None:
        return found
    params = found.total_params
    return replace(found, checks=(check_of_increase(asked.max_increase, params.new, params.old),))


def rendered(found: Sequence[Comparison], format: str, style: Style) -> str:
    """Comparisons in a format; in a table, what has changed alike in a repeated block is a row."""
    if format == "json":
        return render_json(found, style)
    return drawn((grid(folded(each), style) for each in found), format, style)
