"""How a count grows: as text, and as JSON whose polynomials Python can evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

import click

from dense_calc.errors import columns, printable
from dense_calc.render import Style
from dense_calc.render.algebra import (
    ASCII,
    MATHEMATICS,
    PYTHON,
    Names,
    python_names,
    where,
    written,
)
from dense_calc.render.grid import shown
from dense_calc.render.json import ENCODER, lines_of, object_of, safe
from dense_calc.render.plain_text import wrapped
from dense_calc.whatif.growth import Growth, Step
from dense_calc.whatif.growth.polynomial import Polynomial

PARAMS = "params"
EQUALS = " = "
FEW_PIECES = 4  # that a text shows
GAP = "  "


def render(growth: Growth, names: Names, style: Style) -> str:
    """The polynomial or its pieces, what one more of each costs, and what was verified."""
    names = [printable(name) for name in names]
    paragraphs = (
        count_lines(growth, names, style),
        folded(steps(growth, names), style),
        folded(evidence(growth, names), style),
    )
    text = "\n".join("".join(f"{line}\n" for line in lines) for lines in paragraphs)
    return shown(text, style)


def folded(sentences: Iterable[str], style: Style) -> Iterator[str]:
    """The lines of sentences, each of which begins a line."""
    for sentence in sentences:
        yield from wrapped(sentence, style.width or len(sentence) + 1)


def count_lines(growth: Growth, names: Names, style: Style) -> Iterator[str]:
    """The lines that say what the count is."""
    if growth.number == 1:
        yield from polynomial_lines(growth.pieces[0].polynomial, names, style, "")
        return
    yield from folded([headline(growth)], style)
    for piece in growth.pieces[:FEW_PIECES]:
        yield from folded([f"where {where(piece.parts, growth.ranges, names)}:"], style)
        yield from polynomial_lines(piece.polynomial, names, style, GAP)
    if growth.number > FEW_PIECES:
        yield from folded([others(growth)], style)
    yield from table(growth, names)


def headline(growth: Growth) -> str:
    """What there is if there is no polynomial over the whole range."""
    if growth.number:
        known = len(growth.pieces)
        some = f"{known} parts" if known == growth.number else f"{known} parts of {growth.number:,}"
        return f"No polynomial over the whole range, but one on each of {some}:"
    if growth.stopped:
        return (
            f"No polynomial was found with {growth.looked_at:,} models; fewer variables or a "
            "shorter range may have one: see --min and --max."
        )
    if prod(map(len, growth.ranges)) == len(growth.values):
        return "A range of so few values tells no polynomial:"
    return "No polynomial over the range:"


def others(growth: Growth) -> str:
    """What is said of the pieces that are not shown."""
    more = f"and {growth.number - FEW_PIECES:,} more"
    if growth.number == len(growth.pieces):
        return f"{more}, with --format json"
    return f"{more}, {len(growth.pieces) - FEW_PIECES:,} of them with --format json"


def polynomial_lines(
    polynomial: Polynomial, names: Names, style: Style, indent: str
) -> Iterator[str]:
    """The lines of `params = ...`, broken between terms."""
    terms = written(polynomial, names, ASCII if style.ascii else MATHEMATICS)
    margin = " " * len(indent + PARAMS + EQUALS)
    line = indent + (click.style(PARAMS, bold=True) if style.color else PARAMS) + EQUALS + terms[0]
    room = (style.width or 10**6) - len(margin)
    used = columns(terms[0])
    for term in terms[1:]:
        used += 1 + columns(term)
        if used > room:
            yield line
            line, used = margin + term, columns(term)
        else:
            line += f" {term}"
    yield line


def table(growth: Growth, names: Names) -> Iterator[str]:
    """The counts that are known where there is no polynomial."""
    if not growth.values:
        return
    rows = [[f"{each:,}" for each in (*point, count)] for point, count in growth.values]
    rows.insert(0, [*names, PARAMS])
    widths = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            " " * (width - columns(cell)) + cell for cell, width in zip(row, widths, strict=True)
        )
        yield GAP + GAP.join(cells)


def steps(growth: Growth, names: Names) -> Iterator[str]:
    """What one more of each variable costs."""
    for name, step in zip(names, growth.steps, strict=True):
        if step is None:
            yield f"{name}: no larger value makes a model, as far as was looked"
        else:
            change = f"{step.change:+,} {PARAMS}" if step.change else "no change"
            yield f"{name} {step.before:,} → {step.after:,}: {change}"


def evidence(growth: Growth, names: Names) -> Iterator[str]:
    """What was looked at, and what that tells."""
    for name in without_effect(growth, names):
        yield f"The count does not depend on {name}."
    spans = zip(names, growth.ranges, strict=True)
    looked = ", ".join(f"{name} from {each[0]:,} to {each[-1]:,}" for name, each in spans)
    yield f"{points_text(growth)}: {looked}."
    if growth.invalid:
        yield gaps(growth, names)


def points_text(growth: Growth) -> str:
    """How many points tell: `Exact on 40 further points`."""
    known = "Exact on" if growth.number else "Looked at"
    if growth.is_all:
        return f"{known} all {prod(map(len, growth.ranges)):,} points"
    points = growth.verified if growth.number else growth.looked_at
    further = "further " if growth.number else ""
    return f"{known} {points:,} {further}{'point' if points == 1 else 'points'}"


def gaps(growth: Growth, names: Names) -> str:
    """Where there is no model."""
    condition = where(growth.valid, growth.ranges, names) if growth.valid else ""
    if condition:
        return f"There is a model where {condition}."
    all_ = f"the {growth.looked_at:,} points that were looked at"
    return f"{growth.invalid:,} of {all_} {'makes' if growth.invalid == 1 else 'make'} no model."


def without_effect(growth: Growth, names: Names) -> Iterator[str]:
    """The variables that the count does not depend on."""
    if len(growth.pieces) != growth.number or not growth.number:
        return
    for axis, name in enumerate(names):
        parts = {piece.parts[axis] for piece in growth.pieces}
        is_used = any(key[axis] for piece in growth.pieces for key in piece.polynomial)
        if len(parts) == 1 and not is_used:
            yield name


def growth_json(
    model: str, total_params: int | None, growth: Growth, names: Names, style: Style
) -> str:
    """How the count of a model grows; `total_params` is the one that it has now."""
    plain: dict[str, Any] = {
        "name": model,
        "total_params": total_params,
        "polynomial": polynomial_of(growth, names),
        "variables": dict(zip(python_names(names), names, strict=True)),
        "range": {
            name: {"min": each[0], "max": each[-1]}
            for name, each in zip(names, growth.ranges, strict=True)
        },
        "verified": growth.verified,
        "looked_at": growth.looked_at,
        "complete": growth.is_all,
        "invalid": growth.invalid,
        "next": dict(zip(names, map(step_of, growth.steps), strict=True)),
    }
    condition = where(growth.valid, growth.ranges, python_names(names)) if growth.valid else ""
    if condition:
        plain["valid"] = condition
    if growth.number > 1:
        plain["number_of_pieces"] = growth.number
    fields = {name: ENCODER.encode(value).decode() for name, value in plain.items()}
    lists = {"pieces": list(pieces_of(growth, names)), "values": list(values_of(growth, names))}
    fields |= {name: lines_of(items) for name, items in lists.items() if items}
    return safe(f"{object_of(fields)}\n", style)


def polynomial_of(growth: Growth, names: Names) -> str | None:
    """The polynomial as Python reads it, None if there is none over the whole range."""
    return expression(growth.pieces[0].polynomial, names) if growth.number == 1 else None


def expression(polynomial: Polynomial, names: Names) -> str:
    """A polynomial as Python reads it."""
    return " ".join(written(polynomial, python_names(names), PYTHON))


def step_of(step: Step | None) -> Mapping[str, int] | None:
    """What one more costs, as JSON has it."""
    return None if step is None else {"from": step.before, "to": step.after, "change": step.change}


def pieces_of(growth: Growth, names: Names) -> Iterator[Mapping[str, str]]:
    """The pieces, if there are several, with the conditions under which they hold."""
    for piece in growth.pieces if growth.number > 1 else ():
        condition = where(piece.parts, growth.ranges, python_names(names))
        yield {"where": condition, "polynomial": expression(piece.polynomial, names)}


def values_of(growth: Growth, names: Names) -> Iterator[Mapping[str, Any]]:
    """The counts that are known where there is no polynomial."""
    for point, count in growth.values:
        yield {"set": dict(zip(names, point, strict=True)), "total_params": count}
