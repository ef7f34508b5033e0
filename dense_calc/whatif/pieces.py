"""The totals of a file's model as formulas in its settings, and where each formula holds.

The model is traced once with symbolic numbers for the settings. What it comes to are formulas, and
what was decided on the way are the conditions under which they hold: a piece. Where the conditions
of no piece hold, the model is traced anew, which makes another piece.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, compress, islice
from operator import not_
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
from dense_calc.symbolic.condition_log import FORMAT_END, FORMAT_START, ConditionLog
from dense_calc.symbolic.formulas import Point, compile_formulas, essential_conditions
from dense_calc.symbolic.polynomials import Term
from dense_calc.symbolic.state import UnlikeCopiesError, current_log, record_conditions
from dense_calc.symbolic.symbolic_number import as_integer_term, as_operand_term, make_variable
from dense_calc.tracing.tracer import trace

# Which values of a point are symbolic, by their types, and what the others are.
_PieceResults = tuple["Piece", Sequence[int], Sequence[Any]]
_PointKind = tuple[tuple[type[Any] | None, ...], object]
_MAX_POINTS_PER_BATCH = 1000
_MAX_PIECES = 200  # that are kept
_FORMAT_PATTERN = f"{FORMAT_START}([0-9]+){FORMAT_END}"
_COPY_PATTERN = r"_[0-9]+/"  # in the name of a setting of a single copy of a block
_SOME_COPIES_PATTERN = r"[?\[]|\*.*[0-9]|[0-9].*\*"  # a pattern that may match some copies only
_TOTAL_KEYS = [quantity.total for quantity in QUANTITIES.values()]


class Piece:
    """What a model comes to, or why there is none, wherever some conditions hold."""

    def __init__(
        self, variants: ModelVariants, log: ConditionLog, settings: Settings, *, with_verdict: bool
    ) -> None:
        self.log = log
        self.report: Report | None = None
        self.error_parts: list[str] = []
        self.verdict: VariantRow = {}
        with record_conditions(log):
            try:
                model = variants.model_with(settings)
                self.report = trace(model)
                self.verdict = _budget_verdict(model, self.report) if with_verdict else {}
                amounts = [each.model_amount(self.report) for each in QUANTITIES.values()]
                self.results = list(map(as_operand_term, amounts))
            except DenseCalcError as error:
                self.error_parts = re.split(_FORMAT_PATTERN, error.message)
                self.results = [log.formats[int(each)][0] for each in self.error_parts[1::2]]
        has_names = self.report is None or any("." in name for name in settings)
        if log.has_symbolic_runs and has_names:
            raise UnlikeCopiesError
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

    def row(self, results: Sequence[Any], base_params: int | None = None) -> VariantRow:
        """The totals and the verdict, or the error, that these results of the formulas mean."""
        if self.report is not None:
            row = dict(zip(_TOTAL_KEYS, results, strict=True))
            row["change"] = None if base_params is None else row["total_params"] - base_params
            return row | self.verdict
        texts = list(self.error_parts)
        formats = [self.log.formats[int(each)][1] for each in texts[1::2]]
        texts[1::2] = map(format, results, formats)
        return {"error": "".join(texts)}


def _budget_verdict(model: Model, report: Report) -> VariantRow:
    """Whether a model is within its budget, None if a limited layer is missing; {} without one."""
    layers = LayerIndex(report)
    budget = [limit for limit in model.limits if limit.rule != "exact"]
    verdicts = [_is_within_limit(limit, report, layers) for limit in budget]
    return {"within_budget": min(verdicts, key=(False, None, True).index)} if budget else {}


def _is_within_limit(limit: Limit, report: Report, layers: LayerIndex) -> bool | None:
    """Whether a model keeps to a limit, None if the limited layers are missing."""
    if limit.layers is None:
        return limit.allows(QUANTITIES[limit.what].model_amount(report))
    log = current_log()
    are_unnamed = log is not None and log.has_symbolic_runs
    some_copies = symbolic_blocks(report.blocks) and re.search(_SOME_COPIES_PATTERN, limit.layers)
    if are_unnamed or some_copies:
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
        self.fixed = dict(fixed)
        self.with_verdicts = with_verdicts
        self.pieces: deque[tuple[_PointKind, Piece]] = deque(maxlen=_MAX_PIECES)
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
            base = self.variants.base_params
            rows: list[VariantRow] = [{}] * len(batch)
            for piece, places, results in self.evaluate(batch):
                for place, each in zip(places, results, strict=True):
                    setting = self.fixed | dict(zip(self.names, batch[place], strict=True))
                    rows[place] = {"set": setting} | piece.row(each, base)
            yield rows
            size = min(2 * size, _MAX_POINTS_PER_BATCH) if self.piece_count == known else 1

    def evaluate(self, batch: Sequence[Point]) -> Iterator[_PieceResults]:
        """For each piece that holds at some points, their places and its results there."""
        types = tuple(map(_number_type, zip(*batch, strict=True)))
        numbers = batch if all(types) else [tuple(compress(point, types)) for point in batch]
        for kind, remaining in _places_by_kind(types, batch):
            places = remaining
            while places:
                piece = self.find_piece(kind, batch[places[0]])
                results = list(piece.evaluate([numbers[place] for place in places]))
                if None not in results:  # as nearly always
                    yield piece, places, results
                    break
                holds = [each is not None for each in results]
                assert holds[0], batch[places[0]]
                yield piece, list(compress(places, holds)), list(compress(results, holds))
                places = list(compress(places, map(not_, holds)))

    def evaluate_at(self, point: Point) -> tuple[Piece, tuple[Any, ...]]:
        """The piece that holds at a point, and its results there."""
        [(piece, _, [results])] = self.evaluate([point])
        return piece, results

    def piece_at(self, point: Point) -> Piece:
        """The piece that holds at a point."""
        return self.evaluate_at(point)[0]

    def piece_in_integers(self, point: Point) -> Piece:
        """The piece that holds at a point, of whose values whole numbers alone are symbolic."""
        types = tuple(int if _number_type([each]) is int else None for each in point)
        [(kind, _)] = _places_by_kind(types, [point])
        return self.find_piece(kind, point)

    def find_piece(self, kind: _PointKind, point: Point) -> Piece:
        """The piece of points of a kind that holds at one: a kept one, or a new one."""
        types, _ = kind
        numbers = tuple(compress(point, types))
        for known_kind, piece in self.pieces:
            if known_kind == kind and piece.holds_at(numbers):
                return piece
        piece = self.trace_piece([each is not None for each in types], point)
        self.pieces.appendleft((kind, piece))
        self.piece_count += 1
        return piece

    def trace_numbers(self, point: Point, *, each_copy: bool = False) -> Piece:
        """The piece that holds at a point of numbers, all of them symbolic."""
        return self.trace_piece([True] * len(point), point, each_copy=each_copy)

    def trace_piece(
        self, symbolic: Sequence[bool], point: Point, *, each_copy: bool = False
    ) -> Piece:
        """The piece that holds at a point, some of whose values are symbolic.

        With `each_copy`, no copy of a block stands for several.
        """
        names_copy = any(re.search(_COPY_PATTERN, name) for name in (*self.fixed, *self.names))
        for allows_symbolic_repeats in (not names_copy and not each_copy, False):
            log = ConditionLog(allows_symbolic_repeats=allows_symbolic_repeats)
            settings = self.fixed.copy()
            for name, value, is_number in zip(self.names, point, symbolic, strict=True):
                settings[name] = make_variable(log, name, value) if is_number else value
            with suppress(UnlikeCopiesError):
                return Piece(self.variants, log, settings, with_verdict=self.with_verdicts)
        raise AssertionError


def _places_by_kind(
    types: tuple[type[Any] | None, ...], batch: Sequence[Point]
) -> Iterable[tuple[_PointKind, Sequence[int]]]:
    """The places of the points of each kind; `types` are those of values that are symbolic."""
    if all(types):
        return [((types, ""), range(len(batch)))]
    places: defaultdict[_PointKind, list[int]] = defaultdict(list)
    for place, point in enumerate(batch):
        others = [None if each else value for each, value in zip(types, point, strict=True)]
        try:
            places[types, repr(others)].append(place)
        except ValueError:  # a number is too long
            places[types, object()].append(place)
    return places.items()


def _number_type(values: Sequence[Any]) -> type[Any] | None:
    """The type of values that one variable may have: numbers of one type; None of any others."""
    types = set(map(type, values))
    if types == {int} and min(values) >= -MAX_NUMBER and max(values) <= MAX_NUMBER:
        return int
    return float if types == {float} and all(map(math.isfinite, values)) else None
