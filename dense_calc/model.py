"""A model: a graph of layers, in the order in which Keras' summary lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import pairwise

from msgspec import Struct

from dense_calc.errors import Place, SpecError
from dense_calc.layers.base import LayerKind

FEW = 6  # steps that a sentence can tell


class Output(Struct, frozen=True):
    """One of the tensors that a layer gives: its place in the nest of them, `lstm[1]`."""

    name: str
    steps: tuple[int | str, ...]


# What a call is given: the whole output of a layer by its name, one tensor of it, or a nest.
Given = str | Output | tuple["Given", ...] | dict[str, "Given"] | None


class Node(Struct, frozen=True):
    """One layer in a graph: its name, the names of what it reads, and where it was written.

    `call` is what its call is given, in order, where that is more than the outputs of `inputs`.
    """

    name: str
    layer: LayerKind
    inputs: tuple[str, ...]
    place: Place | None = None
    call: tuple[Given, ...] | None = None


class Model(Struct, frozen=True):
    """A named graph; `nodes` stand in Keras' order, each after what it reads."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def is_chain(self) -> bool:
        """Whether each layer reads the one before it and nothing else: Keras' Sequential."""
        return is_chain(self.nodes)


def model_of(name: str, nodes: Sequence[Node]) -> Model:
    """A model of these nodes; its outputs are the layers that no other reads.

    Raises:
        SpecError: layers wait for each other in a circle.
    """
    read = {source for node in nodes for source in node.inputs}
    inputs = tuple(node.name for node in nodes if not node.inputs)
    outputs = tuple(node.name for node in nodes if node.inputs and node.name not in read)
    ordered = nodes if is_chain(nodes) else keras_order(nodes, read)
    return Model(name, tuple(ordered), inputs, outputs or inputs)


def is_chain(nodes: Sequence[Node]) -> bool:
    """Whether each node reads the one before it and nothing else."""
    return not nodes[0].inputs and all(
        node.inputs == (before.name,) and node.call is None for before, node in pairwise(nodes)
    )


def keras_order(nodes: Iterable[Node], read: Set[str]) -> Iterator[Node]:
    """Nodes as Keras lists them: the farther from an output the earlier, then as first met.

    The search for what an output needs is depth first; inputs that nothing reads go with the
    outputs, before them. Source: `map_graph` of keras/src/ops/function.py.
    """
    unused = [node for node in nodes if not node.inputs and node.name not in read]
    by_name = {node.name: node for node in nodes if node.inputs or node.name in read}
    # What is read comes last: only a circle has anything that no output has led to.
    met, finished = depth_first(by_name, sorted(by_name, key=read.__contains__))
    depths = dict.fromkeys(finished, 0)
    for name in reversed(finished):
        for source in by_name[name].inputs:
            depths[source] = max(depths[source], depths[name] + 1)
    levels = defaultdict(list, {0: unused})
    for name in met:
        levels[depths[name]].append(by_name[name])
    for depth in sorted(levels, reverse=True):
        yield from levels[depth]


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
    return SpecError(f"layers wait for each other: {told}", around[0].place)
