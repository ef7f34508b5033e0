"""Specs made to blow formulas up: they end with the right answer, and soon."""

from __future__ import annotations

import math
from typing import Any

import pytest
from conftest import work
from support.drawn_specs import variants_of
from support.formula_proof import ProvenFormulas

from dense_calc.symbolic.condition_log import ConditionLog
from dense_calc.symbolic.polynomials import multiply
from dense_calc.symbolic.symbolic_number import make_variable
from dense_calc.tracing.tracer import trace
from dense_calc.whatif.pieces import ModelFormulas

ABCD = dict.fromkeys("abcd", 1)
SIXTEEN = [f"x{number}" for number in range(16)]
SUM = " + ".join(SIXTEEN)
HUGE = 2**63 - 1


def dense(*units: Any, **vars: Any) -> dict[str, Any]:
    """A spec of Dense layers with these numbers of units."""
    layers = [{"Dense": {"units": each}} for each in units]
    return {"vars": vars, "input": [4], "layers": layers}


def chain(first: str, step: str) -> dict[str, str]:
    """As many vars as may use each other, each made from the one before."""
    names = [f"v{number}" for number in range(48)]
    steps = [step.replace("V", name) for name in names[:-1]]
    return dict(zip(names, [first, *steps], strict=True))


def repeat(text: str, step: str, length: int = 480) -> str:
    """An expression of nearly as many characters as one may have."""
    while len(step.replace("V", text)) < length:
        text = step.replace("V", text)
    return text


def few(*values: Any) -> list[tuple[Any, ...]]:
    """Points of one variable."""
    return [(value,) for value in values]


