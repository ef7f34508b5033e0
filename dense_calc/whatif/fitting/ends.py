"""Where variables end of which nobody has said the largest value: above, nothing fits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import compress
from math import lcm
from operator import gt

from dense_calc.settings.variants import Settings
from dense_calc.symbolic.formulas import Point
from dense_calc.symbolic.regions import TooManyRegionsError, split_into_regions
from dense_calc.whatif.fitting.constraints import FitConstraints
from dense_calc.whatif.fitting.grids import MAX_POINTS, PointGrid, widen_steps
from dense_calc.whatif.pieces import ModelFormulas, Piece

_END_RUN_LENGTH = 3  # values in a row, each twice the last, that are no model or too large


class EndFinder:
    """Finds the ends of variables; `own` are the values that the file has for them.

    `advance` is told of each value that is tried.
    """

    def __init__(
        self,
        formulas: ModelFormulas,
        constraints: FitConstraints,
        own: Settings,
        advance: Callable[[int], object],
    ) -> None:
        self.formulas, self.constraints, self.own = formulas, constraints, own
        self.advance = advance

    def close_grid(self, grid: PointGrid) -> PointGrid:
        """The grid in which each variable ends that nobody has ended.

        It ends where nothing fits while the others have the file's own values, or move with it.

        Raises:
            DenseCalcError: the grid has too many points all the same.
        """
        axes = [axis for axis, each in enumerate(grid.ranges) if each.is_open]
        if grid.bases:  # whatever has an end has ended them all
            axes = [grid.leader] if len(axes) == len(grid.ranges) else []
        for axis in axes:
            size, _ = self._find_end(self._line_along(grid, axis), axis)
            grid = grid.cut_axis(axis, grid.ranges[axis].values[:size])
        return widen_steps(grid)

    def find_part_to_look_at(self, grid: PointGrid) -> tuple[PointGrid, bool]:
        """The part of a grid that is not too large to look at, and whether no other point fits."""
        if grid.size <= MAX_POINTS:
            return grid, True
        size, is_proven = self._find_end(grid, grid.leader)
        part = grid.cut_axis(grid.leader, grid.axes[0][: min(size, MAX_POINTS)])
        return part, is_proven and size <= MAX_POINTS

    def _line_along(self, grid: PointGrid, axis: int) -> PointGrid:
        """The line along an axis: the other variables have the file's values, or move with it."""
        for other, each in enumerate(() if grid.bases else grid.ranges):
            if other != axis:
                own = self.own[each.name]
                at = each.values[0] if own is None else int(own) if each.multiple else own
                at = min(max(at, each.values[0]), each.values[-1])
                grid = grid.cut_axis(other, [at])
        return grid

    def _find_end(self, line: PointGrid, axis: int) -> tuple[int, bool]:
        """The number of values of a line up to its end, and whether it is proven: above, none fits.

        Looked at are values each twice the last, from the file's own on. Without a proof, the line
        ends where several in a row do not fit and each has formulas of its own. A count that falls
        is no end.
        """
        unfit: list[int] = []
        end = 0
        last_piece, last_counts = None, None
        for place in self._doubled_places(line, axis):
            self.advance(1)
            piece, results = self.formulas.evaluate_at(line.point_at(place))
            counts = piece.report and [results[each] for each in self.constraints.limited_indices]
            has_fallen = any(map(gt, last_counts or (), counts or ()))
            last_counts = counts or last_counts
            if counts and (has_fallen or self.constraints.is_small_enough(piece, results)):
                unfit = []
            elif end or self._is_unfit_from(place, line):
                if last_counts:
                    return place + 1, True
                end = end or place + 1  # the model nearest to fitting may be above
            elif piece is not last_piece:
                unfit.append(place)
                if len(unfit) == _END_RUN_LENGTH:
                    return unfit[0] + 1, False
            last_piece = piece
        return end or line.size, bool(end)

    def _doubled_places(self, line: PointGrid, axis: int) -> Iterator[int]:
        """The places of a value and of its doubles: the file's own, or the first multiple of it.

        What divides the own value, as the heads of an attention do, divides the others, too.
        """
        values, multiple = line.ranges[axis].values, line.ranges[axis].multiple
        own = self.own[line.ranges[axis].name]
        value = lcm(multiple, own) if isinstance(own, int) and own > 0 else multiple
        while value <= values[-1]:
            if value >= values[0]:
                yield bisect_left(values, value)
            value *= 2

    def _is_unfit_from(self, place: int, line: PointGrid) -> bool:
        """Whether formulas prove that nothing fits at a place of a line and above it.

        Formulas that hold at one value alone say nothing of others. Fractions stay as they are.
        """
        first, last = line.point_at(place), line.point_at(line.size - 1)
        moves = [type(each) is int for each in first]
        own = tuple(compress(first, moves))
        ends = zip(own, compress(last, moves), strict=True)
        whole = tuple(range(low, high + 1) for low, high in ends)

        def piece_at(point: Point) -> Piece:
            moved = iter(point)
            pairs = zip(first, moves, strict=True)
            values = tuple(next(moved) if is_moved else at for at, is_moved in pairs)
            return self.formulas.piece_in_integers(values)

        parts = split_into_regions(piece_at, whole, own, self.constraints.excludes)
        try:
            for part, is_excluded in parts:
                self.advance(1)
                pairs = zip(part, whole, strict=True)
                is_single = any(len(values) == 1 < len(full) for values, full in pairs)
                if is_single or not is_excluded:
                    return False
        except TooManyRegionsError:
            return False
        return True
