"""YAML text → a tree of values that know where they stand.

The tree is built from libyaml's events, which is faster than `yaml.load` and gives places, sees
duplicate keys, limits depth and expansion, and lets values be those of YAML 1.2: `yes`, `on` and
`no` are strings, `010` is ten, `1e6` is a number, `1_000_000` too. Nothing in a text is executed.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from dense_calc.errors import Place, Source, SpecError
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, TEXT_TAG, resolved

MAX_DEPTH = 64  # levels of nesting
MAX_VALUES = 2_000_000  # those that aliases repeat are counted each time
MAX_KEYS = 100_000  # of one mapping
OF_A_VALUE = 32  # characters of a text, such as an expression, that count as one more value
SOME = 1000  # values between two looks at how many keys there are
HALVES = r"(?i)\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|.)"  # of one character, in JSON
MERGE = r"(?m)^[<>]{7} [^\r\n]*"  # the marks that git leaves around the sides of a merge
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Marked(Place, gc=False):
    """A value and its place; `size` and `depth` count the values and the levels in it.

    The value is None, a bool, int, float or str, a list of Marked, or a dict from text to a pair
    of Marked, the key and what stands under it.
    """

    value: Any
    size: int = 1
    depth: int = 0

    def part(self, name: str) -> Place:
        """What stands under `name` in this mapping or in this layer's arguments, or at it in this
        list; this place where there is nothing.
        """
        found: Place = self
        match self.value:
            case dict(pairs) if name in pairs:
                found = pairs[name][1]
            case dict(pairs) if len(pairs) == 1:
                under = next(iter(pairs.values()))[1]
                found = under.part(name) if isinstance(under.value, dict) else self
            case list(items) if name.isdigit() and int(name) < len(items):
                found = items[int(name)]
        return found

    def plain(self) -> Any:
        """The value without places."""
        value = self.value
        if isinstance(value, dict):
            return {name: each.plain() for name, (_, each) in value.items()}
        if isinstance(value, list):
            return [each.plain() for each in value]
        return value


Pairs = dict[str, tuple[Marked, Marked]]  # keys and values, by the text of the key


def document(source: Source, tree: type[Tree] | None = None) -> Marked:
    """The value that a YAML text holds; `tree` is another way to take its tags and its keys.

    Raises:
        SpecError: it is not YAML, holds no or several documents, or goes over a limit.
    """
    try:
        roots = (tree or Tree)(source).roots()
    except yaml.MarkedYAMLError as error:
        text = re.sub(HALVES, whole_character, source.text)
        if text != source.text:
            return document(Source(source.name, text), tree)
        raise unmerged(source) or not_yaml(source, error) from None
    except yaml.reader.ReaderError as error:
        raise not_text(source, error) from None
    except UnicodeEncodeError as error:
        raise not_utf8(source, error) from None
    if not roots:
        start = Place(source, 1, 1, 1)
        raise SpecError("the file is empty; a model has 'input:' and 'layers:'", start)
    if len(roots) > 1:
        raise SpecError("a second document starts here; a file holds one model", roots[1])
    return roots[0]


class Tree:
    """The tree of one text while its events come in."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchors: dict[str, Marked] = {}
        self.has_anchors = False
        self.values: list[Marked] = []  # of the innermost list or mapping that is open
        self.opened: list[tuple[Any, list[Marked]]] = []  # its event, and the values around it

    def roots(self) -> list[Marked]:
        """The values of all documents of the text."""
        handlers = {
            yaml.ScalarEvent: self.add_scalar,
            yaml.AliasEvent: self.add_alias,
            yaml.SequenceStartEvent: self.open,
            yaml.MappingStartEvent: self.open,
            yaml.SequenceEndEvent: self.close,
            yaml.MappingEndEvent: self.close,
        }
        loader = LOADER(self.source.text)
        for _ in range(MAX_VALUES // SOME):
            for _ in range(SOME):
                event = loader.get_event()
                handler = handlers.get(type(event))
                if handler:
                    handler(event)
                elif type(event) is yaml.StreamEndEvent:
                    return self.values
            self.demand_few_keys()
        raise too_much(self.place(event))

    def place(self, event: Any) -> Place:
        """Where an event starts."""
        return Place(self.source, event.start_mark.line + 1, event.start_mark.column + 1, 1)

    def add_scalar(self, event: Any) -> None:
        # No call but what it needs: this runs for nearly every word of a file.
        value = resolved(event.value) if event.implicit[0] else event.value
        start = event.start_mark
        column = start.column
        width = event.end_mark.column - column
        node = Marked(self.source, start.line + 1, column + 1, width, value)
        if type(value) is int and not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise SpecError(f"a number may be at most {MAX_NUMBER:,}", node)
        if len(event.value) >= OF_A_VALUE:
            node.size += len(event.value) // OF_A_VALUE
        if event.anchor or event.tag:
            self.obey(event, node)
        self.values.append(node)

    def add_alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            place = self.place(event)
            raise SpecError(f"nothing is anchored as '&{event.anchor}' above", place)
        self.values.append(self.anchors[event.anchor])

    def open(self, event: Any) -> None:
        self.opened.append((event, self.values))
        self.values = []
        if event.anchor:
            self.has_anchors = True
        if len(self.opened) > MAX_DEPTH:
            raise too_much(self.place(event))

    def close(self, event: Any) -> None:
        values = self.values
        opening, self.values = self.opened.pop()
        start = opening.start_mark
        width = event.end_mark.column - start.column
        node = Marked(self.source, start.line + 1, start.column + 1, width, values)
        if self.has_anchors:
            self.measure(node)
        if type(event) is yaml.MappingEndEvent:
            node.value = self.mapping(values[::2], values[1::2])
        if opening.anchor or opening.tag:
            self.obey(opening, node)
        self.values.append(node)

    def demand_few_keys(self) -> None:
        """Raise SpecError if the innermost collection is a mapping, and of too many keys."""
        if len(self.values) <= 2 * MAX_KEYS or not self.opened:
            return
        if type(self.opened[-1][0]) is yaml.MappingStartEvent:
            raise SpecError(f"a mapping may have at most {MAX_KEYS:,} keys", self.values[-1])

    def measure(self, node: Marked) -> None:
        """Count what is in a list; without aliases the text itself bounds it."""
        node.size += sum(child.size for child in node.value)
        node.depth = 1 + max((child.depth for child in node.value), default=0)
        if node.size > MAX_VALUES or node.depth > MAX_DEPTH:
            raise too_much(node)

    def obey(self, event: Any, node: Marked) -> None:
        """Remember a value by its anchor; obey its tag."""
        if event.tag:
            self.obey_tag(event.tag, node)
        if event.anchor:
            self.anchors[event.anchor] = node

    def obey_tag(self, tag: str, node: Marked) -> None:
        """Refuse a tag, which could ask for anything."""
        if tag != TEXT_TAG or not isinstance(node.value, str):
            raise SpecError(f"the tag {tag} is not understood; a model is plain data", node)

    def mapping(self, keys: list[Marked], under: list[Marked]) -> Pairs:
        """Keys and what stands under them, by the text of the key."""
        pairs: Pairs = {}
        for key, value in zip(keys, under, strict=True):
            if not isinstance(key.value, str):
                raise SpecError("a key must be text; put it in quotes", key)
            if key.value in pairs:
                self.admit_again(pairs[key.value], key, value)
            pairs[key.value] = (key, value)
        return pairs

    def admit_again(self, first: tuple[Marked, Marked], key: Marked, value: Marked) -> None:
        """Refuse a key that stands twice in a mapping."""
        line = first[0].line
        raise SpecError(f"the key '{key.value}' stands here twice, first in line {line}", key)


def whole_character(escape: re.Match[str]) -> str:
    r"""What YAML reads in place of two halves that JSON writes: `\U0001f600` of `\ud83d\ude00`."""
    if not escape[1]:
        return escape[0]
    units = bytes.fromhex(escape[1] + escape[2])
    return f"\\U{ord(units.decode('utf-16-be')):08x}"


def too_much(place: Place) -> SpecError:
    """The complaint about nesting or aliases without end."""
    return SpecError(
        f"too much: a file may hold {MAX_DEPTH} levels and {MAX_VALUES:,} values, "
        "those that aliases repeat included",
        place,
    )


def unmerged(source: Source) -> SpecError | None:
    """The complaint about a text in which git has left both sides of a merge; None if it has not.

    Such a text is neither YAML nor JSON, whatever they say of it.
    """
    mark = re.search(MERGE, source.text)
    if mark is None:
        return None
    message = "a mark that git has left of a merge; keep one of the two sides"
    line = source.text.count("\n", 0, mark.start()) + 1
    return SpecError(message, Place(source, line, 1, len(mark[0])))


def not_yaml(source: Source, error: yaml.MarkedYAMLError) -> SpecError:
    """libyaml's complaint in our form."""
    lines = source.text.splitlines()
    problem = f"{error.problem}, {error.context}" if error.context else error.problem
    # Where the text ends too early, the caret shows what was left open.
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    mark = next((mark for mark in marks if mark.line < len(lines)), marks[0])
    char = "".join(lines[mark.line : mark.line + 1])[mark.column :][:1]
    if char == "\t":
        problem = "a tab; YAML is indented with spaces"
    elif char in ("@", "`"):
        problem = f"'{char}' cannot start a value; put it in quotes"
    place = Place(source, mark.line + 1, mark.column + 1, 1)
    if "nesting depth" in str(
        problem
    ):  # newer versions of libyaml look ahead and have a limit of theirs
        return too_much(place)
    return SpecError(f"this is not YAML: {problem}", place)


def not_utf8(source: Source, error: UnicodeEncodeError) -> SpecError:
    """The complaint about bytes of the command line that are no text."""
    return SpecError("this is not text in UTF-8", end_of(source, source.text[: error.start]))


def not_text(source: Source, error: yaml.reader.ReaderError) -> SpecError:
    """The complaint about a character that YAML does not allow."""
    before = source.text.encode()[: error.position].decode(errors="ignore")
    return SpecError(f"this is not YAML: {error.reason}", end_of(source, before))


def end_of(source: Source, beginning: str) -> Place:
    """The place where the beginning of a text ends."""
    lines = beginning.splitlines() or [""]
    return Place(source, len(lines), len(lines[-1]) + 1, 1)
