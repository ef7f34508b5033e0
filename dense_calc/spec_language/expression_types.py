"""What the type of an argument takes: text as an expression, where it wants a number, and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from msgspec import inspect
from msgspec.structs import fields

from dense_calc.spec_language.spec_numbers import is_number

_LIST_TYPES = (inspect.VarTupleType, inspect.TupleType, inspect.AnyType)


def takes_expression(kind: Any, path: tuple[str | int, ...]) -> bool:
    """Whether text at a path in the arguments of a kind is an expression."""
    values = [value for choice in type_choices(kind, path) for value in _example_values(choice)]
    return any(map(is_number, values)) and not any(isinstance(value, str) for value in values)


def takes_list(kind: Any, name: str) -> bool:
    """Whether an argument of a kind may be a list."""
    return any(
        isinstance(each, _LIST_TYPES) or getattr(each, "array_like", False)
        for each in type_choices(kind, (name,))
    )


@lru_cache(maxsize=1000)  # every layer with an expression asks
def type_choices(kind: Any, path: tuple[str | int, ...]) -> tuple[inspect.Type, ...]:
    """The types that a value may have at a path in the arguments of a kind."""
    name, *steps = path
    argument = next(field.type for field in fields(kind) if field.encode_name == name)
    choices = list(_choices(inspect.type_info(argument)))
    for step in steps:
        choices = [part for choice in choices for part in _part_choices(choice, step)]
    return tuple(choices)


def _choices(wanted: inspect.Type) -> Iterator[inspect.Type]:
    """The types of a union, or the only one."""
    match wanted:
        case inspect.UnionType(types=types):
            for each in types:
                yield from _choices(each)
        case inspect.Metadata(type=bare):
            yield from _choices(bare)
        case _:
            yield wanted


def _part_choices(whole: inspect.Type, step: str | int) -> Iterator[inspect.Type]:
    """The types of one item of a list, or of the value under one key."""
    match whole:
        case inspect.VarTupleType(item_type=part) if isinstance(step, int):
            yield from _choices(part)
        case inspect.DictType(value_type=part) if isinstance(step, str):
            yield from _choices(part)
        case inspect.StructType(array_like=array_like, fields=members):
            for number, member in enumerate(members):
                if step == (number if array_like else member.encode_name):
                    yield from _choices(member.type)


def _example_values(wanted: inspect.Type) -> Iterable[object]:
    """Numbers and texts that a type takes: all of a closed set, else one of each."""
    match wanted:
        case inspect.IntType() | inspect.FloatType():
            return (0,)
        case inspect.StrType() | inspect.AnyType():
            return ("",)
        case inspect.LiteralType(values=values):
            return values
        case inspect.EnumType(cls=cls):
            return [word.value for word in cls]
    return ()
