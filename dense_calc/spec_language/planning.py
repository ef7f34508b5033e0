"""Entries → bodies: every layer decoded, every block worked out for what its uses give it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from msgspec import Struct

from dense_calc.errors import (
    MAX_LISTED_CHOICES,
    DenseCalcError,
    Note,
    Place,
    SpecError,
    did_you_mean,
)
from dense_calc.layers.base import LayerKind, PositiveInt
from dense_calc.model import Model, Node
from dense_calc.spec_language.blocks import BLOCK_USE_KEYS
from dense_calc.spec_language.bodies import BlockCall, BlockCopy, Body, FirstCall
from dense_calc.spec_language.body_reader import BodyReader, UnresolvedName
from dense_calc.spec_language.callables import CallableLookup, NestingState
from dense_calc.spec_language.entries import BlockDefinition, BlockEntry, SpecEntry
from dense_calc.spec_language.layer_arguments import (
    decode_arguments,
    decode_layer,
    substitute_parameters,
)
from dense_calc.spec_language.layer_names import copy_inner_names, name_entries
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_numbers import Number
from dense_calc.spec_language.spec_size import (
    PLANNING_LIMITS,
    Extent,
    count_argument_values,
    demand_small_extent,
    extent_of_nodes,
)
from dense_calc.tracing.lent_layers import MAX_LENT_DEPTH, holds_model

_UNREAD_MODEL = Model("", (), (), ())  # stands in for a nested model until it is read
_NestedModelDecoder = Callable[[SpecEntry, Scope, CallableLookup | None], LayerKind]
_DEFAULT_BLOCK_INPUT = "input"  # what a block is given that has no names for its inputs


class Repetition(Struct, forbid_unknown_fields=True):
    """How often a block stands, one after the other."""

    repeat: PositiveInt | None = None


class _BlockInstance(Struct):
    """A use of a block, or the copy with this index, in a scope; and the body that it came to."""

    entry: BlockEntry
    scope: Scope
    repeat: int | None
    index: int
    body: Body

    @property
    def copy_index(self) -> int | None:
        """Which copy it is, None if the block is not repeated."""
        return None if self.repeat is None else self.index


class BodyPlanner:
    """The making of bodies for one model, whose vars are `scope`.

    A model inside may call again what can be called `around` it.
    """

    def __init__(
        self, scope: Scope, decode_nested: _NestedModelDecoder, outer: CallableLookup | None
    ) -> None:
        self.scope = scope
        self.decode_nested = decode_nested
        self.outer = outer
        self.nesting = outer.nesting if outer else NestingState()
        self.model_body = Body(None, (), scope)
        self.instances: list[_BlockInstance] = []
        self.block_bodies: dict[str, Body] = {}  # bodies of blocks, by what they were given
        self.planned_extent = Extent()  # what blocks were worked out, each copy by itself
        self.use_notes: list[
            Note
        ] = []  # those around what is being worked out, from the outside in
        self.unresolved_names: list[UnresolvedName] = []  # names that blocks read from outside

    def fill_body(self, entries: Sequence[SpecEntry], body: Body) -> Body:
        """Fill a body with what these entries are.

        Raises:
            SpecError: one of them is no layer, or something is called what it cannot be.
        """
        scope = body.scope
        layers = [
            decode_layer(entry, scope, _unread_nested_model) if type(entry) is SpecEntry else None
            for entry in entries
        ]
        others = [(place, entries[place]) for place, layer in enumerate(layers) if layer is None]
        repeats = dict(self.read_repeats(others, scope))
        names, layers = name_entries(
            entries, layers, repeats, body.inputs, is_inside=bool(self.outer) and not body.block
        )
        body.callables |= {
            name: FirstCall(name, layer)
            for name, layer in zip(names.entry_names, layers, strict=True)
            if layer is not None
        }
        body.outputs |= dict(zip(body.callables, body.callables, strict=True))
        reader = BodyReader(
            body,
            self.model_body,
            self.outer,
            self.nesting,
            use_notes=self.use_notes,
            unresolved_names=self.unresolved_names,
        )
        models = {
            names.entry_names[place]: place
            for place, layer in enumerate(layers)
            if layer is not None and holds_model(layer)
        }
        for name, place in models.items():
            body.pending_plans[name] = partial(
                self.plan_pending_layer, name, entries[place], reader
            )
        again = {}
        for place, entry in others:
            if isinstance(entry, BlockEntry):
                copies = self.make_copies(entry, repeats[place], scope, names.copy_names[place])
                for copy in copies:
                    body.add_callable(copy.name, [copy])
                body.add_callable(names.entry_names[place], copies)
            else:
                again[names.entry_names[place]] = entry
        again = dict(sorted(again.items(), key=lambda pair: "/" in str(pair[1].label)))
        reader.add_second_calls(again)
        for name, place in models.items():
            layers[place] = reader.resolve_layer(body.first_call(name))
        body.steps.extend(reader.read_steps(entries, names.entry_names, layers, scope))
        self.measure_extent(body)
        return body

    def plan_pending_layer(
        self, name: str, entry: SpecEntry, reader: BodyReader, place: Place | None
    ) -> LayerKind:
        """The layer of this name with the models in it, which something at a place calls again.

        Raises:
            SpecError: a model is inside itself, or too many are in each other.
        """
        body = reader.body
        call = body.first_call(name)
        if any(call is each for each in self.nesting.open_layers):
            raise SpecError(f"'{name}' holds this call, and cannot be inside itself", place)
        if len(self.nesting.open_layers) == MAX_LENT_DEPTH:
            raise SpecError(f"more than {MAX_LENT_DEPTH} models are in each other", place or entry)
        self.nesting.open_layers.append(call)
        try:
            layer = decode_layer(
                entry, body.scope, lambda entry, scope: self.decode_nested(entry, scope, reader)
            )
        finally:
            self.nesting.open_layers.pop()
        call.layer = copy_inner_names(layer, call.layer) if layer.inner_layer_arguments else layer
        del body.pending_plans[name]
        return call.layer

    def measure_extent(self, body: Body) -> None:
        """Put down the extent of a body.

        Raises:
            SpecError: it is more than a model may come to.
        """
        made = Extent()
        for step in body.steps:
            if isinstance(step, BlockCall):
                made += step.extent
                demand_small_extent(made, step.entry)
        if body.block:  # else nothing copies it
            own = extent_of_nodes(step for step in body.steps if isinstance(step, Node))
            body.extent = own + made + Extent(values=body.block.value_count)

    def read_repeats(
        self, entries: Iterable[tuple[int, SpecEntry]], scope: Scope
    ) -> Iterator[tuple[int, int | None]]:
        """How often each block stands, None where its use does not say so, by the use's place."""
        copies = Extent()
        for place, entry in entries:
            if isinstance(entry, BlockEntry):
                repeat = read_repeat(entry, scope)
                name = entry.read_text("name") or entry.block.name
                copies += Extent(layers=1).scale_to_copies(repeat or 1, len(name) * (repeat or 1))
                demand_small_extent(copies, entry)
                yield place, repeat

    def make_copies(
        self, entry: BlockEntry, repeat: int | None, scope: Scope, names: Sequence[str]
    ) -> Sequence[BlockCopy]:
        """The copies of a block, under these names; of one body unless it asks for `index`."""
        made: list[Body] = []
        extent = Extent()
        characters = sum(map(len, names))
        for index in range(repeat or 1):
            around = copy_scope(scope, None if repeat is None else index)
            made.append(self.block_body(entry, around, index))
            self.instances.append(_BlockInstance(entry, scope, repeat, index, made[-1]))
            extent += made[-1].extent
            demand_small_extent(extent, entry)
            demand_small_extent(made[0].extent.scale_to_copies(len(names), characters), entry)
            if not (made[0].depends_on_index or around.index_was_read):
                break
        if len(made) < len(names):
            made *= len(names)
        return list(map(BlockCopy, names, made))

    def block_body(self, entry: BlockEntry, around: Scope, index: int) -> Body:
        """The body of a block as this use gives values to its parameters."""
        block = entry.block
        self.add_planned_extent(Extent(values=count_argument_values(entry.arguments)), entry)
        given = read_parameter_values(entry, around)
        missing = [name for name, default in block.params.items() if not (default or name in given)]
        if missing:
            needed = " and ".join([f"'{name}'" for name in missing[:MAX_LISTED_CHOICES]])
            raise SpecError(f"the block '{block.name}' needs {needed}", entry)
        key = repr((block.name, sorted(given.items())))
        made = self.block_bodies.get(key)
        if made is None or made.depends_on_index:
            made = self.block_bodies[key] = self.plan_block_body(entry, given, index)
        return made

    def plan_block_body(self, entry: BlockEntry, given: dict[str, Any], index: int) -> Body:
        """The body of a block whose parameters have these values and else their defaults."""
        block = entry.block
        self.add_planned_extent(
            Extent(layers=len(block.entries), values=block.value_count, copies=1), entry
        )
        with self.note_block_use(entry, index):
            block.demand_valid()
            scope = block_scope(block, given, self.scope, index)
            body = self.fill_body(
                block.entries, Body(block, block.inputs or (_DEFAULT_BLOCK_INPUT,), scope)
            )
        body.depends_on_index = scope.index_was_read
        return body

    def add_planned_extent(self, extent: Extent, entry: BlockEntry) -> None:
        """Add to what is worked out; SpecError if that becomes too much."""
        self.planned_extent += extent
        demand_small_extent(self.planned_extent, entry, allowed=PLANNING_LIMITS)

    @contextmanager
    def note_block_use(self, entry: BlockEntry, index: int) -> Iterator[None]:
        """Complaints about a block tell the use that led to them."""
        copy = f", index {index}" if index else ""
        note = Note(f"block '{entry.block.name}' is used here{copy}", entry)
        self.use_notes.append(note)
        try:
            yield
        except DenseCalcError as error:
            error.notes.append(note)
            raise
        finally:
            self.use_notes.pop()


