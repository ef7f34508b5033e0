"""What a list of layers is made into: calls of layers and uses of blocks, decoded and wired.

Names in a body are those within it: `flat` makes them names of the model. A name that starts with
a slash is found in the model's own list of layers, outside the block; one that starts with two, in
the model around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from dense_calc.errors import Place
from dense_calc.layers.base import LayerKind
from dense_calc.model import Given, Loan, Node
from dense_calc.spec_language.entries import Definition, Entry
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_size import Extent
from dense_calc.tracing.lent_layers import OUTSIDE

ROOT = "/"
Plan = Callable[[Place | None], LayerKind]  # makes a layer for what stands at a place


class Call(Struct, gc=False):
    """The first call of a layer; `loans` are layers inside one of a model that it does not hold."""

    name: str
    layer: LayerKind
    loans: tuple[Loan, ...] = ()


class Copy(Struct, gc=False):
    """One copy of a block, under its name in the body that uses the block.

    A copy that was called before has a name from then, too, its `owner`.
    """

    name: str
    body: Body
    owner: str | None = None


class Use(Struct):
    """A use of a block: its copies, of which each reads the one before it.

    `given` has what each input of the first copy is.
    """

    name: str
    entry: Entry
    copies: Sequence[Copy]
    given: Mapping[str, Given]

    @property
    def block(self) -> Definition:
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
            names = sum(len(copy.name) + len(ROOT) for copy in copies)
            whole += copies[0].body.extent.copied(len(copies), names)
        return whole


class Body(Struct):
    """A list of layers in which everything is known, made with the names of a scope.

    `outputs` leads from names to the nodes whose outputs they mean, `parts` to what can be called
    again; `pending` plans the layers that are models, or hold some, where they are not. `extent` is
    that of the nodes with those of all copies; `asks_index` tells whether the body of a block
    differs from copy to copy.
    """

    block: Definition | None
    inputs: tuple[str, ...]
    scope: Scope
    steps: list[Node | Use] = []
    outputs: dict[str, str] = {}
    parts: dict[str, Call | Sequence[Copy]] = {}
    pending: dict[str, Plan] = {}
    extent: Extent = Extent()
    asks_index: bool = False

    @property
    def output(self) -> str:
        """The node whose output is that of the body: of the last thing in it."""
        return self.outputs[self.steps[-1].name]

    def found(self, path: str) -> str | None:
        """The node whose output this name means: `seen`, `encoder`, `encoder_3/attention`."""
        if path in self.outputs:
            return self.outputs[path]
        head, copy, rest = self.entered(path)
        inner = copy and copy.body.found(rest)
        return f"{head}/{inner}" if inner else None

    def choices(self) -> Iterator[str]:
        """The names whose output can be read, those in copies of blocks last."""
        yield from self.outputs
        for part in self.parts.values():
            if not isinstance(part, Call) and len(part) == 1:
                yield from (f"{part[0].name}/{name}" for name in part[0].body.outputs)

    def call(self, name: str) -> Call:
        """The first call of the layer that has this name here."""
        call = self.parts[name]
        assert isinstance(call, Call)
        return call

    def part(self, path: str) -> Call | Sequence[Copy] | None:
        """What can be called again by this name."""
        if path in self.parts:
            return self.parts[path]
        head, copy, rest = self.entered(path)
        inner = copy.body.part(rest) if copy else None
        if copy is None or inner is None:
            return None
        first = copy.owner or head  # a copy that is itself called again leads to its first call
        if isinstance(inner, Call):
            own = inner.loans or copy.body.loans(inner)
            loans = [Loan(each.path, self.name_of(each.holder, first)) for each in own]
            return Call(self.name_of(inner.name, first), inner.layer, tuple(loans))
        return [
            Copy(f"{head}/{each.name}", each.body, f"{first}/{each.owner or each.name}")
            for each in inner
        ]

    def name_of(self, name: str, copy: str) -> str:
        """What a layer is called here that has this name in a copy."""
        if name.startswith(OUTSIDE):
            return name
        if name.startswith(ROOT):
            return name if self.block else name.removeprefix(ROOT)
        return f"{copy}/{name}"

    def loans(self, call: Call) -> tuple[Loan, ...]:
        """The layers inside one of the body that are called elsewhere."""
        if not call.layer.wraps and call.layer.model is None:
            return ()
        calls = (step for step in self.steps if isinstance(step, Node))
        return next((step.loans for step in calls if step.name == call.name), ())

    def entered(self, path: str) -> tuple[str, Copy | None, str]:
        """The copy that a path starts with, by its name, and the path within it."""
        head, _, rest = path.partition("/")
        copies = self.parts.get(head) if rest else None
        if isinstance(copies, Call) or copies is None or len(copies) > 1:
            return head, None, rest
        return head, copies[0], rest

    def add(self, name: str, part: Call | Sequence[Copy]) -> None:
        """Make a part known under a name, its output too."""
        self.parts[name] = part
        if isinstance(part, Call):
            self.outputs[name] = name
        else:
            last = part[-1]
            self.outputs[name] = f"{last.name}/{last.body.output}"
