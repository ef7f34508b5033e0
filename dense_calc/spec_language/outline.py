"""A spec that is read once → its models for any values of its vars."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from msgspec.structs import replace

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.limits import Limit
from dense_calc.mistakes import current_mistakes, keep_mistake
from dense_calc.model import Model, ModelOutput, ModelType
from dense_calc.spec_language.blocks import read_blocks
from dense_calc.spec_language.budget_section import read_model_limits
from dense_calc.spec_language.callables import CallableLookup
from dense_calc.spec_language.entries import BlockDefinition, SpecEntry
from dense_calc.spec_language.entry_lists import first_layer, read_entries
from dense_calc.spec_language.expand_blocks import ExpandedModel
from dense_calc.spec_language.layer_arguments import CALL_KEYS
from dense_calc.spec_language.planning import BodyPlanner
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.sections import (
    SECTION_TYPES,
    demand_resolved_names,
    demand_short_names,
    demand_unique_copy_names,
    layer_items,
    legacy_input_entries,
    read_input_entries,
    read_model_type,
    read_outputs,
    read_sections,
    unbuilt_input_entries,
)
from dense_calc.spec_language.stand_ins import stand_in_type
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.graph import build_model
from dense_calc.tracing.lent_layers import insert_lent_layers

_NESTED_SECTIONS = {
    **{name: SECTION_TYPES[name] for name in ("input", "inputs", "blocks", "layers", "outputs")},
    "trainable": bool,
}


class SpecOutline:
    """A spec that has been read; it makes models for any values of its vars.

    `name` is their name if the spec states none. `type` is the class of a nested model, else None.
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

    @cached_property
    def vars(self) -> Mapping[str, YamlNode]:
        """The values of its vars, as they are written."""
        section = self.sections.get("vars")
        return {name: value for name, (_, value) in section.value.items()} if section else {}

    def make_scope(self, overrides: Mapping[str, YamlNode]) -> Scope:
        """The scope with its vars, some of them with other values.

        Raises:
            SpecError: there is no such var, or an expression has no value.
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
            try:
                scope[name]  # also a var that nothing uses
            except SpecError as error:
                keep_mistake(error)
        return scope

    @cached_property
    def blocks(self) -> dict[str, BlockDefinition]:
        """The blocks that it defines."""
        return read_blocks(self.sections.get("blocks"))

    @cached_property
    def entries(self) -> list[SpecEntry]:
        """The entries of its inputs and layers, at least one."""
        below = list(read_entries(layer_items(self.sections, self.root), self.blocks))
        inputs = read_input_entries(self.sections, self.root)
        inputs = inputs or (below and legacy_input_entries(first_layer(below)))
        if self.type == "Sequential" and below and not inputs:
            inputs = unbuilt_input_entries(self.root, below[0])
        entries = [*inputs, *below]
        if not entries:
            raise SpecError("'layers' is empty, and there is no 'input'", self.sections["layers"])
        return entries

    def make_model(self, scope: Scope, outer: CallableLookup | None = None) -> Model:
        """The model with these vars.

        `outer` finds the layers around a nested model that it may call.

        Raises:
            SpecError: the spec describes no model.
        """
        entries = self.entries
        planner = BodyPlanner(scope, decode_nested_model, outer)
        planner.fill_body(entries, planner.model_body)
        for block in self.blocks.values():
            if block.error:  # also if nothing uses the block
                keep_mistake(block.error)
        demand_resolved_names(planner)
        expansion = ExpandedModel(planner.model_body)
        demand_short_names(expansion.nodes)
        if expansion.blocks:
            demand_unique_copy_names(expansion.nodes)
        sections = self.sections
        model = build_model(
            sections["name"].value if "name" in sections else self.name,
            insert_lent_layers(expansion.nodes),
            self._read_outputs(planner),
            expansion.blocks,
            self._read_limits(scope),
            read_model_type(sections) if self.type is None else self.type,
        )
        if self.type is None and "trainable" in sections:  # Keras ignores that of a nested model
            model = replace(model, trainable=sections["trainable"].value)
        return model

    def _read_outputs(self, planner: BodyPlanner) -> tuple[ModelOutput, ...]:
        """The outputs that it states; none where there is a mistake in them that is collected."""
        try:
            return tuple(read_outputs(self.sections.get("outputs"), planner))
        except SpecError as error:
            keep_mistake(error, needs_names=True)
        return ()

    def _read_limits(self, scope: Scope) -> tuple[Limit, ...]:
        """The limits that it states; none where there is a mistake in them that is collected."""
        try:
            return tuple(read_model_limits(self.sections, scope))
        except SpecError as error:
            keep_mistake(error)
        return ()


def decode_nested_model(
    entry: SpecEntry, scope: Scope, outer: CallableLookup | None = None
) -> LayerKind:
    """A model that is a layer of another: its arguments are the sections of a spec.

    `outer` finds the layers around the model that it may call.

    Raises:
        SpecError: the sections describe no model.
    """
    sections = {name: pair for name, pair in entry.arguments.items() if name not in CALL_KEYS}
    kind = entry.kind
    name = entry.read_text("name")
    type = cast(ModelType, kind.__name__)
    if entry.outline is None:
        root = YamlNode(*entry.coordinates, sections)
        entry.outline = SpecOutline(root, name or to_snake_case(type), _NESTED_SECTIONS, type)
    outline = entry.outline
    mistakes = current_mistakes()
    earlier = mistakes and len(mistakes.errors)
    model = outline.make_model(scope, outer)
    if mistakes and len(mistakes.errors) != earlier:
        return stand_in_type(type)(name=name)
    trainable = outline.sections["trainable"].value if "trainable" in outline.sections else True
    layer: LayerKind = kind(model=model, name=name, trainable=trainable)
    return layer
