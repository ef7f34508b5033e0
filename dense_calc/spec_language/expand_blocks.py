"""Bodies → nodes: each copy of a block in full, with names that hold in the whole model."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import Note, Place, SpecError
from dense_calc.model import Block, Given, Loan, Node, Output, names_in
from dense_calc.spec_language.bodies import ROOT, Body, Copy, Use
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent, demand_few
from dense_calc.tracing.lent_layers import OUTSIDE, holds_model


class Room(Struct, gc=False):
    """Where a copy of a block stands: what comes before its names, and before its first call's.

    `given` has what its inputs are; `notes` say what uses it, from the inside out.
    """

    prefix: str = ""
    owner: str | None = None
    given: Mapping[str, Given] = {}
    notes: tuple[Note, ...] = ()


class Flat:
    """The nodes and the uses of blocks of a model, from the body that is its own list of layers.

    `scopes` has for each node the names with which its layer was made.
    """

    def __init__(self, model: Body) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.scopes: list[Scope] = []
        self.blocks: list[Block] = []
        self.spread = Extent()  # of the nests that inputs of blocks are given, each time
        outside = Room()
        for step in model.steps:
            if isinstance(step, Node):
                self.nodes.append(step)
                self.scopes.append(model.scope)
            else:
                self.use(step, outside)
        self.nodes = with_first_calls(self.nodes)

    def use(self, use: Use, room: Room) -> None:
        """Add the copies of a block that is used in a room."""
        notes = (Note(f"block '{use.block.name}' is used here", use.entry), *room.notes)
        given = {name: self.known(each, room, use.entry) for name, each in use.given.items()}
        first = next(iter(given))
        for copy in use.copies:
            prefix = f"{room.prefix}{copy.name}/"
            inner = Room(prefix, owner_of(copy, room), given, notes)
            for step in copy.body.steps:
                if isinstance(step, Node):
                    self.nodes.append(self.node(step, inner))
                    self.scopes.append(copy.body.scope)
                else:
                    self.use(step, inner)
            output = prefix + copy.body.output
            given = {**given, first: following(given[first], output)}
        copies = tuple([room.prefix + copy.name for copy in use.copies])
        self.blocks.append(Block(room.prefix + use.name, use.block.name, copies, output))

    def node(self, node: Node, room: Room) -> Node:
        """A node of a body under its name in the model."""
        call: tuple[Given, ...] | None = tuple(
            [self.known(each, room, node.place) for each in node.call or node.inputs]
        )
        reads = tuple([name for each in call or () for name in names_in(each)])
        mask = self.known(node.mask, room, node.place)
        reads += tuple(names_in(mask))
        return Node(
            room.prefix + node.name,
            node.layer,
            reads,
            node.place,
            None if call == reads else call,
            self.shared(node, room),
            room.notes,
            mask=mask,
            loans=self.loans(node, room) if node.loans else (),
        )

    def loans(self, node: Node, room: Room) -> tuple[Loan, ...]:
        """The layers inside that of a node that the model calls elsewhere."""
        return tuple([Loan(each.path, self.holder(each.holder, room)) for each in node.loans])

    def shared(self, node: Node, room: Room) -> str | None:
        """The first call of the layer of a node, None if this is it."""
        if node.shares is None:
            return room.owner and room.owner + node.name
        return self.holder(node.shares, room)

    def holder(self, name: str, room: Room) -> str:
        """The first call of a layer, by the names of the model."""
        if name.startswith(OUTSIDE):
            return name
        if name.startswith(ROOT):
            return name.removeprefix(ROOT)
        return (room.owner or room.prefix) + name

    def known(self, what: Given, room: Room, place: Place | None) -> Given:
        """What an input is given, by the names of the model."""
        match what:
            case str() if what in room.given:
                return self.counted(room.given[what], room, place)
            case str() if what.startswith(ROOT):
                return self.model.found(what.removeprefix(ROOT))
            case str():
                return room.prefix + what
            case Output(name, steps):
                return part_of(self.known(name, room, place), name, steps, room, place)
            case tuple():
                return tuple([self.known(each, room, place) for each in what])
            case dict():
                return {name: self.known(each, room, place) for name, each in what.items()}
        return what

    def counted(self, given: Given, room: Room, place: Place | None) -> Given:
        """What an input of a block is given; each layer that reads a nest reads all that is in it.

        Raises:
            SpecError: that makes too many connections.
        """
        if not isinstance(given, str):
            self.spread += Extent(connections=len(list(names_in(given))))
            demand_few(self.spread, place, room.notes)
        return given


def with_first_calls(nodes: list[Node]) -> list[Node]:
    """The nodes; of what another model holds the first call has it lent, and others share that."""
    if not any(node.shares for node in nodes):
        return nodes
    named = {node.name: node for node in nodes}
    firsts: dict[str, str] = {}
    whole = list(nodes)
    for place, node in enumerate(nodes):
        if not node.shares:
            continue
        if node.shares in named:
            if holds_model(node.layer):  # which may have been planned since
                whole[place] = replace(node, layer=named[node.shares].layer)
            continue
        first = firsts.setdefault(node.shares, node.name)
        if first == node.name:
            loans = (Loan((), node.shares), *node.loans)
            whole[place] = replace(node, shares=None, loans=loans)
        else:
            whole[place] = replace(node, shares=first, loans=())
    return whole


def owner_of(copy: Copy, room: Room) -> str | None:
    """What comes before the names of a copy's first call, None if this is it."""
    if copy.owner is not None:
        return f"{room.owner or room.prefix}{copy.owner}/"
    return room.owner and f"{room.owner}{copy.name}/"


def following(given: Given, output: str) -> Given:
    """What the first input of a copy is: what the copy before gives, in place of what it had."""
    match given:
        case tuple((_, *others)):
            return (output, *others)
        case dict():
            return {**given, next(iter(given)): output}
    return output


def part_of(
    given: Given, name: str, steps: tuple[int | str, ...], room: Room, place: Place | None
) -> Given:
    """One of the things that an input is given: `input[1]`; else one output of a layer.

    Raises:
        SpecError: the input has no such part.
    """
    for number, step in enumerate(steps):
        match given:
            case str():
                return Output(given, steps[number:])
            case Output():
                return Output(given.name, given.steps + steps[number:])
            case tuple() if isinstance(step, int) and step < len(given):
                given = given[step]
            case dict() if step in given:
                given = given[step]
            case _:
                has = " and ".join(given) if isinstance(given, dict) else len(list(names_in(given)))
                raise SpecError(f"'{name}' has no [{step}]; it is given {has}", place, room.notes)
    return given
