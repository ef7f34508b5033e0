"""The catalogue of layer kinds: families, arguments, shape rules, weights and examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import NODEFAULT, Struct, inspect

from dense_calc.analysis.formula import distinguish_axes, format_sum, param_formula
from dense_calc.errors import Source
from dense_calc.layers import (
    KIND_ALIASES,
    KIND_MODULES,
    OPERATION_PREFIX,
    find_kind,
    kind_family,
)
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.argument_words import argument_words
from dense_calc.layers.introspect.shape_rules import expanded_shape_rule
from dense_calc.layers.introspect.type_phrases import allowed_words, describe_type
from dense_calc.layers.operations import OPERATION_MODULES
from dense_calc.report import WeightRow
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

_OPERATIONS = "operations"
_EXAMPLES_FILE = "examples.yaml"  # a spec under the name of each kind


class ArgumentEntry(Struct, frozen=True):
    """An argument of a kind; `what` is a sentence on it.

    `choices` are the words that Keras accepts. `default` means nothing where it is `required`.
    """

    name: str
    what: str
    type: str
    choices: tuple[str, ...]
    required: bool
    default: Any


class CatalogEntry(Struct, frozen=True):
    """A line of the catalogue; `what` is a sentence on the kind."""

    name: str
    aliases: tuple[str, ...]
    family: str
    what: str


class KindDescription(Struct, frozen=True):
    """A kind in full: `what` it does, its shape `rule`, and the weights of its `example`."""

    name: str
    aliases: tuple[str, ...]
    family: str
    what: str
    rule: str
    weights: tuple[WeightRow, ...]
    formula: str
    arguments: tuple[ArgumentEntry, ...]
    example: str


def kinds_by_family() -> Mapping[str, list[CatalogEntry]]:
    """The kinds of each of Keras' families, in alphabetical order."""
    families: dict[str, list[CatalogEntry]] = defaultdict(list)
    for name in sorted(KIND_MODULES):
        family = kind_family(name)
        entry = CatalogEntry(name, _kind_aliases(name), family, _kind_paragraphs(name)[0])
        families[family].append(entry)
    return dict(sorted(families.items()))


def operations_by_family() -> Mapping[str, list[CatalogEntry]]:
    """The operations of `keras.ops`, a family of their own, in alphabetical order."""
    names = [OPERATION_PREFIX + name for name in sorted(OPERATION_MODULES)]
    entries = [CatalogEntry(name, (), _OPERATIONS, _kind_paragraphs(name)[0]) for name in names]
    return {_OPERATIONS: entries}


def search_kinds(words: Iterable[str]) -> Mapping[str, list[CatalogEntry]]:
    """The kinds and operations with one of these words in a name, in whatever case."""
    parts = [word.lower() for word in words]
    found = {}
    for family, entries in {**kinds_by_family(), **operations_by_family()}.items():
        matches = [
            entry
            for entry in entries
            if any(part in name.lower() for part in parts for name in (entry.name, *entry.aliases))
        ]
        if matches:
            found[family] = matches
    return found


def describe_kind(name: str) -> KindDescription:
    """The description of the kind or operation of this name; KeyError where there is none."""
    kind = find_kind(name)
    is_operation = name.startswith(OPERATION_PREFIX)
    name = name if is_operation else kind.__name__
    example = "" if is_operation else kind_examples()[name]
    report = trace(parse_spec(Source(_EXAMPLES_FILE, example), name)) if example else None
    # the kind has no row if the example has it inside another layer
    rows = sorted(report.layers, key=lambda row: row.type == name) if report else []
    weights = distinguish_axes(rows[-1].weights) if rows else ()
    return KindDescription(
        name=name,
        aliases=_kind_aliases(name),
        family=_OPERATIONS if is_operation else kind_family(name),
        what="\n\n".join(_kind_paragraphs(name)),
        rule=expanded_shape_rule(kind),
        weights=weights,
        formula=format_sum(param_formula(weights), numbers=False),
        arguments=tuple(sorted(_kind_arguments(kind), key=lambda each: not each.required)),
        example=example,
    )


def _kind_aliases(name: str) -> tuple[str, ...]:
    """Keras' other names for a kind."""
    return tuple(alias for alias, kind in KIND_ALIASES.items() if kind == name)


def _kind_paragraphs(name: str) -> list[str]:
    """The paragraphs of the docstring of a kind, each on one line."""
    text = find_kind(name).__doc__ or ""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def _kind_arguments(kind: type[LayerKind]) -> Iterator[ArgumentEntry]:
    """The arguments of a kind: its own first, those that every kind has last."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    by_name = {field.name: field for field in info.fields}
    for level in kind.__mro__:
        for name in vars(level).get("__annotations__", ()):
            field = by_name.pop(name, None)
            if field is not None:
                default = None if field.default is NODEFAULT else field.default
                yield ArgumentEntry(
                    name=field.encode_name,
                    what=argument_words(kind, field.encode_name),
                    type=_describe_argument(kind, field),
                    choices=tuple(allowed_words(field.type)),
                    required=field.required,
                    default=default,
                )


def _describe_argument(kind: type[LayerKind], field: inspect.Field) -> str:
    """The type of an argument in words, and whether it is one of the call."""
    if field.name in kind.inner_layer_arguments and isinstance(field.type, inspect.AnyType):
        return "a layer or a list of layers"
    return describe_type(field.type) + ", in a call" * (field.name in kind.call_arguments)


@cache
def kind_examples() -> Mapping[str, str]:
    """The example of each kind: the text of a spec."""
    text = (files("dense_calc.layers") / _EXAMPLES_FILE).read_text("utf-8")
    examples: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("  "):
            examples[name] += f"{line[2:]}\n"
        elif line.endswith(":"):
            name = line[:-1]
            examples[name] = ""
    return examples
