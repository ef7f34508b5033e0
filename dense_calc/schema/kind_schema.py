"""The layer kinds as JSON Schema, from their types; a number may be an expression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import json

from dense_calc.layers import KIND_ALIASES
from dense_calc.layers.base import AnyLayer, LayerKind

JsonSchema = dict[str, Any]

BLOCK_PREFIX = "block."  # before the name of a definition for the layers in a block
_MIN_SHARED_TYPE_LENGTH = 60  # characters from which a repeated type gets its own definition
_NUMBER_TYPES = ("integer", "number")

# References to a layer, as they stand in JSON.
_LAYER_REF = '"#/$defs/layer"'
_BLOCK_LAYER_REF = f'"#/$defs/{BLOCK_PREFIX}layer"'


def type_schemas(types: Iterable[type]) -> dict[str, JsonSchema]:
    """The schemas that msgspec makes of these types and of the types in them, by name."""

    def hook(custom: type) -> JsonSchema:
        assert custom is AnyLayer
        return schema_ref("layer")

    _, schemas = json.schema_components(types, schema_hook=hook, ref_template="#/$defs/{name}")
    for schema in schemas.values():
        schema["description"] = " ".join(schema["description"].partition("\n\n")[0].split())
    return {name: _allow_any_case(_allow_expressions(each)) for name, each in schemas.items()}


def schema_ref(name: str) -> JsonSchema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*choices: JsonSchema) -> JsonSchema:
    """The schema of values that fit one of these."""
    return {"anyOf": [*choices]}


def _split_default(part: JsonSchema) -> tuple[JsonSchema, JsonSchema]:
    """A schema without its default, and the default as a schema of its own."""
    default = {"default": part["default"]} if "default" in part else {}
    return {name: value for name, value in part.items() if name != "default"}, default


def _allow_expressions(part: Any) -> Any:
    """A schema in which every number may be an expression, without titles and null defaults."""
    if isinstance(part, list):
        return [_allow_expressions(each) for each in part]
    if not isinstance(part, dict):
        return part
    schema = {
        name: _allow_expressions(value)
        for name, value in part.items()
        if name != "title" and (name, value) != ("default", None)
    }
    choices = schema.get("anyOf", [])
    if part.get("type") in _NUMBER_TYPES:
        bare, default = _split_default(schema)
        return any_of(bare, schema_ref("expression")) | default
    if any("anyOf" in choice for choice in choices):
        flat = [each for choice in choices for each in choice.get("anyOf", [choice])]
        texts = [each for each in flat if each != schema_ref("expression")]
        schema["anyOf"] = [*texts, schema_ref("expression")]
    return schema


def _allow_any_case(part: JsonSchema) -> JsonSchema:
    """A schema in which the words of a closed set may have any case, as in Keras."""
    if "enum" not in part:
        return part
    words = "|".join(
        "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in word)
        for word in part["enum"]
    )
    any_case = {"type": "string", "pattern": f"^({words})$"}
    return {"description": part["description"], **any_of({"enum": part["enum"]}, any_case)}


def layer_kind_schema(kind: type[LayerKind], part: JsonSchema) -> JsonSchema:
    """The schema of a kind: its arguments, `type` and `from`."""
    properties = dict(part["properties"])
    for name in kind.inner_layer_arguments:
        if not properties[name]:  # msgspec has no schema for a layer, or a list of them
            properties[name] = any_of(
                schema_ref("layer"), {"type": "array", "items": schema_ref("layer")}
            )
    names = [kind.__name__, *(alias for alias, own in KIND_ALIASES.items() if own == kind.__name__)]
    for alias, name in kind.argument_aliases.items():
        properties[alias] = properties[name]
    properties["type"] = {"enum": names}
    if kind.arity.stop > 1:
        properties["from"] = schema_ref("from")
    return {**part, "properties": properties, "additionalProperties": False}


def shared_type_names(kinds: Iterable[JsonSchema]) -> dict[str, str]:
    """Names for the long types that several arguments have, by the types as JSON.

    A type is named after the argument that has it most often.
    """
    arguments: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind in kinds:
        for name, part in kind["properties"].items():
            arguments[_encode_type(part)][name] += 1
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for text, counts in arguments.items():
        if counts.total() > 1 and len(text) > _MIN_SHARED_TYPE_LENGTH:
            (name, _), *_ = counts.most_common(1)
            taken[name] += 1
            names[text] = f"type.{name}" + (f"_{taken[name]}" if taken[name] > 1 else "")
    return names


def _encode_type(part: JsonSchema) -> str:
    """The schema of an argument as JSON, without the default."""
    return json.encode(_split_default(part)[0]).decode()


def refer_to_shared_types(kind: JsonSchema, shared: Mapping[str, str]) -> JsonSchema:
    """The schema of a kind whose arguments refer to shared types."""
    properties = {}
    for name, part in kind["properties"].items():
        text = _encode_type(part)
        properties[name] = (
            schema_ref(shared[text]) | _split_default(part)[1] if text in shared else part
        )
    return {**kind, "properties": properties}


def allow_parameters(kind: JsonSchema) -> JsonSchema:
    """The schema of a kind in a block: any argument may be a parameter."""
    properties = {}
    for name, part in kind["properties"].items():
        if name in ("name", "type", "from"):
            properties[name] = part
            continue
        text = json.encode(part).decode().replace(_LAYER_REF, _BLOCK_LAYER_REF)
        inner, default = _split_default(json.decode(text))
        choices = inner["anyOf"] if list(inner) == ["anyOf"] else [inner]
        parameter = [] if schema_ref("expression") in choices else [schema_ref("parameter")]
        properties[name] = any_of(*choices, *parameter) | default
    return {**kind, "properties": properties}
