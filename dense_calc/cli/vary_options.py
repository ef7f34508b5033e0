"""The options for variables and their ranges: `--vary width,depth --max 512 --max depth=48`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from dense_calc.cli.completed_values import complete_vars
from dense_calc.cli.options import CommandFunction
from dense_calc.whatif.variables import MAX_BOUND

_OptionBounds = Mapping[str, int]
_ALL_VARIABLES = ""  # the name of a bound that holds for all variables


def _parse_variable_names(
    ctx: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """The distinct names in `--vary width,depth --vary heads`."""
    names = (name.strip() for text in texts for name in text.split(","))
    return tuple(dict.fromkeys(filter(None, names)))


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
            message = f"'{text}' is no whole number, nor NAME=N with one"
            raise click.BadParameter(message) from None
        if abs(bound) > MAX_BOUND:
            raise click.BadParameter(f"'{text}' is too far; at most {MAX_BOUND:,}")
        bounds[name.strip()] = bound
    return bounds


def vary_option(help: str) -> Callable[[CommandFunction], CommandFunction]:
    """The option that names the variables; the command takes them as `vary`."""
    return click.option(
        "--vary",
        metavar="A,B,...",
        multiple=True,
        required=True,
        callback=_parse_variable_names,
        shell_complete=complete_vars,
        help=help,
    )


def bound_option(
    *names: str, help: str, **others: Any
) -> Callable[[CommandFunction], CommandFunction]:
    """An option for a number that bounds all variables, or for one number per variable."""
    return click.option(
        *names, metavar="N|NAME=N", multiple=True, callback=_parse_bounds, help=help, **others
    )


def variable_bounds(bounds: _OptionBounds, vary: tuple[str, ...]) -> dict[str, int]:
    """The bound of each variable: its own, or the one for all variables."""
    shared = dict.fromkeys(vary, bounds[_ALL_VARIABLES]) if _ALL_VARIABLES in bounds else {}
    return shared | {name: bound for name, bound in bounds.items() if name != _ALL_VARIABLES}
