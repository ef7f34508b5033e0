"""The sections of a spec: what may stand in each, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import structs

from dense_calc.errors import SpecError, did_you_mean, said
from dense_calc.layers import kind_named
from dense_calc.model import End, ModelType, Node, Output
from dense_calc.spec_language.body_reader import Reader
from dense_calc.spec_language.entries import INPUT_KIND, Definition, Entry, entry_of, input_entry
from dense_calc.spec_language.planning import Planner
from dense_calc.spec_language.spec_size import (
    MOST,
    Extent,
    demand_few,
    extent_of,
    values_under,
)
from dense_calc.spec_language.wiring import given, no_layer
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.nested_model import KINDS as MODELS

SECTIONS: dict[str, type] = {
    "name": str,
    "type": str,
    "trainable": bool,
    "vars": dict,
    "input": object,
    "inputs": dict,
    "blocks": dict,
    "layers": list,
    "outputs": object,
    "budget": dict,
    "expect": dict,
}
TYPE_NAMES: dict[type, str] = {
    bool: "true or false",
    str: "text",
    dict: "a mapping",
    list: "a list",
}


def type_of(sections: Mapping[str, Marked]) -> ModelType | None:
    """The Keras class whose summary is meant, None if a model does not say."""
    if "type" not in sections:
        return None
    told: ModelType = sections["type"].value
    if told not in MODELS:
        choices = " or ".join(MODELS)
        raise SpecError(f"a model's type is {choices}, not {said(told)}", sections["type"])
    return told


def entries_of(items: Iterable[Marked], blocks: Mapping[str, Definition]) -> list[Entry]:
    """The entries of a list of layers; `{repeat: 3, layers: [...]}` stands for that many times."""
    entries: list[Entry] = []
    for item in items:
        if isinstance(item.value, dict) and item.value.keys() == {"repeat", "layers"}:
            entries += repeated(item, blocks)
        else:
            entries.append(entry_of(item, blocks))
    return entries


def repeated(item: Marked, blocks: Mapping[str, Definition]) -> list[Entry]:
    """The entries of a part of a list that stands there several times.

    Raises:
        SpecError: it is no list, or stands there no times, or too often.
    """
    (_, times), (_, layers) = item.value["repeat"], item.value["layers"]
    if not isinstance(layers.value, list) or not layers.value:
        raise SpecError(f"'layers' must be a list of layers, not {said(layers.value)}", layers)
    if type(times.value) is not int or times.value < 1:
        raise SpecError(f"'repeat' must be a positive integer, not {said(times.value)}", times)
    entries = entries_of(layers.value, blocks)
    values = sum(values_under(entry.arguments) for entry in entries)
    demand_few(Extent(layers=len(entries), values=values).copied(times.value, 0), times)
    for entry in entries:
        if "name" in entry.arguments and times.value > 1:
            word = entry.arguments["name"][0]
            raise SpecError("what stands there several times cannot have a name of its own", word)
    return entries * int(times.value)


def sections_of(root: Marked, known: Mapping[str, type] = SECTIONS) -> dict[str, Marked]:
    """The top level of a spec, each section of its type."""
    if not isinstance(root.value, dict):
        raise SpecError(
            f"a model is a mapping with 'input:' and 'layers:', not {said(root.value)}", root
        )
    for key, value in root.value.values():
        if key.value not in known:
            hint = did_you_mean(key.value, known)
            raise SpecError(f"a model has no section '{key.value}'{hint}", key)
        wanted = known[key.value]
        if not isinstance(value.value, wanted):
            raise SpecError(
                f"'{key.value}' must be {TYPE_NAMES[wanted]}, not {said(value.value)}", value
            )
    return {name: value for name, (_, value) in root.value.items()}


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


def unbuilt_input(root: Marked, first: Entry) -> list[Entry]:
    """The input of a Sequential inside that says none: it is what the call reads."""
    kind = kind_named(INPUT_KIND)
    return [] if first.kind is kind else [Entry(*root.where, kind, {}, "input")]


def layers_of(sections: Mapping[str, Marked], root: Marked) -> list[Marked]:
    """The items of `layers:`."""
    if "layers" not in sections:
        raise SpecError("a model needs 'layers:', a list", root)
    items: list[Marked] = sections["layers"].value
    return items


def demand_settled(planner: Planner) -> None:
    """Raise SpecError where a block reads what is neither in it nor in the model."""
    model = planner.model
    for each in planner.unsettled:
        if model.found(each.name) is None:
            choices = chain(each.body.inputs, each.body.choices(), model.choices())
            error = no_layer(each.name, each.name, choices, each.written)
            error.notes += each.notes
            raise error


def demand_unlike(nodes: Sequence[Node]) -> None:
    """Raise SpecError where copies of blocks come to the same name."""
    taken: dict[str, Node] = {}
    for node in nodes:
        if taken.setdefault(node.name, node) is not node:
            place = node.notes[-1].place if node.notes else node.place
            raise SpecError(f"the name '{node.name}' stands here twice", place)


def demand_short_names(nodes: Sequence[Node]) -> None:
    """Raise SpecError where nodes have, or read, names of too many characters in all."""
    extent = extent_of(nodes)
    if extent.characters > MOST["characters"][0]:
        longest = max(nodes, key=lambda node: len(node.name) + sum(map(len, node.inputs)))
        demand_few(Extent(characters=extent.characters), longest.place, longest.notes)


def outputs_of(section: Marked | None, planner: Planner) -> Iterator[End]:
    """What `outputs:` names: a layer, an output of one, a list of them, or a mapping of labels."""
    if section is None:
        return
    labelled: Iterable[tuple[str | None, Marked]] = [(None, section)]
    if isinstance(section.value, list):
        labelled = [(None, written) for written in section.value]
    elif isinstance(section.value, dict):
        labelled = [(label, written) for label, (_, written) in section.value.items()]
    if not labelled:
        raise SpecError("'outputs' is empty", section)
    reader = Reader(planner.model, planner.model, uses=[], unsettled=[])
    for label, written in labelled:
        if not isinstance(written.value, str):
            raise SpecError(f"'outputs' takes names of layers, not {said(written.value)}", written)
        what = given(written, reader)
        assert isinstance(what, str | Output)
        yield End(what, written, label)
