"""The combinations of several variables that fit and of which no variable can be raised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from operator import ge

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
from dense_calc.whatif.fitting.lines import VariableRange
from dense_calc.whatif.fitting.search import (
    MAX_EXHAUSTIVE_SIZE,
    TIMED_LOOKS,
    affordable_looks,
    spread_indices,
)

SAMPLED_COMBINATIONS = 2_000  # evaluated of too many, to see whether the count is monotone
SMALL_GRID_SIZE = 100  # combinations of which each is looked at however long it takes
_MAX_STAIRS = 20_000  # combinations of all variables but one that can be gone through
_MAX_DOWNWARD_COMBINATIONS = 200_000  # each evaluated if the count is not monotone
_STAIR_PROBE_WIDTH = 64  # values below one without a model, among which a model is looked for
_MAX_REMEMBERED_PLACES = 8  # values of the last variable with models elsewhere, tried first

# The index of each variable's value among its values. A stair is that of all variables but the
# last: along it, the last variable rises.
_GridIndex = tuple[int, ...]


class _FrontierState(Struct):
    """What the combinations evaluated so far tell.

    `top_by_stair` has the largest that fits on each stair: the index of the last variable's value,
    and the row.
    """

    top_by_stair: dict[_GridIndex, tuple[int, VariantRow]] = {}
    nearest_miss: VariantRow | None = None
    nearest_distance: float = math.inf
    is_monotone: bool = True
    has_single_count: bool = True
    is_sure: bool = True
    checked_count: int = 0
    model_count: int = 0
    last_counts: CountVector | None = None
    first_invalid: VariantRow | None = None
    has_holes: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether several combinations have one count."""
        return self.has_single_count and self.model_count > 1

    def maximal_rows(self) -> list[VariantRow]:
        """The rows of those that fit and below no other that does."""
        kept: list[_GridIndex] = []
        rows = []
        for stair, (top, row) in sorted(self.top_by_stair.items(), reverse=True):
            places = *stair, top
            if not any(all(map(ge, above, places)) for above in kept):
                kept.append(places)
                rows.append(row)
        return rows


