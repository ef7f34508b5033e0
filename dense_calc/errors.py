"""What can go wrong, and where: every complaint of dense-calc, in one form.

::

    DenseCalcError          one complaint: where, what, how to mend it
    ├── FileError           a file that cannot be read or written
    │   └── AbsentError     a revision that is not there, or a file that is not in it
    ├── SpecError           a text that is no model: YAML, keys, names, types, expressions
    └── LayerError          a layer that Keras would not build: arguments or shapes that do not fit

``str(error)`` is the whole message, as the command line prints it::

    mnist.yaml:6:13: error: Dense has no argument 'unit'; did you mean 'units'?
      6 |   - Dense: {unit: 10}
                      ^^^^

What is wrong in a block is followed by the places that use the block, from the inside out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, islice
from typing import Any

from msgspec import Struct

STDIN_NAME = "<stdin>"  # what standard input is called
MAX_EXCERPT_CHARS = 100  # characters shown of a line: a whole model may stand on one
MAX_LISTED_CHOICES = 8  # choices that a message can list
_MAX_COMPARED_CHOICES = 10_000  # choices that are looked at
_MAX_COMPARED_PAIRS = 5_000_000  # pairs of characters that a moment suffices to compare
_MAX_QUOTED_CHARS = 40  # characters of a value that a message repeats
_MAX_MESSAGE_CHARS = 2000  # characters of a message
_CUT_CHARS = MAX_EXCERPT_CHARS - _MAX_QUOTED_CHARS + 1  # that a long quotation has left over
_LONG_QUOTATION = rf"((?:^|(?<=[\s(]))'[^']{{{_MAX_QUOTED_CHARS}}})[^']{{{_CUT_CHARS},}}'"


class Source(Struct, frozen=True, gc=False):
    """A text and the name that the user knows it by."""

    name: str
    text: str


class Place(Struct, gc=False):
    """A stretch of a line of a source; line and column count from 1, in characters.

    `width` means nothing for what spans several lines.
    """

    source: Source
    line: int
    column: int
    width: int

    @property
    def coordinates(self) -> tuple[Source, int, int, int]:
        """The place alone, to make another thing there."""
        return self.source, self.line, self.column, self.width

    def locate_part(self, name: str) -> Place:
        """The place of a named part of what stands here; this place where it has none."""
        return self

    def resolve(self) -> Place:
        """This place, looked for now where only the way to it is known."""
        return self


class Note(Struct, frozen=True):
    """What else there is to say of a complaint, and where: `block 'decoder' is used here`."""

    message: str
    place: Place


class DenseCalcError(Exception):
    """One complaint; `place` is None where no text is to blame."""

    def __init__(
        self, message: str, place: Place | None = None, notes: Iterable[Note] = ()
    ) -> None:
        super().__init__(message)
        self.message = message if len(message) <= MAX_EXCERPT_CHARS else shorten_message(message)
        self.place = place
        self.notes = list(notes)

    def __str__(self) -> str:
        said = [format_diagnostic("error", self.message, self.place)]
        said += [format_diagnostic("note", note.message, note.place) for note in self.notes]
        return "\n".join(said)


class FileError(DenseCalcError):
    """A file that cannot be read or written."""


class AbsentError(FileError):
    """A revision of git's that is not there, or a file that is not in it."""


class SpecError(DenseCalcError):
    """A text that is no model."""


class LayerError(DenseCalcError):
    """A layer that Keras would not build. A kind names the argument to blame, if it is one.

    `path` leads to that argument through the layers that hold the layer: ("layer", "units").
    """

    def __init__(
        self, message: str, *path: str, place: Place | None = None, notes: Iterable[Note] = ()
    ) -> None:
        super().__init__(message, place, notes)
        self.path = path


class UnknownSizeError(LayerError):
    """A layer whose weights depend on a size that its input leaves open."""


def format_diagnostic(sort: str, message: str, place: Place | None) -> str:
    """`mnist.yaml:6:13: error: ...`, an error, a warning or a note, and the line it speaks of."""
    if place is None:
        return f"{sort}: {escape_unprintable(message)}"
    place = place.resolve()
    where = f"{escape_unprintable(place.source.name)}:{place.line}:{place.column}"
    return f"{where}: {sort}: {escape_unprintable(message)}{_format_excerpt(place)}"


def _format_excerpt(place: Place) -> str:
    """The line that holds `place` and a caret under it, each on a new line; '' at a text's end."""
    lines = place.source.text.splitlines()
    if place.line > len(lines) or not lines[place.line - 1].strip():
        return ""
    text = lines[place.line - 1]
    start = place.column - 1
    first = 0 if len(text) <= MAX_EXCERPT_CHARS else max(0, start - MAX_EXCERPT_CHARS // 2)
    shown = text[first : first + MAX_EXCERPT_CHARS]
    before = escape_unprintable("…" * (first > 0) + text[first:start])
    marked = escape_unprintable(
        text[start : max(start, min(start + place.width, first + MAX_EXCERPT_CHARS))]
    )
    line = escape_unprintable(
        "…" * (first > 0) + shown + "…" * (first + MAX_EXCERPT_CHARS < len(text))
    )
    gutter = f"{place.line:>3} | "
    caret = " " * (len(gutter) + display_width(before)) + "^" * max(1, display_width(marked))
    return f"\n{gutter}{line}\n{caret}"


def display_width(text: str) -> int:
    """The number of terminal columns that `text` takes: one each, two for wide characters."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # some 5 ms: only texts beyond ASCII pay

    return cell_len(text)


def shorten_message(message: str) -> str:
    """A message in which what a user wrote is no longer than can be read."""
    short = re.sub(_LONG_QUOTATION, r"\1...'", message)
    return (
        short
        if len(short) <= _MAX_MESSAGE_CHARS
        else f"{short[: _MAX_MESSAGE_CHARS // 2]}...{short[-_MAX_MESSAGE_CHARS // 2 :]}"
    )


def escape_unprintable(text: str) -> str:
    """`text` with control characters escaped, so that no file can speak to the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def did_you_mean(word: str, choices: Iterable[str], *, else_listed: bool = True) -> str:
    """`; did you mean 'units'?`: the choice most like `word`, else all if they are few, or ''."""
    from difflib import get_close_matches  # only a mistake pays for it

    word = word.lower()[:MAX_EXCERPT_CHARS]
    lowered = {choice.lower(): choice for choice in islice(choices, _MAX_COMPARED_CHOICES)}
    efforts = accumulate(len(word) * len(choice) for choice in lowered)
    some = [
        choice
        for choice, effort in zip(lowered, efforts, strict=True)
        if effort <= _MAX_COMPARED_PAIRS
    ]
    close = get_close_matches(word, some, n=1)
    if close:
        return f"; did you mean '{lowered[close[0]]}'?"
    listed = else_listed and 0 < len(lowered) <= MAX_LISTED_CHOICES
    return f"; there is {', '.join(lowered.values())}" if listed else ""


def describe_value(value: Any) -> str:
    """A value in words: as the user wrote it if it is short, else what it is."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case list(value):
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case str():
            is_long = len(value) > _MAX_QUOTED_CHARS
            return f"'{value[:_MAX_QUOTED_CHARS]}{'...' * is_long}'"
        case float():
            return str(value).replace("inf", ".inf").replace("nan", ".nan")  # YAML's words
    return str(value)
