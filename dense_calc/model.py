"""A model: a graph of layers, in the order in which Keras' summary lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from msgspec import Struct

from dense_calc.errors import Note, Place, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.limits import Limit
from dense_calc.shapes import Sizes

FEW = 6  # steps that a sentence can tell


class Output(Struct, frozen=True):
    """One of the tensors that a layer gives: its place in the nest of them, `lstm[1]`."""

    name: str
    steps: tuple[int | str, ...]


class Leaf(Struct, frozen=True):
    """One of the tensors that a layer gives, by its number among them all, as Keras counts."""

    name: str
    index: int


class Constant(Struct, frozen=True):
    """Numbers that a call is given: one, or an array as nested lists; or only its `sizes`."""

    value: Any
    sizes: Sizes | None = None

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
Given = str | Output | Leaf | Constant | tuple["Given", ...] | dict[str, "Given"] | None


class Node(Struct, frozen=True):
    """One call of a layer: its name, the names of what it reads, and where it was written.

    `call` is what the call is given, in order, where that is more than the outputs of `inputs`.
    `shares` names the first call of a layer that is called again. `notes` say what used the block
    that the call was written in.
    """

    name: str
    layer: LayerKind
    inputs: tuple[str, ...]
    place: Place | None = None
    call: tuple[Given, ...] | None = None
    shares: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def holder(self) -> str:
        """The name under which the weights of the layer are known."""
        return self.shares or self.name

    @property
    def masks(self) -> tuple[str, ...]:
        """What it reads beside what its call is given: masks, on which nothing depends."""
        if self.call is None:
            return ()
        given = [name for each in self.call for name in names_in(each)]
        return self.inputs[len(given) :]


class Block(Struct, frozen=True):
    """A block where it is used: its name there, its copies' names, and the layer that it gives.

    Names of nodes in a copy start with its name and a slash: `decoder_3/attention`.
    """

    name: str
    type: str
    copies: tuple[str, ...]
    output: str


class End(Struct, frozen=True):
    """An output of the model: a layer, or one of its outputs, and where that is written.

    `label` is its name, if it has another than the layer.
    """

    what: str | Output | Leaf
    place: Place | None = None
    label: str | None = None

    @property
    def name(self) -> str:
        """What the output is called: its label, or as it is written, `lstm[1]`."""
        if self.label is not None:
            return self.label
        return self.what.name if isinstance(self.what, Leaf) else told(self.what)


ModelType = Literal["Functional", "Sequential"]


class Model(Struct, frozen=True):
    """A named graph; `nodes` stand in Keras' order, each after what it reads.

    `unused` are the nodes that no output needs: Keras leaves them out, and so do `nodes`. `type`
    is the Keras class whose summary is meant, None for one that shows every call. `calls` are
    those of each layer that has several, by the first of them, as they were made. `limits` are
    those that its file sets; only a check looks at them. `trainable` is whether anything is.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[End, ...]
    blocks: tuple[Block, ...] = ()
    unused: tuple[Node, ...] = ()
    limits: tuple[Limit, ...] = ()
    type: ModelType | None = None
    calls: Mapping[str, tuple[str, ...]] = {}
    trainable: bool = True

    @property
    def is_sequential(self) -> bool:
        """Whether this is Keras' Sequential: by its type, or as a plain chain that tells none."""
        return self.type == "Sequential" or (self.type is None and is_chain(self.nodes))


def model_of(
    name: str,
    nodes: Sequence[Node],
    outputs: tuple[End, ...] = (),
    blocks: Iterable[Block] = (),
    limits: tuple[Limit, ...] = (),
    type: ModelType | None = None,
) -> Model:
    """A model of these nodes; its outputs are the given ones, or the calls that no other reads.

    Raises:
        SpecError: layers wait for each other in a circle.
    """
    inputs = tuple(node.name for node in nodes if not node.inputs)
    if not outputs:
        read = {source for node in nodes for source in node.inputs}
        last = [node.name for node in nodes if node.inputs and node.name not in read]
        outputs = tuple(map(End, last or inputs))
        if is_chain(nodes):
            return Model(name, tuple(nodes), inputs, outputs, tuple(blocks), (), limits, type)
    starts = [each for end in outputs for each in names_in(end.what)]
    ordered = tuple(keras_order({node.name: node for node in nodes}, starts))
    unused: tuple[Node, ...] = ()
    if len(ordered) < len(nodes):
        kept = {node.name for node in ordered}
        unused = tuple(node for node in nodes if node.name not in kept)
    calls = calls_of(nodes, ordered) if any(node.shares for node in nodes) else {}
    return Model(name, ordered, inputs, outputs, tuple(blocks), unused, limits, type, calls)


