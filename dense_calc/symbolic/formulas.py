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

_INFIX_OPERATIONS = ("+", "-", "*", "/", "//", "%", "**")
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "round": round,
    "sqrt": math.sqrt,
    "trunc": math.trunc,
    "float": float,
}
_MAX_COMPARED_CONDITIONS = 500


def essential_conditions(log: ConditionLog) -> list[Condition]:
    """The conditions of a log without those that follow from others."""
    kept: dict[Condition, Polynomial] = {}
    for condition in log.conditions:
        polynomial = _compared_with_zero(condition)
        is_equation = not polynomial or condition.relation == "=="
        if is_equation or _is_strongest_bound(log, polynomial):
            kept[condition] = {}
        elif not log.is_implied(polynomial, condition.relation):
            if condition.relation == ">=":
                known = [each for each in kept.items() if each[1]][:_MAX_COMPARED_CONDITIONS]
                if any(_follows(log, polynomial, other) for _, other in known):
                    continue
                for weaker in [each for each, other in known if _follows(log, other, polynomial)]:
                    del kept[weaker]
            kept[condition] = polynomial if condition.relation == ">=" else {}
    return list(kept)


def _compared_with_zero(condition: Condition) -> Polynomial:
    """The polynomial that a condition compares with 0; none if it compares floats."""
    return (
        dict(condition.left)
        if isinstance(condition.left, tuple) and condition.right is None
        else {}
    )


def _is_strongest_bound(log: ConditionLog, polynomial: Polynomial) -> bool:
    """Whether `polynomial >= 0` says the most that is known of what a single atom is at least."""
    monomial = max(polynomial)
    if len(monomial) != 1 or polynomial[monomial] < 0 or polynomial.keys() - {monomial, CONSTANT}:
        return False
    least = -(polynomial.get(CONSTANT, 0) // polynomial[monomial])
    return least == log.least_values.get(monomial[0])


def _follows(log: ConditionLog, polynomial: Polynomial, other: Polynomial) -> bool:
    """Whether a polynomial is at least 0 wherever the other one is."""
    least = log.least_value(subtract(polynomial, other))
    return least is not None and least >= 0


class _CodeWriter:
    """The lines of a function body; each atom and each common factor is computed once."""

    def __init__(self, log: ConditionLog) -> None:
        self.atoms = log.atoms
        self.lines: list[str] = []
        self._names: dict[int | Term, str] = {}

    def atom(self, index: int) -> str:
        """The name of the value of an atom."""
        if index not in self._names:
            atom = self.atoms[index]
            if isinstance(atom, Operation):
                code = self._operation(atom)
                self._names[index] = f"a{index}"
                self.lines.append(f"a{index} = {code}")
            else:
                self._names[index] = f"v{index}"
        return self._names[index]

    def _operation(self, atom: Operation) -> str:
        """The code of an operation."""
        operands = map(self.operand, atom.operands)
        if atom.name in _INFIX_OPERATIONS:
            return f" {atom.name} ".join(operands)
        return f"{atom.name}({', '.join(operands)})"

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
