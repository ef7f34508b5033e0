"""A Report against limits → checks: the limit, the value, and what is left or too much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.patterns import Layers
from dense_calc.errors import DenseCalcError, SpecError
from dense_calc.limits import Increase, Limit, Rule
from dense_calc.quantities import QUANTITIES, Quantity
from dense_calc.report import Report, Row, counted_once
from dense_calc.tracing.collapse import in_any_copy

FEW = 5  # layers that a check names
MAX_CHECKS = 50_000  # of one model, with those of each layer


class Part(Struct, frozen=True, omit_defaults=True):
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
    rule: Rule
    slack: int | None = None
    percent: float | None = None
    given: str | None = None
    layers: str | None = None
    base: int | None = None
    line: int | None = None
    column: int | None = None
    largest: tuple[Part, ...] = ()


class Verdict(Struct, frozen=True, omit_defaults=True):
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


def checks(report: Report, limits: Iterable[Limit]) -> Iterator[Check]:
    """The checks of a model, one for each limit; one that is put on each layer has one for each.

    Raises:
        SpecError: a limit is put on layers that are not there.
    """
    layers = Layers(report)
    made = 0
    for limit in limits:
        if limit.what == "output_shape":
            shapes = tuple(port.shape for port in report.outputs)
            yield checked(limit, shapes[0] if len(shapes) == 1 else shapes)
            continue
        if limit.layers is None:
            check = checked(limit, QUANTITIES[limit.what].of_model(report))
            yield with_largest(check, report.layers, layers)
            continue
        limited = layers.limited(limit)
        made += len(limited)
        if made > MAX_CHECKS:
            many = f"more than {MAX_CHECKS:,} checks; limit fewer layers each"
            raise SpecError(many, limit.layers_place)
        for name, rows in limited.items():
            value = QUANTITIES[limit.what].of_rows(counted_once(rows.values()))
            check = checked(replace(limit, layers=name), value)
            yield with_largest(check, rows.values(), layers)


def check_of_increase(increase: Increase, params: int, base: int) -> Check:
    """The check that a model has no more parameters than it may, since it had those of its base."""
    limit = Limit("increase", "max", increase.allowed(base), increase.given)
    return replace(checked(limit, params - base), base=base)


def checked(limit: Limit, value: object) -> Check:
    """A limit held against a value."""
    amount, slack, percent = limit.amount, None, None
    if isinstance(value, int) and isinstance(amount, int):
        left = amount - value
        slack = {"max": left, "min": -left, "exact": -abs(left)}[limit.rule]
        percent = 100 * slack / amount if amount else None
    place = limit.place.found() if limit.place else None
    return Check(
        what=limit.what,
        limit=amount,
        value=value,
        ok=limit.allows(value),
        rule=limit.rule,
        slack=slack,
        percent=percent,
        given=limit.given,
        layers=limit.layers,
        line=place.line if place else None,
        column=place.column if place else None,
    )


def with_largest(check: Check, rows: Iterable[Row], layers: Layers) -> Check:
    """A check with the largest of these rows, if the value that they make is over."""
    value, limit = check.value, check.limit
    is_over = isinstance(value, int) and isinstance(limit, int) and value > limit
    if check.ok or not is_over:
        return check
    return replace(check, largest=tuple(largest(rows, QUANTITIES[check.what], layers.blocks)))


def largest(rows: Iterable[Row], quantity: Quantity, blocks: Mapping[str, str]) -> Iterator[Part]:
    """The few layers that have the most of a quantity.

    A layer in a repeated block is one with its likes in the other copies.
    """
    alike: defaultdict[str, list[Row]] = defaultdict(list)
    for row in counted_once(rows):
        alike[in_any_copy(row.name, blocks)].append(row)
    sums = {name: quantity.of_rows(held) for name, held in alike.items()}
    total = sum(sums.values())
    for name, value in sorted(sums.items(), key=lambda pair: -pair[1])[:FEW]:
        if value:
            first, *others = alike[name]
            told = name if others else first.name
            yield Part(told, first.type, value, 100 * value / total, 1 + len(others))


def verdict(file: str, checks: Iterable[Check], *notes: str) -> Verdict:
    """What the checks of a file come to."""
    held = tuple(checks)
    return Verdict(file, all(check.ok for check in held), held, notes=notes)


def broken(file: str, checks: Iterable[Check], error: DenseCalcError) -> Verdict:
    """The verdict on a file that something is wrong with; the checks are those that were made.

    The place is left out that is in another text: what `--set` says, or what the file once was.
    """
    place = error.place and error.place.found()
    if place and place.source.name != file:
        place = None
    return Verdict(
        file=file,
        ok=False,
        checks=tuple(checks),
        error=error.message,
        line=place.line if place else None,
        column=place.column if place else None,
    )
