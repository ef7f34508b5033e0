"""Second calls in a body, and the inputs of its layers and blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from dense_calc.errors import Note, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.mistakes import current_mistakes, keep_mistake
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
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.spec_size import Extent, demand_small_extent
from dense_calc.spec_language.stand_ins import StandInLayer, UnwiredLayer
from dense_calc.spec_language.wiring import wire_block, wire_layer
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.lent_layers import OUTER_PREFIX

_READ_BY_NAME_HINT = "name the one that this layer reads: 'from: name'"


class UnresolvedName(Struct):
    """A name in a block for a layer outside it, to look up when all layers are known."""

    name: str
    yaml_node: YamlNode
    body: Body
    notes: list[Note]


class BodyReader(CallableLookup, kw_only=True):
    """The names that a body in work can read and call; `use_notes` show the uses of its blocks.

    A name that a block does not have may be in the model's own list: it goes to
    `unresolved_names`. `scope` is that of the entry in work: each copy in a run has its own.
    """

    use_notes: list[Note]
    unresolved_names: list[UnresolvedName]
    scope: Scope
    no_input_message: str = "the model has no input; write 'input: [28, 28, 1]', its shape"

    def find_node(self, name: str) -> str | None:
        return name if name in self.body.inputs else self.body.find_node(name)

    def find_outside(self, name: str, written: YamlNode) -> str | None:
        if self.body.block is None or name == "input":  # a block does not read the model's input
            return None
        self.unresolved_names.append(UnresolvedName(name, written, self.body, self.use_notes[::-1]))
        return ROOT_PREFIX + name

    def evaluate_constants(self, written: YamlNode) -> Any:
        """The plain value of a constant; a word is a layer if one has that name, else a var.

        Raises:
            SpecError: an expression has no value.
        """
        value = written.value
        if isinstance(value, list):
            return [self.evaluate_constants(item) for item in value]
        if isinstance(value, dict):
            return {name: self.evaluate_constants(item) for name, (_, item) in value.items()}
        if not self.scope.is_expression(value) or self.find_node(value) is not None:
            return value
        from dense_calc.symbolic.symbolic_number import demand_plain  # as for expressions

        try:
            return demand_plain(self.scope.evaluate(value))
        except ExpressionError as error:
            raise SpecError(str(error), written) from None

    def readable_names(self) -> Iterable[str]:
        return chain(self.body.inputs, self.body.readable_names())

    def add_second_calls(self, waiting: dict[str, SpecEntry]) -> None:
        """Add what these second calls call, under their names; one may call another.

        Raises:
            SpecError: there is no such layer or block.
        """
        copies = Extent()
        for start in sorted(waiting, key=lambda name: "/" in str(waiting[name].label)):
            name, path = start, {}
            while name in waiting:
                path[name] = waiting.pop(name)
                name = str(path[name].label)
            if name in path and not (self.outer and path[name].label == name):
                chain_of_calls = " calls ".join(f"'{each}'" for each in (*path, name))
                raise SpecError(f"'reuse' goes in a circle: {chain_of_calls}", path[name])
            for call_name, entry in path.items():
                callee = self._callee_or_stand_in(name, entry)
                times = 1 if isinstance(callee, FirstCall) else len(callee)
                copies += Extent(layers=1).scale_to_copies(times, len(call_name) * times)
                demand_small_extent(copies, entry)
                self.body.add_callable(call_name, _rename_callable(call_name, callee))

    def _callee_or_stand_in(self, name: str, entry: SpecEntry) -> FirstCall | Sequence[BlockCopy]:
        """The layer or block that a second call means; one that stands for it after a mistake."""
        mistakes = current_mistakes()
        if entry.is_misread:
            return FirstCall(name, UnwiredLayer())
        try:
            if mistakes and mistakes.has_unknown_names:  # to look for names like it takes a while
                return self.find_callable(name, entry) or FirstCall(name, UnwiredLayer())
            return self.get_callable(name, entry)
        except SpecError as error:
            keep_mistake(error, needs_names=True)
        entry.is_misread = True
        return FirstCall(name, UnwiredLayer())

    def read_steps(
        self,
        scoped_entries: Sequence[tuple[SpecEntry, Scope]],
        names: Sequence[str],
        layers: Sequence[LayerKind | None],
    ) -> Iterator[Node | BlockCall]:
        """The node or block call of each entry with a scope, with its inputs.

        Raises:
            SpecError: there is no layer of a name that an entry reads.
        """
        inputs = len(list(takewhile(_is_input_entry, (entry for entry, _ in scoped_entries))))
        block = self.body.block
        above = self.body.inputs[0] if len(self.body.inputs) == 1 else None
        if inputs or block:
            whose = f"the block '{block.name}'" if block else "the model"
            self.no_input_message = f"{whose} has several inputs; {_READ_BY_NAME_HINT}"
        for (entry, self.scope), name, layer in zip(scoped_entries, names, layers, strict=True):
            if not entry.is_misread:
                try:
                    yield (
                        self._read_call_step(entry, name, above)
                        if layer is None
                        else self._read_layer_step(entry, name, layer, above)
                    )
                except SpecError as error:
                    keep_mistake(error, needs_names=True)
                    entry.is_misread = True
            if entry.is_misread:
                yield from self._stand_in_steps(entry, name)
            above = None if inputs > 1 and _is_input_entry(entry) else self.body.outputs[name]

    def _stand_in_steps(self, entry: SpecEntry, name: str) -> Iterator[Node | BlockCall]:
        """What stands for an entry of which the inputs are not known."""
        callee = self.body.callables[name]
        if isinstance(callee, FirstCall):
            self.body.outputs[name] = name
            yield Node(name, UnwiredLayer(), (), entry)
            return
        unknown = f"{name}?"
        yield Node(unknown, UnwiredLayer(), (), entry)
        yield BlockCall(name, entry, callee, dict.fromkeys(callee[0].body.inputs, unknown))

    def _read_layer_step(
        self, entry: SpecEntry, name: str, layer: LayerKind, above: str | None
    ) -> Node:
        """The node of an entry that is a layer."""
        reads, call, mask = wire_layer(entry, above, self)
        can_hold = layer.inner_layer_arguments or layer.model
        lent = tuple(self.lent_layers_in(layer)) if can_hold else ()
        return Node(name, layer, reads, entry, call, mask=mask, lent_layers=lent)

    def _read_call_step(self, entry: SpecEntry, name: str, above: str | None) -> Node | BlockCall:
        """The node or block call of an entry that uses a block, or is a second call."""
        callee = self.body.callables[name]
        if isinstance(callee, FirstCall) and isinstance(callee.layer, UnwiredLayer):
            return Node(name, callee.layer, (), entry)
        if not isinstance(callee, FirstCall):
            body = callee[0].body
            assert body.block
            if isinstance(entry, ReuseEntry):
                _demand_no_block_arguments(entry, body.block.name)
            inputs = wire_block(entry, f"the block '{body.block.name}'", body.inputs, above, self)
            return BlockCall(name, entry, callee, inputs)
        kind = type(callee.layer)
        reads, call, mask = wire_layer(replace(entry, kind=kind), above, self)
        layer = callee.layer
        if not isinstance(layer, StandInLayer):
            layer = apply_call_arguments(entry, layer, self.scope)
        is_lent = callee.lent_layers or callee.name.startswith(OUTER_PREFIX)
        lent = tuple(self.lent_layers_inside(callee, entry)) if is_lent else ()
        return Node(name, layer, reads, entry, call, callee.name, mask=mask, lent_layers=lent)


def _is_input_entry(entry: SpecEntry) -> bool:
    """Whether an entry is an input of the model."""
    return type(entry) is SpecEntry and entry.label is not None


def _rename_callable(
    name: str, callee: FirstCall | Sequence[BlockCopy]
) -> FirstCall | Sequence[BlockCopy]:
    """A layer, or the copies of a block under the names that they have in a second call."""
    if isinstance(callee, FirstCall):
        return callee
    names = [name] if len(callee) == 1 else [f"{name}_{number}" for number in range(len(callee))]
    return [
        BlockCopy(copy_name, copy.body, copy.owner_name or copy.name, copy.count)
        for copy_name, copy in zip(names, callee, strict=True)
    ]


def _demand_no_block_arguments(entry: SpecEntry, block: str) -> None:
    """Raise SpecError where a second call of a block passes values for its parameters."""
    for name, (word, _) in entry.arguments.items():
        if name not in CALL_KEYS:
            raise SpecError(f"a second call of the block '{block}' has no '{name}'", word)


def apply_call_arguments(entry: SpecEntry, layer: LayerKind, scope: Scope) -> LayerKind:
    """A layer with the call arguments that an entry states."""
    written = {name: pair for name, pair in entry.arguments.items() if name not in CALL_KEYS}
    if not written and not layer.call_arguments:
        return layer
    kind = type(layer)
    of_call = argument_subset_type(kind, kind.call_arguments)
    call = SpecEntry(*entry.coordinates, of_call, written, f"a call of {kind.__name__}")
    values = {name: value.plain_value() for name, (_, value) in written.items()}
    return replace(layer, **asdict(decode_arguments(call, values, scope)))
