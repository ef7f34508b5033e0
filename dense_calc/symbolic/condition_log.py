"""The conditions that are recorded while a model is traced with symbolic numbers."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct

from dense_calc.symbolic.polynomials import (
    CONSTANT,
    Monomial,
    Polynomial,
    Term,
    as_single_atom,
    as_term,
    divide,
)

FORMAT_START, FORMAT_END = "\ud800", "\ud801"  # lone surrogates, which no input can hold


class Operation(Struct, frozen=True):
    """What an atom stands for where it is no variable: a function of polynomials and floats."""

    name: str
    operands: tuple[Term | float, ...]


class Condition(Struct, frozen=True):
    """A comparison that has to hold: of a polynomial with 0, or of two floats."""

    relation: str
    left: Term | float
    right: Term | float | None = None
    holds: bool = True


class ConditionLog:
    """The atoms of the expressions of one trace, and the conditions recorded so far.

    The first atoms are the variables. `bounds` are what polynomials without constant, in lowest
    terms, have to be at least; all else that has to hold is in `conditions`. `formats` are the
    expressions that were put into texts, each with its format. `least_values` are what atoms are
    known to be at least, by the conditions; `quotients` has the integers of which floats are the
    quotients. `memo` is for results that are wanted again during the
    trace. With `allows_symbolic_repeats`, one copy of a block may stand for several, and
    `has_symbolic_repeats` tells that one does; with `has_symbolic_runs`, one of a run, which gives
    layers other names than they have.
    """

    def __init__(self, *, allows_symbolic_repeats: bool = True) -> None:
        self.allows_symbolic_repeats = allows_symbolic_repeats
        self.has_symbolic_repeats = False
        self.has_symbolic_runs = False
        self.atoms: list[Operation | str] = []
        self.bounds: dict[Term, int] = {}
        self.conditions: dict[Condition, None] = {}
        self.formats: list[tuple[Term, str]] = []
        self._format_numbers: dict[tuple[Term, str], int] = {}
        self.quotients: dict[Monomial, tuple[Any, Any]] = {}
        self.variable_count = 0
        self.least_values: dict[int, int] = {}
        self.memo: dict[Any, Any] = {}
        self._indices: dict[Operation | str, int] = {}

    def atom_index(self, atom: Operation | str) -> int:
        """The index of an atom."""
        index = self._indices.get(atom)
        if index is None:
            index = self._indices[atom] = len(self.atoms)
            self.atoms.append(atom)
        return index

    def require(self, polynomial: Polynomial, relation: str) -> None:
        """Record that a polynomial is `>= 0`, `== 0` or `!= 0`, unless that is known."""
        if not polynomial.keys() - {CONSTANT} or self.is_implied(polynomial, relation):
            return
        if relation == ">=":
            self._require_least(polynomial)
        else:
            term = as_term(polynomial)
            if next(number for monomial, number in term if monomial) < 0:
                term = as_term({monomial: -number for monomial, number in term})
            self.conditions[Condition(relation, term)] = None

    def _require_least(self, polynomial: Polynomial) -> None:
        """Record that a polynomial is at least 0, as a bound of it without its constant."""
        total = {monomial: number for monomial, number in polynomial.items() if monomial}
        divisor = math.gcd(*total.values())
        least = -(polynomial.get(CONSTANT, 0) // divisor)
        term = as_term(divide(total, divisor))
        self.bounds[term] = max(least, self.bounds.get(term, least))
        atom = as_single_atom(term)
        if atom is not None:
            self.least_values[atom] = max(least, self.least_values.get(atom, least))

    def is_implied(self, polynomial: Polynomial, relation: str) -> bool:
        """Whether the least values of the atoms tell that a relation holds."""
        least = self.least_value(polynomial)
        if relation == "!=":
            return least is not None and least > 0
        return relation == ">=" and least is not None and least >= 0

    def least_value(self, polynomial: Polynomial) -> int | None:
        """What a polynomial is at least, None where the least values of its atoms do not tell."""
        total = 0
        known = self.least_values
        for monomial, number in polynomial.items():
            least = [known.get(atom, -1) for atom in monomial]
            if least and (number < 0 or min(least) < 0):
                return None
            total += number * math.prod(least)
        return total

    def require_comparison(
        self, relation: str, left: Term | float, right: Term | float, *, holds: bool
    ) -> None:
        """Record that a comparison of two numbers, of which one is a float, holds or does not."""
        self.conditions[Condition(relation, left, right, holds)] = None

    def format_marker(self, polynomial: Polynomial, spec: str) -> str:
        """What stands for an expression in a text until its variables have values."""
        written = as_term(polynomial), spec
        number = self._format_numbers.setdefault(written, len(self.formats))
        if number == len(self.formats):
            self.formats.append(written)
        return f"{FORMAT_START}{number}{FORMAT_END}"
