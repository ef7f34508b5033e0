"""How a command reads its files: as they are, and as they were at a revision of git's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

import click
from msgspec import Struct

from dense_calc.analysis.budget import Check, check_increase
from dense_calc.cli.options import (
    CommandFunction,
    add_options,
    assume_option,
    load_model,
    set_option,
)
from dense_calc.errors import AbsentError
from dense_calc.limits import AllowedIncrease, AmountError, parse_increase
from dense_calc.model import Model


def _parse_increase_option(
    ctx: click.Context, option: click.Parameter, given: str | None
) -> AllowedIncrease | None:
    """`--max-increase` as what it allows."""
    try:
        return None if given is None else parse_increase(given)
    except AmountError as error:
        raise click.BadParameter(str(error)) from None


_BASE_OPTIONS = (
    click.option(
        "--base",
        metavar="REV",
        help="Compare with the file as it is at this revision of git's: origin/main, HEAD~1.",
    ),
    click.option(
        "--max-increase",
        metavar="5%|100k",
        callback=_parse_increase_option,
        help="How many parameters more than the base there may be, in per cent or in parameters.",
    ),
    click.option(
        "--allow-missing-base",
        is_flag=True,
        help="Note a revision that is not there, or that has not the file, instead of failing.",
    ),
)


class RevisionReader(Struct, frozen=True):
    """How a command reads its files, now and at their base, as the command line says."""

    base: str | None
    max_increase: AllowedIncrease | None
    allow_missing: bool
    overrides: Mapping[str, str]
    assumed: Mapping[str, str]

    def read_current(self, file: str) -> Model:
        """The model in a file.

        Raises:
            DenseCalcError: there is none.
        """
        return load_model(file, self.overrides, self.assumed)

    def read_base(self, file: str) -> Model | str:
        """The model in a file at its base; or, if that may be missing, a note that says so.

        Raises:
            DenseCalcError: it is missing, or holds no model.
        """
        try:
            return load_model(file, self.overrides, self.assumed, self.base)
        except AbsentError as error:
            if not self.allow_missing:
                raise
            return f"{error.message}: nothing to compare with"

    def increase_checks(self, params: int, base: int) -> list[Check]:
        """The check of the increase, if there is one."""
        increase = self.max_increase
        return [] if increase is None else [check_increase(increase, params, base)]


def reader_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say how files are read; the command takes them as its `reader`."""

    @wraps(command)
    def with_reader(
        *arguments: Any,
        base: str | None,
        max_increase: AllowedIncrease | None,
        allow_missing_base: bool,
        overrides: dict[str, str],
        assumed: dict[str, str],
        **others: Any,
    ) -> None:
        if base == "":
            raise click.UsageError("--base is empty; it takes a revision: origin/main, HEAD~1.")
        if allow_missing_base and base is None:
            raise click.UsageError("--allow-missing-base needs --base, what to compare with.")
        reader = RevisionReader(base, max_increase, allow_missing_base, overrides, assumed)
        command(*arguments, reader=reader, **others)

    return add_options(with_reader, (*_BASE_OPTIONS, set_option, assume_option))
