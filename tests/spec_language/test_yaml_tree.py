"""YAML: the values of YAML 1.2, with places, and nothing that could hurt."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dense_calc.errors import Source, SpecError
from dense_calc.spec_language.yaml_tree import MAX_YAML_DEPTH, parse_yaml


def value_of(text: str) -> Any:
    """The value of a YAML text."""
    return parse_yaml(Source("text", text)).plain_value()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("''", ""),
        ("10", 10),
        ("010", 10),
        ("-3", -3),
        ("+3", 3),
        ("0x1F", 31),
        ("0o17", 15),
        ("0b11", "0b11"),
        ("1_000_000", 1_000_000),
        ("1__0", "1__0"),
        ("1e6", 1_000_000),
        ("1e-5", 1e-5),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("-.inf", float("-inf")),
        (".infinity", ".infinity"),
        ("+.nan", "+.nan"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("'10'", "10"),
        ("!!str 10", "10"),
        ("٣", "٣"),
        ("10*10*256", "10*10*256"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}),
    ],
)
def test_a_word_is_what_yaml_1_2_says(text: str, value: Any) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_what_is_no_number_is_a_value(text: str) -> None:
    assert math.isnan(value_of(text))


def test_a_character_may_be_written_in_two_halves_as_in_json() -> None:
    assert value_of(r'["\ud83d\uDE00", "\\ud83d\\ude00"]') == ["😀", r"\ud83d\ude00"]
    with pytest.raises(SpecError, match="invalid Unicode character escape code"):
        value_of(r'"\ud83d"')


def test_values_know_where_they_stand() -> None:
    root = parse_yaml(Source("text", "a: 1\nb:\n  - c: 'dd'\n"))
    item = root.value["b"][1].value[0]
    key, under = item.value["c"]
    assert (key.line, key.column, key.width) == (3, 5, 1)
    assert (under.line, under.column, under.width) == (3, 8, 4)


BOMBS = {
    "depth": "[" * 100_000,
    "depth of mappings": "{a: " * 100_000,
    "block depth": "".join(f"{' ' * level}- \n" for level in range(MAX_YAML_DEPTH + 1)),
    "aliases": "a0: &a0 [1]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "depth of aliases": "a0: &a0 [1]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000)),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="too much"):
        value_of(text)
