"""Patterns of the names of layers, written as those of files: `decoder_*/mlp`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate

WILDCARD = re.compile(r"[*?\[]")  # a name with one of these is a pattern


def matching_names(pattern: str, names: Iterable[str]) -> Iterator[str]:
    """The names that match a pattern."""
    return filter(re.compile(translate(escape_open_brackets(pattern))).match, names)


def escape_open_brackets(pattern: str) -> str:
    """The same pattern with brackets that are never closed escaped.

    `fnmatch.translate` would search the rest of the pattern for the end of every such bracket.
    """
    start = pattern.find("[")
    while start >= 0:
        first = start + 1 + pattern.startswith("!", start + 1)
        end = pattern.find("]", first + 1)  # a first "]" is a character of the set
        if end < 0:
            return pattern[:start] + pattern[start:].replace("[", "[[]")
        start = pattern.find("[", end)
    return pattern
