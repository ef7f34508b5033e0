"""Limits held against models: what is within, what is over, and by how much."""

from __future__ import annotations

import fnmatch
from itertools import product

import pytest
from conftest import work
from support.checked_models import (
    DENSE,
    HEAD_A,
    HEAD_B,
    MODEL,
    NESTED,
    ONE,
    TRAINED,
    TWO,
    WHOLE,
    WIDE,
    checked,
)

from dense_calc.analysis import patterns
from dense_calc.analysis.patterns import MATCH_COST
from dense_calc.errors import SpecError
from dense_calc.tracing.name_patterns import escape_open_brackets


def test_each_limit_is_held_against_its_value() -> None:
    limits = "budget: {params: 300, trainable: 243, size: 1KiB, min_params: 277}\n"
    assert [(c.what, c.rule, c.limit, c.value, c.ok, c.slack) for c in checked(MODEL + limits)] == [
        ("params", "max", 300, WHOLE, True, 24),
        ("trainable", "max", 243, TRAINED, False, -1),
        ("size", "max", 1024, 4 * WHOLE, False, -80),
        ("params", "min", 277, WHOLE, False, -1),
    ]


@pytest.mark.parametrize(("limit", "ok"), [(WHOLE - 1, False), (WHOLE, True), (WHOLE + 1, True)])
def test_a_limit_itself_is_within(limit: int, ok: bool) -> None:
    assert checked(f"{MODEL}budget: {{params: {limit}}}")[0].ok is ok


@pytest.mark.parametrize(("limit", "ok"), [(WHOLE - 1, True), (WHOLE, True), (WHOLE + 1, False)])
def test_a_minimum_itself_is_enough(limit: int, ok: bool) -> None:
    assert checked(f"{MODEL}budget: {{min_params: {limit}}}")[0].ok is ok


def test_slack_is_in_per_cent_of_the_limit() -> None:
    assert checked(f"{MODEL}budget: {{params: 552}}")[0].percent == 50.0
    assert checked(f"{MODEL}budget: {{params: 138}}")[0].percent == -100.0
    assert checked(f"{MODEL}budget: {{params: 0}}")[0].percent is None
    assert checked(f"{MODEL}budget: {{min_params: 552}}")[0].percent == -50.0


def test_a_size_counts_each_weight_in_its_dtype() -> None:
    half = MODEL.replace("name: body", "name: body, dtype: float16")
    assert checked(f"{half}budget: {{size: 1k B}}".replace("1k B", "1kB"))[0].value == (
        2 * 144 + 4 * (64 + 68)
    )


def test_a_limit_may_be_an_expression_over_vars() -> None:
    check = checked(f"vars: {{width: 10}}\n{MODEL}budget: {{params: 2 * width ** 2}}")[0]
    assert (check.limit, check.given, check.ok) == (200, None, False)


def test_a_limit_knows_where_it_stands() -> None:
    text = f"{MODEL}budget:\n  params: 5M\n  layers:\n    head: {{size: 1}}\n"
    assert [(c.line, c.column, c.given) for c in checked(text)] == [(7, 11, "5M"), (9, 18, None)]


# a name or a pattern → the parameters of all that it means
MEANT = {
    "head_a": HEAD_A,
    "head*": HEAD_A + HEAD_B,
    "head_?": HEAD_A + HEAD_B,
    "head_[b]": HEAD_B,
    "part": 3 * (DENSE + WIDE),
    "part/dense": 3 * DENSE,
    "part_1": DENSE + WIDE,
    "part_*": 3 * (DENSE + WIDE),
    "part_1/dense": DENSE,
    "part_*/dense": 3 * DENSE,
    "*/wide": 3 * WIDE,
    "inner": ONE + TWO,
    "inner/two": TWO,
    "inner/*": ONE + TWO,
    "*": 3 * (DENSE + WIDE) + ONE + TWO + HEAD_A + HEAD_B,
}


@pytest.mark.parametrize("pattern", MEANT)
def test_a_limit_on_layers_is_on_all_together(pattern: str) -> None:
    (check,) = checked(f"{NESTED}budget: {{layers: {{'{pattern}': {{params: 1}}}}}}")
    assert (check.value, check.layers, check.ok) == (MEANT[pattern], pattern, False)


@pytest.mark.parametrize("name", ["one", "again", "*n*"])
def test_a_layer_that_is_called_again_counts_once_by_either_name(name: str) -> None:
    text = (
        "inputs: {a: [8], b: [8]}\nlayers:\n  - Dense: {units: 8, name: deep, from: b}\n"
        "  - {reuse: one, name: again, from: deep}\n  - Dense: {units: 4, name: one, from: a}\n"
        "  - Add: {name: sum, from: [again, one]}\n"
    )
    (check,) = checked(f"{text}budget: {{layers: {{'{name}': {{params: 1}}}}}}")
    assert check.value == 36


