"""The largest values with which a model fits its limits: a search, however the count changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from dense_calc.errors import DenseCalcError, did_you_mean
from dense_calc.limits import AmountError
from dense_calc.quantities import limit, limit_kinds
from dense_calc.settings.apply import plain
from dense_calc.settings.variants import Row
from dense_calc.whatif.fitting.answers import Bounds, Question, answer

NOTHING: Mapping[str, str] = {}


def fit(
    path: str | os.PathLike[str],
    vary: str | Iterable[str],
    *,
    multiple_of: Bounds = 1,
    min: Bounds = 1,
    max: Bounds | None = None,
    scale: bool = False,
    settings: Mapping[str, int | float | str] = NOTHING,
    assume: Mapping[str, str] = NOTHING,
    **limits: int | str | None,
) -> list[Row]:
    """The largest values of a variable, or of several, with which the model in a file fits.

    One row for one variable, or for several that move together from the file's own values with
    `scale`; for several apart, those that fit and of which none can be raised, in the order of the
    first. None if nothing fits. A row is a plain dict: what was set, the counts, and the slack,
    what is left to the tightest limit, in parameters or in bytes.

    >>> [row] = fit("specs/lenet5.yaml", "width", max_params="100k")
    >>> row["set"], row["total_params"], row["slack"]
    ({'width': 95}, 99620, 380)

    The limits are `max_params`, `max_trainable`, `max_size` and `min_params`, as the flags of the
    command: numbers, or texts such as "1M" and "20MiB". Without any, the file's own budget is
    what to fit. Values are the multiples of `multiple_of` from `min` to `max`, each a number for
    all variables or a mapping of names to numbers; without `max`, up to where nothing fits.
    `settings` gives other vars their values, `assume` is that of `load`.

    Raises:
        FileError: the file cannot be read.
        DenseCalcError: it holds no model, has no such variable, or nothing limits it; or a limit
            is none.
    """
    from dense_calc.files.loader import variants  # the search itself knows nothing of files

    kinds = {kind.flag[2:].replace("-", "_"): kind for kind in limit_kinds().values()}
    for name in limits.keys() - kinds.keys():
        raise TypeError(f"fit() has no argument '{name}'{did_you_mean(name, kinds)}")
    try:
        demanded = [
            limit(kind, plain(limits[name]))
            for name, kind in kinds.items()
            if limits.get(name) is not None
        ]
    except AmountError as error:
        raise DenseCalcError(str(error)) from None
    names = vary.split(",") if isinstance(vary, str) else vary
    question = Question(
        vary=tuple(dict.fromkeys(filter(None, map(str.strip, names)))),
        limits=tuple(demanded),
        multiple_of=multiple_of,
        min=min,
        max=max,
        scale=scale,
        settings=settings,
    )
    return list(answer(variants(path, assume), question).fits)
