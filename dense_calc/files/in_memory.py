"""A model that is no path: a mapping or an open file → the bytes to read, and a title."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import IO, Any, BinaryIO, TypeAlias, cast

from dense_calc.errors import SpecError

ModelSource: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | IO[str] | IO[bytes]
AnyModel: TypeAlias = ModelSource | bytes

_TEXT_TITLE = "<text>"


def as_path_or_file(source: AnyModel) -> ModelSource:
    """The same source, with an open file for a text and for the bytes of a file.

    A str is a text if it has several lines or begins with `{`, as JSON does; else it is a path.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    is_text = isinstance(source, str) and (source.startswith("{") or source.splitlines()[1:])
    return io.StringIO(cast(str, source)) if is_text else source


def memory_title(source: ModelSource) -> str:
    """What messages call a mapping or an open file.

    Raises:
        TypeError: this is no source of a model.
    """
    if isinstance(source, Mapping):
        return "<mapping>"
    if not hasattr(source, "seekable"):
        kinds = "a path, a text, a mapping or an open file"
        raise TypeError(f"a model is read from {kinds}, not from {type(source).__name__}")
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else _TEXT_TITLE


def open_in_memory(source: ModelSource, max_size: int) -> BinaryIO:
    """The bytes of a mapping or an open file; one of text gives `max_size` + 1 characters at most.

    Raises:
        SpecError: a mapping holds what no file can hold.
    """
    if isinstance(source, Mapping):
        return _encode(_json_text(source))
    assert not isinstance(source, str | os.PathLike)
    if isinstance(source.read(0), str):
        return _encode(str(source.read(max_size + 1)))
    return cast(BinaryIO, source)


def _encode(text: str) -> BinaryIO:
    """The bytes of a text; a reader complains about half characters in it."""
    return io.BytesIO(text.encode("utf-8", "surrogatepass"))


def _json_text(mapping: Mapping[str, Any]) -> str:
    """A mapping as JSON, which a spec may be, with a line for each value.

    Raises:
        SpecError: it holds what JSON does not.
    """
    from json import dumps  # only mappings need it

    try:
        return dumps(mapping, indent=2, ensure_ascii=False, default=_plain_value)
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"the mapping cannot be written as JSON: {error}") from None


def _plain_value(value: Any) -> Any:
    """A mapping of any class as a dict, a number or an array of NumPy's as one of Python's.

    Raises:
        TypeError: it is none of them.
    """
    from dense_calc.settings.values import to_python_value  # few mappings need it

    plain = dict(value) if isinstance(value, Mapping) else to_python_value(value)
    if plain is value:
        raise TypeError(f"'{type(value).__name__}' is not a number, text, list or mapping")
    return plain
