"""Where a value stands in a file of Keras': looked for only once there is something to say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import msgspec
from msgspec import field

from dense_calc.errors import DenseCalcError, Place, Source, SpecError, describe_value
from dense_calc.keras_format.legacy.yaml_models import parse_keras_yaml
from dense_calc.spec_language.yaml_tree import merge_mark_error

PathStep = str | int
_JSON_CHARACTER = r"(?:\\u[dD][89abAB]..)?\\u[0-9a-fA-F]{4}|\\.|."  # a character of a text in JSON
_ESCAPED_COLONS = (r"\u003a", r"\u003A")  # escaped in JSON
_KEY_OR_BRACE = r'"((?:[^"\\]|\\.)*+)"(\s*:)?|[{}]'  # of JSON


class JsonPlace(Place, gc=False):
    """A value in a file, by the keys and numbers that lead to it."""

    path: tuple[PathStep, ...] = ()

    def inner_place(self, *steps: PathStep) -> JsonPlace:
        """What stands further in."""
        return JsonPlace(*self.coordinates, (*self.path, *steps))

    def written_name(self, argument: str) -> str:
        """What the file calls an argument of the layer that stands here."""
        return argument

    def locate_part(self, name: str) -> Place:
        """An argument of the layer that stands here, or an item of a list of layers."""
        if name == "from":
            return self.inner_place("inbound_nodes")
        return self.inner_place(int(name)) if name.isdigit() else self.inner_place("config", name)

    def resolve(self) -> Place:
        """The place itself, or what is nearest around it."""
        text = self.source.text
        try:
            start, end = _find_in_json(text, self.path)
        except (IndexError, RecursionError, ValueError):
            return self.find_in_yaml()
        return _place_in_text(self.source, start, end)

    def find_in_yaml(self) -> Place:
        """The same in a YAML text; the text's start where that cannot be read."""
        try:
            node = parse_keras_yaml(self.source)
        except DenseCalcError:
            return Place(self.source, 1, 1, 1)
        for step in self.path:
            match node.value:
                case dict(pairs) if step in pairs:
                    node = pairs[step][1]
                case list(items) if isinstance(step, int) and step < len(items):
                    node = items[step]
                case list() if isinstance(step, str):
                    continue
                case _:
                    break
        return Place(*node.coordinates)


class LegacyLayerPlace(JsonPlace, gc=False):
    """A layer in the words of an older Keras: its class, its config, and that Keras' version."""

    class_name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    keras_version: int = 2

    def inner_place(self, *steps: PathStep) -> JsonPlace:
        match steps:
            case ["config", str(argument), *rest]:
                steps = ("config", self.written_name(argument), *rest)
        return super().inner_place(*steps)

    def written_name(self, argument: str) -> str:
        from dense_calc.keras_format.legacy.origins import (
            original_argument,  # only a mistake pays for it
        )

        if argument in self.config:
            return argument
        return original_argument(argument, self.class_name, self.config, self.keras_version)


def _place_in_text(source: Source, start: int, end: int) -> Place:
    """The place of a stretch of a text."""
    line_start = source.text.rfind("\n", 0, start) + 1
    line = source.text.count("\n", 0, start) + 1
    return Place(source, line, start - line_start + 1, end - start)


def file_start(source: Source) -> JsonPlace:
    """The place of a whole file."""
    return JsonPlace(source, 1, 1, 1)


def decode_json(source: Source) -> Any:
    """What a JSON text holds; `NaN` and `Infinity` are numbers, as Python writes them.

    Raises:
        SpecError: it is not JSON.
    """
    try:
        value = msgspec.json.decode(source.text)
        again = msgspec.json.encode(value)
    except msgspec.DecodeError:
        value, again = _decode_python_json(source)
    except RecursionError:
        raise nesting_error(source) from None
    if source.text.count(":") != again.count(b":") or any(
        map(source.text.__contains__, _ESCAPED_COLONS)
    ):
        _demand_unique_keys(source)  # a key may stand twice, if no colon that is escaped makes up
    return value


