"""A model as every room of dense-calc knows it: a graph of layer calls, in Keras' order.

Specs and Keras files are read into a `Model`; tracing follows the shapes through it. A model of
an input and two layers, of which the second reads the first, is::

    Model(
        name="mlp",
        nodes=(
            Node("input", InputLayer(shape=(784,)), inputs=()),
            Node("hidden", Dense(units=32), inputs=("input",)),
            Node("logits", Dense(units=10), inputs=("hidden",)),
        ),
        inputs=("input",),
        outputs=(ModelOutput("logits"),),
    )
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any, Literal

from msgspec import Struct

from dense_calc.call_inputs import CallInput, OutputIndex, OutputPath, format_call_input
from dense_calc.dtypes import Dtypes
from dense_calc.errors import Note, Place
from dense_calc.gaps import Gap
from dense_calc.layers.base import LayerKind
from dense_calc.limits import Limit
from dense_calc.shapes import Shapes, UnknownShape
from dense_calc.symbolic.state import is_symbolic


class RecordedOutput(Struct, frozen=True):
    """The output of a call as its Keras file records it.

    It was true when the file was saved, and holds as long as the tensors that the call `reads`
    have the shapes that are recorded for them.
    """

    reads: tuple[tuple[OutputIndex, Shapes], ...]
    shape: Shapes
    dtype: Dtypes = None


class LentLayer(Struct, frozen=True):
    """A layer inside another layer that the model calls elsewhere, too, so that both share it.

    `path` leads to it by arguments and by nodes of models inside: ("layer",) in a TimeDistributed.
    `holder` names the node that has its weights.
    """

    path: tuple[str, ...]
    holder: str


class Node(Struct, frozen=True):
    """One call of a layer. A layer that is called three times is the layer of three nodes.

    `name` is unique in the model. `layer` has the arguments of the layer, `place` is where the
    call is written.

    `inputs` are the names of the nodes that the call reads; an input of the model reads none. If
    every input of the call is the whole output of a node, `inputs` says it all and `call_inputs`
    is None. Otherwise `call_inputs` has one entry for each input of the call, in order: one tensor
    of several, a list or a mapping of tensors, a constant, or None for an optional input. A `mask`
    is read but changes no shape; the nodes that it names are the last of `inputs`.

    `first_call` names the first call of the same layer, None if this is it. `lent_layers` are the
    layers inside this one that the model calls elsewhere, too. `recorded_output` is the output
    that a Keras file states. `notes` are added to every complaint about the call: they say where
    the block around it is used.
    """

    name: str
    layer: LayerKind
    inputs: tuple[str, ...]
    place: Place | None = None
    call_inputs: tuple[CallInput, ...] | None = None
    first_call: str | None = None
    notes: tuple[Note, ...] = ()
    recorded_output: RecordedOutput | None = None
    mask: CallInput = None
    lent_layers: tuple[LentLayer, ...] = ()

    @property
    def holder(self) -> str:
        """The name under which the weights of the layer are known: that of its first call."""
        return self.first_call or self.name


class ModelBlock(Struct, frozen=True, omit_defaults=True):
    """One use of a block of a spec.

    `name` is the name of this use, `type` that of the block. `copies` are the names of its copies;
    the nodes of a copy have its name and a slash before theirs: `decoder_3/attention`. `output`
    names the node whose output is that of the whole. The last copy stands for `last_copy_count`
    copies that are alike: for more than one only while their number is symbolic.
    """

    name: str
    type: str
    copies: tuple[str, ...]
    output: str
    last_copy_count: int = 1


class ModelOutput(Struct, frozen=True):
    """An output of the model: what a node gives, or one tensor of it.

    `place` is where it is written. `label` is its name where that is not the name of the layer.
    """

    source: str | OutputPath | OutputIndex
    place: Place | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """The label, else the layer or tensor as text: `lstm[1]`."""
        if self.label is not None:
            return self.label
        if isinstance(self.source, OutputIndex):
            return self.source.name
        return format_call_input(self.source)


ModelType = Literal["Functional", "Sequential"]


def index_nodes(nodes: Sequence[Node]) -> Mapping[str, Node]:
    """The nodes by their names, and the first calls of layers by the names of their holders."""
    return {node.holder: node for node in reversed(nodes)} | {node.name: node for node in nodes}


class Model(Struct, frozen=True, dict=True):
    """A named graph of nodes, in the order of Keras' summary: each node after those that it reads.

    `inputs` are the names of the nodes that read nothing. Nodes that no output needs are left out
    by Keras: they are `unused`, and not among `nodes`. `type` is the Keras class whose summary is
    printed, with a row for each layer; None prints a row for each call. `calls` has an entry for
    each layer that is called several times: from the name of its first call to all of them, in the
    order of the calls.

    `blocks` are the uses of blocks. `limits` are the budget in the file, which only a check looks
    at. `trainable` is false where the whole model is frozen. `optimizer` is the optimizer as the
    file has it. `gaps` are the classes, functions and code that the file names and does not
    contain. `remarks` are notes for the user on how the file was read.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[ModelOutput, ...]
    blocks: tuple[ModelBlock, ...] = ()
    unused: tuple[Node, ...] = ()
    limits: tuple[Limit, ...] = ()
    type: ModelType | None = None
    calls: Mapping[str, tuple[str, ...]] = {}
    trainable: bool = True
    optimizer: Any = None
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Note, ...] = ()

    @property
    def all_nodes(self) -> tuple[Node, ...]:
        """The nodes, last those that no output needs."""
        return (*self.nodes, *self.unused)

    @cached_property
    def nodes_by_name(self) -> Mapping[str, Node]:
        """All nodes by name, and the first calls of layers by the names of their holders."""
        return index_nodes(self.all_nodes)

    @cached_property
    def row_names(self) -> Mapping[str, str]:
        """The row of Keras' summary for each node: all calls of a layer have that of the first."""
        first_calls = {name: names[0] for names in self.calls.values() for name in names}
        rows = {node.holder: first_calls.get(node.name, node.name) for node in self.nodes}
        return {node.name: rows.get(node.holder, node.name) for node in self.all_nodes}

    @property
    def is_unbuilt(self) -> bool:
        """Whether this is a Sequential without an input shape."""
        if self.type != "Sequential" or not self.nodes:
            return False
        first = self.nodes[0]
        return not first.inputs and isinstance(first.layer.output_shape(), UnknownShape)

    @property
    def is_sequential(self) -> bool:
        """Whether Keras' Sequential can hold it: by its `type`, else as a plain chain of layers."""
        if self.type is not None:
            return self.type == "Sequential"
        return is_node_chain(self.nodes) and all(map(fits_sequential, self.nodes))


