"""Entries → bodies: decodes every layer, and every block with the parameters of its uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from dense_calc.errors import MAX_LISTED_CHOICES, DenseCalcError, Note, Place, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.mistakes import keep_mistake_in_block
from dense_calc.model import Model, Node
from dense_calc.spec_language.block_uses import (
    block_scope,
    copy_scope,
    read_parameter_values,
    read_repeats,
)
from dense_calc.spec_language.bodies import (
    BlockCall,
    BlockCopy,
    Body,
    FirstCall,
    count_name_characters,
)
from dense_calc.spec_language.body_reader import BodyReader, UnresolvedName
from dense_calc.spec_language.callables import CallableLookup, NestingState
from dense_calc.spec_language.entries import BlockEntry, RunEntry, SpecEntry
from dense_calc.spec_language.expand_runs import expand_runs
from dense_calc.spec_language.layer_arguments import decode_layer
from dense_calc.spec_language.layer_names import EntryNames, copy_inner_names, name_entries
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import (
    PLANNING_LIMITS,
    Extent,
    count_argument_values,
    demand_small_extent,
    extent_of_nodes,
)
from dense_calc.spec_language.stand_ins import UnwiredLayer, decode_or_stand_in
from dense_calc.symbolic.state import UnlikeCopiesError, is_symbolic
from dense_calc.tracing.lent_layers import MAX_LENT_DEPTH, holds_model

_UNREAD_MODEL = Model("", (), (), ())  # stands in for a nested model until it is decoded
_NestedModelDecoder = Callable[[SpecEntry, Scope, CallableLookup | None], LayerKind]
_DEFAULT_BLOCK_INPUT = "input"  # the input of a block that names none


class BodyPlanner:
    """Makes the bodies of one model: that of the model itself and those of its blocks.

    `scope` has the vars of the model. `outer` finds the layers around the model that a nested
    model may call. `decode_nested` makes a nested model from its entry.
    """

    def __init__(
        self, scope: Scope, decode_nested: _NestedModelDecoder, outer: CallableLookup | None
    ) -> None:
        self.scope = scope
        self.decode_nested = decode_nested
        self.model_body = Body(None, (), scope)
        self.unresolved_names: list[UnresolvedName] = []  # names that blocks read from outside
        self._outer = outer
        self._nesting = outer.nesting if outer else NestingState()
        self._block_bodies: dict[str, Body] = {}  # by block and values of its parameters
        self._planned_extent = Extent()  # of all blocks, each differing copy by itself
        self._use_notes: list[Note] = []  # uses of the blocks in work, from the outside in

    def fill_body(self, entries: Sequence[SpecEntry], body: Body) -> Body:
        """Fill a body with the layers and block calls of these entries.

        Raises:
            SpecError: an entry is no layer, or calls what it cannot call.
        """
        scoped_entries = list(expand_runs(entries, body.scope))
        entries = [entry for entry, _ in scoped_entries]
        layers = [
            decode_or_stand_in(entry, scope, _unread_nested_model, self._use_notes)
            if type(entry) is SpecEntry
            else None
            for entry, scope in scoped_entries
        ]
        others = [
            (place, *scoped_entries[place]) for place, layer in enumerate(layers) if layer is None
        ]
        repeats = dict(read_repeats(others, self._use_notes))
        is_inside = bool(self._outer) and not body.block
        names, layers = name_entries(entries, layers, repeats, body.inputs, is_inside=is_inside)
        body.callables |= {
            name: FirstCall(name, layer)
            for name, layer in zip(names.entry_names, layers, strict=True)
            if layer is not None
        }
        body.outputs |= dict(zip(body.callables, body.callables, strict=True))
        reader = BodyReader(
            body,
            self.model_body,
            self._outer,
            self._nesting,
            use_notes=self._use_notes,
            unresolved_names=self.unresolved_names,
            scope=body.scope,
        )
        nested = self._postpone_nested_models(reader, scoped_entries, names, layers)
        second_calls = dict(self._add_block_copies(body, others, repeats, names))
        reader.add_second_calls(second_calls)
        for name, place in nested.items():
            layers[place] = reader.resolve_layer(body.first_call(name))
        body.steps.extend(reader.read_steps(scoped_entries, names.entry_names, layers))
        _measure_extent(body)
        return body

    def _postpone_nested_models(
        self,
        reader: BodyReader,
        scoped_entries: Sequence[tuple[SpecEntry, Scope]],
        names: EntryNames,
        layers: Sequence[LayerKind | None],
    ) -> dict[str, int]:
        """The places of the layers that are or hold a model, by name; the body can decode each."""
        nested = {
            names.entry_names[place]: place
            for place, layer in enumerate(layers)
            if layer is not None and holds_model(layer)
        }
        for name, place in nested.items():
            plan = partial(self._plan_pending_layer, name, *scoped_entries[place], reader)
            reader.body.pending_plans[name] = plan
        return nested

    def _plan_pending_layer(
        self, name: str, entry: SpecEntry, scope: Scope, reader: BodyReader, place: Place | None
    ) -> LayerKind:
        """The layer of this name with the models in it, which the call at a place needs.

        Raises:
            SpecError: a model is inside itself, or too many are in each other.
        """
        body = reader.body
        call = body.first_call(name)
        open_layers = self._nesting.open_layers
        if any(call is each for each in open_layers):
            raise SpecError(f"'{name}' contains this call, and cannot be inside itself", place)
        if len(open_layers) == MAX_LENT_DEPTH:
            raise SpecError(
                f"more than {MAX_LENT_DEPTH} models are nested in each other", place or entry
            )
        open_layers.append(call)
        try:
            layer = decode_layer(
                entry, scope, lambda entry, scope: self.decode_nested(entry, scope, reader)
            )
        finally:
            open_layers.pop()
        call.layer = copy_inner_names(layer, call.layer) if layer.inner_layer_arguments else layer
        del body.pending_plans[name]
        return call.layer

    def _add_block_copies(
        self,
        body: Body,
        entries: Iterable[tuple[int, SpecEntry, Scope]],
        repeats: dict[int, int | None],
        names: EntryNames,
    ) -> Iterator[tuple[str, SpecEntry]]:
        """Add the copies of each block to a body; yield the other entries, which are second calls.

        `entries` and `repeats` have the place of each entry.
        """
        for place, entry, scope in entries:
            name = names.entry_names[place]
            if not isinstance(entry, BlockEntry):
                yield name, entry
                continue
            repeat, copy_names = repeats[place], names.copy_names[place]
            if is_symbolic(repeat):
                self._demand_unnamed_copies(entry, copy_names, names)
            try:
                copies = self._make_copies(entry, repeat, scope, copy_names)
            except SpecError as error:
                keep_mistake_in_block(error, self._use_notes)
                body.add_callable(name, FirstCall(name, UnwiredLayer()))
                continue
            for copy in copies:
                body.add_callable(copy.name, [copy])
            body.add_callable(name, copies)

    def _make_copies(
        self, entry: BlockEntry, repeat: int | None, scope: Scope, names: Sequence[str]
    ) -> Sequence[BlockCopy]:
        """The copies of a block, under these names; of one body unless it reads `index`.

        Raises:
            UnlikeCopiesError: the last one cannot stand for several.
        """
        bodies: list[Body] = []
        extent = Extent()
        characters = count_name_characters(names, repeat)
        for index in range(len(names)):
            use_scope = copy_scope(scope, None if repeat is None else index)
            bodies.append(self._block_body(entry, use_scope, index))
            extent += bodies[-1].extent
            is_alike = not (bodies[0].depends_on_index or use_scope.index_was_read)
            if is_symbolic(repeat) and not is_alike:
                raise UnlikeCopiesError
            demand_small_extent(extent, entry)
            demand_small_extent(bodies[0].extent.scale_to_copies(repeat or 1, characters), entry)
            if is_alike:
                break
        if len(bodies) < len(names):
            bodies *= len(names)
        copies = list(map(BlockCopy, names, bodies))
        copies[-1].count = (repeat or 1) - len(names) + 1
        return copies

    def _demand_unnamed_copies(
        self, entry: BlockEntry, copies: Sequence[str], names: EntryNames
    ) -> None:
        """Raise UnlikeCopiesError where other names are like those of copies, or mean them."""
        pattern = rf"\b{re.escape(copies[0].rpartition('_')[0])}_[0-9]"
        texts = () if type(entry) is RunEntry else (entry.source.text, *names.entry_names)
        if self._outer or any(re.search(pattern, text) for text in texts):
            raise UnlikeCopiesError

    def _block_body(self, entry: BlockEntry, scope: Scope, index: int) -> Body:
        """The body of a block with the parameters of this use; a known one if it is the same."""
        block = entry.block
        self._add_planned_extent(Extent(values=count_argument_values(entry.arguments)), entry)
        values = read_parameter_values(entry, scope)
        missing = [name for name, value in block.params.items() if not (value or name in values)]
        if missing:
            needed = " and ".join([f"'{name}'" for name in missing[:MAX_LISTED_CHOICES]])
            raise SpecError(f"the block '{block.name}' needs {needed}", entry)
        key = repr((block.name, sorted(values.items())))
        body = self._block_bodies.get(key)
        if body is None or body.depends_on_index:
            body = self._block_bodies[key] = self._plan_block_body(entry, values, index)
        return body

    def _plan_block_body(self, entry: BlockEntry, values: dict[str, Any], index: int) -> Body:
        """The body of a block with these values for its parameters, defaults for the others."""
        block = entry.block
        self._add_planned_extent(
            Extent(layers=len(block.entries), values=block.value_count, copies=1), entry
        )
        with self._note_block_use(entry, index):
            block.demand_valid()
            scope = block_scope(block, values, self.scope, index)
            body = self.fill_body(
                block.entries, Body(block, block.inputs or (_DEFAULT_BLOCK_INPUT,), scope)
            )
        body.depends_on_index = scope.index_was_read
        return body

    def _add_planned_extent(self, extent: Extent, entry: BlockEntry) -> None:
        """Count what blocks come to; SpecError if that is too much."""
        self._planned_extent += extent
        demand_small_extent(self._planned_extent, entry, allowed=PLANNING_LIMITS)

    @contextmanager
    def _note_block_use(self, entry: BlockEntry, index: int) -> Iterator[None]:
        """Add to errors inside a block a note that shows where the block is used."""
        copy = f", index {index}" if index else ""
        note = Note(f"block '{entry.block.name}' is used here{copy}", entry)
        self._use_notes.append(note)
        try:
            yield
        except DenseCalcError as error:
            error.notes.append(note)
            raise
        finally:
            self._use_notes.pop()


def _unread_nested_model(entry: SpecEntry, _scope: Scope) -> LayerKind:
    """A layer that stands in for a nested model until all that the model may call is known."""
    layer: LayerKind = entry.kind(model=_UNREAD_MODEL, name=entry.read_text("name"))
    return layer


def _measure_extent(body: Body) -> None:
    """Set the extent of a body.

    Raises:
        SpecError: it is more than a model may come to.
    """
    extent = Extent()
    for step in body.steps:
        if isinstance(step, BlockCall):
            extent += step.extent
            demand_small_extent(extent, step.entry)
    if body.block:  # else nothing copies it
        nodes = extent_of_nodes(step for step in body.steps if isinstance(step, Node))
        body.extent = nodes + extent + Extent(values=body.block.value_count)