def _unread_nested_model(entry: SpecEntry, _scope: Scope) -> LayerKind:
    """A layer that stands in for a nested model until all that it may call is known."""
    layer: LayerKind = entry.kind(model=_UNREAD_MODEL, name=entry.read_text("name"))
    return layer


def read_repeat(entry: BlockEntry, scope: Scope) -> int | None:
    """How often the block of an entry stands, None if it does not say so.

    Raises:
        SpecError: it is not a number of times.
    """
    if "repeat" not in entry.arguments:
        return None
    written = entry.arguments["repeat"]
    given = SpecEntry(*entry.coordinates, Repetition, {"repeat": written}, entry.block.name)
    values = {"repeat": substitute_parameters(written[1].plain_value(), scope.substitutions)}
    repeat: int | None = decode_arguments(given, values, scope).repeat
    return repeat


def copy_scope(scope: Scope, index: int | None) -> Scope:
    """The names that a use of a block in a scope has: in a copy, its `index` too."""
    return scope if index is None else Scope({}, scope.substitutions, scope, index)


def read_parameter_values(entry: BlockEntry, around: Scope) -> dict[str, Any]:
    """What a use of a block gives the block's parameters.

    Raises:
        SpecError: the block has no such parameter, or a value is none.
    """
    block = entry.block
    given = {}
    for name, (word, written) in entry.arguments.items():
        if name in block.params:
            given[name] = around.read_value(written)
        elif name not in BLOCK_USE_KEYS:
            hint = did_you_mean(name, (*block.params, *BLOCK_USE_KEYS))
            raise SpecError(f"the block '{block.name}' has no parameter '{name}'{hint}", word)
    return given


def block_scope(
    block: BlockDefinition, given: Mapping[str, Any], outer: Mapping[str, Number], index: int
) -> Scope:
    """The names in a block whose parameters have these values and else their defaults.

    Raises:
        SpecError: a default has no value.
    """
    defaults = {
        name: default
        for name, default in block.params.items()
        if default is not None and name not in given
    }
    scope = Scope(defaults, given, outer, index)
    for name, default in defaults.items():
        scope.set_parameter(name, scope.read_value(default))
    return scope
