"""Polynomials as text: in the signs of mathematics, in ASCII, or as Python code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from keyword import iskeyword
from math import lcm
from unicodedata import normalize

from msgspec import Struct

from dense_calc.symbolic.count_polynomials import CountPolynomial, Exponents

VariableNames = Sequence[str]
_SUPERSCRIPT_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Notation(Struct, frozen=True):
    """The signs of one way to write polynomials; `format_power` writes exponents above 1."""

    times_sign: str
    format_power: Callable[[int], str]
    division_sign: str
    format_number: Callable[[int], str]


MATH_NOTATION = Notation(
    "·", lambda order: str(order).translate(_SUPERSCRIPT_DIGITS), " / ", "{:,}".format
)
ASCII_NOTATION = Notation("*", "^{}".format, " / ", "{:,}".format)
PYTHON_NOTATION = Notation("*", "**{}".format, "//", str)


def format_terms(
    polynomial: CountPolynomial, names: VariableNames, notation: Notation
) -> list[str]:
    """The terms with their signs, over a common denominator; joined by spaces, the polynomial."""
    denominator = lcm(*(each.denominator for each in polynomial.values()))
    terms = [
        _format_term(int(polynomial[exponents] * denominator), exponents, names, notation)
        for exponents in sorted(polynomial, key=_term_sort_key)
    ]
    terms = terms or ["+ 0"]
    terms[0] = terms[0].removeprefix("+ ").replace("- ", "-")
    if denominator > 1:
        if len(terms) > 1:
            terms[0], terms[-1] = f"({terms[0]}", f"{terms[-1]})"
        terms[-1] += f"{notation.division_sign}{notation.format_number(denominator)}"
    return terms


def _term_sort_key(exponents: Exponents) -> tuple[int, tuple[int, ...]]:
    """The sort key of a term: the largest degree first, then the variables in their order."""
    return -sum(exponents), tuple(-exponent for exponent in exponents)


def _format_term(
    coefficient: int, exponents: Exponents, names: VariableNames, notation: Notation
) -> str:
    """A term, its variables in alphabetical order: `- 12·depth·width²`."""
    factors = [
        name + (notation.format_power(exponent) if exponent > 1 else "")
        for name, exponent in sorted(zip(names, exponents, strict=True))
        if exponent
    ]
    if abs(coefficient) != 1 or not factors:
        factors.insert(0, notation.format_number(abs(coefficient)))
    return f"{'-' if coefficient < 0 else '+'} {notation.times_sign.join(factors)}"


def format_condition(
    parts: Iterable[range],
    ranges: Iterable[range],
    names: VariableNames,
    notation: Notation = PYTHON_NOTATION,
) -> str:
    """The condition for values to be in these parts of ranges; '' if always so."""
    conditions = (
        condition
        for part, full_range, name in zip(parts, ranges, names, strict=True)
        for condition in _part_conditions(part, full_range, name, notation.format_number)
    )
    return " and ".join(conditions)


def _part_conditions(
    part: range, full_range: range, name: str, number: Callable[[int], str]
) -> Iterator[str]:
    """The conditions for a variable to be in one part of its range."""
    if len(part) == 1 < len(full_range):
        yield f"{name} == {number(part[0])}"
        return
    first = full_range.start + (part.start - full_range.start) % part.step
    if part != range(first, full_range.stop, part.step):
        yield f"{number(part[0])} <= {name} <= {number(part[-1])}"
    if part.step > 1:
        yield f"{name} % {number(part.step)} == {number(part.start % part.step)}"


def python_names(names: VariableNames) -> list[str]:
    """A distinct Python identifier for each name: `dense_units` for `dense.units`."""
    identifiers: list[str] = []
    for name in names:
        text = normalize("NFKC", name)  # as Python does
        word = "".join(char if f"_{char}".isidentifier() else "_" for char in text)
        word = word if word.isidentifier() else f"_{word}"
        while iskeyword(word) or word in identifiers:
            word += "_"
        identifiers.append(word)
    return identifiers
