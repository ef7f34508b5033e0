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

from dense_calc.errors import DenseCalcError, FileError
from dense_calc.keras_format.signs import SAVE, foreign_names

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"  # how these files start
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MODEL_CONFIG, VERSION = "model_config", "keras_version"  # attributes of an HDF5 file
MIB = 2**20
MAX_METADATA = 2**16
MAX_DIRECTORY = MIB  # bytes of the list of an archive's members, some 10,000 of them
MAX_INFLATED = 128 * MIB  # bytes of weights that are not stored as they are
MAX_READ = 32 * MIB  # bytes that HDF5 asks for at once; a long text and what stands beside it
END = b"PK\x05\x06"  # what the end of an archive starts with
LONGEST_END = 22 + 2**16
STORED, DEFLATED = 0, 8  # Keras stores; other methods ask for as much memory as they like


def text_in_archive(file: BinaryIO, name: str, most: int) -> tuple[bytes, str]:
    """The architecture in a `.keras` archive, and the version of Keras that wrote it, or ''.

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
        return config, version[1].decode() if version else ""


def text_in_hdf5(file: BinaryIO, name: str, most: int) -> tuple[bytes, str]:
    """The same of an HDF5 file; needs the extra `h5`.

    Raises:
        FileError: the file is broken, or holds weights alone.
    """
    with readable(name), hdf5(file) as root:
        config = text_attribute(root, MODEL_CONFIG, most)
        if config is None:
            raise ValueError(f"it holds weights alone and no {MODEL_CONFIG}; {SAVE}")
        return config, (text_attribute(root, VERSION, MAX_METADATA) or b"").decode(errors="replace")


def text_attribute(root: Any, name: str, most: int) -> bytes | None:
    """The text that is an attribute of an HDF5 file; None if there is none.

    Raises:
        ValueError: it is no text, or too long.
    """
    import h5py

    if not h5py.h5a.exists(root.id, name.encode()):
        return None
    size = h5py.h5a.open(root.id, name.encode()).get_storage_size()
    text = root.attrs[name] if size <= most else b""
    if not isinstance(text, str | bytes):
        raise ValueError(f"its {name} is no text")
    text = text.encode() if isinstance(text, str) else bytes(text)
    if max(size, len(text)) > most:
        raise ValueError(f"its {name} is larger than {most // MIB or 1} MiB")
    return text


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Whatever goes wrong with a file is told of the file."""
    try:
        yield
    except DenseCalcError:
        raise
    except Exception as error:  # zipfile, zlib and h5py let more kinds through than they tell
        reason = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        raise FileError(f"cannot read {name}: {reason}") from None


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
    if len(data) > most:
        raise ValueError(f"its {name} is larger than {most // MIB or 1} MiB")
    return data


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


@contextmanager
def hdf5(file: BinaryIO) -> Iterator[Any]:
    """An HDF5 file; ValueError where the library that reads them is not there."""
    try:
        import h5py
    except ImportError:
        wanted = "pip install 'dense-calc[h5]'"
        raise ValueError(f"HDF5 files are read by h5py, which is an extra: {wanted}") from None
    with h5py.File(Stretch(file, 0, file.seek(0, io.SEEK_END)), "r") as root:
        yield root


class Stretch(io.RawIOBase):
    """A part of a file as a file, of which nobody reads much at once.

    Of a member of an archive zipfile would read all that is before a place to get there. A text in
    an HDF5 file tells its length only to who reads it.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self.file, self.start, self.size = file, start, size
        self.place = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        before = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}
        self.place = before[whence] + offset
        return self.place

    def readinto(self, buffer: Any, /) -> int:
        if len(buffer) > MAX_READ:
            raise ValueError(f"a part of it is larger than {MAX_READ // MIB} MiB")
        self.file.seek(self.start + self.place)
        data = self.file.read(max(0, min(len(buffer), self.size - self.place)))
        buffer[: len(data)] = data
        self.place += len(data)
        return len(data)
