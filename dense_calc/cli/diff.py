"""`dense-calc diff`: two models, or models and what they were at a revision of git's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
from msgspec.structs import replace

from dense_calc.analysis.difference import Comparison, comparison, folded
from dense_calc.cli.file_arguments import each_file
from dense_calc.cli.options import GRID_SUFFIXES, emit, format_of, grid_options, warned
from dense_calc.cli.revision_reader import Reader, reader_options
from dense_calc.cli.streams import tell
from dense_calc.errors import DenseCalcError, remark
from dense_calc.files.loader import title, variants
from dense_calc.render import Style, drawn
from dense_calc.render.difference_grid import grid, render_json


@click.command()
@click.argument("files", metavar="OLD NEW | --base REV FILE...", nargs=-1, required=True)
@reader_options
@grid_options
def diff(files: tuple[str, ...], reader: Reader, format: str | None, **look: Any) -> None:
    """Show which layers two models do not have in common, and how much each change weighs.

    Compare two files, or each FILE with what it was at a revision of git's. A layer is known by
    its name; one that is renamed, by its class, arguments and place. Exit status 1 if there are
    more parameters than --max-increase allows.

    Example: dense-calc diff --base origin/main specs/lenet5.yaml
    """
    if reader.base is None and len(files) != 2:
        raise click.UsageError("diff takes two files, OLD NEW; or --base REV and files.")
    found = []
    is_broken = False
    asked = list(each_file(files[-1:] if reader.base is None else files))
    several = len(asked) > 1
    for file, mistake in asked:
        try:
            if mistake:
                raise mistake
            found.append(compared(files[0], file, reader))
        except DenseCalcError as error:
            tell(error)
            is_broken = True
    if found or several:
        chosen = format_of(format, look["output"], GRID_SUFFIXES)
        emit(lambda style: rendered(found, several, chosen, style), **look)
    is_over = any(not check.ok for each in found for check in each.checks)
    sys.exit(2 if is_broken else int(is_over))


def compared(other: str, file: str, reader: Reader) -> Comparison:
    """The comparison of a file with what it was at its base, or with another file.

    Raises:
        DenseCalcError: one of them is missing, or holds no model.
    """
    new = reader.now(file)
    old = reader.now(other) if reader.base is None else reader.before(file)
    name = title(other) if reader.base is None else title(file, reader.base)
    if isinstance(old, str):
        tell(remark("note", old, None))
        return replace(comparison(None, new, name, title(file)), notes=(old,))
    found = comparison(old, new, name, title(file))
    params = found.total_params
    return replace(found, checks=tuple(reader.growth(params.new, params.old)))


def changed_by(file: str, overrides: dict[str, str], assumed: dict[str, str]) -> Comparison:
    """The comparison of a file as it stands with the same under these settings.

    Raises:
        DenseCalcError: it holds no model, before or after.
    """
    given = "".join(f" --set {name}={value}" for name, value in overrides.items())
    whole = variants(file, assumed)
    return comparison(
        whole.model(), warned(whole.model(overrides)), title(file), title(file) + given
    )


def rendered(found: Sequence[Comparison], several: bool, format: str, style: Style) -> str:
    """Comparisons in a format; in a table, what has changed alike in a repeated block is a row."""
    if format == "json":
        return render_json(found, several, style)
    return drawn((grid(folded(each), style) for each in found), format, style)
