"""Expressions: Python's arithmetic, and nothing else of Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.errors import Source, SpecError
from dense_calc.spec_language.scope import MAX_VAR_CHAIN, Scope
from dense_calc.spec_language.spec_numbers import ExpressionError
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER
from dense_calc.spec_language.yaml_tree import parse_yaml


def scope_of(text: str) -> Scope:
    """The scope of vars that a YAML mapping defines."""
    pairs: dict[str, Any] = parse_yaml(Source("vars", text)).value
    return Scope({name: value for name, (_, value) in pairs.items()})


VARS = scope_of("{width: 768, heads: 12, half: width / 2, rate: 0.25}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10*10*256", 25_600),
        ("width // heads", 64),
        ("min(width, 64)", 64),
        ("half", 384),
        ("4 * width", 3072),
        ("-heads + +3", -9),
        ("width * rate", 192),
        ("7 / 2", 3.5),
        ("2**10 % 1000", 24),
        ("sqrt(64)", 8),
        ("ceil(7 / 2) + floor(7 / 2) + round(3.4) + int(2.9)", 12),
        ("max(1, abs(0-5), log2(8))", 5),
        ("round(1250, -2)", 1200),
        ("round(1.25, 1)", 1.2),
        ("round(1, -10**9)", 0),  # whose ten to the power of a thousand million nobody waits for
        ("round(0.1, 10**18)", 0.1),
        ("1_000", 1000),
        ("9007199254740993 / 1", 9007199254740993),
        ("( 1 +\n 2 )", 3),
    ],
)
def test_an_expression_has_its_value(text: str, value: float) -> None:
    found = VARS.evaluate(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "width.real",
        "width[0]",
        "[1][0]",
        "(1).bit_length()",
        "lambda: 1",
        "1 if 2 else 3",
        "1 < 2",
        "not 1",
        "True",
        "'a' * 3",
        "print(1)",
        "min",
        "min(a=1)",
        "min()",
        "min(*[1])",
        "f'{1}'",
        "(x := 1)",
        "__import__('os')",
        "1 and 2",
        "~1",
        "1 << 2",
        "2j",
        "(0-8) ** 0.5",
        "1e400",
        "1e999 - 1e999",
        "int(1e300)",
        "round(1, 2, 3)",
        "width heads",
        "1; 2",
        "a\0b",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        VARS.evaluate(text)


BOMBS = {
    "a power of powers": "9**9**9",
    "a large power": "2**64",
    "a large product": "*".join(["10"] * 100),
    "a large float": "1e308*10",
    "a negative power of nothing": "0**-1",
    "nested parentheses": "(" * 250 + "1" + ")" * 240,
    "many signs": "-" * 499 + "1 +",
    "a long text": "1+" * 100_000 + "1",
    "a long number": "9" * 400,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        VARS.evaluate(text)


def test_a_sum_as_long_as_may_be_has_its_value() -> None:
    assert VARS.evaluate("+".join(["1"] * 250)) == 250


OPERATIONS = st.sampled_from(["+", "-", "*", "//", "%"])


@given(st.lists(st.tuples(OPERATIONS, st.integers(1, 30)), min_size=1, max_size=12))
def test_whole_numbers_are_computed_as_in_python(steps: list[tuple[str, int]]) -> None:
    text = "7" + "".join(f" {operation} {number}" for operation, number in steps)
    assert VARS.evaluate(text) == eval(text)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    assert abs(value_or_none(text) or 0) <= MAX_NUMBER


def value_or_none(text: str) -> float | None:
    """The value of an expression, None where it has none."""
    try:
        return VARS.evaluate(text)
    except (ExpressionError, SpecError):
        return None


@pytest.mark.parametrize("name", ["max", "lambda", "a b", "3a", "'a.b'", "None", "''"])
def test_a_var_has_a_name_that_can_be_written(name: str) -> None:
    with pytest.raises(SpecError, match="a var cannot be called"):
        scope_of(f"{{{name}: 3}}")


def test_vars_that_double_each_other_are_computed_once() -> None:
    chain = "{v0: 1, " + ", ".join(f"v{n}: v{n - 1} + v{n - 1}" for n in range(1, 45)) + "}"
    assert scope_of(chain)["v44"] == 2**44


def test_vars_may_use_each_other_in_any_order_but_not_without_end() -> None:
    assert scope_of("{a: b + 1, b: c * 2, c: 3}")["a"] == 7
    chain = "{" + ", ".join(f"v{n}: v{n + 1}" for n in range(MAX_VAR_CHAIN + 5)) + "}"
    with pytest.raises(SpecError, match="in a chain"):
        scope_of(chain)["v0"]
