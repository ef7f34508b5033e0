"""The value of a setting, and those that a sweep gives it: `32,64,128`, `2:12:2`, `relu,gelu`."""

from __future__ import annotations

import math
import operator
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, islice
from typing import Any, overload

from msgspec import json
from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, describe_value
from dense_calc.spec_language.spec_numbers import has_finite_numbers
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, resolve_scalar
from dense_calc.spec_language.yaml_tree import YamlNode, parse_yaml, utf8_error
from dense_calc.symbolic.state import is_symbolic

SettingValues = Sequence[Any]

# first:last or first:last:step; or first..last, as other languages have it, which is refused
_RANGE_PATTERN = r"[^:]*:[^:]*(:[^:]*)?|\d+\.\.+\d+"
MAX_COMBINATIONS = 1_000_000  # values that a setting may take, and combinations of them
_MAX_SETTING_BITS = 200  # bits of a number
_YAML_VALUE_STARTS = ("[", "{", '"', "'")  # how a value starts that is more than a word


def parse_setting(name: str, value: Any) -> YamlNode:
    """The value of a setting, from a text or from Python, with its place for error messages.

    Raises:
        SpecError: the text is no value.
    """
    if is_symbolic(value):
        return replace(parse_setting(name, value.value), value=value)
    origin = f"--set {name}"
    value = to_python_value(value)
    if not has_finite_numbers(value):
        raise SpecError(f"'{name}' must be a finite number")
    if isinstance(value, int) and value.bit_length() > _MAX_SETTING_BITS:  # too long to be repeated
        raise SpecError(f"'{name}' may be at most {MAX_NUMBER:,}")
    if isinstance(value, list | tuple | dict):
        try:
            return parse_yaml(Source(origin, json.encode(value).decode()))
        except UnicodeEncodeError:
            raise SpecError(f"'{name}' has text that is not UTF-8") from None
    if isinstance(value, str):
        node = parse_option_value(Source(origin, value))
    else:
        text = str(value)
        node = YamlNode(Source(origin, text), 1, 1, len(text), value)
    if type(node.value) is int and not -MAX_NUMBER <= node.value <= MAX_NUMBER:
        raise SpecError(f"a number may be at most {MAX_NUMBER:,}", node)
    return node


def parse_option_value(source: Source) -> YamlNode:
    """The value of a text from the command line: a word, or YAML where it begins like a list.

    Raises:
        SpecError: it is none.
    """
    if source.text.lstrip().startswith(_YAML_VALUE_STARTS):
        return parse_yaml(source)
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        raise utf8_error(source, error) from None
    return YamlNode(source, 1, 1, len(source.text), resolve_scalar(source.text))


