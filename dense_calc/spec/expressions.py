"""Arithmetic over named numbers: `10*10*256`, `width // heads`, `min(width, 64)`.

An expression is parsed by Python and computed here: nothing but the operators and functions
below exists, and no size can hang or exhaust the machine.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from keyword import iskeyword

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.spec.document import MAX_NUMBER, Marked, said

Number = int | float

MAX_LENGTH = 500  # characters of an expression
MAX_EXPONENT = 64  # of anything above 1: larger powers leave the range anyway
MAX_CHAIN = 50  # vars that use vars that use vars


class ExpressionError(Exception):
    """An expression without a value; the message says why."""


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
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "int": int,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "log2": math.log2,
}


class Scope(Mapping[str, Number]):
    """Vars and their values, each computed when it is first asked for; a var may use others."""

    def __init__(self, definitions: Mapping[str, Marked]) -> None:
        for name, definition in definitions.items():
            if not name.isidentifier() or iskeyword(name) or name in FUNCTIONS:
                raise SpecError(f"a var cannot be called '{name}'", definition)
        self.definitions = definitions
        self.results: dict[str, Number] = {}  # of expressions
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Number:
        definition = self.definitions[name]
        if name in self.asked:
            told = " uses ".join(f"'{step}'" for step in (*self.asked, name))
            raise SpecError(f"vars use each other: {told}", definition)
        if len(self.asked) == MAX_CHAIN:
            raise SpecError(f"more than {MAX_CHAIN} vars use each other in a chain", definition)
        self.asked.append(name)
        value = self.number(definition)
        self.asked.pop()
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.definitions

    def __iter__(self) -> Iterator[str]:
        return iter(self.definitions)

    def __len__(self) -> int:
        return len(self.definitions)

    def number(self, marked: Marked) -> Number:
        """The number that a var is given: itself, or its expression's.

        Raises:
            SpecError: it is none.
        """
        value = marked.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if not isinstance(value, str):
            raise SpecError(f"a var is a number or an expression, not {said(value)}", marked)
        try:
            return self.evaluate(value)
        except ExpressionError as error:
            raise SpecError(str(error), marked) from None

    def evaluate(self, text: str) -> Number:
        """The value of an expression, computed once.

        Raises:
            ExpressionError: it is none, uses an unknown name or leaves the range of numbers.
        """
        if text not in self.results:
            self.results[text] = evaluate(text, self)
        return self.results[text]


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


def parsed(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression may have at most {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(f"'{text}' is neither a number nor an expression") from None


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
    if not abs(result) <= MAX_NUMBER:
        raise OverflowError
    return result


def named(name: str, names: Mapping[str, Number]) -> Number:
    """The value of a var."""
    if name not in names:
        raise ExpressionError(f"'{name}' is not a var" + did_you_mean(name, names))
    return names[name]
