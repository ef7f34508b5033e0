"""Symbolic numbers among the arguments of a layer: msgspec decodes and checks their values.

The numbers take the places of their values afterwards, and the constraints that the values were
checked by become conditions.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any

from msgspec import Struct, inspect
from msgspec.structs import replace

from dense_calc.spec_language.expression_types import type_choices
from dense_calc.symbolic.state import is_symbolic
from dense_calc.symbolic.symbolic_number import SymbolicNumber, as_float, demand_plain

_Path = tuple[str | int, ...]
_BOUNDS = {"ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt}


def strip_symbols(value: Any) -> Any:
    """A value with the values of the symbolic numbers in it."""
    if isinstance(value, list):
        return [strip_symbols(each) for each in value]
    if type(value) is dict:
        return {name: strip_symbols(each) for name, each in value.items()}
    return value.value if is_symbolic(value) else value


def demand_refused_values(values: Any, kind: Any, path: Sequence[str | int]) -> Any:
    """The arguments of a kind without symbolic numbers, where what is at a path is refused.

    A number there stays if it is refused by the bounds of its type; else it has to be what it is.
    The others have to be something that is not refused; if no number is, what they are.
    """
    symbols = dict(find_symbols(values))
    refused = symbols.pop(tuple(path), None)
    for place, number in symbols.items():
        is_other = refused is not None and place[0] != path[0]
        if not (is_other and _is_allowed(number, _number_types(kind, place), type(number.value))):
            demand_plain(number)
    stripped = strip_symbols(values)
    if refused is not None:
        if _is_out_of_bounds(refused, _number_types(kind, tuple(path))):
            *steps, last = path
            reduce(operator.getitem, steps, stripped)[last] = refused
        else:
            demand_plain(refused)
    return stripped


def find_symbols(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, SymbolicNumber]]:
    """The symbolic numbers in a value, with the indices and keys that lead to them."""
    if is_symbolic(value):
        yield path, value
    elif isinstance(value, list | dict):
        items = enumerate(value) if isinstance(value, list) else value.items()
        for step, each in items:
            yield from find_symbols(each, (*path, step))


def insert_symbols(decoded: Any, symbols: Iterable[tuple[_Path, SymbolicNumber]]) -> Any:
    """A decoded Struct with symbolic numbers in the places of their values.

    A number whose place is not found, or holds something else, has to be what it is.
    """
    for path, number in symbols:
        try:
            decoded = _insert_symbol(decoded, path, number, _number_types(type(decoded), path))
        except LookupError:
            demand_plain(number)
    return decoded


def _number_types(kind: Any, path: _Path) -> list[Any]:
    """The types of numbers that an argument takes at a path."""
    return [
        each
        for each in type_choices(kind, path)
        if isinstance(each, inspect.IntType | inspect.FloatType)
    ]


def _insert_symbol(owner: Any, path: Sequence[str | int], number: Any, types: list[Any]) -> Any:
    """A decoded value in which a number takes the place that a path leads to.

    Raises:
        LookupError: it cannot.
    """
    if not path:
        return _constrain_symbol(owner, number, types)
    step, *steps = path
    if isinstance(owner, tuple) and isinstance(step, int):
        part = _insert_symbol(owner[step], steps, number, types)
        return (*owner[:step], part, *owner[step + 1 :])
    if isinstance(owner, Struct):
        at = step if isinstance(step, int) else owner.__struct_encode_fields__.index(step)
        name = owner.__struct_fields__[at]
        part = _insert_symbol(getattr(owner, name), steps, number, types)
        return replace(owner, **{name: part})
    raise LookupError(step)


def _constrain_symbol(decoded: object, number: SymbolicNumber, types: list[Any]) -> Any:
    """The number in the place of its decoded value, once what the type demands is recorded.

    Raises:
        LookupError: the value became something else, or is one of a closed set.
    """
    if decoded != number.value or not _is_allowed(number, types, type(decoded)):
        raise LookupError
    return number if type(decoded) is type(number.value) else as_float(number)


def _is_allowed(number: Any, types: list[Any], kind: type[Any]) -> bool:
    """Whether one type alone takes a number, as an int or a float; its bounds are recorded."""
    wanted = inspect.FloatType if kind is float else inspect.IntType
    matching = [each for each in types if isinstance(each, wanted)]
    if len(matching) != 1 or matching[0].multiple_of:
        return False
    return all(_compare_with_bounds(number, matching[0]))


def _is_out_of_bounds(number: SymbolicNumber, types: list[Any]) -> bool:
    """Whether the one type that there is takes integers, but none like this, as is recorded."""
    match types:
        case [inspect.IntType(multiple_of=None) as only]:
            if isinstance(number, int):
                return not all(_compare_with_bounds(number, only))
            return math.isfinite(number.value) and math.trunc(number) != number
    return False


def _compare_with_bounds(number: Any, type: Any) -> list[bool]:
    """Whether a number keeps to each bound of a type."""
    bounds = [(decide, getattr(type, name)) for name, decide in _BOUNDS.items()]
    return [decide(number, bound) for decide, bound in bounds if bound is not None]
