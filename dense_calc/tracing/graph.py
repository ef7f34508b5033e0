"""Nodes → a Model: in the order of Keras' summary, without the nodes that no output needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dense_calc.call_inputs import layer_names_in
from dense_calc.errors import SpecError
from dense_calc.limits import Limit
from dense_calc.mistakes import keep_mistake
from dense_calc.model import (
    Model,
    ModelBlock,
    ModelOutput,
    ModelType,
    Node,
    fits_sequential,
    is_node_chain,
    symbolic_blocks,
)
from dense_calc.symbolic.state import UnlikeCopiesError

_MAX_CYCLE_STEPS = 6  # steps of a circle that a message lists


def build_model(
    name: str,
    nodes: Sequence[Node],
    outputs: tuple[ModelOutput, ...] = (),
    blocks: Sequence[ModelBlock] = (),
    limits: tuple[Limit, ...] = (),
    type: ModelType | None = None,
) -> Model:
    """A model of these nodes. Without `outputs`, they are the nodes that no other node reads.

    Raises:
        SpecError: layers read each other in a circle, or a Sequential is no chain of layers.
        UnlikeCopiesError: the circle leads through copies of which the number is symbolic.
    """
    if type == "Sequential":
        _demand_sequential(nodes)
    inputs = tuple(node.name for node in nodes if not node.inputs)
    if not outputs:
        read = {source for node in nodes for source in node.inputs}
        last = [node.name for node in nodes if node.inputs and node.name not in read]
        outputs = tuple(map(ModelOutput, last or inputs))
        if is_node_chain(nodes):
            return Model(name, tuple(nodes), inputs, outputs, tuple(blocks), (), limits, type)
    starts = [name for output in outputs for name in layer_names_in(output.source)]
    try:
        ordered = tuple(_keras_order({node.name: node for node in nodes}, starts))
    except SpecError:
        if symbolic_blocks(blocks):
            raise UnlikeCopiesError from None  # a circle is told copy by copy
        raise
    unused: tuple[Node, ...] = ()
    if len(ordered) < len(nodes):
        kept = {node.name for node in ordered}
        unused = tuple(node for node in nodes if node.name not in kept)
    calls = _calls_by_layer(nodes, ordered) if any(node.first_call for node in nodes) else {}
    return Model(name, ordered, inputs, outputs, tuple(blocks), unused, limits, type, calls)


def _calls_by_layer(nodes: Iterable[Node], ordered: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    """The calls of each layer that has several, by the first of them, in the order of `nodes`.

    Only nodes in `ordered` count, so that the first call may not be the one with the layer's name.
    """
    kept = {node.name for node in ordered}
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for node in nodes:
        if node.name in kept:
            calls[node.holder].append(node.name)
    return {names[0]: tuple(names) for names in calls.values() if len(names) > 1}


def _demand_sequential(nodes: Sequence[Node]) -> None:
    """Raise SpecError unless each node is a plain call of a layer on the output of the last."""
    above: tuple[str, ...] = ()
    for node in nodes:
        if node.inputs != above or node.call_inputs or node.first_call or not fits_sequential(node):
            rule = "a Sequential holds layers that read the one above and nothing more"
            needed = f"{type(node.layer).__name__} '{node.name}' needs a Functional"
            raise SpecError(f"{rule}; {needed}", node.place, node.notes)
        above = (node.name,)


def _keras_order(nodes: Mapping[str, Node], outputs: Sequence[str]) -> Iterator[Node]:
    """Nodes as Keras lists them: those farthest from an output first, then in the order of search.

    The search goes from the outputs to the inputs, depth first. Inputs that no output needs are
    listed just before the outputs. A layer that is called several times is as far as its farthest
    call. Source: `map_graph` of keras/src/ops/function.py.
    """
    met, finished = _search_depth_first(nodes, outputs)
    if len(finished) < len(nodes):
        _search_depth_first(nodes, nodes)  # a circle that leads to no output is an error, too
    depths = dict.fromkeys(finished, 0)
    shared = {node.first_call for node in nodes.values() if node.first_call}
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


def _search_depth_first(
    nodes: Mapping[str, Node], starts: Iterable[str]
) -> tuple[list[str], list[str]]:
    """The names that a search from `starts` to the inputs meets, and again as it leaves them."""
    met: list[str] = []
    finished: dict[str, None] = {}
    told: set[str] = set()  # names in circles, where these mistakes are collected
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
                circle = _find_circle(path, source, told)
                if circle:
                    keep_mistake(_cycle_error([nodes[step] for step in circle]))
            elif source not in finished:
                path[source] = iter(nodes[source].inputs)
                met.append(source)
    return met, list(finished)


def _find_circle(path: dict[str, Iterator[str]], first: str, told: set[str]) -> list[str]:
    """The names of a path from `first` on, [] if one of them is told; now they are."""
    circle: list[str] = []
    for name in reversed(path):
        if name in told:
            break
        told.add(name)
        circle.append(name)
        if name == first:
            return circle[::-1]
    return []


def _cycle_error(around: list[Node]) -> SpecError:
    """The complaint that these nodes read each other in a circle."""
    steps = [f"'{node.name}'" for node in around]
    if len(steps) > _MAX_CYCLE_STEPS:
        steps = [
            *steps[: _MAX_CYCLE_STEPS - 1],
            f"... ({len(steps) - _MAX_CYCLE_STEPS} more)",
            steps[-1],
        ]
    circle = " reads ".join([*steps, steps[0]])
    return SpecError(
        f"layers read each other in a circle: {circle}", around[0].place, around[0].notes
    )
