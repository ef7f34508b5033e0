"""What can be called again by a name: here, in a model inside, or around the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct, field

from dense_calc.errors import Place, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.model import LentLayer, Model
from dense_calc.spec_language.bodies import ROOT_PREFIX, BlockCopy, Body, FirstCall
from dense_calc.tracing.lent_layers import (
    MAX_LENT_DEPTH,
    MAX_LENT_LAYERS,
    OUTER_PREFIX,
    find_lender,
    outer_layers_lent,
)


class NestingState(Struct):
    """Layers of which is being asked what is in them, from the outside in; what was found there."""

    open_layers: list[object] = []
    lent_count: int = 0


class CallableLookup(Struct):
    """What can be called again in a body under work, with the names that it has there.

    In a block, what is not found may be a layer in the model's own list. In a model inside, it may
    be one that the parts `around` it have. `nest` is one for all models in each other.
    """

    body: Body
    model_body: Body
    outer: CallableLookup | None = None
    nesting: NestingState = field(default_factory=NestingState)

    def get_callable(self, name: str, entry: Place | None) -> FirstCall | Sequence[BlockCopy]:
        """What an entry calls again by this name, here, in the model's own list or around that.

        Raises:
            SpecError: there is no such layer or block, or it cannot be called from here.
        """
        part = self.find_callable(name, entry)
        if isinstance(part, FirstCall) and 0 in part.layer.arity:
            raise SpecError(f"'{name}' is an input, which cannot be called again", entry)
        if part is None:
            hint = did_you_mean(name, self.callable_names(), else_listed=False)
            raise SpecError(f"there is no layer '{name}' to call again{hint}", entry)
        return part

    def find_callable(
        self, name: str, entry: Place | None
    ) -> FirstCall | Sequence[BlockCopy] | None:
        """The same, None if there is none."""
        part = self.own_callable(name) or self.callable_in_model(name, entry)
        if part or self.outer is None:
            return part
        return self.outer.callable_for_nested(name, entry)

    def callable_for_nested(self, name: str, entry: Place | None) -> FirstCall | None:
        """What a model inside may call again by this name, as it is called there."""
        part = self.find_callable(name, entry)
        if part is None:
            return None
        if isinstance(part, FirstCall):
            loans = tuple(
                [LentLayer(loan.path, OUTER_PREFIX + loan.holder) for loan in part.lent_layers]
            )
            return FirstCall(OUTER_PREFIX + part.name, self.resolve_layer(part, entry), loans)
        told = f"'{name}' is a block of the model around, of which only layers can be called"
        raise SpecError(f"{told}: '{name}/LAYER'", entry)

    def own_callable(self, name: str) -> FirstCall | Sequence[BlockCopy] | None:
        """What has this name here, or in the model's own list of layers."""
        part = self.body.find_callable(name)
        if part is not None or self.body.block is None:
            return part
        own = self.model_body.callables.get(name)
        if not isinstance(own, FirstCall) or own.name.startswith(OUTER_PREFIX):
            return own if isinstance(own, FirstCall) else None
        return FirstCall(ROOT_PREFIX + own.name, own.layer)

    def callable_names(self) -> Iterator[str]:
        """The names of what can be called again."""
        yield from self.body.callables
        yield from (
            each for each, held in self.model_body.callables.items() if isinstance(held, FirstCall)
        )
        if self.outer:
            yield from self.outer.callable_names()

    def callable_in_model(self, name: str, entry: Place | None) -> FirstCall | None:
        """The layer of a model inside that has this name, `inner/dense`, None if there is none."""
        head, slash, inner = name.rpartition("/")
        while slash:
            part = self.own_callable(head)
            if isinstance(part, FirstCall) and part.layer.model:
                if self.outer and part.name.startswith(OUTER_PREFIX):
                    whose = part.name.lstrip(ROOT_PREFIX)
                    return self.outer.callable_for_nested(f"{whose}/{inner}", entry)
                model = self.resolve_layer(part, entry).model
                return _find_layer_in_model(
                    part.name, inner, model, partial(self.sibling_name, part.name)
                )
            head, slash, step = head.rpartition("/")
            inner = f"{step}/{inner}"
        return None

    def sibling_name(self, part: str, name: str) -> str:
        """What a layer is called here that has this name where a part is written."""
        if name.startswith(OUTER_PREFIX):
            return name
        if part.startswith(ROOT_PREFIX):
            return ROOT_PREFIX + name.removeprefix(ROOT_PREFIX)
        copy = part.rpartition("/")[0]
        return self.body.outer_name(name, copy) if copy else name

    def resolve_layer(self, part: FirstCall, place: Place | None = None) -> LayerKind:
        """The layer that a part is, with what is in it if it is or holds a model.

        Raises:
            SpecError: it is inside itself.
        """
        body = self.model_body if part.name.startswith(ROOT_PREFIX) else self.body
        plan = body.pending_plans.get(part.name.removeprefix(ROOT_PREFIX))
        return plan(place) if plan else part.layer

    def lent_layers_in(self, layer: LayerKind) -> Iterator[LentLayer]:
        """The layers inside this one that are called elsewhere.

        Raises:
            SpecError: there is no such layer, or it cannot be inside another.
        """
        yield from outer_layers_lent(layer)
        yield from self.lent_arguments(layer)

    def lent_arguments(self, layer: LayerKind) -> Iterator[LentLayer]:
        """Those that are arguments."""
        from dense_calc.layers.layer_references import layer_references_in  # few models pay for it

        for path, borrowed, outer in layer_references_in(layer):
            part = self.get_callable(borrowed.target_name, borrowed.place)
            kind = type(outer).__name__
            if path[-1] in outer.cloned_layer_arguments:
                told = f"{kind} copies this layer and shares no weights; write it out"
                raise SpecError(told, borrowed.place)
            if not isinstance(part, FirstCall):
                told = f"'{borrowed.target_name}' is a block, and {kind} holds a layer"
                raise SpecError(told, borrowed.place)
            yield LentLayer(path, part.name)
            for loan in self.lent_layers_inside(part, borrowed.place):
                yield LentLayer((*path, *loan.path), loan.holder)

    def lent_layers_inside(self, part: FirstCall, place: Place | None) -> Iterator[LentLayer]:
        """The layers inside what is called again that are called elsewhere themselves.

        Raises:
            SpecError: it is inside itself, or holds what cannot be inside another.
        """
        outer = part.name.removeprefix(OUTER_PREFIX)
        if self.outer and outer != part.name and not part.lent_layers:
            for loan in self.outer.lent_layers_inside(FirstCall(outer, part.layer), place):
                yield LentLayer(loan.path, OUTER_PREFIX + loan.holder)
            return
        for loan in part.lent_layers or self.own_lent_layers(part, place):
            self.nesting.lent_count += 1
            if self.nesting.lent_count > MAX_LENT_LAYERS:
                raise SpecError(
                    f"more than {MAX_LENT_LAYERS:,} layers of others are inside layers", place
                )
            if len(loan.path) >= MAX_LENT_DEPTH:
                raise SpecError(f"more than {MAX_LENT_DEPTH} layers are in each other", place)
            yield loan

    def model_lookup(self) -> CallableLookup:
        """What can be called again in the model's own list of layers."""
        return CallableLookup(self.model_body, self.model_body, self.outer, self.nesting)

    def own_lent_layers(self, part: FirstCall, place: Place | None) -> Iterator[LentLayer]:
        """Those of a part that is written here, or in the model's own list of layers."""
        from dense_calc.layers.layer_references import layer_references_in

        layer = self.resolve_layer(part, place)
        own = list(outer_layers_lent(layer))
        if any(layer_references_in(layer)):
            name = part.name.removeprefix(ROOT_PREFIX)
            if any(layer is each for each in self.nesting.open_layers):
                raise SpecError(f"'{name}' holds this call, and cannot be inside itself", place)
            if len(self.nesting.open_layers) == MAX_LENT_DEPTH:
                raise SpecError(f"more than {MAX_LENT_DEPTH} layers are in each other", place)
            self.nesting.open_layers.append(layer)
            whose = self if name == part.name else self.model_lookup()
            own += whose.lent_arguments(layer)
            self.nesting.open_layers.pop()
        for loan in own:
            yield LentLayer(loan.path, self.sibling_name(part.name, loan.holder))


def _find_layer_in_model(
    holder: str, name: str, model: Model, beside: Callable[[str], str]
) -> FirstCall | None:
    """The layer of this name in a model that a holder is, None if there is none.

    `beside` are the names of what is around that model.
    """

    def called(lender: str) -> str:
        """What a layer is called that lends itself to one in the model."""
        if lender.startswith(OUTER_PREFIX):
            return beside(lender.removeprefix(OUTER_PREFIX))
        return f"{holder}/{lender}"

    start, inner = find_lender(name, model.nodes_by_name)
    if not start:
        return None
    node = model.nodes_by_name[start]
    own = next((called(loan.holder) for loan in node.lent_layers if not loan.path), None)
    own = own or f"{holder}/{node.holder}"
    if not inner:
        loans = [
            LentLayer(loan.path, called(loan.holder)) for loan in node.lent_layers if loan.path
        ]
        return FirstCall(own, node.layer, tuple(loans))
    if node.layer.model is None:
        return None
    return _find_layer_in_model(own, inner, node.layer.model, called)