def test_a_limit_with_each_is_on_each_layer_or_copy() -> None:
    text = (
        "budget: {layers: {'head*': {params: 20, each: true}, 'part_*': {params: 1, each: true}}}"
    )
    assert [(c.layers, c.value, c.ok) for c in checked(NESTED + text)] == [
        ("head_a", HEAD_A, True),
        ("head_b", HEAD_B, False),
        *((f"part_{index}", DENSE + WIDE, False) for index in range(3)),
    ]


def test_the_largest_layers_are_told_of_what_is_over_alone() -> None:
    over, within, least = checked(f"{NESTED}budget: {{params: 99, size: 1MB, min_params: 1M}}")
    parts = [(part.name, part.type, part.value, part.repeat) for part in over.largest]
    assert parts == [
        ("part/dense", "Dense", 3 * DENSE, 3),
        ("part/wide", "Dense", 3 * WIDE, 3),
        ("inner", "Sequential", ONE + TWO, 1),
        ("head_b", "Dense", HEAD_B, 1),
        ("head_a", "Dense", HEAD_A, 1),
    ]
    assert sum(part.percent for part in over.largest) == pytest.approx(100)
    assert within.largest == least.largest == ()


def test_a_layer_of_one_copy_is_told_by_its_own_name() -> None:
    (check,) = checked(f"{NESTED}budget: {{layers: {{part_1: {{params: 1}}}}}}")
    assert [part.name for part in check.largest] == ["part_1/dense", "part_1/wide"]


EXPECTED = {
    f"params: {WHOLE}": True,
    f"params: {WHOLE + 1}": False,
    f"params: {WHOLE - 1}": False,
    f"trainable: {TRAINED}": True,
    f"trainable: {WHOLE}": False,
    "output_shape: [null, 4]": True,
    "output_shape: [null, 5]": False,
    "output_shape: [[null, 4]]": False,
    "output_shape: [4]": False,
}


@pytest.mark.parametrize("fact", EXPECTED)
def test_an_expectation_is_exact(fact: str) -> None:
    (check,) = checked(f"{MODEL}expect: {{{fact}, source: here}}")
    assert (check.rule, check.ok) == ("exact", EXPECTED[fact])
    assert bool(check.largest) is (fact == f"params: {WHOLE - 1}")


def test_a_flood_of_checks_is_an_error() -> None:
    layers = "".join("  - ReLU\n" for _ in range(1001))
    limits = "".join(
        f"    '{'*' * (index + 1)}': {{params: 1, each: true}}\n" for index in range(100)
    )
    with pytest.raises(SpecError, match="more than 50,000 checks; limit fewer layers each"):
        checked(f"input: [8]\nlayers:\n{layers}budget:\n  layers:\n{limits}")


# what is limited, how much of it a model and its budget come to, the complaint, and the limits
TOO_MUCH = [
    (
        "MAX_LIMITED_ROWS",
        14,
        "a budget may limit at most 13 layers",
        "part: {params: 1}, '*a*': {size: 1}",
    ),
    ("MAX_NAME_CHARS", 12, "names of layers in models are too long", "part: {params: 1}"),
    (
        "MAX_COMPARED_CHARS",
        3 * 145 + 17 * MATCH_COST,
        "17 names of layers are too",
        "'*a*': {size: 1}",
    ),
]


@pytest.mark.parametrize(("limit", "most", "told", "limits"), TOO_MUCH)
def test_limits_on_layers_look_at_so_much(
    limit: str, most: int, told: str, limits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{NESTED}budget: {{layers: {{{limits}}}}}"
    monkeypatch.setattr(patterns, limit, most)
    assert checked(text)
    monkeypatch.setattr(patterns, limit, most - 1)
    with pytest.raises(SpecError, match=told):
        checked(text)


@pytest.mark.parametrize("pattern", ["[", "[[", "a[", "[a][", "[]a[", "[!]", "*[[]*", "[]", "][]["])
def test_a_bracket_that_nothing_closes_is_a_sign(pattern: str) -> None:
    names = ["".join(signs) for signs in product(("", *"[]a!"), repeat=4)]
    assert fnmatch.filter(names, escape_open_brackets(pattern)) == fnmatch.filter(names, pattern)


def test_brackets_are_closed_once() -> None:
    def translate(times: int) -> int:
        return work(lambda: fnmatch.translate(escape_open_brackets("[" * times)))

    assert translate(4000) < 5 * translate(1000)
