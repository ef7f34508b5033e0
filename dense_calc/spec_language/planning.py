"""Entries → bodies: every layer decoded, every block worked out for what its uses give it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from msgspec import Struct

from dense_calc.errors import FEW, DenseCalcError, Note, Place, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, Positive
from dense_calc.model import Node
from dense_calc.spec_language.blocks import OF_A_USE
from dense_calc.spec_language.bodies import Body, Call, Copy, Use
from dense_calc.spec_language.body_reader import Reader, Unsettled
from dense_calc.spec_language.callables import Nest, Parts
from dense_calc.spec_language.entries import BlockUse, Definition, Entry
from dense_calc.spec_language.layer_arguments import decoded, layer_of, with_words
from dense_calc.spec_language.layer_names import named, named_like
from dense_calc.spec_language.scope import Number, Scope
from dense_calc.spec_language.spec_size import (
    MOST_WORKED,
    Extent,
    demand_few,
    extent_of,
    values_under,
)
from dense_calc.tracing.lent_layers import MAX_DEPTH, holds_model

INPUT = "input"  # what a block is given that has no names for its inputs


class Repetition(Struct, forbid_unknown_fields=True):
    """How often a block stands, one after the other."""

    repeat: Positive | None = None


class Site(Struct):
    """A use of a block, or the copy with this index, in a scope; and the body that it came to."""

    entry: BlockUse
    scope: Scope
    repeat: int | None
    index: int
    body: Body

    @property
    def copy(self) -> int | None:
        """Which copy it is, None if the block is not repeated."""
        return None if self.repeat is None else self.index


class Planner:
    """The making of bodies for one model, whose vars are `scope`.

    A model inside may call again what can be called `around` it.
    """

    def __init__(self, scope: Scope, around: Parts | None = None) -> None:
        self.scope = scope
        self.around = around
        self.nest = around.nest if around else Nest()
        self.model = Body(None, (), scope)
        self.sites: list[Site] = []
        self.made: dict[str, Body] = {}  # bodies of blocks, by what they were given
        self.worked = Extent()  # what blocks were worked out, each copy by itself
        self.uses: list[Note] = []  # those around what is being worked out, from the outside in
        self.unsettled: list[Unsettled] = []  # names that blocks read from outside

    def plan(self, entries: Sequence[Entry], body: Body) -> Body:
        """Fill a body with what these entries are.

        Raises:
            SpecError: one of them is no layer, or something is called what it cannot be.
        """
        scope = body.scope
        layers = [
            layer_of(entry, scope, around="later") if type(entry) is Entry else None
            for entry in entries
        ]
        others = [(place, entries[place]) for place, layer in enumerate(layers) if layer is None]
        repeats = dict(self.repeats(others, scope))
        names, layers = named(
            entries, layers, repeats, body.inputs, is_inside=bool(self.around) and not body.block
        )
        body.parts |= {
            name: Call(name, layer)
            for name, layer in zip(names.entries, layers, strict=True)
            if layer is not None
        }
        body.outputs |= dict(zip(body.parts, body.parts, strict=True))
        reader = Reader(
            body, self.model, self.around, self.nest, uses=self.uses, unsettled=self.unsettled
        )
        models = {
            names.entries[place]: place
            for place, layer in enumerate(layers)
            if layer is not None and holds_model(layer)
        }
        for name, place in models.items():
            body.pending[name] = partial(self.planned, name, entries[place], reader)
        again = {}
        for place, entry in others:
            if isinstance(entry, BlockUse):
                copies = self.copies(entry, repeats[place], scope, names.copies[place])
                for copy in copies:
                    body.add(copy.name, [copy])
                body.add(names.entries[place], copies)
            else:
                again[names.entries[place]] = entry
        again = dict(sorted(again.items(), key=lambda pair: "/" in str(pair[1].label)))
        reader.call_again(again)
        for name, place in models.items():
            layers[place] = reader.planned(body.call(name))
        body.steps.extend(reader.steps(entries, names.entries, layers, scope))
        self.measure(body)
        return body

    def planned(self, name: str, entry: Entry, reader: Reader, place: Place | None) -> LayerKind:
        """The layer of this name with the models in it, which something at a place calls again.

        Raises:
            SpecError: a model is inside itself, or too many are in each other.
        """
        body = reader.body
        call = body.call(name)
        if any(call is each for each in self.nest.open):
            raise SpecError(f"'{name}' holds this call, and cannot be inside itself", place)
        if len(self.nest.open) == MAX_DEPTH:
            raise SpecError(f"more than {MAX_DEPTH} models are in each other", place or entry)
        self.nest.open.append(call)
        try:
            layer = layer_of(entry, body.scope, around=reader)
        finally:
            self.nest.open.pop()
        call.layer = named_like(layer, call.layer) if layer.wraps else layer
        del body.pending[name]
        return call.layer

    def measure(self, body: Body) -> None:
        """Put down the extent of a body.

        Raises:
            SpecError: it is more than a model may come to.
        """
        made = Extent()
        for step in body.steps:
            if isinstance(step, Use):
                made += step.extent
                demand_few(made, step.entry)
        if body.block:  # else nothing copies it
            own = extent_of(step for step in body.steps if isinstance(step, Node))
            body.extent = own + made + Extent(values=body.block.values)

    def repeats(
        self, entries: Iterable[tuple[int, Entry]], scope: Scope
    ) -> Iterator[tuple[int, int | None]]:
        """How often each block stands, None where its use does not say so, by the use's place."""
        copies = Extent()
        for place, entry in entries:
            if isinstance(entry, BlockUse):
                repeat = repeat_of(entry, scope)
                name = entry.text("name") or entry.block.name
                copies += Extent(layers=1).copied(repeat or 1, len(name) * (repeat or 1))
                demand_few(copies, entry)
                yield place, repeat

    def copies(
        self, entry: BlockUse, repeat: int | None, scope: Scope, names: Sequence[str]
    ) -> Sequence[Copy]:
        """The copies of a block, under these names; of one body unless it asks for `index`."""
        made: list[Body] = []
        extent = Extent()
        characters = sum(map(len, names))
        for index in range(repeat or 1):
            around = surroundings(scope, None if repeat is None else index)
            made.append(self.body(entry, around, index))
            self.sites.append(Site(entry, scope, repeat, index, made[-1]))
            extent += made[-1].extent
            demand_few(extent, entry)
            demand_few(made[0].extent.copied(len(names), characters), entry)
            if not (made[0].asks_index or around.asked_index):
                break
        if len(made) < len(names):
            made *= len(names)
        return list(map(Copy, names, made))

    def body(self, entry: BlockUse, around: Scope, index: int) -> Body:
        """The body of a block as this use gives values to its parameters."""
        block = entry.block
        self.work(Extent(values=values_under(entry.arguments)), entry)
        given = handed(entry, around)
        missing = [name for name, default in block.params.items() if not (default or name in given)]
        if missing:
            needed = " and ".join([f"'{name}'" for name in missing[:FEW]])
            raise SpecError(f"the block '{block.name}' needs {needed}", entry)
        key = repr((block.name, sorted(given.items())))
        made = self.made.get(key)
        if made is None or made.asks_index:
            made = self.made[key] = self.worked_out(entry, given, index)
        return made

    def worked_out(self, entry: BlockUse, given: dict[str, Any], index: int) -> Body:
        """The body of a block whose parameters have these values and else their defaults."""
        block = entry.block
        self.work(Extent(layers=len(block.entries), values=block.values, copies=1), entry)
        with self.inside(entry, index):
            block.demand_sound()
            scope = scope_within(block, given, self.scope, index)
            body = self.plan(block.entries, Body(block, block.inputs or (INPUT,), scope))
        body.asks_index = scope.asked_index
        return body

    def work(self, extent: Extent, entry: BlockUse) -> None:
        """Add to what is worked out; SpecError if that becomes too much."""
        self.worked += extent
        demand_few(self.worked, entry, allowed=MOST_WORKED)

    @contextmanager
    def inside(self, entry: BlockUse, index: int) -> Iterator[None]:
        """Complaints about a block tell the use that led to them."""
        copy = f", index {index}" if index else ""
        note = Note(f"block '{entry.block.name}' is used here{copy}", entry)
        self.uses.append(note)
        try:
            yield
        except DenseCalcError as error:
            error.notes.append(note)
            raise
        finally:
            self.uses.pop()


