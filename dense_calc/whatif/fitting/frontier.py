"""The combinations of several variables that fit and of which no variable can be raised."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from operator import ge

from msgspec import Struct

from dense_calc.errors import DenseCalcError
from dense_calc.settings.variants import Row
from dense_calc.whatif.fitting.demands import Counts, Demand, Measure, Watch, falls, is_valid
from dense_calc.whatif.fitting.lines import Range
from dense_calc.whatif.fitting.search import ALL, TRIES, room_for, spread

SOME = 2_000  # combinations that show whether the count is monotone, if there are too many
FEW = 100  # combinations of which each is looked at however long it takes
STAIRS = 20_000  # combinations of all variables but one that can be gone through
MOST = 200_000  # combinations of which each is looked at if the count is not monotone
NEAR = 64  # values below one that makes no model among which one is looked for that does
KNOWN = 8  # values of the last variable that made models elsewhere, to be tried first
Stair = tuple[int, ...]  # the place of each variable but the last among its values


class Frontier(Struct):
    """What is known of combinations after a look at some of them.

    `tops` are the largest that fit for each stair: the place of the last variable, and the row.
    """

    tops: dict[Stair, tuple[int, Row]] = {}
    nearest: Row | None = None
    distance: float = math.inf
    is_monotone: bool = True
    is_steady: bool = True
    is_sure: bool = True
    checked: int = 0
    models: int = 0
    counts: Counts | None = None
    flaw: Row | None = None
    has_holes: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether several combinations have one count."""
        return self.is_steady and self.models > 1

    def maximal(self) -> list[Row]:
        """The rows of those that fit and below no other that does."""
        kept: list[Stair] = []
        rows = []
        for stair, (top, row) in sorted(self.tops.items(), reverse=True):
            places = *stair, top
            if not any(all(map(ge, above, places)) for above in kept):
                kept.append(places)
                rows.append(row)
        return rows


