"""Arithmetic over named numbers: `10*10*256`, `width // heads`, `min(width, 64)`.

Python parses an expression, and this module computes it. Only the operators and functions below
exist, and no size can hang or exhaust the machine.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from dense_calc.errors import did_you_mean
from dense_calc.spec_language.spec_numbers import ExpressionError, Number
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER
from dense_calc.symbolic.state import apply_function

_MAX_EXPRESSION_LENGTH = 500  # characters of an expression
_MAX_ROUND_DIGITS = 400  # more than any number has
_MAX_EXPONENT = 64  # of anything above 1: larger powers leave the range anyway


def _divide_numbers(one: Number, other: Number) -> Number:
    """`one / other`, an integer where it divides evenly, so that large sizes stay exact."""
    if isinstance(one, int) and isinstance(other, int) and one % other == 0:
        return one // other
    return one / other


def _raise_to_power(base: Number, exponent: Number) -> Number:
    """`base ** exponent`, refused before it is computed if it would be huge."""
    if abs(base) > 1 and exponent > _MAX_EXPONENT:
        raise OverflowError
    result: Number | complex = base**exponent
    if isinstance(result, complex):
        raise ExpressionError(f"{base} ** {exponent} is not a real number")
    return result


def _round_number(number: Number, *digits: int) -> Number:
    """`round(number)`, or to so many digits, within the digits that numbers have."""
    return round(
        number, *(max(-_MAX_ROUND_DIGITS, min(each, _MAX_ROUND_DIGITS)) for each in digits)
    )


_ARITHMETIC_OPERATORS: dict[type, Callable[..., Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divide_numbers,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _raise_to_power,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_ARITHMETIC_NODES = (
    *(ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.Call),
    *(ast.Load, ast.operator, ast.unaryop),
)
EXPRESSION_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": _round_number,
    "int": math.trunc,  # unlike int(), it leaves a symbolic number one
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": partial(apply_function, "sqrt", math.sqrt),
    "log2": partial(apply_function, "log2", math.log2),
}


def evaluate_expression(text: str, names: Mapping[str, Number]) -> Number:
    """The value of an expression; a whole number is always an int.

    Raises:
        ExpressionError: it is no arithmetic, uses an unknown name or leaves the range of numbers.
    """
    try:
        syntax = parse_expression(text)
        if isinstance(syntax, ast.Tuple | ast.Set):  # 3, 3 or {{width}}
            raise ExpressionError(f"'{text}' is not a number{_describe_commas(text)}")
        result = _evaluate_syntax(syntax, names)
    except (OverflowError, RecursionError):
        raise ExpressionError(f"'{text}' is too large; at most {MAX_NUMBER:,}") from None
    except ZeroDivisionError:
        raise ExpressionError(f"'{text}' divides by zero") from None
    except (ValueError, TypeError) as error:
        raise ExpressionError(f"'{text}' has no value: {error}") from None
    if isinstance(result, int):
        return result
    whole = math.trunc(result)
    return whole if result == whole else result


@lru_cache(maxsize=1000)  # copies of a repeated block compute the same text
def parse_expression(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    if len(text) > _MAX_EXPRESSION_LENGTH:
        raise ExpressionError(f"an expression may have at most {_MAX_EXPRESSION_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        problem = f"'{text}' is neither a number nor an expression"
        raise ExpressionError(problem + _describe_commas(text)) from None


def _describe_commas(text: str) -> str:
    """The hint for a text that has commas, or was cut by one, in place of an expression."""
    from dense_calc.spec_language.commas import describe_commas  # for a mistake only

    if text.count("(") != text.count(")"):
        return "; a comma in [] or {} ends a value: put quotes round it"
    return describe_commas(text)


@lru_cache(maxsize=1000)
def is_arithmetic(text: str) -> bool:
    """Whether a text has the syntax of an expression, whatever names it uses."""
    try:
        return all(isinstance(node, _ARITHMETIC_NODES) for node in ast.walk(parse_expression(text)))
    except ExpressionError:
        return False


def _evaluate_syntax(node: ast.expr, names: Mapping[str, Number]) -> Number:
    """The value of a syntax tree, each step of which stays in the range of numbers."""
    match node:
        case ast.Constant(value=int() | float() as result) if not isinstance(result, bool):
            pass
        case ast.Name(id=name):
            result = _var_value(name, names)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _ARITHMETIC_OPERATORS:
            result = _ARITHMETIC_OPERATORS[type(op)](_evaluate_syntax(operand, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC_OPERATORS:
            result = _ARITHMETIC_OPERATORS[type(op)](
                _evaluate_syntax(left, names), _evaluate_syntax(right, names)
            )
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if (
            name in EXPRESSION_FUNCTIONS
        ):
            result = EXPRESSION_FUNCTIONS[name](
                *(_evaluate_syntax(argument, names) for argument in args)
            )
        case ast.Constant(value=None):
            raise ExpressionError("'None' is not a number; Python's None is null in YAML")
        case _:
            raise _syntax_error(node)
    if result != result:
        raise ValueError("it is not a number")
    if abs(result) > MAX_NUMBER:
        raise OverflowError
    return result


def _syntax_error(node: ast.expr) -> ExpressionError:
    """The error for syntax of Python that no expression has."""
    match node:
        case ast.BinOp(left=base, op=ast.BitXor(), right=exponent):
            hint = f"a power is '{ast.unparse(base)} ** {ast.unparse(exponent)}'"
        case (
            ast.Attribute(value=ast.Name(id="vars"), attr=name) | ast.Set(elts=[ast.Name(id=name)])
        ):
            hint = f"write the name of a var alone: {name}"
        case _:
            functions = " ".join(EXPRESSION_FUNCTIONS)
            hint = f"use numbers, vars, + - * / // % ** and {functions}"
    return ExpressionError(f"'{ast.unparse(node)}' is not allowed in an expression; {hint}")


def _var_value(name: str, names: Mapping[str, Number]) -> Number:
    """The value of a var."""
    if name not in names:
        raise ExpressionError(f"'{name}' is not a var" + did_you_mean(name, names))
    return names[name]
