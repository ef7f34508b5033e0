"""The largest values with which a model fits its limits: all are looked at, by formulas."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dense_calc.errors import DenseCalcError, did_you_mean
from dense_calc.limits import AmountError, Limit
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.settings.values import to_python_value
from dense_calc.settings.variants import VariantRow
from dense_calc.whatif.fitting.answers import FitQuery, answer_fit_query

FitBounds = int | Mapping[str, int]

_NO_FIT_OPTIONS: Mapping[str, str] = {}


def fit(
    path: str | os.PathLike[str],
    vary: str | Iterable[str],
    *,
    multiple_of: FitBounds = 1,
    min: FitBounds = 1,
    max: FitBounds | None = None,
    scale: bool = False,
    settings: Mapping[str, int | float | str] = _NO_FIT_OPTIONS,
    assume: Mapping[str, str] = _NO_FIT_OPTIONS,
    **limits: int | str | None,
) -> list[VariantRow]:
    """The largest values of a variable, or of several, with which the model in a file fits.

    One row for one variable, or for several that move together with `scale`; for several apart,
    all rows of which no variable can be raised. A row is a dict: what was set, the counts, and the
    slack, what is left to the tightest limit. Limits and bounds are what the flags of the command
    are: `max_params="1M"`; without limits, the file's budget. A bound is a number for all variables
    or a mapping of names to numbers. `settings` and `assume` are what `--set` and `--assume` are.

    >>> [row] = fit("specs/lenet5.yaml", "width", max_params="100k")
    >>> row["set"], row["total_params"], row["slack"]
    ({'width': 95}, 99620, 380)

    Raises:
        FileError: the file cannot be read.
        DenseCalcError: it holds no model, has no such variable, or nothing limits it.
        TypeError: a limit is unknown.
    """
    from dense_calc.files.loader import read_variants  # the search itself knows nothing of files

    given = vary.split(",") if isinstance(vary, str) else vary
    names = tuple(dict.fromkeys(filter(None, map(str.strip, given))))
    written = {"multiple_of": multiple_of, "min": min, "max": max}
    bounds = {key: _bound_by_name(bound, names) for key, bound in written.items()}
    query = FitQuery(names, tuple(_parse_limits(limits)), scale=scale, settings=settings, **bounds)
    return list(answer_fit_query(read_variants(path, assume), query).fitting_rows)


def _bound_by_name(bound: FitBounds | None, names: Iterable[str]) -> Mapping[str, int]:
    """The bound of each variable that has one."""
    if isinstance(bound, Mapping):
        return bound
    return {} if bound is None else dict.fromkeys(names, bound)


def _parse_limits(given: Mapping[str, Any]) -> Iterator[Limit]:
    """The limits that keyword arguments set.

    Raises:
        DenseCalcError: a value is no amount.
        TypeError: a limit is unknown.
    """
    kinds = {kind.argument: kind for kind in limit_kinds().values()}
    for name in given.keys() - kinds.keys():
        raise TypeError(f"fit() has no argument '{name}'{did_you_mean(name, kinds)}")
    for name, kind in kinds.items():
        if given.get(name) is not None:
            try:
                yield parse_limit(kind, to_python_value(given[name]))
            except AmountError as error:
                raise DenseCalcError(str(error)) from None
