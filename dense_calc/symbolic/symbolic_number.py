"""Numbers with the expression that they were computed by; what is decided on them is recorded.

A symbolic number has a value, so that a model can be traced with it as with any other, and an
expression in some variables. Whoever compares it gets the answer for the value, and the answer is
recorded as a condition: for other values of the variables, all results are what their expressions
give, as long as the conditions hold.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from dense_calc.symbolic.condition_log import ConditionLog, Operation
from dense_calc.symbolic.polynomials import (
    Polynomial,
    Term,
    add,
    as_constant,
    as_term,
    multiply,
    split_quotient,
    subtract,
)

_MAX_MONOMIALS = 200  # of a product that is multiplied out
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
    if type(operand) is SymbolicNumber:
        return as_term(operand.polynomial)
    return operand if isinstance(operand, float) else as_term(as_constant(int(operand)))


def _is_operand(other: object) -> bool:
    """Whether symbolic numbers compute with this."""
    return type(other) is SymbolicNumber or isinstance(other, int | float)


def _arithmetic(
    name: str,
    function: Callable[[Any, Any], Any],
    combine: Callable[[Polynomial, Polynomial], Polynomial],
    *,
    is_reflected: bool = False,
) -> Any:
    """The method for an operator on numbers, which also combines their polynomials."""

    def operate(self: SymbolicNumber, other: Any) -> Any:
        if not _is_operand(other):
            return NotImplemented
        one, other = (other, self) if is_reflected else (self, other)
        value = _compute(function, one, other)
        if not isinstance(value, float):
            parts = _polynomial_of(one), _polynomial_of(other)
            if name != "*" or math.prod(map(len, parts)) <= _MAX_MONOMIALS:
                return SymbolicNumber(value, combine(*parts), self.log)
        return _apply(self.log, name, value, one, other)

    return operate


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
        return _apply(self.log, name, _compute(convert, self, *digits), self, *digits)

    return rounded


class SymbolicNumber:
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

    __add__ = _arithmetic("+", operator.add, add)
    __radd__ = _arithmetic("+", operator.add, add, is_reflected=True)
    __sub__ = _arithmetic("-", operator.sub, subtract)
    __rsub__ = _arithmetic("-", operator.sub, subtract, is_reflected=True)
    __mul__ = _arithmetic("*", operator.mul, multiply)
    __rmul__ = _arithmetic("*", operator.mul, multiply, is_reflected=True)

    def __truediv__(self, other: Any) -> Any:
        return self._divide("/", operator.truediv, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._divide("/", operator.truediv, other, self)

    def __floordiv__(self, other: Any) -> Any:
        return self._divide("//", operator.floordiv, self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return self._divide("//", operator.floordiv, other, self)

    def _divide(
        self, name: str, divide: Callable[[Any, Any], Any], one: Any, other: Any
    ) -> SymbolicNumber:
        """A quotient, or another result for which the divisor cannot be 0."""
        log = self.log
        if type(other) is SymbolicNumber:
            _compare("!=", operator.ne, other, 0)
        value = _compute(divide, one, other)
        if isinstance(value, float):
            return _apply(log, name, value, one, other)
        if type(other) is SymbolicNumber:
            quotient = _apply(log, name, value, one, other)
            parts = _polynomial_of(one), subtract(other.polynomial, as_constant(1))
            if all(log.is_implied(each, ">=") for each in parts):
                log.least_values.setdefault(max(quotient.polynomial)[0], 0)
            return quotient
        return self._divide_by_number(value, other)

    def _divide_by_number(self, value: int, divisor: int) -> SymbolicNumber:
        """The floor of a quotient, with all that divides evenly outside of it."""
        if divisor < 0:
            return SymbolicNumber(
                -self.value, subtract({}, self.polynomial), self.log
            )._divide_by_number(value, -divisor)
        whole, rest = split_quotient(self.polynomial, divisor)
        if not rest:
            return SymbolicNumber(value, whole, self.log)
        log = self.log
        index = log.atom_index(Operation("//", (as_term(rest), as_term(as_constant(divisor)))))
        least = log.least_value(rest)
        if least is not None:
            log.least_values[index] = max(least // divisor, log.least_values.get(index, 0))
        return SymbolicNumber(value, add(whole, {(index,): 1}), log)

    def __mod__(self, other: Any) -> Any:
        value = self.value % _value_of(other) if _value_of(other) else 0
        if isinstance(value, float):
            return self._divide("%", operator.mod, self, other)
        return self - other * (self // other)

    def __rmod__(self, other: Any) -> Any:
        if isinstance(other, float) or isinstance(self.value, float):
            return self._divide("%", operator.mod, other, self)
        return other - self * (other // self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, other: Any) -> Any:
        is_whole = isinstance(self.value, int) and type(other) is int
        if is_whole and 0 <= other <= _MAX_POWER:
            return math.prod([self] * other)
        return _raise_power(self.log, self, other)

    def __rpow__(self, other: Any) -> Any:
        return _raise_power(self.log, other, self)

    def __neg__(self) -> Any:
        return 0 - self

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

    def __str__(self) -> str:
        return self.log.format_marker(self.polynomial, "")

    __repr__ = __str__


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


def _raise_power(log: ConditionLog, base: Any, exponent: Any) -> Any:
    """A power that is kept as it is; a plain number where it is no real one."""
    value = _compute(operator.pow, base, exponent)
    if type(exponent) is SymbolicNumber:
        _compare(">=", operator.ge, exponent, 0)  # else it would be a float
    if isinstance(value, complex):
        demand_plain(base), demand_plain(exponent)
        return value
    return _apply(log, "**", value, base, exponent)


def apply_function(name: str, function: Callable[[float], float], number: Any) -> Any:
    """A function of a number, such as a square root, also where the number is symbolic."""
    if type(number) is not SymbolicNumber:
        return function(number)
    log = number.log
    _compare(">", operator.gt, number, 0)  # else it may have no value
    return _apply(log, name, _compute(function, number), number)


def is_symbolic(number: object) -> bool:
    """Whether this is a number with an expression."""
    return type(number) is SymbolicNumber


def as_float(number: SymbolicNumber) -> SymbolicNumber:
    """The same number as a float."""
    return _apply(number.log, "float", float(number.value), number)
