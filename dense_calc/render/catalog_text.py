"""The catalogue of layer kinds as text: a line for each kind, or a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import dumps

import click
from msgspec import to_builtins

from dense_calc.analysis.catalog import Argument, Card, Entry
from dense_calc.analysis.formula import split
from dense_calc.render import Style
from dense_calc.render.grid import shown
from dense_calc.render.plain_text import wrapped
from dense_calc.report import WeightRow

GAP = "  "
SOME = 6  # of many words


def render(kinds: Mapping[str, Sequence[Entry]] | Sequence[Card], style: Style) -> str:
    """The kinds of each family, or cards one below the other."""
    blocks: Iterable[Iterable[str]]
    if isinstance(kinds, Mapping):
        blocks = [family_lines(family, held, style) for family, held in kinds.items()]
    else:
        blocks = [card_lines(card, style) for card in kinds]
    return shown("\n".join("".join(f"{line}\n" for line in block) for block in blocks), style)


def family_lines(family: str, kinds: Sequence[Entry], style: Style) -> Iterator[str]:
    """A family: a line for each kind, with its aliases and what it does."""
    yield heading(family, style)
    facts = [(", ".join((kind.name, *kind.aliases)), kind.what) for kind in kinds]
    yield from listed(facts, style)


def card_lines(card: Card, style: Style) -> Iterator[str]:
    """A card: what the kind does, its rule, its weights, its arguments, and an example."""
    names = ", ".join((card.name, *card.aliases))
    yield f"{heading(names, style)}: {card.family}"
    for paragraph in card.what.split("\n\n"):
        yield from wrapped(paragraph, style.width or 100)
    facts = [("shape", card.rule), *map(weight_axes, card.weights)]
    if card.weights:
        facts.append(("params", card.formula))
    for title, lines in (
        ("", listed(facts, style)),
        ("arguments", listed(map(argument_fact, card.arguments), style)),
        ("example", (f"{GAP}{line}" for line in card.example.splitlines())),
    ):
        yield heading(title, style)
        yield from lines


def listed(facts: Iterable[tuple[str, str]], style: Style) -> Iterator[str]:
    """Names in a column and what they are beside them, wrapped."""
    rows = list(facts)
    column = max(len(name) for name, _ in rows)
    room = max(1, style.width - column - 2 * len(GAP)) if style.width else 10**6
    for name, fact in rows:
        for number, line in enumerate(wrapped(fact, room) or [""]):
            label = name if number == 0 else ""
            yield f"{GAP}{label:{column}}{GAP}{line}".rstrip()


def heading(text: str, style: Style) -> str:
    """A heading, bold where there is colour."""
    return click.style(text, bold=True) if style.color and text else text


def weight_axes(weight: WeightRow) -> tuple[str, str]:
    """A weight and its named axes."""
    frozen = "" if weight.trainable else ", not trained"
    axes = (axis if split(axis)[1] else str(split(axis)[0]) for axis in weight.axes)
    return weight.path, f"({', '.join(axes)}){frozen}"


def argument_fact(argument: Argument) -> tuple[str, str]:
    """An argument, its type and its default."""
    what = argument.type
    if len(argument.choices) > SOME:
        some = ", ".join(f"'{word}'" for word in argument.choices[:SOME])
        what = f"{some} or {len(argument.choices) - SOME} more names"
    end = (
        "required"
        if argument.required
        else f"default {dumps(argument.default, default=to_builtins)}"
    )
    return argument.name, f"{what}; {end}"
