"""msgspec's errors about the arguments of a layer, reworded for users."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from operator import getitem
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import fields

from dense_calc.errors import describe_value, did_you_mean

# A message of msgspec: the problem, then the path to the value. Patterns are compiled on first use.
_PROBLEM_PATTERN = r"(?s)(.*?)(?: - at `\$([^`]*)`)?"
_STEP_PATTERN = r"\.(\w+)|\[(\d+|\.\.\.)\]"
FIELD_PATTERN = r"(?s)Object (contains unknown|missing required) field `(.*)`"
_MSGSPEC_WORDING = (
    r"Expected|Object|Invalid"  # the first words of msgspec's own messages, not of a type's
)

# The complaint about arguments that Keras' files cannot hold.
NO_TUPLES_MESSAGE = "Keras cannot load it from a file: it needs a tuple, and files have lists"

ValuePath = list[str | int]
ANY_KEY = "..."  # what msgspec writes for a key of a mapping


def parse_validation_error(error: ValidationError) -> tuple[str, ValuePath]:
    """The problem in a message of msgspec, and the path to the value."""
    match = re.fullmatch(_PROBLEM_PATTERN, str(error))
    assert match
    steps = re.findall(_STEP_PATTERN, match[2] or "")
    return match[1], [int(index) if index.isdigit() else index or name for name, index in steps]


def describe_refusal(
    kind: type[Any],
    whose: str,
    values: Mapping[str, Any],
    problem: str,
    path: ValuePath,
    suggest: Callable[[ValuePath], str] = lambda _path: "",
) -> tuple[str, ValuePath]:
    """The complaint about a problem in the arguments of a kind, and the path to the wrong value.

    `whose` is the user's name for the kind. The path to a missing argument is empty. `suggest`
    gives the hint for what is wrong at a path, '' if the choices like it are the best hint.
    """
    if not re.match(_MSGSPEC_WORDING, problem):  # raised by a type or by the kind
        about = f"{whose}'s '{path[0]}'" if path else whose
        return f"{about}: {problem}{suggest(path)}", path
    field = re.fullmatch(FIELD_PATTERN, problem)
    if field and not path:
        is_missing, name = field[1] == "missing required", field[2]
        hint = suggest([] if is_missing else [name])
        return _describe_bad_name(kind, whose, values, is_missing, name, hint)
    path = resolve_any_key(kind, values, path)
    value = value_at_path(values, path)
    instead = f"but it lacks '{field[2]}'" if field else f"not {describe_value(value)}"
    return describe_bad_value(kind, whose, path, value, instead, suggest(path)), path


def _describe_bad_name(
    kind: type[Any], whose: str, values: Mapping[str, Any], is_missing: bool, name: str, hint: str
) -> tuple[str, ValuePath]:
    """The complaint about a missing or unknown argument."""
    if not is_missing:
        hint = hint or did_you_mean(name, kind.__struct_encode_fields__)
        return f"{whose} has no argument '{name}'{hint}", [name]
    missing = (
        f"'{field.encode_name}'"
        for field in fields(kind)
        if field.required and field.encode_name not in values
    )
    return f"{whose} needs {' and '.join(missing)}{hint}", []


def describe_bad_value(
    kind: type[Any], whose: str, path: ValuePath, value: Any, instead: str, hint: str = ""
) -> str:
    """The complaint about a value of the wrong type, with the right type and `instead`.

    Without a hint, it names the allowed word like the value.
    """
    from dense_calc.layers.introspect.type_phrases import (  # only errors need it
        allowed_words,
        argument_type,
        describe_type,
    )

    name = str(path[0])
    wanted = argument_type(kind, name)
    if isinstance(value, str) and not hint:
        word = value.partition("(")[0].rpartition(".")[2]  # of tf.nn.relu, l2(0.01)
        hint = did_you_mean(word, allowed_words(wanted), else_listed=False)
    return f"{whose}'s '{name}' must be {describe_type(wanted)}, {instead}{hint}"


def resolve_any_key(kind: type[Any], values: Mapping[str, Any], path: ValuePath) -> ValuePath:
    """The path with the key of the wrong value in place of msgspec's `...`."""
    name, *rest = path
    if rest[:1] != [ANY_KEY]:
        return path
    for key, value in values[str(name)].items():
        try:
            convert({**values, str(name): {key: value}}, kind)
        except ValidationError:
            return [name, key, *rest[1:]]
    return [name]


def value_at_path(values: Any, path: ValuePath) -> Any:
    """The value at `path` in nested values."""
    return reduce(getitem, path, values)
