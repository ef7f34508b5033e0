"""The growth of a count, as text or as JSON whose polynomials Python can evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dense_calc.errors import display_width, escape_unprintable
from dense_calc.layers.base import PRODUCT_SIGN
from dense_calc.render import Style
from dense_calc.render.algebra import (
    ASCII_NOTATION,
    MATH_NOTATION,
    PYTHON_NOTATION,
    Notation,
    VariableNames,
    format_condition,
    format_terms,
    python_names,
)
from dense_calc.render.grid import group_digits
from dense_calc.render.json import escape_json, json_array, json_fields, json_object
from dense_calc.render.plain_text import align_right, bold_text, join_paragraphs, wrap_text
from dense_calc.symbolic.count_polynomials import CountPolynomial
from dense_calc.whatif.find_growth import CountStep, Growth, GrowthExpressions
from dense_calc.whatif.growing import GrowthResult

_PARAMS_WORD = "params"
_EQUALS_SIGN = " = "
_MAX_SHOWN_PIECES = 4
_PIECE_INDENT = "  "


def render_growth(result: GrowthResult, style: Style) -> str:
    """The polynomial or its pieces, what the next value of each costs, and where that holds."""
    growth, expressions = result.growth, result.expressions
    names = [escape_unprintable(name) for name in result.variables]
    paragraphs = (
        _growth_lines(growth, names, style),
        *(
            []
            if growth.pieces or not expressions.count
            else [_expression_lines(expressions, style)]
        ),
        *([_share_lines(expressions.shares, style)] if expressions.shares else []),
        _wrap_sentences(_step_sentences(growth, names), style),
        _wrap_sentences(_evidence_sentences(growth, names), style),
    )
    return join_paragraphs(paragraphs, style)


def _share_lines(shares: Mapping[str, str], style: Style) -> Iterator[str]:
    """A line for each part of the count."""
    yield "of which"
    names = {name: escape_unprintable(name) for name in shares}
    room = max(map(display_width, names.values())) + len(_PIECE_INDENT)
    for name, expression in shares.items():
        shown = names[name] + " " * (room - display_width(names[name]))
        yield f"{_PIECE_INDENT}{shown}{_expression_text(expression, style)}"


def _expression_lines(expressions: GrowthExpressions, style: Style) -> Iterator[str]:
    """The sentence that gives the count as an expression, where it is no polynomial."""
    sentence = f"Exactly, {_PARAMS_WORD} = {_expression_text(str(expressions.count), style)}"
    if expressions.conditions:
        conditions = " and ".join(expressions.conditions)
        sentence += f", where {_expression_text(conditions, style)}"
    yield from _wrap_sentences([f"{sentence}."], style)


def _expression_text(expression: str, style: Style) -> str:
    """An expression in the signs of a style."""
    signed = expression.replace(PRODUCT_SIGN, "*") if style.ascii else expression
    return escape_unprintable(group_digits(signed))


def _wrap_sentences(sentences: Iterable[str], style: Style) -> Iterator[str]:
    """The lines of sentences; each sentence begins a line."""
    for sentence in sentences:
        yield from wrap_text(sentence, style.width or len(sentence) + 1)


def _growth_lines(growth: Growth, names: VariableNames, style: Style) -> Iterator[str]:
    """The lines of the polynomial, of its pieces, or of known counts if there is none."""
    if len(growth.pieces) == 1:
        yield from _polynomial_lines(growth.pieces[0].polynomial, names, style, "")
        return
    yield from _wrap_sentences([_pieces_headline(growth)], style)
    for piece in growth.pieces[:_MAX_SHOWN_PIECES]:
        yield from _wrap_sentences(
            [f"where {format_condition(piece.domain, growth.ranges, names, MATH_NOTATION)}:"],
            style,
        )
        yield from _polynomial_lines(piece.polynomial, names, style, _PIECE_INDENT)
    if len(growth.pieces) > _MAX_SHOWN_PIECES:
        yield from _wrap_sentences([_hidden_pieces_text(growth)], style)
    yield from _known_count_lines(growth, names)


def _pieces_headline(growth: Growth) -> str:
    """The sentence above the pieces or the counts, if no polynomial holds over the whole range."""
    if growth.pieces:
        parts = f"{len(growth.pieces):,} parts"
        return f"No polynomial over the whole range, but one on each of {parts}:"
    if growth.is_cut_short:
        return (
            "The ranges have too many parts with a polynomial each; fewer variables or a shorter "
            "range may have few: see --min and --max."
        )
    return "No polynomial over the range:"


def _hidden_pieces_text(growth: Growth) -> str:
    """How many pieces the text leaves out, and how to see them."""
    return f"and {len(growth.pieces) - _MAX_SHOWN_PIECES:,} more, with --format json"


def _polynomial_lines(
    polynomial: CountPolynomial, names: VariableNames, style: Style, indent: str
) -> Iterator[str]:
    """The lines of `params = ...`, broken between terms."""
    terms = format_terms(polynomial, names, ASCII_NOTATION if style.ascii else MATH_NOTATION)
    margin = " " * len(indent + _PARAMS_WORD + _EQUALS_SIGN)
    line = indent + bold_text(_PARAMS_WORD, style) + _EQUALS_SIGN + terms[0]
    room = (style.width or 10**6) - len(margin)
    used = display_width(terms[0])
    for term in terms[1:]:
        used += 1 + display_width(term)
        if used > room:
            yield line
            line, used = margin + term, display_width(term)
        else:
            line += f" {term}"
    yield line


def _known_count_lines(growth: Growth, names: VariableNames) -> Iterator[str]:
    """The table of the known counts, if there is no polynomial."""
    if not growth.sample_counts:
        return
    rows = [[f"{each:,}" for each in (*point, count)] for point, count in growth.sample_counts]
    rows.insert(0, [*names, _PARAMS_WORD])
    widths = [max(map(display_width, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield _PIECE_INDENT + _PIECE_INDENT.join(map(align_right, row, widths))


def _step_sentences(growth: Growth, names: VariableNames) -> Iterator[str]:
    """A sentence for each variable: how its next value changes the count."""
    for name, step in zip(names, growth.next_steps, strict=True):
        if step is None:
            yield f"{name}: no larger value makes a model, as far as was looked"
        else:
            change = f"{step.count_change:+,} {_PARAMS_WORD}" if step.count_change else "no change"
            yield f"{name} {step.from_value:,} → {step.to_value:,}: {change}"


def _evidence_sentences(growth: Growth, names: VariableNames) -> Iterator[str]:
    """The evidence: unused variables, the ranges and points that were checked, and gaps."""
    for name in _unused_variables(growth, names):
        yield f"The count does not depend on {name}."
    pairs = zip(names, growth.ranges, strict=True)
    ranges = ", ".join(f"{name} from {each[0]:,} to {each[-1]:,}" for name, each in pairs)
    yield f"{_points_text(growth)}: {ranges}."
    if growth.invalid_count:
        yield _gap_sentence(growth, names)


def _points_text(growth: Growth) -> str:
    """How many points were checked: `Exact on 40 further points`."""
    verb = "Exact on" if growth.pieces else "Looked at"
    every = "all " if growth.is_exhaustive else ""
    return f"{verb} {every}{growth.known_count:,} points"


def _gap_sentence(growth: Growth, names: VariableNames) -> str:
    """Where there is a model, or how many points make none."""
    condition = _valid_condition(growth, names, MATH_NOTATION)
    if condition:
        return f"There is a model where {condition}."
    verb = "makes" if growth.invalid_count == 1 else "make"
    return f"{growth.invalid_count:,} of these {growth.known_count:,} points {verb} no model."


def _valid_condition(growth: Growth, names: VariableNames, notation: Notation) -> str:
    """The condition under which there is a model; '' if there is always one, or it is not known."""
    if not growth.valid_domain:
        return ""
    return format_condition(growth.valid_domain, growth.ranges, names, notation)


def _unused_variables(growth: Growth, names: VariableNames) -> Iterator[str]:
    """The variables that the count does not depend on."""
    if not growth.pieces:
        return
    for axis, name in enumerate(names):
        parts = {piece.domain[axis] for piece in growth.pieces}
        is_used = any(key[axis] for piece in growth.pieces for key in piece.polynomial)
        if len(parts) == 1 and not is_used:
            yield name


def growth_json(result: GrowthResult, style: Style) -> str:
    """The growth of a model's count as JSON."""
    growth, names, expressions = result.growth, result.variables, result.expressions
    fields = json_fields(_growth_fields(result))
    lists = {
        "pieces": list(_piece_fields(growth, names)),
        "values": list(_known_count_fields(growth, names)),
    }
    fields |= {name: json_array(items) for name, items in lists.items() if items}
    if expressions.count and not growth.pieces:
        fields |= json_fields({"expression": expressions.count, "where": expressions.conditions})
    if expressions.shares:
        fields |= json_fields({"by": expressions.shares})
    return escape_json(f"{json_object(fields)}\n", style)


