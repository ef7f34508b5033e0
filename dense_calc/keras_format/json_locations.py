"""Lines and columns of values in a Keras file, searched for only when a message needs them."""

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
_JSON_CHARACTER = r"(?:\\u[dD][89abAB]..)?\\u[0-9a-fA-F]{4}|\\.|."  # one of a string in JSON
_ESCAPED_COLONS = (r"\u003a", r"\u003A")
_KEY_OR_BRACE = r'"((?:[^"\\]|\\.)*+)"(\s*:)?|[{}]'


class JsonPlace(Place, gc=False):
    """The place of a value in a file, by the keys and indices that lead to it."""

    path: tuple[PathStep, ...] = ()

    def inner_place(self, *steps: PathStep) -> JsonPlace:
        """The place of a value inside this one."""
        return JsonPlace(*self.coordinates, (*self.path, *steps))

    def written_name(self, argument: str) -> str:
        """The file's name for an argument of the layer at this place."""
        return argument

    def locate_part(self, name: str) -> Place:
        """The place of an argument of the layer here, or of an item of a list of layers."""
        if name == "from":
            return self.inner_place("inbound_nodes")
        return self.inner_place(int(name)) if name.isdigit() else self.inner_place("config", name)

    def resolve(self) -> Place:
        """The line and column of the value, or of the innermost value around it that is found."""
        text = self.source.text
        try:
            start, end = _find_in_json(text, self.path)
        except (IndexError, RecursionError, ValueError):
            return self._find_in_yaml()
        return _place_in_text(self.source, start, end)

    def _find_in_yaml(self) -> Place:
        """The same in a YAML text; the start of a text that cannot be read."""
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
    """The place of a layer of an older Keras, with its class and config in that version's words."""

    class_name: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    keras_version: int = 2

    def inner_place(self, *steps: PathStep) -> JsonPlace:
        match steps:
            case ["config", str(argument), *rest]:
                steps = ("config", self.written_name(argument), *rest)
        return super().inner_place(*steps)

    def written_name(self, argument: str) -> str:
        from dense_calc.keras_format.legacy.origins import original_argument  # only for mistakes

        if argument in self.config:
            return argument
        return original_argument(argument, self.class_name, self.config, self.keras_version)


def _place_in_text(source: Source, start: int, end: int) -> Place:
    """The place of the characters from `start` to `end` of a text."""
    line_start = source.text.rfind("\n", 0, start) + 1
    line = source.text.count("\n", 0, start) + 1
    return Place(source, line, start - line_start + 1, end - start)


def file_start(source: Source) -> JsonPlace:
    """The place of a whole file."""
    return JsonPlace(source, 1, 1, 1)


def decode_json(source: Source) -> Any:
    """The value of a JSON text; `NaN` and `Infinity` are numbers, as Python writes them.

    Raises:
        SpecError: the text is not JSON, or has a key twice in an object.
    """
    try:
        value = msgspec.json.decode(source.text)
        encoded = msgspec.json.encode(value)
    except msgspec.DecodeError:
        value, encoded = _decode_python_json(source)
    except RecursionError:
        raise nesting_error(source) from None
    # A lost key shows as a lost colon, unless an escaped colon makes up for it.
    if source.text.count(":") != encoded.count(b":") or any(
        colon in source.text for colon in _ESCAPED_COLONS
    ):
        _demand_unique_keys(source)
    return value


def _decode_python_json(source: Source) -> tuple[Any, bytes]:
    """The value of a JSON text that msgspec refuses, and the value encoded again.

    The standard library reads Python's numbers, and knows where a broken text is broken.

    Raises:
        SpecError: the text is not JSON.
    """
    try:
        value = json.loads(source.text)
        return value, msgspec.json.encode(value)  # fails on surrogates from escapes
    except json.JSONDecodeError as error:
        place = Place(source, error.lineno, error.colno, 1)
        raise merge_mark_error(source) or SpecError(
            f"this is not JSON: {error.msg}", place
        ) from None
    except RecursionError:
        raise nesting_error(source) from None
    except UnicodeEncodeError:
        raise SpecError("a text in it is not Unicode", file_start(source)) from None
    except (ValueError, OverflowError):  # Python limits the digits of a number
        raise SpecError("a number has too many digits", file_start(source)) from None


def _demand_unique_keys(source: Source) -> None:
    """Raise SpecError if a key stands twice in an object of a JSON text."""
    open_objects: list[set[str]] = []
    for token in re.finditer(_KEY_OR_BRACE, source.text):
        key, colon = token.groups()
        if colon:
            key = json.loads(f'"{key}"') if "\\" in key else key
            if key in open_objects[-1]:
                place = _place_in_text(source, *token.span(1))
                raise SpecError(f"the key {describe_value(key)} is used twice", place)
            open_objects[-1].add(key)
        elif token[0] == "{":
            open_objects.append(set())
        elif token[0] == "}":
            open_objects.pop()


def nesting_error(source: Source) -> SpecError:
    """The complaint about a text that is nested too deep."""
    return SpecError("too much: it is nested without end", file_start(source))


def _find_in_json(text: str, path: tuple[PathStep, ...]) -> tuple[int, int]:
    """The start and end of the value at `path`, or of the last value on the way to it.

    Raises:
        ValueError, IndexError: the text is not JSON.
    """
    start = _skip_separator(text, 0)
    for number, step in enumerate(path):
        if text[start] == '"':
            return _find_in_json_string(text, start, path[number:])
        if text[start] == "[" and isinstance(step, str):
            continue  # early versions write the layers of a Sequential without a key
        position = next((at for key, at in _json_items(text, start) if key == step), None)
        if position is None:
            break
        start = position
    if text[start] in "{[":  # its bracket is enough: it may span the whole file
        return start, start + 1
    return start, json.JSONDecoder().raw_decode(text, start)[1]


def _find_in_json_string(text: str, start: int, path: tuple[PathStep, ...]) -> tuple[int, int]:
    """The same in JSON inside a string of JSON, where characters are escaped.

    Raises:
        ValueError, IndexError: the string is not JSON.
    """
    inner, end = json.JSONDecoder().raw_decode(text, start)
    span = _find_in_json(inner, path)
    characters = (re.compile(_JSON_CHARACTER).finditer(text, start + 1, end) for _ in span)
    first, last = map(next, map(islice, characters, span, (None, None)))
    return first.start(), last.start()


def _json_items(text: str, start: int) -> Iterator[tuple[PathStep, int]]:
    """The keys or indices in the object or array at `start`, with the starts of their values."""
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


def _skip_separator(text: str, position: int, separator: str = "") -> int:
    """The next position after spaces, and after a separator among them."""
    match = re.compile(rf"\s*{separator}?\s*").match(text, position)
    assert match
    return match.end()
