"""A model: a graph of layers, in the order in which Keras' summary lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from msgspec import Struct

from dense_calc.dtypes import Dtypes
from dense_calc.errors import Note, Place
from dense_calc.gaps import Gap
from dense_calc.layers.base import LayerKind
from dense_calc.limits import Limit
from dense_calc.shapes import Shapes, Sizes, UnknownShape


class OutputPath(Struct, frozen=True):
    """One of the tensors that a layer gives: its place in the nest of them, `lstm[1]`."""

    name: str
    steps: tuple[int | str, ...]


class OutputIndex(Struct, frozen=True):
    """One of the tensors that a layer gives, by its number among them all, as Keras counts."""

    name: str
    index: int


class Constant(Struct, frozen=True):
    """Numbers that a call is given: one, or an array as nested lists; or only its `sizes`."""

    value: Any
    sizes: Sizes | None = None
    array_dtype: str | None = None  # what a file tells of an array

    @property
    def shape(self) -> Sizes:
        """The sizes of the array, () of a single number."""
        if self.sizes is not None:
            return self.sizes
        sizes = []
        value = self.value
        while isinstance(value, list):
            sizes.append(len(value))
            value = value[0] if value else None
        return tuple(sizes)


# What a call is given: the whole output of a layer by its name, one tensor of it, or a nest.
CallInput = (
    str
    | OutputPath
    | OutputIndex
    | Constant
    | tuple["CallInput", ...]
    | dict[str, "CallInput"]
    | None
)


class RecordedOutput(Struct, frozen=True):
    """What a file states of the output of a call, which holds if it reads these tensors."""

    reads: tuple[tuple[OutputIndex, Shapes], ...]
    shape: Shapes
    dtype: Dtypes = None


class LentLayer(Struct, frozen=True):
    """A layer of the model inside another: its `holder`, and the way to it, ("layer",)."""

    path: tuple[str, ...]
    holder: str


class Node(Struct, frozen=True):
    """One call of a layer: its name, the names of what it reads, and where it was written.

    `call` is what the call is given, in order, where that is more than the outputs of `inputs`.
    `shares` names the first call of a layer that is called again. `notes` say what used the block
    that the call was written in. `statement` is what its file says of what it gives.
    `mask` is read, but nothing depends on it: its names are the last of `inputs`. `loans` are the
    layers inside the layer that the model calls elsewhere.
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
        """The name under which the weights of the layer are known."""
        return self.first_call or self.name


class ModelBlock(Struct, frozen=True):
    """A block where it is used: its name there, its copies' names, and the layer that it gives.

    Names of nodes in a copy start with its name and a slash: `decoder_3/attention`.
    """

    name: str
    type: str
    copies: tuple[str, ...]
    output: str


class ModelOutput(Struct, frozen=True):
    """An output of the model: a layer, or one of its outputs, and where that is written.

    `label` is its name, if it has another than the layer.
    """

    source: str | OutputPath | OutputIndex
    place: Place | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """What the output is called: its label, or as it is written, `lstm[1]`."""
        if self.label is not None:
            return self.label
        return (
            self.source.name
            if isinstance(self.source, OutputIndex)
            else format_call_input(self.source)
        )


ModelType = Literal["Functional", "Sequential"]


class Model(Struct, frozen=True, dict=True):
    """A named graph; `nodes` stand in Keras' order, each after what it reads.

    `unused` are the nodes that no output needs: Keras leaves them out, and so do `nodes`. `type`
    is the Keras class whose summary is meant, None for one that shows every call. `calls` are
    those of each layer that has several, by the first of them, as they were made. `limits` are
    those that its file sets; only a check looks at them. `trainable` is whether anything is;
    `optimizer` is what the file says that trains it, as it is written there.
    `gaps` are what the file names and does not tell, `remarks` what is to be known of how it was
    read.
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
        """The nodes, those that no output needs last."""
        return (*self.nodes, *self.unused)

    @cached_property
    def nodes_by_name(self) -> Mapping[str, Node]:
        """The nodes by their names, and by those under which the weights of layers are known."""
        nodes = self.all_nodes
        return {node.holder: node for node in reversed(nodes)} | {node.name: node for node in nodes}

    @cached_property
    def row_names(self) -> Mapping[str, str]:
        """The names of rows by those of calls: of a layer's that several are, that of the first."""
        again = {name: names[0] for names in self.calls.values() for name in names}
        rows = {node.holder: again.get(node.name, node.name) for node in self.nodes}
        return {node.name: rows.get(node.holder, node.name) for node in self.all_nodes}

    @property
    def is_unbuilt(self) -> bool:
        """Whether this is a Sequential of which nobody has said what it reads."""
        if self.type != "Sequential" or not self.nodes:
            return False
        first = self.nodes[0]
        return not first.inputs and isinstance(first.layer.output_shape(), UnknownShape)

    @property
    def is_sequential(self) -> bool:
        """Whether this is Keras' Sequential: by its type, or as a chain of layers with none."""
        if self.type is not None:
            return self.type == "Sequential"
        return is_node_chain(self.nodes) and all(map(fits_sequential, self.nodes))


def dotted_name(name: str) -> str:
    """A name of a layer in a block, `encoder_3/norm`, without slashes: `encoder_3.norm`."""
    return name.replace("/", ".")


def layer_names_in(what: CallInput) -> Iterator[str]:
    """The names of the layers in what an input is given."""
    match what:
        case str(name) | OutputPath(name=name) | OutputIndex(name=name):
            yield name
        case tuple(items):
            for item in items:
                yield from layer_names_in(item)
        case dict(pairs):  # Keras flattens a mapping by its keys
            for _, item in sorted(pairs.items()):
                yield from layer_names_in(item)


def format_call_input(what: CallInput, named: Callable[[str], str] = str) -> str:
    """What an input is given as it is written: `norm`, `lstm[1]`, `[x, [h, c]]`.

    `named` gives layers other names.
    """
    match what:
        case str(name) | OutputIndex(name, 0):
            return named(name)
        case OutputIndex(name, index):
            return f"{named(name)}[{index}]"
        case OutputPath(name, steps):
            return named(name) + "".join(f"[{step}]" for step in steps)
        case tuple(items):
            return f"[{', '.join(format_call_input(item, named) for item in items)}]"
        case dict(pairs):
            return f"{{{', '.join(f'{key}: {format_call_input(each, named)}' for key, each in pairs.items())}}}"
        case Constant(value):
            return str(value)
    return "nothing"


def is_node_chain(nodes: Sequence[Node]) -> bool:
    """Whether each node reads the one before it and nothing else, and is called once."""
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
