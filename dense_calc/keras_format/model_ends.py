"""Read the `input_layers` and `output_layers` of a model in a Keras file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

from msgspec.structs import replace

from dense_calc.call_inputs import layer_names_in
from dense_calc.errors import SpecError
from dense_calc.keras_format.inbound_nodes import LayerCalls
from dense_calc.keras_format.json_locations import JsonPlace
from dense_calc.model import Model, ModelOutput, Node


def parse_ends(written: Any, calls: LayerCalls, spot: JsonPlace) -> Iterator[ModelOutput]:
    """The input or output tensors of a model, in the order in which Keras flattens a nest."""
    match written:
        case [str(layer), int(call), int(index)]:
            number = call - (layer in calls.outputs_from_1)
            yield ModelOutput(calls.resolve_tensor([layer, number, index], spot), spot)
        case list():
            for number, each in enumerate(written):
                yield from parse_ends(each, calls, spot.inner_place(number))
        case dict():
            for key, each in sorted(written.items()):
                yield from parse_ends(each, calls, spot.inner_place(key))


def label_ends(ends: Iterable[ModelOutput], written: Any) -> Iterator[ModelOutput]:
    """The ends with labels: the keys of a mapping that has one tensor for each key."""
    flat = isinstance(written, dict) and all(
        _is_tensor_reference(each) for each in written.values()
    )
    labels = sorted(written) if flat else repeat(None)
    return (replace(end, label=label) for end, label in zip(ends, labels, strict=False))


def _is_tensor_reference(written: Any) -> bool:
    """Whether a value is one tensor: `[layer, call, output]`."""
    return isinstance(written, list) and len(written) == 3 and isinstance(written[0], str)


def demand_called_layers(nodes: Mapping[str, Node], ends: Iterable[ModelOutput]) -> None:
    """Raise SpecError where a node or an end reads a layer that is never called."""
    read = [(node.inputs, node.place) for node in nodes.values()]
    for names, place in [*read, *((layer_names_in(end.source), end.place) for end in ends)]:
        for name in names:
            if name not in nodes:
                raise SpecError(f"'{name}' is read, and never called", place)


def undeclared_inputs(model: Model, inputs: Collection[str]) -> tuple[Node, ...]:
    """The input nodes of a model that are not among its `inputs`.

    Raises:
        SpecError: a layer or an output reads one of them.
    """
    read = {name for node in model.nodes for name in node.inputs}
    read |= {name for end in model.outputs for name in layer_names_in(end.source)}
    strangers = [node for node in model.nodes if not node.inputs and node.name not in inputs]
    for node in strangers:
        if node.name in read:
            raise SpecError(f"'{node.name}' is read, and not among 'input_layers'", node.place)
    return tuple(strangers)
