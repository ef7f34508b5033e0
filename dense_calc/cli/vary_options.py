"""The options for variables and their ranges: `--vary width,depth --max 512 --max depth=48`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import click

from dense_calc.cli.completed_values import complete_vars
from dense_calc.cli.options import CommandFunction
from dense_calc.whatif.variables import MAX_BOUND, demand_names_only

_OptionBounds = Mapping[str, int]
_ALL_VARIABLES = ""  # the name of a bound that holds for all variables


def _parse_variables(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str | None]:
    """The names in `--vary width,depth --vary alpha=0.25:2:0.25`, with the values of some."""
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals:
            found |= dict.fromkeys(filter(None, map(str.strip, text.split(","))))
        elif "," in name or not name.strip() or not values.strip():
            told = f"'{text}' is neither names, A,B, nor values of one, NAME=1,2 or NAME=1:9"
            raise click.BadParameter(f"{told}; --vary is repeatable")
        else:
            found[name.strip()] = values.strip()
    return found


def _parse_variable_names(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """The distinct names in `--vary width,depth --vary heads`, none of which has values."""
    return demand_names_only(_parse_variables(ctx, option, texts))


def _parse_bounds(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, int]:
    """The bounds of `--max 512 --max depth=48` by name; the last one for a name wins."""
    bounds = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            bound = int(number)
        except ValueError:
            message = f"'{text}' is not a whole number, nor NAME=N with one"
            raise click.BadParameter(message) from None
        if abs(bound) > MAX_BOUND:
            raise click.BadParameter(f"'{text}' is too large; use at most {MAX_BOUND:,}")
        bounds[name.strip()] = bound
    return bounds


def vary_option(
    help: str, *, with_values: bool = False
) -> Callable[[CommandFunction], CommandFunction]:
    """The option that names the variables; the command takes them as `vary`.

    That is a tuple, or with `with_values` a mapping of the names to texts of values, or to None.
    """
    return click.option(
        "--vary",
        metavar="A,B,...|NAME=VALUES" if with_values else "A,B,...",
        multiple=True,
        callback=_parse_variables if with_values else _parse_variable_names,
        shell_complete=complete_vars,
        help=f"{help}  [required]",  # by the command, which then lists the vars of the file
    )


def bound_option(
    *names: str, help: str, **others: Any
) -> Callable[[CommandFunction], CommandFunction]:
    """An option for a number that bounds all variables, or for one number per variable."""
    return click.option(
        *names, metavar="N|NAME=N", multiple=True, callback=_parse_bounds, help=help, **others
    )


def variable_bounds(bounds: _OptionBounds, vary: Collection[str]) -> dict[str, int]:
    """The bound of each variable: its own, or the one for all variables that `vary` names.

    Raises:
        UsageError: it names none.
    """
    if _ALL_VARIABLES in bounds and not vary:
        message = "All variables have lists of values: leave out --min, --max and --multiple-of."
        raise click.UsageError(message)
    shared = dict.fromkeys(vary, bounds[_ALL_VARIABLES]) if _ALL_VARIABLES in bounds else {}
    return shared | {name: bound for name, bound in bounds.items() if name != _ALL_VARIABLES}
