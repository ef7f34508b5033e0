"""The catalogue of layer kinds as text: a line for each kind, or a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from json import dumps

from msgspec import to_builtins

from dense_calc.analysis.catalog import ArgumentEntry, CatalogEntry, KindDescription
from dense_calc.analysis.formula import split_axis
from dense_calc.render import Style
from dense_calc.render.plain_text import bold_text, join_paragraphs, wrap_text
from dense_calc.report import WeightRow

_FACT_INDENT = "  "
_MAX_CARD_CHOICES = 6  # choices of an argument that a card lists


def render_catalog(
    kinds: Mapping[str, Sequence[CatalogEntry]] | Sequence[KindDescription], style: Style
) -> str:
    """The kinds of each family, or cards one below the other."""
    blocks: Iterable[Iterable[str]]
    if isinstance(kinds, Mapping):
        blocks = [_family_lines(family, entries, style) for family, entries in kinds.items()]
    else:
        blocks = [_card_lines(card, style) for card in kinds]
    return join_paragraphs(blocks, style)


def _family_lines(family: str, kinds: Sequence[CatalogEntry], style: Style) -> Iterator[str]:
    """A family: a line for each kind, with its aliases and what it does."""
    yield bold_text(family, style)
    facts = [(", ".join((kind.name, *kind.aliases)), kind.what) for kind in kinds]
    yield from _fact_lines(facts, style)


def _card_lines(card: KindDescription, style: Style) -> Iterator[str]:
    """A card: what the kind does, its rule, its weights, its arguments, and an example."""
    names = ", ".join((card.name, *card.aliases))
    yield f"{bold_text(names, style)}: {card.family}"
    for paragraph in card.what.split("\n\n"):
        yield from wrap_text(paragraph, style.width or 100)
    facts = [("shape", card.rule), *map(_weight_axes_fact, card.weights)]
    if card.weights:
        facts.append(("params", card.formula))
    yield ""
    yield from _fact_lines(facts, style)
    yield bold_text("arguments", style)
    yield from _fact_lines(map(_argument_fact, card.arguments), style)
    if card.example:
        yield bold_text("example", style)
        yield from (f"{_FACT_INDENT}{line}" for line in card.example.splitlines())


def _fact_lines(facts: Iterable[tuple[str, str]], style: Style) -> Iterator[str]:
    """Names in a column and, beside them, the facts, wrapped; a fact may have several lines."""
    rows = list(facts)
    column = max(len(name) for name, _ in rows)
    room = max(1, style.width - column - 2 * len(_FACT_INDENT)) if style.width else 10**6
    for name, fact in rows:
        lines = [line for each in fact.split("\n") for line in wrap_text(each, room) or [""]]
        for number, line in enumerate(lines):
            label = name if number == 0 else ""
            yield f"{_FACT_INDENT}{label:{column}}{_FACT_INDENT}{line}".rstrip()


def _weight_axes_fact(weight: WeightRow) -> tuple[str, str]:
    """A weight and its named axes."""
    frozen = "" if weight.trainable else ", not trained"
    axes = (axis if split_axis(axis)[1] else str(split_axis(axis)[0]) for axis in weight.axes)
    return weight.path, f"({', '.join(axes)}){frozen}"


def _argument_fact(argument: ArgumentEntry) -> tuple[str, str]:
    """An argument: its type and its default, and what it means on a line of its own."""
    type_text = argument.type
    if len(argument.choices) > _MAX_CARD_CHOICES:
        words = sorted(argument.choices, key=lambda word: word[:1].isupper())  # classes last
        shown = ", ".join(f"'{word}'" for word in words[:_MAX_CARD_CHOICES])
        type_text = f"{shown} or {len(words) - _MAX_CARD_CHOICES} more names"
    if argument.required:
        return argument.name, f"{type_text}; required\n{argument.what}"
    default = dumps(argument.default, default=to_builtins)
    return argument.name, f"{type_text}; default {default}\n{argument.what}"
