"""The files in which Keras keeps a model with its weights: `.keras` archives and HDF5 files.

Only the text of the architecture is read, or the shapes of what is stored. Nothing is unpacked to
disk, and nothing that a file says of its own size is believed.
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

ZIP_MAGIC, HDF5_MAGIC = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"  # how these files start
CONFIG_MEMBER, _METADATA_MEMBER, WEIGHTS_MEMBER = "config.json", "metadata.json", "model.weights.h5"
_HDF5_START_OFFSETS = (0, *(512 << doubled for doubled in range(32)))  # bytes before what is HDF5
_KIB, MIB = 2**10, 2**20
MAX_METADATA_BYTES = 2**16
_MAX_DIRECTORY_BYTES = MIB  # bytes of the list of an archive's members, some 10,000 of them
MAX_INFLATED_BYTES = 128 * MIB  # bytes of weights that are not stored as they are
_MAX_REASON_LENGTH = 300  # characters; libraries repeat what a file says
_UNKNOWN_REASON = "it is broken, or ends too early"  # where a library gives no reason
_ZIP_END_MAGIC = b"PK\x05\x06"  # what the end of an archive starts with
_MAX_ZIP_END_BYTES = 22 + 2**16
ZIP_STORED, _ZIP_DEFLATED = 0, 8  # Keras stores; other methods ask for as much memory as they like


class FileMetadata(Struct, frozen=True):
    """What a file tells beside the architecture: Keras' version, and how the model is compiled."""

    keras_version: str = ""
    training_config: str = ""


def read_archive_config(file: BinaryIO, name: str, most: int) -> tuple[bytes, FileMetadata]:
    """The architecture in a `.keras` archive, and what that tells beside it.

    Raises:
        FileError: the archive is broken, encrypted or too large, or holds no model.
    """
    with wrap_read_errors(name), open_archive(file) as members:
        foreign = (
            foreign_names_message(members.NameToInfo)
            if CONFIG_MEMBER not in members.NameToInfo
            else ""
        )
        if foreign:
            raise ValueError(foreign)
        config = read_member(members, CONFIG_MEMBER, most)
        has_metadata = _METADATA_MEMBER in members.NameToInfo
        metadata = (
            read_member(members, _METADATA_MEMBER, MAX_METADATA_BYTES) if has_metadata else b""
        )
        version = re.search(rb'"keras_version": *"([\d.]*)"', metadata)
        return config, FileMetadata(version[1].decode() if version else "")


@contextmanager
def wrap_read_errors(name: str) -> Iterator[None]:
    """Whatever goes wrong with a file is told of the file."""
    try:
        yield
    except DenseCalcError:
        raise
    except Exception as error:  # zipfile, zlib and h5py let more kinds through than they tell
        reason = getattr(error, "strerror", None) or str(error).strip() or _UNKNOWN_REASON
        short = reason if len(reason) <= _MAX_REASON_LENGTH else reason[:_MAX_REASON_LENGTH] + "..."
        raise FileError(f"cannot read {name}: {short}") from None


@contextmanager
def open_archive(file: BinaryIO) -> Iterator[Any]:
    """A zip archive; ValueError if the list of its members is large, which zipfile reads whole."""
    import zipfile  # 10 ms, which only archives pay

    file.seek(max(0, file.seek(0, io.SEEK_END) - _MAX_ZIP_END_BYTES))
    end = file.read(_MAX_ZIP_END_BYTES)
    place = end.rfind(_ZIP_END_MAGIC)
    length = end[place + 12 : place + 16]
    if place >= 0 and int.from_bytes(length, "little") > _MAX_DIRECTORY_BYTES:
        raise ValueError("it has too many members to be a model")
    with zipfile.ZipFile(file) as members:
        yield members


def read_member(members: Any, name: str, most: int) -> bytes:
    """The bytes of a member of an archive, whatever its size is said to be."""
    with open_member(members, name) as packed:
        data: bytes = packed.read(most + 1)
    demand_max_bytes(len(data), f"its {name}", most)
    return data


def is_hdf5(file: BinaryIO) -> bool:
    """Whether a file is HDF5, perhaps after a block that is the user's."""
    for place in _HDF5_START_OFFSETS:
        file.seek(place)
        start = file.read(len(HDF5_MAGIC))
        if len(start) < len(HDF5_MAGIC) or start == HDF5_MAGIC:
            return start == HDF5_MAGIC
    return False


def demand_max_bytes(size: int, what: str, most: int) -> None:
    """Raise ValueError if something is larger than the most that it may be, in bytes."""
    if size > most:
        limit = f"{most // MIB} MiB" if most >= MIB else f"{most // _KIB} KiB"
        raise ValueError(f"{what} is larger than {limit}")


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
