"""Reads and checks the sections of a spec: `inputs`, `layers`, `outputs` and the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import structs

from dense_calc.call_inputs import OutputPath
from dense_calc.errors import SpecError, describe_value, find_closest
from dense_calc.layers import find_kind
from dense_calc.mistakes import keep_mistake
from dense_calc.model import ModelOutput, ModelType, Node
from dense_calc.spec_language.body_reader import BodyReader
from dense_calc.spec_language.entries import (
    INPUT_KIND,
    SpecEntry,
    read_input_entry,
)
from dense_calc.spec_language.planning import BodyPlanner
from dense_calc.spec_language.spec_size import (
    EXTENT_LIMITS,
    Extent,
    demand_small_extent,
    extent_of_nodes,
)
from dense_calc.spec_language.wiring import read_call_input, unknown_layer_error
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS

SECTION_TYPES: dict[str, type] = {
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
_INDEPENDENT_SECTIONS = ("name", "trainable", "budget", "expect")  # no layer needs them
_SECTION_TYPE_NAMES: dict[type, str] = {
    bool: "true or false",
    str: "text",
    dict: "a mapping",
    list: "a list",
}


def read_model_type(sections: Mapping[str, YamlNode]) -> ModelType | None:
    """The Keras class that a model states, None if it states none."""
    if "type" not in sections:
        return None
    model_type: ModelType = sections["type"].value
    if model_type not in MODELS:
        choices = " or ".join(MODELS)
        raise SpecError(
            f"a model's type is {choices}, not {describe_value(model_type)}", sections["type"]
        )
    return model_type


def read_sections(root: YamlNode, known: Mapping[str, type] = SECTION_TYPES) -> dict[str, YamlNode]:
    """The sections of a spec, each checked for its type."""
    if not isinstance(root.value, dict):
        raise SpecError(
            f"a model is a mapping with 'input:' and 'layers:', not {describe_value(root.value)}",
            root,
        )
    sections: dict[str, YamlNode] = {}
    for key, value in root.value.values():
        name = key.value
        if name not in known:
            from dense_calc.spec_language.section_mistakes import suggest_section  # for a mistake

            hint = suggest_section(key, value, known)
            keep_mistake(SpecError(f"a model has no section '{name}'{hint}", key))
            name = find_closest(name, [each for each in known if each not in root.value])
            if name is None or not isinstance(value.value, known[name]):
                continue
        sections[name] = value
        wanted = known[name]
        if not isinstance(value.value, wanted):
            from dense_calc.spec_language.section_mistakes import suggest_form  # for a mistake only

            must = f"'{name}' must be {_SECTION_TYPE_NAMES[wanted]}"
            hint = suggest_form(name, value)
            error = SpecError(f"{must}, not {describe_value(value.value)}{hint}", value)
            if name not in _INDEPENDENT_SECTIONS:
                raise error
            keep_mistake(error)
            del sections[name]
    return sections


def read_input_entries(sections: Mapping[str, YamlNode], root: YamlNode) -> list[SpecEntry]:
    """The entries of the model's inputs, from `input` or `inputs`."""
    if "inputs" not in sections:
        if "input" not in sections:
            return []
        value = sections["input"]
        word, _ = root.value.get("input", (structs.replace(value, value="input"), value))
        return [_read_input_entry(word, value)]
    if "input" in sections:
        word, _ = root.value.get("inputs", (sections["inputs"], None))
        raise SpecError("a model has 'input' or 'inputs', not both", word)
    return [_read_input_entry(*pair) for pair in sections["inputs"].value.values()]


def _read_input_entry(name: YamlNode, value: YamlNode) -> SpecEntry:
    """The entry of an input; of one without a shape where that is a mistake that is collected."""
    try:
        return read_input_entry(name, value)
    except SpecError as error:
        keep_mistake(error)
    return SpecEntry(*name.coordinates, find_kind(INPUT_KIND), {}, name.value or INPUT_KIND)


def legacy_input_entries(first: SpecEntry) -> list[SpecEntry]:
    """The input that `input_shape` or `input_dim` of the first layer states, as in Keras 2."""
    arguments = first.arguments
    if "input_dim" in arguments:
        word, size = arguments["input_dim"]
        value = structs.replace(size, value=[size])
    elif "input_shape" in arguments:
        word, value = arguments["input_shape"]
    else:
        return []
    return [read_input_entry(structs.replace(word, value="input"), value)]


def unbuilt_input_entries(root: YamlNode, first: SpecEntry) -> list[SpecEntry]:
    """The input of a nested Sequential that states none: its shape is that of what it reads."""
    kind = find_kind(INPUT_KIND)
    return [] if first.kind is kind else [SpecEntry(*root.coordinates, kind, {}, "input")]


def layer_items(sections: Mapping[str, YamlNode], root: YamlNode) -> list[YamlNode]:
    """The items of `layers:`."""
    if "layers" not in sections:
        raise SpecError("a model needs 'layers:', a list", root)
    items: list[YamlNode] = sections["layers"].value
    return items


def demand_resolved_names(planner: BodyPlanner) -> None:
    """Raise SpecError where a block reads a layer that is neither in it nor in the model."""
    model = planner.model_body
    first = None
    for each in planner.unresolved_names:
        if model.find_node(each.name) is None:
            choices = chain(each.body.inputs, each.body.readable_names(), model.readable_names())
            error = unknown_layer_error(each.name, each.name, choices, each.yaml_node)
            error.notes += each.notes
            keep_mistake(error, needs_names=True)
            first = first or error
    if first:  # without these layers the others cannot be followed
        raise first


def demand_unique_copy_names(nodes: Sequence[Node]) -> None:
    """Raise SpecError where two nodes have the same name, such as in copies of blocks."""
    by_name: dict[str, Node] = {}
    for node in nodes:
        if by_name.setdefault(node.name, node) is not node:
            place = node.notes[-1].place if node.notes else node.place
            raise SpecError(f"the name '{node.name}' is used twice", place)


def demand_short_names(nodes: Sequence[Node]) -> None:
    """Raise SpecError if the names of nodes and their inputs have too many characters in all."""
    extent = extent_of_nodes(nodes)
    if extent.characters > EXTENT_LIMITS["characters"][0]:
        longest = max(nodes, key=lambda node: len(node.name) + sum(map(len, node.inputs)))
        demand_small_extent(Extent(characters=extent.characters), longest.place, longest.notes)


def read_outputs(section: YamlNode | None, planner: BodyPlanner) -> Iterator[ModelOutput]:
    """The outputs of `outputs:`: a layer, one tensor of it, a list of these, or a mapping."""
    if section is None:
        return
    labelled: Iterable[tuple[str | None, YamlNode]] = [(None, section)]
    if isinstance(section.value, list):
        labelled = [(None, written) for written in section.value]
    elif isinstance(section.value, dict):
        labelled = [(label, written) for label, (_, written) in section.value.items()]
    if not labelled:
        raise SpecError("'outputs' is empty", section)
    body = planner.model_body
    reader = BodyReader(body, body, use_notes=[], unresolved_names=[], scope=body.scope)
    for label, written in labelled:
        if not isinstance(written.value, str):
            raise SpecError(
                f"'outputs' takes names of layers, not {describe_value(written.value)}", written
            )
        source = read_call_input(written, reader)
        assert isinstance(source, str | OutputPath)
        yield ModelOutput(source, written, label)
