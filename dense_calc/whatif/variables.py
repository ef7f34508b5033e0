"""What varies in a search: that it can, and the values that the file itself has for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Any

from dense_calc.errors import DenseCalcError, describe_value
from dense_calc.settings.variants import ModelVariants

MAX_BOUND = 2**61  # of the values of a variable
_VARY_USAGE = "--vary {}"  # how a variable is named
_MAX_VARIABLES = 16  # variables: each adds an axis to what is looked at

Bounds = int | Mapping[str, int]  # of all variables, or of each by its name


def variable_names(vary: str | Iterable[str]) -> tuple[str, ...]:
    """The distinct names of variables, in one text or in several."""
    names = vary.split(",") if isinstance(vary, str) else vary
    return tuple(dict.fromkeys(filter(None, map(str.strip, names))))


def bounds_by_name(bounds: Bounds | None, names: Iterable[str]) -> Mapping[str, int]:
    """The bound of each variable that has one."""
    if isinstance(bounds, Mapping):
        return bounds
    return {} if bounds is None else dict.fromkeys(names, bounds)


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
        raise DenseCalcError("there is nothing to vary; say what may grow: --vary width")
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
    return DenseCalcError(
        f"'{name}' is {describe_value(value)}; only what is a whole number can vary here"
    )
