"""Values with commas, of which braces, or habits of Python, make several: `3, 3` and `1,024`.

Only a mistake needs this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from dense_calc.errors import Place, SpecError
from dense_calc.mistakes import keep_mistake

_Node = Any  # a YamlNode, the module of which needs this one
_Pair = tuple[_Node, _Node]  # a key and its value

_LIST_PATTERN = r"[\w\s.,()+*/-]+"
_THOUSANDS_PATTERN = r"[0-9]{1,3}(?:,[0-9]{3})+"
_CROSS_PATTERN = r"[0-9]+(?:\s*[x×]\s*[0-9]+)+"
_PERCENT_PATTERN = r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*%"
_TEMPLATE_PATTERN = r"\$?\{{1,2}\s*(\w+)\s*\}{1,2}|\$(\w+)"  # of a shell, of Jinja
_LIST_IN_QUOTES_PATTERN = r"\[.*\]"
_CALL_PATTERN = r"\w\s*\("
_SQUARE_BRACKETS = str.maketrans("()", "[]")


def demand_text_key(
    keys: Sequence[_Node], values: Sequence[_Node], index: int, pairs: dict[str, _Pair]
) -> bool:
    """Whether the key of an index, which is no plain word, is one; where mistakes are collected.

    `pairs` are those before it. The value of which a comma has made it a key is then spoiled, so
    that nobody goes on with a part of it; a value without a name becomes a key that nothing has.

    Raises:
        SpecError: it is none, and mistakes are not collected.
    """
    error = comma_error(keys, values, index)
    if error is None and isinstance(keys[index].value, str):
        return True
    error = error or SpecError("a key must be text; put it in quotes", keys[index])
    keep_mistake(error)
    mistaken: _Node = error.place
    spoiled = replace(mistaken, value=f"{mistaken.value},")
    for name, (key, value) in pairs.items():
        if mistaken is value:
            pairs[name] = (key, spoiled)
    if mistaken is keys[index]:
        pairs[spoiled.value] = (spoiled, values[index])
    return False


def comma_error(keys: Sequence[_Node], values: Sequence[_Node], index: int) -> SpecError | None:
    """The error where a comma parts a key from the value before it, as in `{size: 3,3}`.

    None if a colon follows the key of this index.
    """
    if not _stands_alone(keys[index], values[index]):
        return None
    first = last = index
    while first and _stands_alone(keys[first], values[first]):
        first -= 1
    while last + 1 < len(keys) and _stands_alone(keys[last + 1], values[last + 1]):
        last += 1
    is_unnamed = _stands_alone(keys[first], values[first])
    start = keys[first] if is_unnamed else values[first]
    text = _text_between(start, keys[last]) if start.line == keys[last].line else ""
    if is_unnamed:
        hint = describe_commas(f"({text})") or describe_slip(f"{{{text}")
        return SpecError(f"a value in {{}} needs a name{hint}", start)
    hint = describe_commas(text, f"{keys[first].value}: ")
    return SpecError(f"a comma ends a value in {{}}{hint}", start)


def _stands_alone(key: _Node, value: _Node) -> bool:
    """Whether a key has neither a value nor a colon."""
    return value.value is None and ":" not in _text_between(key, value)[key.width :]


def _text_between(start: Place, end: Place) -> str:
    """The text of a line from one value to the end of another; as far as it is on that line."""
    line = "".join(_source_lines(start.source.text)[start.line - 1 : start.line])
    stop = end.column - 1 + end.width if end.line == start.line else len(line)
    return line[start.column - 1 : stop]


@lru_cache(maxsize=1)  # a mapping may have many such keys
def _source_lines(text: str) -> list[str]:
    """The lines of a text."""
    return text.splitlines()


def describe_slip(text: str) -> str:
    """The hint how a spec writes `3x3`, `50%` or `${width}`, '' for any other text."""
    if re.fullmatch(_CROSS_PATTERN, text):
        return f"; write '[{', '.join(re.findall('[0-9]+', text))}]'"
    if percent := re.fullmatch(_PERCENT_PATTERN, text):
        return f"; write {float(percent[1]) / 100:g}"
    if template := re.search(_TEMPLATE_PATTERN, text):
        return f"; write the name of a var alone: {template[1] or template[2]}"
    return ""


def is_number_with_commas(text: str) -> bool:
    """Whether this is a number such as 1,024."""
    return re.fullmatch(_THOUSANDS_PATTERN, text) is not None


def describe_commas(text: str, name: str = "") -> str:
    """The hint how a spec writes a value with commas: `; write '[3, 3]'`, or '' if it has none.

    `name` stands before the value: `kernel_size: `.
    """
    if re.fullmatch(_LIST_IN_QUOTES_PATTERN, text):
        return "; remove the quotes round it"
    if "," not in text:
        return describe_slip(text)
    if is_number_with_commas(text):
        return f"; write '{text.replace(',', '')}' or '{text.replace(',', '_')}'"
    if re.search(_CALL_PATTERN, text):
        return f"; put quotes round it: '{name}\"{text}\"'"
    if not re.fullmatch(_LIST_PATTERN, text):
        return ""
    is_tuple = text.startswith("(") and text.endswith(")")
    items = re.sub(r"\s*,\s*", ", ", text if is_tuple else f"({text})").replace(", )", ")")
    items = re.sub(r"\bNone\b", "null", items.translate(_SQUARE_BRACKETS))
    return f"; write '{name}{items}'"