def repeat_of(entry: BlockUse, scope: Scope) -> int | None:
    """How often the block of an entry stands, None if it does not say so.

    Raises:
        SpecError: it is not a number of times.
    """
    if "repeat" not in entry.arguments:
        return None
    written = entry.arguments["repeat"]
    given = Entry(*entry.where, Repetition, {"repeat": written}, entry.block.name)
    values = {"repeat": with_words(written[1].plain(), scope.words)}
    repeat: int | None = decoded(given, values, scope).repeat
    return repeat


def surroundings(scope: Scope, index: int | None) -> Scope:
    """The names that a use of a block in a scope has: in a copy, its `index` too."""
    return scope if index is None else Scope({}, scope.words, scope, index)


def handed(entry: BlockUse, around: Scope) -> dict[str, Any]:
    """What a use of a block gives the block's parameters.

    Raises:
        SpecError: the block has no such parameter, or a value is none.
    """
    block = entry.block
    given = {}
    for name, (word, written) in entry.arguments.items():
        if name in block.params:
            given[name] = around.value(written)
        elif name not in OF_A_USE:
            hint = did_you_mean(name, (*block.params, *OF_A_USE))
            raise SpecError(f"the block '{block.name}' has no parameter '{name}'{hint}", word)
    return given


def scope_within(
    block: Definition, given: Mapping[str, Any], outer: Mapping[str, Number], index: int
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
        scope.give(name, scope.value(default))
    return scope
