"""A file of any kind → Model: the one door for every command and for the library's users."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import UnsupportedOperation
from typing import Any, BinaryIO

from dense_calc.errors import STDIN, FileError, Place, Source
from dense_calc.keras_format.archives import CONFIG, HDF5, ZIP, Beside, is_hdf5, text_in_archive
from dense_calc.keras_format.detect import (
    HEAD,
    MANIFEST,
    demand_model_bytes,
    foreign_folder,
    may_be_keras,
)
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.settings.variants import Settings, Variants
from dense_calc.spec_language.outline import Outline
from dense_calc.spec_language.yaml_tree import document
from dense_calc.tracing.tracer import trace

MAX_BYTES = 16 * 2**20  # some 400,000 layers
READ: set[tuple[int, int]] = set()  # the files that were read: their devices and numbers there


def load(
    path: str | os.PathLike[str],
    assume: Mapping[str, str] | None = None,
    /,
    **settings: Any,
) -> Model:
    """The model in a file: a spec, or one of Keras' own; `-` is standard input.

    Keyword arguments give the file's vars other values, as numbers or expressions; and, as `--set`
    has them, arguments of layers and inputs: `**{"conv2d_1.filters": 64, "input": [64, 64, 1]}`.
    `assume` says what stands in for classes that Keras does not have, by name: "identity", or what
    it holds.

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model.
    """
    return load_at(os.fspath(path), None, assume or {}, settings)


def load_at(
    path: str,
    revision: str | None,
    assume: Mapping[str, str],
    settings: Settings,
) -> Model:
    """The model in a file, as `load` has it, or as the file is at a revision of git's.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: the file cannot be read.
        SpecError: it holds no model.
    """
    return variants(path, assume, revision).model(settings)


def variants(
    path: str | os.PathLike[str], assume: Mapping[str, str], revision: str | None = None
) -> Variants:
    """What a file holds, read once, to be made models with any settings.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: the file cannot be read.
        SpecError: it holds no model.
    """
    path = os.fspath(path)
    source, beside = read(path, revision)
    name = "model" if path == "-" else encodable(os.path.splitext(os.path.basename(path))[0])
    stores = beside is not None or MANIFEST in source.text
    weights = path if stores and revision is None and path != "-" else ""
    return variants_in(source, beside, name, assume, title(path, revision), weights)


def variants_in(
    source: Source,
    beside: Beside | None,
    name: str,
    assume: Mapping[str, str],
    file: str,
    weights: str = "",
) -> Variants:
    """What a text in a file holds.

    `beside` is what its archive tells beside it, None if it is in none;
    `weights` is the path of a file that may store what the text does not tell.
    """
    again = variants_in, (source, beside, name, assume, file, weights)
    value = keras_value_in(source, beside is not None)
    if value is None:
        return Variants(Outline(document(source), name), file, again)
    from dense_calc.keras_format.reader import from_keras  # a spec does not pay for it

    model = from_keras(value, source, name, assume, beside or Beside(), weights)
    return Variants(model, file, again)


def summarize(
    path: str | os.PathLike[str],
    assume: Mapping[str, str] | None = None,
    /,
    **settings: Any,
) -> Report:
    """The report on the model in a file: `trace(load(path, **settings))`.

    Raises:
        FileError: the file cannot be read.
        SpecError: it holds no model.
        LayerError: its layers do not fit.
    """
    return trace(load(path, assume, **settings))


def read(path: str, revision: str | None) -> tuple[Source, Beside | None]:
    """The text of a file, or of the model in an archive; and what that tells beside it.

    Texts are in UTF-8, or in UTF-16 with a byte order mark.
    """
    name = title(path, revision)
    with opened(path, name, revision) as file:
        head = file.read(HEAD)
        whole = file
        if not file.seekable():
            if not head.startswith((ZIP, HDF5)):
                demand_model_bytes(head, name)
            whole = io.BytesIO(bounded(head + file.read(MAX_BYTES + 1 - HEAD), name))
        if head.startswith(ZIP):
            text, beside = text_in_archive(whole, name, MAX_BYTES)
            return decoded(text, f"{name}/{CONFIG}"), beside
        if not is_hdf5(whole):
            demand_model_bytes(head, name)
            whole.seek(0)
            return decoded(bounded(whole.read(MAX_BYTES + 1), name), name), None
        from dense_calc.keras_format.hdf5_file import MODEL_CONFIG, text_in_hdf5

        text, beside = text_in_hdf5(whole, name, MAX_BYTES)
        return decoded(text, f"{name}/{MODEL_CONFIG}"), beside


def title(path: str, revision: str | None = None) -> str:
    """What a file is called to people, perhaps at a revision: `main:m.yaml`."""
    name = STDIN if path == "-" else path
    return encodable(name if revision is None else f"{revision}:{name}")


def encodable(name: str) -> str:
    """A name as text that every output can carry, whatever bytes it is."""
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def opened(path: str, name: str, revision: str | None) -> Iterator[BinaryIO]:
    """A file, perhaps as it is at a revision, or standard input.

    Raises:
        FileError: it cannot be opened or read.
    """
    if path == "-" and sys.stdin is None:
        raise FileError(f"cannot read {name}: it is closed")
    try:
        if revision is not None:
            from dense_calc.files.git import content  # who compares with one pays for it

            yield io.BytesIO(content(path, revision))
        elif path == "-":
            yield noted(sys.stdin.buffer)
        else:
            with open(path, "rb") as file:
                yield noted(file)
    except IsADirectoryError:
        raise FileError(f"cannot read {name}: {foreign_folder(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read {name}: {reason}") from None


def noted(file: BinaryIO) -> BinaryIO:
    """The same file, which `was_read` knows from now on."""
    with suppress(UnsupportedOperation):  # it is none of the machine's
        status = os.fstat(file.fileno())
        READ.add((status.st_dev, status.st_ino))
    return file


def was_read(path: str) -> bool:
    """Whether a plain file was read, under whatever name."""
    if not READ or not os.path.isfile(path):
        return False
    status = os.stat(path)
    return (status.st_dev, status.st_ino) in READ


def bounded(data: bytes, name: str) -> bytes:
    """The bytes of a file; FileError if they are too many."""
    if len(data) > MAX_BYTES:
        raise FileError(f"cannot read {name}: it is larger than {MAX_BYTES // 2**20} MiB")
    return data


def decoded(data: bytes, name: str) -> Source:
    """The text that these bytes are; FileError if they are none."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return Source(name, data.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8", "replace").splitlines() or [""]
        place = Place(Source(name, ""), len(lines), len(lines[-1]) + 1, 1)
        raise FileError(f"this is not UTF-8 text: byte 0x{data[error.start]:02x}", place) from None


def keras_value_in(source: Source, is_archive: bool) -> Any:
    """What a text of Keras' holds; None for any other text.

    Raises:
        SpecError: it is broken; or it is known to be something else, and no spec.
    """
    if not is_archive and not may_be_keras(source.text):
        return None
    from dense_calc.keras_format.texts import keras_value  # a spec does not pay for it

    return keras_value(source, is_archive)