class Combinations:
    """Looks at combinations of the values of several variables; the one with the most is last."""

    def __init__(
        self, ranges: Sequence[Range], measure: Measure, demand: Demand, watch: Watch
    ) -> None:
        self.order = [each.name for each in ranges]
        self.ranges = sorted(ranges, key=len)
        self.measure, self.demand, self.watch = measure, demand, watch
        self.found = Frontier()
        self.under: dict[Stair, bool | None] = {}  # of a combination, as `is_under` has it
        self.models: dict[int, None] = {}  # the last places of the last variable that made models

    def look(self, stair: Stair, place: int) -> Row:
        """The row of a combination; what it tells is taken in."""
        found, places = self.found, (*stair, place)
        named = zip(self.ranges, places, strict=True)
        values = {each.name: each.steps[index] for each, index in named}
        row = self.measure({name: values[name] for name in self.order})
        found.checked += places not in self.under
        self.under[places] = self.demand.is_under(row) if is_valid(row) else None
        if not is_valid(row):
            found.flaw = found.flaw or row
            return row
        self.remember(place)
        found.models += 1
        counts = self.demand.counts(row)
        found.is_steady = found.is_steady and found.counts in (None, counts)
        found.counts = counts
        if self.demand.holds(row):
            top = found.tops.get(stair)
            if top is None or top[0] <= place:
                found.tops[stair] = place, row
        elif (distance := self.demand.distance(row)) < found.distance:
            found.nearest, found.distance = row, distance
        return row

    def remember(self, place: int) -> None:
        """Keep a place of the last variable that made a model, and few others."""
        self.models.pop(place, None)
        self.models[place] = None
        if len(self.models) > KNOWN:
            del self.models[next(iter(self.models))]

    def is_under(self, stair: Stair, place: int) -> bool | None:
        """Whether a combination is not too large; None if it makes no model."""
        if (*stair, place) not in self.under:
            self.look(stair, place)
        return self.under[*stair, place]

    def room(self) -> int:
        """The number of combinations that there is time to look at, by how long a large one takes.

        That is the largest, or half of it in each variable, and so on, until there is a model.
        """
        places = tuple(len(each) - 1 for each in self.ranges)
        while any(places) and self.is_under(places[:-1], places[-1]) is None:
            places = tuple(place // 2 for place in places)
        tries = range(places[-1], max(-1, places[-1] - TRIES), -1)
        return room_for(partial(self.look, places[:-1], place) for place in tries)

    def see_grid(self, axes: Sequence[Sequence[int]]) -> None:
        """Look at all combinations of some places, and at whether the count falls along an axis."""
        before: dict[tuple[int, Stair], Counts] = {}
        with self.watch(math.prod(map(len, axes)), "combinations") as advance:
            for places in product(*axes):
                row = self.look(places[:-1], places[-1])
                advance(1)
                if is_valid(row):
                    self.compare(places, self.demand.counts(row), before)
                elif any(line in before for line in lines_through(places)):
                    self.found.has_holes = True

    def compare(
        self, places: Stair, counts: Counts, before: dict[tuple[int, Stair], Counts]
    ) -> None:
        """Take in how the counts of a combination are to those before it, along each axis."""
        for line in lines_through(places):
            last = before.get(line, counts)
            before[line] = counts
            if falls(last, counts):
                self.found.is_monotone = False

    def see_stairs(self) -> None:
        """Look for the top of each stair if the count is monotone: none is above one before it."""
        tops: dict[Stair, int] = {}
        *sizes, last = map(len, self.ranges)
        with self.watch(math.prod(sizes), "combinations") as advance:
            for stair in product(*map(range, sizes)):
                known = (tops[below] for below in before_each(stair))
                tops[stair] = self.top(stair, min(known, default=last - 1))
                advance(1)

    def top(self, stair: Stair, most: int) -> int:
        """The top of a stair, at most this; -1 if all is too large, `most` if nothing is a model.

        From `most` down in steps that double, then between the two places that are left.
        """
        if not self.has_model(stair, most):
            return most
        low, high, step = -1, most + 1, 1
        while high - low > 1:
            middle = max(low + 1, high - step)
            place = self.model_below(stair, middle, low)
            if place is not None and self.is_under(stair, place):
                low = middle
            else:
                high = max(low + 1, middle - NEAR + 1) if place is None else place
            step = 2 * step if low < 0 else max(1, (high - low) // 2)
        return low

    def has_model(self, stair: Stair, most: int) -> bool:
        """Whether any place of a stair makes a model, so far as places tell that do elsewhere."""
        likely = [place for place in self.models if place <= most]
        places = (*likely, *range(min(most, KNOWN)), *range(most, max(-1, most - NEAR), -1))
        return any(self.is_under(stair, place) is not None for place in places)

    def model_below(self, stair: Stair, start: int, end: int) -> int | None:
        """The first place from here down that makes a model, if one is near and above the end."""
        places = range(start, max(end, start - NEAR), -1)
        return next((each for each in places if self.is_under(stair, each) is not None), None)

    def see_downwards(self) -> None:
        """Look at all places of each stair from its end down to the first that fits."""
        *sizes, last = map(len, self.ranges)
        with self.watch(math.prod(sizes), "combinations") as advance:
            for stair in product(*map(range, sizes)):
                for place in range(last - 1, -1, -1):
                    if self.found.tops.get(stair, (-1,))[0] >= place:
                        break
                    self.is_under(stair, place)
                advance(1)


def lines_through(places: Stair) -> Iterator[tuple[int, Stair]]:
    """The lines along each axis on which a combination lies."""
    return ((axis, places[:axis] + places[axis + 1 :]) for axis in range(len(places)))


def before_each(stair: Stair) -> Iterator[Stair]:
    """The stairs of which one variable has the value before."""
    for axis, place in enumerate(stair):
        if place:
            yield *stair[:axis], place - 1, *stair[axis + 1 :]


def frontier(found: Combinations) -> Frontier:
    """What is known of the combinations that fit once enough are looked at.

    Few are all looked at. Of more, the top of each stair is looked for as if the count was
    monotone, unless some that are spread over all show that it is not, or that some make no model.

    Raises:
        DenseCalcError: there are too many.
    """
    sizes = [len(each) for each in found.ranges]
    room = ALL if math.prod(sizes) <= FEW else found.room()
    if math.prod(sizes) <= room:
        found.see_grid([range(size) for size in sizes])
        return found.found
    if math.prod(sizes[:-1]) > STAIRS:
        raise DenseCalcError(too_many(found.ranges))
    count = int(min(SOME, room) ** (1 / len(sizes)))
    found.see_grid([spread(size, count * 4 // 5) for size in sizes])
    seen = found.found
    is_doubtful = not seen.is_monotone or seen.has_holes or not seen.models
    if is_doubtful and math.prod(sizes) <= MOST:
        found.see_downwards()
    else:
        found.see_stairs()
        seen.is_sure = False
    return seen


def too_many(ranges: Sequence[Range]) -> str:
    """What to say of ranges that make too many combinations."""
    sizes = " × ".join(f"{len(each):,}" for each in ranges)
    names = ", ".join(each.name for each in ranges)
    return (
        f"{sizes} combinations of {names} are too many; narrow them with --min, --max or "
        "--multiple-of, or move them together with --scale"
    )