def calls_of(nodes: Iterable[Node], ordered: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    """The calls of each layer that has several, by the first of them, in the order of `nodes`.

    Only those in `ordered` count: the first may be another than where the layer was written.
    """
    kept = {node.name for node in ordered}
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for node in nodes:
        if node.name in kept:
            calls[node.holder].append(node.name)
    return {names[0]: tuple(names) for names in calls.values() if len(names) > 1}


def dotted(name: str) -> str:
    """A name of a layer in a block, `encoder_3/norm`, without slashes: `encoder_3.norm`."""
    return name.replace("/", ".")


def names_in(what: Given) -> Iterator[str]:
    """The names of the layers in what an input is given."""
    match what:
        case str(name) | Output(name=name) | Leaf(name=name):
            yield name
        case tuple(items):
            for item in items:
                yield from names_in(item)
        case dict(pairs):  # Keras flattens a mapping by its keys
            for _, item in sorted(pairs.items()):
                yield from names_in(item)


def told(what: Given, named: Callable[[str], str] = str) -> str:
    """What an input is given as it is written: `norm`, `lstm[1]`, `[x, [h, c]]`.

    `named` gives layers other names.
    """
    match what:
        case str(name) | Leaf(name, 0):
            return named(name)
        case Leaf(name, index):
            return f"{named(name)}[{index}]"
        case Output(name, steps):
            return named(name) + "".join(f"[{step}]" for step in steps)
        case tuple(items):
            return f"[{', '.join(told(item, named) for item in items)}]"
        case dict(pairs):
            return f"{{{', '.join(f'{key}: {told(each, named)}' for key, each in pairs.items())}}}"
        case Constant(value):
            return str(value)
    return "nothing"


def is_chain(nodes: Sequence[Node]) -> bool:
    """Whether each node reads the one before it and nothing else, and is called once."""
    return not nodes[0].inputs and all(
        node.inputs == (before.name,) and node.call is None and node.shares is None
        for before, node in pairwise(nodes)
    )


def keras_order(nodes: Mapping[str, Node], outputs: Sequence[str]) -> Iterator[Node]:
    """Nodes as Keras lists them: the farther from an output the earlier, then as first met.

    The search for what an output needs is depth first; inputs that no output needs go with the
    outputs, before them. A layer that is called several times is as far as its farthest call.
    Source: `map_graph` of keras/src/ops/function.py.
    """
    met, finished = depth_first(nodes, outputs)
    if len(finished) < len(nodes):
        depth_first(nodes, nodes)  # a circle that leads to no output is a mistake, too
    depths = dict.fromkeys(finished, 0)
    shared = {node.shares for node in nodes.values() if node.shares}
    farthest = dict.fromkeys(shared, 0)
    for name in reversed(finished):
        node = nodes[name]
        depth = depths[name]
        if node.holder in shared:
            depth = depths[name] = farthest[node.holder] = max(depth, farthest[node.holder])
        for source in node.inputs:
            if depths[source] <= depth:
                depths[source] = depth + 1
    if shared:
        first: dict[str, int] = {}
        for name in met:
            first.setdefault(nodes[name].holder, len(first))
        met.sort(key=lambda name: first[nodes[name].holder])
    unused = [node for node in nodes.values() if not node.inputs and node.name not in depths]
    levels = defaultdict(list, {0: unused})
    for name in met:
        levels[depths[name]].append(nodes[name])
    for level in sorted(levels, reverse=True):
        yield from levels[level]


def depth_first(nodes: Mapping[str, Node], starts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names in the order in which a search from `starts` to the inputs meets and finishes them."""
    met: list[str] = []
    finished: dict[str, None] = {}
    for start in starts:
        path = {start: iter(nodes[start].inputs)} if start not in finished else {}
        met += path
        while path:
            name = next(reversed(path))
            source = next(path[name], None)
            if source is None:
                path.popitem()
                finished[name] = None
            elif source in path:
                raise circle([nodes[step] for step in path], source)
            elif source not in finished:
                path[source] = iter(nodes[source].inputs)
                met.append(source)
    return met, list(finished)


def circle(path: list[Node], first: str) -> SpecError:
    """The complaint that the nodes of `path` from `first` on read each other."""
    names = [node.name for node in path]
    around = path[names.index(first) :]
    steps = [f"'{node.name}'" for node in around]
    if len(steps) > FEW:
        steps = [*steps[: FEW - 1], f"... ({len(steps) - FEW} more)", steps[-1]]
    told = " reads ".join([*steps, steps[0]])
    return SpecError(f"layers wait for each other: {told}", around[0].place, around[0].notes)