PAIRS = [(1, 1), (3, 2), (7, 3), (100, 7), (0, 1), (5, 0), (-4, 3), (HUGE, 2)]
CASES: dict[str, tuple[dict[str, Any], list[str], list[tuple[Any, ...]]]] = {
    "power of a sum": (
        dense("(a + b + c + d) ** 8", "(a + b + c + d) ** 64 % 7 + 1", **ABCD),
        list("abcd"),
        [(1, 1, 1, 1), (1, 2, 1, 1), (1, 0, 0, 0), (9, 9, 9, 9), (-1, 1, 1, 0), (HUGE, 0, 0, 0)],
    ),
    "product of powers": (
        dense("(a + b) ** 8 * (c + d) ** 8 * (a + c) ** 8 % 99 + 1", **ABCD),
        list("abcd"),
        [(1, 1, 1, 1), (1, 2, 1, 1), (1, 0, 1, 0), (3, 3, 3, 3), (-1, 1, 1, 0)],
    ),
    "sixteen settings": (
        dense(f"({SUM}) ** 3", *[SUM] * 60, **dict.fromkeys(SIXTEEN, 1)),
        SIXTEEN,
        [tuple((number * step) % 5 + 1 for number in range(16)) for step in range(6)],
    ),
    "squares": (dense("v47", a=1, **chain("a", "V ** 2")), ["a"], few(1, 0, -1, 2, 10, HUGE)),
    "cubes": (
        dense("min(v47, 5) + min(v30, 5)", a=1, **chain("a", "V ** 3")),
        ["a"],
        few(1, -10, 10, 0, -1, HUGE),
    ),
    "products before their bounds": (
        dense("min(v47, 5) + min(v1, 5)", a=1, **chain("a", "V * V")),
        ["a"],
        few(1, 10, -10, HUGE),
    ),
    "a power before its bound": (
        dense("a ** b", "min(b, 20)", a=3, b=5),
        ["a", "b"],
        [(3, 5), (3, HUGE), (-3, 2**62), (1, 2**62), (-1, 2**62), (2, 62), (2, 63), (0, 0)],
    ),
    "remainders": (
        dense("v47", a=5, **chain("a", "(V * V + a) % 1000 + 1")), ["a"], few(5, 6, 7, 999, 0, HUGE)
    ),
    "quotients": (
        dense("v47", a=5, **chain("a", "V * V // (V + a) + 1")), ["a"], few(5, 6, 7, 0, -5, HUGE)
    ),
    "many remainders": (dense(repeat("a", "V%b"), a=7, b=3), ["a", "b"], PAIRS),
    "many quotients": (dense(repeat("a", "V//b"), a=7, b=3), ["a", "b"], PAIRS),
    "many signs": (dense(repeat("a", "-V"), a=7, b=3), ["a", "b"], PAIRS),
    "many brackets": (dense(repeat("a", "(V+b)*2%99"), a=7, b=3), ["a", "b"], PAIRS),
    "many powers": (dense(repeat("a", "V**1"), a=7, b=3), ["a", "b"], PAIRS),
    "many roots": (dense(repeat("a", "sqrt(V)"), a=7, b=3), ["a", "b"], PAIRS),
    "many fractions": (dense(f"ceil({repeat('a/3', 'V/b')})", a=7, b=3), ["a", "b"], PAIRS),
    "a divisor in a divisor": (dense(repeat("a", "a//(V)"), a=7, b=3), ["a", "b"], PAIRS),
    "texts that look like numbers put into them": (
        dense("a", a=7), ["a", "dense.activation"], [(3, "\ud8000\ud801"), (0, "\ud8007\ud801")]
    ),
    "values of all kinds": (
        dense("a", a=7),
        ["a"],
        few(True, None, "b", "a", math.nan, math.inf, 10**400, -HUGE - 1, "1e3", 1e300, [3]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_formulas_that_would_blow_up(case: str) -> None:
    spec, names, points = CASES[case]
    proven = ProvenFormulas(variants_of(spec), names)
    for point in points:
        proven.demand_equal(point)
    assert proven.count == len(points)


def test_sizes_are_divided_by_a_var_in_thousands_of_layers() -> None:
    """Each size is computed from the one before, deeper than Python can call."""
    layers = [{"Conv1D": {"filters": 1, "kernel_size": 3, "strides": "s"}} for _ in range(2000)]
    spec = {"vars": {"a": 9000, "s": 1}, "input": ["a", 1], "layers": layers}
    proven = ProvenFormulas(variants_of(spec), ["a", "s"])
    for point in (9000, 1), (5000, 1), (4000, 1), (9000, 2):
        proven.demand_equal(point)


LARGE = {
    "one var": {"units": "a"},
    "another number of units in each": {"units": "a + index"},
    "a condition in each": {"units": "max(a, 2 * index) + 1"},
    "a quotient in each": {"units": "a // (index + 1) + 1"},
}


@pytest.mark.parametrize("case", LARGE)
def test_large_models(case: str) -> None:
    """A trace with symbolic numbers is some times a plain one, however many the layers are."""
    spec = {
        "vars": {"a": 10},
        "input": [8],
        "blocks": {"b": [{"Dense": LARGE[case]}]},
        "layers": [{"b": {"repeat": "n"}}],
    }

    def costs(copies: int) -> tuple[int, int]:
        whole = variants_of({**spec, "vars": {"a": 10, "n": copies}})
        trace(whole.model_with({"a": 11}))  # fills caches
        plain = work(lambda: trace(whole.model_with({"a": 12})))
        return plain, work(lambda: ModelFormulas(whole, ["a"]).evaluate_at((12,)))

    (_, small), (plain, large) = costs(100), costs(1000)
    assert large < 12 * small
    assert large < 10 * plain
    whole = variants_of({**spec, "vars": {"a": 10, "n": 300}})
    proven = ProvenFormulas(whole, ["a"])
    for point in few(10, 11, 500, 0, -3):
        proven.demand_equal(point)


def test_no_expression_has_many_products() -> None:
    log = ConditionLog()
    total: Any = 0
    for number in range(20):
        total = total * total + make_variable(log, f"x{number}", 1)
        assert len(total.polynomial) <= 50
        assert max(map(len, total.polynomial)) <= 16
    assert len(multiply(total.polynomial, total.polynomial)) <= 50**2
