"""Where a line ends of which nobody has said the end: where all above is too large."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import gt
from typing import Any

from dense_calc.whatif.fitting.demands import FitConstraints
from dense_calc.whatif.fitting.grids import PointGrid
from dense_calc.whatif.pieces import ModelFormulas, Piece
from dense_calc.whatif.regions import RegionView, UndecidedError

_PROBE_WIDTH = 256  # values among which one that makes a model is looked for
_END_RUN_LENGTH = 3  # values in a row, each twice the last, that are no model or too large


class LineEnd:
    """Looks for the end of a line at values of which each is twice the last."""

    def __init__(
        self, formulas: ModelFormulas, constraints: FitConstraints, line: PointGrid
    ) -> None:
        self.formulas, self.constraints, self.line = formulas, constraints, line
        self.size = len(line)

    def find_size(self) -> tuple[int, bool]:
        """The number of values up to the end, and whether none above can fit.

        The end is where the formulas prove that; else at the first of several values in a row that
        do not fit, if each has formulas of its own, or formulas by which nothing fits as far as
        they hold. A count that falls is no end. Where no model is found, the first values suffice.
        """
        unfit: list[int] = []
        last_piece, last_counts = None, None
        index = 0
        while index < self.size:
            place, piece, results = self.first_model_from(index)
            index = 2 * index + 1
            if piece.report is None and last_counts is None:
                continue
            counts = piece.report and [results[each] for each in self.constraints.limited_indices]
            has_fallen = any(map(gt, last_counts or (), counts or ()))
            if counts and (has_fallen or self.constraints.is_small_enough(piece, results)):
                unfit = []
            elif (end := self.unfit_until(place)) == self.size:
                return place + 1, True
            elif piece is not last_piece or not piece.holds_at(self.line.point_at(end)):
                unfit.append(place)
                if len(unfit) == _END_RUN_LENGTH:
                    return unfit[0] + 1, False
            last_piece, last_counts = piece, counts or last_counts
        return self.size if last_counts else min(_PROBE_WIDTH, self.size), False

    def look_at(self, place: int) -> tuple[Piece, Sequence[Any]]:
        """What there is at a place."""
        [found] = self.formulas.evaluate([self.line.point_at(place)])
        return found

    def first_model_from(self, index: int) -> tuple[int, Piece, Sequence[Any]]:
        """The first model from an index on if one is near, else what there is at the index."""
        for place in range(index, min(index + _PROBE_WIDTH, self.size)):
            piece, results = self.look_at(place)
            if piece.report is not None:
                return place, piece, results
        return index, *self.look_at(index)

    def unfit_until(self, place: int) -> int:
        """The place up to which the formulas tell that nothing fits from here on.

        Each piece but the last one must tell it up to twice the value where it begins.
        """
        start, end = -1, place
        while 2 * start < end < self.size:
            start = end
            piece, _ = self.look_at(start)
            places = range(start, self.size)
            end += bisect_left(
                places, True, key=lambda last: not self.is_unfit_between(piece, start, last)
            )
        return end

    def is_unfit_between(self, piece: Piece, first: int, last: int) -> bool:
        """Whether a piece holds between two places, and nothing there fits, so far as is known."""
        low, high = self.line.point_at(first), self.line.point_at(last)
        region = tuple(range(one, other + 1) for one, other in zip(low, high, strict=True))
        view = RegionView(piece.log, region, low)
        try:
            for condition in piece.conditions:
                view.demand_condition(condition)
        except UndecidedError:
            return False
        return piece.report is None or self.constraints.excludes(piece, view)
