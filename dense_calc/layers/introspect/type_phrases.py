"""The types of arguments in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import inspect

from dense_calc.layers.base import LayerKind

_MAX_LISTED_WORDS = 6  # in a message
_MAX_INT64 = 2**63 - 1  # a bound that only says that NumPy holds the number


def argument_type(kind: type[LayerKind], argument: str) -> inspect.Type:
    """The type of an argument of a kind."""
    return _argument_types(kind)[argument]


@cache  # saves 1 ms for each repetition of an error in a sweep
def _argument_types(kind: Any) -> dict[str, inspect.Type]:
    """The types of the arguments of a kind."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: field.type for field in info.fields}


def allowed_words(wanted: inspect.Type) -> Iterator[str]:
    """The words that an argument of this type may be."""
    match wanted:
        case inspect.UnionType(types=types):
            for each in types:
                yield from allowed_words(each)
        case inspect.LiteralType(values=values):
            yield from map(str, values)
        case inspect.EnumType(cls=cls):
            yield from (str(word.value) for word in cls)
        case inspect.Metadata(extra={"words": words}):
            yield from words


def describe_type(wanted: inspect.Type) -> str:
    """`a positive integer`, `'valid' or 'same'`, `a positive integer or a list of them`."""
    match wanted:
        case inspect.UnionType(types=types):
            # A message leaves out null and serialized objects, which few users write.
            mentioned = [
                each
                for each in types
                if _is_array_struct(each) or not isinstance(each, _UNMENTIONED_TYPES)
            ]
            return " or ".join(map(describe_type, mentioned)) or "a mapping"
        case inspect.IntType(ge=least, le=most):
            return (
                "a positive integer" if least == 1 else f"an integer{_describe_bounds(least, most)}"
            )
        case inspect.FloatType(gt=above, ge=least, le=most):
            return f"a number{_describe_bounds(least, most, above)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType(pattern=pattern, max_length=most):
            limit = f" of at most {most:,} characters" if most else ""
            return f"text{limit}" + " without '/'" * bool(pattern)
        case inspect.LiteralType() | inspect.EnumType() | inspect.Metadata():
            return _list_words(list(allowed_words(wanted)))
        case inspect.VarTupleType():
            return _describe_list(wanted)
        case inspect.StructType(array_like=True, fields=fields):
            return f"a list of {' and '.join(describe_type(field.type) for field in fields)}"
        case inspect.CustomType():
            return "a layer"
    return "any value" if isinstance(wanted, inspect.AnyType) else "a mapping"


def _list_words(words: Sequence[str]) -> str:
    """`'valid', 'same' or 'causal'`, if they are few."""
    if len(words) > _MAX_LISTED_WORDS:
        return "a name that Keras knows"
    *first, last = [f"'{word}'" for word in words]
    return f"{', '.join(first)} or {last}" if first else last


def _describe_list(wanted: inspect.VarTupleType) -> str:
    """`a list of 2 numbers`, `a list` of any values."""
    if isinstance(wanted.item_type, inspect.AnyType):
        return "a list"
    least, most = wanted.min_length, wanted.max_length
    number = f"{least} " if least else f"at most {most} " if most else ""
    return f"a list of {number}{_pluralize_phrase(describe_type(wanted.item_type))}"


_UNMENTIONED_TYPES = (inspect.NoneType, inspect.DictType, inspect.StructType)


def _is_array_struct(wanted: inspect.Type) -> bool:
    """Whether this is a struct that files hold as a list."""
    return isinstance(wanted, inspect.StructType) and wanted.array_like


def _describe_bounds(least: float | None, most: float | None, above: float | None = None) -> str:
    """` from 0 to 1`, ` of at least 0`, ` above -1 and up to 1`, or nothing."""
    least = None if least is not None and least <= -_MAX_INT64 else least
    most = None if most is not None and most >= _MAX_INT64 else most
    if above is not None:
        return f" above {above}" if most is None else f" above {above} and up to {most}"
    if least is None:
        return "" if most is None else f" of at most {most}"
    return f" of at least {least}" if most is None else f" from {least} to {most}"


def _pluralize_phrase(phrase: str) -> str:
    """`positive integers or lists of numbers` for `a positive integer or a list of numbers`."""
    plurals = []
    for choice in phrase.split(" or "):
        bare = choice.removeprefix("a ").removeprefix("an ")
        noun = "list" if bare.startswith("list") else "(integer|number|layer)"
        plurals.append(re.sub(rf"\b{noun}\b", r"\g<0>s", bare, count=1))
    return " or ".join(dict.fromkeys(plurals))
