"""A document → Models: read once, and made for any values of its vars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, cast

from msgspec.structs import replace

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, snake_case
from dense_calc.model import Model, ModelType
from dense_calc.spec_language.blocks import blocks_of
from dense_calc.spec_language.budget_section import limits_of
from dense_calc.spec_language.callables import Parts
from dense_calc.spec_language.entries import BlockUse, Definition, Entry
from dense_calc.spec_language.expand_blocks import Flat
from dense_calc.spec_language.planning import Planner, repeat_of
from dense_calc.spec_language.renewal import Renewal, UnlikeError
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.sections import (
    SECTIONS,
    demand_settled,
    demand_short_names,
    demand_unlike,
    entries_of,
    inputs_of,
    layers_of,
    legacy_input,
    outputs_of,
    sections_of,
    type_of,
    unbuilt_input,
)
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.graph import model_of
from dense_calc.tracing.lent_layers import with_loans

MAX_KEPT, MAX_NODES_KEPT = 500, 50_000  # models that may be renewed, and nodes in all of them
OF_THE_LAYER = ("name", "from")  # what belongs to a layer that is a model, not to the model
SECTIONS_INSIDE = {
    **{name: SECTIONS[name] for name in ("input", "inputs", "blocks", "layers", "outputs")},
    "trainable": bool,
}


class Outline:
    """A spec that has been read, of which models are made for any values of its vars.

    `name` is what they are called if the spec does not say; `type` is given to a model inside.
    """

    def __init__(
        self,
        root: Marked,
        name: str,
        known: Mapping[str, type[Any]] = SECTIONS,
        type: ModelType | None = None,
    ) -> None:
        self.root = root
        self.name = name
        self.type = type
        self.sections = sections_of(root, known)
        self.renewals: list[Renewal] = []  # of models with other nodes each, the last used first
        self.layer: Any = None  # that a model inside was last

    @cached_property
    def vars(self) -> Mapping[str, Marked]:
        """What its vars are given."""
        section = self.sections.get("vars")
        return {name: value for name, (_, value) in section.value.items()} if section else {}

    def scope(self, overrides: Mapping[str, Marked]) -> Scope:
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
    def blocks(self) -> dict[str, Definition]:
        """The blocks that it defines."""
        return blocks_of(self.sections.get("blocks"))

    @cached_property
    def entries(self) -> list[Entry]:
        """Its inputs and its layers; one of them at least."""
        below = entries_of(layers_of(self.sections, self.root), self.blocks)
        inputs = inputs_of(self.sections, self.root)
        inputs = inputs or (below and legacy_input(below[0]))
        if self.type == "Sequential" and below and not inputs:
            inputs = unbuilt_input(self.root, below[0])
        entries = [*inputs, *below]
        if not entries:
            raise SpecError("'layers' is empty, and there is no 'input'", self.sections["layers"])
        return entries

    def model(self, scope: Scope, around: Parts | None = None) -> Model:
        """The model with these vars: one from before with other arguments, or made anew.

        It may call again what can be called `around` it.

        Raises:
            SpecError: it describes none.
        """
        with suppress(SpecError):  # which is told as of a model that is made anew
            repeats = self.repeats(scope) if self.renewals else {}
            for place, renewal in enumerate(self.renewals):
                if renewal.repeats != repeats or (around and renewal.borrows):
                    continue
                with suppress(UnlikeError):
                    model = renewal.model(scope)
                    self.renewals.insert(0, self.renewals.pop(place))
                    return model
        return self.made(scope, around)

    def repeats(self, scope: Scope) -> dict[int, int | None]:
        """How often each block stands in its own list of layers, by the id of the use."""
        uses = [entry for entry in self.entries if isinstance(entry, BlockUse)]
        return {id(entry): repeat_of(entry, scope) for entry in uses}

    def made(self, scope: Scope, around: Parts | None = None) -> Model:
        """The model with these vars."""
        entries = self.entries
        planner = Planner(scope, around)
        planner.plan(entries, planner.model)
        for block in self.blocks.values():
            block.demand_sound()  # nothing may use it, but a mistake counts
        demand_settled(planner)
        whole = Flat(planner.model)
        demand_short_names(whole.nodes)
        if whole.blocks:
            demand_unlike(whole.nodes)
        sections = self.sections
        model = model_of(
            sections["name"].value if "name" in sections else self.name,
            with_loans(whole.nodes),
            tuple(outputs_of(sections.get("outputs"), planner)),
            whole.blocks,
            tuple(limits_of(sections, scope)),
            type_of(sections) if self.type is None else self.type,
        )
        if self.type is None and "trainable" in sections:  # Keras asks no model inside another
            model = replace(model, trainable=sections["trainable"].value)
        self.renewals.insert(0, Renewal(model, planner, whole, sections))
        while len(self.renewals) > 1 and not few(self.renewals):
            self.renewals.pop()
        return model


def few(renewals: Sequence[Renewal]) -> bool:
    """Whether so many models can be kept."""
    nodes = sum(len(each.base.nodes) for each in renewals)
    return len(renewals) <= MAX_KEPT and nodes <= MAX_NODES_KEPT


def inside(entry: Entry, scope: Scope, around: Parts | None = None) -> LayerKind:
    """The model that is a layer of another: its arguments are the sections of a spec.

    It may call again what can be called `around` it.

    Raises:
        SpecError: they describe none.
    """
    own = {name: pair for name, pair in entry.arguments.items() if name not in OF_THE_LAYER}
    kind = entry.kind
    name = entry.text("name")
    type = cast(ModelType, kind.__name__)
    if entry.outline is None:
        root = Marked(*entry.where, own)
        entry.outline = Outline(root, name or snake_case(type), SECTIONS_INSIDE, type)
    outline = entry.outline
    model = outline.model(scope, around)
    if outline.layer is None or outline.layer.model is not model:
        told = outline.sections.get("trainable")
        outline.layer = kind(model=model, name=name, trainable=told.value if told else True)
    layer: LayerKind = outline.layer
    return layer
