"""Read and set arguments of layers in a Model: `conv2d_1.filters=64`, `input=[64, 64, 1]`.

Settings change the Model itself, and so hold for specs and for Keras' files alike.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from msgspec import json, to_builtins
from msgspec.structs import asdict, replace

from dense_calc.errors import Source, SpecError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS
from dense_calc.layers.layer_references import layer_references_in
from dense_calc.model import Model
from dense_calc.settings.targets import (
    SHAPE_ARGUMENT,
    SettingTarget,
    SettingTargets,
    struct_field_name,
)
from dense_calc.shapes import UnknownShape
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.layer_arguments import (
    argument_subset_type,
    decode_arguments,
    decode_inner_layers,
)
from dense_calc.spec_language.layer_names import name_inner_uniquely
from dense_calc.spec_language.outline import decode_nested_model
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_numbers import has_finite_numbers
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, resolve_scalar
from dense_calc.spec_language.yaml_tree import YamlNode, parse_yaml, utf8_error
from dense_calc.symbolic.state import is_symbolic
from dense_calc.tracing.lent_layers import insert_lent_layers
from dense_calc.tracing.nested_model import NestedModel

_MAX_SETTING_BITS = 200  # bits of a number
_YAML_VALUE_STARTS = ("[", "{", '"', "'")  # how a value starts that is more than a word


def parse_setting(name: str, value: Any) -> YamlNode:
    """The value of a setting, from a text or from Python, with its place for error messages.

    Raises:
        SpecError: the text is no value.
    """
    if is_symbolic(value):
        return replace(parse_setting(name, value.value), value=value)
    origin = f"--set {name}"
    value = to_python_value(value)
    if not has_finite_numbers(value):
        raise SpecError(f"'{name}' must be a finite number")
    if isinstance(value, int) and value.bit_length() > _MAX_SETTING_BITS:  # too long to be repeated
        raise SpecError(f"'{name}' may be at most {MAX_NUMBER:,}")
    if isinstance(value, list | tuple | dict):
        try:
            return parse_yaml(Source(origin, json.encode(value).decode()))
        except UnicodeEncodeError:
            raise SpecError(f"'{name}' has text that is not UTF-8") from None
    if isinstance(value, str):
        node = parse_option_value(Source(origin, value))
    else:
        text = str(value)
        node = YamlNode(Source(origin, text), 1, 1, len(text), value)
    if type(node.value) is int and not -MAX_NUMBER <= node.value <= MAX_NUMBER:
        raise SpecError(f"a number may be at most {MAX_NUMBER:,}", node)
    return node


def parse_option_value(source: Source) -> YamlNode:
    """The value of a text from the command line: a word, or YAML where it begins like a list.

    Raises:
        SpecError: it is none.
    """
    if source.text.lstrip().startswith(_YAML_VALUE_STARTS):
        return parse_yaml(source)
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        raise utf8_error(source, error) from None
    return YamlNode(source, 1, 1, len(source.text), resolve_scalar(source.text))


def to_python_value(value: Any) -> Any:
    """A value as one of Python's own types, also where it is a number or an array of NumPy's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    is_foreign_integer = hasattr(value, "__index__") and not isinstance(value, int)
    return operator.index(value) if is_foreign_integer else value


def target_value(target: SettingTarget, model: Model) -> Any:
    """The value of a target's argument, None where the layers differ in it."""
    nodes = [model.nodes[index] for index in target.node_indices]
    if target.inner_setting is not None:
        assert isinstance(nodes[0].layer, NestedModel)
        inner = nodes[0].layer.model
        return target_value(SettingTargets(inner, inner.name)[target.inner_setting], inner)
    if target.argument_path == (SHAPE_ARGUMENT,) and not nodes[0].inputs:
        shape = nodes[0].layer.output_shape()
        return None if isinstance(shape, UnknownShape) else list(shape)[1:]
    first, *others = (reduce(_argument_at_step, target.argument_path, node.layer) for node in nodes)
    return to_builtins(first) if all(other == first for other in others) else None


def _argument_at_step(owner: Any, step: str) -> Any:
    """An argument of a layer, or an item of a list of layers."""
    if isinstance(owner, tuple):
        return owner[int(step)]
    return getattr(owner, struct_field_name(type(owner), step))


