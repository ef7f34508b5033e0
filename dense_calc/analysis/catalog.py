"""What the layer kinds are: their families, arguments, rules, weights, and an example of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import NODEFAULT, Struct, inspect

from dense_calc.analysis.formula import distinct, formula, told
from dense_calc.errors import Source
from dense_calc.layers import ALIASES, KINDS, family_of, kind_named
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.shape_rules import rule_of
from dense_calc.layers.introspect.type_phrases import phrase, words_of
from dense_calc.report import WeightRow
from dense_calc.spec_language import parse
from dense_calc.tracing.tracer import trace

EXAMPLES = "examples.yaml"  # a spec under the name of each kind


class Argument(Struct, frozen=True):
    """An argument of a kind; `default` means nothing where it is `required`.

    `choices` are the words that Keras knows for it, if it is a word.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    required: bool
    default: Any


class Entry(Struct, frozen=True):
    """A line of the catalogue."""

    name: str
    aliases: tuple[str, ...]
    family: str
    what: str


class Card(Struct, frozen=True):
    """All there is to know of a kind; `weights` and `formula` are those of the example."""

    name: str
    aliases: tuple[str, ...]
    family: str
    what: str
    rule: str
    weights: tuple[WeightRow, ...]
    formula: str
    arguments: tuple[Argument, ...]
    example: str


def families() -> Mapping[str, list[Entry]]:
    """The kinds of each of Keras' families, in alphabetical order."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for name in sorted(KINDS):
        family = family_of(name)
        found[family].append(Entry(name, aliases_of(name), family, about(name)[0]))
    return dict(sorted(found.items()))


def card(name: str) -> Card:
    """What there is to know of the kind with this name or alias; KeyError where there is none."""
    kind = kind_named(name)
    name = kind.__name__
    example = examples()[name]
    report = trace(parse(Source(EXAMPLES, example), name))
    rows = sorted(report.layers, key=lambda row: row.type == name)  # one inside another has none
    weights = distinct(rows[-1].weights) if rows else ()
    return Card(
        name=name,
        aliases=aliases_of(name),
        family=family_of(name),
        what="\n\n".join(about(name)),
        rule=rule_of(kind),
        weights=weights,
        formula=told(formula(weights), numbers=False),
        arguments=tuple(sorted(arguments_of(kind), key=lambda each: not each.required)),
        example=example,
    )


def aliases_of(name: str) -> tuple[str, ...]:
    """Keras' other names for a kind."""
    return tuple(alias for alias, own in ALIASES.items() if own == name)


def about(name: str) -> list[str]:
    """What a kind says of itself, paragraph by paragraph."""
    text = kind_named(name).__doc__ or ""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def arguments_of(kind: type[LayerKind]) -> Iterator[Argument]:
    """The arguments of a kind: its own first, last those that every kind has."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    by_name = {field.name: field for field in info.fields}
    for level in kind.__mro__:
        for name in vars(level).get("__annotations__", ()):
            field = by_name.pop(name, None)
            if field is not None:
                default = None if field.default is NODEFAULT else field.default
                yield Argument(
                    name=field.encode_name,
                    type=phrase(field.type) + (", in a call" if name in kind.of_call else ""),
                    choices=tuple(words_of(field.type)),
                    required=field.required,
                    default=default,
                )


@cache
def examples() -> Mapping[str, str]:
    """The example of each kind: a spec."""
    text = (files("dense_calc.layers") / EXAMPLES).read_text("utf-8")
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("  "):
            found[name] += f"{line[2:]}\n"
        elif line.endswith(":"):
            name = line[:-1]
            found[name] = ""
    return found
