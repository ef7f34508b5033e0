"""`dense-calc summary`: the table of layers, shapes and parameters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from dense_calc.cli.options import (
    GRID_SUFFIXES,
    assume_option,
    choose_format,
    emit_text,
    is_terminal,
    load_model,
    set_option,
    table_options,
    write_reports,
)
from dense_calc.cli.streams import write_stderr, write_stdout
from dense_calc.errors import DenseCalcError, SpecError, escape_unprintable
from dense_calc.files.loader import file_title
from dense_calc.gaps import NO_INPUT_MESSAGE
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.tracing.tracer import trace

MAX_READABLE_ROWS = 50  # rows that can be read on a screen
_FILE_OPTIMIZER = ""  # the optimizer that a file tells


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@set_option
@assume_option
@click.option(
    "--depth",
    metavar="N",
    type=click.IntRange(min=1, clamp=True),
    help="Show N levels: 1 is the model's own layers, and each block as one row with its totals.",
)
@click.option(
    "--expand",
    is_flag=True,
    help="Show every layer. In a table, and in text on a terminal, the repeats of a block that are "
    f"alike are one row if there would be more than {MAX_READABLE_ROWS} rows.",
)
@click.option(
    "--compare",
    is_flag=True,
    help="Show what --set changes, before and after: the layers that differ, as diff does.",
)
@click.option(
    "--verify-weights",
    is_flag=True,
    help="Also compare the weights that a .keras or .h5 file stores with what its architecture "
    "says, without reading them; needs the extra 'h5'. Exit status 2 where they differ.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Print what is known of a model in which something is not, such as a class of one's own: "
    "'?' for the rest, and what the totals come to at least. Exit status 2 if anything is lacking.",
)
@click.option(
    "--optimizer",
    metavar="[NAME]",
    is_flag=False,
    flag_value=_FILE_OPTIMIZER,
    help="Also count what an optimizer keeps, as Keras does in a compiled model: that of the file, "
    "or adam, or '{SGD: {momentum: 0.9}}'.",
)
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
    """Print what Keras' model.summary() would print of the model in each FILE (- for stdin)."""
    if compare:
        of_summary = (expand, depth is not None, verify_weights, optimizer is not None)
        if any(of_summary) or options.pop("columns"):
            raise click.UsageError("--compare shows what differs; leave out what is of a summary.")
        _print_comparisons(files, overrides, assumed, **options)
        return
    if expand and depth is not None:
        raise click.UsageError("--expand shows every level; leave out --depth.")
    found = list(_read_reports(files, overrides, assumed, partial, optimizer))
    if len(found) < len(files):
        sys.exit(2)
    reports = [report for report, _ in found]
    brief = reports
    if depth is not None:
        from dense_calc.tracing.collapse import collapse_to_depth

        brief = [collapse_to_depth(report, depth) for report in reports]
    elif not expand and _is_human_output(options["format"], options["output"]):
        brief = list(map(_fold_long_report, reports))
    write_reports(brief, **options)
    if depth is None and brief != reports:
        write_stdout([_folded_rows_note(reports, brief)])
    agrees = not verify_weights or all(map(_verify_stored_weights, files, reports))
    lacking = [error for _, error in found if error]
    for error in lacking:
        write_stderr(error)
    if lacking or not agrees:
        sys.exit(2)


def _print_comparisons(
    files: Sequence[str],
    overrides: dict[str, str],
    assumed: dict[str, str],
    *,
    format: str | None,
    **look: Any,
) -> None:
    """Print what settings change in the models of these files.

    Exit status 2 if a file is broken, before or after.
    """
    if not overrides:
        raise click.UsageError("--compare needs --set, what is to be compared.")
    from dense_calc.cli.diff import compare_settings, render_comparisons

    chosen = choose_format(format, look["output"], GRID_SUFFIXES)
    if chosen == "csv":
        raise click.UsageError("--compare has no CSV; take json.")
    found = []
    for file in files:
        try:
            found.append(compare_settings(file, overrides, assumed))
        except DenseCalcError as error:
            write_stderr(error)
    if found:
        emit_text(lambda style: render_comparisons(found, len(files) > 1, chosen, style), **look)
    if len(found) < len(files):
        sys.exit(2)


def _read_reports(
    files: Sequence[str],
    overrides: dict[str, str],
    assumed: dict[str, str],
    partial: bool,
    optimizer: str | None,
) -> Iterator[tuple[Report, DenseCalcError | None]]:
    """The reports on the models in these files, each with what a partial one lacks.

    What is wrong with the others is printed.
    """
    for file in files:
        try:
            model = load_model(file, overrides, assumed)
            report, lacking = _model_report(file, model, partial)
            yield _report_with_optimizer(report, model, file, optimizer), lacking
        except DenseCalcError as error:
            write_stderr(error)


def _model_report(file: str, model: Model, partial: bool) -> tuple[Report, DenseCalcError | None]:
    """The report on a model; one that nobody has built yet is shown as Keras shows it."""
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
    """A report with what an optimizer keeps, if one is asked for."""
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
    """Whether a file stores the weights that its model has; where it does not is printed."""
    from dense_calc.keras_format.compare_weights import weight_differences

    different = weight_differences(report, file)
    for sentence in different:
        write_stderr(f"{escape_unprintable(file)}: error: {sentence}")
    return not different


def _is_human_output(format: str | None, output: str | None) -> bool:
    """Whether a person will read the output as it is: a table, or text on a terminal."""
    if output is not None:
        return False
    chosen = choose_format(format, output)
    return chosen == "table" or (chosen == "text" and is_terminal(output))


def _fold_long_report(report: Report) -> Report:
    """A report without alike repeats, if it is too long to be read as it is."""
    if len(report.layers) <= MAX_READABLE_ROWS or not report.blocks:
        return report
    from dense_calc.tracing.collapse import collapse_repeats  # most models are short

    return collapse_repeats(report)


def _folded_rows_note(reports: Sequence[Report], brief: Sequence[Report]) -> str:
    """What to say below tables that do not show all rows."""
    rows = sum(len(report.layers) for report in reports)
    left = rows - sum(len(report.layers) for report in brief)
    return f" {left:,} rows are folded into their blocks; --expand shows all {rows:,}\n"
