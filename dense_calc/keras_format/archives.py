"""Read `.keras` archives safely, and recognise HDF5 files.

Nothing is unpacked to disk, and every limit holds whatever size a file claims to have.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from msgspec import Struct

from dense_calc.errors import DenseCalcError, FileError
from dense_calc.keras_format.detect import foreign_names_message

ZIP_MAGIC, HDF5_MAGIC = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"  # the first bytes of these files
CONFIG_MEMBER, _METADATA_MEMBER, WEIGHTS_MEMBER = "config.json", "metadata.json", "model.weights.h5"
# HDF5 allows a block of the user's before its start.
_HDF5_START_OFFSETS = (0, *(512 << doubled for doubled in range(32)))
_KIB, MIB = 2**10, 2**20
MAX_METADATA_BYTES = 2**16
_MAX_DIRECTORY_BYTES = MIB  # a list of some 10,000 members
MAX_INFLATED_BYTES = 128 * MIB  # of weights that are compressed
_MAX_REASON_LENGTH = 300  # characters; libraries quote the file in their messages
_UNKNOWN_REASON = "it is broken, or ends too early"  # for exceptions without a message
_OVERLAP = "Overlapped entries"  # what zipfile of Python 3.13 says, and older ones do not
_ZIP_END_MAGIC = b"PK\x05\x06"  # the first bytes of a zip archive's end record
_MAX_ZIP_END_BYTES = 22 + 2**16
ZIP_STORED, _ZIP_DEFLATED = 0, 8  # Keras stores; other methods have no limit of memory


class FileMetadata(Struct, frozen=True):
    """Facts in a file beside the architecture: Keras' version, and how the model is compiled."""

    keras_version: str = ""
    training_config: str = ""


def read_archive_config(file: BinaryIO, name: str, most: int) -> tuple[bytes, FileMetadata]:
    """The JSON of the architecture in a `.keras` archive, and the archive's metadata.

    Raises:
        FileError: the archive is broken, encrypted or too large, or holds no model.
    """
    with wrap_read_errors(name), open_archive(file) as members:
        names = members.NameToInfo
        if CONFIG_MEMBER not in names and (message := foreign_names_message(names)):
            raise ValueError(message)
        config = read_member(members, CONFIG_MEMBER, most)
        metadata = b""
        if _METADATA_MEMBER in names:
            metadata = read_member(members, _METADATA_MEMBER, MAX_METADATA_BYTES)
        version = re.search(rb'"keras_version": *"([\d.]*)"', metadata)
        return config, FileMetadata(version[1].decode() if version else "")


@contextmanager
def wrap_read_errors(name: str) -> Iterator[None]:
    """Turn every error while a file is read into a FileError that names the file."""
    try:
        yield
    except DenseCalcError:
        raise
    except Exception as error:  # zipfile, zlib and h5py raise more kinds than they document
        reason = getattr(error, "strerror", None) or str(error).strip() or _UNKNOWN_REASON
        if reason.startswith(_OVERLAP):
            reason = _UNKNOWN_REASON
        short = reason if len(reason) <= _MAX_REASON_LENGTH else reason[:_MAX_REASON_LENGTH] + "..."
        raise FileError(f"cannot read {name}: {short}") from None


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[Any]:
    """A zip archive; ValueError if its list of members, which zipfile reads whole, is too long."""
    import zipfile  # 10 ms, which only archives pay

    file.seek(max(0, file.seek(0, io.SEEK_END) - _MAX_ZIP_END_BYTES))
    end = file.read(_MAX_ZIP_END_BYTES)
    start = end.rfind(_ZIP_END_MAGIC)
    length = end[start + 12 : start + 16]
    if start >= 0 and int.from_bytes(length, "little") > _MAX_DIRECTORY_BYTES:
        raise ValueError("it has too many members to be a model")
    with zipfile.ZipFile(file) as members:
        yield members


def read_member(members: Any, name: str, most: int) -> bytes:
    """The bytes of a member of an archive; ValueError if it has more than `most`."""
    with open_member(members, name) as packed:
        data: bytes = packed.read(most + 1)
    demand_max_bytes(len(data), f"its {name}", most)
    return data


def is_hdf5(file: BinaryIO) -> bool:
    """Whether a file is HDF5, perhaps after a block of the user's."""
    for offset in _HDF5_START_OFFSETS:
        file.seek(offset)
        start = file.read(len(HDF5_MAGIC))
        if len(start) < len(HDF5_MAGIC) or start == HDF5_MAGIC:
            return start == HDF5_MAGIC
    return False


def demand_max_bytes(size: int, subject: str, most: int) -> None:
    """Raise ValueError if a size in bytes exceeds `most`; `subject` names what has that size."""
    if size > most:
        limit = f"{most // MIB} MiB" if most >= MIB else f"{most // _KIB} KiB"
        raise ValueError(f"{subject} is larger than {limit}")


def open_member(members: Any, name: str) -> Any:
    """A member of an archive as a file."""
    if name not in members.NameToInfo:
        raise ValueError(f"it has no {name}")
    info = members.getinfo(name)
    if info.flag_bits & 1:
        raise ValueError(f"its {name} is encrypted")
    if info.compress_type not in (ZIP_STORED, _ZIP_DEFLATED):
        raise ValueError(f"its {name} is packed in a way that Keras does not use")
    return members.open(info)