def apply_settings(
    model: Model,
    settings: Mapping[str, YamlNode],
    targets: Mapping[str, SettingTarget],
    scope: Scope,
) -> Model:
    """The model with these settings, whose targets are known; expressions use names of `scope`.

    Raises:
        SpecError: a value does not fit.
    """
    nodes = list(model.nodes)
    for name, value in settings.items():
        target = targets[name]
        changed: dict[int, LayerKind] = {}  # a layer that is called twice is changed once
        for index in target.node_indices:
            node = nodes[index]
            key = id(node.layer)
            if key not in changed:
                changed[key] = _apply_setting_to_layer(node.layer, target, value, scope)
            nodes[index] = replace(node, layer=changed[key])
    changed_places = {
        id(nodes[index].place) for target in targets.values() for index in target.node_indices
    }
    remarks = tuple(note for note in model.remarks if id(note.place) not in changed_places)
    return replace(model, nodes=tuple(insert_lent_layers(nodes)), remarks=remarks)


def _apply_setting_to_layer(
    layer: LayerKind, target: SettingTarget, value: YamlNode, scope: Scope
) -> LayerKind:
    """A layer in which a setting has its value.

    Raises:
        SpecError: it cannot have it.
    """
    if target.inner_setting is not None:
        assert isinstance(layer, NestedModel)
        inner = layer.model
        targets = SettingTargets(inner, inner.name)
        settings = {target.inner_setting: value}
        return replace(layer, model=apply_settings(inner, settings, targets, scope))
    changed = _replace_argument(layer, target.argument_path, value, scope)
    if any(layer_references_in(changed)):
        raise SpecError("a setting cannot call a layer again; write 'reuse' in the file", value)
    return changed


def _replace_argument(
    layer: LayerKind, steps: Sequence[str], value: YamlNode, scope: Scope
) -> LayerKind:
    """A layer in which the argument that steps lead to has a value.

    Raises:
        SpecError: it cannot have it.
    """
    name, *inner_steps = steps
    kind = type(layer)
    if inner_steps:
        field = struct_field_name(kind, name)
        inner = _replace_nested_argument(getattr(layer, field), inner_steps, value, scope)
        values: dict[str, Any] = {field: inner}
    else:
        values = _decode_argument(kind, name, value, scope)
    if name == SHAPE_ARGUMENT and 0 in kind.arity:
        values |= dict.fromkeys(INPUT_SIZE_ARGUMENTS[1:])
        shape = layer.output_shape()
        values["batch_size"] = None if isinstance(shape, UnknownShape) else next(iter(shape), None)
    try:
        changed = replace(layer, **values)
        return name_inner_uniquely(changed) if changed.inner_layer_arguments else changed
    except ValueError as error:
        raise SpecError(f"{kind.__name__}: {error}", value) from None


def _replace_nested_argument(
    owner: Any, steps: Sequence[str], value: YamlNode, scope: Scope
) -> Any:
    """A layer, or a list of layers, with the argument at the end of `steps` changed."""
    if isinstance(owner, LayerKind):
        return _replace_argument(owner, steps, value, scope)
    index, *inner_steps = int(steps[0]), *steps[1:]
    items = list(owner)
    if inner_steps:
        items[index] = _replace_nested_argument(items[index], inner_steps, value, scope)
    else:
        items[index] = decode_inner_layers(value, scope, decode_nested_model)
    return tuple(items)


def _decode_argument(
    kind: type[LayerKind], name: str, value: YamlNode, scope: Scope
) -> dict[str, Any]:
    """The value of an argument, by what a kind calls it.

    Raises:
        SpecError: it is of a wrong type.
    """
    is_layer = name in kind.inner_layer_arguments
    decoded = (
        decode_inner_layers(value, scope, decode_nested_model) if is_layer else value.plain_value()
    )
    entry = SpecEntry(
        *value.coordinates,
        argument_subset_type(kind, (name,)),
        {name: (value, value)},
        kind.__name__,
    )
    return asdict(decode_arguments(entry, {name: decoded}, scope))
