"""Expressions and their conditions as Python code, which computes them for many values at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from dense_calc.symbolic.condition_log import Condition, ConditionLog, Operation
from dense_calc.symbolic.polynomials import (
    CONSTANT,
    Polynomial,
    Term,
    as_constant,
    as_single_atom,
    as_term,
    content,
    divide,
    most_frequent_atom,
    split_at_atom,
    subtract,
)

Point = tuple[Any, ...]  # a value for each variable
# The results at each of some points, None where a condition does not hold.
Evaluator = Callable[[Iterable[Point]], Iterator[tuple[Any, ...] | None]]

_MAX_BITS = 100_000  # of a number: more than any has that is in a model


def _multiply(one: Any, other: Any) -> Any:
    """A product; none where it leaves the range, as a condition that comes later would tell."""
    product = one * other
    if isinstance(product, int) and product.bit_length() > _MAX_BITS:
        raise OverflowError
    return product


def _raise_power(base: Any, exponent: Any) -> Any:
    """A power; none where it would leave the range, as a condition that comes later would tell."""
    if isinstance(base, int) and abs(base) > 1 and base.bit_length() * exponent > _MAX_BITS:
        raise OverflowError
    return base**exponent


_INFIX_OPERATIONS = ("+", "-", "/", "//", "%")
_OPERATION_FUNCTIONS = {"*": "multiply", "**": "raise_power"}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "multiply": _multiply,
    "raise_power": _raise_power,
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "round": round,
    "sqrt": math.sqrt,
    "trunc": math.trunc,
    "float": float,
}


def essential_conditions(log: ConditionLog) -> list[Condition]:
    """The conditions of a log without those that follow from others."""
    bounds = [
        Condition(">=", as_term(subtract(dict(total), as_constant(least))))
        for total, least in log.bounds.items()
        if _is_essential_bound(log, total, least)
    ]
    others = [each for each in log.conditions if not _is_implied_relation(log, each)]
    return bounds + others


def _is_essential_bound(log: ConditionLog, total: Term, least: int) -> bool:
    """Whether it does not follow from other bounds that a sum is at least so much."""
    atom = as_single_atom(total)
    if atom is not None:
        return log.least_values[atom] == least
    return not log.is_implied(subtract(dict(total), as_constant(least)), ">=")


def _is_implied_relation(log: ConditionLog, condition: Condition) -> bool:
    """Whether a condition on a polynomial follows from bounds."""
    return (
        condition.right is None
        and isinstance(condition.left, tuple)
        and log.is_implied(dict(condition.left), condition.relation)
    )


def _needed_atoms(atom: Operation | str) -> set[int]:
    """The atoms that an atom is computed from."""
    operands = () if isinstance(atom, str) else atom.operands
    terms = [each for each in operands if isinstance(each, tuple)]
    return {needed for term in terms for monomial, _ in term for needed in monomial}


class _CodeWriter:
    """The lines of a function body; each atom and each common factor is computed once."""

    def __init__(self, log: ConditionLog) -> None:
        self.atoms = log.atoms
        self.lines: list[str] = []
        self._names: dict[int | Term, str] = {}

    def atom(self, index: int) -> str:
        """The name of the value of an atom, for which those that it needs are computed first."""
        pending = [index]
        while pending:
            atom = self.atoms[pending[-1]]
            needed = [each for each in _needed_atoms(atom) if each not in self._names]
            if needed:
                pending += needed
            elif (current := pending.pop()) not in self._names:
                self._names[current] = self._named_atom(current, atom)
        return self._names[index]

    def _named_atom(self, index: int, atom: Operation | str) -> str:
        """The name of an atom; that of an operation is given a value."""
        if isinstance(atom, str):
            return f"v{index}"
        name = _OPERATION_FUNCTIONS.get(atom.name, atom.name)
        operands = map(self.operand, atom.operands)
        is_infix = name in _INFIX_OPERATIONS
        code = f" {name} ".join(operands) if is_infix else f"{name}({', '.join(operands)})"
        self.lines.append(f"a{index} = {code}")
        return f"a{index}"

    def operand(self, operand: Term | float) -> str:
        """The code of an operand."""
        return f"({operand!r})" if isinstance(operand, float) else self.polynomial(dict(operand))

    def polynomial(self, polynomial: Polynomial) -> str:
        """The code of a polynomial: `(a*(b + 2) + c + 1)`."""
        parts = []
        while (atom := most_frequent_atom(polynomial)) is not None:
            factor, polynomial = split_at_atom(polynomial, atom)
            name = self.atom(atom)
            parts.append(name if factor == {CONSTANT: 1} else f"{name}*{self.polynomial(factor)}")
        if polynomial or not parts:
            parts.append(str(polynomial.get(CONSTANT, 0)))
        return f"({' + '.join(parts)})"

    def result(self, result: Term | float) -> str:
        """The code of a result, which may be a multiple of one that was computed before."""
        if isinstance(result, float):
            return self.operand(result)
        polynomial = dict(result)
        divisor = content(polynomial)
        primitive = divide(polynomial, divisor)
        if not primitive.keys() - {CONSTANT}:
            return self.polynomial(polynomial)
        term = as_term(primitive)
        if term not in self._names:
            code = self.polynomial(primitive)
            self._names[term] = f"p{len(self._names)}"
            self.lines.append(f"{self._names[term]} = {code}")
        return self._names[term] if divisor == 1 else f"{divisor}*{self._names[term]}"

    def condition(self, condition: Condition) -> str:
        """The code of a condition."""
        right = () if condition.right is None else condition.right
        operands = map(self.operand, (condition.left, right))
        code = f" {condition.relation} ".join(operands)
        return code if condition.holds else f"not {code}"


def compile_formulas(
    log: ConditionLog, conditions: Iterable[Condition], results: Sequence[Term | float]
) -> Evaluator:
    """The function that computes these results from values of the variables of a log."""
    writer = _CodeWriter(log)
    for condition in conditions:
        code = writer.condition(condition)
        writer.lines.append(f"if not {code}: yield None; continue")
    outputs = "".join(f"{writer.result(each)}, " for each in results)
    writer.lines.append(f"yield ({outputs})")
    variables = "".join(f"v{index}, " for index in range(log.variable_count))
    body = "\n            ".join(writer.lines)
    text = f"""
def evaluate(points):
    for point in points:
        {variables or "_"} = point
        try:
            {body}
        except (ArithmeticError, ValueError, TypeError):
            yield None
"""
    namespace: dict[str, Any] = {**_FUNCTIONS, "inf": math.inf, "nan": math.nan}
    # The code is made of digits, operators and names from here: nothing of a file is in it.
    exec(compile(text, "<formulas>", "exec"), namespace)  # noqa: S102
    evaluate: Evaluator = namespace["evaluate"]
    return evaluate
