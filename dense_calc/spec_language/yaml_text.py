"""Plain values → YAML: one line for each item of a list or section, if the item fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from dense_calc.errors import SpecError
from dense_calc.spec_language.yaml_scalars import MAX_NUMBER, TEXT_TAG, resolve_scalar

_MAX_LINE_WIDTH = 100  # columns
_MAX_CACHED_TEXTS = 1000
_FLOW_CACHE: dict[str, str] = {}  # `repr` of a value → YAML: layers are often alike


def format_layer_item(word: str, arguments: Mapping[str, Any]) -> list[str]:
    """The lines of a layer in the list of layers: one, if it fits."""
    if not arguments:
        return [word]
    # Texts with brackets need quotes inside brackets: `[split[1]]` would not be read back.
    pairs = (f"{name}: {format_flow([value])[1:-1]}" for name, value in arguments.items())
    line = f"{word}: {{{', '.join(pairs)}}}"
    if len(line) <= _MAX_LINE_WIDTH:
        return [line]
    lines = (f"{name}: {format_flow(value)}" for name, value in arguments.items())
    return [f"{word}:", *indent_lines(lines)]


def format_section(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a section that is a mapping: one, if it fits."""
    line = f"{name}: {format_flow(values)}"
    if len(line) <= _MAX_LINE_WIDTH:
        yield line
        return
    yield f"{name}:"
    yield from indent_lines(
        f"{format_flow(key)}: {format_flow(value)}" for key, value in values.items()
    )


def format_list_items(items: Iterable[list[str]]) -> Iterator[str]:
    """The lines of a list, each item after a dash."""
    for first, *others in items:
        yield f"- {first}"
        yield from indent_lines(others)


def indent_lines(lines: Iterable[str]) -> Iterator[str]:
    """Lines, each two columns further to the right."""
    return (f"  {line}" for line in lines)


class _QuotedText(str):
    """A text that needs quotes, because without them it would mean something else."""


class _FlowDumper(yaml.SafeDumper):
    """Writes values on one line, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_FlowDumper.add_representer(
    _QuotedText,
    lambda dumper, text: dumper.represent_scalar(TEXT_TAG, str(text), style='"'),
)


def format_flow(value: Any) -> str:
    """A value on one line of YAML, with the characters escaped that could control a terminal."""
    key = repr(value)
    text = _FLOW_CACHE.get(key)
    if text is None:
        text = _dump_flow(value, allow_unicode=True)
        text = text if text.isprintable() else _dump_flow(value, allow_unicode=False)
        if len(_FLOW_CACHE) < _MAX_CACHED_TEXTS:
            _FLOW_CACHE[key] = text
    return text


def _dump_flow(value: Any, *, allow_unicode: bool) -> str:
    """A value on one line as PyYAML writes it."""
    text = yaml.dump(
        _quote_texts(value),
        Dumper=_FlowDumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=allow_unicode,
        width=float("inf"),
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _quote_texts(value: Any) -> Any:
    """A value whose texts are marked where they need quotes."""
    match value:
        case dict():
            return {_quote_texts(key): _quote_texts(each) for key, each in value.items()}
        case list() | tuple():
            return list(map(_quote_texts, value))
        case int() if abs(value) > MAX_NUMBER:
            raise SpecError(f"a number in a spec may be at most {MAX_NUMBER:,}")
        case str() if not (value.isprintable() and isinstance(resolve_scalar(value), str)):
            return _QuotedText(value)
    return value
