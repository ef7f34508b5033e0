"""The schema's words on all that a spec may say, as editors show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind
from dense_calc.layers.introspect.argument_words import argument_words
from dense_calc.schema import build_spec_schema

WHOLE = build_spec_schema()
DEFINITIONS = WHOLE["$defs"]


def description(schema: dict[str, Any]) -> str | None:
    """The description of a schema, or of the one that it refers to."""
    referred = schema.get("$ref", "").removeprefix("#/$defs/")
    own: str | None = schema.get("description")
    return own or (description(DEFINITIONS[referred]) if referred else None)


@pytest.mark.parametrize("name", KIND_MODULES)
def test_an_argument_shows_its_words(name: str) -> None:
    kind = find_kind(name)
    for definition in DEFINITIONS[name], DEFINITIONS[f"block.{name}"]:
        arguments = definition["properties"]
        assert all(description(each) for each in arguments.values())
        for argument in kind.__struct_encode_fields__:
            assert description(arguments[argument]) == argument_words(kind, argument)


@pytest.mark.parametrize("definition", ["layer", "block.layer"])
def test_a_layer_shows_what_it_does(definition: str) -> None:
    forms = DEFINITIONS[definition]
    keys = forms["else"]["else"]["else"]["properties"]
    bare = {
        each["if"]["const"]: each["then"]["description"] for each in forms["then"]["else"]["allOf"]
    }
    for name in (*KIND_MODULES, *KIND_ALIASES):
        kind = find_kind(name)
        first = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
        assert keys[name]["description"] == first
        assert bare.get(name, first) == first
    assert {"Flatten", "ReLU", "MaxPool2D"} < set(bare)


def mappings(schema: Any) -> Iterator[dict[str, Any]]:
    """The keys of each mapping in a part of the schema, with their schemas."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and isinstance(schema.get("properties"), dict):
            yield schema["properties"]
        for each in schema.values():
            yield from mappings(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from mappings(each)


def test_every_key_of_the_language_has_words() -> None:
    top = {name: part for name, part in WHOLE.items() if name != "$defs"}
    parts = [top, *(DEFINITIONS[name] for name in ("layer", "use", "block", "other", "Expect"))]
    for properties in mappings(parts):
        plain = {name: each for name, each in properties.items() if name != "type"}
        assert all(description(each) for each in plain.values())


def test_a_list_item_offers_a_layer_once() -> None:
    """Editors write `Flatten: Flatten` where a word may be both a value and a key."""
    forms = DEFINITIONS["layer"]
    assert set(forms) == {"if", "then", "else"}
    assert set(forms["then"]) == {"if", "then", "else"}
    assert "null" in str(forms["else"]["else"]["else"]["properties"]["Flatten"])


def test_numbers_and_texts_are_one_choice() -> None:
    """Of three choices or more, an editor shows a heading of empty titles."""
    assert DEFINITIONS["type.lora_rank"]["type"] == ["string", "null", "integer"]
    choices = DEFINITIONS["type.kernel_size"]["anyOf"]
    assert [each["type"] for each in choices] == [["string", "integer"], "array"]
