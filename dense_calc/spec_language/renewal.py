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
from dense_calc.spec_language.body_reader import called_with
from dense_calc.spec_language.budget_section import limits_of
from dense_calc.spec_language.entries import Entry, Reuse
from dense_calc.spec_language.expand_blocks import Flat
from dense_calc.spec_language.layer_arguments import OF_A_CALL, layer_of
from dense_calc.spec_language.layer_names import named_like
from dense_calc.spec_language.planning import Planner, handed, repeat_of, scope_within, surroundings
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.lent_layers import (
    OUTSIDE,
    holds_model,
    lends_unused,
    loans_of_models,
    with_loans,
)
from dense_calc.tracing.nested_model import Inside


class Recipe(Struct):
    """What a layer is made of, and the places of its calls among the nodes of the model."""

    entry: Entry
    scope: Scope
    places: list[int]


class UnlikeError(Exception):
    """The model would have other nodes, not only other arguments."""


class Renewal:
    """A model and what it was made of."""

    def __init__(
        self, model: Model, planner: Planner, whole: Flat, sections: Mapping[str, Marked]
    ) -> None:
        self.base = model
        self.scope = planner.scope
        self.sites = planner.sites[::-1]  # a block before those in it
        own = [site for site in self.sites if site.scope is self.scope]
        self.repeats = {id(site.entry): site.repeat for site in own}
        self.whole = whole
        self.sections = sections
        self.limits_are_fixed = False

    @cached_property
    def borrows(self) -> bool:
        """Whether it holds layers of the model around it."""
        loans = (loan for node in self.base.nodes for loan in node.loans)
        return any(loan.holder.startswith(OUTSIDE) for loan in loans)

    @cached_property
    def lends_unused(self) -> bool:
        """Whether it has layers of some that no output needs, which are not made again here."""
        return lends_unused(self.base)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each node stands, by its name."""
        return {node.name: place for place, node in enumerate(self.base.nodes)}

    @cached_property
    def recipes(self) -> list[Recipe]:
        """Those of all layers that use names, each before what calls it again."""
        places = self.places
        found: dict[tuple[int, object], Recipe] = {}
        for node, scope in zip(self.whole.nodes, self.whole.scopes, strict=True):
            entry = node.place
            assert isinstance(entry, Entry)
            if entry.fixed is None or type(entry) is Reuse:
                key = id(scope), look(entry)
                recipe = found.setdefault(key, Recipe(entry, scope, []))
                if node.name in places:
                    recipe.places.append(places[node.name])
        return sorted(found.values(), key=lambda recipe: type(recipe.entry) is Reuse)

    def model(self, scope: Scope) -> Model:
        """The model with these vars.

        Raises:
            UnlikeError: it has other nodes.
            SpecError: it cannot be; whoever makes it anew will say why.
        """
        if self.lends_unused:
            raise UnlikeError
        scopes = self.scopes(scope)
        nodes = list(self.base.nodes)
        for recipe in self.recipes:
            self.renew(recipe, scopes[id(recipe.scope)], nodes)
        nodes = list(with_loans(nodes))
        limits = self.limits(scope)
        if limits is self.base.limits and all(map(is_, nodes, self.base.nodes)):
            return self.base
        return replace(self.base, nodes=tuple(nodes), limits=limits)

    def scopes(self, root: Scope) -> dict[int, Scope]:
        """The scope that takes the place of each that layers were made with, by the id of that.

        One that would be the same stays.

        Raises:
            UnlikeError: a block would stand more or less often, or one would be two.
        """
        scopes = {id(self.scope): root}
        for site in self.sites:
            around, old = scopes[id(site.scope)], site.body.scope
            given: Mapping[str, Any] = old.handed
            if around is not site.scope:
                if repeat_of(site.entry, around) != site.repeat:
                    raise UnlikeError
                given = handed(site.entry, surroundings(around, site.copy))
            new = scopes.get(id(old))
            if new is None:
                stays = old.is_same(root, given)
                new = old if stays else scope_within(site.entry.block, given, root, site.index)
                scopes[id(old)] = new
            elif not new.is_given(given):
                raise UnlikeError
        return scopes

    def renew(self, recipe: Recipe, scope: Scope, nodes: list[Node]) -> None:
        """Put a layer that is made with the names of a scope in its places.

        Raises:
            UnlikeError: what it calls again is not in the model.
        """
        entry = recipe.entry
        if type(entry) is Reuse:
            for place in recipe.places:
                first = self.places.get(nodes[place].holder)
                if first is None:
                    raise UnlikeError
                layer = called_with(entry, nodes[first].layer, scope)
                nodes[place] = with_layer(nodes[place], layer)
        elif scope is not recipe.scope:
            layer = layer_of(entry, scope)
            lent = list(loans_of_models(layer)) if holds_model(layer) else None
            for place in recipe.places:
                if lent is not None and lent != list(loans_of_models(nodes[place].layer)):
                    raise UnlikeError
                nodes[place] = with_layer(nodes[place], layer)

    def limits(self, scope: Scope) -> tuple[Limit, ...]:
        """The limits of the file with these vars."""
        if self.limits_are_fixed:
            return self.base.limits
        consulted = scope.consulted
        limits = tuple(limits_of(self.sections, scope))
        self.limits_are_fixed = scope.consulted == consulted
        return self.base.limits if limits == self.base.limits else limits


def look(entry: Entry) -> object:
    """What entries have in common that are made into the same layer."""
    if type(entry) is Reuse or entry.kind.wraps or issubclass(entry.kind, Inside):
        return id(entry)
    own = {
        name: each.plain() for name, (_, each) in entry.arguments.items() if name not in OF_A_CALL
    }
    return entry.kind, repr(own)


def with_layer(node: Node, layer: LayerKind) -> Node:
    """The same call of another layer of the same kind."""
    if layer.wraps:
        layer = named_like(layer, node.layer)
    if layer is node.layer or layer == node.layer:
        return node
    return replace(node, layer=layer)
