"""The body of a model or a block: its calls of layers and blocks, decoded and wired.

The names in a body hold within it; `expand_blocks` makes them names of the whole model. A name that
starts with `/` means a layer in the model's own list, outside the block; with `//`, a layer of the
model around a nested one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from dense_calc.call_inputs import CallInput
from dense_calc.errors import Place
from dense_calc.layers.base import LayerKind
from dense_calc.model import LentLayer, Node
from dense_calc.spec_language.entries import BlockDefinition, SpecEntry
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent
from dense_calc.symbolic.state import is_symbolic
from dense_calc.tracing.lent_layers import OUTER_PREFIX

ROOT_PREFIX = "/"
_MAX_NUMBER_DIGITS = 6  # of the number of a copy
_LayerFactory = Callable[[Place | None], LayerKind]  # takes the place of the call, for errors


class FirstCall(Struct, gc=False):
    """The first call of a layer; `lent_layers` are inside the layer but belong to other layers."""

    name: str
    layer: LayerKind
    lent_layers: tuple[LentLayer, ...] = ()


class BlockCopy(Struct, gc=False):
    """One copy of a block, under its name in the body that uses the block.

    In a second call, `owner_name` is the name of the copy in the first call. `count` is the number
    of copies that it stands for.
    """

    name: str
    body: Body
    owner_name: str | None = None
    count: int = 1


def count_name_characters(names: Sequence[str], count: int | None) -> int:
    """The characters of the names of so many copies, or the most there may be."""
    if is_symbolic(count):
        return (count or 1) * (len(names[-1]) + _MAX_NUMBER_DIGITS)
    return sum(map(len, names))


class BlockCall(Struct):
    """A use of a block: a row of copies, each of which reads the copy before it.

    `block_inputs` maps the inputs of the block to what the first copy reads.
    """

    name: str
    entry: SpecEntry
    copies: Sequence[BlockCopy]
    block_inputs: Mapping[str, CallInput]

    @property
    def block(self) -> BlockDefinition:
        """The definition of the block."""
        block = self.copies[0].body.block
        assert block
        return block

    @property
    def extent(self) -> Extent:
        """The extent of all copies."""
        extent = Extent()
        for _, run in groupby(self.copies, lambda copy: id(copy.body)):
            copies = list(run)
            times = sum(copy.count for copy in copies)
            characters = count_name_characters([copy.name for copy in copies], times)
            names = characters + times * len(ROOT_PREFIX)
            extent += copies[0].body.extent.scale_to_copies(times, names) + Extent(copies=times)
        return extent


class Body(Struct):
    """A list of layers decoded in a scope: that of `block`, or the model's own if that is None.

    `outputs` maps names to the nodes whose outputs they mean, `callables` maps them to layers and
    blocks that can be called again. `pending_plans` decodes the layers that are or hold models and
    are not decoded yet. `extent` counts the nodes with those of all copies of blocks.
    `depends_on_index` is true if the body differs from copy to copy.
    """

    block: BlockDefinition | None
    inputs: tuple[str, ...]
    scope: Scope
    steps: list[Node | BlockCall] = []
    outputs: dict[str, str] = {}
    callables: dict[str, FirstCall | Sequence[BlockCopy]] = {}
    pending_plans: dict[str, _LayerFactory] = {}
    extent: Extent = Extent()
    depends_on_index: bool = False

    @property
    def output_node(self) -> str:
        """The node whose output is the output of the body: that of the last step."""
        return self.outputs[self.steps[-1].name]

    def find_node(self, path: str) -> str | None:
        """The node whose output this name means: `dense`, `encoder`, `encoder_3/attention`."""
        if path in self.outputs:
            return self.outputs[path]
        head, copy, rest = self._enter_copy(path)
        inner = copy and copy.body.find_node(rest)
        return f"{head}/{inner}" if inner else None

    def readable_names(self) -> Iterator[str]:
        """The names that a layer here can read, those in copies of blocks last."""
        yield from self.outputs
        for part in self.callables.values():
            if not isinstance(part, FirstCall) and len(part) == 1:
                yield from (f"{part[0].name}/{name}" for name in part[0].body.outputs)

    def first_call(self, name: str) -> FirstCall:
        """The first call of the layer that has this name here."""
        call = self.callables[name]
        assert isinstance(call, FirstCall)
        return call

    def find_callable(self, path: str) -> FirstCall | Sequence[BlockCopy] | None:
        """The layer or copies of a block that this name can call again, None if there are none."""
        if path in self.callables:
            return self.callables[path]
        head, copy, rest = self._enter_copy(path)
        inner = copy.body.find_callable(rest) if copy else None
        if copy is None or inner is None:
            return None
        first = copy.owner_name or head  # the copy in the first call
        if isinstance(inner, FirstCall):
            inner_lent = inner.lent_layers or copy.body._lent_layers_of(inner)
            lent = [
                LentLayer(each.path, self.outer_name(each.holder, first)) for each in inner_lent
            ]
            return FirstCall(self.outer_name(inner.name, first), inner.layer, tuple(lent))
        return [
            BlockCopy(
                f"{head}/{each.name}",
                each.body,
                f"{first}/{each.owner_name or each.name}",
                each.count,
            )
            for each in inner
        ]

    def outer_name(self, name: str, copy: str) -> str:
        """The name here of a layer that has this name in a copy of a block."""
        if name.startswith(OUTER_PREFIX):
            return name
        if name.startswith(ROOT_PREFIX):
            return name if self.block else name.removeprefix(ROOT_PREFIX)
        return f"{copy}/{name}"

    def _lent_layers_of(self, call: FirstCall) -> tuple[LentLayer, ...]:
        """The layers inside a layer of the body that are called elsewhere."""
        if not call.layer.inner_layer_arguments and call.layer.model is None:
            return ()
        calls = (step for step in self.steps if isinstance(step, Node))
        return next((step.lent_layers for step in calls if step.name == call.name), ())

    def _enter_copy(self, path: str) -> tuple[str, BlockCopy | None, str]:
        """The first name of a path, the copy of a block that it means, and the rest of the path."""
        head, _, rest = path.partition("/")
        copies = self.callables.get(head) if rest else None
        if isinstance(copies, FirstCall) or copies is None or len(copies) > 1:
            return head, None, rest
        return head, copies[0], rest

    def add_callable(self, name: str, callee: FirstCall | Sequence[BlockCopy]) -> None:
        """Add a layer or copies of a block under a name, with their output."""
        self.callables[name] = callee
        if isinstance(callee, FirstCall):
            self.outputs[name] = name
        else:
            last = callee[-1]
            self.outputs[name] = f"{last.name}/{last.body.output_node}"
