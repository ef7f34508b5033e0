"""`dense-calc diff`: compare two models, or models with their state at a revision of git."""

from __future__ import annotations

import sys
from typing import Any

import click
from msgspec.structs import replace

from dense_calc.analysis.difference import ModelComparison, compare_models
from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.file_arguments import demand_file, expand_file_arguments
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import grid_options
from dense_calc.cli.output import GRID_SUFFIXES, choose_format, emit_text, process_each
from dense_calc.cli.revision_reader import RevisionReader, reader_options
from dense_calc.cli.streams import write_stderr
from dense_calc.errors import format_diagnostic
from dense_calc.files.loader import file_title
from dense_calc.render.difference_grid import render_comparisons


@click.command(cls=SectionedCommand)
@click.argument(
    "files",
    metavar="OLD NEW | --base REV FILE...",
    shell_complete=complete_files,
    nargs=-1,
    required=True,
)
@reader_options
@grid_options
def diff(
    files: tuple[str, ...], reader: RevisionReader, format: str | None, **output_options: Any
) -> None:
    """Compare two models, or two versions of one.

    Compares OLD with NEW, or each FILE with what it was at a git revision. Shows the layers that
    differ, and how many parameters each change adds or removes. Layers are matched by the names
    that somebody gave them; all others by their order, class and arguments. Exit status 1 if the
    parameters increase by more than --max-increase.

    Example: dense-calc diff gallery:llama2-7b gallery:mistral-7b
    """
    if reader.base is None and len(files) != 2:
        raise click.UsageError("diff takes two files, OLD NEW; or --base REV and files.")
    arguments = list(expand_file_arguments(files[-1:] if reader.base is None else files))
    several = len(arguments) > 1
    comparisons = process_each(
        arguments, lambda argument: _compare_file(files[0], demand_file(argument), reader)
    )
    if comparisons or several:
        chosen = choose_format(format, output_options["output"], GRID_SUFFIXES)
        emit_text(
            lambda style: render_comparisons(comparisons, several, chosen, style), **output_options
        )
    if len(comparisons) < len(arguments):
        sys.exit(2)
    sys.exit(int(any(not check.ok for each in comparisons for check in each.checks)))


def _compare_file(other: str, file: str, reader: RevisionReader) -> ModelComparison:
    """The comparison of a file with its state at the base, or with another file.

    Raises:
        DenseCalcError: one of them is missing, or holds no model.
    """
    new = reader.read_current(file)
    old = reader.read_current(other) if reader.base is None else reader.read_base(file)
    name = file_title(other) if reader.base is None else file_title(file, reader.base)
    if isinstance(old, str):
        write_stderr(format_diagnostic("note", old, None))
        return replace(compare_models(None, new, name, file_title(file)), notes=(old,))
    comparison = compare_models(old, new, name, file_title(file))
    params = comparison.total_params
    return replace(comparison, checks=tuple(reader.increase_checks(params.new, params.old)))
