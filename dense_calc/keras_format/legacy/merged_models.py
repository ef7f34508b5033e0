"""A Sequential of Keras 1 or 2 that begins with a merge of whole models: the graph that it is.

Its rows are those of Keras 1's summary: the layers of each model, then the merge. Source:
`Sequential.flattened_layers` of keras/models.py of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.keras_format.call_arguments import bound
from dense_calc.keras_format.custom_objects import File
from dense_calc.keras_format.inbound_nodes import Call
from dense_calc.keras_format.json_locations import Spot
from dense_calc.keras_format.layer_objects import Written, is_model, layer_of
from dense_calc.model import Leaf, Model, Node
from dense_calc.tracing.nested_model import Inside

MERGE = "Merge"  # the class that Keras 3 does not have


def is_merge(first: Any) -> bool:
    """Whether the first layer of a chain merges models or layers that only it knows."""
    match first:
        case {"class_name": str(name), "config": {"layers": [_, *_]}}:
            return name == MERGE
    return False


def merged_nodes(first: Any, name: str, written: Written, file: File) -> list[Node]:
    """The nodes of all that the first layer of a chain merges, and of that layer itself.

    Raises:
        SpecError: something in it is not known, or has the name of another.
    """
    models = list(branches(first["config"]["layers"], written.spot.at("config", "layers"), file))
    nodes = [node for model in models for node in nodes_of(model)]
    demand_unlike(nodes)
    ends = tuple(leaf_of(model) for model in models)
    call = bound(Call([ends], {}), written.kind)
    merge = Node(name, layer_of(written, file), call.reads, written.spot, call.inputs)
    return [*nodes, merge]


def demand_unlike(nodes: list[Node]) -> None:
    """Raise SpecError where a name stands twice: that of a layer before that of its input."""
    names: set[str] = set()
    for node in sorted(nodes, key=lambda node: not node.inputs):
        if node.name in names:
            raise SpecError(f"the name '{node.name}' stands here twice", node.place)
        names.add(node.name)


def branches(layers: list[Any], spot: Spot, file: File) -> Iterator[Model]:
    """What is merged, each as a model; a layer alone is a chain of one."""
    for number, value in enumerate(layers):
        alone = {"class_name": "Sequential", "config": [value]}
        inside = file.inside(value if is_model(value) else alone, spot.at(number), file)
        assert isinstance(inside.made, Inside)
        if not inside.made.model.outputs:
            raise SpecError("a model that is merged gives nothing", spot.at(number))
        yield inside.made.model


def nodes_of(model: Model) -> Iterator[Node]:
    """The nodes of a model, its inputs first; that made for a chain's first layer has its name."""
    if len(model.nodes) > 1 and model.nodes[0].place == model.nodes[1].place:
        start, first, *rest = model.nodes
        start = replace(start, name=f"{first.name}_input")
        yield from (start, replace(first, inputs=(start.name,)), *rest)
        return
    by_name = {node.name: node for node in model.nodes}
    yield from {name: by_name[name] for name in (*model.inputs, *by_name)}.values()


def leaf_of(model: Model) -> Leaf:
    """The first tensor that a model gives."""
    first = model.outputs[0]
    return first.what if isinstance(first.what, Leaf) else Leaf(first.name, 0)
