"""What the types of the layer kinds say, as JSON Schema: numbers may be expressions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import json

from dense_calc.layers import ALIASES
from dense_calc.layers.base import AnyLayer, LayerKind

Schema = dict[str, Any]

WITH_PARAMETERS = "block."  # before the name of a definition for the layers in a block
MANY = 60  # characters of a type that is worth a definition of its own, if it stands twice
NUMBERS = ("integer", "number")

# References to a layer, as they stand in JSON.
LAYER = '"#/$defs/layer"'
LAYER_IN_A_BLOCK = f'"#/$defs/{WITH_PARAMETERS}layer"'


def components(types: Iterable[type]) -> dict[str, Schema]:
    """What msgspec says of these types and of those in them, by their names."""

    def hook(custom: type) -> Schema:
        assert custom is AnyLayer
        return ref("layer")

    _, found = json.schema_components(types, schema_hook=hook, ref_template="#/$defs/{name}")
    for part in found.values():
        part["description"] = " ".join(part["description"].partition("\n\n")[0].split())
    return {name: in_any_case(with_expressions(part)) for name, part in found.items()}


def ref(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*choices: Schema) -> Schema:
    """What fits one of these."""
    return {"anyOf": [*choices]}


def apart(part: Schema) -> tuple[Schema, Schema]:
    """A type without its default, and the default, if it has one."""
    default = {"default": part["default"]} if "default" in part else {}
    return {name: value for name, value in part.items() if name != "default"}, default


def with_expressions(part: Any) -> Any:
    """A type in which text may stand for every number; a default of nothing goes without saying."""
    if isinstance(part, list):
        return [with_expressions(each) for each in part]
    if not isinstance(part, dict):
        return part
    whole = {
        name: with_expressions(value)
        for name, value in part.items()
        if name != "title" and (name, value) != ("default", None)
    }
    choices = whole.get("anyOf", [])
    if part.get("type") in NUMBERS:
        bare, default = apart(whole)
        return any_of(bare, ref("expression")) | default
    if any("anyOf" in choice for choice in choices):
        flat = [each for choice in choices for each in choice.get("anyOf", [choice])]
        texts = [each for each in flat if each != ref("expression")]
        whole["anyOf"] = [*texts, ref("expression")]
    return whole


def in_any_case(part: Schema) -> Schema:
    """A set of words that Keras reads in any case; anything else as it is."""
    if "enum" not in part:
        return part
    words = "|".join(
        "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in word)
        for word in part["enum"]
    )
    any_case = {"type": "string", "pattern": f"^({words})$"}
    return {"description": part["description"], **any_of({"enum": part["enum"]}, any_case)}


def kind_schema(kind: type[LayerKind], part: Schema) -> Schema:
    """The arguments of a kind, with what stands beside them: what the layer reads."""
    properties = dict(part["properties"])
    for name in kind.wraps:
        if not properties[name]:  # a union that msgspec cannot tell: a layer, or a list of them
            properties[name] = any_of(ref("layer"), {"type": "array", "items": ref("layer")})
    names = [kind.__name__, *(alias for alias, own in ALIASES.items() if own == kind.__name__)]
    properties["type"] = {"enum": names}
    if kind.takes.stop > 1:
        properties["from"] = ref("from")
    return {**part, "properties": properties, "additionalProperties": False}


def shared_types(kinds: Iterable[Schema]) -> dict[str, str]:
    """Names for long types that several arguments have, by the types as JSON.

    A type is named after the argument that has it most often.
    """
    arguments: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind in kinds:
        for name, part in kind["properties"].items():
            arguments[json_of(part)][name] += 1
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for text, counts in arguments.items():
        if counts.total() > 1 and len(text) > MANY:
            (name, _), *_ = counts.most_common(1)
            taken[name] += 1
            names[text] = f"type.{name}" + (f"_{taken[name]}" if taken[name] > 1 else "")
    return names


def json_of(part: Schema) -> str:
    """The type of an argument as JSON, without the default."""
    return json.encode(apart(part)[0]).decode()


def with_references(kind: Schema, shared: Mapping[str, str]) -> Schema:
    """A kind whose arguments refer to shared types."""
    properties = {}
    for name, part in kind["properties"].items():
        text = json_of(part)
        properties[name] = ref(shared[text]) | apart(part)[1] if text in shared else part
    return {**kind, "properties": properties}


def with_parameters(kind: Schema) -> Schema:
    """A kind where it stands in a block: any argument may be a parameter."""
    properties = {}
    for name, part in kind["properties"].items():
        if name in ("name", "type", "from"):
            properties[name] = part
            continue
        text = json.encode(part).decode().replace(LAYER, LAYER_IN_A_BLOCK)
        inner, default = apart(json.decode(text))
        choices = inner["anyOf"] if list(inner) == ["anyOf"] else [inner]
        more = [] if ref("expression") in choices else [ref("parameter")]
        properties[name] = any_of(*choices, *more) | default
    return {**kind, "properties": properties}
