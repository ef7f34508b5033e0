"""Growth: what is collected from expressions is exact, and no claim is false."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import factorial, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.symbolic_counts import Count, growth_of

from dense_calc.render import Style
from dense_calc.render.algebra import (
    ASCII_NOTATION,
    MATH_NOTATION,
    PYTHON_NOTATION,
    format_condition,
    format_terms,
    python_names,
)
from dense_calc.render.growth_text import render_growth
from dense_calc.symbolic.count_polynomials import CountPolynomial, evaluate_polynomial
from dense_calc.symbolic.regions import has_point
from dense_calc.whatif.find_growth import Growth, GrowthExpressions, NoModelError
from dense_calc.whatif.growing import GrowthResult

Point = tuple[int, ...]


def check(growth: Growth, count: Count, step: int = 7) -> None:
    """Hold everything that is said against the function, at many points of the ranges."""
    for point in product(*(each[:: max(1, len(each) // 60) or step] for each in growth.ranges)):
        result = count(*point)
        pieces = [piece for piece in growth.pieces if has_point(piece.domain, point)]
        assert len(pieces) <= 1
        if growth.pieces and result is not None:
            assert pieces, point
            assert evaluate_polynomial(pieces[0].polynomial, point) == result, point
        if growth.valid_domain:
            domain = zip(point, growth.valid_domain, strict=True)
            assert all(at in part for at, part in domain) == (result is not None), point
    for point, told in growth.sample_counts:
        assert count(*point) == told


NUMBERS = st.integers(-10_000, 10_000)
EXPONENTS = (st.integers(0, 6), st.integers(0, 3), st.integers(0, 2))


@st.composite
def polynomials(draw: st.DrawFn) -> CountPolynomial:
    """A polynomial in one to three variables."""
    size = draw(st.integers(1, 3))
    exponents = st.tuples(*([EXPONENTS[size - 1]] * size))
    terms = draw(st.dictionaries(exponents, NUMBERS.filter(bool), min_size=1, max_size=8))
    return {key: Fraction(number) for key, number in terms.items()}


@st.composite
def cases(draw: st.DrawFn, size: int) -> tuple[list[tuple[int, int]], Point]:
    """The ranges of some variables, and a value of each in them."""
    lows = [draw(st.integers(0, 40)) for _ in range(size)]
    ranges = [(low, low + draw(st.integers(15, 5000))) for low in lows]
    return ranges, tuple(draw(st.integers(*each)) for each in ranges)


@given(st.data())
def test_a_polynomial_is_found_exactly(data: st.DataObject) -> None:
    polynomial = data.draw(polynomials())
    ranges, own = data.draw(cases(len(next(iter(polynomial)))))

    def count(*point: int) -> int:
        terms = (
            int(factor) * prod(at**order for at, order in zip(point, key, strict=True))
            for key, factor in polynomial.items()
        )
        return sum(terms)

    result = growth_of(count, *ranges, own=own)
    assert len(result.pieces) == 1
    assert result.pieces[0].polynomial == polynomial
    assert result.is_exhaustive


def binomial(number: int, order: int) -> int:
    """`number` over `order`."""
    return prod(number - less for less in range(order)) // factorial(order)


@given(st.data())
def test_a_polynomial_with_fractions_is_found_exactly(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 3))
    orders = st.tuples(*([st.integers(0, 3)] * size))
    terms = data.draw(st.dictionaries(orders, NUMBERS, min_size=1, max_size=5))

    def count(*point: int) -> int:
        return sum(number * prod(map(binomial, point, key)) for key, number in terms.items())

    ranges, own = data.draw(cases(size))
    result = growth_of(count, *ranges, own=own)
    assert len(result.pieces) == 1
    expression = eval(
        "lambda x, y, z: "
        + " ".join(format_terms(result.pieces[0].polynomial, "xyz"[:size], PYTHON_NOTATION))
    )
    for point in product(*((low, low + 3, high - 1, high) for low, high in ranges)):
        assert expression(*point, *"yz"[size - 1 :]) == count(*point)


@given(
    st.integers(2, 24), st.integers(1, 9), st.integers(0, 9), st.integers(1, 4096), st.booleans()
)
def test_a_floor_is_a_polynomial_on_each_class(
    divisor: int, times: int, plus: int, own: int, ceil: bool
) -> None:
    def count(width: int) -> int:
        return times * (-(-width // divisor) if ceil else width // divisor) * width + plus * width

    result = growth_of(count, (1, 4096), own=(own,))
    assert len(result.pieces) == divisor
    assert has_point(result.pieces[0].domain, (own,))
    assert {piece.domain[0].step for piece in result.pieces} == {divisor}
    check(result, count)


@settings(max_examples=20)
@given(st.integers(20, 4000), st.integers(1, 4096), st.sampled_from([min, max]))
def test_a_bound_is_a_polynomial_on_each_side(
    bound: int, own: int, limit: Callable[[int, int], int]
) -> None:
    def count(width: int, depth: int) -> int:
        return depth * limit(width, bound) * 7 + width

    result = growth_of(count, (1, 4096), (1, 40), own=(own, 3))
    assert len(result.pieces) == 2
    check(result, count)


HOLES: Mapping[str, Count] = {
    "multiples": lambda width: None if width % 64 else width**2 + 3,
    "halves": lambda width: None if width % 2 else width // 2 * width + width // 2 // 2,
    "above": lambda width: None if width > 600 else (600 - width) ** 2 * 9,
    "below": lambda width: None if width < 12 else width // 12 * width,
    "one": lambda width: None if width == 513 else 5 * width + 1,
    "some": lambda width: None if width**2 % 7 == 4 else 5 * width + 1,
}


@pytest.mark.parametrize("name", HOLES)
def test_values_without_a_model_contradict_nothing(name: str) -> None:
    result = growth_of(HOLES[name], (1, 4096), own=(512,))
    assert len(result.pieces) > 0
    assert result.invalid_count
    check(result, HOLES[name])


def test_holes_of_several_variables_together() -> None:
    def count(width: int, heads: int) -> int | None:
        return None if width % heads else 3 * width**2 + heads

    result = growth_of(count, (1, 512), (1, 16), own=(96, 12))
    assert format_terms(result.pieces[0].polynomial, ["w", "h"], PYTHON_NOTATION) == [
        "3*w**2",
        "+ h",
    ]
    assert result.valid_domain is None


NO_POLYNOMIALS: Mapping[str, Count] = {
    "power": lambda width: 2 ** min(width, 100),
    "root": lambda width: int(width**0.5) * width,
    "logarithm": lambda width: int(math.log2(width)) * width,
    "divisor": lambda width: 768 // width * width,
}


@pytest.mark.parametrize("name", NO_POLYNOMIALS)
def test_what_is_no_polynomial_has_a_table(name: str) -> None:
    result = growth_of(NO_POLYNOMIALS[name], (1, 4096), own=(768,))
    assert not result.pieces
    assert ((768,), NO_POLYNOMIALS[name](768)) in result.sample_counts
    check(result, NO_POLYNOMIALS[name])


def test_a_divisor_may_be_a_variable_of_one_value() -> None:
    for divisor in (3, -3):
        result = growth_of(lambda w, d: 5 * (w // d), (1, 64), (divisor, divisor), own=(8, divisor))
        assert len(result.pieces) in (0, 3)
        check(result, lambda w, d: 5 * (w // d), 1)


def test_what_depends_on_two_variables_together_is_no_polynomial() -> None:
    for count in (lambda w, d: min(w, 8 * d), lambda w, d: w // d):
        assert not growth_of(count, (1, 4096), (1, 64), own=(768, 12)).pieces


def test_a_point_that_hides_what_others_show() -> None:
    def count(width: int, depth: int) -> int:
        return (width - 768) * depth**2 + (depth - 12) * width**2

    check(one := growth_of(count, (1, 4096), (1, 64), own=(768, 12)), count)
    assert len(one.pieces) == 1
    product_halved = growth_of(lambda w, d: w * d // 2, (1, 4096), (1, 64), own=(768, 12))
    assert len(product_halved.pieces) == 3
    check(product_halved, lambda w, d: w * d // 2)


@pytest.mark.parametrize("high", [1, 2, 3, 4])
def test_a_short_range_has_the_polynomial_of_a_long_one(high: int) -> None:
    result = growth_of(lambda width: 5 * width**2, (1, high), own=(1,))
    assert evaluate_polynomial(result.pieces[0].polynomial, (high,)) == 5 * high**2


def test_too_many_parts_end_the_search() -> None:
    def count(*point: int) -> int:
        return sum(min(at, 7 * other) for at in point for other in point)

    result = growth_of(count, *[(1, 5000)] * 4, own=(50,) * 4)
    assert not result.pieces
    assert result.is_cut_short
    told = GrowthResult("m", tuple("abcd"), None, result, GrowthExpressions())
    assert "fewer variables" in render_growth(told, Style())
    chaos = growth_of(
        lambda width: None if width * 2654435761 % 1009 < 500 else width, (1, 4096), own=(512,)
    )
    assert chaos.is_cut_short
    many = growth_of(lambda *point: prod(point) ** 2, *[(1, 5000)] * 8, own=(50,) * 8)
    assert len(many.pieces) == 1


def test_no_point_of_a_range_has_a_model() -> None:
    with pytest.raises(NoModelError):
        growth_of(lambda width: None, (1, 100), own=(5,))
    one = growth_of(lambda width: None if width != 77 else 3, (1, 100), own=(5,))
    assert one.valid_domain == (range(77, 78),)


def test_what_one_more_costs() -> None:
    result = growth_of(lambda w: None if w % 8 or w > 64 else w**2, (1, 512), own=(16,))
    (step,) = result.next_steps
    assert step
    assert (step.from_value, step.to_value, step.count_change) == (16, 24, 24**2 - 16**2)
    assert growth_of(lambda w: None if w > 64 else w**2, (1, 512), own=(64,)).next_steps == (None,)


@pytest.mark.parametrize(
    ("terms", "mathematics", "ascii_", "python"),
    [
        ({}, "0", "0", "0"),
        ({(0, 0): 7850}, "7,850", "7,850", "7850"),
        ({(1, 0): -1, (0, 0): 1}, "-b + 1", "-b + 1", "-b + 1"),
        ({(2, 1): 12, (1, 1): -1}, "12·a·b² - a·b", "12*a*b^2 - a*b", "12*a*b**2 - a*b"),
        ({(0, 10): 1, (0, 1): 1000}, "a¹⁰ + 1,000·a", "a^10 + 1,000*a", "a**10 + 1000*a"),
        ({(1, 0): Fraction(3, 2)}, "3·b / 2", "3*b / 2", "3*b//2"),
        (
            {(2, 0): Fraction(1, 2), (1, 0): Fraction(-5, 3)},
            "(3·b² - 10·b) / 6",
            "(3*b^2 - 10*b) / 6",
            "(3*b**2 - 10*b)//6",
        ),
        ({(0, 1): 1, (1, 0): 1, (1, 1): 1}, "a·b + b + a", "a*b + b + a", "a*b + b + a"),
    ],
)
def test_how_a_polynomial_is_written(
    terms: Mapping[Point, int | Fraction], mathematics: str, ascii_: str, python: str
) -> None:
    polynomial = {key: Fraction(number) for key, number in terms.items()}
    for text, notation in (
        (mathematics, MATH_NOTATION),
        (ascii_, ASCII_NOTATION),
        (python, PYTHON_NOTATION),
    ):
        assert " ".join(format_terms(polynomial, ["b", "a"], notation)) == text


@pytest.mark.parametrize(
    ("given_names", "names"),
    [
        (["width", "dense.units"], ["width", "dense_units"]),
        (["dense_units", "dense.units"], ["dense_units", "dense_units_"]),
        (["decoder/mlp.units", "lambda"], ["decoder_mlp_units", "lambda_"]),
        (["2x.units", "breite·ä"], ["_2x_units", "breite·ä"]),
        (["µ", "a b"], ["μ", "a_b"]),
    ],
)
def test_every_variable_has_a_name_that_python_takes(
    given_names: Sequence[str], names: Sequence[str]
) -> None:
    assert python_names(given_names) == names
    for name in names:
        assert eval(name, {name: 3}) == 3


def test_every_condition_is_one_in_python() -> None:
    result = growth_of(lambda w: min(w // 2, 40), (1, 200), own=(8,))
    assert len(result.pieces) == 3
    conditions = [format_condition(piece.domain, result.ranges, ["w"]) for piece in result.pieces]
    for w in range(1, 201):
        (expected,) = [
            evaluate_polynomial(piece.polynomial, (w,))
            for piece in result.pieces
            if has_point(piece.domain, (w,))
        ]
        assert expected == min(w // 2, 40)
        assert [eval(each, {"w": w}) for each in conditions].count(True) == 1


@settings(max_examples=12)
@given(st.integers(1, 200_000))
def test_a_single_value_that_is_not_like_the_others_is_found(odd: int) -> None:
    result = growth_of(lambda width: 7 * width + (width == odd), (1, 200_000), own=(100,))
    assert result.is_exhaustive
    assert len(result.pieces) > 1
    for at in (odd - 1, odd, odd + 1):
        told = [
            evaluate_polynomial(piece.polynomial, (at,))
            for piece in result.pieces
            if has_point(piece.domain, (at,))
        ]
        assert told == [7 * at + (at == odd)] * (1 <= at <= 200_000)


def test_a_stretch_among_many_values_is_found() -> None:
    def count(width: int) -> int | None:
        return None if width > 153 else 16 + max(0, width - 122)

    result = growth_of(count, (1, 4097), own=(100,))
    assert len(result.pieces) == 2
    check(result, count, 1)
    hill = growth_of(lambda width: 170 + max(0, 60 - abs(width - 281)), (1, 20_001), own=(100,))
    assert len(hill.pieces) == 4
