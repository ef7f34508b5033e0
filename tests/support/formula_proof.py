"""What formulas say at a point, row by row, beside what a plain trace says there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from dense_calc.errors import DenseCalcError, Source
from dense_calc.files.loader import parse_variants
from dense_calc.settings.variants import ModelVariants
from dense_calc.symbolic.formulas import Point, compile_formulas
from dense_calc.symbolic.state import is_symbolic
from dense_calc.symbolic.symbolic_number import SymbolicNumber, as_operand_term
from dense_calc.tracing.tracer import trace
from dense_calc.whatif.pieces import ModelFormulas, Piece

_COMPARED_KEYS = ("type", "params", "trainable_params", "output_shape", "weights")


def plain_outcome(whole: ModelVariants, settings: Mapping[str, Any]) -> Any:
    """The report on a model as plain data, or the message that says why there is none."""
    try:
        return as_data(trace(whole.model_with(settings)))
    except DenseCalcError as error:
        return error.message


def as_data(value: Any) -> Any:
    """A report as lists and mappings, symbolic numbers left in place."""
    if isinstance(value, Struct):
        return {name: as_data(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {name: as_data(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [as_data(each) for each in value]
    return value


def symbols_in(value: Any) -> Iterator[SymbolicNumber]:
    """The symbolic numbers in plain data."""
    if is_symbolic(value):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from symbols_in(each)


def prove_text(text: str, names: Sequence[str]) -> ProvenFormulas:
    """The formulas of a spec in some of its vars."""
    return ProvenFormulas(parse_variants(Source("m.yaml", text), None, "m", {}, "m.yaml"), names)


class ProvenFormulas:
    """Formulas of a file, with those of all rows."""

    def __init__(self, whole: ModelVariants, names: Sequence[str]) -> None:
        self.whole = whole
        self.formulas = ModelFormulas(whole, names)
        self.rows: dict[int, tuple[Piece, Any, Any]] = {}
        self.count = 0

    def demand_equal(self, point: Point) -> None:
        """Assert that the formulas and a plain trace say the same at a point."""
        settings = dict(zip(self.formulas.names, point, strict=True))
        wanted = plain_outcome(self.whole, settings)
        piece, results = self.formulas.evaluate_at(point)
        found = self.outcome(piece, results, point)
        if piece.log.has_symbolic_repeats and isinstance(wanted, dict):
            found, wanted = comparable(found, piece), comparable(wanted, piece)
        assert found == wanted, settings
        self.count += 1

    def outcome(self, piece: Piece, results: Sequence[Any], point: Point) -> Any:
        """The report that the formulas of a piece make at a point, or the message."""
        if piece.report is None:
            return piece.row(results)["error"]
        if id(piece) not in self.rows:
            data = as_data(piece.report)
            terms = [as_operand_term(each) for each in symbols_in(data)]
            self.rows[id(piece)] = piece, data, compile_formulas(piece.log, (), terms)
        _, data, evaluate = self.rows[id(piece)]
        numbers = [each for each in point if type(each) in (int, float)]
        if not piece.log.variable_count:
            return data
        (values,) = evaluate([tuple(numbers)])
        assert values is not None, point
        return fill(data, iter(values))


def comparable(report: dict[str, Any], piece: Piece) -> dict[str, Any]:
    """What a report says, with one name for all copies of a block but the first.

    Only the second of them is in a report where their number is symbolic. Where that is so of a
    run, layers have other names, and no names are compared.
    """
    assert piece.report
    names = {
        block.copies[-1].rpartition("_")[0]
        for block in piece.report.blocks
        if is_symbolic(block.last_copy_count)
    }
    pattern = rf"^((?:.*/)?(?:{'|'.join(map(re.escape, names))})_)[1-9][0-9]*(?=/)"
    rows = {
        re.sub(pattern, r"\g<1>1", row["name"]): {key: row[key] for key in _COMPARED_KEYS}
        for row in report["layers"]
    }
    if piece.log.has_symbolic_runs:
        rows = {repr(row): row for row in rows.values()}
    totals = {key: each for key, each in report.items() if key.endswith(("_params", "_bytes"))}
    return {**totals, "inputs": report["inputs"], "layers": rows}


def fill(value: Any, numbers: Iterator[Any]) -> Any:
    """Plain data with numbers in the places of symbolic ones."""
    if is_symbolic(value):
        return next(numbers)
    if isinstance(value, dict):
        return {name: fill(each, numbers) for name, each in value.items()}
    if isinstance(value, list):
        return [fill(each, numbers) for each in value]
    return value
