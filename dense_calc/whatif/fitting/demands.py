"""What a row must keep to: limits of the whole model, or the whole budget of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from msgspec import Struct

from dense_calc.analysis.budget import Check, check_limit
from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit, LimitRule
from dense_calc.quantities import QUANTITIES
from dense_calc.settings.variants import Settings, VariantRow

CountVector = tuple[int, ...]
RowEvaluator = Callable[[Settings], VariantRow]
_ProgressAdvance = Callable[[int], object]
ProgressFactory = Callable[[int, str], AbstractContextManager[_ProgressAdvance]]


def no_progress(total: int, what: str) -> AbstractContextManager[_ProgressAdvance]:
    """The progress display that shows nothing."""
    return nullcontext(lambda count: None)


class FitConstraints(Struct, frozen=True):
    """Limits of the whole model; if they are those of a file's budget, the row knows the others.

    The others are on layers, of which `layer_rules` are the rules. A row without counts, of
    settings that make no model, never fits.
    """

    limits: tuple[Limit, ...]
    is_budget: bool = False
    layer_rules: frozenset[LimitRule] = frozenset()

    def check_row(self, row: VariantRow) -> list[Check]:
        """The limits held against a row."""
        return [check_limit(limit, row[QUANTITIES[limit.what].total]) for limit in self.limits]

    def is_met_by(self, row: VariantRow) -> bool:
        """Whether a row fits; within a budget that cannot be checked, none does."""
        if self.is_budget:
            return bool(row["within_budget"])
        return all(limit.allows(row[QUANTITIES[limit.what].total]) for limit in self.limits)

    def is_small_enough(self, row: VariantRow) -> bool:
        """Whether a row fits, or would if there were more of it."""
        if self.is_met_by(row):
            return True
        broken = {check.rule for check in self.check_row(row) if not check.ok}
        return (broken or self.layer_rules) == {"min"}

    def tightest_check(self, row: VariantRow) -> Check | None:
        """The limit that leaves the least of itself, or that is broken most."""
        return min(self.check_row(row), key=_relative_slack, default=None)

    def distance_to_fit(self, row: VariantRow) -> float:
        """How far a row is from fitting, to compare it with others."""
        check = self.tightest_check(row)
        return float(row["total_params"]) if check is None else -_relative_slack(check)

    def limited_counts(self, row: VariantRow) -> CountVector:
        """What is counted of a row: what its limits are put on."""
        keys = dict.fromkeys(QUANTITIES[limit.what].total for limit in self.limits)
        return tuple(row[key] for key in keys or ("total_params",))


def _relative_slack(check: Check) -> float:
    """What is left to a limit, as a share of it."""
    assert check.slack is not None
    assert isinstance(check.limit, int)
    return check.slack / max(1, check.limit)


def is_valid_row(row: VariantRow) -> bool:
    """Whether the settings of a row make a model."""
    return "error" not in row


def has_falling_count(before: CountVector | None, counts: CountVector) -> bool:
    """Whether any count is below what it was."""
    return before is not None and any(new < old for old, new in zip(before, counts, strict=True))


def build_constraints(limits: Iterable[Limit], own: Iterable[Limit], name: str) -> FitConstraints:
    """What these limits demand; without any, what the budget of the file does, its own limits.

    Raises:
        DenseCalcError: nothing limits the model from above.
    """
    given = tuple(limits)
    budget = tuple(limit for limit in own if limit.rule != "exact")
    if not any(limit.rule == "max" for limit in given or budget):
        missing = "there is no limit from above" if given else f"'{name}' has no budget"
        raise DenseCalcError(f"{missing}: say what it must fit, as in --max-params 1M")
    if given:
        return FitConstraints(given)
    of_model = tuple(limit for limit in budget if limit.layers is None)
    of_layers = frozenset(limit.rule for limit in budget if limit.layers is not None)
    return FitConstraints(of_model, is_budget=True, layer_rules=of_layers)
