"""The layer kinds as JSON Schema, from their types; a number may be an expression."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import json

from dense_calc.layers import KIND_ALIASES
from dense_calc.layers.base import AnyLayer, LayerKind
from dense_calc.layers.introspect.argument_words import argument_words
from dense_calc.schema.key_words import describe_keys

JsonSchema = dict[str, Any]

BLOCK_PREFIX = "block."  # before the name of a definition for the layers in a block
_SHARED_PREFIX = "type."  # before the name of a type that several arguments have
_MIN_SHARED_TYPE_LENGTH = 60  # characters from which a repeated type gets its own definition
_NUMBER_TYPES = {"integer", "number"}
_SCALAR_TYPES = _NUMBER_TYPES | {"boolean", "null", "string"}

IDENTIFIER_SCHEMA = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z_0-9]*$"}
# `+ - * / // % **` and calls of functions
EXPRESSION_SCHEMA = {"type": "string", "pattern": r"^[\w\s.,+\-*/%()]+$"}

# References to a layer, as they stand in JSON.
_LAYER_REF = '"#/$defs/layer"'
_BLOCK_LAYER_REF = f'"#/$defs/{BLOCK_PREFIX}layer"'


def type_schemas(types: Iterable[type]) -> dict[str, JsonSchema]:
    """The schemas that msgspec makes of these types and of the types in them, by name.

    Only these types keep a description: editors would show that of an inner one in place of ours.
    """
    types = list(types)
    described = {each.__name__ for each in types}

    def hook(custom: type) -> JsonSchema:
        assert custom is AnyLayer
        return schema_ref("layer")

    _, schemas = json.schema_components(types, schema_hook=hook, ref_template="#/$defs/{name}")
    for name, schema in schemas.items():
        description = " ".join(schema.pop("description").partition("\n\n")[0].split())
        if name in described:
            schema["description"] = description
    return {name: _allow_any_case(_allow_expressions(each)) for name, each in schemas.items()}


def schema_ref(name: str) -> JsonSchema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*choices: JsonSchema) -> JsonSchema:
    """The schema of values that fit one of these.

    Numbers, texts and null are one schema with several types: of three choices or more, editors
    show a heading of empty titles.
    """
    scalars: JsonSchema = {"type": []}
    schemas = []
    for choice in choices:
        types = _scalar_types(choice)
        taken = {*scalars["type"], *(_NUMBER_TYPES if _NUMBER_TYPES & {*scalars["type"]} else ())}
        if types and not taken & types and choice.keys() & scalars.keys() == {"type"}:
            if not taken:
                schemas.append(scalars)
            # text first: editors would write 0 for a number
            scalars |= {**choice, "type": sorted({*scalars["type"], *types}, reverse=True)}
        else:
            schemas.append(choice)
    if len(scalars["type"]) == 1:
        scalars["type"] = scalars["type"][0]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _scalar_types(part: JsonSchema) -> set[str]:
    """The types of a schema that allows whole types of scalars, else an empty set."""
    types = part.get("type", [])
    found = {types} if isinstance(types, str) else {*types}
    return found if found <= _SCALAR_TYPES and not {"enum", "description"} & part.keys() else set()


def split_notes(part: JsonSchema, *notes: str) -> tuple[JsonSchema, JsonSchema]:
    """A schema without these annotations, and the annotations that it has."""
    return (
        {name: value for name, value in part.items() if name not in notes},
        {name: value for name, value in part.items() if name in notes},
    )


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
    if part.get("type") in _NUMBER_TYPES:
        bare, default = split_notes(schema, "default")
        return any_of(bare, EXPRESSION_SCHEMA) | default
    choices = schema.pop("anyOf", [])
    flat = [each for choice in choices for each in choice.get("anyOf", [choice])]
    return schema | any_of(*flat) if flat else schema


def _allow_any_case(part: JsonSchema) -> JsonSchema:
    """A schema in which the words of a closed set may have any case, as in Keras."""
    if "enum" not in part:
        return part
    words = "|".join(
        "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in word)
        for word in part["enum"]
    )
    any_case = {"type": "string", "pattern": f"^({words})$"}
    return any_of({"enum": part["enum"]}, any_case)


def layer_kind_schema(kind: type[LayerKind], part: JsonSchema) -> JsonSchema:
    """The schema of a kind: its arguments, each with its words, `type` and `from`."""
    properties = {
        name: {**schema, "description": argument_words(kind, name)}
        for name, schema in part["properties"].items()
    }
    for name in kind.inner_layer_arguments:
        if not part["properties"][name]:  # msgspec has no schema for a layer, or a list of them
            layers = {"type": "array", "items": schema_ref("layer")}
            properties[name] |= any_of(schema_ref("layer"), layers)
    names = [kind.__name__, *(alias for alias, own in KIND_ALIASES.items() if own == kind.__name__)]
    for alias, name in kind.argument_aliases.items():
        properties[alias] = properties[name]
    properties |= describe_keys("layer", {"type": {"enum": names}})
    if kind.arity.stop > 1:
        properties |= describe_keys("layer", {"from": schema_ref("from")})
    return {**part, "properties": properties, "additionalProperties": False}


def shared_type_names(kinds: Iterable[JsonSchema]) -> dict[str, str]:
    """Names for the long types that several arguments have, with their words, by the JSON of these.

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
            names[text] = _SHARED_PREFIX + name + (f"_{taken[name]}" if taken[name] > 1 else "")
    return names


def _encode_type(part: JsonSchema) -> str:
    """The schema of an argument as JSON, without the default."""
    return json.encode(split_notes(part, "default")[0]).decode()


def refer_to_shared_types(kind: JsonSchema, shared: Mapping[str, str]) -> JsonSchema:
    """The schema of a kind whose arguments refer to shared types."""
    properties = {}
    for name, part in kind["properties"].items():
        text = _encode_type(part)
        properties[name] = (
            schema_ref(shared[text]) | split_notes(part, "default")[1] if text in shared else part
        )
    return {**kind, "properties": properties}


def allow_parameters(kind: JsonSchema) -> JsonSchema:
    """The schema of a kind in a block: any argument may be a parameter."""
    properties = {
        name: part if name in ("name", "type", "from") else allow_parameter(part)
        for name, part in kind["properties"].items()
    }
    return {**kind, "properties": properties}


def allow_parameter(part: JsonSchema) -> JsonSchema:
    """The type of an argument in a block, where it may be a parameter."""
    text = json.encode(part).decode().replace(_LAYER_REF, _BLOCK_LAYER_REF)
    shared = schema_ref(_SHARED_PREFIX)["$ref"]
    if part.get("$ref", "").startswith(shared):
        text = text.replace(shared, schema_ref(BLOCK_PREFIX + _SHARED_PREFIX)["$ref"])
        return json.decode(text, type=JsonSchema)
    inner, notes = split_notes(json.decode(text), "default", "description")
    choices = inner["anyOf"] if list(inner) == ["anyOf"] else [inner]
    has_expression = any(each.get("pattern") == EXPRESSION_SCHEMA["pattern"] for each in choices)
    return any_of(*choices, *([] if has_expression else [IDENTIFIER_SCHEMA])) | notes
