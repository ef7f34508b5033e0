"""Settings with several values each → a row for every combination of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise, starmap
from math import prod
from typing import Any, overload

from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.files.loader import read_variants
from dense_calc.settings.values import MAX_COMBINATIONS, SettingValues, parse_setting_values
from dense_calc.settings.variants import ModelVariants, VariantRow
from dense_calc.whatif.pieces import ModelFormulas

_ROWS_PER_TASK = 500  # combinations that a process works on at a time


def sweep(
    path: str | os.PathLike[str],
    settings: Mapping[str, Any],
    *,
    zip: bool = False,
    assume: Mapping[str, str] | None = None,
) -> Sweep:
    """What the model in a file comes to with every combination of these settings.

    `settings` maps vars, arguments of layers (`conv2d_1.filters`) and inputs to their values: a
    list, a range, or a text as the command line has it, `"2:12:2"`. With `zip`, the first values
    of all go together, then the second ones, and so on. The rows are made while they are read;
    they and the sweep itself, or a part of it, can be pickled.

    >>> [row["total_params"] for row in sweep("specs/lenet5.yaml", {"width": [6, 12]})]
    [61706, 64262]

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model, or there is no such setting.
    """
    whole = read_variants(path, assume or {})
    whole.demand_settings(settings)
    return Sweep(
        whole, {name: parse_setting_values(name, each) for name, each in settings.items()}, zip
    )


class Sweep(Sequence[VariantRow]):
    """The rows of all combinations, each worked out when it is asked for; parts are sweeps, too.

    The last setting changes fastest. Rows have the keys of the JSON: `set`, the settings; what the
    model comes to, or the `error` that says why there is none.
    """

    def __init__(
        self,
        whole: ModelVariants,
        choices: dict[str, SettingValues],
        zipped: bool,
        places: range | None = None,
    ) -> None:
        self.variants = whole
        self.choices = choices
        self.is_zipped = zipped
        sizes = {name: len(values) for name, values in choices.items()}
        if zipped and len(set(sizes.values())) > 1:
            told = " and ".join(f"'{name}' has {size:,}" for name, size in sizes.items())
            raise SpecError(f"settings that go together need as many values each: {told}")
        total = min(sizes.values()) if zipped and sizes else prod(sizes.values())
        if total > MAX_COMBINATIONS:
            told = f"these are {total:,} combinations; there may be {MAX_COMBINATIONS:,}"
            raise SpecError(f"{told}: take fewer values, or a range in wider steps, 32:512:32")
        self.indices = range(total) if places is None else places
        self.formulas = ModelFormulas(whole, list(choices))
        # the values of each setting, and the places between two of them
        self.values_and_strides: list[tuple[SettingValues, int]] = []
        stride = 1
        for values in reversed(choices.values()):
            self.values_and_strides.insert(0, (values, stride))
            stride *= 1 if zipped else len(values)

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> VariantRow: ...
    @overload
    def __getitem__(self, place: slice) -> Sweep: ...
    def __getitem__(self, place: int | slice) -> VariantRow | Sweep:
        places = self.indices[place]
        if isinstance(places, range):
            return self.subset_at(places)
        return next(iter(self.subset_at(range(places, places + 1))))

    def __iter__(self) -> Iterator[VariantRow]:
        return chain.from_iterable(self.row_batches())

    def row_batches(self) -> Iterator[list[VariantRow]]:
        """The rows in lists, which are short where each row takes long."""
        if not self.choices:
            return self.formulas.row_batches([()] * len(self))
        columns = starmap(self._column, self.values_and_strides)
        return self.formulas.row_batches(zip(*columns, strict=True))

    def _column(self, values: SettingValues, stride: int) -> Iterator[Any]:
        """The values of one setting in each combination."""
        count = len(values)
        return (values[place // stride % count] for place in self.indices)

    def __reduce__(self) -> tuple[Any, ...]:
        return Sweep, (self.variants, self.choices, self.is_zipped, self.indices)

    def split(self, count: int) -> list[Sweep]:
        """So many parts, one after the other, whose lengths differ by one at most.

        Raises:
            SpecError: the count is less than 1.
        """
        if count < 1:
            raise SpecError(f"a sweep is split into 1 part or more, not {count}")
        edges = [len(self) * part // count for part in range(count + 1)]
        return [self[first:end] for first, end in pairwise(edges)]

    def subset_at(self, places: range) -> Sweep:
        """The same at some of its places."""
        part = Sweep(self.variants, self.choices, self.is_zipped, places)
        part.formulas = self.formulas
        return part


def row_batches_in_parallel(whole: Sweep, jobs: int) -> Iterator[list[VariantRow]]:
    """The rows of a sweep in lists, worked out by so many processes, or one for each core."""
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor  # 20 ms, for several jobs
    from multiprocessing import get_context

    starts = range(0, len(whole), _ROWS_PER_TASK)
    parts = (whole.indices[start : start + _ROWS_PER_TASK] for start in starts)
    jobs = max(1, min(jobs, len(starts), _available_cores()))
    own = get_context("spawn")  # a fork would copy the threads' locks, too
    try:
        with ProcessPoolExecutor(jobs, own, _initialize_worker, (whole,)) as pool:
            try:
                waiting = deque(pool.submit(_worker_rows, part) for part in islice(parts, 2 * jobs))
                while waiting:
                    yield waiting.popleft().result()
                    waiting.extend(pool.submit(_worker_rows, part) for part in islice(parts, 1))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    except BrokenExecutor:
        raise DenseCalcError("a process of the sweep has ended; try fewer --jobs") from None
    except OSError as error:
        told = f"cannot start the processes of the sweep: {error.strerror or error}"
        raise DenseCalcError(f"{told}; try fewer --jobs") from None


def _available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_WORKER_SWEEP: list[Sweep] = []  # the one that a process of a pool works on


def _initialize_worker(whole: Sweep) -> None:
    """Keep the sweep of which parts will be asked for, until the first process ends.

    That is the one that a stop from the keyboard is meant for.
    """
    import signal
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_exit_with_parent, daemon=True).start()
    _WORKER_SWEEP[:] = [whole]


def _exit_with_parent() -> None:
    """Wait for the end of the first process, whatever it is, and end too."""
    from multiprocessing import parent_process

    parent = parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _worker_rows(places: range) -> list[VariantRow]:
    """The rows at some places of the sweep that this process has received."""
    (whole,) = _WORKER_SWEEP
    return list(whole.subset_at(places))
