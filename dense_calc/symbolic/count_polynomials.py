"""Polynomials of a count in its variables, with exact coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from math import lcm, prod

from dense_calc.symbolic.polynomials import Polynomial
from dense_calc.symbolic.region_view import Region

Point = tuple[int, ...]
Exponents = tuple[int, ...]  # one for each variable
CountPolynomial = Mapping[Exponents, Fraction]  # the coefficients, none of them zero


def in_variables(polynomial: Polynomial, region: Region) -> CountPolynomial:
    """A polynomial in the indices of a region's values as one in the values themselves."""
    zero = (0,) * len(region)
    result: dict[Exponents, Fraction] = {}
    for monomial, number in polynomial.items():
        parts = {zero: Fraction(number)}
        for axis in monomial:
            values = region[axis]
            step = values.step if len(values) > 1 else 1
            slope, shift = Fraction(1, step), Fraction(-values.start, step)
            raised_parts: dict[Exponents, Fraction] = {}
            for key, factor in parts.items():
                raised = (*key[:axis], key[axis] + 1, *key[axis + 1 :])
                raised_parts[raised] = raised_parts.get(raised, Fraction()) + factor * slope
                raised_parts[key] = raised_parts.get(key, Fraction()) + factor * shift
            parts = raised_parts
        for key, factor in parts.items():
            result[key] = result.get(key, Fraction()) + factor
    return {key: factor for key, factor in result.items() if factor}


def evaluate_polynomial(polynomial: CountPolynomial, point: Point) -> Fraction:
    """What a polynomial comes to at a point."""
    scale = lcm(*(factor.denominator for factor in polynomial.values()))
    terms = (
        factor.numerator * (scale // factor.denominator) * prod(map(pow, point, key))
        for key, factor in polynomial.items()
    )
    return Fraction(sum(terms), scale)


def are_equal_on(one: CountPolynomial, other: CountPolynomial, region: Region) -> bool:
    """Whether two polynomials have the same values on a region.

    They have if they agree at as many values of each variable as their degrees tell apart.
    """
    keys = [*one, *other]
    degrees = [max((key[axis] for key in keys), default=0) for axis in range(len(region))]
    if all(len(values) > degree for values, degree in zip(region, degrees, strict=True)):
        return one == other
    grid = product(*(values[: degree + 1] for values, degree in zip(region, degrees, strict=True)))
    difference = {
        key: one.get(key, Fraction()) - other.get(key, Fraction())
        for key in keys
        if one.get(key) != other.get(key)
    }
    return all(evaluate_polynomial(difference, each) == 0 for each in grid)
