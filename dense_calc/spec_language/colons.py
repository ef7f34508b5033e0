"""Colons that are missing, or lack the space or the braces after them: `Dense {units: 3}`.

Only a mistake needs this module.
"""

from __future__ import annotations

import re

from dense_calc.errors import Place, quote_form
from dense_calc.spec_language.commas import describe_slip

_WORD_PATTERN = r"([A-Za-z_][\w.]*)"
# A word, at the start of a value, before what YAML takes for more of that word.
_MISSING_PATTERN = rf"{_WORD_PATTERN}(?:\s*:(?=[^\s:/])|\s*=(?!=)\s*|\s+(?=[{{\[]))"
_START_PATTERN = r"(?:^|[-\[{,])\s*"
_UNBRACED_PATTERN = rf"^[-\s]*{_WORD_PATTERN}:\s+([A-Za-z_]\w*:\s.*)"  # `Dense: units: 3`
_BARE_PATTERN = rf"^[-\s]*{_WORD_PATTERN}\s*$"
_OPENING, _CLOSING = "([{", ")]}"


def describe_missing_colon(place: Place) -> str:
    """The hint where a word at a place lacks its ': ', else ''."""
    line = "".join(place.source.text.splitlines()[place.line - 1 : place.line])
    return _describe_match(re.match(_MISSING_PATTERN, line[place.column - 1 :]))


def describe_lines(place: Place) -> str:
    """The hint for a line that is no YAML, if a colon in it or above is to blame, else ''."""
    lines = ["", *place.source.text.splitlines()][: place.line + 1]
    above, line = lines[place.line - 1 :] if len(lines) > place.line else ("", "")
    if unbraced := re.match(_UNBRACED_PATTERN, line):
        form = f"{unbraced[1]}: {{{unbraced[2].strip()}}}"
        return f"; put braces round the arguments: {quote_form(form)}"
    bare = re.match(_BARE_PATTERN, above)
    if bare and bare.start(1) <= len(line) - len(line.lstrip()):
        return f"; a colon is missing after '{bare[1]}'"
    if re.search(r"\s//", line):
        return "; a comment begins with '#'"
    if hint := describe_slip(line):
        return hint
    matches = (re.search(_START_PATTERN + _MISSING_PATTERN, each) for each in (line, above))
    return _describe_match(next(filter(None, matches), None))


def _describe_match(match: re.Match[str] | None) -> str:
    """The hint for a word that lacks its colon, or the space after it."""
    if not match:
        return ""
    form = f"{match[1]}: {_first_value(match.string[match.end() :])}"
    has_colon = match[0].rstrip().endswith(":")
    told = "a space is missing after the colon" if has_colon else "a colon and a space are missing"
    return f"; {told}: write {quote_form(form)}"


def _first_value(text: str) -> str:
    """A text up to the bracket that closes its first one, or to the end of its first word."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth < 0 or (depth == 0 and char in ", "):
            return text[:place]
        if depth == 0 and char in _CLOSING:
            return text[: place + 1]
    return text.strip()
