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

from dense_calc.errors import STDIN_NAME, FileError, Place, Source
from dense_calc.keras_format.archives import (
    CONFIG_MEMBER,
    HDF5_MAGIC,
    ZIP_MAGIC,
    FileMetadata,
    is_hdf5,
    read_archive_config,
)
from dense_calc.keras_format.detect import (
    DETECTION_BYTES,
    MANIFEST_KEY,
    demand_model_bytes,
    foreign_folder_message,
    may_be_keras,
)
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.settings.variants import ModelVariants, Settings
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.spec_language.yaml_tree import parse_yaml
from dense_calc.tracing.tracer import trace

_MAX_TEXT_BYTES = 16 * 2**20  # some 400,000 layers
_READ_FILES: set[tuple[int, int]] = (
    set()
)  # the files that were read: their devices and numbers there


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
    return load_at_revision(os.fspath(path), None, assume or {}, settings)


def load_at_revision(
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
    return read_variants(path, assume, revision).model_with(settings)


def read_variants(
    path: str | os.PathLike[str], assume: Mapping[str, str], revision: str | None = None
) -> ModelVariants:
    """What a file holds, read once, to be made models with any settings.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: the file cannot be read.
        SpecError: it holds no model.
    """
    path = os.fspath(path)
    source, beside = _read_model_text(path, revision)
    name = "model" if path == "-" else _encodable_name(os.path.splitext(os.path.basename(path))[0])
    stores = beside is not None or MANIFEST_KEY in source.text
    weights = path if stores and revision is None and path != "-" else ""
    return parse_variants(source, beside, name, assume, file_title(path, revision), weights)


def parse_variants(
    source: Source,
    beside: FileMetadata | None,
    name: str,
    assume: Mapping[str, str],
    file: str,
    weights: str = "",
) -> ModelVariants:
    """What a text in a file holds.

    `beside` is what its archive tells beside it, None if it is in none;
    `weights` is the path of a file that may store what the text does not tell.
    """
    again = parse_variants, (source, beside, name, assume, file, weights)
    value = _keras_value_in(source, beside is not None)
    if value is None:
        return ModelVariants(SpecOutline(parse_yaml(source), name), file, again)
    from dense_calc.keras_format.reader import from_keras  # a spec does not pay for it

    model = from_keras(value, source, name, assume, beside or FileMetadata(), weights)
    return ModelVariants(model, file, again)


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


def _read_model_text(path: str, revision: str | None) -> tuple[Source, FileMetadata | None]:
    """The text of a file, or of the model in an archive; and what that tells beside it.

    Texts are in UTF-8, or in UTF-16 with a byte order mark.
    """
    name = file_title(path, revision)
    with _open_model_file(path, name, revision) as file:
        head = file.read(DETECTION_BYTES)
        whole = file
        if not file.seekable():
            if not head.startswith((ZIP_MAGIC, HDF5_MAGIC)):
                demand_model_bytes(head, name)
            whole = io.BytesIO(
                _demand_text_size(head + file.read(_MAX_TEXT_BYTES + 1 - DETECTION_BYTES), name)
            )
        if head.startswith(ZIP_MAGIC):
            text, beside = read_archive_config(whole, name, _MAX_TEXT_BYTES)
            return _decode_text(text, f"{name}/{CONFIG_MEMBER}"), beside
        if not is_hdf5(whole):
            demand_model_bytes(head, name)
            whole.seek(0)
            return _decode_text(
                _demand_text_size(whole.read(_MAX_TEXT_BYTES + 1), name), name
            ), None
        from dense_calc.keras_format.hdf5_file import MODEL_CONFIG_ATTRIBUTE, read_hdf5_config

        text, beside = read_hdf5_config(whole, name, _MAX_TEXT_BYTES)
        return _decode_text(text, f"{name}/{MODEL_CONFIG_ATTRIBUTE}"), beside


def file_title(path: str, revision: str | None = None) -> str:
    """What a file is called to people, perhaps at a revision: `main:m.yaml`."""
    name = STDIN_NAME if path == "-" else path
    return _encodable_name(name if revision is None else f"{revision}:{name}")


def _encodable_name(name: str) -> str:
    """A name as text that every output can carry, whatever bytes it is."""
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _open_model_file(path: str, name: str, revision: str | None) -> Iterator[BinaryIO]:
    """A file, perhaps as it is at a revision, or standard input.

    Raises:
        FileError: it cannot be opened or read.
    """
    if path == "-" and sys.stdin is None:
        raise FileError(f"cannot read {name}: it is closed")
    try:
        if revision is not None:
            from dense_calc.files.git import read_revision  # who compares with one pays for it

            yield io.BytesIO(read_revision(path, revision))
        elif path == "-":
            yield _note_read_file(sys.stdin.buffer)
        else:
            with open(path, "rb") as file:
                yield _note_read_file(file)
    except IsADirectoryError:
        raise FileError(f"cannot read {name}: {foreign_folder_message(path)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"cannot read {name}: {reason}") from None


def _note_read_file(file: BinaryIO) -> BinaryIO:
    """The same file, which `was_read` knows from now on."""
    with suppress(UnsupportedOperation):  # it is none of the machine's
        status = os.fstat(file.fileno())
        _READ_FILES.add((status.st_dev, status.st_ino))
    return file


def was_file_read(path: str) -> bool:
    """Whether a plain file was read, under whatever name."""
    if not _READ_FILES or not os.path.isfile(path):
        return False
    status = os.stat(path)
    return (status.st_dev, status.st_ino) in _READ_FILES


def _demand_text_size(data: bytes, name: str) -> bytes:
    """The bytes of a file; FileError if they are too many."""
    if len(data) > _MAX_TEXT_BYTES:
        raise FileError(f"cannot read {name}: it is larger than {_MAX_TEXT_BYTES // 2**20} MiB")
    return data


def _decode_text(data: bytes, name: str) -> Source:
    """The text that these bytes are; FileError if they are none."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return Source(name, data.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8", "replace").splitlines() or [""]
        place = Place(Source(name, ""), len(lines), len(lines[-1]) + 1, 1)
        raise FileError(f"this is not UTF-8 text: byte 0x{data[error.start]:02x}", place) from None


def _keras_value_in(source: Source, is_archive: bool) -> Any:
    """What a text of Keras' holds; None for any other text.

    Raises:
        SpecError: it is broken; or it is known to be something else, and no spec.
    """
    if not is_archive and not may_be_keras(source.text):
        return None
    from dense_calc.keras_format.decode_text import keras_value  # a spec does not pay for it

    return keras_value(source, is_archive)
