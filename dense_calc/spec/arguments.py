"""The arguments of a layer as they are written → the layer, decoded by the types of its kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any

from msgspec import ValidationError, convert
from msgspec.structs import fields

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.spec.document import Marked, said
from dense_calc.spec.entries import Entry, Reuse, entry_of
from dense_calc.spec.scope import ExpressionError, Scope

# How msgspec words a value that does not fit: the problem, then the path to the value.
# Patterns are compiled when they are first needed.
PROBLEM = r"(?s)(.*?)(?: - at `\$(.*)`)?"
STEP = r"\.(\w+)|\[(\d+|\.\.\.)\]"
FIELD = r"(?s)Object (contains unknown|missing required) field `(.*)`"
OWN_WORDS = r"Expected|Object|Invalid"  # as msgspec begins; a type begins as it likes
TEXT_FOR_NUMBER = r"Expected `[^`]*\b(int|float)\b[^`]*`, got `str`"

Path = list[str | int]
ANY = "..."  # msgspec's word for one of a mapping's keys, whichever

# Arguments of a kind that were seen to want a number, so that the next layer is quicker.
NUMERIC: defaultdict[type, set[str]] = defaultdict(set)


def layer_of(entry: Entry, scope: Scope) -> LayerKind:
    """The layer that an entry describes.

    Raises:
        SpecError: an argument is missing, unknown or of a wrong type.
    """
    if entry.fixed:
        return entry.fixed
    consulted = scope.consulted
    inner = entry.kind.wraps
    values: Any = {
        name: layers_in(value, scope) if name in inner else value.plain()
        for name, (_, value) in entry.arguments.items()
        if name != "from"
    }
    if scope.given and scope.words:
        scope.consulted += 1
        for name in values.keys() - {"name", *inner}:
            values[name] = with_words(values[name], scope.words)
    layer: LayerKind = decoded(entry, values, scope)
    if scope.consulted == consulted:
        entry.fixed = layer
    return layer


def with_words(value: Any, words: Mapping[str, Any]) -> Any:
    """A value with what the words in it stand for."""
    if isinstance(value, list):
        return [with_words(each, words) for each in value]
    return words.get(value, value) if isinstance(value, str) else value


def decoded(entry: Entry, values: Any, scope: Scope) -> Any:
    """The instance of an entry's kind that has these values.

    Types decide what is an expression: text that stands where the kind wants a number.

    Raises:
        SpecError: a value is missing, unknown or of a wrong type.
    """
    numbers = NUMERIC[entry.kind]
    for name, value in values.items():
        if name in numbers and isinstance(value, str):
            compute(entry, [name], values, scope)
    while True:
        try:
            return convert(values, entry.kind)
        except ValidationError as error:
            problem, path = problem_of(error)
        if not re.match(OWN_WORDS, problem):
            raise refused(entry, path, problem)
        if not path:
            raise unfit_name(entry, problem)
        if not re.match(TEXT_FOR_NUMBER, problem):
            missing = re.fullmatch(FIELD, problem)
            path = with_key(entry, values, path)
            found = f"but it lacks '{missing[2]}'" if missing else f"not {said(at(values, path))}"
            raise unfit(entry, path, found)
        consulted = scope.consulted
        compute(entry, path, values, scope)
        assert scope.consulted > consulted, path  # else this would never end
        if len(path) == 1:
            NUMERIC[entry.kind].add(str(path[0]))


def layers_in(written: Marked, scope: Scope) -> Any:
    """The layer, or list of layers, that is an argument of another."""
    if isinstance(written.value, list):
        return [layers_in(item, scope) for item in written.value]
    if not isinstance(written.value, str | dict):
        return written.value
    entry = entry_of(written, {})
    if isinstance(entry, Reuse):
        raise SpecError("a layer inside another cannot be one that is called elsewhere", entry)
    if "from" in entry.arguments:
        outer = "a layer inside another reads what that one gives it; remove 'from'"
        raise SpecError(outer, entry.arguments["from"][0])
    for name in entry.kind.of_call:
        if name in entry.arguments:
            outer = f"'{name}' is for a call, which the layer around this one makes; remove it"
            raise SpecError(outer, entry.arguments[name][0])
    return layer_of(entry, scope)


def compute(entry: Entry, path: Path, values: Any, scope: Scope) -> None:
    """Put the value of the expression at `path` in its place, and of those in places like it."""
    for *steps, last in alike(values, path):
        holder = at(values, steps)
        if not isinstance(holder[last], str):
            continue
        try:
            holder[last] = scope.evaluate(holder[last])
        except ExpressionError as error:
            raise unfit(entry, [*steps, last], f"but {error}") from None


def alike(values: Any, path: Path) -> Iterator[Path]:
    """The paths that differ from this one in which item of a list they lead to, or which key."""
    step, *rest = path
    keys: Iterable[str | int] = [step]
    if not isinstance(step, str) or step == ANY:
        keys = range(len(values)) if isinstance(values, list) else list(values)
    for key in keys:
        if not rest:
            yield [key]
        elif isinstance(values[key], list | dict):
            yield from ([key, *further] for further in alike(values[key], rest))


def with_key(entry: Entry, values: Any, path: Path) -> Path:
    """The path with the key of what is wrong where msgspec says any."""
    name, *rest = path
    if rest[:1] != [ANY]:
        return path
    for key, value in values[name].items():
        try:
            convert({**values, name: {key: value}}, entry.kind)
        except ValidationError:
            return [name, key, *rest[1:]]
    return [name]


def at(values: Any, path: Path) -> Any:
    """What stands at `path` in nested values."""
    return reduce(getitem, path, values)


def problem_of(error: ValidationError) -> tuple[str, Path]:
    """What msgspec found, and the path to the value that it found it in."""
    match = re.fullmatch(PROBLEM, str(error))
    assert match
    steps = re.findall(STEP, match[2] or "")
    return match[1], [int(index) if index.isdigit() else index or name for name, index in steps]


def unfit_name(entry: Entry, problem: str) -> SpecError:
    """The complaint about an argument that is missing or that the kind does not have."""
    match = re.fullmatch(FIELD, problem)
    assert match
    kind, name = entry.kind, match[2]
    whose = kind.__name__ if issubclass(kind, LayerKind) else entry.label
    if match[1] == "missing required":
        missing = (
            f"'{field.encode_name}'"
            for field in fields(kind)
            if field.required and field.encode_name not in entry.arguments
        )
        return SpecError(f"{whose} needs {' and '.join(missing)}", entry)
    hint = did_you_mean(name, kind.__struct_encode_fields__)
    return SpecError(f"{whose} has no argument '{name}'{hint}", entry.arguments[name][0])


def refused(entry: Entry, path: Path, problem: str) -> SpecError:
    """The complaint of a type about a value, or of the kind about arguments that do not agree."""
    whose = entry.label or entry.kind.__name__
    if not path:
        return SpecError(f"{whose}: {problem}", entry)
    return SpecError(f"{whose}'s '{path[0]}': {problem}", place_of(entry, path))


def place_of(entry: Entry, path: Path) -> Any:
    """Where the value at `path` is written."""
    name, *steps = path
    place: Any = entry.arguments[str(name)][1]
    for step in steps:
        place = place.part(str(step))
    return place


def unfit(entry: Entry, path: Path, instead: str) -> SpecError:
    """The complaint about a value of the wrong type: what it must be, and what it is instead."""
    from dense_calc.layers.phrases import phrase, type_of, words_of  # only a mistake pays

    name = str(path[0])
    place = place_of(entry, path)
    wanted = type_of(entry.kind, name)
    hint = ""
    if isinstance(place.value, str):
        hint = did_you_mean(place.value, words_of(wanted), else_listed=False)
    whose = entry.label or entry.kind.__name__
    return SpecError(f"{whose}'s '{name}' must be {phrase(wanted)}, {instead}{hint}", place)
