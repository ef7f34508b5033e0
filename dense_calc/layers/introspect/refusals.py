"""What msgspec finds wrong in the arguments of a layer → what is said of it, and of which one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import fields

from dense_calc.errors import did_you_mean, said

# How msgspec words a value that does not fit: the problem, then the path to the value.
# Patterns are compiled when they are first needed.
PROBLEM = r"(?s)(.*?)(?: - at `\$([^`]*)`)?"
STEP = r"\.(\w+)|\[(\d+|\.\.\.)\]"
FIELD = r"(?s)Object (contains unknown|missing required) field `(.*)`"
OWN_WORDS = r"Expected|Object|Invalid"  # as msgspec begins; a type begins as it likes

# Of arguments that Keras' own files cannot hold, either.
NO_TUPLES = "Keras cannot load it from a file: it wants a tuple, and files have lists"

Path = list[str | int]
ANY = "..."  # msgspec's word for one of a mapping's keys, whichever


def problem_of(error: ValidationError) -> tuple[str, Path]:
    """What msgspec found, and the path to the value that it found it in."""
    match = re.fullmatch(PROBLEM, str(error))
    assert match
    steps = re.findall(STEP, match[2] or "")
    return match[1], [int(index) if index.isdigit() else index or name for name, index in steps]


def refusal(
    kind: type[Any], whose: str, values: Mapping[str, Any], problem: str, path: Path
) -> tuple[str, Path]:
    """The complaint about a problem in the values of a kind, and the path to what is to blame.

    `whose` is what the user calls the kind. An argument that is missing has no path.
    """
    if not re.match(OWN_WORDS, problem):  # the words of a type, or of the kind
        about = f"{whose}'s '{path[0]}'" if path else whose
        return f"{about}: {problem}", path
    field = re.fullmatch(FIELD, problem)
    if field and not path:
        return unfit_name(kind, whose, values, field[1] == "missing required", field[2])
    path = with_key(kind, values, path)
    value = at(values, path)
    instead = f"but it lacks '{field[2]}'" if field else f"not {said(value)}"
    return unfit(kind, whose, path, value, instead), path


def unfit_name(
    kind: type[Any], whose: str, values: Mapping[str, Any], is_missing: bool, name: str
) -> tuple[str, Path]:
    """The complaint about an argument that is missing or that the kind does not have."""
    if not is_missing:
        hint = did_you_mean(name, kind.__struct_encode_fields__)
        return f"{whose} has no argument '{name}'{hint}", [name]
    missing = (
        f"'{field.encode_name}'"
        for field in fields(kind)
        if field.required and field.encode_name not in values
    )
    return f"{whose} needs {' and '.join(missing)}", []


def unfit(kind: type[Any], whose: str, path: Path, value: Any, instead: str) -> str:
    """The complaint about a value of the wrong type: what it must be, and what it is instead."""
    from dense_calc.layers.introspect.type_phrases import (  # only a mistake pays
        phrase,
        type_of,
        words_of,
    )

    name = str(path[0])
    wanted = type_of(kind, name)
    hint = ""
    if isinstance(value, str):
        hint = did_you_mean(value, words_of(wanted), else_listed=False)
    return f"{whose}'s '{name}' must be {phrase(wanted)}, {instead}{hint}"


def with_key(kind: type[Any], values: Mapping[str, Any], path: Path) -> Path:
    """The path with the key of what is wrong where msgspec says any."""
    name, *rest = path
    if rest[:1] != [ANY]:
        return path
    for key, value in values[str(name)].items():
        try:
            convert({**values, str(name): {key: value}}, kind)
        except ValidationError:
            return [name, key, *rest[1:]]
    return [name]


def at(values: Any, path: Path) -> Any:
    """What stands at `path` in nested values."""
    return reduce(getitem, path, values)
