"""A Report against limits → checks: the limit, the value, and what is left or too much."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import DenseCalcError, SpecError, did_you_mean
from dense_calc.folding import blocks_by_copy, in_any_copy, prefixes
from dense_calc.limits import TOTALS, Increase, Limit, Rule
from dense_calc.report import Report, Row, counted_once

FEW = 5  # layers that a check names
MAX_CHECKS = 100_000  # of one model, with those of each layer

# what a limit is put on → how much of it a layer has
MEASURES: Mapping[str, Callable[[Row], int]] = {
    "params": attrgetter("params"),
    "trainable": attrgetter("trainable_params"),
    "size": lambda row: sum(weight.bytes for weight in row.weights),
}


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
            check = checked(limit, getattr(report, TOTALS[limit.what]))
            yield with_largest(check, report.layers, layers)
            continue
        limited = layers.limited(limit)
        made += len(limited)
        if made > MAX_CHECKS:
            many = f"more than {MAX_CHECKS:,} checks; limit fewer layers each"
            raise SpecError(many, limit.layers_place)
        for name, rows in limited.items():
            value = sum(map(MEASURES[limit.what], counted_once(rows.values())))
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
    return replace(check, largest=tuple(layers.largest(rows, MEASURES[check.what])))


class Layers:
    """The layers of a report by their names and by those of the blocks and models around them."""

    def __init__(self, report: Report) -> None:
        self.rows = report.layers
        self.blocks = blocks_by_copy(report.blocks)

    def limited(self, limit: Limit) -> dict[str, dict[str, Row]]:
        """The rows that count together for a limit, by their names, by what has the limit.

        Raises:
            SpecError: there are none.
        """
        found = self.called(limit)
        if limit.each:
            return found
        together = {name: row for rows in found.values() for name, row in rows.items()}
        return {str(limit.layers): together}

    def called(self, limit: Limit) -> dict[str, dict[str, Row]]:
        """The rows that a limit is put on, by their names, by what its name or pattern means.

        Those are names of layers, of blocks, of copies of blocks, or of models: `head`, `encoder`,
        `encoder_3`, `encoder_3/norm`.

        Raises:
            SpecError: there are none.
        """
        pattern = str(limit.layers)
        found: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        fits = re.compile(rf"{re.escape(pattern)}\Z|{translate(pattern)}").match
        for name, row in self.meant(self.rows, fits):
            found[name][row.name] = row
        if not found:
            choices = dict.fromkeys(name for row in self.rows for name in self.names(row.name))
            hint = did_you_mean(pattern, choices)
            raise SpecError(f"the model has no layer '{pattern}'{hint}", limit.layers_place)
        return found

    def meant(
        self, rows: Iterable[Row], fits: Callable[[str], object], outer: str = ""
    ) -> Iterator[tuple[str, Row]]:
        """The rows of which a name fits, and that name, the outermost.

        A model inside is one row if its name fits, else the layers in it are looked at. A layer
        that is called again stands for the row that has its weights.
        """
        by_name = {row.name: row for row in rows}
        for row in by_name.values():
            name = outer + row.name
            chosen = next(filter(fits, self.names(name)), None)
            if chosen is not None:
                held = by_name.get(row.shared_with or name, row)
                yield chosen, replace(held, name=outer + held.name) if outer else held
            elif row.layers:
                yield from self.meant(row.layers, fits, f"{name}/")

    def names(self, name: str) -> Iterator[str]:
        """What the layer of this name belongs to, from the outside in, and the name itself."""
        for copy in prefixes(name):
            if copy in self.blocks:
                yield self.blocks[copy]
            yield copy
        yield in_any_copy(name, self.blocks)
        yield name

    def largest(self, rows: Iterable[Row], measured: Callable[[Row], int]) -> Iterator[Part]:
        """The few layers that have the most of what is measured.

        A layer in a repeated block is one with its likes in the other copies.
        """
        alike: defaultdict[str, list[Row]] = defaultdict(list)
        for row in counted_once(rows):
            alike[in_any_copy(row.name, self.blocks)].append(row)
        sums = {name: sum(map(measured, held)) for name, held in alike.items()}
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
