"""`dense-calc check`: whether models keep to their budgets and expectations."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial, wraps
from typing import Any

import click

from dense_calc.analysis.budget import (
    Check,
    CheckResult,
    broken_check_result,
    check_limits,
    check_result,
)
from dense_calc.cli.completed_values import complete_files
from dense_calc.cli.file_arguments import expand_file_arguments
from dense_calc.cli.help_sections import SectionedCommand
from dense_calc.cli.options import (
    CommandFunction,
    add_options,
    amount_callback,
    style_options,
)
from dense_calc.cli.output import emit_text, format_by_suffix
from dense_calc.cli.revision_reader import RevisionReader, reader_options
from dense_calc.cli.streams import write_stderr
from dense_calc.errors import DenseCalcError
from dense_calc.files.loader import file_title
from dense_calc.files.mistakes_in_file import first_mistakes
from dense_calc.limits import Limit
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.render.checks import VERDICT_FORMATS, render_verdicts
from dense_calc.tracing.tracer import trace

_VERDICT_SUFFIXES = {
    ".json": "json",
    ".md": "markdown",
    ".sarif": "sarif",
    ".txt": "text",
    ".xml": "junit",
}


def limit_options(command: CommandFunction) -> CommandFunction:
    """Add a flag for each limit of a budget; the command takes their values as its `limits`."""

    @wraps(command)
    def command_with_limits(*arguments: Any, **options: Any) -> None:
        values = [options.pop(name) for name in limit_kinds()]
        limits = tuple(limit for limit in values if limit is not None)
        command(*arguments, limits=limits, **options)

    flags = [
        click.option(
            kind.flag,
            name,
            metavar="N",
            callback=amount_callback(partial(parse_limit, kind)),
            help=kind.quantity.limits[kind.rule].flag_help,
        )
        for name, kind in limit_kinds().items()
    ]
    return add_options(command_with_limits, flags)


@click.command(cls=SectionedCommand)
@click.argument("files", metavar="FILE...", shell_complete=complete_files, nargs=-1, required=True)
@limit_options
@reader_options
@click.option(
    "--format",
    type=click.Choice(list(VERDICT_FORMATS)),
    help="Format of the output. Default: by the suffix of -o FILE (.json, .md, .sarif, .xml); "
    "otherwise text.",
)
@style_options
def check(
    files: tuple[str, ...],
    limits: tuple[Limit, ...],
    reader: RevisionReader,
    format: str | None,
    **output_options: Any,
) -> None:
    """Check models against their budgets.

    Each model must keep to the budget in its FILE and to the limits of the command line. FILE is
    a file, a pattern, or a folder of models. Exit status: 0 within budget, 1 over budget, 2 if a
    file is broken.

    Example: dense-calc check gallery:gpt2 --max-params 150M
    """
    if (reader.base is None) != (reader.max_increase is None):
        raise click.UsageError("--base and --max-increase must be used together.")
    chosen = format or format_by_suffix(output_options["output"], _VERDICT_SUFFIXES) or "text"
    is_github = chosen == "github"
    verdicts = []
    for file, file_error in expand_file_arguments(files):
        verdict, complaint = _check_file(file, file_error, limits, reader)
        verdicts.append(verdict)
        if complaint and not is_github:  # GitHub shows errors at their lines
            write_stderr(complaint)
    emit_text(
        lambda style: render_verdicts(verdicts, chosen, style), commands=is_github, **output_options
    )
    is_broken = any(verdict.error for verdict in verdicts)
    sys.exit(2 if is_broken else int(not all(verdict.ok for verdict in verdicts)))


def _check_file(
    file: str, file_error: DenseCalcError | None, limits: Sequence[Limit], reader: RevisionReader
) -> tuple[CheckResult, str]:
    """The verdict on a file, or on an argument that names none, and its mistakes as text."""
    checks: list[Check] = []
    notes = []
    try:
        if file_error:
            raise file_error
        model = reader.read_current(file)
        report = trace(model)
        checks.extend(check_limits(report, (*limits, *model.limits)))
        base = reader.read_base(file) if reader.base is not None else None
        if isinstance(base, str):
            notes.append(base)
        elif base:
            checks += reader.increase_checks(report.total_params, trace(base).total_params)
    except DenseCalcError as error:
        mistakes = first_mistakes(error)
        verdict = broken_check_result(file_title(file), checks, *mistakes)
        return verdict, "\n".join(map(str, mistakes))
    return check_result(file_title(file), checks, *notes), ""