def dotted_name(name: str) -> str:
    """The name of a layer in a block with dots for slashes: `encoder_3.norm`."""
    return name.replace("/", ".")


def enclosing_names(name: str) -> Iterable[str]:
    """The blocks or models around a name, from the outside in: `a` and `a/b` around `a/b/c`."""
    end = name.find("/")
    while end >= 0:
        yield name[:end]
        end = name.find("/", end + 1)


def symbolic_blocks(blocks: Iterable[ModelBlock]) -> list[ModelBlock]:
    """Those of some blocks of which the number of copies is symbolic."""
    return [each for each in blocks if is_symbolic(each.last_copy_count)]


def count_calls(name: str, blocks: Sequence[ModelBlock], within: str = "") -> int:
    """The number of calls that the node of a name stands for, by the copies that it is in.

    `blocks` are those of which a copy stands for several. Of copies that are `within`, or around
    that, each counts once.
    """
    if not blocks:
        return 1
    counts = {each.copies[-1]: each.last_copy_count for each in blocks}
    outside = {within, *enclosing_names(within)}
    return prod(counts.get(copy, 1) for copy in enclosing_names(name) if copy not in outside)


def is_node_chain(nodes: Sequence[Node]) -> bool:
    """Whether each node reads the whole output of the one before, and no layer is called twice."""
    return not nodes[0].inputs and all(
        node.inputs == (before.name,) and node.call_inputs is None and node.first_call is None
        for before, node in pairwise(nodes)
    )


def fits_sequential(node: Node) -> bool:
    """Whether Keras' Sequential can make this call: of a layer, on one tensor and nothing more."""
    layer = node.layer
    if layer.is_operation or layer.inputs_as_list:
        return False
    if not layer.call_arguments:
        return True
    from dense_calc.layers.introspect.config import call_argument_values  # few layers pay for it

    return not call_argument_values(layer)
