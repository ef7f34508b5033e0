"""Errors and notes: every complaint of dense-calc has one form, and says where and what.

::

    DenseCalcError          one complaint: where, what, how to mend it
    ├── FileError           a file that cannot be read or written
    │   └── AbsentError     a revision that is not there, or a file that is not in it
    ├── SpecError           a text that is no model: YAML, keys, names, types, expressions
    └── LayerError          a layer that Keras would not build: arguments or shapes that do not fit
        ├── MisfitError         an input has not the sizes that it needs
        ├── RankError           an input has too many axes, or too few
        └── UnknownSizeError    a size that its weights depend on is not known

``str(error)`` is the whole message, as the command line prints it::

    mnist.yaml:6:13: error: Dense has no argument 'unit'; did you mean 'units'?
      6 |   - Dense: {unit: 10}
                      ^^^^

A complaint about a block is followed by notes on the places that use the block, inner ones first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate, islice
from typing import Any

from msgspec import Struct

STDIN_NAME = "<stdin>"
MAX_EXCERPT_CHARS = 100  # of a line: a whole model may stand on one
MAX_LISTED_CHOICES = 8  # in a message
_MAX_COMPARED_CHOICES = 10_000  # with a misspelled word
_MAX_COMPARED_PAIRS = 5_000_000  # of characters, which takes a moment
_MAX_QUOTED_CHARS = 40  # of a value
_MAX_MESSAGE_CHARS = 2000
_CUT_CHARS = MAX_EXCERPT_CHARS - _MAX_QUOTED_CHARS + 1  # the fewest that are cut from a quotation
_LONG_QUOTATION = rf"((?:^|(?<=[\s(]))'[^']{{{_MAX_QUOTED_CHARS}}})[^']{{{_CUT_CHARS},}}'"


class Source(Struct, frozen=True, gc=False):
    """A text and its name for the user: usually the path of its file."""

    name: str
    text: str


class Place(Struct, gc=False):
    """A stretch of a line of a source; line and column count from 1, in characters.

    `width` means nothing for a value that spans several lines.
    """

    source: Source
    line: int
    column: int
    width: int

    @property
    def coordinates(self) -> tuple[Source, int, int, int]:
        """The fields of a place, to create a subclass of it at the same place."""
        return self.source, self.line, self.column, self.width

    def locate_part(self, name: str) -> Place:
        """The place of a named part of the value here; this place where it has no such part."""
        return self

    def resolve(self) -> Place:
        """This place; a subclass that only knows the path to its value searches for it now."""
        return self


class Note(Struct, frozen=True):
    """A note on a complaint, and where: `block 'decoder' is used here`."""

    message: str
    place: Place


class DenseCalcError(Exception):
    """One complaint: a message, a place in a text, None where no text is to blame, and notes."""

    def __init__(
        self, message: str, place: Place | None = None, notes: Iterable[Note] = ()
    ) -> None:
        super().__init__(message)
        self.message = message if len(message) <= MAX_EXCERPT_CHARS else shorten_message(message)
        self.place = place
        self.notes = list(notes)

    @property
    def position(self) -> tuple[int, int]:
        """The line and the column of the place; 0 and 0 without one."""
        if self.place is None:
            return 0, 0
        place = self.place.resolve()
        return place.line, place.column

    def __str__(self) -> str:
        lines = [format_diagnostic("error", self.message, self.place)]
        lines += [format_diagnostic("note", note.message, note.place) for note in self.notes]
        return "\n".join(lines)


class FileError(DenseCalcError):
    """A file that cannot be read or written."""


class AbsentError(FileError):
    """A git revision that is not there, or a file that is not in it."""


class SpecError(DenseCalcError):
    """A text that is no model."""


class LayerError(DenseCalcError):
    """A layer that Keras would not build.

    `path` leads to the argument to blame, through the layers around the layer: ("layer", "units");
    it is empty where no argument is to blame.
    """

    def __init__(
        self, message: str, *path: str, place: Place | None = None, notes: Iterable[Note] = ()
    ) -> None:
        super().__init__(message, place, notes)
        self.path = path


class RankError(LayerError):
    """A layer of which an input has too many axes, or too few; `rank` is how many it must have.

    It is 0 for a layer inside another.
    """

    rank = 0

    @classmethod
    def of_rank(cls, rank: int, message: str) -> RankError:
        """The error about an input that must have `rank` axes."""
        error = cls(message)
        error.rank = rank
        return error


class MisfitError(LayerError):
    """A layer of which the input has not the sizes that it needs; `mending` says what would fit."""

    mending = ""

    @classmethod
    def of_argument(cls, argument: str, message: str, mending: str) -> MisfitError:
        """The error about an argument that does not fit the input."""
        error = cls(message, argument)
        error.mending = mending
        return error


class UnknownSizeError(LayerError):
    """A layer whose weights depend on a size that its input leaves open."""


def format_diagnostic(sort: str, message: str, place: Place | None) -> str:
    """An error, a warning or a note as text: `mnist.yaml:6:13: error: ...` and the line there."""
    if place is None:
        return f"{sort}: {escape_unprintable(message)}"
    place = place.resolve()
    where = f"{escape_unprintable(place.source.name)}:{place.line}:{place.column}"
    return f"{where}: {sort}: {escape_unprintable(message)}{_format_excerpt(place)}"


def _format_excerpt(place: Place) -> str:
    """The line of `place` and carets under it, each on a new line; '' at the end of a text."""
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
    """A message with long quotations cut; a message that is still too long loses its middle."""
    short = re.sub(_LONG_QUOTATION, r"\1...'", message)
    if len(short) <= _MAX_MESSAGE_CHARS:
        return short
    return f"{short[: _MAX_MESSAGE_CHARS // 2]}...{short[-_MAX_MESSAGE_CHARS // 2 :]}"


def escape_unprintable(text: str) -> str:
    """`text` with control characters escaped, so that no file can control the terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def quote_form(form: str) -> str:
    """What a user is advised to write, in quotes that it has not itself."""
    quote = next((each for each in "'\"" if each not in form), "`")
    return f"{quote}{form}{quote}"


def did_you_mean(word: str, choices: Iterable[str], *, else_listed: bool = True) -> str:
    """`; did you mean 'units'?`: the choice most like `word`; or a list of few choices; or ''."""
    distinct = {choice.lower(): choice for choice in islice(choices, _MAX_COMPARED_CHOICES)}
    close = find_closest(word, distinct.values())
    if close:
        return f"; did you mean '{close}'?"
    listed = else_listed and 0 < len(distinct) <= MAX_LISTED_CHOICES
    return f"; use {', '.join(distinct.values())}" if listed else ""


def find_closest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a misspelled word is most like, None if it is like none."""
    from difflib import get_close_matches  # only a mistake pays for it

    word = word.lower()[:MAX_EXCERPT_CHARS]
    lowered = {choice.lower(): choice for choice in islice(choices, _MAX_COMPARED_CHOICES)}
    efforts = accumulate(len(word) * len(choice) for choice in lowered)
    pairs = zip(lowered, efforts, strict=True)
    compared = [choice for choice, effort in pairs if effort <= _MAX_COMPARED_PAIRS]
    close = get_close_matches(word, compared, n=1)
    return lowered[close[0]] if close else None


def describe_value(value: Any) -> str:
    """A value in words: as the user wrote it if it is short, else its sort."""
    match value:
        case None:
            return "null"
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
