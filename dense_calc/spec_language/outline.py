"""A document → Models: read once, and made for any values of its vars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, cast

from msgspec.structs import replace

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.model import Model, ModelType
from dense_calc.spec_language.block_uses import read_repeat
from dense_calc.spec_language.blocks import read_blocks
from dense_calc.spec_language.budget_section import read_model_limits
from dense_calc.spec_language.callables import CallableLookup
from dense_calc.spec_language.entries import BlockDefinition, BlockEntry, SpecEntry
from dense_calc.spec_language.expand_blocks import ExpandedModel
from dense_calc.spec_language.planning import BodyPlanner
from dense_calc.spec_language.renewal import ModelTemplate, StructureChangedError
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.sections import (
    SECTION_TYPES,
    demand_resolved_names,
    demand_short_names,
    demand_unique_copy_names,
    layer_items,
    legacy_input_entries,
    read_entries,
    read_input_entries,
    read_model_type,
    read_outputs,
    read_sections,
    unbuilt_input_entries,
)
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.graph import build_model
from dense_calc.tracing.lent_layers import insert_lent_layers

MAX_CACHED_MODELS, _MAX_CACHED_NODES = (
    500,
    50_000,
)  # models that may be renewed, and nodes in all of them
_NESTED_LAYER_KEYS = ("name", "from")  # what belongs to a layer that is a model, not to the model
_NESTED_SECTIONS = {
    **{name: SECTION_TYPES[name] for name in ("input", "inputs", "blocks", "layers", "outputs")},
    "trainable": bool,
}


class SpecOutline:
    """A spec that has been read, of which models are made for any values of its vars.

    `name` is what they are called if the spec does not say; `type` is given to a model inside.
    """

    def __init__(
        self,
        root: YamlNode,
        name: str,
        known: Mapping[str, type[Any]] = SECTION_TYPES,
        type: ModelType | None = None,
    ) -> None:
        self.root = root
        self.name = name
        self.type = type
        self.sections = read_sections(root, known)
        self.templates: list[
            ModelTemplate
        ] = []  # of models with other nodes each, the last used first
        self.last_layer: Any = None  # that a model inside was last

    @cached_property
    def vars(self) -> Mapping[str, YamlNode]:
        """What its vars are given."""
        section = self.sections.get("vars")
        return {name: value for name, (_, value) in section.value.items()} if section else {}

    def make_scope(self, overrides: Mapping[str, YamlNode]) -> Scope:
        """Its vars, some of them with other values.

        Raises:
            SpecError: there is no such var, or a value is none.
        """
        definitions = {**self.vars}
        for name, value in overrides.items():
            if name not in definitions:
                raise SpecError(
                    f"{self.root.source.name} has no var '{name}'{did_you_mean(name, definitions)}"
                )
            definitions[name] = value
        scope = Scope(definitions)
        for name in definitions:
            scope[name]  # a mistake counts, used or not
        return scope

    @cached_property
    def blocks(self) -> dict[str, BlockDefinition]:
        """The blocks that it defines."""
        return read_blocks(self.sections.get("blocks"))

    @cached_property
    def entries(self) -> list[SpecEntry]:
        """Its inputs and its layers; one of them at least."""
        below = read_entries(layer_items(self.sections, self.root), self.blocks)
        inputs = read_input_entries(self.sections, self.root)
        inputs = inputs or (below and legacy_input_entries(below[0]))
        if self.type == "Sequential" and below and not inputs:
            inputs = unbuilt_input_entries(self.root, below[0])
        entries = [*inputs, *below]
        if not entries:
            raise SpecError("'layers' is empty, and there is no 'input'", self.sections["layers"])
        return entries

    def make_model(self, scope: Scope, around: CallableLookup | None = None) -> Model:
        """The model with these vars: one from before with other arguments, or made anew.

        It may call again what can be called `around` it.

        Raises:
            SpecError: it describes none.
        """
        with suppress(SpecError):  # which is told as of a model that is made anew
            repeats = self.block_repeats(scope) if self.templates else {}
            for place, renewal in enumerate(self.templates):
                if renewal.block_repeats != repeats or (around and renewal.has_outer_layers):
                    continue
                with suppress(StructureChangedError):
                    model = renewal.instantiate(scope)
                    self.templates.insert(0, self.templates.pop(place))
                    return model
        return self.make_new_model(scope, around)

    def block_repeats(self, scope: Scope) -> dict[int, int | None]:
        """How often each block stands in its own list of layers, by the id of the use."""
        uses = [entry for entry in self.entries if isinstance(entry, BlockEntry)]
        return {id(entry): read_repeat(entry, scope) for entry in uses}

    def make_new_model(self, scope: Scope, around: CallableLookup | None = None) -> Model:
        """The model with these vars."""
        entries = self.entries
        planner = BodyPlanner(scope, decode_nested_model, around)
        planner.fill_body(entries, planner.model_body)
        for block in self.blocks.values():
            block.demand_valid()  # nothing may use it, but a mistake counts
        demand_resolved_names(planner)
        whole = ExpandedModel(planner.model_body)
        demand_short_names(whole.nodes)
        if whole.blocks:
            demand_unique_copy_names(whole.nodes)
        sections = self.sections
        model = build_model(
            sections["name"].value if "name" in sections else self.name,
            insert_lent_layers(whole.nodes),
            tuple(read_outputs(sections.get("outputs"), planner)),
            whole.blocks,
            tuple(read_model_limits(sections, scope)),
            read_model_type(sections) if self.type is None else self.type,
        )
        if self.type is None and "trainable" in sections:  # Keras asks no model inside another
            model = replace(model, trainable=sections["trainable"].value)
        self.templates.insert(0, ModelTemplate(model, planner, whole, sections))
        while len(self.templates) > 1 and not _can_cache(self.templates):
            self.templates.pop()
        return model


def _can_cache(renewals: Sequence[ModelTemplate]) -> bool:
    """Whether so many models can be kept."""
    nodes = sum(len(each.base_model.nodes) for each in renewals)
    return len(renewals) <= MAX_CACHED_MODELS and nodes <= _MAX_CACHED_NODES


def decode_nested_model(
    entry: SpecEntry, scope: Scope, around: CallableLookup | None = None
) -> LayerKind:
    """The model that is a layer of another: its arguments are the sections of a spec.

    It may call again what can be called `around` it.

    Raises:
        SpecError: they describe none.
    """
    own = {name: pair for name, pair in entry.arguments.items() if name not in _NESTED_LAYER_KEYS}
    kind = entry.kind
    name = entry.read_text("name")
    type = cast(ModelType, kind.__name__)
    if entry.outline is None:
        root = YamlNode(*entry.coordinates, own)
        entry.outline = SpecOutline(root, name or to_snake_case(type), _NESTED_SECTIONS, type)
    outline = entry.outline
    model = outline.make_model(scope, around)
    if outline.last_layer is None or outline.last_layer.model is not model:
        told = outline.sections.get("trainable")
        outline.last_layer = kind(model=model, name=name, trainable=told.value if told else True)
    layer: LayerKind = outline.last_layer
    return layer
