"""A file of any kind → Model: the one door for every command and for the library's users."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import nullcontext

from dense_calc.errors import FileError, Place, Source
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.spec import parse
from dense_calc.tracing import trace

MAX_BYTES = 16 * 2**20  # some 400,000 layers


def load(path: str | os.PathLike[str], /, **vars: int | float | str) -> Model:
    """The model in a file; `-` is standard input.

    Keyword arguments give the file's vars other values, as numbers or expressions.

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model.
    """
    source = read(os.fspath(path))
    name = (
        "model" if source.name == "<stdin>" else os.path.splitext(os.path.basename(source.name))[0]
    )
    return parse(source, name, vars)


def summarize(path: str | os.PathLike[str], /, **vars: int | float | str) -> Report:
    """The report on the model in a file: `trace(load(path, **vars))`.

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model.
        LayerError: its layers do not fit.
    """
    return trace(load(path, **vars))


def read(path: str) -> Source:
    """The text of a file, in UTF-8 or in UTF-16 with a byte order mark."""
    name = "<stdin>" if path == "-" else path
    if path == "-" and sys.stdin is None:
        raise FileError(f"cannot read {name}: it is closed")
    try:
        with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read {name}: {reason}") from None
    if len(data) > MAX_BYTES:
        raise FileError(f"cannot read {name}: it is larger than {MAX_BYTES // 2**20} MiB")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return Source(name, data.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8", "replace").splitlines() or [""]
        place = Place(Source(name, ""), len(lines), len(lines[-1]) + 1, 1)
        raise FileError(f"this is not UTF-8 text: byte 0x{data[error.start]:02x}", place) from None
