"""Bodies → nodes: each copy of a block in full, with names that hold in the whole model."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.call_inputs import CallInput, CallLeaf, OutputPath, layer_names_in, map_call_input
from dense_calc.errors import Note, Place, SpecError
from dense_calc.model import LentLayer, ModelBlock, Node
from dense_calc.spec_language.bodies import ROOT_PREFIX, BlockCall, BlockCopy, Body
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent, demand_small_extent
from dense_calc.tracing.lent_layers import OUTER_PREFIX, holds_model


class _BlockNamespace(Struct, gc=False):
    """Where a copy of a block stands: what comes before its names, and before its first call's.

    `given` has what its inputs are; `notes` say what uses it, from the inside out.
    """

    prefix: str = ""
    owner_prefix: str | None = None
    block_inputs: Mapping[str, CallInput] = {}
    notes: tuple[Note, ...] = ()


class ExpandedModel:
    """The nodes and the uses of blocks of a model, from the body that is its own list of layers.

    `scopes` has for each node the names with which its layer was made.
    """

    def __init__(self, model: Body) -> None:
        self.model_body = model
        self.nodes: list[Node] = []
        self.scopes: list[Scope] = []
        self.blocks: list[ModelBlock] = []
        self.nested_extent = Extent()  # of the nests that inputs of blocks are given, each time
        outside = _BlockNamespace()
        for step in model.steps:
            if isinstance(step, Node):
                self.nodes.append(step)
                self.scopes.append(model.scope)
            else:
                self.add_block_call(step, outside)
        self.nodes = _lend_first_calls(self.nodes)

    def add_block_call(self, use: BlockCall, room: _BlockNamespace) -> None:
        """Add the copies of a block that is used in a room."""
        notes = (Note(f"block '{use.block.name}' is used here", use.entry), *room.notes)
        given = {
            name: self.resolve_call_input(each, room, use.entry)
            for name, each in use.block_inputs.items()
        }
        first = next(iter(given))
        for copy in use.copies:
            prefix = f"{room.prefix}{copy.name}/"
            inner = _BlockNamespace(prefix, _owner_prefix_of(copy, room), given, notes)
            for step in copy.body.steps:
                if isinstance(step, Node):
                    self.nodes.append(self.expand_node(step, inner))
                    self.scopes.append(copy.body.scope)
                else:
                    self.add_block_call(step, inner)
            output = prefix + copy.body.output_node
            given = {**given, first: _next_copy_input(given[first], output)}
        copies = tuple([room.prefix + copy.name for copy in use.copies])
        self.blocks.append(ModelBlock(room.prefix + use.name, use.block.name, copies, output))

    def expand_node(self, node: Node, room: _BlockNamespace) -> Node:
        """A node of a body under its name in the model."""
        call: tuple[CallInput, ...] | None = tuple(
            [
                self.resolve_call_input(each, room, node.place)
                for each in node.call_inputs or node.inputs
            ]
        )
        reads = tuple([name for each in call or () for name in layer_names_in(each)])
        mask = self.resolve_call_input(node.mask, room, node.place)
        reads += tuple(layer_names_in(mask))
        return Node(
            room.prefix + node.name,
            node.layer,
            reads,
            node.place,
            None if call == reads else call,
            self.resolve_first_call(node, room),
            room.notes,
            mask=mask,
            lent_layers=self.resolve_lent_layers(node, room) if node.lent_layers else (),
        )

    def resolve_lent_layers(self, node: Node, room: _BlockNamespace) -> tuple[LentLayer, ...]:
        """The layers inside that of a node that the model calls elsewhere."""
        return tuple(
            [
                LentLayer(each.path, self.resolve_holder(each.holder, room))
                for each in node.lent_layers
            ]
        )

    def resolve_first_call(self, node: Node, room: _BlockNamespace) -> str | None:
        """The first call of the layer of a node, None if this is it."""
        if node.first_call is None:
            return room.owner_prefix and room.owner_prefix + node.name
        return self.resolve_holder(node.first_call, room)

    def resolve_holder(self, name: str, room: _BlockNamespace) -> str:
        """The first call of a layer, by the names of the model."""
        if name.startswith(OUTER_PREFIX):
            return name
        if name.startswith(ROOT_PREFIX):
            return name.removeprefix(ROOT_PREFIX)
        return (room.owner_prefix or room.prefix) + name

    def resolve_call_input(
        self, what: CallInput, room: _BlockNamespace, place: Place | None
    ) -> CallInput:
        """An input of a call in a block, by the names of the model."""
        resolved: CallInput = map_call_input(
            what, lambda leaf: self.resolve_leaf(leaf, room, place)
        )
        return resolved

    def resolve_leaf(self, what: CallLeaf, room: _BlockNamespace, place: Place | None) -> CallInput:
        """What a call in a block reads, by the names of the model."""
        match what:
            case str() if what in room.block_inputs:
                return self.count_connections(room.block_inputs[what], room, place)
            case str() if what.startswith(ROOT_PREFIX):
                return self.model_body.find_node(what.removeprefix(ROOT_PREFIX))
            case str():
                return room.prefix + what
            case OutputPath(name, steps):
                return _select_input_part(
                    self.resolve_leaf(name, room, place), name, steps, room, place
                )
        return what

    def count_connections(
        self, given: CallInput, room: _BlockNamespace, place: Place | None
    ) -> CallInput:
        """What an input of a block is given; each layer that reads a nest reads all that is in it.

        Raises:
            SpecError: that makes too many connections.
        """
        if not isinstance(given, str):
            self.nested_extent += Extent(connections=len(list(layer_names_in(given))))
            demand_small_extent(self.nested_extent, place, room.notes)
        return given


def _lend_first_calls(nodes: list[Node]) -> list[Node]:
    """The nodes; of what another model holds the first call has it lent, and others share that."""
    if not any(node.first_call for node in nodes):
        return nodes
    named = {node.name: node for node in nodes}
    firsts: dict[str, str] = {}
    whole = list(nodes)
    for place, node in enumerate(nodes):
        if not node.first_call:
            continue
        if node.first_call in named:
            if holds_model(node.layer):  # which may have been planned since
                whole[place] = replace(node, layer=named[node.first_call].layer)
            continue
        first = firsts.setdefault(node.first_call, node.name)
        if first == node.name:
            loans = (LentLayer((), node.first_call), *node.lent_layers)
            whole[place] = replace(node, first_call=None, lent_layers=loans)
        else:
            whole[place] = replace(node, first_call=first, lent_layers=())
    return whole


def _owner_prefix_of(copy: BlockCopy, room: _BlockNamespace) -> str | None:
    """What comes before the names of a copy's first call, None if this is it."""
    if copy.owner_name is not None:
        return f"{room.owner_prefix or room.prefix}{copy.owner_name}/"
    return room.owner_prefix and f"{room.owner_prefix}{copy.name}/"


def _next_copy_input(given: CallInput, output: str) -> CallInput:
    """What the first input of a copy is: what the copy before gives, in place of what it had."""
    match given:
        case tuple((_, *others)):
            return (output, *others)
        case dict():
            return {**given, next(iter(given)): output}
    return output


def _select_input_part(
    given: CallInput,
    name: str,
    steps: tuple[int | str, ...],
    room: _BlockNamespace,
    place: Place | None,
) -> CallInput:
    """One of the things that an input is given: `input[1]`; else one output of a layer.

    Raises:
        SpecError: the input has no such part.
    """
    for number, step in enumerate(steps):
        match given:
            case str():
                return OutputPath(given, steps[number:])
            case OutputPath():
                return OutputPath(given.name, given.steps + steps[number:])
            case tuple() if isinstance(step, int) and step < len(given):
                given = given[step]
            case dict() if step in given:
                given = given[step]
            case _:
                has = (
                    " and ".join(given)
                    if isinstance(given, dict)
                    else len(list(layer_names_in(given)))
                )
                raise SpecError(f"'{name}' has no [{step}]; it is given {has}", place, room.notes)
    return given
