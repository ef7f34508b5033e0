"""Read a file of any kind into a Model: for all commands and for users of the library."""

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
from dense_calc.files.gallery_files import GALLERY_PREFIX, describe_missing_file, resolve_path
from dense_calc.files.in_memory import ModelSource, memory_title, open_in_memory
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
from dense_calc.settings.variants import ModelVariants
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.spec_language.yaml_tree import parse_yaml

_MAX_TEXT_BYTES = 16 * 2**20  # some 400,000 layers
_NAMELESS_MARK = "<"  # in the titles of what has no name: <text>
_READ_FILES: set[tuple[int, int]] = set()  # the devices and inodes of the files that were read


def read_variants(
    source: ModelSource, assume: Mapping[str, str], revision: str | None = None
) -> ModelVariants:
    """The models in a file or a mapping for any settings; it is read once. A str is a path.

    Raises:
        AbsentError: there is no such revision, or no such file at it.
        FileError: the file cannot be read.
        SpecError: the file holds no model.
    """
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    title = memory_title(source) if path is None else file_title(path, revision)
    with _open_source(source, path, title, revision) as file:
        text, beside = _read_model_text(file, title)
    stores = beside is not None or MANIFEST_KEY in text.text
    weights = path if path and path != "-" and stores and revision is None else ""
    return parse_variants(text, beside, _model_name(path or title), assume, title, weights)


def parse_variants(
    source: Source,
    beside: FileMetadata | None,
    name: str,
    assume: Mapping[str, str],
    file: str,
    weights: str = "",
) -> ModelVariants:
    """The models in a text for any settings; `file` is the title of its file.

    `beside` is the metadata of the archive around the text, None if there is none. `weights` is
    the path of a file with stored weights, '' if there is none: they may tell shapes that the text
    does not.
    """
    again = parse_variants, (source, beside, name, assume, file, weights)
    value = _keras_value_in(source, beside is not None)
    if value is None:
        return ModelVariants(SpecOutline(parse_yaml(source), name), file, again)
    from dense_calc.keras_format.reader import from_keras  # a spec does not pay for it

    model = from_keras(value, source, name, assume, beside or FileMetadata(), weights)
    return ModelVariants(model, file, again)


def _read_model_text(file: BinaryIO, name: str) -> tuple[Source, FileMetadata | None]:
    """The text of a file, or the model's text and the metadata of an archive.

    Texts are in UTF-8, or in UTF-16 with a byte order mark.
    """
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
        return _decode_text(_demand_text_size(whole.read(_MAX_TEXT_BYTES + 1), name), name), None
    from dense_calc.keras_format.hdf5_file import MODEL_CONFIG_ATTRIBUTE, read_hdf5_config

    text, beside = read_hdf5_config(whole, name, _MAX_TEXT_BYTES)
    return _decode_text(text, f"{name}/{MODEL_CONFIG_ATTRIBUTE}"), beside


def file_title(path: str, revision: str | None = None) -> str:
    """The title of a file in messages, perhaps at a revision: `main:m.yaml`."""
    name = STDIN_NAME if path == "-" else path
    return _encodable_name(name if revision is None else f"{revision}:{name}")


def _model_name(path: str) -> str:
    """The name of a model that has none: that of its file, or 'model' without a file."""
    if path == "-" or path.startswith(_NAMELESS_MARK):
        return "model"
    return _encodable_name(os.path.splitext(os.path.basename(path))[0])


def _encodable_name(name: str) -> str:
    """A name with bytes escaped that are no text, so that it can be printed."""
    return name.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _open_source(
    source: ModelSource, path: str | None, name: str, revision: str | None
) -> Iterator[BinaryIO]:
    """Open a file, a file at a revision, standard input, or what is in memory.

    Raises:
        FileError: it cannot be opened or read.
    """
    if path == "-" and sys.stdin is None:
        raise FileError(f"cannot read {name}: it is closed")
    try:
        if path is None:
            yield open_in_memory(source, _MAX_TEXT_BYTES)
        elif revision is not None:
            if path.startswith(GALLERY_PREFIX):
                raise FileError(f"cannot read {name}: the gallery has no revisions")
            from dense_calc.files.git import read_revision  # who compares with one pays for it

            yield io.BytesIO(read_revision(path, revision))
        elif path == "-":
            yield _note_read_file(sys.stdin.buffer)
        else:
            with open(resolve_path(path), "rb") as file:
                yield _note_read_file(file)
    except IsADirectoryError:
        raise FileError(f"cannot read {name}: {foreign_folder_message(path or name)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = describe_missing_file(name) if isinstance(error, FileNotFoundError) else ""
        raise FileError(f"cannot read {name}: {reason}{hint}") from None


def _note_read_file(file: BinaryIO) -> BinaryIO:
    """Remember a file for `was_file_read`, and return it."""
    with suppress(UnsupportedOperation):  # it is not on a disk
        status = os.fstat(file.fileno())
        _READ_FILES.add((status.st_dev, status.st_ino))
    return file


def was_file_read(path: str) -> bool:
    """Whether a regular file was read, be it by another name."""
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
    """The text in these bytes; FileError if they are no text."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return Source(name, data.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8", "replace").splitlines() or [""]
        place = Place(Source(name, ""), len(lines), len(lines[-1]) + 1, 1)
        raise FileError(f"this is not UTF-8 text: byte 0x{data[error.start]:02x}", place) from None


def _keras_value_in(source: Source, is_archive: bool) -> Any:
    """The JSON or YAML value of a Keras file; None for any other text.

    Raises:
        SpecError: the text is broken, or is known to be neither Keras' nor a spec.
    """
    if not is_archive and not may_be_keras(source.text):
        return None
    from dense_calc.keras_format.decode_text import keras_value  # a spec does not pay for it

    return keras_value(source, is_archive)
