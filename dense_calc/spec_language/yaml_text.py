"""Plain values → YAML: each item of a block on a line of its own, what is in it on that line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from dense_calc.errors import SpecError
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, TEXT_TAG, resolved

WIDTH = 100  # columns of a line
MOST_KNOWN = 1000
KNOWN: dict[str, str] = {}  # values as Python writes them → as YAML: layers are often alike


def in_lines(word: str, arguments: Mapping[str, Any]) -> list[str]:
    """A layer that is an item of the list of layers, on one line if it fits."""
    if not arguments:
        return [word]
    # Within brackets more must stand in quotes: `[split[1]]` is none.
    pairs = (f"{name}: {flow([value])[1:-1]}" for name, value in arguments.items())
    line = f"{word}: {{{', '.join(pairs)}}}"
    if len(line) <= WIDTH:
        return [line]
    own = (f"{name}: {flow(value)}" for name, value in arguments.items())
    return [f"{word}:", *indented(own)]


def section(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    """A section that is a mapping, on one line if it fits."""
    line = f"{name}: {flow(values)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{name}:"
    yield from indented(f"{flow(key)}: {flow(value)}" for key, value in values.items())


def listed(items: Iterable[list[str]]) -> Iterator[str]:
    """The items of a list in lines, each after a dash."""
    for first, *others in items:
        yield f"- {first}"
        yield from indented(others)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Lines further to the right."""
    return (f"  {line}" for line in lines)


class Text(str):
    """A text that must stand in quotes: it would be read as something else."""


class Dumper(yaml.SafeDumper):
    """Writes values on one line, and no value twice as one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


Dumper.add_representer(
    Text,
    lambda dumper, text: dumper.represent_scalar(TEXT_TAG, str(text), style='"'),
)


def flow(value: Any) -> str:
    """A value on one line of YAML; what could speak to a terminal is escaped."""
    key = repr(value)
    text = KNOWN.get(key)
    if text is None:
        text = dumped(value, allow_unicode=True)
        text = text if text.isprintable() else dumped(value, allow_unicode=False)
        if len(KNOWN) < MOST_KNOWN:
            KNOWN[key] = text
    return text


def dumped(value: Any, *, allow_unicode: bool) -> str:
    """A value on one line as PyYAML writes it."""
    text = yaml.dump(
        quoted(value),
        Dumper=Dumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=allow_unicode,
        width=float("inf"),
    )
    return text.removesuffix("\n").removesuffix("\n...")


def quoted(value: Any) -> Any:
    """A value with the texts marked that YAML 1.2 reads as another value, or over several lines."""
    match value:
        case dict():
            return {quoted(key): quoted(each) for key, each in value.items()}
        case list() | tuple():
            return list(map(quoted, value))
        case int() if abs(value) > MAX_NUMBER:
            raise SpecError(f"a spec holds no number above {MAX_NUMBER:,}")
        case str() if not (value.isprintable() and isinstance(resolved(value), str)):
            return Text(value)
    return value
