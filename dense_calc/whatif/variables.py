"""What varies in a search: that it can, and the values that the file itself has for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Any

from dense_calc.errors import MAX_LISTED_CHOICES, DenseCalcError, describe_value
from dense_calc.settings.values import (
    SettingValues,
    demand_setting_names,
    parse_setting_values,
    to_python_value,
)
from dense_calc.settings.variants import ModelVariants

MAX_BOUND = 2**61  # of the values of a variable
_VARY_USAGE = "--vary {}"  # how a variable is named
_MAX_VARIABLES = 16  # variables: each adds an axis to what is looked at

Bounds = int | Mapping[str, int]  # of all variables, or of each by its name
Variables = str | Iterable[str] | Mapping[str, Any]  # names, or values by name, None for any


def parse_variables(vary: Variables) -> dict[str, SettingValues | None]:
    """The values that the variables may take, None where nobody has listed them.

    Raises:
        DenseCalcError: a variable has no name, or its values are none.
    """
    names = vary.split(",") if isinstance(vary, str) else vary
    if not isinstance(names, Iterable):
        raise DenseCalcError(f"variables have names, such as 'width', not {describe_value(vary)}")
    choices = names if isinstance(names, Mapping) else dict.fromkeys(names)
    demand_setting_names(choices)
    return {
        name.strip(): None if each is None else parse_setting_values(name, each, "--vary")
        for name, each in choices.items()
        if name.strip()
    }


def demand_names_only(vary: Mapping[str, object]) -> tuple[str, ...]:
    """The names of variables, none of which may have listed values.

    Raises:
        DenseCalcError: one has.
    """
    for name, values in vary.items():
        if values is not None:
            told = f"'{name}' cannot have a list of values here"
            raise DenseCalcError(f"{told}; say with --min and --max where it ends")
    return tuple(vary)


def parse_bounds(key: str, bounds: Bounds | None, names: Iterable[str]) -> dict[str, int]:
    """The bound of each variable that has one; the key is `min`, `max` or `multiple_of`.

    Raises:
        DenseCalcError: one is not a whole number, or too far.
    """
    if bounds is None:
        return {}
    by_name = dict(bounds) if isinstance(bounds, Mapping) else dict.fromkeys(names, bounds)
    for name, each in by_name.items():
        number = by_name[name] = to_python_value(each)
        if not isinstance(number, int) or isinstance(number, bool):
            told = f"'{key}' takes a whole number, or a mapping of names to some"
            raise DenseCalcError(f"{told}, not {describe_value(number)}")
        if abs(number) > MAX_BOUND:
            raise DenseCalcError(f"'{key}' of '{name}' is too far; at most {MAX_BOUND:,}")
    return by_name


def file_values(
    file: ModelVariants,
    vary: Collection[str],
    settings: Iterable[str],
    bounds: Iterable[Mapping[str, int]],
) -> dict[str, Any]:
    """The values that a file itself has for what varies, while these settings stay.

    Raises:
        DenseCalcError: nothing varies, too much does, or what is not there or stays; or another
            has a bound.
    """
    if len(vary) > _MAX_VARIABLES:
        told = f"{len(vary):,} variables are too many to vary at once"
        mending = f"name at most {_MAX_VARIABLES}, or let one var stand for several"
        raise DenseCalcError(f"{told}; {mending}")
    own = {name: file.setting_value(name, _VARY_USAGE) for name in vary}
    if not own:
        known = ", ".join(list(file.vars)[:MAX_LISTED_CHOICES])
        choices = f"its vars: {known}" if known else "it has no vars: use an argument, dense.units"
        raise DenseCalcError(f"name what varies in {file.name}: --vary NAME; {choices}")
    demand_setting_names(settings)
    for name in settings:
        file.setting_value(name)
        if name in own:
            raise DenseCalcError(f"'{name}' cannot vary while --set gives it a value")
    for name in chain.from_iterable(bounds):
        if name not in own:
            raise DenseCalcError(f"'{name}' has a bound, but does not vary; add --vary {name}")
    return own


def empty_range_error(name: str, least: int, most: int) -> DenseCalcError:
    """The complaint about bounds between which there is nothing."""
    told = f"its min, {least:,}, is above its max, {most:,}; see --min and --max"
    return DenseCalcError(f"'{name}' has no value: {told}")


def non_integer_error(name: str, value: object) -> DenseCalcError:
    """The complaint about what cannot vary."""
    return DenseCalcError(f"'{name}' is {describe_value(value)}; only whole numbers can vary here")
