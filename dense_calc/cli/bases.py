"""The options that compare a file with itself at a revision of git's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from dense_calc.cli.options import Command, loaded, with_options
from dense_calc.errors import AbsentError
from dense_calc.limits import AmountError, Increase, increase
from dense_calc.model import Model


def increase_of(ctx: click.Context, option: click.Parameter, given: str | None) -> Increase | None:
    """`--max-increase` as what it allows."""
    try:
        return None if given is None else increase(given)
    except AmountError as error:
        raise click.BadParameter(str(error)) from None


BASE_OPTIONS = (
    click.option(
        "--base",
        metavar="REV",
        help="Compare with the file as it is at this revision of git's: origin/main, HEAD~1.",
    ),
    click.option(
        "--max-increase",
        metavar="5%|100k",
        callback=increase_of,
        help="How many parameters more than the base there may be, in per cent or in parameters.",
    ),
    click.option(
        "--allow-missing-base",
        is_flag=True,
        help="Note a revision that is not there, or that has not the file, instead of failing.",
    ),
)


def base_options(command: Command) -> Command:
    """Add the options of a base."""
    return with_options(command, BASE_OPTIONS)


def base_of(
    file: str,
    base: str,
    overrides: Mapping[str, str],
    assumed: Mapping[str, str],
    allow_missing: bool,
) -> Model | str:
    """The model in a file at its base; or, if that may be missing, a note that says so.

    Raises:
        DenseCalcError: it is missing, or holds no model.
    """
    try:
        return loaded(file, overrides, assumed, base)
    except AbsentError as error:
        if not allow_missing:
            raise
        return f"{error.message}: nothing to compare with"


def demand_base(base: str | None, **needing: Any) -> None:
    """Raise UsageError if an option is given that needs --base, without it."""
    for name, value in needing.items():
        if value and base is None:
            raise click.UsageError(
                f"--{name.replace('_', '-')} needs --base, what to compare with."
            )
