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

    One row for one variable, or for several that move together from the file's own values with
    `scale`; for several apart, those that fit and of which none can be raised, in the order of the
    first. The list is empty if nothing fits. A row is a plain dict: what was set, the counts, and
    the slack, what is left to the tightest limit, in parameters or in bytes.

    >>> [row] = fit("specs/lenet5.yaml", "width", max_params="100k")
    >>> row["set"], row["total_params"], row["slack"]
    ({'width': 95}, 99620, 380)

    The limits are `max_params`, `max_trainable`, `max_size` and `min_params`, as the flags of the
    command: numbers, or texts such as "1M" and "20MiB". Without any, the file's own budget is
    what to fit. Values are the multiples of `multiple_of` from `min` to `max`, each a number for
    all variables or a mapping of names to numbers; without `max`, up to where nothing fits. All
    are looked at; of a range of more than 1,048,576, those up to where nothing fits, as without
    `max`. `settings` gives other vars their values, `assume` is that of `load`.

    Raises:
        FileError: the file cannot be read.
        DenseCalcError: it holds no model, has no such variable, or nothing limits it; or a limit
            is none.
        TypeError: a limit is unknown.
    """
    from dense_calc.files.loader import read_variants  # the search itself knows nothing of files

    given = vary.split(",") if isinstance(vary, str) else vary
    names = tuple(dict.fromkeys(filter(None, map(str.strip, given))))
    query = FitQuery(
        vary=names,
        limits=tuple(_parse_limits(limits)),
        multiple_of=_bound_by_name(multiple_of, names),
        min=_bound_by_name(min, names),
        max={} if max is None else _bound_by_name(max, names),
        scale=scale,
        settings=settings,
    )
    return list(answer_fit_query(read_variants(path, assume), query).fitting_rows)


def _bound_by_name(bound: FitBounds, names: Iterable[str]) -> Mapping[str, int]:
    """The bound of each variable."""
    return bound if isinstance(bound, Mapping) else dict.fromkeys(names, bound)


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
