"""What varies, and from where to where: `--vary width,depth --max 512 --max depth=48`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from dense_calc.cli.options import Command

Bounds = Mapping[str, int]
EVERY = ""  # stands for all variables
FARTHEST = 2**61


def names_of(
    ctx: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """`--vary width,depth --vary heads` as names, each once."""
    names = (name.strip() for text in given for name in text.split(","))
    return tuple(dict.fromkeys(filter(None, names)))


def bounds_of(
    ctx: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, int]:
    """`--max 512 --max depth=48` as a mapping; the last of a name wins."""
    bounds = {}
    for text in given:
        name, _, number = text.rpartition("=")
        try:
            bound = int(number)
        except ValueError:
            message = f"'{text}' is no whole number, nor NAME=N with one"
            raise click.BadParameter(message) from None
        if abs(bound) > FARTHEST:
            raise click.BadParameter(f"'{text}' is too far; at most {FARTHEST:,}")
        bounds[name.strip()] = bound
    return bounds


def vary_option(help: str) -> Callable[[Command], Command]:
    """The option that names the variables; the command takes them as `vary`."""
    return click.option("--vary", metavar="A,B,...", multiple=True, callback=names_of, help=help)


def bound_option(*names: str, help: str, **others: Any) -> Callable[[Command], Command]:
    """An option that is a number for all variables, or one for each."""
    return click.option(
        *names, metavar="N|NAME=N", multiple=True, callback=bounds_of, help=help, **others
    )


def of_each(bounds: Bounds, vary: tuple[str, ...]) -> dict[str, int]:
    """The bound of each variable: its own, or else that of all."""
    every = dict.fromkeys(vary, bounds[EVERY]) if EVERY in bounds else {}
    return every | {name: bound for name, bound in bounds.items() if name != EVERY}
