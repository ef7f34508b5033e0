"""Polynomials as they are written: in the signs of mathematics, in ASCII, or for Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from keyword import iskeyword
from math import lcm
from unicodedata import normalize

from msgspec import Struct

from dense_calc.whatif.growth.pieces import ResidueRange
from dense_calc.whatif.growth.polynomial import Exponents, Polynomial

VariableNames = Sequence[str]
_SUPERSCRIPT_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Notation(Struct, frozen=True):
    """The signs of a way of writing; `power` of an exponent above 1."""

    times_sign: str
    format_power: Callable[[int], str]
    division_sign: str
    format_number: Callable[[int], str]


MATH_NOTATION = _Notation(
    "·", lambda order: str(order).translate(_SUPERSCRIPT_DIGITS), " / ", "{:,}".format
)
ASCII_NOTATION = _Notation("*", "^{}".format, " / ", "{:,}".format)
PYTHON_NOTATION = _Notation("*", "**{}".format, "//", str)


def format_terms(polynomial: Polynomial, names: VariableNames, notation: _Notation) -> list[str]:
    """The terms with their signs, over a common denominator; joined by spaces, the whole."""
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
    """What sorts terms: the largest degree first, then the variables as they were given."""
    return -sum(exponents), tuple(-exponent for exponent in exponents)


def _format_term(
    coefficient: int, exponents: Exponents, names: VariableNames, notation: _Notation
) -> str:
    """A term: `- 12·depth·width²`, its variables in the order of the alphabet."""
    factors = [
        name + (notation.format_power(exponent) if exponent > 1 else "")
        for name, exponent in sorted(zip(names, exponents, strict=True))
        if exponent
    ]
    if abs(coefficient) != 1 or not factors:
        factors.insert(0, notation.format_number(abs(coefficient)))
    return f"{'-' if coefficient < 0 else '+'} {notation.times_sign.join(factors)}"


def format_condition(
    parts: Iterable[ResidueRange], ranges: Iterable[range], names: VariableNames
) -> str:
    """The condition, also in Python, of being in parts of ranges; '' if they are all of them."""
    conditions = (
        condition
        for part, whole, name in zip(parts, ranges, names, strict=True)
        for condition in _part_conditions(part, whole, name)
    )
    return " and ".join(conditions)


def _part_conditions(part: ResidueRange, whole: range, name: str) -> Iterator[str]:
    """The conditions of being in one part."""
    if len(part.values) == 1 < len(whole):
        yield f"{name} == {part.values[0]}"
        return
    if (part.low, part.high) != (whole[0], whole[-1]):
        yield f"{part.low} <= {name} <= {part.high}"
    if part.period > 1:
        yield f"{name} % {part.period} == {part.remainder}"


def python_names(names: VariableNames) -> list[str]:
    """A name that Python takes for each, `dense_units` for `dense.units`, all of them different."""
    found: list[str] = []
    for name in names:
        text = normalize("NFKC", name)  # as Python does
        word = "".join(char if f"_{char}".isidentifier() else "_" for char in text)
        word = word if word.isidentifier() else f"_{word}"
        while iskeyword(word) or word in found:
            word += "_"
        found.append(word)
    return found
