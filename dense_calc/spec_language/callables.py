"""Finds the layer or block that a second call names: here, in a nested model, or around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct, field

from dense_calc.errors import Place, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.layer_references import layer_references_in
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
    """Layers in work, each inside the one before it, and the number of lent layers in them."""

    open_layers: list[object] = []
    lent_count: int = 0


class CallableLookup(Struct):
    """Finds the layers and blocks that a body can call again, under their names in that body.

    A block can also call layers of the model's own list, in `model_body`. A nested model can also
    call layers around it: `outer` finds them. Models in each other share one `nesting`.
    """

    body: Body
    model_body: Body
    outer: CallableLookup | None = None
    nesting: NestingState = field(default_factory=NestingState)

    def get_callable(self, name: str, entry: Place | None) -> FirstCall | Sequence[BlockCopy]:
        """The layer or block of this name, here, in the model's own list or around the model.

        Raises:
            SpecError: there is no such layer or block, or it cannot be called from here.
        """
        callee = self.find_callable(name, entry)
        if isinstance(callee, FirstCall) and 0 in callee.layer.arity:
            raise SpecError(f"'{name}' is an input, which cannot be called again", entry)
        if callee is None:
            hint = did_you_mean(name, self._callable_names(), else_listed=False)
            raise SpecError(f"there is no layer '{name}' to reuse{hint}", entry)
        return callee

    def find_callable(
        self, name: str, entry: Place | None
    ) -> FirstCall | Sequence[BlockCopy] | None:
        """The layer or block of this name, None if there is none."""
        callee = self._own_callable(name) or self._callable_in_model(name, entry)
        if callee or self.outer is None:
            return callee
        return self.outer.callable_for_nested(name, entry)

    def callable_for_nested(self, name: str, entry: Place | None) -> FirstCall | None:
        """The layer of this name for a second call in a nested model, under its name there."""
        callee = self.find_callable(name, entry)
        if callee is None:
            return None
        if isinstance(callee, FirstCall):
            lent = tuple(
                [LentLayer(each.path, OUTER_PREFIX + each.holder) for each in callee.lent_layers]
            )
            return FirstCall(OUTER_PREFIX + callee.name, self.resolve_layer(callee, entry), lent)
        message = f"'{name}' is a block of the surrounding model; call one of its layers"
        raise SpecError(f"{message}: '{name}/LAYER'", entry)

    def _own_callable(self, name: str) -> FirstCall | Sequence[BlockCopy] | None:
        """The layer or block of this name here, or the layer in the model's own list."""
        callee = self.body.find_callable(name)
        if callee is not None or self.body.block is None:
            return callee
        call = self.model_body.callables.get(name)
        if not isinstance(call, FirstCall):
            return None
        is_outer = call.name.startswith(OUTER_PREFIX)
        return call if is_outer else FirstCall(ROOT_PREFIX + call.name, call.layer)

    def _callable_names(self) -> Iterator[str]:
        """The names of the layers and blocks that can be called again."""
        yield from self.body.callables
        yield from (
            name for name, call in self.model_body.callables.items() if isinstance(call, FirstCall)
        )
        if self.outer:
            yield from self.outer._callable_names()

    def _callable_in_model(self, name: str, entry: Place | None) -> FirstCall | None:
        """The layer of a nested model that has this name, `inner/dense`, None if there is none."""
        head, slash, inner = name.rpartition("/")
        while slash:
            callee = self._own_callable(head)
            if isinstance(callee, FirstCall) and callee.layer.model:
                if self.outer and callee.name.startswith(OUTER_PREFIX):
                    outer_name = callee.name.lstrip(ROOT_PREFIX)
                    return self.outer.callable_for_nested(f"{outer_name}/{inner}", entry)
                model = self.resolve_layer(callee, entry).model
                return _find_layer_in_model(
                    callee.name, inner, model, partial(self._sibling_name, callee.name)
                )
            head, slash, step = head.rpartition("/")
            inner = f"{step}/{inner}"
        return None

    def _sibling_name(self, callee: str, name: str) -> str:
        """The name here of a layer that has this name beside a callee, where that is written."""
        if name.startswith(OUTER_PREFIX):
            return name
        if callee.startswith(ROOT_PREFIX):
            return ROOT_PREFIX + name.removeprefix(ROOT_PREFIX)
        copy = callee.rpartition("/")[0]
        return self.body.outer_name(name, copy) if copy else name

    def resolve_layer(self, callee: FirstCall, place: Place | None = None) -> LayerKind:
        """The layer of a callee, with the layers inside it decoded if it is or holds a model.

        Raises:
            SpecError: it is inside itself.
        """
        body = self.model_body if callee.name.startswith(ROOT_PREFIX) else self.body
        plan = body.pending_plans.get(callee.name.removeprefix(ROOT_PREFIX))
        return plan(place) if plan else callee.layer

    def lent_layers_in(self, layer: LayerKind) -> Iterator[LentLayer]:
        """The layers inside this one that are called elsewhere.

        Raises:
            SpecError: there is no such layer, or it cannot be inside another.
        """
        yield from outer_layers_lent(layer)
        yield from self._lent_arguments(layer)

    def _lent_arguments(self, layer: LayerKind) -> Iterator[LentLayer]:
        """The layers called elsewhere that are arguments of a layer, with those inside them."""
        for path, reference, outer in layer_references_in(layer):
            callee = self.get_callable(reference.target_name, reference.place)
            kind = type(outer).__name__
            if path[-1] in outer.cloned_layer_arguments:
                message = f"{kind} copies this layer and shares no weights; write it out"
                raise SpecError(message, reference.place)
            if not isinstance(callee, FirstCall):
                message = f"'{reference.target_name}' is a block, and {kind} takes a layer"
                raise SpecError(message, reference.place)
            yield LentLayer(path, callee.name)
            for loan in self.lent_layers_inside(callee, reference.place):
                yield LentLayer((*path, *loan.path), loan.holder)

    def lent_layers_inside(self, callee: FirstCall, place: Place | None) -> Iterator[LentLayer]:
        """The layers inside a second call that are called elsewhere themselves.

        Raises:
            SpecError: a layer is inside itself, or cannot be inside another.
        """
        outer = callee.name.removeprefix(OUTER_PREFIX)
        if self.outer and outer != callee.name and not callee.lent_layers:
            for loan in self.outer.lent_layers_inside(FirstCall(outer, callee.layer), place):
                yield LentLayer(loan.path, OUTER_PREFIX + loan.holder)
            return
        for loan in callee.lent_layers or self._own_lent_layers(callee, place):
            self.nesting.lent_count += 1
            if self.nesting.lent_count > MAX_LENT_LAYERS:
                raise SpecError(
                    f"more than {MAX_LENT_LAYERS:,} layers of others are inside layers", place
                )
            if len(loan.path) >= MAX_LENT_DEPTH:
                raise SpecError(
                    f"more than {MAX_LENT_DEPTH} layers are nested in each other", place
                )
            yield loan

    def _model_lookup(self) -> CallableLookup:
        """The lookup for the model's own list of layers."""
        return CallableLookup(self.model_body, self.model_body, self.outer, self.nesting)

    def _own_lent_layers(self, callee: FirstCall, place: Place | None) -> Iterator[LentLayer]:
        """The lent layers inside a callee that is written here, or in the model's own list."""
        layer = self.resolve_layer(callee, place)
        lent = list(outer_layers_lent(layer))
        if any(layer_references_in(layer)):
            name = callee.name.removeprefix(ROOT_PREFIX)
            if any(layer is each for each in self.nesting.open_layers):
                raise SpecError(f"'{name}' contains this call, and cannot be inside itself", place)
            if len(self.nesting.open_layers) == MAX_LENT_DEPTH:
                raise SpecError(
                    f"more than {MAX_LENT_DEPTH} layers are nested in each other", place
                )
            self.nesting.open_layers.append(layer)
            lookup = self if name == callee.name else self._model_lookup()
            lent += lookup._lent_arguments(layer)
            self.nesting.open_layers.pop()
        for loan in lent:
            yield LentLayer(loan.path, self._sibling_name(callee.name, loan.holder))


def _find_layer_in_model(
    holder: str, name: str, model: Model, beside: Callable[[str], str]
) -> FirstCall | None:
    """The layer of this name in a nested model, None if there is none.

    `holder` is the layer that is the model; `beside` names the layers next to it.
    """

    def outer_name(lender: str) -> str:
        """The name of a layer that is lent to one in the model."""
        if lender.startswith(OUTER_PREFIX):
            return beside(lender.removeprefix(OUTER_PREFIX))
        return f"{holder}/{lender}"

    start, inner = find_lender(name, model.nodes_by_name)
    if not start:
        return None
    node = model.nodes_by_name[start]
    first_call = next((outer_name(loan.holder) for loan in node.lent_layers if not loan.path), None)
    first_call = first_call or f"{holder}/{node.holder}"
    if not inner:
        lent = [
            LentLayer(loan.path, outer_name(loan.holder)) for loan in node.lent_layers if loan.path
        ]
        return FirstCall(first_call, node.layer, tuple(lent))
    if node.layer.model is None:
        return None
    return _find_layer_in_model(first_call, inner, node.layer.model, outer_name)
