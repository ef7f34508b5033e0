"""How a command reads its files: in their current state, and at a revision of git."""

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
    amount_callback,
    assume_option,
    load_model,
    set_option,
)
from dense_calc.errors import AbsentError
from dense_calc.limits import AllowedIncrease, parse_increase
from dense_calc.model import Model

_BASE_OPTIONS = (
    click.option(
        "--base",
        metavar="REV",
        help="Compare with FILE at a git revision: origin/main, HEAD~1.",
    ),
    click.option(
        "--max-increase",
        metavar="5%|100k",
        callback=amount_callback(parse_increase),
        help="Allow at most this increase in parameters over --base, in per cent or by number.",
    ),
    click.option(
        "--allow-missing-base",
        is_flag=True,
        help="If the revision or the file in it is missing, print a note instead of failing.",
    ),
)


class RevisionReader(Struct, frozen=True):
    """Reads files with the options of the command line, in their current state or at the base."""

    base: str | None
    max_increase: AllowedIncrease | None
    allow_missing: bool
    overrides: Mapping[str, str]
    assumed: Mapping[str, str]

    def read_current(self, file: str) -> Model:
        """The model in a file.

        Raises:
            DenseCalcError: the file holds no model.
        """
        return load_model(file, self.overrides, self.assumed)

    def read_base(self, file: str) -> Model | str:
        """The model in a file at the base; or a note that the base is missing, if that is allowed.

        Raises:
            DenseCalcError: the file is missing at the base, or holds no model there.
        """
        try:
            return load_model(file, self.overrides, self.assumed, self.base)
        except AbsentError as error:
            if not self.allow_missing:
                raise
            return f"{error.message}: nothing to compare with"

    def increase_checks(self, params: int, base: int) -> list[Check]:
        """The check of the increase, if the command line limits it."""
        increase = self.max_increase
        return [] if increase is None else [check_increase(increase, params, base)]


def reader_options(command: CommandFunction) -> CommandFunction:
    """Add the options that say how to read files; the command takes them as its `reader`."""

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
            raise click.UsageError("--base is empty; give a revision such as origin/main.")
        if allow_missing_base and base is None:
            raise click.UsageError("--allow-missing-base needs --base.")
        reader = RevisionReader(base, max_increase, allow_missing_base, overrides, assumed)
        command(*arguments, reader=reader, **others)

    return add_options(with_reader, (*_BASE_OPTIONS, set_option, assume_option))
