"""The parts of a spec as JSON Schema: layers, uses of blocks, blocks, and the top level."""

from __future__ import annotations

from collections.abc import Mapping

from dense_calc.layers import KIND_ALIASES, OPERATION_PREFIX, UNEXPORTED_KIND_MODULES, find_kind
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.quantities import limit_kinds
from dense_calc.schema.key_words import describe_keys
from dense_calc.schema.kind_schema import (
    BLOCK_PREFIX,
    EXPRESSION_SCHEMA,
    IDENTIFIER_SCHEMA,
    JsonSchema,
    any_of,
    schema_ref,
)
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS

_NAME_SCHEMA = {"type": "string", "pattern": "^[^/]+$"}
_BLOCK_NAME_PATTERN = "^[^A-Z/][^/]*$"  # a capital letter is the start of a Keras class


def layer_schema(kinds: Mapping[str, JsonSchema], prefix: str) -> JsonSchema:
    """A Keras layer in each form that a spec allows, or a second call of one.

    The forms are told apart by `if`, so that a validator complains about the one that is meant.
    """
    names = {**{name: name for name in kinds}, **KIND_ALIASES}
    bare = [name for name in sorted(names) if not kinds[names[name]].get("required")]
    by_key = {
        name: _arguments_schema(prefix + kind, kinds[kind], is_bare=name in bare)
        for name, kind in names.items()
    }
    of_call = {
        argument: kinds[name]["properties"][argument]
        for name in kinds
        for argument in find_kind(name).call_arguments
    }
    call = {"reuse": {"type": "string"}, "name": _NAME_SCHEMA, "from": schema_ref("from")}
    calls = describe_keys("call", call)
    flat = describe_keys("layer", {"type": {"enum": sorted(names)}})
    # A mapping with `type` or `reuse` does not come to the last form; editors complete the keys.
    starts = {"type": flat["type"], "reuse": calls["reuse"]}
    one_key = {"minProperties": 1, "maxProperties": 1}
    return _if_schema(
        {"type": "string"},
        _bare_word_schema({name: kinds[names[name]]["description"] for name in bare}),
        _if_schema(
            {"type": "object", "required": ["type"]},
            {"properties": flat, "allOf": [_flat_schema(prefix, name) for name in kinds]},
            _if_schema(
                {"type": "object", "required": ["reuse"]},
                _mapping_schema({**calls, **of_call}),
                _mapping_schema({**by_key, **starts}) | one_key,
            ),
        ),
    )


def _if_schema(condition: JsonSchema, then: JsonSchema, otherwise: JsonSchema) -> JsonSchema:
    """The schema of values that fit one of two, as a condition says."""
    return {"if": condition, "then": then, "else": otherwise}


def _flat_schema(prefix: str, kind: str) -> JsonSchema:
    """A layer of this kind if its `type` says so."""
    names = schema_ref(f"{kind}/properties/type")
    return {
        "if": {"properties": {"type": names}, "required": ["type"]},
        "then": schema_ref(prefix + kind),
    }


def _bare_word_schema(descriptions: Mapping[str, str]) -> JsonSchema:
    """One of these words, each with its description.

    They are an `enum` only where none of them stands: else editors would show all of them beside
    the description, and mix them up with the keys of mappings when they complete a word.
    """
    words = {"enum": [*descriptions]}
    each = [
        {"if": {"const": word}, "then": {"description": text}}
        for word, text in descriptions.items()
    ]
    return {"if": {"not": words}, "then": words, "else": {"allOf": each}}


def _arguments_schema(name: str, kind: JsonSchema, *, is_bare: bool) -> JsonSchema:
    """What stands under a Keras class: its arguments, or only the first one, or nothing."""
    choices = [schema_ref(name)]
    first = positional_arguments(name.removeprefix(BLOCK_PREFIX))[:1]
    if first and set(kind.get("required", ())) <= {*first}:
        value = {"not": {"type": ["object", "null"]}}
        choices.append({"allOf": [schema_ref(f"{name}/properties/{first[0]}"), value]})
    if is_bare:
        choices.append({"type": "null"})
    return {"description": kind["description"], **any_of(*choices)}


