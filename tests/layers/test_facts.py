"""The table of facts: random layers and what real Keras makes of them, without Keras.

`python tests/oracle/compare.py --write` makes it.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cases import Case, read_facts
from ours import answer_of

from dense_calc.layers import KIND_MODULES
from dense_calc.layers.arguments.types import SerializedInitializer

FACTS = read_facts()


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_dense_calc_agrees_with_keras(kind: str) -> None:
    facts = [fact for fact in FACTS if fact["kind"] == kind]
    wrong = [line for fact in facts for line in difference(fact)]
    assert len(facts) >= 8
    assert not wrong, "\n".join(wrong)


def difference(fact: Case) -> list[str]:
    """A line that says how dense-calc differs from a fact, or none."""
    truth = {name: fact[name] for name in ("output", "dtype", "weights", "refused") if name in fact}
    answer, message = answer_of(fact)
    return [] if answer == truth else [f"{json.dumps(fact)}\n  dense-calc: {message or answer}"]


def test_the_facts_hold_both_sides() -> None:
    refused = sum("refused" in fact for fact in FACTS)
    assert len(FACTS) >= 1500
    assert len(FACTS) * 0.2 < refused < len(FACTS) * 0.5


def written_out(value: Any) -> Any:
    """An argument with an expression for every number."""
    if isinstance(value, list):
        return [written_out(each) for each in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {name: written_out(each) for name, each in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return f"({value} + 1) - 1"
    return value


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_an_expression_may_stand_where_a_number_stands(kind: str) -> None:
    for fact in FACTS:
        if fact["kind"] == kind and "refused" not in fact:
            arguments, inputs = written_out(fact["arguments"]), written_out(fact["inputs"])
            assert not difference({**fact, "arguments": arguments, "inputs": inputs})


def test_equal_objects_have_one_hash() -> None:
    """Layers are looked up by it, so that what a file writes several times is worked out once."""
    written = {"class_name": "RandomNormal", "config": {"seed": {"a": [1, 2]}, "mean": 1}}
    same = {"class_name": "RandomNormal", "config": {"mean": 1.0, "seed": {"a": [1, 2]}}}
    first, second = (msgspec.convert(each, SerializedInitializer) for each in (written, same))
    assert first == second
    assert hash(first) == hash(second)
