"""The search of `fit` against brute force, on functions of every shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dense_calc.errors import DenseCalcError
from dense_calc.limits import Limit
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.settings.variants import VariantRow
from dense_calc.whatif.fitting import frontier as frontiers
from dense_calc.whatif.fitting import search
from dense_calc.whatif.fitting.answers import FitQuery, FitResult, answer_fit_query

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
    "falling, with an end": lambda w: 300 - w if w < 300 else None,
}
GROWING = {
    name: COUNTS[name] for name in ("a square", "the same", "with holes", "with an end", "divisors")
}
PAIRS: dict[str, Count] = {
    "a stack": lambda w, d: d * (w * w + 3 * w),
    "a sum": lambda w, d: 5 * w + d,
    "heads": lambda w, d: w * d if w % d == 0 else None,
    "holes": lambda w, d: w * d if w % 4 == 0 and d % 3 == 0 else None,
    "a valley": lambda w, d: abs(w - 10) * 10 + d,
    "waves": lambda w, d: (w * d) % 31,
    "one that does not matter": lambda w, d: w * 10,
    "divisors": lambda w, d: w * d if 60 % w == 0 and 44 % d == 0 else None,
}


class Fake:
    """Variants of which the count is a function."""

    name = "fake"
    limits: tuple[Limit, ...] = ()

    def __init__(self, count: Count, own: Mapping[str, Any] | None = None) -> None:
        self.count = count
        self.own = own or {}

    def setting_value(self, name: str, /) -> Any:
        return self.own.get(name, 12)

    def row_with(self, settings: Mapping[str, Any], /) -> VariantRow:
        count = self.count(**settings)
        if count is None:
            return {"set": settings, "error": "a hole"}
        return {
            "set": settings,
            "total_params": count,
            "trainable_params": count,
            "non_trainable_params": 0,
            "total_bytes": 4 * count,
        }


def asked(count: Count, vary: str, most: int, **question: Any) -> FitResult:
    """What fits of a function that may be at most so much."""
    limits = (parse_limit(limit_kinds()["params"], most),)
    own = question.pop("own", None)
    return answer_fit_query(Fake(count, own), FitQuery(tuple(vary.split(",")), limits, **question))


def multiples(multiple: int, least: int, most: int) -> list[int]:
    return [value for value in range(least, most + 1) if value % multiple == 0]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that looks at few settings, as it does when there are very many."""
    for module, name, value in (
        (search, "MAX_EXHAUSTIVE_SIZE", 20),
        (search, "LINE_SAMPLES", 16),
        (search, "REFINEMENT_WIDTH", 8),
        (frontiers, "SMALL_GRID_SIZE", 0),
        (frontiers, "SAMPLED_COMBINATIONS", 200),
    ):
        monkeypatch.setattr(module, name, value)


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


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("most", [0, 1, 143, 144, 145, 700, 20_000, 10**7])
def test_of_a_long_line_a_look_at_some_suffices(name: str, most: int) -> None:
    values = list(range(1, 3001))
    found = asked(GROWING[name], "w", most, max=3000)
    assert found.is_monotone
    if name in ("a square", "the same"):
        assert found.checked_count < 2000
    assert found.is_sure != (name in ("a square", "the same"))  # among holes, one could be right
    demand_right(found, GROWING[name], values, most)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", ["a valley", "waves", "falling, with an end"])
@pytest.mark.parametrize("most", [0, 3, 50, 290, 5000])
def test_of_a_long_line_that_is_not_monotone_all_that_matters_is_looked_at(
    name: str, most: int
) -> None:
    found = asked(COUNTS[name], "w", most, max=3000)
    assert not found.is_monotone
    assert found.is_sure
    demand_right(found, COUNTS[name], list(range(1, 3001)), most)


def test_what_is_not_looked_at_is_not_said_to_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_DOWNWARD_SETTINGS", 5)
    found = asked(lambda w: 10**9 if w % 2 or w > 15_000 else w, "w", 10**6, max=20_000)
    assert not found.is_monotone
    assert not found.is_sure
    assert found.fitting_rows


def test_a_long_look_downwards_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_SEARCH_SECONDS", 0)
    found = asked(lambda w: 10**9 if w % 2 or w > 15_000 else w, "w", 10**6, max=20_000)
    assert not found.is_sure
    assert found.fitting_rows


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("most", [30, 200, 5000])
def test_without_an_end_one_is_found(name: str, most: int) -> None:
    found = asked(COUNTS[name], "w", most)
    end = min(found.ranges[0].values[-1], 4000)
    fitting = [w for w in range(1, end + 1) if (COUNTS[name](w) or most + 1) <= most]
    if end < 4000:
        assert [row["set"]["w"] for row in found.fitting_rows] == fitting[-1:]
    else:
        assert found.fitting_rows or not fitting


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


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("most", [0, 40, 300, 5000])
def test_a_large_frontier_is_what_brute_force_says(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_EXHAUSTIVE_SIZE", 300)
    found = asked(PAIRS[name], "w,d", most, max={"w": 70, "d": 45})
    rows = [(row["set"]["w"], row["set"]["d"]) for row in found.fitting_rows]
    assert rows == maximal(PAIRS[name], [list(range(1, 71)), list(range(1, 46))], most)
    is_whole = name in ("a stack", "a sum", "one that does not matter")
    assert found.is_sure == (not is_whole)


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
    with pytest.raises(DenseCalcError, match="only what is a whole number can vary here"):
        asked(lambda w: w, "w", 10, scale=scale, own={"w": own})


def test_a_search_where_nothing_is_a_model_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_SEARCH_SECONDS", 0)
    with pytest.raises(DenseCalcError, match="no value was found that makes a model; with w=1: a"):
        asked(lambda w: None, "w", 10)


@pytest.mark.parametrize("own", [None, 0, -3, float("inf")])
def test_what_is_no_number_cannot_be_scaled(own: object) -> None:
    with pytest.raises(DenseCalcError, match="'w' cannot be scaled"):
        asked(lambda w: w, "w", 9, scale=True, own={"w": own})


def test_the_tightest_limit_has_the_slack() -> None:
    limits = (
        parse_limit(limit_kinds()["params"], 1000),
        parse_limit(limit_kinds()["size"], "3600"),
    )
    found = answer_fit_query(Fake(lambda w: 10 * w), FitQuery(("w",), limits))
    assert found.fitting_rows[0]["set"] == {"w": 90}
    assert found.fitting_rows[0]["slack"] == 0
    assert [check.slack for check in found.checks] == [100, 0]


def test_what_is_below_a_minimum_does_not_fit() -> None:
    limits = (
        parse_limit(limit_kinds()["params"], 1000),
        parse_limit(limit_kinds()["min_params"], 995),
    )
    found = answer_fit_query(Fake(lambda w: 10 * w), FitQuery(("w",), limits, multiple_of=7))
    assert found.fitting_rows == ()
    assert found.nearest_row
    assert found.nearest_row["set"] == {"w": 98}
    assert found.nearest_row["slack"] == -15