class CombinationSearch:
    """Looks at combinations of the values of several variables; the one with the most is last."""

    def __init__(
        self,
        ranges: Sequence[VariableRange],
        measure: RowEvaluator,
        demand: FitConstraints,
        watch: ProgressFactory,
    ) -> None:
        self.variable_order = [each.name for each in ranges]
        self.ranges = sorted(ranges, key=len)
        self.measure, self.demand, self.watch = measure, demand, watch
        self.state = _FrontierState()
        # Whether a combination is small enough, None where it makes no model.
        self.size_verdicts: dict[_GridIndex, bool | None] = {}
        # The indices of the last variable that made models of late.
        self.model_places: dict[int, None] = {}

    def evaluate_at(self, stair: _GridIndex, place: int) -> VariantRow:
        """The row of a combination; what it tells is taken in."""
        found, places = self.state, (*stair, place)
        named = zip(self.ranges, places, strict=True)
        values = {each.name: each.values[index] for each, index in named}
        row = self.measure({name: values[name] for name in self.variable_order})
        found.checked_count += places not in self.size_verdicts
        self.size_verdicts[places] = self.demand.is_small_enough(row) if is_valid_row(row) else None
        if not is_valid_row(row):
            found.first_invalid = found.first_invalid or row
            return row
        self.remember_place(place)
        found.model_count += 1
        counts = self.demand.limited_counts(row)
        found.has_single_count = found.has_single_count and found.last_counts in (None, counts)
        found.last_counts = counts
        if self.demand.is_met_by(row):
            top = found.top_by_stair.get(stair)
            if top is None or top[0] <= place:
                found.top_by_stair[stair] = place, row
        elif (distance := self.demand.distance_to_fit(row)) < found.nearest_distance:
            found.nearest_miss, found.nearest_distance = row, distance
        return row

    def remember_place(self, place: int) -> None:
        """Keep a place of the last variable that made a model, and few others."""
        self.model_places.pop(place, None)
        self.model_places[place] = None
        if len(self.model_places) > _MAX_REMEMBERED_PLACES:
            del self.model_places[next(iter(self.model_places))]

    def is_small_enough(self, stair: _GridIndex, place: int) -> bool | None:
        """Whether a combination is not too large; None if it makes no model."""
        if (*stair, place) not in self.size_verdicts:
            self.evaluate_at(stair, place)
        return self.size_verdicts[*stair, place]

    def affordable_count(self) -> int:
        """The number of combinations that there is time to look at, by how long a large one takes.

        That is the largest, or half of it in each variable, and so on, until there is a model.
        """
        places = tuple(len(each) - 1 for each in self.ranges)
        while any(places) and self.is_small_enough(places[:-1], places[-1]) is None:
            places = tuple(place // 2 for place in places)
        tries = range(places[-1], max(-1, places[-1] - TIMED_LOOKS), -1)
        return affordable_looks(partial(self.evaluate_at, places[:-1], place) for place in tries)

    def evaluate_grid(self, axes: Sequence[Sequence[int]]) -> None:
        """Look at all combinations of some places, and at whether the count falls along an axis."""
        before: dict[tuple[int, _GridIndex], CountVector] = {}
        with self.watch(math.prod(map(len, axes)), "combinations") as advance:
            for places in product(*axes):
                row = self.evaluate_at(places[:-1], places[-1])
                advance(1)
                if is_valid_row(row):
                    self.track_monotonicity(places, self.demand.limited_counts(row), before)
                elif any(line in before for line in _lines_through_point(places)):
                    self.state.has_holes = True

    def track_monotonicity(
        self,
        places: _GridIndex,
        counts: CountVector,
        before: dict[tuple[int, _GridIndex], CountVector],
    ) -> None:
        """Take in how the counts of a combination are to those before it, along each axis."""
        for line in _lines_through_point(places):
            last = before.get(line, counts)
            before[line] = counts
            if has_falling_count(last, counts):
                self.state.is_monotone = False

    def search_stair_tops(self) -> None:
        """Look for the top of each stair if the count is monotone: none is above one before it."""
        tops: dict[_GridIndex, int] = {}
        *sizes, last = map(len, self.ranges)
        with self.watch(math.prod(sizes), "combinations") as advance:
            for stair in product(*map(range, sizes)):
                known = (tops[below] for below in _preceding_stairs(stair))
                tops[stair] = self.find_stair_top(stair, min(known, default=last - 1))
                advance(1)

    def find_stair_top(self, stair: _GridIndex, most: int) -> int:
        """The top of a stair, at most this; -1 if all is too large, `most` if nothing is a model.

        From `most` down in steps that double, then between the two places that are left.
        """
        if not self.has_model(stair, most):
            return most
        low, high, step = -1, most + 1, 1
        while high - low > 1:
            middle = max(low + 1, high - step)
            place = self.find_model_below(stair, middle, low)
            if place is not None and self.is_small_enough(stair, place):
                low = middle
            else:
                high = max(low + 1, middle - _STAIR_PROBE_WIDTH + 1) if place is None else place
            step = 2 * step if low < 0 else max(1, (high - low) // 2)
        return low

    def has_model(self, stair: _GridIndex, most: int) -> bool:
        """Whether any place of a stair makes a model, so far as places tell that do elsewhere."""
        likely = [place for place in self.model_places if place <= most]
        places = (
            *likely,
            *range(min(most, _MAX_REMEMBERED_PLACES)),
            *range(most, max(-1, most - _STAIR_PROBE_WIDTH), -1),
        )
        return any(self.is_small_enough(stair, place) is not None for place in places)

    def find_model_below(self, stair: _GridIndex, start: int, end: int) -> int | None:
        """The first place from here down that makes a model, if one is near and above the end."""
        places = range(start, max(end, start - _STAIR_PROBE_WIDTH), -1)
        return next(
            (each for each in places if self.is_small_enough(stair, each) is not None), None
        )

    def search_downwards(self) -> None:
        """Look at all places of each stair from its end down to the first that fits."""
        *sizes, last = map(len, self.ranges)
        with self.watch(math.prod(sizes), "combinations") as advance:
            for stair in product(*map(range, sizes)):
                for place in range(last - 1, -1, -1):
                    if self.state.top_by_stair.get(stair, (-1,))[0] >= place:
                        break
                    self.is_small_enough(stair, place)
                advance(1)


def _lines_through_point(places: _GridIndex) -> Iterator[tuple[int, _GridIndex]]:
    """The lines along each axis on which a combination lies."""
    return ((axis, places[:axis] + places[axis + 1 :]) for axis in range(len(places)))


def _preceding_stairs(stair: _GridIndex) -> Iterator[_GridIndex]:
    """The stairs of which one variable has the value before."""
    for axis, place in enumerate(stair):
        if place:
            yield *stair[:axis], place - 1, *stair[axis + 1 :]


def search_frontier(found: CombinationSearch) -> _FrontierState:
    """What is known of the combinations that fit once enough are looked at.

    Few are all looked at. Of more, the top of each stair is looked for as if the count was
    monotone, unless some that are spread over all show that it is not, or that some make no model.

    Raises:
        DenseCalcError: there are too many.
    """
    sizes = [len(each) for each in found.ranges]
    room = MAX_EXHAUSTIVE_SIZE if math.prod(sizes) <= SMALL_GRID_SIZE else found.affordable_count()
    if math.prod(sizes) <= room:
        found.evaluate_grid([range(size) for size in sizes])
        return found.state
    if math.prod(sizes[:-1]) > _MAX_STAIRS:
        raise DenseCalcError(_too_many_combinations(found.ranges))
    count = int(min(SAMPLED_COMBINATIONS, room) ** (1 / len(sizes)))
    found.evaluate_grid([spread_indices(size, count * 4 // 5) for size in sizes])
    seen = found.state
    is_doubtful = not seen.is_monotone or seen.has_holes or not seen.model_count
    if is_doubtful and math.prod(sizes) <= _MAX_DOWNWARD_COMBINATIONS:
        found.search_downwards()
    else:
        found.search_stair_tops()
        seen.is_sure = False
    return seen


def _too_many_combinations(ranges: Sequence[VariableRange]) -> str:
    """What to say of ranges that make too many combinations."""
    sizes = " × ".join(f"{len(each):,}" for each in ranges)
    names = ", ".join(each.name for each in ranges)
    return (
        f"{sizes} combinations of {names} are too many; narrow them with --min, --max or "
        "--multiple-of, or move them together with --scale"
    )
