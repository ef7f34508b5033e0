"""`dense-calc diff`: two models, or models and what they were at a revision of git's."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click
from msgspec.structs import replace

from dense_calc.analysis.difference import ModelComparison, compare_models, fold_copies
from dense_calc.cli.file_arguments import expand_file_arguments
from dense_calc.cli.options import (
    GRID_SUFFIXES,
    choose_format,
    emit_text,
    grid_options,
    warn_about_model,
)
from dense_calc.cli.revision_reader import RevisionReader, reader_options
from dense_calc.cli.streams import write_stderr
from dense_calc.errors import DenseCalcError, format_diagnostic
from dense_calc.files.loader import file_title, read_variants
from dense_calc.render import Style, render_grids
from dense_calc.render.difference_grid import comparison_grid, comparisons_json


@click.command()
@click.argument("files", metavar="OLD NEW | --base REV FILE...", nargs=-1, required=True)
@reader_options
@grid_options
def diff(files: tuple[str, ...], reader: RevisionReader, format: str | None, **look: Any) -> None:
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
    asked = list(expand_file_arguments(files[-1:] if reader.base is None else files))
    several = len(asked) > 1
    for file, mistake in asked:
        try:
            if mistake:
                raise mistake
            found.append(_compare_file(files[0], file, reader))
        except DenseCalcError as error:
            write_stderr(error)
            is_broken = True
    if found or several:
        chosen = choose_format(format, look["output"], GRID_SUFFIXES)
        emit_text(lambda style: render_comparisons(found, several, chosen, style), **look)
    is_over = any(not check.ok for each in found for check in each.checks)
    sys.exit(2 if is_broken else int(is_over))


def _compare_file(other: str, file: str, reader: RevisionReader) -> ModelComparison:
    """The comparison of a file with what it was at its base, or with another file.

    Raises:
        DenseCalcError: one of them is missing, or holds no model.
    """
    new = reader.read_current(file)
    old = reader.read_current(other) if reader.base is None else reader.read_base(file)
    name = file_title(other) if reader.base is None else file_title(file, reader.base)
    if isinstance(old, str):
        write_stderr(format_diagnostic("note", old, None))
        return replace(compare_models(None, new, name, file_title(file)), notes=(old,))
    found = compare_models(old, new, name, file_title(file))
    params = found.total_params
    return replace(found, checks=tuple(reader.increase_checks(params.new, params.old)))


def compare_settings(
    file: str, overrides: dict[str, str], assumed: dict[str, str]
) -> ModelComparison:
    """The comparison of a file as it stands with the same under these settings.

    Raises:
        DenseCalcError: it holds no model, before or after.
    """
    given = "".join(f" --set {name}={value}" for name, value in overrides.items())
    whole = read_variants(file, assumed)
    return compare_models(
        whole.model_with(),
        warn_about_model(whole.model_with(overrides)),
        file_title(file),
        file_title(file) + given,
    )


def render_comparisons(
    found: Sequence[ModelComparison], several: bool, format: str, style: Style
) -> str:
    """Comparisons in a format; in a table, what has changed alike in a repeated block is a row."""
    if format == "json":
        return comparisons_json(found, several, style)
    return render_grids(
        (comparison_grid(fold_copies(each), style) for each in found), format, style
    )
