"""Arithmetic over named numbers: `10*10*256`, `width // heads`, `min(width, 64)`.

An expression is parsed by Python and computed here: nothing but the operators and functions
below exists, and no size can hang or exhaust the machine.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache

from dense_calc.errors import did_you_mean
from dense_calc.spec_language.scope import ExpressionError, Number
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER

MAX_LENGTH = 500  # characters of an expression
MAX_ROUNDED = 400  # digits, of which a number has fewer
MAX_EXPONENT = 64  # of anything above 1: larger powers leave the range anyway


def divide(one: Number, other: Number) -> Number:
    """`one / other`, an integer where it divides evenly, so that large sizes stay exact."""
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return one / other


def power(base: Number, exponent: Number) -> Number:
    """`base ** exponent`, refused before it is computed if it would be huge."""
    if abs(base) > 1 and exponent > MAX_EXPONENT:
        raise OverflowError
    result: Number | complex = base**exponent
    if isinstance(result, complex):
        raise ExpressionError(f"{base} ** {exponent} is no real number")
    return result


def rounded(number: Number, *digits: int) -> Number:
    """`round(number)`, or to so many digits; more than numbers have change nothing."""
    return round(number, *(max(-MAX_ROUNDED, min(each, MAX_ROUNDED)) for each in digits))


OPERATORS: dict[type, Callable[..., Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: power,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
ARITHMETIC = (
    *(ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Call),
    *(ast.Load, ast.operator, ast.unaryop),
)
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": rounded,
    "int": int,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "log2": math.log2,
}


def evaluate(text: str, names: Mapping[str, Number]) -> Number:
    """The value of an expression; a whole number is an int, however it came about.

    Raises:
        ExpressionError: it is none, uses an unknown name or leaves the range of numbers.
    """
    try:
        result = value_of(parsed(text), names)
    except (OverflowError, RecursionError):
        raise ExpressionError(f"'{text}' is too large; at most {MAX_NUMBER:,}") from None
    except ZeroDivisionError:
        raise ExpressionError(f"'{text}' divides by zero") from None
    except (ValueError, TypeError) as error:
        raise ExpressionError(f"'{text}' has no value: {error}") from None
    return int(result) if result == int(result) else result


@lru_cache(maxsize=1000)  # each copy of a repeated block may compute the same text anew
def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have at most {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"'{text}' is neither a number nor an expression") from None


@lru_cache(maxsize=1000)
def is_arithmetic(text: str) -> bool:
    """Whether a text is written as an expression is, whatever names it uses."""
    try:
        return all(isinstance(node, ARITHMETIC) for node in ast.walk(parsed(text)))
    except ExpressionError:
        return False


def value_of(node: ast.expr, names: Mapping[str, Number]) -> Number:
    """The value of a syntax tree, each step of which stays in the range of numbers."""
    match node:
        case ast.Constant(value=int() | float() as result) if not isinstance(result, bool):
            pass
        case ast.Name(id=name):
            result = named(name, names)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            result = OPERATORS[type(op)](value_of(operand, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            result = OPERATORS[type(op)](value_of(left, names), value_of(right, names))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            result = FUNCTIONS[name](*(value_of(argument, names) for argument in args))
        case _:
            raise ExpressionError(
                f"'{ast.unparse(node)}' cannot stand in an expression; it may hold numbers, vars, "
                f"+ - * / // % ** and {' '.join(FUNCTIONS)}"
            )
    if math.isnan(result):
        raise ValueError("it is no number")
    if abs(result) > MAX_NUMBER:
        raise OverflowError
    return result


def named(name: str, names: Mapping[str, Number]) -> Number:
    """The value of a var."""
    if name not in names:
        raise ExpressionError(f"'{name}' is not a var" + did_you_mean(name, names))
    return names[name]
