"""What a model must keep to: limits of the whole model, or the whole budget of its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from dense_calc.analysis.budget import Check, check_limit
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.quantities import QUANTITIES
from dense_calc.settings.variants import VariantRow
from dense_calc.symbolic.region_view import RegionView
from dense_calc.whatif.pieces import Piece

_RESULT_INDICES = {name: index for index, name in enumerate(QUANTITIES)}


class FitConstraints(Struct, frozen=True):
    """Limits of the whole model; if they are those of a file's budget, a piece knows the others.

    The others are on layers; `only_grows` where all of them are minimums.
    """

    limits: tuple[Limit, ...]
    is_budget: bool = False
    only_grows: bool = False

    def check_row(self, row: VariantRow) -> list[Check]:
        """The limits held against a row."""
        return [check_limit(limit, row[QUANTITIES[limit.what].total]) for limit in self.limits]

    def tightest_check(self, row: VariantRow) -> Check | None:
        """The limit that leaves the least of itself, or that is broken most."""
        return min(self.check_row(row), key=_relative_slack, default=None)

    @property
    def maximums(self) -> list[tuple[int, int, int]]:
        """For each limit the index of its result, a sign, and what their product may be at most."""
        signs = [-1 if limit.rule == "min" else 1 for limit in self.limits]
        return [
            (_RESULT_INDICES[limit.what], sign, sign * limit.amount)
            for limit, sign in zip(self.limits, signs, strict=True)
            if isinstance(limit.amount, int)
        ]

    @property
    def limited_indices(self) -> list[int]:
        """The indices of the results that are limited; without limits, that of the parameters."""
        return list({index: None for index, _, _ in self.maximums} or [0])

    def is_small_enough(self, piece: Piece, results: Sequence[Any]) -> bool:
        """Whether a model fits, or would if there were more of it."""
        broken = {sign for index, sign, most in self.maximums if sign * results[index] > most}
        if broken:
            return broken == {-1}
        return self.only_grows or not self.is_budget or piece.verdict["within_budget"] is True

    def excludes(self, piece: Piece, view: RegionView) -> bool:
        """Whether no model of a piece can fit that is in the region of a view."""
        if piece.report is None:
            return True
        if self.is_budget:
            return not piece.verdict["within_budget"]
        for index, sign, most in self.maximums:
            term = piece.results[index]
            bounds = None if isinstance(term, float) else view.term_bounds(term)
            if bounds and min(sign * each for each in bounds) > most:
                return True
        return False


def _relative_slack(check: Check) -> float:
    """What is left to a limit, as a share of it."""
    assert isinstance(check.slack, int)
    assert isinstance(check.limit, int)
    return check.slack / max(1, check.limit)


def build_constraints(given: tuple[Limit, ...], own: Iterable[Limit], name: str) -> FitConstraints:
    """What limits demand that are given; without any, what the budget of the file does.

    Raises:
        DenseCalcError: nothing limits the model from above.
    """
    budget = tuple(limit for limit in own if limit.rule != "exact")
    if not any(limit.rule == "max" for limit in given or budget):
        missing = "there is no upper limit" if given else f"'{name}' has no budget"
        raise DenseCalcError(f"{missing}: set a limit such as --max-params 1M")
    if given:
        return FitConstraints(given)
    of_model = tuple(limit for limit in budget if limit.layers is None)
    rules = {limit.rule for limit in budget if limit.layers is not None}
    return FitConstraints(of_model, is_budget=True, only_grows=rules == {"min"})
