"""The search of `fit` against brute force, on functions of every shape.

They are traced with symbolic numbers, as models are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.symbolic.condition_log import ConditionLog
from dense_calc.symbolic.formulas import Point, compile_formulas, essential_conditions
from dense_calc.symbolic.symbolic_number import as_operand_term, make_variable
from dense_calc.whatif.fitting import grids
from dense_calc.whatif.fitting.answers import FitQuery, FitResult, answer_fit_query
from dense_calc.whatif.pieces import ModelFormulas, Piece

Count = Callable[..., int | None]
COUNTS: dict[str, Count] = {
    "a square": lambda w: w * w,
    "a valley": lambda w: abs(w - 100) * 10,
    "waves": lambda w: w % 8 * 100 + w,
    "falling": lambda w: 3000 - w,
    "the same": lambda w: 700,
    "with holes": lambda w: w * w if w % 12 == 0 else None,
    "with an end": lambda w: w if w <= 150 else None,
    "divisors": lambda w: w if w and 2520 % w == 0 else None,
    "heads": lambda w: w * (768 // w) + 1 if 0 < w <= 768 else None,
    "falling, with an end": lambda w: 300 - w if w < 300 else None,
}
PAIRS: dict[str, Count] = {
    "a stack": lambda w, d: d * (w * w + 3 * w),
    "a sum": lambda w, d: 5 * w + d,
    "heads": lambda w, d: w * d if w % d == 0 else None,
    "holes": lambda w, d: w * d if w % 4 == 0 and d % 3 == 0 else None,
    "a valley": lambda w, d: abs(w - 10) * 10 + d,
    "waves": lambda w, d: (w * d) % 31,
    "falling": lambda w, d: 300 - w * d,
    "one that does not matter": lambda w, d: w * 10,
    "divisors": lambda w, d: w * d if 60 % w == 0 and 44 % d == 0 else None,
}
SURE_OF_VAST_RANGES = ("a square", "a valley", "with an end", "heads", "falling, with an end")


class Fake:
    """Variants of which the count is a function."""

    name = "fake"
    limits: tuple[Limit, ...] = ()
    outline_or_model = base_params = None

    def __init__(self, count: Count, own: Mapping[str, Any] | None = None) -> None:
        self.count = count
        self.own = own or {}

    def setting_value(self, name: str, usage: str | None = None, /) -> Any:
        return self.own.get(name, 12)


class FakePiece(Piece):
    """What a function comes to wherever some conditions hold."""

    def __init__(self, count: Count, log: ConditionLog, settings: Mapping[str, Any]) -> None:
        number = count(**settings)
        is_hole = number is None
        self.log = log
        self.report: Any = None if is_hole else "a report"
        self.error_parts, self.verdict = ["a hole"], {}
        amounts = () if number is None else (number, number, 0, 4 * number)
        self.results = list(map(as_operand_term, amounts))
        self.conditions = essential_conditions(log)
        self.evaluate = compile_formulas(log, self.conditions, self.results)


class FakeFormulas(ModelFormulas):
    """The formulas of a fake, which is traced with its own value of what does not vary."""

    def trace_piece(
        self, symbolic: Sequence[bool], point: Point, *, each_copy: bool = False
    ) -> Piece:
        log = ConditionLog()
        varying = zip(self.names, point, strict=True)
        settings = {name: make_variable(log, name, value) for name, value in varying}
        fake: Any = self.variants
        return FakePiece(fake.count, log, {**self.fixed, **settings})


def asked(count: Count, vary: str, most: int, **question: Any) -> FitResult:
    """What fits of a function that may be at most so much."""
    limits = question.pop("limits", (parse_limit(limit_kinds()["params"], most),))
    fake: Any = Fake(count, question.pop("own", None))
    names = tuple(vary.split(","))
    for bound in {"min", "max", "multiple_of"} & question.keys():
        if isinstance(question[bound], int):
            question[bound] = dict.fromkeys(names, question[bound])
    query = FitQuery(names, limits, **question)
    return answer_fit_query(fake, query, formulas_type=FakeFormulas)


def multiples(multiple: int, least: int, most: int) -> list[int]:
    return [value for value in range(least, most + 1) if value % multiple == 0]


def demand_right(found: FitResult, count: Count, values: list[int], most: int) -> None:
    """Assert that an answer along a line is that of brute force."""
    counts = {value: count(value) for value in values}
    valid = {value: number for value, number in counts.items() if number is not None}
    fitting = [value for value, number in valid.items() if number <= most]
    if not fitting:
        assert found.fitting_rows == ()
        assert found.nearest_row
        assert found.nearest_row["total_params"] == min(valid.values())
        assert found.nearest_row["slack"] == most - min(valid.values())
        return
    [row] = found.fitting_rows
    above = [value for value in valid if value > fitting[-1]]
    assert row["set"]["w"] == fitting[-1]
    assert row["slack"] == most - valid[fitting[-1]]
    assert (found.next_row and found.next_row["set"]["w"]) == next(iter(above), None)
    assert bool(found.barrier_row) == (not above and fitting[-1] != values[-1])


@given(
    name=st.sampled_from(sorted(COUNTS)),
    most=st.integers(0, 3000),
    multiple=st.integers(1, 12),
    least=st.integers(0, 50),
    width=st.integers(0, 250),
)
def test_a_line_is_what_brute_force_says(
    name: str, most: int, multiple: int, least: int, width: int
) -> None:
    count, values = COUNTS[name], multiples(multiple, least, least + width)
    counts = [number for number in map(count, values) if number is not None]
    bounds = {"multiple_of": multiple, "min": least, "max": least + width}
    if not counts:
        with pytest.raises(DenseCalcError):
            asked(count, "w", most, **bounds)
        return
    found = asked(count, "w", most, **bounds)
    demand_right(found, count, values, most)
    assert found.is_monotone == (counts == sorted(counts))
    assert found.is_constant == (len(counts) > 1 and len(set(counts)) == 1)
    assert (found.checked_count, found.total_count) == (len(values), len(values))


@given(counts=st.lists(st.none() | st.integers(0, 50), min_size=1), most=st.integers(0, 50))
def test_a_line_of_anything_is_what_brute_force_says(counts: list[int | None], most: int) -> None:
    def count(w: int) -> int | None:
        return counts[w - 1]

    if any(each is not None for each in counts):
        found = asked(count, "w", most, max=len(counts))
        demand_right(found, count, list(range(1, len(counts) + 1)), most)


@given(
    factors=st.tuples(*[st.integers(-9, 9)] * 4),
    divisors=st.tuples(*[st.integers(1, 9)] * 3),
    most=st.integers(-50, 500),
)
def test_a_line_of_floors_is_what_brute_force_says(
    factors: tuple[int, ...], divisors: tuple[int, ...], most: int
) -> None:
    def count(w: int) -> int | None:
        if w % divisors[0] == 1:
            return None
        linear, square, floor, rest = factors
        return linear * w + square * w * w + floor * (w // divisors[1]) + rest * (w % divisors[2])

    found = asked(count, "w", max(most, 0), max=150)
    demand_right(found, count, list(range(1, 151)), max(most, 0))
    assert found.is_sure


def largest(name: str, most: int, end: int) -> list[int]:
    """The largest value that fits, by brute force."""
    numbers = ((w, COUNTS[name](w)) for w in range(end, 0, -1))
    return [w for w, number in numbers if number is not None and number <= most][:1]


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("most", [30, 200, 768, 5000])
def test_without_an_end_one_is_found(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids, "MAX_POINTS", 2**14)
    found = asked(COUNTS[name], "w", most)
    end = found.ranges[0].values[-1]
    assert found.is_sure
    assert found.checked_count == found.total_count == end
    assert [row["set"]["w"] for row in found.fitting_rows] == largest(name, most, 2**14)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("most", [30, 768, 5000])
def test_of_a_vast_range_what_is_said_to_be_known_is_right(name: str, most: int) -> None:
    found = asked(COUNTS[name], "w", most, max=10**15)
    assert found.total_count == 10**15
    assert found.is_sure or name not in SURE_OF_VAST_RANGES
    assert not (found.is_sure and name in ("waves", "falling"))
    if found.is_sure:
        assert [row["set"]["w"] for row in found.fitting_rows] == largest(name, most, 10_000)


def test_where_no_value_is_near_that_makes_a_model_the_first_is_told() -> None:
    told = "none of the 12 values that were tried makes a model; with w=1: a hole"
    with pytest.raises(DenseCalcError, match=told):
        asked(lambda w: None, "w", 10)


def maximal(count: Count, axes: list[list[int]], most: int) -> list[tuple[int, ...]]:
    """The frontier by brute force."""
    fitting = []
    for places in product(*axes):
        number = count(*places)
        if number is not None and number <= most:
            fitting.append(places)
    kept: list[tuple[int, ...]] = []
    for one in reversed(fitting):
        if not any(all(a >= b for a, b in zip(other, one, strict=True)) for other in kept):
            kept.append(one)
    return kept[::-1]


@given(
    name=st.sampled_from(sorted(PAIRS)),
    most=st.integers(0, 600),
    ends=st.tuples(st.integers(8, 30), st.integers(8, 20)),
    multiple=st.integers(1, 4),
)
def test_a_frontier_is_what_brute_force_says(
    name: str, most: int, ends: tuple[int, int], multiple: int
) -> None:
    bounds = {"max": dict(zip("wd", ends, strict=True)), "multiple_of": {"w": multiple}}
    axes = [multiples(multiple, 1, ends[0]), multiples(1, 1, ends[1])]
    numbers = [PAIRS[name](*each) for each in product(*axes)]
    if not any(number is not None for number in numbers):
        with pytest.raises(DenseCalcError, match="a hole"):
            asked(PAIRS[name], "w,d", most, **bounds)
        return
    found = asked(PAIRS[name], "w,d", most, **bounds)
    rows = [(row["set"]["w"], row["set"]["d"]) for row in found.fitting_rows]
    assert rows == maximal(PAIRS[name], axes, most)
    assert found.checked_count == found.total_count
    if not rows:
        least = min(number for number in numbers if number is not None)
        assert found.nearest_row
        assert found.nearest_row["slack"] == most - least


@given(
    counts=st.lists(st.lists(st.none() | st.integers(0, 9), min_size=4, max_size=4), min_size=1),
    most=st.integers(0, 9),
)
def test_a_frontier_of_anything_is_what_brute_force_says(
    counts: list[list[int | None]], most: int
) -> None:
    def count(w: int, d: int) -> int | None:
        return counts[w - 1][d - 1]

    ends = {"w": len(counts), "d": 4}
    numbers = [number for row in counts for number in row if number is not None]
    if numbers:
        found = asked(count, "w,d", most, max=ends)
        rows = [(row["set"]["w"], row["set"]["d"]) for row in found.fitting_rows]
        assert rows == maximal(count, [list(range(1, end + 1)) for end in ends.values()], most)
        assert found.is_constant == (len(numbers) > 1 and len(set(numbers)) == 1)
        assert found.is_monotone == all(map(rises, (*counts, *zip(*counts, strict=True))))


def rises(counts: Sequence[int | None]) -> bool:
    """Whether no count is below one before it."""
    numbers = [number for number in counts if number is not None]
    return numbers == sorted(numbers)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("most", [0, 40, 300, 5000])
def test_a_frontier_without_ends_is_what_brute_force_says(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grids, "MAX_POINTS", 4096)
    found = asked(PAIRS[name], "w,d", most)
    w, d = (list(each.values) for each in found.ranges)
    assert found.is_sure
    assert found.checked_count == found.total_count == len(w) * len(d)
    assert w[-1] > 12 - w[0]
    assert d[-1] > 12 - d[0]
    rows = [(row["set"]["w"], row["set"]["d"]) for row in found.fitting_rows]
    assert rows == maximal(PAIRS[name], [w, d], most)


def test_steps_are_widened_where_there_are_too_many_combinations() -> None:
    found = asked(lambda w, d: w + d, "w,d", 3000)
    assert [list(each.values) for each in found.ranges] == [list(range(4, 3073, 4))] * 2
    assert (found.total_count, found.is_sure) == (768 * 768, True)


def test_three_variables_have_a_frontier() -> None:
    def count(a: int, b: int, c: int) -> int:
        return a * b + c

    found = asked(count, "a,b,c", 20, max=9)
    rows = [tuple(row["set"][name] for name in "abc") for row in found.fitting_rows]
    assert rows == maximal(count, [list(range(1, 10))] * 3, 20)


def test_variables_move_together_by_the_finest_steps() -> None:
    found = asked(
        lambda w, d: d * w * w,
        "w,d",
        10**6,
        scale=True,
        own={"w": 64, "d": 8},
        multiple_of={"w": 16},
    )
    told = [(row["set"], row["scale"]) for row in (*found.fitting_rows, found.next_row) if row]
    assert told == [({"d": 24, "w": 192}, 3.0), ({"d": 25, "w": 208}, 3.125)]


def test_what_moves_together_stays_within_its_ends() -> None:
    found = asked(lambda w, d: w * d, "w,d", 10**9, scale=True, own={"w": 10, "d": 2}, max={"d": 6})
    assert [row["set"] for row in found.fitting_rows] == [{"w": 32, "d": 6}]  # at 33, d would be 7
    assert not found.next_row


@pytest.mark.parametrize("own", ["a", True, [3]])
@pytest.mark.parametrize("scale", [True, False])
def test_what_is_no_number_cannot_vary(own: object, scale: bool) -> None:
    with pytest.raises(DenseCalcError, match="only whole numbers can vary here"):
        asked(lambda w: w, "w", 10, scale=scale, own={"w": own})


@pytest.mark.parametrize("own", [None, 0, -3, float("inf")])
def test_what_is_no_number_cannot_be_scaled(own: object) -> None:
    with pytest.raises(DenseCalcError, match="'w' cannot be scaled"):
        asked(lambda w: w, "w", 9, scale=True, own={"w": own})


def test_the_tightest_limit_has_the_slack() -> None:
    limits = (
        parse_limit(limit_kinds()["params"], 1000),
        parse_limit(limit_kinds()["size"], "3600"),
    )
    found = asked(lambda w: 10 * w, "w", 0, limits=limits)
    assert found.fitting_rows[0]["set"] == {"w": 90}
    assert found.fitting_rows[0]["slack"] == 0
    assert [check.slack for check in found.checks] == [100, 0]


def test_what_is_below_a_minimum_does_not_fit() -> None:
    limits = (
        parse_limit(limit_kinds()["params"], 1000),
        parse_limit(limit_kinds()["min_params"], 995),
    )
    found = asked(lambda w: 10 * w, "w", 0, limits=limits, multiple_of=7)
    assert found.fitting_rows == ()
    assert found.nearest_row
    assert found.nearest_row["set"] == {"w": 98}
    assert found.nearest_row["slack"] == -15
