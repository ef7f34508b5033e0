"""Quotients in expressions: exact where they are whole, refused in one piece where they are not."""

from __future__ import annotations

import math
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.formula_proof import prove_text

from dense_calc.symbolic.condition_log import ConditionLog
from dense_calc.symbolic.symbolic_number import make_variable

# the units of a layer → how many pieces 200 values of a var have at most
EXPRESSIONS = {
    "a / 4": 10,
    "ceil(a / 3)": 10,
    "round(a / 4) + floor(a / 5)": 30,
    "int(a * 0.75)": 10,
    "a * 0.5": 10,
    "min(a / 2, 20)": 10,
    "64 / a": 70,
    "round(a / 3)": 10,
    "100 - a": 10,
    "a / 7 + 0.5": 200,
}


@pytest.mark.parametrize("units", EXPRESSIONS)
def test_units_are_what_a_plain_trace_says(units: str) -> None:
    text = f"vars: {{a: 12}}\ninput: [7]\nlayers: [Dense: {{units: '{units}'}}]\n"
    proof = prove_text(text, ["a"])
    for value in (12, *range(-50, 150), 10**9 + 1, 2**53 + 1, 2**62 + 3):
        proof.demand_equal((value,))
    assert proof.formulas.piece_count <= EXPRESSIONS[units]


@given(
    dividend=st.integers(-100, 100) | st.integers(-(2**54), 2**54),
    divisor=(st.integers(-12, 12) | st.integers(-(2**54), 2**54)).filter(bool),
    factor=st.sampled_from([0.75, 1.5, -0.5, 0.1, 3.0]),
    other=st.integers(-5, 5),
)
def test_floats_are_rounded_and_compared_as_plain_ones(
    dividend: int, divisor: int, factor: float, other: int
) -> None:
    number: Any = make_variable(ConditionLog(), "a", dividend)
    pairs = [(number / divisor, dividend / divisor), (number * factor, dividend * factor)]
    for symbolic, plain in pairs:
        assert symbolic.value == plain
        for rounded in (math.floor, math.ceil, math.trunc, round):
            assert rounded(symbolic).value == rounded(plain)
        for compare in (operator.lt, operator.le, operator.eq, operator.ne):
            for bound in (other, round(plain), math.ceil(plain)):
                assert compare(symbolic, bound) == compare(plain, bound)
                assert compare(bound, symbolic) == compare(bound, plain)