def _mapping_schema(properties: JsonSchema) -> JsonSchema:
    """A mapping with these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def from_schema() -> JsonSchema:
    """The value of `from`: a layer, one of its output tensors (`lstm[1]`), or a nest of these."""
    item = any_of({"type": ["number", "boolean", "null"]}, schema_ref("from"))
    return any_of(
        {"type": "string"},
        {"type": "array", "items": item, "minItems": 1},
        {"type": "object", "additionalProperties": item, "minProperties": 1},
    )


def block_use_schema(repetition: JsonSchema) -> JsonSchema:
    """A use of a block in each form that a spec allows; other keys are parameters."""
    name = {"type": "string", "pattern": _BLOCK_NAME_PATTERN}
    arguments = {"name": _NAME_SCHEMA, "from": schema_ref("from"), **repetition["properties"]}
    properties = describe_keys("use", {"type": name, **arguments})
    without_type = {key: schema for key, schema in properties.items() if key != "type"}
    return any_of(
        name,
        {
            "type": "object",
            "patternProperties": {
                _BLOCK_NAME_PATTERN: any_of(
                    {"type": "object", "properties": without_type}, {"type": "null"}
                )
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        {
            "type": "object",
            "properties": properties,
            "required": ["type"],
        },
    )


def block_schema() -> JsonSchema:
    """The definition of a block: a list of layers, or one with parameters and inputs."""
    layers = _list_schema(
        any_of(schema_ref(BLOCK_PREFIX + "layer"), schema_ref("use"), schema_ref("other"))
    )
    params = any_of(
        {"type": "array", "items": IDENTIFIER_SCHEMA},
        {"type": "object", "propertyNames": IDENTIFIER_SCHEMA},
    )
    parts = {"params": params, "inputs": _list_schema(IDENTIFIER_SCHEMA), "layers": layers}
    mapping = _mapping_schema(describe_keys("block", parts)) | {"required": ["layers"]}
    return any_of(layers, mapping)


def other_item_schema(repetition: JsonSchema) -> JsonSchema:
    """An operation, a nested model, a class beyond `keras.layers`, or a run of layers.

    The schema does not check their arguments.
    """
    word = f"^(?:{OPERATION_PREFIX}[A-Za-z0-9]+|{'|'.join((*MODELS, *UNEXPORTED_KIND_MODULES))})$"
    either = any_of({"type": "object"}, {"type": "null"})
    run = {**repetition["properties"], "layers": {"type": "array", "minItems": 1}}
    return any_of(
        {"type": "string", "pattern": word},
        {
            "type": "object",
            "patternProperties": {word: either},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        {
            "type": "object",
            "properties": {"type": {"type": "string", "pattern": word}},
            "required": ["type"],
        },
        _mapping_schema(describe_keys("run", run)) | {"required": list(run)},
    )


def _budget_schema() -> JsonSchema:
    """The limits of a model, and of layers in it by names or patterns."""
    bounds = {"max": "Most", "min": "Fewest"}
    limits = {
        name: {
            "description": f"{bounds[kind.rule]} {kind.quantity.words}: {kind.examples}.",
            **any_of({"type": "number", "minimum": 0}, {"type": "string"}),
        }
        for name, kind in limit_kinds().items()
    }
    each = describe_keys("budget", {"each": {"type": "boolean"}})
    of_layer = _mapping_schema({**limits, **each}) | {"minProperties": 1}
    layers = {"layers": {"type": "object", "additionalProperties": of_layer}}
    return _mapping_schema({**limits, **describe_keys("budget", layers)})


def expect_schema(facts: JsonSchema) -> JsonSchema:
    """The facts that a model must agree with, each with its words."""
    return {**facts, "properties": describe_keys("expect", facts["properties"])}


def _list_schema(items: JsonSchema) -> JsonSchema:
    """A list of one item or more."""
    return {"type": "array", "items": items, "minItems": 1}


def model_schema(input_layer: JsonSchema, arguments: JsonSchema) -> JsonSchema:
    """The top level of a spec; without `blocks`, no layer is a use of a block."""
    return {
        **_mapping_schema(describe_keys("model", _section_schemas(input_layer, arguments))),
        "required": ["layers"],
        **any_of(
            {"required": ["input"]},
            {"required": ["inputs"]},
            {"properties": {"layers": {"minItems": 1}}},
        ),
        "not": {"required": ["input", "inputs"]},
        "if": {"not": {"required": ["blocks"]}},
        "then": {
            "properties": {"layers": {"items": any_of(schema_ref("layer"), schema_ref("other"))}}
        },
    }


def _section_schemas(input_layer: JsonSchema, arguments: JsonSchema) -> JsonSchema:
    """The sections of a spec; an input is a shape, or a mapping of the arguments of its layer."""
    choices = arguments["properties"]["shape"]["anyOf"]
    shape = next(choice for choice in choices if choice["type"] == "array")
    entry = any_of(shape, input_layer)
    return {
        "name": {"type": "string"},
        "type": {"enum": list(MODELS)},
        "trainable": {"type": "boolean"},
        "vars": {
            "type": "object",
            "propertyNames": IDENTIFIER_SCHEMA,
            "additionalProperties": any_of({"type": "number"}, EXPRESSION_SCHEMA),
        },
        "input": entry,
        "inputs": {"type": "object", "additionalProperties": entry},
        "blocks": {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": _BLOCK_NAME_PATTERN},
            "additionalProperties": schema_ref("block"),
        },
        "layers": {
            "type": "array",
            "items": any_of(schema_ref("layer"), schema_ref("use"), schema_ref("other")),
        },
        "outputs": any_of(
            {"type": "string"},
            _list_schema({"type": "string"}),
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ),
        "budget": _budget_schema(),
        "expect": schema_ref("Expect"),
    }
