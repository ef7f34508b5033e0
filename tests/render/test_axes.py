"""Axes: ticks, counts and values as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.render.axes import count_ticks, human_count, spec_value_text


@given(st.integers(0, 10**20), st.integers(0, 10**20))
def test_ticks_are_a_few_and_hold_all_counts(one: int, other: int) -> None:
    low, high = sorted((one, other))
    marks = count_ticks(low, high)
    assert 2 <= len(marks) <= 6
    assert marks[0] <= low
    assert marks[-1] >= high


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (0, "0"), (999, "999"), (1000, "1k"), (1001, "1,001"), (7850, "7.85k"), (7855, "7,855"),
        (1_200_000, "1.2M"), (5 * 10**9, "5B"), (10**19, "10,000,000T"),
        (10**12 - 1, "999,999,999,999"),
    ],
)  # fmt: skip
def test_a_count_for_people_is_exact(total: int, text: str) -> None:
    assert human_count(total) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("relu", "relu"), ("a\x1b", r"a\x1b"), (64, "64"), (0.1 + 0.2, "0.3"), (1e-9, "1e-09"),
        (True, "true"), (None, "null"), ([64, [None, "x"]], "[64, [null, x]]"), ((), "[]"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_in_a_spec(value: Any, text: str) -> None:
    assert spec_value_text(value) == text
