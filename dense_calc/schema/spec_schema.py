"""The parts of a spec as JSON Schema: layers, uses of blocks, blocks, and the top level."""

from __future__ import annotations

from collections.abc import Mapping

from dense_calc.layers import KIND_ALIASES, OPERATION_PREFIX, UNEXPORTED_KIND_MODULES, find_kind
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.quantities import limit_kinds
from dense_calc.schema.kind_schema import BLOCK_PREFIX, JsonSchema, any_of, schema_ref
from dense_calc.spec_language.expressions import EXPRESSION_FUNCTIONS
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS

_NAME_SCHEMA = {"type": "string", "pattern": "^[^/]+$"}
IDENTIFIER_SCHEMA = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z_0-9]*$"}
_BLOCK_NAME_PATTERN = "^[^A-Z/][^/]*$"  # a capital letter is the start of a Keras class
EXPRESSION_SCHEMA = {
    "description": "An expression over vars: + - * / // % ** and "
    f"{' '.join(EXPRESSION_FUNCTIONS)}.",
    "type": "string",
    "pattern": r"^[\w\s.,+\-*/%()]+$",
}
_REUSE_SCHEMA: JsonSchema = {
    "type": "string",
    "description": "The name of a layer, or of a block, that is called again: its weights count "
    "once. `inner/dense` is a layer of a model inside; one there may also call those around it.",
}


def layer_schema(kinds: Mapping[str, JsonSchema], prefix: str) -> JsonSchema:
    """A Keras layer in each form that a spec allows, or a second call of one."""
    names = {**{name: name for name in kinds}, **KIND_ALIASES}
    bare = {name for name, kind in names.items() if not kinds[kind].get("required")}
    by_key = {
        name: _arguments_schema(prefix + kind, kinds[kind], is_bare=name in bare)
        for name, kind in names.items()
    }
    by_type = [
        {
            "if": {"properties": {"type": kind["properties"]["type"]}},
            "then": schema_ref(prefix + name),
        }
        for name, kind in kinds.items()
    ]
    of_call = {
        argument: kinds[name]["properties"][argument]
        for name in kinds
        for argument in find_kind(name).call_arguments
    }
    return any_of(
        {"enum": sorted(bare)},
        _mapping_schema(by_key) | {"minProperties": 1, "maxProperties": 1},
        {
            "type": "object",
            "properties": {"type": {"enum": sorted(names)}},
            "required": ["type"],
            "allOf": by_type,
        },
        _mapping_schema(
            {"reuse": _REUSE_SCHEMA, "name": _NAME_SCHEMA, "from": schema_ref("from"), **of_call}
        )
        | {"required": ["reuse"]},
    )


def _arguments_schema(name: str, kind: JsonSchema, *, is_bare: bool) -> JsonSchema:
    """What stands under a Keras class: its arguments, or only the first one, or nothing."""
    choices = [schema_ref(name)]
    first = positional_arguments(name.removeprefix(BLOCK_PREFIX))[:1]
    if first and set(kind.get("required", ())) <= {*first}:
        value = {"type": ["array", "string", "number", "boolean"]}
        choices.append({"allOf": [schema_ref(f"{name}/properties/{first[0]}"), value]})
    if is_bare:
        choices.append({"type": "null"})
    return any_of(*choices) if len(choices) > 1 else choices[0]


def _mapping_schema(properties: JsonSchema) -> JsonSchema:
    """A mapping with these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def from_schema() -> JsonSchema:
    """The value of `from`: a layer, one of its output tensors (`lstm[1]`), or a nest of these."""
    item = any_of({"type": ["number", "boolean", "null"]}, schema_ref("from"))
    return {
        "description": "What it reads: a layer, one output (`lstm[1]`), or several; also numbers.",
        **any_of(
            {"type": "string"},
            {"type": "array", "items": item, "minItems": 1},
            {"type": "object", "additionalProperties": item, "minProperties": 1},
        ),
    }


def block_use_schema(repetition: JsonSchema) -> JsonSchema:
    """A use of a block in each form that a spec allows; other keys are parameters."""
    properties = {"name": _NAME_SCHEMA, "from": schema_ref("from"), **repetition["properties"]}
    return any_of(
        {"type": "string", "pattern": _BLOCK_NAME_PATTERN},
        {
            "type": "object",
            "patternProperties": {
                _BLOCK_NAME_PATTERN: any_of(
                    {"type": "object", "properties": properties}, {"type": "null"}
                )
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "pattern": _BLOCK_NAME_PATTERN},
                **properties,
            },
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
    return any_of(layers, _mapping_schema(parts) | {"required": ["layers"]})


def other_item_schema() -> JsonSchema:
    """An operation, a nested model, a class beyond `keras.layers`, or a repeated run of layers.

    The schema does not check their arguments.
    """
    word = f"^(?:{OPERATION_PREFIX}[A-Za-z0-9]+|{'|'.join((*MODELS, *UNEXPORTED_KIND_MODULES))})$"
    either = any_of({"type": "object"}, {"type": "null"})
    repeated = {"repeat": {"type": "integer", "minimum": 1}, "layers": {"type": "array"}}
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
        _mapping_schema(repeated) | {"required": list(repeated)},
    )


def _budget_schema() -> JsonSchema:
    """The limits of a model, and of layers in it by names or patterns."""
    limits = {
        name: {
            "description": f"{kind.rule}imum: a number, or {kind.examples}.",
            **any_of({"type": "number", "minimum": 0}, {"type": "string"}),
        }
        for name, kind in limit_kinds().items()
    }
    of_layer = _mapping_schema({**limits, "each": {"type": "boolean"}}) | {"minProperties": 1}
    layers = {"type": "object", "additionalProperties": of_layer}
    return _mapping_schema({**limits, "layers": layers})


def _list_schema(items: JsonSchema) -> JsonSchema:
    """A list of one item or more."""
    return {"type": "array", "items": items, "minItems": 1}


def model_schema(input_layer: JsonSchema, arguments: JsonSchema) -> JsonSchema:
    """The top level of a spec; without `blocks`, no layer is a use of a block."""
    return {
        **_mapping_schema(_section_schemas(input_layer, arguments)),
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
    shape = arguments["properties"]["shape"]["anyOf"][0]
    entry = any_of(shape, input_layer)
    return {
        "name": {"type": "string"},
        "type": {"enum": list(MODELS)},
        "trainable": {"type": "boolean"},
        "vars": {
            "type": "object",
            "propertyNames": IDENTIFIER_SCHEMA,
            "additionalProperties": any_of({"type": "number"}, schema_ref("expression")),
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
