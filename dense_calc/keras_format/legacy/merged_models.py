"""A Sequential of Keras 1 or 2 that begins with a merge of whole models: the graph that it is.

Its rows are those of Keras 1's summary: the layers of each model, then the merge. Source:
`Sequential.flattened_layers` of keras/models.py of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from dense_calc.call_inputs import OutputIndex
from dense_calc.errors import SpecError
from dense_calc.keras_format.call_arguments import bind_call
from dense_calc.keras_format.custom_objects import FileContext
from dense_calc.keras_format.inbound_nodes import LayerCall
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.keras_format.layer_objects import (
    SerializedLayer,
    build_serialized_layer,
    is_serialized_model,
)
from dense_calc.model import Model, Node
from dense_calc.tracing.nested_model import NestedModel

_MERGE_CLASS = "Merge"  # the class that Keras 3 does not have


def is_merge_layer(first: Any) -> bool:
    """Whether the first layer of a chain merges models or layers that only it knows."""
    match first:
        case {"class_name": str(name), "config": {"layers": [_, *_]}}:
            return name == _MERGE_CLASS
    return False


def merged_nodes(first: Any, name: str, written: SerializedLayer, file: FileContext) -> list[Node]:
    """The nodes of all that the first layer of a chain merges, and of that layer itself.

    Raises:
        SpecError: something in it is not known, or has the name of another.
    """
    models = list(
        _branch_models(
            first["config"]["layers"], written.place.inner_place("config", "layers"), file
        )
    )
    nodes = [node for model in models for node in _branch_nodes(model)]
    _demand_unique_layer_names(nodes)
    ends = tuple(_first_output_tensor(model) for model in models)
    call = bind_call(LayerCall([ends], {}), written.kind)
    merge = Node(
        name, build_serialized_layer(written, file), call.read_names, written.place, call.inputs
    )
    return [*nodes, merge]


def _demand_unique_layer_names(nodes: list[Node]) -> None:
    """Raise SpecError where a name stands twice: that of a layer before that of its input."""
    names: set[str] = set()
    for node in sorted(nodes, key=lambda node: not node.inputs):
        if node.name in names:
            raise SpecError(f"the name '{node.name}' stands here twice", node.place)
        names.add(node.name)


def _branch_models(layers: list[Any], spot: JsonPlace, file: FileContext) -> Iterator[Model]:
    """What is merged, each as a model; a layer alone is a chain of one."""
    for number, value in enumerate(layers):
        alone = {"class_name": "Sequential", "config": [value]}
        inside = file.nested_reader(
            value if is_serialized_model(value) else alone, spot.inner_place(number), file
        )
        assert isinstance(inside.ready_layer, NestedModel)
        if not inside.ready_layer.model.outputs:
            raise SpecError("a model that is merged gives nothing", spot.inner_place(number))
        yield inside.ready_layer.model


def _branch_nodes(model: Model) -> Iterator[Node]:
    """The nodes of a model, its inputs first; that made for a chain's first layer has its name."""
    if len(model.nodes) > 1 and model.nodes[0].place == model.nodes[1].place:
        start, first, *rest = model.nodes
        start = replace(start, name=f"{first.name}_input")
        yield from (start, replace(first, inputs=(start.name,)), *rest)
        return
    by_name = {node.name: node for node in model.nodes}
    yield from {name: by_name[name] for name in (*model.inputs, *by_name)}.values()


def _first_output_tensor(model: Model) -> OutputIndex:
    """The first tensor that a model gives."""
    first = model.outputs[0]
    return first.source if isinstance(first.source, OutputIndex) else OutputIndex(first.name, 0)
