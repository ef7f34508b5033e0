"""Read and set arguments of layers in a Model, of a spec or of Keras: `conv2d_1.filters=64`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS
from dense_calc.layers.layer_references import layer_references_in
from dense_calc.model import Model
from dense_calc.settings.targets import (
    SHAPE_ARGUMENT,
    SettingTargets,
    argument_at,
    field_name,
    input_sizes,
)
from dense_calc.shapes import UnknownShape
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.layer_arguments import (
    argument_subset_type,
    decode_inner_layers,
    decode_layer,
)
from dense_calc.spec_language.layer_names import name_inner_uniquely
from dense_calc.spec_language.outline import decode_nested_model
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.lent_layers import insert_lent_layers


def argument_value(targets: SettingTargets, name: str, usage: str | None = None) -> Any:
    """The value of the argument that a setting means, None where several layers differ in it.

    Messages say by `usage` how a setting is named.

    Raises:
        SpecError: there is no such setting.
    """
    target = targets.find(name, usage)
    nodes = [targets.model.nodes[index] for index in target.node_indices]
    path, layer = target.argument_path, nodes[0].layer
    inner = argument_at(layer, path[0])
    if isinstance(inner, Model):
        return argument_value(SettingTargets(inner), path[1], usage)
    if path[0] == SHAPE_ARGUMENT and not nodes[0].inputs:
        sizes = input_sizes(layer)
        return sizes[int(path[1])] if sizes and len(path) > 1 else sizes
    first, *others = (reduce(argument_at, path, node.layer) for node in nodes)
    return to_builtins(first) if all(other == first for other in others) else None


def apply_settings(
    targets: SettingTargets, settings: Mapping[str, YamlNode], scope: Scope
) -> Model:
    """The model of these targets with these settings; expressions use names of `scope`.

    Raises:
        SpecError: there is no such setting, or its value does not fit.
    """
    model = targets.model
    nodes = list(model.nodes)
    changed_places = set()
    found = [targets[name] for name in settings]  # all, before a value is refused
    for target, value in zip(found, settings.values(), strict=True):
        changed: dict[int, LayerKind] = {}  # a layer that is called twice is changed once
        for index in target.node_indices:
            node = nodes[index]
            key = id(node.layer)
            if key not in changed:
                changed[key] = _replace_argument(node.layer, target.argument_path, value, scope)
                if any(layer_references_in(changed[key])):
                    told = "a setting cannot call a layer again; write 'reuse' in the file"
                    raise SpecError(told, value)
            nodes[index] = replace(node, layer=changed[key])
            changed_places.add(id(node.place))
    remarks = tuple(note for note in model.remarks if id(note.place) not in changed_places)
    return replace(model, nodes=tuple(insert_lent_layers(nodes)), remarks=remarks)


def _replace_argument(owner: Any, path: Sequence[str], value: YamlNode, scope: Scope) -> Any:
    """A layer, model or list of layers with a value for what a path leads to in it."""
    step, *further = path
    kind: Any = type(owner)
    if kind is Model:
        return apply_settings(SettingTargets(owner), {step: value}, scope)
    is_input = step == SHAPE_ARGUMENT and 0 in kind.arity
    if is_input and further:
        sizes = [replace(value, value=size) for size in input_sizes(owner) or ()]
        axis = int(further.pop())
        if axis >= len(sizes):  # another setting has changed the shape
            raise SpecError(f"with the other settings, the input has no [{axis}]", value)
        sizes[axis] = value
        value = replace(value, value=sizes)
    if further:
        part = _replace_argument(argument_at(owner, step), further, value, scope)
    elif kind is tuple:
        part = decode_inner_layers(value, scope, decode_nested_model)
    else:
        subset = argument_subset_type(kind, (step,))
        entry = SpecEntry(*value.coordinates, subset, {step: (value, value)}, kind.__name__)
        part = argument_at(decode_layer(entry, scope, decode_nested_model), step)
    if kind is tuple:
        return (*owner[: int(step)], part, *owner[int(step) + 1 :])
    values = {field_name(kind, step): part}
    if is_input:
        values |= dict.fromkeys(INPUT_SIZE_ARGUMENTS[1:])
        shape = owner.output_shape()
        values["batch_size"] = None if isinstance(shape, UnknownShape) else next(iter(shape), None)
    try:
        changed = replace(owner, **values)
        return name_inner_uniquely(changed) if changed.inner_layer_arguments else changed
    except ValueError as error:
        raise SpecError(f"{kind.__name__}: {error}", value) from None
