"""A model: a graph of layers, in the order in which Keras' summary lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from dense_calc.errors import Place, SpecError
from dense_calc.layers.base import LayerKind

FEW = 6  # steps that a sentence can tell


class Node(Struct, frozen=True):
    """One layer in a graph: its name, the names of what it reads, and where it was written."""

    name: str
    layer: LayerKind
    inputs: tuple[str, ...]
    place: Place | None = None


class Model(Struct, frozen=True):
    """A named graph; `nodes` stand in Keras' order, each after what it reads."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def is_chain(self) -> bool:
        """Whether each layer reads the one before it and nothing else: Keras' Sequential."""
        entry, *layers = self.nodes
        before = (entry.name, *(node.name for node in layers))
        return not entry.inputs and all(
            node.inputs == (name,) for node, name in zip(layers, before, strict=False)
        )


def model_of(name: str, nodes: Iterable[Node]) -> Model:
    """A model of these nodes; its outputs are the layers that no other reads.

    Raises:
        SpecError: layers wait for each other in a circle.
    """
    by_name = {node.name: node for node in nodes}
    read = {source for node in by_name.values() for source in node.inputs}
    inputs = tuple(node.name for node in by_name.values() if not node.inputs)
    unread = [name for name in by_name if name not in read]
    outputs = tuple(name for name in unread if name not in inputs) or inputs
    unused = [name for name in unread if name not in outputs]
    return Model(name, tuple(keras_order(by_name, unused)), inputs, outputs)


def keras_order(nodes: Mapping[str, Node], unused: Iterable[str]) -> Iterator[Node]:
    """Nodes as Keras lists them: the farther from an output the earlier, then as first met.

    The search for what an output needs is depth first; inputs that nothing uses go with the
    outputs, before them. Source: `map_graph` of keras/src/ops/function.py.
    """
    met, finished = depth_first({name: node for name, node in nodes.items() if name not in unused})
    depths = dict.fromkeys(finished, 0)
    for name in reversed(finished):
        for source in nodes[name].inputs:
            depths[source] = max(depths[source], depths[name] + 1)
    levels = defaultdict(list)
    for name in (*unused, *met):
        levels[depths.get(name, 0)].append(nodes[name])
    for depth in sorted(levels, reverse=True):
        yield from levels[depth]


def depth_first(nodes: Mapping[str, Node]) -> tuple[list[str], list[str]]:
    """Names as a search from the outputs down to the inputs first meets and as it finishes them."""
    read = {source for node in nodes.values() for source in node.inputs}
    met: list[str] = []
    finished: dict[str, None] = {}
    # What is read comes last: only a circle has anything that no output has led to.
    for start in sorted(nodes, key=read.__contains__):
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
