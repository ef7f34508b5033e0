"""`dense-calc check`: budgets and expectations held against models, for people and for CI."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from dense_calc.analysis.budget import (
    Check,
    CheckResult,
    broken_check_result,
    check_limits,
    check_result,
)
from dense_calc.cli.file_arguments import expand_file_arguments
from dense_calc.cli.options import (
    CommandFunction,
    add_options,
    emit_text,
    format_by_suffix,
    style_options,
)
from dense_calc.cli.revision_reader import RevisionReader, reader_options
from dense_calc.cli.streams import write_stderr
from dense_calc.errors import DenseCalcError
from dense_calc.files.loader import file_title
from dense_calc.limits import AmountError, Limit
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.render.checks import VERDICT_FORMATS, render_verdicts
from dense_calc.tracing.tracer import trace

_VERDICT_SUFFIXES = {".json": "json", ".md": "markdown", ".sarif": "sarif", ".xml": "junit"}


def _parse_limit_option(
    ctx: click.Context, option: click.Parameter, given: str | None
) -> Limit | None:
    """`--max-params 5M` as a limit."""
    try:
        return None if given is None else parse_limit(limit_kinds()[str(option.name)], given)
    except AmountError as error:
        raise click.BadParameter(str(error)) from None


def limit_options(command: CommandFunction) -> CommandFunction:
    """Add a flag for each limit that a budget knows."""
    options = [
        click.option(
            kind.flag,
            name,
            metavar="N",
            callback=_parse_limit_option,
            help=kind.quantity.limits[kind.rule].flag_help,
        )
        for name, kind in limit_kinds().items()
    ]
    return add_options(command, options)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@limit_options
@reader_options
@click.option(
    "--format",
    type=click.Choice(list(VERDICT_FORMATS)),
    help="How to print it: as text, or as FILE of -o ends (.json, .md, .sarif, .xml).",
)
@style_options
def check(
    files: tuple[str, ...], reader: RevisionReader, format: str | None, **options: Any
) -> None:
    """Hold models against their budgets: what each FILE sets itself, and the limits given here.

    FILE is a file, a pattern, or a folder of models. Exit status: 0 within budget, 1 over,
    2 if a file is broken.

    Example: dense-calc check specs --max-params 10B
    """
    if (reader.base is None) != (reader.max_increase is None):
        raise click.UsageError("--base and --max-increase need each other.")
    flags = [options.pop(name) for name in limit_kinds()]
    limits = [each for each in flags if each is not None]
    chosen = format or format_by_suffix(options["output"], _VERDICT_SUFFIXES) or "text"
    verdicts = []
    for file, mistake in expand_file_arguments(files):
        found, error = _check_file(file, mistake, limits, reader)
        verdicts.append(found)
        if error and chosen != "github":  # which tells mistakes where they are
            write_stderr(error)
    is_github = chosen == "github"
    emit_text(lambda style: render_verdicts(verdicts, chosen, style), commands=is_github, **options)
    is_broken = any(each.error for each in verdicts)
    sys.exit(2 if is_broken else int(not all(each.ok for each in verdicts)))


def _check_file(
    file: str, mistake: DenseCalcError | None, limits: Sequence[Limit], reader: RevisionReader
) -> tuple[CheckResult, DenseCalcError | None]:
    """The verdict on a file, or on an argument that means none, and what is wrong with it."""
    found: list[Check] = []
    notes = []
    try:
        if mistake:
            raise mistake
        model = reader.read_current(file)
        report = trace(model)
        found.extend(check_limits(report, (*limits, *model.limits)))
        before = reader.read_base(file) if reader.base is not None else None
        if isinstance(before, str):
            notes.append(before)
        elif before:
            found += reader.increase_checks(report.total_params, trace(before).total_params)
    except DenseCalcError as error:
        return broken_check_result(file_title(file), found, error), error
    return check_result(file_title(file), found, *notes), None
