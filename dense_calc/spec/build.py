"""A document → Model: its sections, the names of its layers, and what reads what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, did_you_mean
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.model import Model, Node, model_of
from dense_calc.spec.arguments import layer_of
from dense_calc.spec.document import Marked, resolved, said
from dense_calc.spec.entries import Entry, entry_of, input_entry
from dense_calc.spec.scope import Scope

SECTIONS: dict[str, type] = {
    "name": str,
    "vars": dict,
    "input": object,
    "inputs": dict,
    "layers": list,
    "budget": dict,
    "expect": dict,
}
TYPE_NAMES: dict[type, str] = {str: "text", dict: "a mapping", list: "a list"}


def model(root: Marked, name: str, overrides: Mapping[str, int | float | str]) -> Model:
    """The model that a document describes; `name` is its name if it gives none.

    Raises:
        SpecError: it describes none.
    """
    sections = sections_of(root)
    scope = scope_of(root.source, sections.get("vars"), overrides)
    below = list(map(entry_of, layers_of(sections, root)))
    entries = [*(inputs_of(sections, root) or legacy_input(below[0])), *below]
    layers = [layer_of(entry, scope) for entry in entries]
    names = names_of(entries, layers)
    nodes = [
        Node(name, layer, reads, entry)
        for name, layer, reads, entry in zip(
            names, layers, wiring(entries, names), entries, strict=True
        )
    ]
    return model_of(sections["name"].value if "name" in sections else name, nodes)


def sections_of(root: Marked) -> dict[str, Marked]:
    """The top level of a spec, each section of its type."""
    if not isinstance(root.value, dict):
        raise SpecError(
            f"a model is a mapping with 'input:' and 'layers:', not {said(root.value)}", root
        )
    for key, value in root.value.values():
        if key.value not in SECTIONS:
            hint = did_you_mean(key.value, SECTIONS)
            raise SpecError(f"a model has no section '{key.value}'{hint}", key)
        wanted = SECTIONS[key.value]
        if not isinstance(value.value, wanted):
            raise SpecError(
                f"'{key.value}' must be {TYPE_NAMES[wanted]}, not {said(value.value)}", value
            )
    return {name: value for name, (_, value) in root.value.items()}


def scope_of(
    source: Source, section: Marked | None, overrides: Mapping[str, int | float | str]
) -> Scope:
    """The vars of a model, some of them with other values."""
    written = section.value if section else {}
    definitions = {name: value for name, (_, value) in written.items()}
    for name, value in overrides.items():
        if name not in definitions:
            hint = did_you_mean(name, definitions)
            raise SpecError(f"{source.name} has no var '{name}'{hint}")
        text = Source(f"--set {name}", str(value))
        meant = resolved(value) if isinstance(value, str) else value
        definitions[name] = Marked(text, 1, 1, len(text.text), meant)
    scope = Scope(definitions)
    for name in definitions:
        scope[name]  # a mistake counts, used or not
    return scope


def inputs_of(sections: Mapping[str, Marked], root: Marked) -> list[Entry]:
    """The entries of the model's inputs, whichever way they are given."""
    if "inputs" not in sections:
        return [input_entry(*root.value["input"])] if "input" in sections else []
    if "input" in sections:
        raise SpecError("a model has 'input' or 'inputs', not both", root.value["inputs"][0])
    return [input_entry(*pair) for pair in sections["inputs"].value.values()]


def legacy_input(first: Entry) -> list[Entry]:
    """The input that the first layer's `input_shape` or `input_dim` gives, as in Sequential."""
    given = first.arguments
    if "input_dim" in given:
        word, size = given["input_dim"]
        value = replace(size, value=[size])
    elif "input_shape" in given:
        word, value = given["input_shape"]
    else:
        return []
    return [input_entry(replace(word, value="input"), value)]


def layers_of(sections: Mapping[str, Marked], root: Marked) -> list[Marked]:
    """The items of `layers:`, at least one."""
    if "layers" not in sections:
        raise SpecError("a model needs 'layers:', a list", root)
    items: list[Marked] = sections["layers"].value
    if not items:
        raise SpecError("'layers' is empty", sections["layers"])
    return items


def names_of(entries: Iterable[Entry], layers: Iterable[LayerKind]) -> list[str]:
    """The name of each layer: the one it is given, or the one that Keras would give it."""
    given = [layer.name or entry.label for entry, layer in zip(entries, layers, strict=True)]
    taken: dict[str, Entry] = {}
    for name, entry in zip(given, entries, strict=True):
        if name is not None and taken.setdefault(name, entry) is not entry:
            line = taken[name].line
            raise SpecError(
                f"the name '{name}' stands here twice, first in line {line}", entry.part("name")
            )
    counters: defaultdict[str, int] = defaultdict(int)
    names = []
    for own, layer in zip(given, layers, strict=True):
        name = own
        while name is None:
            base = snake_case(type(layer).__name__)
            number = counters[base]
            counters[base] += 1
            free = f"{base}_{number}" if number else base
            name = free if free not in taken else None
        names.append(name)
    return names


@cache
def snake_case(kind: str) -> str:
    """Keras' name for the first layer of a kind: `conv2d`; source: keras.utils.naming."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def wiring(entries: list[Entry], names: list[str]) -> Iterator[tuple[str, ...]]:
    """The names of what each layer reads: what `from` says, else the layer above it."""
    known = set(names)
    for position, entry in enumerate(entries):
        if "from" not in entry.arguments:
            yield above(entries, names, position)
            continue
        sources = sources_of(entry, entry.arguments["from"][1])
        for source in sources:
            if not isinstance(source.value, str):
                raise SpecError(f"'from' takes names, not {said(source.value)}", source)
            if source.value not in known:
                hint = did_you_mean(source.value, names)
                raise SpecError(f"there is no layer '{source.value}' to read{hint}", source)
        yield tuple(source.value for source in sources)


def sources_of(entry: Entry, given: Marked) -> list[Marked]:
    """The items of `from:`."""
    if isinstance(given.value, list):
        return given.value
    if entry.kind.takes is LIST_OF_INPUTS:
        raise SpecError(f"{entry.kind.__name__} reads a list of layers, not one", given)
    return [given]


def above(entries: list[Entry], names: list[str], position: int) -> tuple[str, ...]:
    """What a layer reads that does not say so."""
    entry = entries[position]
    if 0 in entry.kind.takes:
        return ()
    if entry.kind.takes is LIST_OF_INPUTS:
        raise SpecError(
            f"{entry.kind.__name__} reads a list of layers; say which: 'from: [a, b]'", entry
        )
    if position == 0:
        raise SpecError("the model has no input; write 'input: [28, 28, 1]', its shape", entry)
    if position > 1 and entries[position - 1].label:
        raise SpecError(
            "the model has several inputs; say which this layer reads: 'from: name'", entry
        )
    return (names[position - 1],)
