"""Write the inputs of calls so that Keras reads them in the order that the model has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from dense_calc.call_inputs import layer_names_in
from dense_calc.model import Node, dotted_name


def name_nested_inputs(inputs: Sequence[str], layer: dict[str, Any]) -> None:
    """Name the inputs of a nested model in its config, if a call passes a mapping.

    Without names, Keras reads a mapping in the order of its keys, not of the model's inputs.
    """
    names = list(map(dotted_name, inputs))
    calls = [call["args"] for call in layer["inbound_nodes"]]
    if names == sorted(names) or not any(_is_tensor_mapping(each) for (each,) in calls):
        return
    config = layer["config"]
    config["input_layers"] = dict(zip(names, config["input_layers"], strict=True))
    for args in calls:
        if not _is_tensor_mapping(args[0]):
            args[0] = dict(zip(names, _flatten_tensors(args[0]), strict=True))


def _is_tensor_mapping(nest: Any) -> bool:
    """Whether a nest is a mapping, not a tensor or a list."""
    return isinstance(nest, dict) and "class_name" not in nest


def _flatten_tensors(nest: Any) -> Iterator[Any]:
    """The tensors in a nest, those of a mapping in the order of its keys."""
    if isinstance(nest, list):
        for each in nest:
            yield from _flatten_tensors(each)
    elif _is_tensor_mapping(nest):
        for _, each in sorted(nest.items()):
            yield from _flatten_tensors(each)
    else:
        yield nest


def positional_count(node: Node) -> int:
    """The number of inputs to pass by position, so that Keras lists connections as the node does.

    Keras lists the inputs by position, then those by name, in the order of the names.
    """
    kind, inputs = type(node.layer), node.call_inputs or node.inputs
    most = inputs.index(None) if None in inputs else len(inputs)
    all_inputs = len(inputs)
    if kind.positional_parameters:
        most = all_inputs = 1
    fewer = range(most, -1 if kind.input_names else most - 1, -1)
    for count in chain(fewer, range(most + 1, 1 + all_inputs)):  # the latter pass nulls
        by_name = sorted(zip(kind.input_names[count:], inputs[count:], strict=False))
        ordered = (*inputs[:count], *(each for _, each in by_name))
        read = tuple(name for each in ordered for name in layer_names_in(each))
        if read == node.inputs[: len(read)] and not _passes_null_mask(node, count):
            return count
    return most


def _passes_null_mask(node: Node, count: int) -> bool:
    """Whether one of the first inputs is a null for a mask, so that Keras would not add its own."""
    inputs = (node.call_inputs or node.inputs)[:count]
    named = zip(type(node.layer).input_names, inputs, strict=False)
    return any(each is None and name.endswith("_mask") for name, each in named)
