"""The quantities of a model that can be counted and limited.

Limits, budgets, flags, columns, conditions on the rows of a sweep and the rules of SARIF are made
from `QUANTITIES`: to count something else, add an entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct

from dense_calc.errors import DenseCalcError, Place, did_you_mean
from dense_calc.limits import (
    BYTE_UNIT,
    PARAM_UNIT,
    AmountError,
    AmountUnit,
    Limit,
    LimitRule,
    parse_amount,
)
from dense_calc.model import ModelBlock, count_calls, symbolic_blocks
from dense_calc.report import LayerRow, Report


class LimitBreach(Struct, frozen=True):
    """The texts about a broken limit: what is wrong, how to mend it, and the help of its flag."""

    sentence: str
    mending: str
    flag_help: str = ""


class Quantity(Struct, frozen=True):
    """A quantity that every layer has an amount of; that of a model is the sum.

    `name` stands in budgets and conditions, and in the flag `--max-NAME`. `total` is the key of a
    model's amount in JSON and CSV; `column` names that of a layer in `--columns` and CSV, None if
    summaries do not show it. `words` name it in checks, `title` heads its column. `layer_amount`
    is the amount of a row. `limits` are the rules that a limit on it may have. `in_tables` is true
    if tables of variants show it by default.
    """

    name: str
    total: str
    words: str
    title: str
    layer_amount: Callable[[LayerRow], int]
    column: str | None = None
    unit: AmountUnit = PARAM_UNIT
    limits: Mapping[LimitRule, LimitBreach] = {}
    in_tables: bool = True

    def sum_rows(
        self, rows: Iterable[LayerRow], blocks: Iterable[ModelBlock] = (), within: str = ""
    ) -> int:
        """The amount of these rows together; a folded block counts as its layers.

        A row in one of `blocks` counts as often as the copies for which it stands, those `within`.
        """
        symbolic = symbolic_blocks(blocks)
        return sum(
            count_calls(layer.name, symbolic, within) * self.layer_amount(layer)
            for row in rows
            for layer in row.layer_rows
        )

    def model_amount(self, report: Report) -> int:
        """The amount of a model: a total of its report, or else the sum over its layers."""
        total: int | None = getattr(report, self.total, None)
        return self.sum_rows(report.layers, report.blocks) if total is None else total


SMALLER_MENDING = "Make the largest layers smaller, or raise the limit."
CORRECT_MENDING = (
    "Correct the model if it was not meant to change, or else what the file expects of it."
)

QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            name="params",
            total="total_params",
            column="params",
            words="params",
            title="Param #",
            layer_amount=attrgetter("params"),
            limits={
                "max": LimitBreach(
                    "There are too many parameters.",
                    SMALLER_MENDING,
                    "Allow at most N parameters: 100k, 5M, 1.5B, 1_000_000.",
                ),
                "min": LimitBreach(
                    "There are too few parameters.",
                    "Make layers larger, or lower the limit.",
                    "Require at least N parameters.",
                ),
                "exact": LimitBreach(
                    "The parameters are not as many as expected.", CORRECT_MENDING
                ),
            },
        ),
        Quantity(
            name="trainable",
            total="trainable_params",
            column="trainable_params",
            words="trainable params",
            title="Trainable",
            layer_amount=attrgetter("trainable_params"),
            limits={
                "max": LimitBreach(
                    "There are too many trainable parameters.",
                    SMALLER_MENDING,
                    "Allow at most N trainable parameters.",
                ),
                "exact": LimitBreach(
                    "The trainable parameters are not as many as expected.", CORRECT_MENDING
                ),
            },
        ),
        Quantity(
            name="non_trainable",
            total="non_trainable_params",
            column="non_trainable_params",
            words="non-trainable params",
            title="Non-trainable",
            layer_amount=attrgetter("non_trainable_params"),
            in_tables=False,
        ),
        Quantity(
            name="size",
            total="total_bytes",
            words="bytes of weights",
            title="Size",
            unit=BYTE_UNIT,
            layer_amount=lambda row: sum(weight.bytes for weight in row.weights),
            limits={
                "max": LimitBreach(
                    "The weights take too many bytes.",
                    SMALLER_MENDING,
                    "Allow at most N bytes of weights, each in its dtype: 20MiB, 80MB.",
                ),
            },
        ),
    )
}


class LimitKind(Struct, frozen=True):
    """The quantity and the rule of a limit."""

    quantity: Quantity
    rule: LimitRule

    @property
    def examples(self) -> str:
        """Examples of amounts, as text."""
        unit = self.quantity.unit
        return f"{', '.join(unit.examples)} or 1_000_000{', in bytes' if unit is BYTE_UNIT else ''}"

    @property
    def argument(self) -> str:
        """The argument of `fit()` that sets one: `max_params`."""
        return f"{self.rule}_{self.quantity.name}"

    @property
    def flag(self) -> str:
        """The flag that sets one: `--max-params`."""
        return f"--{self.argument}".replace("_", "-")


def limit_kinds() -> dict[str, LimitKind]:
    """The kinds of limits that a budget may set, by their names there."""
    kinds = (
        LimitKind(quantity, rule)
        for rule in ("max", "min")
        for quantity in QUANTITIES.values()
        if rule in quantity.limits
    )
    return {kind.quantity.name if kind.rule == "max" else kind.argument: kind for kind in kinds}


def parse_limit(kind: LimitKind, value: object, place: Place | None = None) -> Limit:
    """The limit that a value means: a number, or a text with a unit.

    Raises:
        AmountError: the value is no amount.
    """
    number = parse_amount(value, kind.quantity.unit, kind.examples)
    amount = math.floor(number) if kind.rule == "max" else math.ceil(number)
    text = None if str(value) == str(amount) else str(value).strip()
    return Limit(kind.quantity.name, kind.rule, amount, text, place=place)


def parse_limits(function: str, arguments: Mapping[str, Any]) -> tuple[Limit, ...]:
    """The limits that keyword arguments of a function set, as `max_params="1M"`.

    Raises:
        DenseCalcError: a value is no amount.
        TypeError: a limit is unknown.
    """
    kinds = {kind.argument: kind for kind in limit_kinds().values()}
    for name in arguments.keys() - kinds.keys():
        raise TypeError(f"{function}() has no argument '{name}'{did_you_mean(name, kinds)}")
    try:
        return tuple(
            parse_limit(kind, arguments[name])
            for name, kind in kinds.items()
            if arguments.get(name) is not None
        )
    except AmountError as error:
        raise DenseCalcError(str(error)) from None
