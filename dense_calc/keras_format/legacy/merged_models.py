"""Build the graph of a Sequential of Keras 1 or 2 that begins with a merge of whole models.

Its nodes have the order of Keras 1's summary: the layers of each model, then the merge. Source:
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

_MERGE_CLASS = "Merge"


def is_merge_layer(first: Any) -> bool:
    """Whether the first layer of a chain merges models or layers of its own config."""
    match first:
        case {"class_name": str(name), "config": {"layers": [_, *_]}}:
            return name == _MERGE_CLASS
    return False


def merged_nodes(first: Any, name: str, written: SerializedLayer, file: FileContext) -> list[Node]:
    """The nodes of all models that the first layer of a chain merges, and of that layer.

    Raises:
        SpecError: a layer is unknown, or two have the same name.
    """
    spot = written.place.inner_place("config", "layers")
    models = list(_branch_models(first["config"]["layers"], spot, file))
    nodes = [node for model in models for node in _branch_nodes(model)]
    _demand_unique_layer_names(nodes)
    ends = tuple(_first_output_tensor(model) for model in models)
    call = bind_call(LayerCall([ends], {}), written.kind)
    layer = build_serialized_layer(written, file)
    return [*nodes, Node(name, layer, call.read_names, written.place, call.inputs)]


def _demand_unique_layer_names(nodes: list[Node]) -> None:
    """Raise SpecError where a name stands twice, at the place of a layer rather than an input."""
    names: set[str] = set()
    for node in sorted(nodes, key=lambda node: not node.inputs):
        if node.name in names:
            raise SpecError(f"the name '{node.name}' is used twice", node.place)
        names.add(node.name)


def _branch_models(layers: list[Any], spot: JsonPlace, file: FileContext) -> Iterator[Model]:
    """The merged models; a single layer counts as a chain of one."""
    for number, value in enumerate(layers):
        chain = {"class_name": "Sequential", "config": [value]}
        written = value if is_serialized_model(value) else chain
        branch = file.nested_reader(written, spot.inner_place(number), file).ready_layer
        assert isinstance(branch, NestedModel)
        if not branch.model.outputs:
            raise SpecError("a model that is merged gives nothing", spot.inner_place(number))
        yield branch.model


def _branch_nodes(model: Model) -> Iterator[Node]:
    """The nodes of a model, inputs first; the input added to a chain has its layer's name."""
    if len(model.nodes) > 1 and model.nodes[0].place == model.nodes[1].place:
        start, first, *rest = model.nodes
        start = replace(start, name=f"{first.name}_input")
        yield from (start, replace(first, inputs=(start.name,)), *rest)
        return
    by_name = {node.name: node for node in model.nodes}
    yield from {name: by_name[name] for name in (*model.inputs, *by_name)}.values()


def _first_output_tensor(model: Model) -> OutputIndex:
    """The first output tensor of a model."""
    first = model.outputs[0]
    return first.source if isinstance(first.source, OutputIndex) else OutputIndex(first.name, 0)
