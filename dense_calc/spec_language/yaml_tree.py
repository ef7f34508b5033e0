"""YAML text → a tree of values with their places in the text.

Building the tree from libyaml's events is faster than `yaml.load`. It also gives places, finds
duplicate keys, limits depth and aliases, and reads values as YAML 1.2 does: `yes`, `on` and `no`
are strings, `010` is ten, `1e6` and `1_000_000` are numbers. Nothing in a text is executed.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from dense_calc.errors import Place, Source, SpecError
from dense_calc.mistakes import keep_mistake
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, TEXT_TAG, resolve_scalar

MAX_YAML_DEPTH = 64  # levels of nesting
MAX_YAML_VALUES = 2_000_000  # those that aliases repeat are counted each time
_MAX_MAPPING_KEYS = 100_000  # of one mapping
_CHARACTERS_PER_VALUE = 32  # a text counts as one more value for each of so many characters
_EVENTS_PER_CHECK = 1000  # events between two checks of the number of keys
# JSON writes some characters as two escapes.
_SURROGATE_PAIR_PATTERN = r"(?i)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)"
_MERGE_MARK_PATTERN = r"(?m)^[<>]{7} [^\r\n]*"  # around the sides of an unfinished git merge
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlNode(Place, gc=False):
    """A value and its place; `size` and `depth` count the values and the levels in it.

    The value is None, a bool, int, float or str, a list of nodes, or a dict from text to a pair of
    nodes, the key and its value.
    """

    value: Any
    size: int = 1
    depth: int = 0

    def locate_part(self, name: str) -> Place:
        """The value of a key in this mapping or in its only value, or the item of this number.

        Without such a part, the place of the node itself.
        """
        part: Place = self
        match self.value:
            case dict(pairs) if name in pairs:
                part = pairs[name][1]
            case dict(pairs) if len(pairs) == 1:
                ((_, value),) = pairs.values()
                part = value.locate_part(name) if isinstance(value.value, dict) else self
            case list(items) if name.isdigit() and int(name) < len(items):
                part = items[int(name)]
        return part

    def plain_value(self) -> Any:
        """The value without places."""
        value = self.value
        if isinstance(value, dict):
            return {name: each.plain_value() for name, (_, each) in value.items()}
        if isinstance(value, list):
            return [each.plain_value() for each in value]
        return value


_YamlPairs = dict[str, tuple[YamlNode, YamlNode]]  # keys and values, by the text of the key


def parse_yaml(source: Source, tree: type[YamlTreeBuilder] | None = None) -> YamlNode:
    """The value of a YAML text; `tree` is a subclass that treats tags and keys differently.

    Raises:
        SpecError: it is not YAML, holds no or several documents, or goes over a limit.
    """
    try:
        roots = (tree or YamlTreeBuilder)(source).read_roots()
    except yaml.MarkedYAMLError as error:
        text = re.sub(_SURROGATE_PAIR_PATTERN, _join_surrogates, source.text)
        if text != source.text:
            return parse_yaml(Source(source.name, text), tree)
        raise merge_mark_error(source) or _yaml_syntax_error(source, error) from None
    except yaml.reader.ReaderError as error:
        raise _invalid_character_error(source, error) from None
    except UnicodeEncodeError as error:
        raise utf8_error(source, error) from None
    if not roots:
        start = Place(source, 1, 1, 1)
        raise SpecError("the file is empty; a model has 'input:' and 'layers:'", start)
    if len(roots) > 1:
        raise SpecError("a second document starts here; a file holds one model", roots[1])
    return roots[0]


class YamlTreeBuilder:
    """Builds the tree of one text from its events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchors: dict[str, YamlNode] = {}
        self.has_anchors = False
        self.values: list[YamlNode] = []  # of the innermost open list or mapping
        # The start events of the open lists and mappings, with the values around each.
        self.collection_stack: list[tuple[Any, list[YamlNode]]] = []

    def read_roots(self) -> list[YamlNode]:
        """The values of all documents of the text."""
        handlers = {
            yaml.ScalarEvent: self.add_scalar,
            yaml.AliasEvent: self.add_alias,
            yaml.SequenceStartEvent: self.open_collection,
            yaml.MappingStartEvent: self.open_collection,
            yaml.SequenceEndEvent: self.close_collection,
            yaml.MappingEndEvent: self.close_collection,
        }
        loader = _YAML_LOADER(self.source.text)
        for _ in range(MAX_YAML_VALUES // _EVENTS_PER_CHECK):
            for _ in range(_EVENTS_PER_CHECK):
                event = loader.get_event()
                handler = handlers.get(type(event))
                if handler:
                    handler(event)
                elif type(event) is yaml.StreamEndEvent:
                    return self.values
            self.demand_few_keys()
        raise _yaml_limit_error(self.event_place(event))

    def event_place(self, event: Any) -> Place:
        """Where an event starts."""
        return Place(self.source, event.start_mark.line + 1, event.start_mark.column + 1, 1)

    def add_scalar(self, event: Any) -> None:
        # As few calls as possible: this runs for nearly every word of a file.
        value = resolve_scalar(event.value) if event.implicit[0] else event.value
        start = event.start_mark
        column = start.column
        width = event.end_mark.column - column
        node = YamlNode(self.source, start.line + 1, column + 1, width, value)
        if type(value) is int and not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise SpecError(f"a number may be at most {MAX_NUMBER:,}", node)
        if len(event.value) >= _CHARACTERS_PER_VALUE:
            node.size += len(event.value) // _CHARACTERS_PER_VALUE
        if event.anchor or event.tag:
            self.apply_properties(event, node)
        self.values.append(node)

    def add_alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            place = self.event_place(event)
            raise SpecError(f"there is no anchor '&{event.anchor}' above", place)
        self.values.append(self.anchors[event.anchor])

    def open_collection(self, event: Any) -> None:
        self.collection_stack.append((event, self.values))
        self.values = []
        if event.anchor:
            self.has_anchors = True
        if len(self.collection_stack) > MAX_YAML_DEPTH:
            raise _yaml_limit_error(self.event_place(event))

    def close_collection(self, event: Any) -> None:
        values = self.values
        opening, self.values = self.collection_stack.pop()
        start = opening.start_mark
        width = event.end_mark.column - start.column
        node = YamlNode(self.source, start.line + 1, start.column + 1, width, values)
        if self.has_anchors:
            self.measure_node(node)
        if type(event) is yaml.MappingEndEvent:
            node.value = self.build_mapping(values[::2], values[1::2])
        if opening.anchor or opening.tag:
            self.apply_properties(opening, node)
        self.values.append(node)

    def demand_few_keys(self) -> None:
        """Raise SpecError if the innermost open collection is a mapping with too many keys."""
        if len(self.values) <= 2 * _MAX_MAPPING_KEYS or not self.collection_stack:
            return
        if type(self.collection_stack[-1][0]) is yaml.MappingStartEvent:
            raise SpecError(
                f"a mapping may have at most {_MAX_MAPPING_KEYS:,} keys", self.values[-1]
            )

    def measure_node(self, node: YamlNode) -> None:
        """Count the values and levels in a list; without aliases, the text itself limits them."""
        node.size += sum(child.size for child in node.value)
        node.depth = 1 + max((child.depth for child in node.value), default=0)
        if node.size > MAX_YAML_VALUES or node.depth > MAX_YAML_DEPTH:
            raise _yaml_limit_error(node)

    def apply_properties(self, event: Any, node: YamlNode) -> None:
        """Keep a value under its anchor, and apply its tag."""
        if event.tag:
            self.apply_tag(event.tag, node)
        if event.anchor:
            self.anchors[event.anchor] = node

    def apply_tag(self, tag: str, node: YamlNode) -> None:
        """Refuse a tag, which could ask for anything."""
        if tag != TEXT_TAG or not isinstance(node.value, str):
            raise SpecError(f"the tag {tag} is not understood; a model is plain data", node)

    def build_mapping(self, keys: list[YamlNode], values: list[YamlNode]) -> _YamlPairs:
        """The pairs of keys and values, by the text of the key."""
        pairs: _YamlPairs = {}
        for index, (key, value) in enumerate(zip(keys, values, strict=True)):
            if type(key.value) is not str or ")" in key.value:
                from dense_calc.spec_language.commas import demand_text_key  # for a mistake only

                if not demand_text_key(keys, values, index, pairs):
                    continue
            if key.value in pairs:
                self.handle_duplicate_key(pairs[key.value], key, value)
            pairs[key.value] = (key, value)
        return pairs

    def handle_duplicate_key(
        self, first: tuple[YamlNode, YamlNode], key: YamlNode, value: YamlNode
    ) -> None:
        """Refuse a key that stands twice in a mapping."""
        told = f"the key '{key.value}' is used twice, first in line {first[0].line}"
        keep_mistake(SpecError(told, key))


def _join_surrogates(escape: re.Match[str]) -> str:
    r"""The escape of YAML for two escapes of JSON: `\U0001f600` for `\ud83d\ude00`."""
    if not escape[1]:
        return escape[0]
    units = bytes.fromhex(escape[1] + escape[2])
    return f"\\U{ord(units.decode('utf-16-be')):08x}"


def _yaml_limit_error(place: Place) -> SpecError:
    """The error for too many levels or values."""
    return SpecError(
        f"too much: a file may hold {MAX_YAML_DEPTH} levels and {MAX_YAML_VALUES:,} values, "
        "those that aliases repeat included",
        place,
    )


def merge_mark_error(source: Source) -> SpecError | None:
    """The error for a text with the marks of an unfinished git merge, None if it has none.

    Parsers of YAML and JSON would report a mistake that nobody made.
    """
    mark = re.search(_MERGE_MARK_PATTERN, source.text)
    if mark is None:
        return None
    message = "a conflict marker of git; keep one of the two sides"
    line = source.text.count("\n", 0, mark.start()) + 1
    return SpecError(message, Place(source, line, 1, len(mark[0])))


def _yaml_syntax_error(source: Source, error: yaml.MarkedYAMLError) -> SpecError:
    """The error for a text that libyaml refuses."""
    lines = source.text.splitlines()
    problem = f"{error.problem}, {error.context}" if error.context else error.problem
    # Where the text ends too early, the place is that of the construct left open.
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    mark = next((mark for mark in marks if mark.line < len(lines)), marks[0])
    char = "".join(lines[mark.line : mark.line + 1])[mark.column :][:1]
    if char == "\t":
        problem = "a tab; YAML is indented with spaces"
    elif char in ("@", "`"):
        problem = f"'{char}' cannot start a value; put it in quotes"
    place = Place(source, mark.line + 1, mark.column + 1, 1)
    if "nesting depth" in str(problem):  # newer versions of libyaml have a limit of their own
        return _yaml_limit_error(place)
    from dense_calc.spec_language.colons import describe_lines  # for a mistake only

    hint = describe_lines(place) if str(problem).startswith(str(error.problem)) else ""
    if not hint and "'-' indicator" in str(problem):
        hint = "; begin the item with '- ', or indent it under the one above"
    return SpecError(f"this is not YAML: {problem}{hint}", place)


def utf8_error(source: Source, error: UnicodeEncodeError) -> SpecError:
    """The error for bytes of the command line that are not UTF-8."""
    return SpecError("this is not text in UTF-8", _end_place(source, source.text[: error.start]))


def _invalid_character_error(source: Source, error: yaml.reader.ReaderError) -> SpecError:
    """The error for a character that YAML does not allow."""
    before = source.text.encode()[: error.position].decode(errors="ignore")
    return SpecError(f"this is not YAML: {error.reason}", _end_place(source, before))


def _end_place(source: Source, beginning: str) -> Place:
    """The place where the beginning of a text ends."""
    lines = beginning.splitlines() or [""]
    return Place(source, len(lines), len(lines[-1]) + 1, 1)
