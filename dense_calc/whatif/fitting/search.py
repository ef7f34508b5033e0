"""Look at all points of a grid for the largest that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from operator import gt

from msgspec import Struct

from dense_calc.whatif.fitting.demands import FitConstraints
from dense_calc.whatif.fitting.grids import PointGrid
from dense_calc.whatif.pieces import ModelFormulas

_CHUNK_SIZE = 1000  # points that are looked at together
_ProgressAdvance = Callable[[int], object]
ProgressFactory = Callable[[int, str], AbstractContextManager[_ProgressAdvance]]
_Counts = Sequence[int | None]


def no_progress(total: int, what: str) -> AbstractContextManager[_ProgressAdvance]:
    """The progress display that shows nothing."""
    return nullcontext(lambda count: None)


class GridOutcome(Struct):
    """What the models at all points of a grid come to, by the places of the points.

    `counts` has, by the index of each limited result, the count at each place, None where there is
    no model; `valid_places` are those with a model, `fitting_places` those where it fits.
    """

    grid: PointGrid
    constraints: FitConstraints
    counts: dict[int, list[int | None]]
    valid_places: list[int]
    fitting_places: list[int]

    @property
    def is_monotone(self) -> bool:
        """Whether no count falls as a variable rises."""
        return not any(
            any(map(gt, line, line[1:]))
            for column in self.counts.values()
            for line in self._lines(column)
        )

    def _lines(self, column: _Counts) -> Iterator[list[int]]:
        """The counts along each line through the grid, without those that are missing."""
        for axis, stride in zip(self.grid.axes, self.grid.strides(), strict=True):
            for block in range(0, len(column), stride * len(axis)):
                for start in range(block, block + stride):
                    line = column[start : start + stride * len(axis) : stride]
                    yield [each for each in line if each is not None]

    @property
    def is_constant(self) -> bool:
        """Whether several points have one count."""
        many = len(self.valid_places)
        return many > 1 and all(
            column.count(column[self.valid_places[0]]) == many for column in self.counts.values()
        )

    def maximal_places(self) -> list[int]:
        """The places that fit and from which no variable can be raised to others that do."""
        *outer, last = map(len, self.grid.axes)
        *strides, _ = self.grid.strides()
        tops = {place // last: place for place in self.fitting_places}
        best: dict[int, int] = {}  # the largest value of the last variable here and above, by head
        maximal = []
        for head in reversed(range(len(self.grid) // last)):
            above = -1
            for size, stride in zip(outer, strides, strict=True):
                step = stride // last
                if head // step % size < size - 1:
                    above = max(above, best[head + step])
            top = tops[head] % last if head in tops else -1
            best[head] = max(top, above)
            if top > above:
                maximal.append(tops[head])
        return maximal

    def distance_to_fit(self, place: int) -> float:
        """How far the model at a place is from fitting, to compare it with others."""
        distances = [
            (sign * (self.counts[index][place] or 0) - most) / max(1, abs(most))
            for index, sign, most in self.constraints.maximums
        ]
        return max(distances) if distances else float(self.counts[0][place] or 0)


def look_at_all(
    formulas: ModelFormulas, constraints: FitConstraints, grid: PointGrid, watch: ProgressFactory
) -> GridOutcome:
    """What all points of a grid come to."""
    counts: dict[int, list[int | None]] = {index: [] for index in constraints.limited_indices}
    within_budget: list[bool | None] = []
    points = iter(grid)
    with watch(len(grid), "values" if len(grid.axes) == 1 else "combinations") as advance:
        while chunk := list(islice(points, _CHUNK_SIZE)):
            found = formulas.evaluate(chunk)
            for index, column in counts.items():
                column += [results[index] if piece.report else None for piece, results in found]
            if constraints.is_budget:
                within_budget += [piece.verdict.get("within_budget") for piece, _ in found]
            advance(len(chunk))
    column, *_ = counts.values()
    valid = [place for place, count in enumerate(column) if count is not None]
    fitting = [place for place in valid if within_budget[place]] if constraints.is_budget else valid
    for index, sign, most in constraints.maximums:
        column = counts[index]
        fitting = [place for place in fitting if sign * (column[place] or 0) <= most]
    return GridOutcome(grid, constraints, counts, valid, fitting)
