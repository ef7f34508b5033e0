"""A Model with other arguments for its layers: `conv2d_1.filters=64`, `input=[64, 64, 1]`.

They are put into the Model itself, so that they hold for specs and for Keras' files alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any

from msgspec import json
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
from dense_calc.tracing.lent_layers import insert_lent_layers
from dense_calc.tracing.nested_model import NestedModel

_MAX_SETTING_BITS = 200  # bits of a number
_YAML_VALUE_STARTS = ("[", "{", '"', "'")  # how a value starts that is more than a word


def parse_setting(name: str, value: Any) -> YamlNode:
    """The value that a setting has, as text or as itself, with a place for complaints.

    Raises:
        SpecError: the text is no value.
    """
    whose = f"--set {name}"
    value = to_python_value(value)
    if not has_finite_numbers(value):
        raise SpecError(f"'{name}' must be a finite number")
    if isinstance(value, int) and value.bit_length() > _MAX_SETTING_BITS:  # too long to be repeated
        raise SpecError(f"'{name}' may be at most {MAX_NUMBER:,}")
    if isinstance(value, list | tuple | dict):
        return parse_yaml(Source(whose, json.encode(value).decode()))
    if isinstance(value, str):
        found = parse_option_value(Source(whose, value))
    else:
        text = str(value)
        found = YamlNode(Source(whose, text), 1, 1, len(text), value)
    if type(found.value) is int and not -MAX_NUMBER <= found.value <= MAX_NUMBER:
        raise SpecError(f"a number may be at most {MAX_NUMBER:,}", found)
    return found


def parse_option_value(source: Source) -> YamlNode:
    """The value that a text of the command line means: a word, or YAML if it starts as more.

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
    """A value as Python's own: numbers and arrays of NumPy are none."""
    if hasattr(value, "tolist"):
        return value.tolist()
    is_whole = hasattr(value, "__index__") and not isinstance(value, int)
    return index(value) if is_whole else value


def apply_settings(
    model: Model,
    settings: Mapping[str, YamlNode],
    targets: Mapping[str, SettingTarget],
    scope: Scope,
) -> Model:
    """The model with these settings, of which we know the targets.

    An expression uses the names of the scope.

    Raises:
        SpecError: a value does not fit.
    """
    nodes = list(model.nodes)
    for name, value in settings.items():
        target = targets[name]
        made: dict[int, LayerKind] = {}
        for place in target.node_indices:
            node = nodes[place]
            layer = made.get(id(node.layer))
            if layer is None:
                layer = made[id(node.layer)] = _apply_setting_to_layer(
                    node.layer, target, value, scope
                )
            nodes[place] = replace(node, layer=layer)
    set_anew = {
        id(nodes[place].place) for target in targets.values() for place in target.node_indices
    }
    remarks = tuple(each for each in model.remarks if id(each.place) not in set_anew)
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
        return replace(
            layer, model=apply_settings(inner, {target.inner_setting: value}, targets, scope)
        )
    made = _replace_argument(layer, target.argument_path, value, scope)
    if any(layer_references_in(made)):
        raise SpecError("a setting cannot call a layer again; write 'reuse' in the file", value)
    return made


def _replace_argument(
    layer: LayerKind, steps: Sequence[str], value: YamlNode, scope: Scope
) -> LayerKind:
    """A layer in which the argument that steps lead to has a value.

    Raises:
        SpecError: it cannot have it.
    """
    name, *further = steps
    kind = type(layer)
    if further:
        own = struct_field_name(kind, name)
        values: dict[str, Any] = {
            own: _replace_nested_argument(getattr(layer, own), further, value, scope)
        }
    else:
        values = _decode_argument(kind, name, value, scope)
    if name == SHAPE_ARGUMENT and 0 in kind.arity:
        values |= dict.fromkeys(INPUT_SIZE_ARGUMENTS[1:])
        shape = layer.output_shape()
        values["batch_size"] = None if isinstance(shape, UnknownShape) else next(iter(shape), None)
    try:
        made = replace(layer, **values)
        return name_inner_uniquely(made) if made.inner_layer_arguments else made
    except ValueError as error:
        raise SpecError(f"{kind.__name__}: {error}", value) from None


def _replace_nested_argument(held: Any, steps: Sequence[str], value: YamlNode, scope: Scope) -> Any:
    """The layer, or list of layers, that is an argument, with one of its own changed."""
    if isinstance(held, LayerKind):
        return _replace_argument(held, steps, value, scope)
    number, *further = steps
    items = list(held)
    item = items[int(number)]
    items[int(number)] = (
        _replace_nested_argument(item, further, value, scope)
        if further
        else decode_inner_layers(value, scope, decode_nested_model)
    )
    return tuple(items)


def _decode_argument(
    kind: type[LayerKind], name: str, value: YamlNode, scope: Scope
) -> dict[str, Any]:
    """The value of an argument, by what a kind calls it.

    Raises:
        SpecError: it is of a wrong type.
    """
    plain = (
        decode_inner_layers(value, scope, decode_nested_model)
        if name in kind.inner_layer_arguments
        else value.plain_value()
    )
    entry = SpecEntry(
        *value.coordinates,
        argument_subset_type(kind, (name,)),
        {name: (value, value)},
        kind.__name__,
    )
    return asdict(decode_arguments(entry, {name: plain}, scope))
