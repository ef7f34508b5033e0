"""`dense-calc check`: budgets and expectations held against models, for people and for CI."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from msgspec import Struct

from dense_calc.budgets import Check, Verdict, broken, check_of_increase, checks, verdict
from dense_calc.cli.bases import base_of, base_options, demand_base
from dense_calc.cli.files import each_file
from dense_calc.cli.options import (
    Command,
    assume_option,
    by_ending,
    emit,
    loaded,
    look_options,
    set_option,
    with_options,
)
from dense_calc.errors import DenseCalcError
from dense_calc.limits import LIMITS, AmountError, Increase, Limit, limit
from dense_calc.loading import title
from dense_calc.render.checks import FORMATS, rendered
from dense_calc.tracing import trace

SUFFIXES = {".json": "json", ".md": "markdown", ".sarif": "sarif", ".xml": "junit"}
HELP = {
    "params": "The most parameters that a model may have: 100k, 5M, 1.5B, 1_000_000.",
    "trainable": "The most trainable parameters that it may have.",
    "size": "The most bytes that its weights may take, each in its dtype: 20MiB, 80MB.",
    "min_params": "The fewest parameters that it may have.",
}


def limit_of(ctx: click.Context, option: click.Parameter, given: str | None) -> Limit | None:
    """`--max-params 5M` as a limit."""
    try:
        return None if given is None else limit(LIMITS[str(option.name)], given)
    except AmountError as error:
        raise click.BadParameter(str(error)) from None


def limit_options(command: Command) -> Command:
    """Add a flag for each limit that a budget knows."""
    flags = {name: f"--{name}" if name.startswith("min") else f"--max-{name}" for name in LIMITS}
    options = [
        click.option(flag.replace("_", "-"), name, metavar="N", callback=limit_of, help=HELP[name])
        for name, flag in flags.items()
    ]
    return with_options(command, options)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@limit_options
@base_options
@set_option
@assume_option
@click.option(
    "--format",
    type=click.Choice(list(FORMATS)),
    help="How to print it: as text, or as FILE of -o ends (.json, .md, .sarif, .xml).",
)
@look_options
def check(
    files: tuple[str, ...],
    base: str | None,
    max_increase: Increase | None,
    allow_missing_base: bool,
    overrides: dict[str, str],
    assumed: dict[str, str],
    format: str | None,
    **options: Any,
) -> None:
    """Hold models against their budgets: what each FILE sets itself, and the limits given here.

    FILE is a file, a pattern, or a folder of models. Exit status: 0 within budget, 1 over,
    2 if a file is broken.

    Example: dense-calc check specs --max-params 10B
    """
    demand_base(base, max_increase=max_increase, allow_missing_base=allow_missing_base)
    if base is not None and max_increase is None:
        raise click.UsageError("--base needs --max-increase, how much more there may be.")
    limits = [options.pop(name) for name in LIMITS]
    chosen = format or by_ending(options["output"], SUFFIXES) or "text"
    asked = Asked(
        limits=tuple(each for each in limits if each is not None),
        base=base,
        max_increase=max_increase,
        allow_missing=allow_missing_base,
        overrides=overrides,
        assumed=assumed,
        tells_mistakes=chosen == "github",
    )
    verdicts = [verdict_on(file, mistake, asked) for file, mistake in each_file(files)]
    emit(lambda style: rendered(verdicts, chosen, style), **options)
    sys.exit(
        2 if any(each.error for each in verdicts) else int(not all(each.ok for each in verdicts))
    )


class Asked(Struct, frozen=True):
    """What the command line asks of every file, beside what that asks of itself.

    Mistakes are printed, unless the output tells them where they would be.
    """

    limits: tuple[Limit, ...]
    base: str | None
    max_increase: Increase | None
    allow_missing: bool
    overrides: Mapping[str, str]
    assumed: Mapping[str, str]
    tells_mistakes: bool


def verdict_on(file: str, mistake: DenseCalcError | None, asked: Asked) -> Verdict:
    """The verdict on one file, or on an argument that means none."""
    found: list[Check] = []
    try:
        if mistake:
            raise mistake
        model = loaded(file, asked.overrides, asked.assumed)
        report = trace(model)
        found.extend(checks(report, (*model.limits, *asked.limits)))
        if asked.base is None or asked.max_increase is None:
            return verdict(title(file), found)
        before = base_of(file, asked.base, asked.overrides, asked.assumed, asked.allow_missing)
        if isinstance(before, str):
            return verdict(title(file), found, before)
        params = trace(before).total_params
        found.append(check_of_increase(asked.max_increase, report.total_params, params))
    except DenseCalcError as error:
        if not asked.tells_mistakes:
            print(error, file=sys.stderr)
        return broken(title(file), found, error)
    return verdict(title(file), found)
