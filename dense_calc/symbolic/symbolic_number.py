"""Numbers with the expression that they were computed by; what is decided on them is recorded.

A symbolic number has a value, so that a model can be traced with it, and an expression in some
variables. Whoever compares it gets the answer for the value, which is recorded as a condition.
Where all conditions hold for other values, the results are what their expressions give.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from dense_calc.symbolic import quotients
from dense_calc.symbolic.condition_log import ConditionLog, Operation
from dense_calc.symbolic.polynomials import (
    Polynomial,
    Term,
    add,
    as_constant,
    as_term,
    is_worked_out,
    multiply,
    split_quotient,
    subtract,
)
from dense_calc.symbolic.state import Symbolic

_MAX_POWER = 8  # that is multiplied out


def _value_of(operand: Any) -> Any:
    """The value of a number that may be symbolic."""
    return operand.value if type(operand) is SymbolicNumber else operand


def _polynomial_of(operand: Any) -> Polynomial:
    """The expression of an integer that may be symbolic."""
    return operand.polynomial if type(operand) is SymbolicNumber else as_constant(int(operand))


def as_integer_term(number: int) -> Term:
    """The expression of an integer as a key."""
    return as_term(_polynomial_of(number))


def as_operand_term(operand: Any) -> Term | float:
    """The expression of an operand as a key; a plain float stands for itself."""
    return operand if type(operand) is float else as_term(_polynomial_of(operand))


def _is_operand(other: object) -> bool:
    """Whether symbolic numbers compute with this."""
    return type(other) is SymbolicNumber or isinstance(other, int | float)


def _operator_methods(compute: Callable[[ConditionLog, Any, Any], Any]) -> tuple[Any, Any]:
    """The methods for an operator on two numbers, the first or the second of them symbolic."""

    def operate(self: SymbolicNumber, other: Any) -> Any:
        return compute(self.log, self, other) if _is_operand(other) else NotImplemented

    def operate_reflected(self: SymbolicNumber, other: Any) -> Any:
        return compute(self.log, other, self) if _is_operand(other) else NotImplemented

    return operate, operate_reflected


def _combine(
    name: str,
    function: Callable[[Any, Any], Any],
    combine: Callable[[Polynomial, Polynomial], Polynomial],
    log: ConditionLog,
    one: Any,
    other: Any,
) -> Any:
    """A sum, a difference or a product of two numbers of which one is symbolic."""
    value = _compute(function, one, other)
    if not isinstance(value, float):
        parts = _polynomial_of(one), _polynomial_of(other)
        if is_worked_out(name, *parts):
            return SymbolicNumber(value, combine(*parts), log)
    return quotients.note_quotient(_apply(log, name, value, one, other), name, one, other)


def _divide(
    name: str, divide: Callable[[Any, Any], Any], log: ConditionLog, one: Any, other: Any
) -> Any:
    """A quotient, or what is left over, of two numbers of which one is symbolic."""
    if other == 0:  # as is recorded
        raise ZeroDivisionError
    value = _compute(divide, one, other)
    if isinstance(value, float):
        return quotients.note_quotient(_apply(log, name, value, one, other), name, one, other)
    if name == "%":
        return one - other * (one // other)
    if type(other) is not SymbolicNumber:
        return _divide_by_number(log, value, one.polynomial, other)
    quotient = _apply(log, name, value, one, other)
    parts = _polynomial_of(one), subtract(other.polynomial, as_constant(1))
    if all(log.is_implied(each, ">=") for each in parts):
        log.least_values.setdefault(max(quotient.polynomial)[0], 0)
    return quotient


def _divide_by_number(
    log: ConditionLog, value: int, polynomial: Polynomial, divisor: int
) -> SymbolicNumber:
    """The floor of a quotient, with all that divides evenly outside of it."""
    if divisor < 0:
        polynomial, divisor = subtract({}, polynomial), -divisor
    whole, rest = split_quotient(polynomial, divisor)
    if not rest:
        return SymbolicNumber(value, whole, log)
    index = log.atom_index(Operation("//", (as_term(rest), as_term(as_constant(divisor)))))
    least = log.least_value(rest)
    if least is not None:
        log.least_values[index] = max(least // divisor, log.least_values.get(index, 0))
    return SymbolicNumber(value, add(whole, {(index,): 1}), log)


def _raise_power(log: ConditionLog, base: Any, exponent: Any) -> Any:
    """A power, kept as it is where it is large; a plain number where it is no real one."""
    is_whole = isinstance(base, int) and type(exponent) is int
    if is_whole and 0 <= exponent <= _MAX_POWER:
        return math.prod([base] * exponent)
    value = _compute(operator.pow, base, exponent)
    if type(exponent) is SymbolicNumber:
        _compare(">=", operator.ge, exponent, 0)  # else it would be a float
    if isinstance(value, complex):
        demand_plain(base), demand_plain(exponent)
        return value
    return _apply(log, "**", value, base, exponent)


def _comparison(relation: str, decide: Callable[[Any, Any], bool]) -> Any:
    """The method that compares with another number."""

    def compare(self: SymbolicNumber, other: object) -> Any:
        return _compare(relation, decide, self, other) if _is_operand(other) else NotImplemented

    return compare


def _rounding(name: str, convert: Callable[..., Any]) -> Any:
    """The method that makes a number whole, or rounds it; a whole number is itself."""

    def rounded(self: SymbolicNumber, *digits: Any) -> Any:
        if isinstance(self.value, int) and not digits:
            return self
        if not digits and (pair := quotients.find_quotient(self)):
            return quotients.round_quotient(name, *pair)
        return _apply(self.log, name, _compute(convert, self, *digits), self, *digits)

    return rounded


class SymbolicNumber(Symbolic):
    """A number with its expression: it computes like an int or a float, and claims to be one.

    It is none to code in C, which would read the value unseen: `range`, `hash` and all that needs
    a plain number make the number equal to its value from then on.
    """

    __slots__ = ("log", "polynomial", "value")

    def __init__(self, value: Any, polynomial: Polynomial, log: ConditionLog) -> None:
        self.value = value
        self.polynomial = polynomial
        self.log = log

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        return type(self.value)

    __add__, __radd__ = _operator_methods(partial(_combine, "+", operator.add, add))
    __sub__, __rsub__ = _operator_methods(partial(_combine, "-", operator.sub, subtract))
    __mul__, __rmul__ = _operator_methods(partial(_combine, "*", operator.mul, multiply))
    __truediv__, __rtruediv__ = _operator_methods(partial(_divide, "/", operator.truediv))
    __floordiv__, __rfloordiv__ = _operator_methods(partial(_divide, "//", operator.floordiv))
    __mod__, __rmod__ = _operator_methods(partial(_divide, "%", operator.mod))
    __divmod__, __rdivmod__ = _operator_methods(
        lambda _, *pair: (pair[0] // pair[1], pair[0] % pair[1])
    )
    __pow__, __rpow__ = _operator_methods(_raise_power)

    def __neg__(self) -> Any:
        return -1 * self

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    __trunc__ = _rounding("trunc", math.trunc)
    __ceil__ = _rounding("ceil", math.ceil)
    __floor__ = _rounding("floor", math.floor)
    __round__ = _rounding("round", round)

    __lt__ = _comparison("<", operator.lt)
    __le__ = _comparison("<=", operator.le)
    __gt__ = _comparison(">", operator.gt)
    __ge__ = _comparison(">=", operator.ge)
    __eq__ = _comparison("==", operator.eq)
    __ne__ = _comparison("!=", operator.ne)

    def __bool__(self) -> bool:
        return _compare("!=", operator.ne, self, 0)

    def __index__(self) -> int:
        value: int = operator.index(demand_plain(self))
        return value

    def __int__(self) -> int:
        return int(demand_plain(self))

    def __float__(self) -> float:
        return float(demand_plain(self))

    def __hash__(self) -> int:
        return hash(demand_plain(self))

    def __format__(self, spec: str) -> str:
        return self.log.format_marker(self.polynomial, spec)

    def __repr__(self) -> str:
        return f"{self}"

    def apply_function(self, name: str, function: Callable[[float], float]) -> SymbolicNumber:
        """A function of the number, such as its square root."""
        _compare(">", operator.gt, self, 0)  # else it may have no value
        return _apply(self.log, name, _compute(function, self), self)


def make_variable(log: ConditionLog, name: str, value: Any) -> SymbolicNumber:
    """A variable with its value; all are made before anything is computed with them."""
    log.variable_count += 1
    return SymbolicNumber(value, {(log.atom_index(name),): 1}, log)


def _apply(log: ConditionLog, name: str, value: Any, *operands: Any) -> SymbolicNumber:
    """The result of an operation that is kept as it is, as it is no sum of products."""
    index = log.atom_index(Operation(name, tuple(map(as_operand_term, operands))))
    return SymbolicNumber(value, {(index,): 1}, log)


def _compute(function: Callable[..., Any], *operands: Any) -> Any:
    """The value of a function of numbers; where it has none, they have to be these."""
    try:
        return function(*map(_value_of, operands))
    except (ArithmeticError, ValueError):
        for each in operands:
            demand_plain(each)
        raise


def _compare(relation: str, decide: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """The answer to a comparison of two numbers, which is recorded; one of them is symbolic."""
    if one is other and quotients.find_quotient(one):
        return decide(0, 0)  # it is never .nan
    if integers := quotients.clear_divisor(one, other):
        one, other = integers
    log = one.log if type(one) is SymbolicNumber else other.log
    left, right = _value_of(one), _value_of(other)
    answer = bool(decide(left, right))
    if isinstance(left, float) or isinstance(right, float):
        terms = as_operand_term(one), as_operand_term(other)
        log.require_comparison(relation, *terms, holds=answer)
        return answer
    difference = subtract(_polynomial_of(one), _polynomial_of(other))
    if relation in ("==", "!="):
        log.require(difference, "==" if left == right else "!=")
        return answer
    if relation in ("<", "<="):
        difference = subtract({}, difference)
    # now `difference` is above 0, or at least 0, where the answer is yes
    is_strict = relation in ("<", ">")
    if not answer:
        difference, is_strict = subtract({}, difference), not is_strict
    log.require(subtract(difference, as_constant(int(is_strict))), ">=")
    return answer


def demand_plain(number: Any) -> Any:
    """The value of a number; a symbolic one has to be this one from then on."""
    if type(number) is SymbolicNumber:
        _compare("==", operator.eq, number, number.value)
    return _value_of(number)


def as_float(number: SymbolicNumber) -> SymbolicNumber:
    """The same number as a float."""
    return _apply(number.log, "float", float(number.value), number)
