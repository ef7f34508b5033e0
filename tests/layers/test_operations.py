"""Operations of `keras.ops`: the facts that real Keras told of each, and what holds for all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import ValidationError, convert
from support.operation_facts import FACTS, tuples

from dense_calc.dtypes import expand_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.operations import OPERATION_MODULES, operation_kind


def spec_of(fact: dict[str, Any]) -> Any:
    """The shape and the dtype of what a fact's operation gives."""
    operation = convert(fact["arguments"], operation_kind(fact["op"]))
    shape, dtype = operation.output_spec(tuples(fact["inputs"]), tuples(fact["dtypes"]))
    return shape, expand_dtypes(dtype, shape)


@pytest.mark.parametrize("line", FACTS)
def test_facts(line: str) -> None:
    fact = json.loads(line)
    if "refused" in fact:
        with pytest.raises((LayerError, ValidationError)):
            spec_of(fact)
    else:
        assert spec_of(fact) == (tuples(fact["output"]), tuples(fact["dtype"]))


def test_every_operation_has_facts() -> None:
    assert {json.loads(line)["op"] for line in FACTS} == set(OPERATION_MODULES)


def test_table_is_alphabetical() -> None:
    assert list(OPERATION_MODULES) == sorted(OPERATION_MODULES)


@pytest.mark.parametrize("name", OPERATION_MODULES)
def test_class_has_its_name(name: str) -> None:
    operation = operation_kind(name)
    assert operation.__name__ == name
    assert operation is operation_kind(name)
    assert operation.__doc__


def test_unknown_operation() -> None:
    with pytest.raises(KeyError):
        operation_kind("Conv2D")


HOSTILE: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("Repeat", {"repeats": 10**18}, [(None, 10**6)]),
    ("Split", {"indices_or_sections": 10**9}, [(10**9,)]),
    ("Unstack", {"num": 10**9}, [(None,)]),
    ("ArraySplit", {"indices_or_sections": 10**9}, [(None,)]),
    ("Unstack", {}, [(10**12,)]),
    ("Tile", {"repeats": [1] * 10**5}, [(3,)]),
    ("Tensordot", {"axes": 0}, [(2,) * 40, (2,) * 40]),
    ("Kron", {}, [(10**12,), (10**12,)]),
    ("GetItem", {"key": [None] * 10**5}, [(3,)]),
    ("GetItem", {"key": [{"class_name": "__slice__", "config": 3}]}, [(3,)]),
    ("GetItem", {"key": {"a": [1]}}, [(3,)]),
    ("GetItem", {"key": [["1:"]]}, [(3,)]),
    ("GetItem", {"key": ["1:2:3:4"]}, [(3,)]),
    ("GetItem", {"key": [":" * 10**5]}, [(3,)]),
    ("Einsum", {"subscripts": "a" * 990 + "->"}, [(3,)]),
    ("Rearrange", {"pattern": " " * 999}, [(3,)]),
    ("Meshgrid", {}, [(3,)] * 100),
    ("ExpandDims", {"axis": list(range(10**5))}, [(3,)]),
    ("Add", {}, [(3,)]),
    ("Concatenate", {}, [(3,), None]),
    ("Concatenate", {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "inputs"), HOSTILE)
def test_hostile_calls_are_refused(name: str, arguments: dict[str, Any], inputs: list[Any]) -> None:
    operation = convert(arguments, operation_kind(name))
    if name == "Repeat":
        assert operation.output_shape(*inputs) == (None,)
        inputs = [(10**6,)]
    with pytest.raises(LayerError):
        operation.output_shape(*inputs)


ENDLESS = [
    ("Einsum", {"subscripts": "a" * 10**6}),
    ("Rearrange", {"pattern": "a " * 10**6}),
    ("Reshape", {"newshape": [2**62] * 1000}),
    ("UnravelIndex", {"shape": [1] * 10**5}),
    ("Tile", {"repeats": 10**5000}),
]


@pytest.mark.parametrize(("name", "arguments"), ENDLESS)
def test_endless_arguments_are_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        convert(arguments, operation_kind(name))
