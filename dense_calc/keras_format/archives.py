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
from dense_calc.keras_format.detect import foreign_names

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"  # how these files start
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
USER_BLOCKS = (0, *(512 << doubled for doubled in range(32)))  # bytes before what is HDF5
KIB, MIB = 2**10, 2**20
MAX_METADATA = 2**16
MAX_DIRECTORY = MIB  # bytes of the list of an archive's members, some 10,000 of them
MAX_INFLATED = 128 * MIB  # bytes of weights that are not stored as they are
MAX_REASON = 300  # characters; libraries repeat what a file says
UNTOLD = "it is broken, or ends too early"  # where a library gives no reason
END = b"PK\x05\x06"  # what the end of an archive starts with
LONGEST_END = 22 + 2**16
STORED, DEFLATED = 0, 8  # Keras stores; other methods ask for as much memory as they like


class Beside(Struct, frozen=True):
    """What a file tells beside the architecture: Keras' version, and how the model is compiled."""

    keras: str = ""
    training: str = ""


def text_in_archive(file: BinaryIO, name: str, most: int) -> tuple[bytes, Beside]:
    """The architecture in a `.keras` archive, and what that tells beside it.

    Raises:
        FileError: the archive is broken, encrypted or too large, or holds no model.
    """
    with readable(name), members_of(file) as members:
        foreign = foreign_names(members.NameToInfo) if CONFIG not in members.NameToInfo else ""
        if foreign:
            raise ValueError(foreign)
        config = member(members, CONFIG, most)
        has_metadata = METADATA in members.NameToInfo
        metadata = member(members, METADATA, MAX_METADATA) if has_metadata else b""
        version = re.search(rb'"keras_version": *"([\d.]*)"', metadata)
        return config, Beside(version[1].decode() if version else "")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Whatever goes wrong with a file is told of the file."""
    try:
        yield
    except DenseCalcError:
        raise
    except Exception as error:  # zipfile, zlib and h5py let more kinds through than they tell
        reason = getattr(error, "strerror", None) or str(error).strip() or UNTOLD
        short = reason if len(reason) <= MAX_REASON else reason[:MAX_REASON] + "..."
        raise FileError(f"cannot read {name}: {short}") from None


@contextmanager
def members_of(file: BinaryIO) -> Iterator[Any]:
    """A zip archive; ValueError if the list of its members is large, which zipfile reads whole."""
    import zipfile  # 10 ms, which only archives pay

    file.seek(max(0, file.seek(0, io.SEEK_END) - LONGEST_END))
    end = file.read(LONGEST_END)
    place = end.rfind(END)
    length = end[place + 12 : place + 16]
    if place >= 0 and int.from_bytes(length, "little") > MAX_DIRECTORY:
        raise ValueError("it has too many members to be a model")
    with zipfile.ZipFile(file) as members:
        yield members


def member(members: Any, name: str, most: int) -> bytes:
    """The bytes of a member of an archive, whatever its size is said to be."""
    with opened(members, name) as packed:
        data: bytes = packed.read(most + 1)
    demand_little(len(data), f"its {name}", most)
    return data


def is_hdf5(file: BinaryIO) -> bool:
    """Whether a file is HDF5, perhaps after a block that is the user's."""
    for place in USER_BLOCKS:
        file.seek(place)
        start = file.read(len(HDF5))
        if len(start) < len(HDF5) or start == HDF5:
            return start == HDF5
    return False


def demand_little(size: int, what: str, most: int) -> None:
    """Raise ValueError if something is larger than the most that it may be, in bytes."""
    if size > most:
        limit = f"{most // MIB} MiB" if most >= MIB else f"{most // KIB} KiB"
        raise ValueError(f"{what} is larger than {limit}")


def opened(members: Any, name: str) -> Any:
    """A member of an archive as a file."""
    if name not in members.NameToInfo:
        raise ValueError(f"it has no {name}")
    info = members.getinfo(name)
    if info.flag_bits & 1:
        raise ValueError(f"its {name} is encrypted")
    if info.compress_type not in (STORED, DEFLATED):
        raise ValueError(f"its {name} is packed in a way that Keras does not use")
    return members.open(info)
