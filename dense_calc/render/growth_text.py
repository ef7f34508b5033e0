"""How a count grows: as text, and as JSON whose polynomials Python can evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

import click

from dense_calc.errors import display_width, escape_unprintable
from dense_calc.render import Style
from dense_calc.render.algebra import (
    ASCII_NOTATION,
    MATH_NOTATION,
    PYTHON_NOTATION,
    VariableNames,
    format_condition,
    format_terms,
    python_names,
)
from dense_calc.render.grid import translate_signs
from dense_calc.render.json import JSON_ENCODER, escape_json, json_array, json_object
from dense_calc.render.plain_text import wrap_text
from dense_calc.whatif.growth import CountStep, Growth
from dense_calc.whatif.growth.polynomial import Polynomial

_PARAMS_WORD = "params"
_EQUALS_SIGN = " = "
_MAX_SHOWN_PIECES = 4  # that a text shows
_PIECE_INDENT = "  "


def render_growth(growth: Growth, names: VariableNames, style: Style) -> str:
    """The polynomial or its pieces, what one more of each costs, and what was verified."""
    names = [escape_unprintable(name) for name in names]
    paragraphs = (
        _growth_lines(growth, names, style),
        _wrap_sentences(_step_sentences(growth, names), style),
        _wrap_sentences(_evidence_sentences(growth, names), style),
    )
    text = "\n".join("".join(f"{line}\n" for line in lines) for lines in paragraphs)
    return translate_signs(text, style)


def _wrap_sentences(sentences: Iterable[str], style: Style) -> Iterator[str]:
    """The lines of sentences, each of which begins a line."""
    for sentence in sentences:
        yield from wrap_text(sentence, style.width or len(sentence) + 1)


def _growth_lines(growth: Growth, names: VariableNames, style: Style) -> Iterator[str]:
    """The lines that say what the count is."""
    if growth.piece_count == 1:
        yield from _polynomial_lines(growth.pieces[0].polynomial, names, style, "")
        return
    yield from _wrap_sentences([_pieces_headline(growth)], style)
    for piece in growth.pieces[:_MAX_SHOWN_PIECES]:
        yield from _wrap_sentences(
            [f"where {format_condition(piece.domain, growth.ranges, names)}:"], style
        )
        yield from _polynomial_lines(piece.polynomial, names, style, _PIECE_INDENT)
    if growth.piece_count > _MAX_SHOWN_PIECES:
        yield from _wrap_sentences([_hidden_pieces_text(growth)], style)
    yield from _known_count_lines(growth, names)


def _pieces_headline(growth: Growth) -> str:
    """What there is if there is no polynomial over the whole range."""
    if growth.piece_count:
        known = len(growth.pieces)
        some = (
            f"{known} parts"
            if known == growth.piece_count
            else f"{known} parts of {growth.piece_count:,}"
        )
        return f"No polynomial over the whole range, but one on each of {some}:"
    if growth.is_cut_short:
        return (
            f"No polynomial was found with {growth.evaluated_count:,} models; fewer variables or a "
            "shorter range may have one: see --min and --max."
        )
    if prod(map(len, growth.ranges)) == len(growth.sample_counts):
        return "A range of so few values tells no polynomial:"
    return "No polynomial over the range:"


def _hidden_pieces_text(growth: Growth) -> str:
    """What is said of the pieces that are not shown."""
    more = f"and {growth.piece_count - _MAX_SHOWN_PIECES:,} more"
    if growth.piece_count == len(growth.pieces):
        return f"{more}, with --format json"
    return f"{more}, {len(growth.pieces) - _MAX_SHOWN_PIECES:,} of them with --format json"


def _polynomial_lines(
    polynomial: Polynomial, names: VariableNames, style: Style, indent: str
) -> Iterator[str]:
    """The lines of `params = ...`, broken between terms."""
    terms = format_terms(polynomial, names, ASCII_NOTATION if style.ascii else MATH_NOTATION)
    margin = " " * len(indent + _PARAMS_WORD + _EQUALS_SIGN)
    line = (
        indent
        + (click.style(_PARAMS_WORD, bold=True) if style.color else _PARAMS_WORD)
        + _EQUALS_SIGN
        + terms[0]
    )
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
    """The counts that are known where there is no polynomial."""
    if not growth.sample_counts:
        return
    rows = [[f"{each:,}" for each in (*point, count)] for point, count in growth.sample_counts]
    rows.insert(0, [*names, _PARAMS_WORD])
    widths = [max(map(display_width, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            " " * (width - display_width(cell)) + cell
            for cell, width in zip(row, widths, strict=True)
        )
        yield _PIECE_INDENT + _PIECE_INDENT.join(cells)


def _step_sentences(growth: Growth, names: VariableNames) -> Iterator[str]:
    """What one more of each variable costs."""
    for name, step in zip(names, growth.next_steps, strict=True):
        if step is None:
            yield f"{name}: no larger value makes a model, as far as was looked"
        else:
            change = f"{step.count_change:+,} {_PARAMS_WORD}" if step.count_change else "no change"
            yield f"{name} {step.from_value:,} → {step.to_value:,}: {change}"


def _evidence_sentences(growth: Growth, names: VariableNames) -> Iterator[str]:
    """What was looked at, and what that tells."""
    for name in _unused_variables(growth, names):
        yield f"The count does not depend on {name}."
    spans = zip(names, growth.ranges, strict=True)
    looked = ", ".join(f"{name} from {each[0]:,} to {each[-1]:,}" for name, each in spans)
    yield f"{_points_text(growth)}: {looked}."
    if growth.invalid_count:
        yield _gap_sentence(growth, names)


def _points_text(growth: Growth) -> str:
    """How many points tell: `Exact on 40 further points`."""
    known = "Exact on" if growth.piece_count else "Looked at"
    if growth.is_exhaustive:
        return f"{known} all {prod(map(len, growth.ranges)):,} points"
    points = growth.verified_count if growth.piece_count else growth.evaluated_count
    further = "further " if growth.piece_count else ""
    return f"{known} {points:,} {further}{'point' if points == 1 else 'points'}"


def _gap_sentence(growth: Growth, names: VariableNames) -> str:
    """Where there is no model."""
    condition = (
        format_condition(growth.valid_domain, growth.ranges, names) if growth.valid_domain else ""
    )
    if condition:
        return f"There is a model where {condition}."
    all_ = f"the {growth.evaluated_count:,} points that were looked at"
    return f"{growth.invalid_count:,} of {all_} {'makes' if growth.invalid_count == 1 else 'make'} no model."


def _unused_variables(growth: Growth, names: VariableNames) -> Iterator[str]:
    """The variables that the count does not depend on."""
    if len(growth.pieces) != growth.piece_count or not growth.piece_count:
        return
    for axis, name in enumerate(names):
        parts = {piece.domain[axis] for piece in growth.pieces}
        is_used = any(key[axis] for piece in growth.pieces for key in piece.polynomial)
        if len(parts) == 1 and not is_used:
            yield name


def growth_json(
    model: str, total_params: int | None, growth: Growth, names: VariableNames, style: Style
) -> str:
    """How the count of a model grows; `total_params` is the one that it has now."""
    plain: dict[str, Any] = {
        "name": model,
        "total_params": total_params,
        "polynomial": _whole_range_expression(growth, names),
        "variables": dict(zip(python_names(names), names, strict=True)),
        "range": {
            name: {"min": each[0], "max": each[-1]}
            for name, each in zip(names, growth.ranges, strict=True)
        },
        "verified": growth.verified_count,
        "looked_at": growth.evaluated_count,
        "complete": growth.is_exhaustive,
        "invalid": growth.invalid_count,
        "next": dict(zip(names, map(_step_fields, growth.next_steps), strict=True)),
    }
    condition = (
        format_condition(growth.valid_domain, growth.ranges, python_names(names))
        if growth.valid_domain
        else ""
    )
    if condition:
        plain["valid"] = condition
    if growth.piece_count > 1:
        plain["number_of_pieces"] = growth.piece_count
    fields = {name: JSON_ENCODER.encode(value).decode() for name, value in plain.items()}
    lists = {
        "pieces": list(_piece_fields(growth, names)),
        "values": list(_known_count_fields(growth, names)),
    }
    fields |= {name: json_array(items) for name, items in lists.items() if items}
    return escape_json(f"{json_object(fields)}\n", style)


def _whole_range_expression(growth: Growth, names: VariableNames) -> str | None:
    """The polynomial as Python reads it, None if there is none over the whole range."""
    return (
        _python_expression(growth.pieces[0].polynomial, names) if growth.piece_count == 1 else None
    )


def _python_expression(polynomial: Polynomial, names: VariableNames) -> str:
    """A polynomial as Python reads it."""
    return " ".join(format_terms(polynomial, python_names(names), PYTHON_NOTATION))


def _step_fields(step: CountStep | None) -> Mapping[str, int] | None:
    """What one more costs, as JSON has it."""
    return (
        None
        if step is None
        else {"from": step.from_value, "to": step.to_value, "change": step.count_change}
    )


def _piece_fields(growth: Growth, names: VariableNames) -> Iterator[Mapping[str, str]]:
    """The pieces, if there are several, with the conditions under which they hold."""
    for piece in growth.pieces if growth.piece_count > 1 else ():
        condition = format_condition(piece.domain, growth.ranges, python_names(names))
        yield {"where": condition, "polynomial": _python_expression(piece.polynomial, names)}


def _known_count_fields(growth: Growth, names: VariableNames) -> Iterator[Mapping[str, Any]]:
    """The counts that are known where there is no polynomial."""
    for point, count in growth.sample_counts:
        yield {"set": dict(zip(names, point, strict=True)), "total_params": count}
