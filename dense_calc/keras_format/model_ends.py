"""What a model in a file of Keras' is given and gives: its `input_layers` and `output_layers`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.keras_format.inbound_nodes import Calls
from dense_calc.keras_format.json_locations import Spot
from dense_calc.model import End, Model, Node, names_in


def ends_of(written: Any, calls: Calls, spot: Spot) -> Iterator[End]:
    """The tensors that a model is given or gives, as Keras flattens a nest of them.

    Those of a mapping that holds no further nests have its keys as their names.
    """
    match written:
        case [str(layer), int(call), int(index)]:
            number = call - (layer in calls.ends_from_1)
            yield End(calls.leaf([layer, number, index], spot), spot)
        case list():
            for number, each in enumerate(written):
                yield from ends_of(each, calls, spot.at(number))
        case dict():
            for key, each in sorted(written.items()):
                yield from ends_of(each, calls, spot.at(key))


def labelled(ends: Iterable[End], written: Any) -> Iterator[End]:
    """The same with names, where a mapping gives one to each tensor."""
    flat = isinstance(written, dict) and all(is_leaf(each) for each in written.values())
    labels = sorted(written) if flat else repeat(None)
    return (replace(end, label=label) for end, label in zip(ends, labels, strict=False))


def is_leaf(written: Any) -> bool:
    """Whether this is one tensor of a model: `[layer, call, output]`."""
    return isinstance(written, list) and len(written) == 3 and isinstance(written[0], str)


def demand_called(nodes: Mapping[str, Node], ends: Iterable[End]) -> None:
    """Raise SpecError where a layer is read, or gives an output, that is never called."""
    read = [(node.inputs, node.place) for node in nodes.values()]
    for names, place in [*read, *((names_in(end.what), end.place) for end in ends)]:
        for name in names:
            if name not in nodes:
                raise SpecError(f"'{name}' is read, and never called", place)


def strange_inputs(model: Model, inputs: Collection[str]) -> tuple[Node, ...]:
    """The inputs of a model's outputs that are not said to be the model's; nothing may read them.

    Raises:
        SpecError: something does.
    """
    read = {name for node in model.nodes for name in node.inputs}
    read |= {name for end in model.outputs for name in names_in(end.what)}
    found = [node for node in model.nodes if not node.inputs and node.name not in inputs]
    for node in found:
        if node.name in read:
            raise SpecError(f"'{node.name}' is read, and not among 'input_layers'", node.place)
    return tuple(found)
