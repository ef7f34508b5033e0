"""What the models at all points of a grid come to, and which of them are the largest that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from operator import gt

from dense_calc.whatif.fitting.constraints import FitConstraints
from dense_calc.whatif.fitting.grids import PointGrid
from dense_calc.whatif.pieces import ModelFormulas, Piece
from dense_calc.whatif.stages import StageWatcher

_CHUNK_SIZE = 1000  # points that are looked at together


class GridCounts:
    """What the models at all points of a grid come to, by the places of the points.

    `columns` has, by the index of each limited result, the count at each place, None where there is
    no model.
    """

    def __init__(
        self,
        formulas: ModelFormulas,
        constraints: FitConstraints,
        grid: PointGrid,
        watch: StageWatcher,
    ) -> None:
        self.grid = grid
        self.maximums, self.is_budget = constraints.maximums, constraints.is_budget
        self.columns: dict[int, list[int | None]] = {
            index: [None] * grid.size for index in constraints.limited_indices
        }
        self.fits = [False] * grid.size
        points = iter(grid)
        start = 0
        advance = watch(grid.size, "values" if len(grid.axes) == 1 else "combinations")
        while chunk := list(islice(points, _CHUNK_SIZE)):
            for piece, places, results in formulas.evaluate(chunk):
                if piece.report:
                    self._note_results(piece, [start + place for place in places], results)
                advance(len(places))
            start += len(chunk)
        for index, sign, most in self.maximums:
            pairs = zip(self.fits, self.columns[index], strict=True)
            self.fits = [fits and sign * (count or 0) <= most for fits, count in pairs]
        counts = next(iter(self.columns.values()))
        self.valid_places: Sequence[int] = range(len(counts))
        if None in counts:
            self.valid_places = [at for at, count in enumerate(counts) if count is not None]

    def _note_results(
        self, piece: Piece, places: Sequence[int], results: Sequence[Sequence[int]]
    ) -> None:
        """Note what a piece comes to at some places, and that it may fit there."""
        for index, column in self.columns.items():
            for place, each in zip(places, results, strict=True):
                column[place] = each[index]
        if not self.is_budget or piece.verdict["within_budget"]:
            for place in places:
                self.fits[place] = True

    def distance_to_fit(self, place: int) -> float:
        """How far the model at a place is from fitting, to compare it with others."""
        distances = [
            (sign * (self.columns[index][place] or 0) - most) / max(1, abs(most))
            for index, sign, most in self.maximums
        ]
        return max(distances) if distances else float(self.columns[0][place] or 0)

    @property
    def is_constant(self) -> bool:
        """Whether several points have one count."""
        many = len(self.valid_places)
        return many > 1 and all(
            column.count(column[self.valid_places[0]]) == many for column in self.columns.values()
        )

    @property
    def is_monotone(self) -> bool:
        """Whether no count falls as a variable rises."""
        return not any(any(map(gt, line, line[1:])) for line in self._lines())

    def _lines(self) -> Iterator[list[int]]:
        """The counts along each line through the grid, without those that are missing."""
        for axis, stride in zip(self.grid.axes, self.grid.strides(), strict=True):
            for column in self.columns.values():
                for block in range(0, len(column), stride * len(axis)):
                    for start in range(block, block + stride):
                        line = column[start : start + stride * len(axis) : stride]
                        yield [each for each in line if each is not None]

    def maximal_places(self) -> Iterator[int]:
        """The places that fit and from which no variable can be raised to others that do."""
        *outer, last = map(len, self.grid.axes)
        *strides, _ = self.grid.strides()
        best: dict[int, int] = {}  # by the start of each row, the largest index there or above
        for start in reversed(range(0, self.grid.size, last)):
            neighbours = [
                best[start + stride]
                for size, stride in zip(outer, strides, strict=True)
                if start // stride % size < size - 1
            ]
            above = max(neighbours, default=-1)
            row = range(start + above + 1, start + last)
            place = next((at for at in reversed(row) if self.fits[at]), None)
            best[start] = above if place is None else place - start
            if place is not None:
                yield place
