"""`dense-calc summary`: the table of layers, shapes and parameters."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from dense_calc.analysis.collapse import MAX_READABLE_ROWS, collapse_to_depth, fold_long_report
from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.file_arguments import FileArgument, demand_file, expand_file_arguments
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import (
    assume_option,
    load_model,
    set_option,
    table_options,
    warn_about_model,
)
from dense_calc.cli.output import (
    GRID_SUFFIXES,
    choose_format,
    emit_text,
    is_terminal,
    process_each,
)
from dense_calc.cli.streams import write_stderr, write_stdout
from dense_calc.errors import DenseCalcError, SpecError, escape_unprintable
from dense_calc.files.gallery_files import resolve_path
from dense_calc.files.loader import file_title, read_variants
from dense_calc.gaps import NO_INPUT_MESSAGE
from dense_calc.model import Model
from dense_calc.render import render_reports
from dense_calc.report import Report
from dense_calc.tracing.tracer import trace

if TYPE_CHECKING:
    from dense_calc.analysis.difference import ModelComparison

_REPORT_SUFFIXES = {**GRID_SUFFIXES, ".csv": "csv"}
_FILE_OPTIMIZER = ""  # --optimizer without a name: the optimizer in the file


@click.command(cls=SectionedCommand)
@click.argument("files", metavar="FILE...", shell_complete=complete_files, nargs=-1, required=True)
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(min=1, clamp=True),
    help="Show N levels of blocks: with 1, each block is one row with its totals.",
)
@click.option(
    "--expand",
    is_flag=True,
    help=f"Show every row. By default, a table of more than {MAX_READABLE_ROWS} rows shows equal "
    "copies of a block as one row; so does text on a terminal.",
)
@click.option(
    "--compare",
    is_flag=True,
    help="Show what --set changes: the layers that differ, before and after.",
)
@click.option(
    "--verify-weights",
    is_flag=True,
    help="Also check that a .keras or .h5 file stores the weights that its architecture has. The "
    "values are not read. Exit status 2 if weights differ. Needs the extra 'h5'.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Print an incomplete model, such as one with custom classes: unknown values are '?', and "
    "the totals are lower bounds. Exit status 2 if anything is unknown.",
)
@click.option(
    "--optimizer",
    metavar="[NAME]",
    is_flag=False,
    flag_value=_FILE_OPTIMIZER,
    help="Also count the variables of an optimizer, as Keras does for a compiled model. NAME is "
    "adam or '{SGD: {momentum: 0.9}}'; without NAME, it is the optimizer in the file.",
)
@set_option
@assume_option
@table_options
def summary(
    files: tuple[str, ...],
    overrides: dict[str, str],
    assumed: dict[str, str],
    depth: int | None,
    expand: bool,
    compare: bool,
    verify_weights: bool,
    partial: bool,
    optimizer: str | None,
    **options: Any,
) -> None:
    """Print the table of layers and parameters.

    The table, with output shapes and totals, is that of Keras' model.summary(). FILE is a file, a
    pattern, or a folder of models; - is standard input.

    Example: dense-calc summary gallery:mnist
    """
    found = list(expand_file_arguments(files))
    if compare:
        summary_options = (expand, depth is not None, verify_weights, optimizer is not None)
        if any(summary_options) or options.pop("columns"):
            raise click.UsageError(
                "--compare shows only differences; leave out options of the summary."
            )
        _print_comparisons(found, overrides, assumed, **options)
        return
    if expand and depth is not None:
        raise click.UsageError("--expand shows every level; leave out --depth.")

    def read_report(argument: FileArgument) -> tuple[Report, DenseCalcError | None]:
        file = demand_file(argument)
        model = load_model(file, overrides, assumed)
        report, error = _model_report(file, model, partial)
        return _report_with_optimizer(report, model, file, optimizer), error

    results = process_each(found, read_report)
    if len(results) < len(found):
        sys.exit(2)
    reports = [report for report, _ in results]
    _print_reports(reports, depth, expand, **options)
    is_stored = not verify_weights or all(
        map(_verify_stored_weights, map(demand_file, found), reports)
    )
    errors = [error for _, error in results if error]
    for error in errors:
        write_stderr(error)
    if errors or not is_stored:
        sys.exit(2)


def _print_comparisons(
    found: Sequence[FileArgument],
    overrides: dict[str, str],
    assumed: dict[str, str],
    *,
    format: str | None,
    **output_options: Any,
) -> None:
    """Print how settings change the models in these files.

    Exit status 2 if a file holds no model, with or without the settings.
    """
    if not overrides:
        raise click.UsageError("--compare needs --set.")
    from dense_calc.render.difference_grid import render_comparisons

    chosen = choose_format(format, output_options["output"], GRID_SUFFIXES)
    if chosen == "csv":
        raise click.UsageError("--compare has no CSV; use json.")
    comparisons = process_each(
        found, lambda argument: _compare_settings(demand_file(argument), overrides, assumed)
    )
    if comparisons:
        several = len(found) > 1
        emit_text(
            lambda style: render_comparisons(comparisons, several, chosen, style), **output_options
        )
    if len(comparisons) < len(found):
        sys.exit(2)


def _compare_settings(
    file: str, overrides: dict[str, str], assumed: dict[str, str]
) -> ModelComparison:
    """The comparison of the model in a file with the same model under settings.

    Raises:
        DenseCalcError: the file holds no model, with or without the settings.
    """
    from dense_calc.analysis.difference import compare_models  # only --compare needs it

    models = read_variants(file, assumed)
    old, new = models.model_with(), warn_about_model(models.model_with(overrides))
    flags = "".join(f" --set {name}={value}" for name, value in overrides.items())
    return compare_models(old, new, file_title(file), file_title(file) + flags)


def _model_report(file: str, model: Model, partial: bool) -> tuple[Report, DenseCalcError | None]:
    """The report on a model, and the error that leaves a partial one incomplete.

    The report on a model without an input shape is partial, as in Keras.
    """
    if model.is_unbuilt:
        write_stderr(f"{escape_unprintable(file_title(file))}: warning: {NO_INPUT_MESSAGE}")
        return trace(model, partial=True), None
    try:
        return trace(model), None
    except SpecError as error:
        if not partial:
            raise
        return trace(model, partial=True), error


def _report_with_optimizer(
    report: Report, model: Model, file: str, optimizer: str | None
) -> Report:
    """A report with the variables of an optimizer, if the command line names one."""
    if optimizer is None:
        return report
    from dense_calc.keras_format.optimizers import (
        optimizer_from_file,
        parse_optimizer,
        with_optimizer,
    )

    if optimizer == _FILE_OPTIMIZER:
        return with_optimizer(report, optimizer_from_file(model.optimizer, file_title(file)))
    return with_optimizer(report, parse_optimizer(optimizer))


def _verify_stored_weights(file: str, report: Report) -> bool:
    """Whether a file stores the weights of its model; the differences are printed."""
    from dense_calc.keras_format.compare_weights import weight_differences

    differences = weight_differences(report, resolve_path(file))
    for sentence in differences:
        write_stderr(f"{escape_unprintable(file)}: error: {sentence}")
    return not differences


def _print_reports(
    reports: Sequence[Report],
    depth: int | None,
    expand: bool,
    *,
    format: str | None,
    output: str | None,
    **output_options: Any,
) -> None:
    """Print reports down to a depth, or with repeats folded if people read them.

    Raises:
        FileError: the output cannot be written.
    """
    chosen = choose_format(format, output, _REPORT_SUFFIXES)
    shown = list(reports)
    if depth is not None:
        shown = [collapse_to_depth(report, depth) for report in reports]
    elif not expand and _is_read_by_people(chosen, output):
        shown = list(map(fold_long_report, reports))
    if chosen == "json" and output_options["columns"]:
        raise click.UsageError("--columns cannot be used with JSON, which holds everything.")
    emit_text(lambda style: render_reports(shown, chosen, style), output=output, **output_options)
    if depth is None and shown != reports:
        write_stdout([_folded_rows_note(reports, shown)])


def _is_read_by_people(format: str, output: str | None) -> bool:
    """Whether people read the output directly: a table on standard output, text on a terminal."""
    return output is None and (format == "table" or (format == "text" and is_terminal(output)))


def _folded_rows_note(reports: Sequence[Report], shown: Sequence[Report]) -> str:
    """The line below tables that do not show all rows."""
    rows = sum(len(report.layers) for report in reports)
    hidden = rows - sum(len(report.layers) for report in shown)
    return f" {hidden:,} rows are folded into their blocks; --expand shows all {rows:,}\n"
