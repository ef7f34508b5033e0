"""What layers come to as expressions in the vars of their file, and where those hold."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dense_calc.analysis.collapse import block_layer_name, blocks_by_copy
from dense_calc.analysis.explanation import Explanation
from dense_calc.analysis.expressions_text import condition_texts, expression_text
from dense_calc.analysis.patterns import LayerIndex
from dense_calc.model import count_calls, symbolic_blocks
from dense_calc.report import LayerRow
from dense_calc.settings.variants import ModelVariants, Settings
from dense_calc.shapes import is_shape
from dense_calc.symbolic.condition_log import ConditionLog
from dense_calc.symbolic.symbolic_number import as_integer_term
from dense_calc.whatif.find_growth import GrowthExpressions
from dense_calc.whatif.pieces import ModelFormulas, Piece


def explain_in_vars(
    models: ModelVariants, settings: Settings, explanation: Explanation
) -> Explanation:
    """The explanation with expressions in the vars that have no setting, and their conditions.

    Raises:
        DenseCalcError: the file has no model.
    """
    scope = {name: models.setting_value(name) for name in models.vars if name not in settings}
    formulas = ModelFormulas(models, list(scope), settings, with_verdicts=False)
    point = tuple(scope.values())
    piece = formulas.piece_at(point)
    rows = _rows_by_name(piece)
    are_found = {each.name for each in explanation.layers} <= rows.keys()
    if piece.log.has_symbolic_runs or not are_found:  # in a copy that another stands for
        piece = formulas.trace_numbers(point, each_copy=True)
        rows = _rows_by_name(piece)
    layers = [
        replace(each, symbolic=_expressions(piece.log, rows[each.name]))
        for each in explanation.layers
    ]
    conditions = tuple(condition_texts(piece.log, piece.conditions))
    return replace(explanation, layers=tuple(layers), symbolic_where=conditions)


def _rows_by_name(piece: Piece) -> Mapping[str, LayerRow]:
    """The rows of the report on a model, by their full names."""
    assert piece.report
    return LayerIndex(piece.report).rows_by_path


def _expressions(log: ConditionLog, row: LayerRow) -> dict[str, str]:
    """The parameters and the sizes of the output of a layer, as expressions."""
    found = {"params": expression_text(log, as_integer_term(row.params))}
    if is_shape(row.output_shape):
        sizes = (
            "None" if size is None else expression_text(log, as_integer_term(size))
            for size in row.output_shape
        )
        found["output"] = f"({', '.join(sizes)})"
    return found


def express_growth(piece: Piece, by: str | None) -> GrowthExpressions:
    """The count of a model as an expression, and those of its layers or its blocks."""
    count = None if piece.count is None else expression_text(piece.log, piece.count)
    conditions = tuple(condition_texts(piece.log, piece.conditions))
    return GrowthExpressions(count, conditions, _count_by_layer(piece, by) if by else {})


def _count_by_layer(piece: Piece, by: str) -> dict[str, str]:
    """The parameters of each layer with any as an expression, by its name.

    A layer of a block stands for those of all copies; by "block", so does the block itself.
    """
    counts: dict[str, int] = {}
    if piece.report is None:
        return {}
    blocks = blocks_by_copy(piece.report.blocks)
    symbolic = symbolic_blocks(piece.report.blocks)
    for row in piece.report.layers:
        name = block_layer_name(row.name, blocks)
        name = name.partition("/")[0] if by == "block" else name
        params = sum(weight.params for weight in row.counted_weights)
        counts[name] = counts.get(name, 0) + count_calls(row.name, symbolic) * params
    terms = {name: as_integer_term(count) for name, count in counts.items()}
    return {name: expression_text(piece.log, term) for name, term in terms.items() if term}
