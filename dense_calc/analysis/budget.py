"""A Report and limits → checks: each a limit, the value, and what is left or too much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.collapse import block_layer_name
from dense_calc.analysis.patterns import LayerIndex
from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.limits import AllowedIncrease, Limit, LimitRule
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.report import LayerRow, Report, deduplicate_weights
from dense_calc.result import JsonResult

_MAX_LARGEST_LAYERS = 5  # that a check names
_MAX_CHECKS = 50_000  # of one model, those of single layers included


class LayerShare(Struct, frozen=True, omit_defaults=True):
    """The part that a layer has in a value, also in per cent.

    A layer of a repeated block stands for `repeat` layers, all of which count.
    """

    name: str
    type: str
    value: int
    percent: float
    repeat: int = 1


class Check(Struct, frozen=True, omit_defaults=True):
    """A limit compared with the value of a model.

    `slack` is what is left to the limit; it is negative where the value breaks the limit. `percent`
    is the slack in per cent of the limit, None if the limit is 0. `largest` are the largest layers
    of a value that is over the limit. `given` is the limit as it is written in the file, `line` and
    `column` are its place there. `base` are the parameters before an increase.
    """

    what: str
    limit: object
    value: object
    ok: bool
    rule: LimitRule
    slack: int | None = None
    percent: float | None = None
    given: str | None = None
    layers: str | None = None
    base: int | None = None
    line: int | None = None
    column: int | None = None
    largest: tuple[LayerShare, ...] = ()


class OtherError(Struct, frozen=True, omit_defaults=True):
    """One more error of a file, and its place."""

    error: str
    line: int | None = None
    column: int | None = None


class CheckResult(JsonResult, Struct, frozen=True, omit_defaults=True):
    """The verdict on a file: its checks, and the error where it could not be checked.

    `line` and `column` are the place of the error, which is the first of the file;
    `other_errors` follow it. `notes` say what was not checked, and why.
    """

    file: str
    ok: bool
    checks: tuple[Check, ...]
    error: str | None = None
    line: int | None = None
    column: int | None = None
    other_errors: tuple[OtherError, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<CheckResult {self.file!r}: {'within' if self.ok else 'over'} budget>"


def check_limits(report: Report, limits: Iterable[Limit]) -> Iterator[Check]:
    """The checks of a model: one for each limit, or one for each layer of a limit on each layer.

    Raises:
        SpecError: the model has no layer of the name or pattern of a limit, or there are too many.
    """
    layers = LayerIndex(report)
    layer_checks = 0
    for limit in limits:
        if limit.what == "output_shape":
            shapes = tuple(port.shape for port in report.outputs)
            yield check_limit(limit, shapes[0] if len(shapes) == 1 else shapes)
            continue
        if limit.layers is None:
            check = check_limit(limit, QUANTITIES[limit.what].model_amount(report))
            yield _add_largest_layers(check, report.layers, layers)
            continue
        limited = layers.limited_rows(limit)
        layer_checks += len(limited)
        if layer_checks > _MAX_CHECKS:
            many = f"more than {_MAX_CHECKS:,} checks; limit fewer layers each"
            raise SpecError(many, limit.layers_place)
        for name, rows in limited.items():
            value = limited_amount(limit, name, rows.values(), report)
            check = check_limit(replace(limit, layers=name), value)
            yield _add_largest_layers(check, rows.values(), layers)


def limited_amount(limit: Limit, name: str, rows: Iterable[LayerRow], report: Report) -> int:
    """The amount of layers together on which, under a name, a limit is put."""
    rows = deduplicate_weights(rows)
    within = name if limit.each else ""
    return QUANTITIES[limit.what].sum_rows(rows, report.blocks, within)


def check_increase(increase: AllowedIncrease, params: int, base: int) -> Check:
    """The check that a model has not gained more parameters on its `base` than it may."""
    limit = Limit("increase", "max", increase.allowed_params(base), increase.amount_text)
    return replace(check_limit(limit, params - base), base=base)


def check_limit(limit: Limit, value: object) -> Check:
    """A limit compared with a value."""
    amount, slack, percent = limit.amount, None, None
    if isinstance(value, int) and isinstance(amount, int):
        left = amount - value
        slack = {"max": left, "min": -left, "exact": -abs(left)}[limit.rule]
        percent = 100 * slack / amount if amount else None
    place = limit.place.resolve() if limit.place else None
    return Check(
        what=limit.what,
        limit=amount,
        value=value,
        ok=limit.allows(value),
        rule=limit.rule,
        slack=slack,
        percent=percent,
        given=limit.amount_text,
        layers=limit.layers,
        line=place.line if place else None,
        column=place.column if place else None,
    )


def _add_largest_layers(check: Check, rows: Iterable[LayerRow], layers: LayerIndex) -> Check:
    """A check with the largest of the rows in its value, if that is over the limit."""
    value, limit = check.value, check.limit
    is_over = isinstance(value, int) and isinstance(limit, int) and value > limit
    if check.ok or not is_over:
        return check
    return replace(
        check, largest=tuple(_largest_layers(rows, QUANTITIES[check.what], layers.blocks))
    )


def _largest_layers(
    rows: Iterable[LayerRow], quantity: Quantity, blocks: Mapping[str, str]
) -> Iterator[LayerShare]:
    """The few layers with the most of a quantity.

    The layers of one name in all copies of a block are one.
    """
    alike: defaultdict[str, list[LayerRow]] = defaultdict(list)
    for row in deduplicate_weights(rows):
        alike[block_layer_name(row.name, blocks)].append(row)
    sums = {name: quantity.sum_rows(same) for name, same in alike.items()}
    total = sum(sums.values())
    for name, value in sorted(sums.items(), key=lambda pair: -pair[1])[:_MAX_LARGEST_LAYERS]:
        if value:
            first, *others = alike[name]
            label = name if others else first.name
            yield LayerShare(label, first.type, value, 100 * value / total, 1 + len(others))


def check_result(file: str, checks: Iterable[Check], *notes: str) -> CheckResult:
    """The verdict on a file that was checked."""
    checks = tuple(checks)
    return CheckResult(file, all(check.ok for check in checks), checks, notes=notes)


def broken_check_result(
    file: str, checks: Iterable[Check], *errors: DenseCalcError | str
) -> CheckResult:
    """The verdict on a file with errors; `checks` are those that were made before them.

    A text counts more errors. The place of an error is left out where it is in another text: in
    `--set`, or in a revision.
    """
    first, *others = (_other_error(file, each) for each in errors)
    return CheckResult(
        file, False, tuple(checks), first.error, first.line, first.column, tuple(others)
    )


def _other_error(file: str, error: DenseCalcError | str) -> OtherError:
    """An error of a file with its place."""
    if isinstance(error, str):
        return OtherError(error)
    place = error.place and error.place.resolve()
    if place is None or place.source.name != file:
        return OtherError(error.message)
    return OtherError(error.message, place.line, place.column)
