"""What a list of layers is made into: calls of layers and uses of blocks, decoded and wired.

Names in a body are those within it: `flat` makes them names of the model. A name that starts with
a slash is found in the model's own list of layers, outside the block; one that starts with two, in
the model around.
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
from dense_calc.tracing.lent_layers import OUTER_PREFIX

ROOT_PREFIX = "/"
_LayerFactory = Callable[[Place | None], LayerKind]  # makes a layer for what stands at a place


class FirstCall(Struct, gc=False):
    """The first call of a layer; `loans` are layers inside one of a model that it does not hold."""

    name: str
    layer: LayerKind
    lent_layers: tuple[LentLayer, ...] = ()


class BlockCopy(Struct, gc=False):
    """One copy of a block, under its name in the body that uses the block.

    A copy that was called before has a name from then, too, its `owner`.
    """

    name: str
    body: Body
    owner_name: str | None = None


class BlockCall(Struct):
    """A use of a block: its copies, of which each reads the one before it.

    `given` has what each input of the first copy is.
    """

    name: str
    entry: SpecEntry
    copies: Sequence[BlockCopy]
    block_inputs: Mapping[str, CallInput]

    @property
    def block(self) -> BlockDefinition:
        """The block that is used."""
        block = self.copies[0].body.block
        assert block
        return block

    @property
    def extent(self) -> Extent:
        """That of all copies."""
        whole = Extent(copies=len(self.copies))
        for _, run in groupby(self.copies, lambda copy: id(copy.body)):
            copies = list(run)
            names = sum(len(copy.name) + len(ROOT_PREFIX) for copy in copies)
            whole += copies[0].body.extent.scale_to_copies(len(copies), names)
        return whole


class Body(Struct):
    """A list of layers in which everything is known, made with the names of a scope.

    `outputs` leads from names to the nodes whose outputs they mean, `parts` to what can be called
    again; `pending` plans the layers that are models, or hold some, where they are not. `extent` is
    that of the nodes with those of all copies; `asks_index` tells whether the body of a block
    differs from copy to copy.
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
        """The node whose output is that of the body: of the last thing in it."""
        return self.outputs[self.steps[-1].name]

    def find_node(self, path: str) -> str | None:
        """The node whose output this name means: `seen`, `encoder`, `encoder_3/attention`."""
        if path in self.outputs:
            return self.outputs[path]
        head, copy, rest = self.enter_copy(path)
        inner = copy and copy.body.find_node(rest)
        return f"{head}/{inner}" if inner else None

    def readable_names(self) -> Iterator[str]:
        """The names whose output can be read, those in copies of blocks last."""
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
        """What can be called again by this name."""
        if path in self.callables:
            return self.callables[path]
        head, copy, rest = self.enter_copy(path)
        inner = copy.body.find_callable(rest) if copy else None
        if copy is None or inner is None:
            return None
        first = (
            copy.owner_name or head
        )  # a copy that is itself called again leads to its first call
        if isinstance(inner, FirstCall):
            own = inner.lent_layers or copy.body.lent_layers_of(inner)
            loans = [LentLayer(each.path, self.outer_name(each.holder, first)) for each in own]
            return FirstCall(self.outer_name(inner.name, first), inner.layer, tuple(loans))
        return [
            BlockCopy(f"{head}/{each.name}", each.body, f"{first}/{each.owner_name or each.name}")
            for each in inner
        ]

    def outer_name(self, name: str, copy: str) -> str:
        """What a layer is called here that has this name in a copy."""
        if name.startswith(OUTER_PREFIX):
            return name
        if name.startswith(ROOT_PREFIX):
            return name if self.block else name.removeprefix(ROOT_PREFIX)
        return f"{copy}/{name}"

    def lent_layers_of(self, call: FirstCall) -> tuple[LentLayer, ...]:
        """The layers inside one of the body that are called elsewhere."""
        if not call.layer.inner_layer_arguments and call.layer.model is None:
            return ()
        calls = (step for step in self.steps if isinstance(step, Node))
        return next((step.lent_layers for step in calls if step.name == call.name), ())

    def enter_copy(self, path: str) -> tuple[str, BlockCopy | None, str]:
        """The copy that a path starts with, by its name, and the path within it."""
        head, _, rest = path.partition("/")
        copies = self.callables.get(head) if rest else None
        if isinstance(copies, FirstCall) or copies is None or len(copies) > 1:
            return head, None, rest
        return head, copies[0], rest

    def add_callable(self, name: str, part: FirstCall | Sequence[BlockCopy]) -> None:
        """Make a part known under a name, its output too."""
        self.callables[name] = part
        if isinstance(part, FirstCall):
            self.outputs[name] = name
        else:
            last = part[-1]
            self.outputs[name] = f"{last.name}/{last.body.output_node}"