def _decode_python_json(source: Source) -> tuple[Any, bytes]:
    """The same of a text with Python's numbers, or a broken one; and the value as JSON again.

    Raises:
        SpecError: it is not JSON. Unlike msgspec, the standard library knows where that shows.
    """
    try:
        value = json.loads(source.text)
        return value, msgspec.json.encode(value)  # which escapes could keep from being Unicode
    except json.JSONDecodeError as error:
        place = Place(source, error.lineno, error.colno, 1)
        raise merge_mark_error(source) or SpecError(
            f"this is not JSON: {error.msg}", place
        ) from None
    except RecursionError:
        raise nesting_error(source) from None
    except UnicodeEncodeError:
        raise SpecError("a text in it is not Unicode", file_start(source)) from None
    except (ValueError, OverflowError):  # Python reads no number of more than some thousand digits
        raise SpecError("a number has too many digits", file_start(source)) from None


def _demand_unique_keys(source: Source) -> None:
    """Raise SpecError if a key stands twice in an object of a JSON text."""
    opened: list[set[str]] = []
    for found in re.finditer(_KEY_OR_BRACE, source.text):
        key, colon = found.groups()
        if colon:
            key = json.loads(f'"{key}"') if "\\" in key else key
            if key in opened[-1]:
                place = _place_in_text(source, *found.span(1))
                raise SpecError(f"the key {describe_value(key)} stands here twice", place)
            opened[-1].add(key)
        elif found[0] == "{":
            opened.append(set())
        elif found[0] == "}":
            opened.pop()


def nesting_error(source: Source) -> SpecError:
    """The complaint about nesting without end."""
    return SpecError("too much: it is nested without end", file_start(source))


def _find_in_json(text: str, path: tuple[PathStep, ...]) -> tuple[int, int]:
    """Where the value that `path` leads to starts and ends, or the last on the way that is there.

    Raises:
        ValueError, IndexError: the text is not JSON.
    """
    start = _skip_separator(text, 0)
    for number, step in enumerate(path):
        if text[start] == '"':
            return _find_in_json_string(text, start, path[number:])
        if text[start] == "[" and isinstance(step, str):
            continue  # early versions write the layers of a Sequential without a key
        for key, position in _json_items(text, start):
            if key == step:
                start = position
                break
        else:
            break
    if text[start] in "{[":  # which may hold nearly all there is
        return start, start + 1
    return start, json.JSONDecoder().raw_decode(text, start)[1]


def _find_in_json_string(text: str, start: int, path: tuple[PathStep, ...]) -> tuple[int, int]:
    """The same in the JSON that is kept in a text, as it stands there with its escapes.

    Raises:
        ValueError, IndexError: it is not JSON.
    """
    inner, end = json.JSONDecoder().raw_decode(text, start)
    found = _find_in_json(inner, path)
    signs = (re.compile(_JSON_CHARACTER).finditer(text, start + 1, end) for _ in found)
    first, last = map(next, map(islice, signs, found, (None, None)))
    return first.start(), last.start()


def _json_items(text: str, start: int) -> Iterator[tuple[PathStep, int]]:
    """The keys, or numbers, of what is in the object or array at `start`, and where it starts."""
    decode = json.JSONDecoder().raw_decode
    position = _skip_separator(text, start + 1)
    for number in count():
        if text[start] not in "{[" or text[position] in "}]":
            return
        key: PathStep = number
        if text[start] == "{":
            key, position = decode(text, position)
            position = _skip_separator(text, position, ":")
        yield key, position
        position = _skip_separator(text, decode(text, position)[1], ",")


def _skip_separator(text: str, position: int, sign: str = "") -> int:
    """The next position beyond spaces, and beyond a sign among them."""
    found = re.compile(rf"\s*{sign}?\s*").match(text, position)
    assert found
    return found.end()
