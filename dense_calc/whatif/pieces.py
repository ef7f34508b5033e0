"""The totals of a file's model as formulas in its settings, and where each formula holds.

The model is traced once with symbolic numbers for the settings. What it comes to are formulas, and
what was decided on the way are the conditions under which they hold: a piece. Where the conditions
of no piece hold, the model is traced anew, which makes another piece.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice, repeat
from typing import Any

from dense_calc.analysis.budget import limited_amount
from dense_calc.analysis.patterns import LayerIndex
from dense_calc.errors import DenseCalcError
from dense_calc.gaps import demand_no_gaps
from dense_calc.limits import Limit
from dense_calc.model import Model, symbolic_blocks
from dense_calc.quantities import QUANTITIES
from dense_calc.report import Report
from dense_calc.settings.variants import NO_SETTINGS, ModelVariants, Settings, VariantRow
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER
from dense_calc.symbolic.condition_log import (
    FORMAT_END,
    FORMAT_START,
    ConditionLog,
)
from dense_calc.symbolic.formulas import Point, compile_formulas, essential_conditions
from dense_calc.symbolic.polynomials import Term
from dense_calc.symbolic.state import UnlikeCopiesError, record_conditions
from dense_calc.symbolic.symbolic_number import (
    as_integer_term,
    as_operand_term,
    make_variable,
)
from dense_calc.tracing.tracer import trace

_MAX_POINTS_PER_BATCH = 1000
_MAX_PIECES = 200  # that are kept
_FORMAT_PATTERN = f"{FORMAT_START}([0-9]+){FORMAT_END}"
_COPY_PATTERN = r"_[0-9]+/"  # in the name of a setting of a single copy of a block
_SOME_COPIES_PATTERN = r"[?\[]|\*.*[0-9]|[0-9].*\*"  # a pattern that may match some copies only
_TOTAL_KEYS = [quantity.total for quantity in QUANTITIES.values()]


class Piece:
    """What a model comes to, or why there is none, wherever some conditions hold."""

    def __init__(
        self,
        variants: ModelVariants,
        log: ConditionLog,
        settings: Settings,
        *,
        with_verdict: bool = True,
    ) -> None:
        self.log = log
        self.report: Report | None = None
        self.error_parts: list[str] = []
        self.is_refused_by_trace = False
        self.verdict: VariantRow = {}
        with record_conditions(log):
            try:
                model = variants.model_with(settings)
                self.is_refused_by_trace = True
                self.report = trace(model)
                self.is_refused_by_trace = False
                self.verdict = _budget_verdict(model, self.report) if with_verdict else {}
                amounts = [each.model_amount(self.report) for each in QUANTITIES.values()]
                self.results = list(map(as_operand_term, amounts))
            except DenseCalcError as error:
                self.error_parts = re.split(_FORMAT_PATTERN, error.message)
                self.results = [log.formats[int(each)][0] for each in self.error_parts[1::2]]
        self.conditions = essential_conditions(log)
        self.evaluate = compile_formulas(log, self.conditions, self.results)

    @property
    def count(self) -> Term | None:
        """The number of parameters as an expression, None where there is no model."""
        return as_integer_term(self.report.total_params) if self.report else None

    def holds_at(self, point: Point) -> bool:
        """Whether its conditions hold where the variables have these values."""
        (results,) = self.evaluate([point])
        return results is not None

    def row(self, results: Sequence[Any]) -> VariantRow:
        """The totals, or the error, that these results of the formulas mean."""
        if self.report is not None:
            return dict(zip(_TOTAL_KEYS, results, strict=True))
        texts = list(self.error_parts)
        for place, number in enumerate(results):
            spec = self.log.formats[int(texts[2 * place + 1])][1]
            texts[2 * place + 1] = format(number, spec)
        return {"error": "".join(texts)}


def _budget_verdict(model: Model, report: Report) -> VariantRow:
    """Whether a model is within its budget, None if a limited layer is missing; {} without one."""
    budget = [limit for limit in model.limits if limit.rule != "exact"]
    if not budget:
        return {}
    layers = LayerIndex(report)
    verdicts = {_is_within_limit(limit, report, layers) for limit in budget}
    return {"within_budget": False if False in verdicts else None if None in verdicts else True}


def _is_within_limit(limit: Limit, report: Report, layers: LayerIndex) -> bool | None:
    """Whether a model keeps to a limit, None if the limited layers are missing."""
    if limit.layers is None:
        return limit.allows(QUANTITIES[limit.what].model_amount(report))
    if symbolic_blocks(report.blocks) and re.search(_SOME_COPIES_PATTERN, limit.layers):
        raise UnlikeCopiesError
    try:
        limited = layers.limited_rows(limit)
    except DenseCalcError:
        return None
    amounts = (limited_amount(limit, name, rows.values(), report) for name, rows in limited.items())
    return all(map(limit.allows, amounts))


class ModelFormulas:
    """The rows of a file's model for any values of some settings, `fixed` ones as they are.

    Raises:
        SpecError: the file names a class or function that nobody here has.
    """

    def __init__(
        self,
        variants: ModelVariants,
        names: Sequence[str],
        fixed: Settings = NO_SETTINGS,
        *,
        with_verdicts: bool = True,
    ) -> None:
        if isinstance(variants.outline_or_model, Model):
            demand_no_gaps(variants.outline_or_model.gaps)
        self.variants = variants
        self.names = names
        self.fixed = fixed
        self.with_verdicts = with_verdicts
        self.pieces: defaultdict[object, list[Piece]] = defaultdict(list)
        self.piece_count = 0

    def rows(self, points: Iterable[Point]) -> Iterator[VariantRow]:
        """The row of each point, which has a value for each of the settings."""
        return chain.from_iterable(self.row_batches(points))

    def row_batches(self, points: Iterable[Point]) -> Iterator[list[VariantRow]]:
        """The rows of points in lists, which get longer while no further piece is needed."""
        points = iter(points)
        size = 1
        while batch := list(islice(points, size)):
            known = self.piece_count
            yield self.batch_rows(batch)
            size = min(2 * size, _MAX_POINTS_PER_BATCH) if self.piece_count == known else 1

    def batch_rows(self, batch: Sequence[Point]) -> list[VariantRow]:
        """The rows of some points."""
        base = self.variants.base_params
        rows = []
        for point, (piece, results) in zip(batch, self.evaluate(batch), strict=True):
            row: VariantRow = {"set": {**self.fixed, **dict(zip(self.names, point, strict=True))}}
            row.update(piece.row(results))
            if piece.report is not None:
                row["change"] = None if base is None else row["total_params"] - base
                row.update(piece.verdict)
            rows.append(row)
        return rows

    def evaluate(self, batch: Sequence[Point]) -> list[tuple[Piece, tuple[Any, ...]]]:
        """The piece and the results of its formulas at each of some points."""
        types = list(map(_number_type, zip(*batch, strict=True)))
        symbolic = [each is not None for each in types]
        found: list[Any] = [None] * len(batch)
        groups: defaultdict[object, list[int]] = defaultdict(list)
        if all(symbolic):
            groups[None] = list(range(len(batch)))
        else:
            for place, point in enumerate(batch):
                fixed = [
                    None if is_number else value
                    for is_number, value in zip(symbolic, point, strict=True)
                ]
                groups[_key_text(fixed)].append(place)
        for group, places in groups.items():
            self.evaluate_group((group, *types), symbolic, batch, places, found)
        return found

    def evaluate_group(
        self,
        key: object,
        symbolic: Sequence[bool],
        batch: Sequence[Point],
        places: Sequence[int],
        found: list[Any],
    ) -> None:
        """Evaluate the points at some places of a batch, which differ in numbers only."""
        while places:
            piece = self.find_piece(key, symbolic, batch[places[0]])
            points = batch if len(places) == len(batch) else [batch[place] for place in places]
            if not all(symbolic):
                points = [_numbers_of(point, symbolic) for point in points]
            pairs = list(zip(repeat(piece), piece.evaluate(points), strict=False))
            if len(places) == len(batch) and all(results for _, results in pairs):
                found[:] = pairs
                return
            remaining = []
            for place, pair in zip(places, pairs, strict=True):
                if pair[1] is None:
                    remaining.append(place)
                else:
                    found[place] = pair
            assert len(remaining) < len(places), batch[places[0]]
            places = remaining

    def piece_at(self, point: Point) -> Piece:
        """The piece that holds at a point of numbers, all of them symbolic."""
        types = [_number_type([value]) for value in point]
        return self.find_piece((None, *types), [True] * len(point), point)

    def find_piece(self, key: object, symbolic: Sequence[bool], point: Point) -> Piece:
        """The piece of points of a kind that holds at one: a kept one, or a new one."""
        numbers = _numbers_of(point, symbolic)
        piece = next((each for each in self.pieces[key] if each.holds_at(numbers)), None)
        if piece is None:
            piece = self.trace_piece(symbolic, point)
            self.keep_piece(piece, key)
        return piece

    def keep_piece(self, piece: Piece, key: object) -> None:
        """Keep a piece for points of a kind; all others go if there are too many."""
        if self.piece_count == _MAX_PIECES:
            self.pieces.clear()
            self.piece_count = 0
        self.pieces[key].insert(0, piece)
        self.piece_count += 1

    def trace_numbers(self, point: Point, *, each_copy: bool = False) -> Piece:
        """The piece that holds at a point of numbers, all of them symbolic."""
        return self.trace_piece([True] * len(point), point, each_copy=each_copy)

    def trace_piece(
        self, symbolic: Sequence[bool], point: Point, *, each_copy: bool = False
    ) -> Piece:
        """The piece that holds at a point, some of whose values are symbolic.

        With `each_copy`, no copy of a block stands for several.
        """
        others = (*self.fixed, *self.names)
        names_copy = any(re.search(_COPY_PATTERN, name) for name in others)
        for allows_symbolic_repeats in (not names_copy and not each_copy, False):
            log = ConditionLog(allows_symbolic_repeats=allows_symbolic_repeats)
            settings = {**self.fixed} | {
                name: make_variable(log, name, value) if is_number else value
                for name, value, is_number in zip(self.names, point, symbolic, strict=True)
            }
            with suppress(UnlikeCopiesError):
                piece = Piece(self.variants, log, settings, with_verdict=self.with_verdicts)
                if not (piece.is_refused_by_trace and log.has_symbolic_repeats):
                    return piece  # else the complaint could be about one copy or another
        raise AssertionError


def _numbers_of(point: Point, symbolic: Sequence[bool]) -> Point:
    """The values of a point that are symbolic numbers."""
    return tuple([value for value, is_number in zip(point, symbolic, strict=True) if is_number])


def _number_type(values: Sequence[Any]) -> type[Any] | None:
    """The type of values that one variable may have: numbers of one type; None of any others."""
    types = set(map(type, values))
    if types == {int} and min(values) >= -MAX_NUMBER and max(values) <= MAX_NUMBER:
        return int
    return float if types == {float} and all(map(math.isfinite, values)) else None


def _key_text(values: list[Any]) -> object:
    """A key for values of any kind, which are few; one of its own for a number that is too long."""
    try:
        return repr(values)
    except ValueError:
        return object()
