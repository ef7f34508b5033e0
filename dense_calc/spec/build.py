"""A document → Model: its sections, the names of its layers, and what reads what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import structs

from dense_calc.errors import Source, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, snake_case
from dense_calc.model import Model, Node, model_of
from dense_calc.spec.arguments import layer_of
from dense_calc.spec.document import Marked, resolved, said
from dense_calc.spec.entries import Entry, entry_of, input_entry
from dense_calc.spec.scope import Scope
from dense_calc.spec.wiring import wiring

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
    names, layers = named(entries, layers)
    nodes = [
        Node(name, layer, reads, entry, call)
        for name, layer, (reads, call), entry in zip(
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
        value = structs.replace(size, value=[size])
    elif "input_shape" in given:
        word, value = given["input_shape"]
    else:
        return []
    return [input_entry(structs.replace(word, value="input"), value)]


def layers_of(sections: Mapping[str, Marked], root: Marked) -> list[Marked]:
    """The items of `layers:`, at least one."""
    if "layers" not in sections:
        raise SpecError("a model needs 'layers:', a list", root)
    items: list[Marked] = sections["layers"].value
    if not items:
        raise SpecError("'layers' is empty", sections["layers"])
    return items


def named(
    entries: Iterable[Entry], layers: Iterable[LayerKind]
) -> tuple[list[str], list[LayerKind]]:
    """The name of each layer, given or as Keras would give it, and the layers; so within them."""
    given = [layer.name or entry.label for entry, layer in zip(entries, layers, strict=True)]
    taken: dict[str, Entry] = {}
    for name, entry in zip(given, entries, strict=True):
        if name is not None and taken.setdefault(name, entry) is not entry:
            line = taken[name].line
            raise SpecError(
                f"the name '{name}' stands here twice, first in line {line}", entry.part("name")
            )
    counters: defaultdict[str, int] = defaultdict(int)
    names, whole = [], []
    for own, layer in zip(given, layers, strict=True):
        whole.append(named_within(layer, counters) if layer.wraps else layer)
        name = own
        while name is None:
            free = next_name(layer, counters)
            name = free if free not in taken else None
        names.append(name)
    return names, whole


def next_name(layer: LayerKind, counters: defaultdict[str, int]) -> str:
    """The name that Keras gives to the next layer of this kind."""
    base = snake_case(type(layer).__name__)
    number = counters[base]
    counters[base] += 1
    return f"{base}_{number}" if number else base


def named_within(layer: LayerKind, counters: defaultdict[str, int]) -> LayerKind:
    """The layer with a name for each layer inside it; Keras makes and names those first."""

    def whole(held: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(whole, held))
        if not isinstance(held, LayerKind):
            return held
        inner = named_within(held, counters)
        return structs.replace(inner, name=inner.name or next_name(inner, counters))

    return structs.replace(layer, **{name: whole(getattr(layer, name)) for name in layer.wraps})
