"""A model that was made once → the same for other values of its vars, where only arguments differ.

What stands how often, the names, the order and what reads what follow from a spec and from how
often its blocks stand; while that stays, only the layers are decoded again that use a var that
has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from operator import is_
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.layers.base import LayerKind
from dense_calc.limits import Limit
from dense_calc.model import Model, Node
from dense_calc.spec_language.block_uses import (
    block_scope,
    copy_scope,
    read_parameter_values,
    read_repeat,
)
from dense_calc.spec_language.body_reader import apply_call_arguments
from dense_calc.spec_language.budget_section import read_model_limits
from dense_calc.spec_language.entries import ReuseEntry, SpecEntry
from dense_calc.spec_language.expand_blocks import ExpandedModel
from dense_calc.spec_language.layer_arguments import CALL_KEYS, decode_layer
from dense_calc.spec_language.layer_names import copy_inner_names
from dense_calc.spec_language.planning import BodyPlanner
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.lent_layers import (
    OUTER_PREFIX,
    holds_model,
    insert_lent_layers,
    lends_unused_layer,
    outer_layers_lent,
)
from dense_calc.tracing.nested_model import NestedModel


class _LayerRecipe(Struct):
    """What a layer is made of, and the places of its calls among the nodes of the model."""

    entry: SpecEntry
    scope: Scope
    node_indices: list[int]


class StructureChangedError(Exception):
    """The model would have other nodes, not only other arguments."""


class ModelTemplate:
    """A model and what it was made of."""

    def __init__(
        self,
        model: Model,
        planner: BodyPlanner,
        whole: ExpandedModel,
        sections: Mapping[str, YamlNode],
    ) -> None:
        self.base_model = model
        self.scope = planner.scope
        self.decode_nested = planner.decode_nested
        self.instances = planner.instances[::-1]  # a block before those in it
        own = [site for site in self.instances if site.scope is self.scope]
        self.block_repeats = {id(site.entry): site.repeat for site in own}
        self.expansion = whole
        self.sections = sections
        self.limits_are_fixed = False

    @cached_property
    def has_outer_layers(self) -> bool:
        """Whether it holds layers of the model around it."""
        loans = (loan for node in self.base_model.nodes for loan in node.lent_layers)
        return any(loan.holder.startswith(OUTER_PREFIX) for loan in loans)

    @cached_property
    def has_unused_lent_layers(self) -> bool:
        """Whether it has layers of some that no output needs, which are not made again here."""
        return lends_unused_layer(self.base_model)

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Where each node stands, by its name."""
        return {node.name: place for place, node in enumerate(self.base_model.nodes)}

    @cached_property
    def recipes(self) -> list[_LayerRecipe]:
        """Those of all layers that use names, each before what calls it again."""
        places = self.node_index
        found: dict[tuple[int, object], _LayerRecipe] = {}
        for node, scope in zip(self.expansion.nodes, self.expansion.scopes, strict=True):
            entry = node.place
            assert isinstance(entry, SpecEntry)
            if entry.fixed_layer is None or type(entry) is ReuseEntry:
                key = id(scope), _decoding_key(entry)
                recipe = found.setdefault(key, _LayerRecipe(entry, scope, []))
                if node.name in places:
                    recipe.node_indices.append(places[node.name])
        return sorted(found.values(), key=lambda recipe: type(recipe.entry) is ReuseEntry)

    def instantiate(self, scope: Scope) -> Model:
        """The model with these vars.

        Raises:
            StructureChangedError: it has other nodes.
            SpecError: it cannot be; whoever makes it anew will say why.
        """
        if self.has_unused_lent_layers:
            raise StructureChangedError
        scopes = self.replacement_scopes(scope)
        nodes = list(self.base_model.nodes)
        for recipe in self.recipes:
            self.redecode_layer(recipe, scopes[id(recipe.scope)], nodes)
        nodes = list(insert_lent_layers(nodes))
        limits = self.limits_in_scope(scope)
        if limits is self.base_model.limits and all(map(is_, nodes, self.base_model.nodes)):
            return self.base_model
        return replace(self.base_model, nodes=tuple(nodes), limits=limits)

    def replacement_scopes(self, root: Scope) -> dict[int, Scope]:
        """The scope that takes the place of each that layers were made with, by the id of that.

        One that would be the same stays.

        Raises:
            StructureChangedError: a block would stand more or less often, or one would be two.
        """
        scopes = {id(self.scope): root}
        for site in self.instances:
            around, old = scopes[id(site.scope)], site.body.scope
            given: Mapping[str, Any] = old.passed_values
            if around is not site.scope:
                if read_repeat(site.entry, around) != site.repeat:
                    raise StructureChangedError
                given = read_parameter_values(site.entry, copy_scope(around, site.copy_index))
            new = scopes.get(id(old))
            if new is None:
                stays = old.is_unchanged(root, given)
                new = old if stays else block_scope(site.entry.block, given, root, site.index)
                scopes[id(old)] = new
            elif not new.has_passed_values(given):
                raise StructureChangedError
        return scopes

    def redecode_layer(self, recipe: _LayerRecipe, scope: Scope, nodes: list[Node]) -> None:
        """Put a layer that is made with the names of a scope in its places.

        Raises:
            StructureChangedError: what it calls again is not in the model.
        """
        entry = recipe.entry
        if type(entry) is ReuseEntry:
            for place in recipe.node_indices:
                first = self.node_index.get(nodes[place].holder)
                if first is None:
                    raise StructureChangedError
                layer = apply_call_arguments(entry, nodes[first].layer, scope)
                nodes[place] = _replace_node_layer(nodes[place], layer)
        elif scope is not recipe.scope:
            layer = decode_layer(
                entry, scope, lambda entry, scope: self.decode_nested(entry, scope, None)
            )
            lent = list(outer_layers_lent(layer)) if holds_model(layer) else None
            for place in recipe.node_indices:
                if lent is not None and lent != list(outer_layers_lent(nodes[place].layer)):
                    raise StructureChangedError
                nodes[place] = _replace_node_layer(nodes[place], layer)

    def limits_in_scope(self, scope: Scope) -> tuple[Limit, ...]:
        """The limits of the file with these vars."""
        if self.limits_are_fixed:
            return self.base_model.limits
        consulted = scope.use_count
        limits = tuple(read_model_limits(self.sections, scope))
        self.limits_are_fixed = scope.use_count == consulted
        return self.base_model.limits if limits == self.base_model.limits else limits


def _decoding_key(entry: SpecEntry) -> object:
    """What entries have in common that are made into the same layer."""
    if (
        type(entry) is ReuseEntry
        or entry.kind.inner_layer_arguments
        or issubclass(entry.kind, NestedModel)
    ):
        return id(entry)
    own = {
        name: each.plain_value()
        for name, (_, each) in entry.arguments.items()
        if name not in CALL_KEYS
    }
    return entry.kind, repr(own)


def _replace_node_layer(node: Node, layer: LayerKind) -> Node:
    """The same call of another layer of the same kind."""
    if layer.inner_layer_arguments:
        layer = copy_inner_names(layer, node.layer)
    if layer is node.layer or layer == node.layer:
        return node
    return replace(node, layer=layer)
