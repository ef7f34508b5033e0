"""Within one body: what is called again, and what each layer and block reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile

from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.errors import Note, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.model import Node
from dense_calc.spec_language.bodies import ROOT, Body, Call, Copy, Use
from dense_calc.spec_language.callables import Parts
from dense_calc.spec_language.entries import Entry, Reuse
from dense_calc.spec_language.layer_arguments import OF_A_CALL, decoded, some_arguments
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent, demand_few
from dense_calc.spec_language.wiring import given_to_block, wires
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.lent_layers import OUTSIDE

READ_BY_NAME = "say which this layer reads: 'from: name'"


class Unsettled(Struct):
    """A name in a block that must be found outside it, once the model is whole."""

    name: str
    written: Marked
    body: Body
    notes: list[Note]


class Reader(Parts, kw_only=True):
    """What can be read in a body under work; `uses` are those of the blocks around it.

    In a block, what is not found may be in the model's own list: it is `unsettled`.
    """

    uses: list[Note]
    unsettled: list[Unsettled]
    nothing_above: str = "the model has no input; write 'input: [28, 28, 1]', its shape"

    def found(self, name: str) -> str | None:
        return name if name in self.body.inputs else self.body.found(name)

    def elsewhere(self, name: str, written: Marked) -> str | None:
        if self.body.block is None or name == "input":  # a block does not read the model's input
            return None
        self.unsettled.append(Unsettled(name, written, self.body, self.uses[::-1]))
        return ROOT + name

    def choices(self) -> Iterable[str]:
        return chain(self.body.inputs, self.body.choices())

    def call_again(self, waiting: dict[str, Entry]) -> None:
        """Make known what these second calls call, by their names; that may be one of them.

        Raises:
            SpecError: there is no such layer or block.
        """
        copies = Extent()
        for first in list(waiting):
            name, path = first, {}
            while name in waiting:
                path[name] = waiting.pop(name)
                name = str(path[name].label)
            if name in path and not (self.around and path[name].label == name):
                told = " calls ".join(f"'{each}'" for each in (*path, name))
                raise SpecError(f"second calls without a first: {told}", path[name])
            for again, entry in path.items():
                part = self.part(name, entry)
                times = 1 if isinstance(part, Call) else len(part)
                copies += Extent(layers=1).copied(times, len(again) * times)
                demand_few(copies, entry)
                self.body.add(again, called_by(again, part))

    def steps(
        self,
        entries: Sequence[Entry],
        names: Sequence[str],
        layers: Sequence[LayerKind | None],
        scope: Scope,
    ) -> Iterator[Node | Use]:
        """What each entry is, with what it reads.

        Raises:
            SpecError: it reads what there is not.
        """
        inputs = len(list(takewhile(is_input, entries)))
        block = self.body.block
        above = self.body.inputs[0] if len(self.body.inputs) == 1 else None
        if inputs or block:
            whose = f"the block '{block.name}'" if block else "the model"
            self.nothing_above = f"{whose} has several inputs; {READ_BY_NAME}"
        for entry, name, layer in zip(entries, names, layers, strict=True):
            if layer is not None:
                reads, call, mask = wires(entry, above, self)
                loans = tuple(self.loans(layer)) if layer.wraps or layer.model else ()
                yield Node(name, layer, reads, entry, call, mask=mask, loans=loans)
            else:
                yield self.step(entry, name, above, scope)
            above = None if inputs > 1 and is_input(entry) else self.body.outputs[name]

    def step(self, entry: Entry, name: str, above: str | None, scope: Scope) -> Node | Use:
        """What an entry is that calls a block, or something again."""
        part = self.body.parts[name]
        if not isinstance(part, Call):
            body = part[0].body
            assert body.block
            if isinstance(entry, Reuse):
                demand_no_arguments(entry, body.block.name)
            given = given_to_block(
                entry, f"the block '{body.block.name}'", body.inputs, above, self
            )
            return Use(name, entry, part, given)
        kind = type(part.layer)
        reads, call, mask = wires(replace(entry, kind=kind), above, self)
        called = called_with(entry, part.layer, scope)
        is_lent = part.loans or part.name.startswith(OUTSIDE)
        loans = tuple(self.lent_inside(part, entry)) if is_lent else ()
        return Node(name, called, reads, entry, call, part.name, mask=mask, loans=loans)


def is_input(entry: Entry) -> bool:
    """Whether this is one of the model's inputs."""
    return type(entry) is Entry and entry.label is not None


def called_by(name: str, part: Call | Sequence[Copy]) -> Call | Sequence[Copy]:
    """What is called again by a name."""
    if isinstance(part, Call):
        return part
    names = [name] if len(part) == 1 else [f"{name}_{number}" for number in range(len(part))]
    return [
        Copy(again, copy.body, copy.owner or copy.name)
        for again, copy in zip(names, part, strict=True)
    ]


def demand_no_arguments(entry: Entry, block: str) -> None:
    """Raise SpecError where a block that is called again is given other values."""
    for name, (word, _) in entry.arguments.items():
        if name not in OF_A_CALL:
            raise SpecError(f"a second call of the block '{block}' has no '{name}'", word)


def called_with(entry: Entry, layer: LayerKind, scope: Scope) -> LayerKind:
    """A layer as it is when it is called with the arguments of an entry."""
    written = {name: pair for name, pair in entry.arguments.items() if name not in OF_A_CALL}
    if not written and not layer.of_call:
        return layer
    kind = type(layer)
    of_call = some_arguments(kind, kind.of_call)
    call = Entry(*entry.where, of_call, written, f"a call of {kind.__name__}")
    values = {name: value.plain() for name, (_, value) in written.items()}
    return replace(layer, **asdict(decoded(call, values, scope)))
