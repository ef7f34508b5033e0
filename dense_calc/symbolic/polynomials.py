"""Polynomials with whole coefficients, in atoms that are known by their indices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import gcd

Monomial = tuple[int, ...]  # the indices of its atoms in order, each as often as its power
Polynomial = Mapping[Monomial, int]  # the coefficient of each monomial, none of them 0
Term = tuple[tuple[Monomial, int], ...]  # a polynomial as a key: the same for equal polynomials

CONSTANT: Monomial = ()


_MAX_MONOMIALS = 50  # of a sum or product that is worked out
_MAX_DEGREE = 16  # of a product that is worked out


def as_constant(number: int) -> Polynomial:
    """The polynomial that is a number."""
    return {CONSTANT: number} if number else {}


def as_term(polynomial: Polynomial) -> Term:
    """The key of a polynomial."""
    return tuple(sorted(polynomial.items()))


def as_single_atom(term: Term) -> int | None:
    """The atom that a polynomial is, None if it is anything else."""
    return term[0][0][0] if len(term) == 1 and len(term[0][0]) == term[0][1] == 1 else None


def _add_scaled(one: Polynomial, other: Polynomial, factor: int) -> Polynomial:
    """`one + factor × other`."""
    result = dict(one)
    for monomial, number in other.items():
        total = result.get(monomial, 0) + factor * number
        if total:
            result[monomial] = total
        else:
            result.pop(monomial, None)
    return result


def add(one: Polynomial, other: Polynomial) -> Polynomial:
    """The sum of two polynomials."""
    return _add_scaled(one, other, 1)


def subtract(one: Polynomial, other: Polynomial) -> Polynomial:
    """The difference of two polynomials."""
    return _add_scaled(one, other, -1)


def multiply(one: Polynomial, other: Polynomial) -> Polynomial:
    """The product of two polynomials."""
    result: dict[Monomial, int] = {}
    for left, number in one.items():
        for right, times in other.items():
            monomial = tuple(sorted(left + right)) if left and right else left or right
            result[monomial] = result.get(monomial, 0) + number * times
    return {monomial: number for monomial, number in result.items() if number}


def is_worked_out(name: str, one: Polynomial, other: Polynomial) -> bool:
    """Whether a sum, a difference or a product is a polynomial of a size to go on with."""
    if name != "*":
        return len(one) + len(other) <= _MAX_MONOMIALS
    return len(one) * len(other) <= _MAX_MONOMIALS and _degree(one) + _degree(other) <= _MAX_DEGREE


def _degree(polynomial: Polynomial) -> int:
    """The number of atoms in the longest product of a polynomial."""
    return max(map(len, polynomial), default=0)


def content(polynomial: Polynomial) -> int:
    """The greatest number that divides all coefficients; negative where the last one is."""
    numbers = polynomial.values()
    divisor = gcd(*numbers) or 1
    return -divisor if numbers and polynomial[max(polynomial)] < 0 else divisor


def divide(polynomial: Polynomial, divisor: int) -> Polynomial:
    """A polynomial by a number that divides all of its coefficients."""
    return {monomial: number // divisor for monomial, number in polynomial.items()}


def split_quotient(polynomial: Polynomial, divisor: int) -> tuple[Polynomial, Polynomial]:
    """What a polynomial is by a number, and the rest whose quotient has to be rounded down.

    The rest is empty where it is less than the divisor whatever the atoms are.
    """
    parts = {monomial: divmod(number, divisor) for monomial, number in polynomial.items()}
    whole = {monomial: quotient for monomial, (quotient, _) in parts.items() if quotient}
    rest = {monomial: number for monomial, (_, number) in parts.items() if number}
    return whole, rest if rest.keys() - {CONSTANT} else {}


def split_at_atom(polynomial: Polynomial, atom: int) -> tuple[Polynomial, Polynomial]:
    """The factor of an atom in a polynomial, and the rest that does not have the atom."""
    factor, rest = {}, {}
    for monomial, number in polynomial.items():
        if atom in monomial:
            at = monomial.index(atom)
            factor[monomial[:at] + monomial[at + 1 :]] = number
        else:
            rest[monomial] = number
    return factor, rest


def most_frequent_atom(monomials: Iterable[Monomial]) -> int | None:
    """The atom that is in most of these monomials, None if they have no atoms."""
    counts = Counter(atom for monomial in monomials for atom in set(monomial))
    return max(counts, key=lambda atom: (counts[atom], -atom), default=None)