def _growth_fields(result: GrowthResult) -> dict[str, Any]:
    """The growth of a count as keys and values, without the pieces and the known counts."""
    growth, names = result.growth, result.variables
    fields: dict[str, Any] = {
        "name": result.name,
        "total_params": result.total_params,
        "polynomial": _whole_range_expression(growth, names),
        "variables": dict(zip(python_names(names), names, strict=True)),
        "range": {
            name: {"min": each[0], "max": each[-1]}
            for name, each in zip(names, growth.ranges, strict=True)
        },
        "verified": growth.known_count if growth.pieces else 0,
        "looked_at": growth.known_count,
        "complete": growth.is_exhaustive,
        "invalid": growth.invalid_count,
        "next": dict(zip(names, map(_step_fields, growth.next_steps), strict=True)),
    }
    condition = _valid_condition(growth, python_names(names), PYTHON_NOTATION)
    if condition:
        fields["valid"] = condition
    if len(growth.pieces) > 1:
        fields["number_of_pieces"] = len(growth.pieces)
    return fields


def _whole_range_expression(growth: Growth, names: VariableNames) -> str | None:
    """The polynomial as Python code, None if there is none over the whole range."""
    if len(growth.pieces) != 1:
        return None
    return _python_expression(growth.pieces[0].polynomial, names)


def _python_expression(polynomial: CountPolynomial, names: VariableNames) -> str:
    """A polynomial as Python code."""
    return " ".join(format_terms(polynomial, python_names(names), PYTHON_NOTATION))


def _step_fields(step: CountStep | None) -> Mapping[str, int] | None:
    """The step to the next value of a variable as plain data."""
    if step is None:
        return None
    return {"from": step.from_value, "to": step.to_value, "change": step.count_change}


def _piece_fields(growth: Growth, names: VariableNames) -> Iterator[Mapping[str, str]]:
    """The pieces as plain data, if there are several: where each holds, and its polynomial."""
    for piece in growth.pieces if len(growth.pieces) > 1 else ():
        condition = format_condition(piece.domain, growth.ranges, python_names(names))
        yield {"where": condition, "polynomial": _python_expression(piece.polynomial, names)}


def _known_count_fields(growth: Growth, names: VariableNames) -> Iterator[Mapping[str, Any]]:
    """The known counts as plain data, if there is no polynomial."""
    for point, count in growth.sample_counts:
        yield {"set": dict(zip(names, point, strict=True)), "total_params": count}
