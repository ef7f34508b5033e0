"""The largest settings of a line that fit, whatever the count does along it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import takewhile
from time import process_time

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.settings.variants import Row
from dense_calc.whatif.fitting.demands import Counts, Demand, Measure, Watch, falls, is_valid
from dense_calc.whatif.fitting.lines import Line

ALL = 10_000  # settings of which each is looked at
SPREAD = 2_000  # settings that are looked at of more than that, evenly spread over them
CLOSE = 500  # settings on each side of the answer of which each is then looked at
PATIENCE = 3  # seconds of work in which each is looked at; if that takes longer, some are
FEWEST = 32  # settings that are looked at however long it takes
TRIES = 3  # settings that tell how long a look takes: one may have to wait for something else
AROUND = 256  # settings that are looked at to find one that makes a model
OVER = 3  # settings in a row, each twice the one before, that are too large or no model: the end
MOST = 300_000  # settings that are looked at if the count is not monotone
MANY = 100_000  # settings among which one that makes a model is looked for
Hit = tuple[int, Row]


class Found(Struct):
    """What is known of settings after a look at some of them, each larger than the one before.

    `fits` are the largest that fit, `next` those that make a model above them, `nearest` those
    nearest to fitting, each with their place on the line. `is_monotone` holds if no count fell,
    `is_constant` if none of several changed. `flaw` tells the first settings that make no model,
    and why; it `has_holes` if such stand above a model.
    """

    fits: Hit | None = None
    next: Hit | None = None
    nearest: Hit | None = None
    is_monotone: bool = True
    is_steady: bool = True
    is_sure: bool = True
    checked: int = 0
    distance: float = math.inf
    last: Counts | None = None
    models: int = 0
    flaw: Hit | None = None
    has_holes: bool = False

    def see(self, index: int, row: Row, demand: Demand) -> None:
        """Take in the next row."""
        self.checked += 1
        if not is_valid(row):
            self.flaw = self.flaw or (index, row)
            self.has_holes = self.has_holes or self.models > 0
            return
        counts = demand.counts(row)
        self.is_monotone = self.is_monotone and not falls(self.last, counts)
        self.is_steady = self.is_steady and self.last in (None, counts)
        self.last = counts
        self.models += 1
        if demand.holds(row):
            self.fits, self.next = (index, row), None
            return
        self.next = self.next or (index, row)
        self.approach(index, row, demand)

    @property
    def is_constant(self) -> bool:
        """Whether several settings have one count."""
        return self.is_steady and self.models > 1

    def approach(self, index: int, row: Row, demand: Demand) -> None:
        """Remember a row that does not fit, if none was nearer to it."""
        distance = demand.distance(row)
        if distance < self.distance:
            self.nearest, self.distance = (index, row), distance


class Search:
    """Looks along a line; what was looked at for a purpose is remembered."""

    def __init__(self, line: Line, measure: Measure, demand: Demand, watch: Watch) -> None:
        self.line, self.measure, self.demand, self.watch = line, measure, demand, watch
        self.rows: dict[int, Row] = {}
        self.is_end_sure = True
        self.has_model = False
        self.start = process_time()

    def end_at(self, size: int) -> None:
        """Leave out what is above the first settings, so many."""
        self.line = self.line.up_to(size)
        self.rows = {index: row for index, row in self.rows.items() if index < size}

    def row(self, index: int) -> Row:
        """The row of settings, remembered.

        Raises:
            DenseCalcError: for long, none made a model.
        """
        if index not in self.rows:
            row = self.rows[index] = self.measure(self.line[index])
            self.has_model = self.has_model or is_valid(row)
            if not self.has_model and process_time() - self.start > PATIENCE:
                told = ", ".join(f"{name}={at}" for name, at in self.line[index].items())
                raise DenseCalcError(
                    f"no value was found that makes a model; with {told}: {row['error']}"
                )
        return self.rows[index]

    def valid_from(self, start: int, end: int) -> Hit | None:
        """The first settings from here that make a model, if they are near."""
        for index in range(start, min(start + AROUND, end)):
            if is_valid(self.row(index)):
                return index, self.rows[index]
        return None

    def size(self) -> int:
        """The number of settings until they are too large, by doubling: all, if they never are.

        What is over but falls is no end, as it may fit further on; nor is it if more fits again.
        """
        over: list[int] = []
        before: Counts | None = None
        valid, misses = -1, 0
        for index in doublings(len(self.line)):
            hit = self.valid_from(index, len(self.line))
            misses = 0 if hit else misses + 1
            if misses == OVER and valid >= 0:
                self.is_end_sure = False
                break
            if hit is None:
                continue
            valid, counts = hit[0], self.demand.counts(hit[1])
            is_end = before and falls(counts, before) and not self.demand.is_under(hit[1])
            over = [*over, valid] if is_end else []
            before = counts
            if len(over) == OVER:
                break
        last = over[0] if over else 2 * valid + 1  # beyond that, none made a model
        return min(len(self.line), last + 1) if valid >= 0 else len(self.line)

    def of(self, indices: Iterable[int]) -> Found:
        """What remembered settings tell, in rising order."""
        found = Found()
        for index in indices:
            found.see(index, self.row(index), self.demand)
        return found

    def of_all(self) -> Found:
        """What all settings tell; they are not remembered."""
        found = Found()
        with self.watch(len(self.line), "values") as advance:
            for index in range(len(self.line)):
                row = self.rows.get(index) or self.measure(self.line[index])
                found.see(index, row, self.demand)
                advance(1)
        return found

    def room(self) -> int:
        """The number of settings that there is time to look at, by how long the largest take."""
        self.valid_from(0, len(self.line))
        self.valid_from(len(self.line) - 1, len(self.line))
        last = max((index for index, row in self.rows.items() if is_valid(row)), default=0)
        tries = range(last, max(-1, last - TRIES), -1)
        return room_for(partial(self.measure, self.line[index]) for index in tries)

    def of_some(self, count: int) -> Found:
        """What so many settings tell, spread over the line, and all close to the answer."""
        indices = spread(len(self.line), count)
        with self.watch(len(indices), "values") as advance:
            for index in indices:
                self.row(index)
                advance(1)
        found = self.of(indices)
        if is_doubtful(found):
            return found
        close = min(CLOSE, count // 4)
        low, high = self.narrowed(indices, close)
        for index in range(max(0, low - close), min(high + close, len(self.line))):
            self.row(index)
        return self.of(sorted(self.rows))

    def narrowed(self, indices: list[int], close: int) -> tuple[int, int]:
        """Two places that are so close, the settings between which become too large."""
        valid = [index for index in indices if is_valid(self.rows[index])]
        under = list(takewhile(lambda index: self.demand.is_under(self.rows[index]), valid))
        low = under[-1] if under else -1
        high = valid[len(under)] if len(under) < len(valid) else len(self.line)
        while high - low > close:
            middle = (low + high) // 2
            hit = self.valid_from(middle, high)
            if hit and self.demand.is_under(hit[1]):
                low = hit[0]
            else:
                high = middle
        return low, high

    def downwards(self, found: Found) -> Found:
        """What settings above the answer so far tell, from the largest down to one that fits."""
        least = found.fits[0] if found.fits else -1
        end = max(least, len(self.line) - 1 - MOST)
        found.is_sure = end == least
        above: Hit | None = None
        start = process_time()
        with self.watch(len(self.line) - 1 - end, "values") as advance:
            for index in range(len(self.line) - 1, end, -1):
                advance(1)
                if process_time() - start > PATIENCE:
                    found.is_sure = False
                    break
                row = self.rows.get(index) or self.measure(self.line[index])
                found.checked += index not in self.rows
                if not is_valid(row):
                    continue
                if self.demand.holds(row):
                    found.fits, found.is_sure = (index, row), True
                    break
                above = index, row
                found.approach(index, row, self.demand)
        found.next = above if found.is_sure else found.next
        return found

    def barrier(self, found: Found) -> Row | None:
        """Why no model is above the one that fits, if the line does not end there."""
        above = found.fits[0] + 1 if found.fits else len(self.line)
        return None if found.next or above >= len(self.line) else self.row(above)


def room_for(looks: Iterable[Callable[[], Row]]) -> int:
    """The number of looks that there is time for, by the quickest of these if they take long."""
    pace = math.inf
    for look in looks:
        start = process_time()
        look()
        pace = min(pace, process_time() - start)
        if pace * ALL < PATIENCE:
            return ALL
    return max(FEWEST, int(PATIENCE / pace))


def doublings(size: int) -> Iterator[int]:
    """Places on a line of this size: the first, and each of twice as many settings."""
    index = 0
    while index < size:
        yield index
        index = 2 * index + 1


def spread(size: int, count: int) -> list[int]:
    """Places spread over a line of this size: evenly, and more densely where it begins."""
    even = {index * (size - 1) // count for index in range(count + 1)}
    ratio = size ** (4 / count)
    dense = {min(size, int(ratio**power)) - 1 for power in range(count // 4)}
    return sorted(even | dense)


def largest(search: Search) -> Found:
    """The largest settings of a line that fit.

    A short line is looked at as a whole; of a long one, as much as is needed if the count is
    monotone, and all that could hold the answer if what is spread over it shows that it is not, or
    that some settings make no model.
    """
    room = search.room()
    if len(search.line) <= room:
        return search.of_all()
    found = search.of_some(min(SPREAD, room))
    if is_doubtful(found) or (not found.models and len(search.line) <= MANY):
        return search.downwards(found)
    found.is_sure = False
    return found


def is_doubtful(found: Found) -> bool:
    """Whether what is between the settings that were looked at cannot be told from them."""
    return not found.is_monotone or found.has_holes
