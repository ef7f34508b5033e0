"""Within one body: what is called again, and what each layer and block reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile

from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.errors import Note, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.model import Node
from dense_calc.spec_language.bodies import ROOT_PREFIX, BlockCall, BlockCopy, Body, FirstCall
from dense_calc.spec_language.callables import CallableLookup
from dense_calc.spec_language.entries import ReuseEntry, SpecEntry
from dense_calc.spec_language.layer_arguments import (
    CALL_KEYS,
    argument_subset_type,
    decode_arguments,
)
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent, demand_small_extent
from dense_calc.spec_language.wiring import wire_block, wire_layer
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.lent_layers import OUTER_PREFIX

_READ_BY_NAME_HINT = "say which this layer reads: 'from: name'"


class UnresolvedName(Struct):
    """A name in a block that must be found outside it, once the model is whole."""

    name: str
    yaml_node: YamlNode
    body: Body
    notes: list[Note]


class BodyReader(CallableLookup, kw_only=True):
    """What can be read in a body under work; `uses` are those of the blocks around it.

    In a block, what is not found may be in the model's own list: it is `unsettled`.
    """

    use_notes: list[Note]
    unresolved_names: list[UnresolvedName]
    no_input_message: str = "the model has no input; write 'input: [28, 28, 1]', its shape"

    def find_node(self, name: str) -> str | None:
        return name if name in self.body.inputs else self.body.find_node(name)

    def find_outside(self, name: str, written: YamlNode) -> str | None:
        if self.body.block is None or name == "input":  # a block does not read the model's input
            return None
        self.unresolved_names.append(UnresolvedName(name, written, self.body, self.use_notes[::-1]))
        return ROOT_PREFIX + name

    def readable_names(self) -> Iterable[str]:
        return chain(self.body.inputs, self.body.readable_names())

    def add_second_calls(self, waiting: dict[str, SpecEntry]) -> None:
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
            if name in path and not (self.outer and path[name].label == name):
                told = " calls ".join(f"'{each}'" for each in (*path, name))
                raise SpecError(f"second calls without a first: {told}", path[name])
            for again, entry in path.items():
                part = self.get_callable(name, entry)
                times = 1 if isinstance(part, FirstCall) else len(part)
                copies += Extent(layers=1).scale_to_copies(times, len(again) * times)
                demand_small_extent(copies, entry)
                self.body.add_callable(again, _rename_callable(again, part))

    def read_steps(
        self,
        entries: Sequence[SpecEntry],
        names: Sequence[str],
        layers: Sequence[LayerKind | None],
        scope: Scope,
    ) -> Iterator[Node | BlockCall]:
        """What each entry is, with what it reads.

        Raises:
            SpecError: it reads what there is not.
        """
        inputs = len(list(takewhile(_is_input_entry, entries)))
        block = self.body.block
        above = self.body.inputs[0] if len(self.body.inputs) == 1 else None
        if inputs or block:
            whose = f"the block '{block.name}'" if block else "the model"
            self.no_input_message = f"{whose} has several inputs; {_READ_BY_NAME_HINT}"
        for entry, name, layer in zip(entries, names, layers, strict=True):
            if layer is not None:
                reads, call, mask = wire_layer(entry, above, self)
                loans = (
                    tuple(self.lent_layers_in(layer))
                    if layer.inner_layer_arguments or layer.model
                    else ()
                )
                yield Node(name, layer, reads, entry, call, mask=mask, lent_layers=loans)
            else:
                yield self.read_call_step(entry, name, above, scope)
            above = None if inputs > 1 and _is_input_entry(entry) else self.body.outputs[name]

    def read_call_step(
        self, entry: SpecEntry, name: str, above: str | None, scope: Scope
    ) -> Node | BlockCall:
        """What an entry is that calls a block, or something again."""
        part = self.body.callables[name]
        if not isinstance(part, FirstCall):
            body = part[0].body
            assert body.block
            if isinstance(entry, ReuseEntry):
                _demand_no_block_arguments(entry, body.block.name)
            given = wire_block(entry, f"the block '{body.block.name}'", body.inputs, above, self)
            return BlockCall(name, entry, part, given)
        kind = type(part.layer)
        reads, call, mask = wire_layer(replace(entry, kind=kind), above, self)
        called = apply_call_arguments(entry, part.layer, scope)
        is_lent = part.lent_layers or part.name.startswith(OUTER_PREFIX)
        loans = tuple(self.lent_layers_inside(part, entry)) if is_lent else ()
        return Node(name, called, reads, entry, call, part.name, mask=mask, lent_layers=loans)


def _is_input_entry(entry: SpecEntry) -> bool:
    """Whether this is one of the model's inputs."""
    return type(entry) is SpecEntry and entry.label is not None


def _rename_callable(
    name: str, part: FirstCall | Sequence[BlockCopy]
) -> FirstCall | Sequence[BlockCopy]:
    """What is called again by a name."""
    if isinstance(part, FirstCall):
        return part
    names = [name] if len(part) == 1 else [f"{name}_{number}" for number in range(len(part))]
    return [
        BlockCopy(again, copy.body, copy.owner_name or copy.name)
        for again, copy in zip(names, part, strict=True)
    ]


def _demand_no_block_arguments(entry: SpecEntry, block: str) -> None:
    """Raise SpecError where a block that is called again is given other values."""
    for name, (word, _) in entry.arguments.items():
        if name not in CALL_KEYS:
            raise SpecError(f"a second call of the block '{block}' has no '{name}'", word)


def apply_call_arguments(entry: SpecEntry, layer: LayerKind, scope: Scope) -> LayerKind:
    """A layer as it is when it is called with the arguments of an entry."""
    written = {name: pair for name, pair in entry.arguments.items() if name not in CALL_KEYS}
    if not written and not layer.call_arguments:
        return layer
    kind = type(layer)
    of_call = argument_subset_type(kind, kind.call_arguments)
    call = SpecEntry(*entry.coordinates, of_call, written, f"a call of {kind.__name__}")
    values = {name: value.plain_value() for name, (_, value) in written.items()}
    return replace(layer, **asdict(decode_arguments(call, values, scope)))
