"""Search a line of settings for the largest that fit, however the count changes along it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile
from time import process_time

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.settings.variants import VariantRow
from dense_calc.whatif.fitting.demands import (
    CountVector,
    FitConstraints,
    ProgressFactory,
    RowEvaluator,
    has_falling_count,
    is_valid_row,
)
from dense_calc.whatif.fitting.lines import SettingsLine

MAX_EXHAUSTIVE_SIZE = 10_000  # settings of which each is looked at
LINE_SAMPLES = 2_000  # settings that are looked at of more than that, evenly spread over them
REFINEMENT_WIDTH = 500  # settings on each side of the answer of which each is then looked at
MAX_SEARCH_SECONDS = 3  # seconds of work in which each is looked at; if that takes longer, some are
_MIN_LOOKS = 32  # settings that are looked at however long it takes
TIMED_LOOKS = 3  # settings that tell how long a look takes: one may have to wait for something else
_LINE_PROBE_WIDTH = 256  # settings that are looked at to find one that makes a model
_END_RUN_LENGTH = 3  # settings in a row, each twice the last, that are too large: the end
MAX_DOWNWARD_SETTINGS = 300_000  # settings that are looked at if the count is not monotone
_MAX_MODEL_SEARCH = 100_000  # settings among which one that makes a model is looked for
IndexedRow = tuple[int, VariantRow]


class _LineSearchState(Struct):
    """What the rows seen so far tell, in rising order of their settings.

    `next_above` is the first row above the largest that fits, `nearest_miss` the row nearest to
    fitting, each with its index on the line. `is_monotone`: no count fell. `first_invalid` says
    why the first settings without a model have none; `has_holes`: such settings are above a model.
    """

    largest_fit: IndexedRow | None = None
    next_above: IndexedRow | None = None
    nearest_miss: IndexedRow | None = None
    is_monotone: bool = True
    has_single_count: bool = True
    is_sure: bool = True
    checked_count: int = 0
    nearest_distance: float = math.inf
    last_counts: CountVector | None = None
    model_count: int = 0
    first_invalid: IndexedRow | None = None
    has_holes: bool = False

    def record_row(self, index: int, row: VariantRow, demand: FitConstraints) -> None:
        """Add the next row."""
        self.checked_count += 1
        if not is_valid_row(row):
            self.first_invalid = self.first_invalid or (index, row)
            self.has_holes = self.has_holes or self.model_count > 0
            return
        counts = demand.limited_counts(row)
        self.is_monotone = self.is_monotone and not has_falling_count(self.last_counts, counts)
        self.has_single_count = self.has_single_count and self.last_counts in (None, counts)
        self.last_counts = counts
        self.model_count += 1
        if demand.is_met_by(row):
            self.largest_fit, self.next_above = (index, row), None
            return
        self.next_above = self.next_above or (index, row)
        self.record_miss(index, row, demand)

    @property
    def is_constant(self) -> bool:
        """Whether several settings have one count."""
        return self.has_single_count and self.model_count > 1

    def record_miss(self, index: int, row: VariantRow, demand: FitConstraints) -> None:
        """Keep a row that does not fit, if none before was nearer to fitting."""
        distance = demand.distance_to_fit(row)
        if distance < self.nearest_distance:
            self.nearest_miss, self.nearest_distance = (index, row), distance


class LineSearch:
    """Evaluates the rows of a line, and caches those that it may need again."""

    def __init__(
        self,
        line: SettingsLine,
        measure: RowEvaluator,
        demand: FitConstraints,
        watch: ProgressFactory,
    ) -> None:
        self.line, self.measure, self.demand, self.watch = line, measure, demand, watch
        self.row_cache: dict[int, VariantRow] = {}
        self.is_end_sure = True
        self.has_model = False
        self.start_time = process_time()

    def truncate_line(self, size: int) -> None:
        """Keep only the first `size` settings."""
        self.line = self.line.truncate_to(size)
        self.row_cache = {index: row for index, row in self.row_cache.items() if index < size}

    def row_at(self, index: int) -> VariantRow:
        """The row at an index of the line, from the cache if it is there.

        Raises:
            DenseCalcError: after a long search, no settings made a model.
        """
        if index not in self.row_cache:
            row = self.row_cache[index] = self.measure(self.line[index])
            self.has_model = self.has_model or is_valid_row(row)
            if not self.has_model and process_time() - self.start_time > MAX_SEARCH_SECONDS:
                settings = ", ".join(f"{name}={value}" for name, value in self.line[index].items())
                raise DenseCalcError(
                    f"no value was found that makes a model; with {settings}: {row['error']}"
                )
        return self.row_cache[index]

    def first_valid_from(self, start: int, end: int) -> IndexedRow | None:
        """The first row with a model from `start` on, if one is near."""
        for index in range(start, min(start + _LINE_PROBE_WIDTH, end)):
            if is_valid_row(self.row_at(index)):
                return index, self.row_cache[index]
        return None

    def size_until_too_large(self) -> int:
        """The number of settings below those that are too large, found by doubling.

        A count that is over its limit but falls is no end, as settings further on may fit.
        """
        over: list[int] = []
        before: CountVector | None = None
        valid, misses = -1, 0
        for index in _doubling_indices(len(self.line)):
            hit = self.first_valid_from(index, len(self.line))
            misses = 0 if hit else misses + 1
            if misses == _END_RUN_LENGTH and valid >= 0:
                self.is_end_sure = False
                break
            if hit is None:
                continue
            valid, counts = hit[0], self.demand.limited_counts(hit[1])
            is_end = (
                before
                and has_falling_count(counts, before)
                and not self.demand.is_small_enough(hit[1])
            )
            over = [*over, valid] if is_end else []
            before = counts
            if len(over) == _END_RUN_LENGTH:
                break
        last = over[0] if over else 2 * valid + 1  # beyond that, none made a model
        return min(len(self.line), last + 1) if valid >= 0 else len(self.line)

    def scan_indices(self, indices: Iterable[int]) -> _LineSearchState:
        """The state after the rows at these rising indices."""
        found = _LineSearchState()
        for index in indices:
            found.record_row(index, self.row_at(index), self.demand)
        return found

    def scan_all(self) -> _LineSearchState:
        """The state after all rows, which are not cached."""
        found = _LineSearchState()
        with self.watch(len(self.line), "values") as advance:
            for index in range(len(self.line)):
                row = self.row_cache.get(index) or self.measure(self.line[index])
                found.record_row(index, row, self.demand)
                advance(1)
        return found

    def affordable_count(self) -> int:
        """The number of settings that there is time to look at, by how long the largest take."""
        self.first_valid_from(0, len(self.line))
        self.first_valid_from(len(self.line) - 1, len(self.line))
        last = max((index for index, row in self.row_cache.items() if is_valid_row(row)), default=0)
        tries = range(last, max(-1, last - TIMED_LOOKS), -1)
        return affordable_looks(partial(self.measure, self.line[index]) for index in tries)

    def scan_sample(self, count: int) -> _LineSearchState:
        """The state after `count` rows spread over the line, and all rows close to the answer."""
        indices = spread_indices(len(self.line), count)
        with self.watch(len(indices), "values") as advance:
            for index in indices:
                self.row_at(index)
                advance(1)
        found = self.scan_indices(indices)
        if _has_doubtful_gaps(found):
            return found
        close = min(REFINEMENT_WIDTH, count // 4)
        low, high = self.bracket_crossing(indices, close)
        for index in range(max(0, low - close), min(high + close, len(self.line))):
            self.row_at(index)
        return self.scan_indices(sorted(self.row_cache))

    def bracket_crossing(self, indices: list[int], close: int) -> tuple[int, int]:
        """Two indices at most `close` apart, between which the settings become too large."""
        valid = [index for index in indices if is_valid_row(self.row_cache[index])]
        under = list(
            takewhile(lambda index: self.demand.is_small_enough(self.row_cache[index]), valid)
        )
        low = under[-1] if under else -1
        high = valid[len(under)] if len(under) < len(valid) else len(self.line)
        while high - low > close:
            middle = (low + high) // 2
            hit = self.first_valid_from(middle, high)
            if hit and self.demand.is_small_enough(hit[1]):
                low = hit[0]
            else:
                high = middle
        return low, high

    def scan_downwards(self, found: _LineSearchState) -> _LineSearchState:
        """The state after the rows above the answer so far, from the last down to one that fits."""
        least = found.largest_fit[0] if found.largest_fit else -1
        end = max(least, len(self.line) - 1 - MAX_DOWNWARD_SETTINGS)
        found.is_sure = end == least
        above: IndexedRow | None = None
        start = process_time()
        with self.watch(len(self.line) - 1 - end, "values") as advance:
            for index in range(len(self.line) - 1, end, -1):
                advance(1)
                if process_time() - start > MAX_SEARCH_SECONDS:
                    found.is_sure = False
                    break
                row = self.row_cache.get(index) or self.measure(self.line[index])
                found.checked_count += index not in self.row_cache
                if not is_valid_row(row):
                    continue
                if self.demand.is_met_by(row):
                    found.largest_fit, found.is_sure = (index, row), True
                    break
                above = index, row
                found.record_miss(index, row, self.demand)
        found.next_above = above if found.is_sure else found.next_above
        return found

    def barrier_row(self, found: _LineSearchState) -> VariantRow | None:
        """The row without a model above the largest that fits, if the line does not end there."""
        above = found.largest_fit[0] + 1 if found.largest_fit else len(self.line)
        return None if found.next_above or above >= len(self.line) else self.row_at(above)


def affordable_looks(looks: Iterable[Callable[[], VariantRow]]) -> int:
    """The number of looks that there is time for, by the quickest of these."""
    pace = math.inf
    for look in looks:
        start = process_time()
        look()
        pace = min(pace, process_time() - start)
        if pace * MAX_EXHAUSTIVE_SIZE < MAX_SEARCH_SECONDS:
            return MAX_EXHAUSTIVE_SIZE
    return max(_MIN_LOOKS, int(MAX_SEARCH_SECONDS / pace))


def _doubling_indices(size: int) -> Iterator[int]:
    """Indices of a line of this size: 0, 1, 3, 7, ..."""
    index = 0
    while index < size:
        yield index
        index = 2 * index + 1


def spread_indices(size: int, count: int) -> list[int]:
    """Indices spread over a line of this size: evenly, and more densely at its start."""
    even = {index * (size - 1) // count for index in range(count + 1)}
    ratio = size ** (4 / count)
    dense = {min(size, int(ratio**power)) - 1 for power in range(count // 4)}
    return sorted(even | dense)


def search_largest_fit(search: LineSearch) -> _LineSearchState:
    """The largest settings of a line that fit.

    A short line is looked at as a whole; of a long one, as much as is needed if the count is
    monotone, and all that could hold the answer if what is spread over it shows that it is not, or
    that some settings make no model.
    """
    room = search.affordable_count()
    if len(search.line) <= room:
        return search.scan_all()
    found = search.scan_sample(min(LINE_SAMPLES, room))
    if _has_doubtful_gaps(found) or (
        not found.model_count and len(search.line) <= _MAX_MODEL_SEARCH
    ):
        return search.scan_downwards(found)
    found.is_sure = False
    return found


def _has_doubtful_gaps(found: _LineSearchState) -> bool:
    """Whether the rows in between cannot be predicted from those that were evaluated."""
    return not found.is_monotone or found.has_holes
