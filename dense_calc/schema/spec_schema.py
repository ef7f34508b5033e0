"""The ways to write a spec, as JSON Schema: layers, uses of blocks, blocks, and the whole."""

from __future__ import annotations

from collections.abc import Mapping

from dense_calc.layers import ALIASES, OPERATION, OTHERS, kind_named
from dense_calc.quantities import limit_kinds
from dense_calc.schema.kind_schema import WITH_PARAMETERS, Schema, any_of, ref
from dense_calc.spec_language.expressions import FUNCTIONS
from dense_calc.tracing.nested_model import KINDS as MODELS

ANY_NAME = {"type": "string", "pattern": "^[^/]+$"}
WORD = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z_0-9]*$"}
BLOCK_NAME = "^[^A-Z/][^/]*$"  # a capital letter is the start of a Keras class
EXPRESSION = {
    "description": f"An expression over vars: + - * / // % ** and {' '.join(FUNCTIONS)}.",
    "type": "string",
    "pattern": r"^[\w\s.,+\-*/%()]+$",
}
AGAIN: Schema = {
    "type": "string",
    "description": "The name of a layer, or of a block, that is called again: its weights count "
    "once. `inner/dense` is a layer of a model inside; one there may also call those around it.",
}


def layer(kinds: Mapping[str, Schema], prefix: str) -> Schema:
    """A layer of Keras in each way to write it, or a second call of one."""
    names = {**{name: name for name in kinds}, **ALIASES}
    bare = {name for name, own in names.items() if not kinds[own].get("required")}
    under = {
        name: any_of(ref(prefix + own), {"type": "null"}) if name in bare else ref(prefix + own)
        for name, own in names.items()
    }
    by_type = [
        {"if": {"properties": {"type": kind["properties"]["type"]}}, "then": ref(prefix + name)}
        for name, kind in kinds.items()
    ]
    of_call = {
        argument: kinds[name]["properties"][argument]
        for name in kinds
        for argument in kind_named(name).of_call
    }
    return any_of(
        {"enum": sorted(bare)},
        mapping(under) | {"minProperties": 1, "maxProperties": 1},
        {
            "type": "object",
            "properties": {"type": {"enum": sorted(names)}},
            "required": ["type"],
            "allOf": by_type,
        },
        mapping({"reuse": AGAIN, "name": ANY_NAME, "from": ref("from"), **of_call})
        | {"required": ["reuse"]},
    )


def mapping(properties: Schema) -> Schema:
    """A mapping with these keys and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def sources() -> Schema:
    """What `from` says: a layer, one output of several (`lstm[1]`), or a nest of them."""
    one = any_of({"type": ["number", "boolean", "null"]}, ref("from"))  # of several
    return {
        "description": "What it reads: a layer, one output (`lstm[1]`), or several; also numbers.",
        **any_of(
            {"type": "string"},
            {"type": "array", "items": one, "minItems": 1},
            {"type": "object", "additionalProperties": one, "minProperties": 1},
        ),
    }


def use(repetition: Schema) -> Schema:
    """The use of a block in each way to write it; the keys it has more are parameters."""
    own = {"name": ANY_NAME, "from": ref("from"), **repetition["properties"]}
    return any_of(
        {"type": "string", "pattern": BLOCK_NAME},
        {
            "type": "object",
            "patternProperties": {
                BLOCK_NAME: any_of({"type": "object", "properties": own}, {"type": "null"})
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        {
            "type": "object",
            "properties": {"type": {"type": "string", "pattern": BLOCK_NAME}, **own},
            "required": ["type"],
        },
    )


def block() -> Schema:
    """The definition of a block: a list of layers, or one with parameters and inputs."""
    layers = a_list(any_of(ref(WITH_PARAMETERS + "layer"), ref("use"), ref("other")))
    params = any_of({"type": "array", "items": WORD}, {"type": "object", "propertyNames": WORD})
    parts = {"params": params, "inputs": a_list(WORD), "layers": layers}
    return any_of(layers, mapping(parts) | {"required": ["layers"]})


def other() -> Schema:
    """An operation, a model or another class beyond `keras.layers`, or a part that is repeated.

    What is in them is for dense-calc to check.
    """
    word = f"^(?:{OPERATION}[A-Za-z0-9]+|{'|'.join((*MODELS, *OTHERS))})$"
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
        mapping(repeated) | {"required": list(repeated)},
    )


def budget() -> Schema:
    """The limits of a model, and of layers in it by names or patterns."""
    limits = {
        name: {
            "description": f"{kind.rule}imum: a number, or {kind.examples}.",
            **any_of({"type": "number", "minimum": 0}, {"type": "string"}),
        }
        for name, kind in limit_kinds().items()
    }
    own = mapping({**limits, "each": {"type": "boolean"}}) | {"minProperties": 1}
    return mapping({**limits, "layers": {"type": "object", "additionalProperties": own}})


def a_list(items: Schema) -> Schema:
    """A list of one item or more."""
    return {"type": "array", "items": items, "minItems": 1}


def model(input_layer: Schema, arguments: Schema) -> Schema:
    """The top level of a spec; without `blocks`, no layer is the use of one.

    An input is a shape, or a mapping of the arguments of its layer.
    """
    shape = arguments["properties"]["shape"]["anyOf"][0]
    entry = any_of(shape, input_layer)
    sections = {
        "name": {"type": "string"},
        "type": {"enum": list(MODELS)},
        "trainable": {"type": "boolean"},
        "vars": {
            "type": "object",
            "propertyNames": WORD,
            "additionalProperties": any_of({"type": "number"}, ref("expression")),
        },
        "input": entry,
        "inputs": {"type": "object", "additionalProperties": entry},
        "blocks": {
            "type": "object",
            "propertyNames": {"type": "string", "pattern": BLOCK_NAME},
            "additionalProperties": ref("block"),
        },
        "layers": {"type": "array", "items": any_of(ref("layer"), ref("use"), ref("other"))},
        "outputs": any_of(
            {"type": "string"},
            a_list({"type": "string"}),
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ),
        "budget": budget(),
        "expect": ref("Expect"),
    }
    return {
        **mapping(sections),
        "required": ["layers"],
        **any_of(
            {"required": ["input"]},
            {"required": ["inputs"]},
            {"properties": {"layers": {"minItems": 1}}},
        ),
        "not": {"required": ["input", "inputs"]},
        "if": {"not": {"required": ["blocks"]}},
        "then": {"properties": {"layers": {"items": any_of(ref("layer"), ref("other"))}}},
    }
