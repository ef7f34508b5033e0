"""A Report against limits → checks: the limit, the value, and what is left or too much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.patterns import LayerIndex
from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.limits import AllowedIncrease, Limit, LimitRule
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.report import LayerRow, Report, deduplicate_weights
from dense_calc.tracing.collapse import block_layer_name

_MAX_LARGEST_LAYERS = 5  # layers that a check names
_MAX_CHECKS = 50_000  # of one model, with those of each layer


class LayerShare(Struct, frozen=True, omit_defaults=True):
    """A layer that a value is made of: how much of it, and as a share in per cent.

    In a repeated block it stands `repeat` times, all of which count.
    """

    name: str
    type: str
    value: int
    percent: float
    repeat: int = 1


class Check(Struct, frozen=True, omit_defaults=True):
    """A limit held against a model.

    `slack` is what is left to the limit, below zero what goes over it, also in per cent of the
    limit, None if that is 0. The `largest` layers are those of a value that is over. `line` and
    `column` are those of the limit in the file, `given` is how it stands there.
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


class CheckResult(Struct, frozen=True, omit_defaults=True):
    """What the checks of a file come to; the complaint about a broken one, and where.

    `notes` say what could not be checked, and why.
    """

    file: str
    ok: bool
    checks: tuple[Check, ...]
    error: str | None = None
    line: int | None = None
    column: int | None = None
    notes: tuple[str, ...] = ()


def check_limits(report: Report, limits: Iterable[Limit]) -> Iterator[Check]:
    """The checks of a model, one for each limit; one that is put on each layer has one for each.

    Raises:
        SpecError: a limit is put on layers that are not there.
    """
    layers = LayerIndex(report)
    made = 0
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
        made += len(limited)
        if made > _MAX_CHECKS:
            many = f"more than {_MAX_CHECKS:,} checks; limit fewer layers each"
            raise SpecError(many, limit.layers_place)
        for name, rows in limited.items():
            value = QUANTITIES[limit.what].sum_rows(deduplicate_weights(rows.values()))
            check = check_limit(replace(limit, layers=name), value)
            yield _add_largest_layers(check, rows.values(), layers)


def check_increase(increase: AllowedIncrease, params: int, base: int) -> Check:
    """The check that a model has no more parameters than it may, since it had those of its base."""
    limit = Limit("increase", "max", increase.allowed_params(base), increase.amount_text)
    return replace(check_limit(limit, params - base), base=base)


def check_limit(limit: Limit, value: object) -> Check:
    """A limit held against a value."""
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
    """A check with the largest of these rows, if the value that they make is over."""
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
    """The few layers that have the most of a quantity.

    A layer in a repeated block is one with its likes in the other copies.
    """
    alike: defaultdict[str, list[LayerRow]] = defaultdict(list)
    for row in deduplicate_weights(rows):
        alike[block_layer_name(row.name, blocks)].append(row)
    sums = {name: quantity.sum_rows(held) for name, held in alike.items()}
    total = sum(sums.values())
    for name, value in sorted(sums.items(), key=lambda pair: -pair[1])[:_MAX_LARGEST_LAYERS]:
        if value:
            first, *others = alike[name]
            told = name if others else first.name
            yield LayerShare(told, first.type, value, 100 * value / total, 1 + len(others))


def check_result(file: str, checks: Iterable[Check], *notes: str) -> CheckResult:
    """What the checks of a file come to."""
    held = tuple(checks)
    return CheckResult(file, all(check.ok for check in held), held, notes=notes)


def broken_check_result(file: str, checks: Iterable[Check], error: DenseCalcError) -> CheckResult:
    """The verdict on a file that something is wrong with; the checks are those that were made.

    The place is left out that is in another text: what `--set` says, or what the file once was.
    """
    place = error.place and error.place.resolve()
    if place and place.source.name != file:
        place = None
    return CheckResult(
        file=file,
        ok=False,
        checks=tuple(checks),
        error=error.message,
        line=place.line if place else None,
        column=place.column if place else None,
    )