def to_python_value(value: Any) -> Any:
    """A value as one of Python's own types, also where it is a number or an array of NumPy's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    is_foreign_integer = hasattr(value, "__index__") and not isinstance(value, int)
    return operator.index(value) if is_foreign_integer else value


class FloatRange(Sequence[float]):
    """Evenly spaced numbers, each computed when it is read."""

    def __init__(self, first: Fraction, unit: Fraction, places: range) -> None:
        self.first_value = first
        self.unit = unit
        self.indices = places

    @property
    def step(self) -> float:
        """What each number adds to the one before it."""
        return float(self.unit * self.indices.step)

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> FloatRange: ...
    def __getitem__(self, place: int | slice) -> float | FloatRange:
        if isinstance(place, slice):
            return FloatRange(self.first_value, self.unit, self.indices[place])
        return float(self.first_value + self.unit * self.indices[place])


class _JoinedValues(Sequence[Any]):
    """The values of several sequences, one sequence after the other."""

    def __init__(self, parts: Sequence[SettingValues]) -> None:
        self.segments = parts
        self.segment_ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self.segment_ends[-1]

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return tuple(self[each] for each in range(len(self))[place])
        place = range(len(self))[place]
        part = bisect_right(self.segment_ends, place)
        return self.segments[part][place - self.segment_ends[part]]


def demand_setting_names(settings: Any) -> None:
    """Raise SpecError unless these map texts to something."""
    if not isinstance(settings, Mapping):
        raise SpecError(f"settings are names with values, not {describe_value(settings)}")
    for name in settings:
        if not isinstance(name, str):
            raise SpecError(f"a setting has a name such as 'width', not {describe_value(name)}")


def parse_setting_values(name: str, given: Any, option: str = "--set") -> SettingValues:
    """The values of a setting, from a text, from an iterable or from a single value.

    A text lists values and ranges, which include their last value; messages name the option.

    Raises:
        SpecError: the text is none.
    """
    if isinstance(given, range | FloatRange | _JoinedValues):
        return given
    if not isinstance(given, str):
        given = to_python_value(given)
        is_several = isinstance(given, Iterable) and not isinstance(given, bytes | Mapping)
        values = (
            tuple(map(to_python_value, islice(given, MAX_COMBINATIONS + 1)))
            if is_several
            else (given,)
        )
        if len(values) > MAX_COMBINATIONS:
            raise SpecError(f"'{name}' has more than {MAX_COMBINATIONS:,} values; take fewer")
        return values
    source = Source(f"{option} {name}", f"[{given}]")  # as YAML has a list
    items = parse_yaml(source).value
    if not isinstance(items, list) or not items:
        raise SpecError(f"'{name}' has no values; write {name}=32,64 or {name}=32:128:32")
    found = [_parse_list_item(item) for item in items]
    if sum(map(len, found)) > MAX_COMBINATIONS:
        raise SpecError(
            f"'{name}' has more than {MAX_COMBINATIONS:,} values; take fewer, or wider steps"
        )
    if all(isinstance(values, tuple) for values in found):
        return tuple(value for values in found for value in values)
    return found[0] if len(found) == 1 else _JoinedValues(found)


def _parse_list_item(item: YamlNode) -> SettingValues:
    """The values of one item of a list: a range has several."""
    if isinstance(item.value, str) and re.fullmatch(_RANGE_PATTERN, item.value):
        return _parse_range(item)
    if isinstance(item.value, float) and not _is_finite_real(item.value):
        raise SpecError("a value is a finite number", item)
    return (item.plain_value(),)


def _is_finite_real(number: float) -> bool:
    """Whether this is a number that steps can reach, which true is not."""
    return not isinstance(number, bool) and math.isfinite(number)


def _parse_range(item: YamlNode) -> SettingValues:
    """The numbers from the first to the last, which is one of them if the steps meet it.

    Raises:
        SpecError: an end or the step is no number, or there is no number in it.
    """
    texts = item.value.split(":")
    numbers = [resolve_scalar(text.strip()) if text.strip() else None for text in texts]
    if not all(isinstance(each, int | float) and _is_finite_real(each) for each in numbers):
        raise SpecError(f"a range is first:last or first:last:step, not {item.value}", item)
    first, last, step = (Fraction(str(number)) for number in (*numbers, 1)[:3])
    if not step:
        raise SpecError("the step of a range cannot be 0", item)
    count = (last - first) // step + 1
    if count < 1:
        raise SpecError(f"the range {item.value} is empty; {_reversed_range_hint(texts)}", item)
    if count > MAX_COMBINATIONS:
        raise SpecError(
            f"a range may have at most {MAX_COMBINATIONS:,} values; widen its step", item
        )
    if all(type(number) is int for number in numbers):
        return range(int(first), int(first + count * step), int(step))
    return FloatRange(first, step, range(count))


def _reversed_range_hint(texts: Sequence[str]) -> str:
    """How to write a range the other way round: `to count down: 12:2:-1`."""
    first, last, step = (*texts, "1")[:3]
    is_up = step.strip().startswith("-")
    turned = step.strip().removeprefix("-") if is_up else f"-{step.strip().removeprefix('+')}"
    return f"to count {'up' if is_up else 'down'}: {first}:{last}:{turned}"
