"""Open HDF5 files with h5py, within limits of memory whatever sizes a file claims."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from dense_calc.keras_format.archives import (
    MAX_METADATA_BYTES,
    MIB,
    FileMetadata,
    demand_max_bytes,
    wrap_read_errors,
)
from dense_calc.keras_format.detect import SAVE_HINT, WRITE_HINT

MODEL_CONFIG_ATTRIBUTE, VERSION_ATTRIBUTE, _TRAINING_CONFIG_ATTRIBUTE = (
    "model_config",
    "keras_version",
    "training_config",
)
_LAYER_COUNT_ATTRIBUTE = "nb_layers"  # in a file of `save_weights` of Keras 0
_MAX_READ_BYTES = 32 * MIB  # at once: a long text, and its surroundings
_MAX_KEPT_BYTES = MIB  # kept for a search
# The first bytes of parts whose length is in their bytes 8 to 15; the first is a heap of texts.
_TEXT_HEAP_MAGIC = b"GCOL"
_HEAP_MAGICS = (_TEXT_HEAP_MAGIC, b"HEAP")
_LENGTH_BYTES = 8
_HEAP_ITEM_HEADER_BYTES = 16


def read_hdf5_config(file: BinaryIO, name: str, most: int) -> tuple[bytes, FileMetadata]:
    """The JSON of the architecture in an HDF5 file, and the file's metadata.

    It needs the extra `h5`.

    Raises:
        FileError: the file is broken, or holds weights alone.
    """
    with wrap_read_errors(name), open_hdf5(file) as (root, hdf5):
        config = read_text_attribute(root, MODEL_CONFIG_ATTRIBUTE, most, hdf5)
        if config is None and _LAYER_COUNT_ATTRIBUTE in root.attrs:
            raise ValueError(
                f"it holds weights alone, of Keras 0, by numbers of layers; {WRITE_HINT}"
            )
        if config is None:
            raise ValueError(f"it holds weights alone and no {MODEL_CONFIG_ATTRIBUTE}; {SAVE_HINT}")
        version = read_text_attribute(root, VERSION_ATTRIBUTE, MAX_METADATA_BYTES, hdf5)
        training = None
        with suppress(ValueError):  # it is no reason to refuse the architecture
            training = read_text_attribute(
                root, _TRAINING_CONFIG_ATTRIBUTE, MAX_METADATA_BYTES, hdf5
            )
        texts = ((text or b"").decode(errors="replace") for text in (version, training))
        return config, FileMetadata(*texts)


@contextmanager
def open_hdf5(file: BinaryIO) -> Iterator[tuple[Any, FileSlice]]:
    """The root group of an HDF5 file, and the bytes below it; ValueError if h5py is missing."""
    try:
        import h5py
    except ImportError:
        command = "pip install 'dense-calc[h5]'"
        raise ValueError(f"HDF5 files are read by h5py, which is an extra: {command}") from None
    hdf5 = FileSlice(file, 0, file.seek(0, io.SEEK_END))
    with h5py.File(hdf5, "r") as root:
        if root.id.get_create_plist().get_sizes()[1] != _LENGTH_BYTES:
            raise ValueError("its lengths are not of 8 bytes, as they are in files of Keras'")
        yield root, hdf5


class FileSlice(io.RawIOBase):
    """A part of a file as a file that limits each read; `first_bytes` keeps those read first.

    The members of zipfile are no alternative: to seek in one reads all bytes before.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size = file, start, size
        self._position = 0
        self.first_bytes = bytearray()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = origins[whence] + offset
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        demand_max_bytes(len(buffer), "a part of it", _MAX_READ_BYTES)
        self._file.seek(self._start + self._position)
        data = self._file.read(max(0, min(len(buffer), self._size - self._position)))
        if data.startswith(_HEAP_MAGICS):  # HDF5 allocates the length that a heap claims
            length = int.from_bytes(data[8:16], "little")
            demand_max_bytes(length, "a part of it", _MAX_READ_BYTES)
            if data.startswith(_TEXT_HEAP_MAGIC):
                self._file.seek(self._start + self._position)
                _demand_heap_ends(self._file.read(length))
        if len(self.first_bytes) < _MAX_KEPT_BYTES:
            self.first_bytes += data
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _demand_heap_ends(heap: bytes) -> None:
    """Raise ValueError where HDF5 would never reach the end of a heap of texts.

    An item begins with its number and its length. Number 0 is free space, whose length includes
    the header.
    """
    start = _HEAP_ITEM_HEADER_BYTES
    while start + _HEAP_ITEM_HEADER_BYTES <= len(heap):
        header = heap[start : start + _HEAP_ITEM_HEADER_BYTES]
        size = int.from_bytes(header[_LENGTH_BYTES:], "little")
        if header[:2] != b"\0\0":
            size = _HEAP_ITEM_HEADER_BYTES + -(-size // _LENGTH_BYTES) * _LENGTH_BYTES
        if not _HEAP_ITEM_HEADER_BYTES <= size <= len(heap) - start:
            raise ValueError("it is broken: an item in it does not end where it should")
        start += size


def read_text_attribute(root: Any, name: str, most: int, hdf5: FileSlice) -> bytes | None:
    """The text in an attribute of a group; None if there is no such attribute.

    Raises:
        ValueError: the attribute is no text, or too long.
    """
    import h5py

    if not h5py.h5a.exists(root.id, name.encode()):
        return None
    attribute = h5py.h5a.open(root.id, name.encode())
    kind, extent = attribute.get_type(), attribute.get_space().get_simple_extent_type()
    if not isinstance(kind, h5py.h5t.TypeStringID) or extent != h5py.h5s.SCALAR:
        raise ValueError(f"its {name} is not text")
    lengths = [attribute.get_storage_size()]
    if kind.is_variable_str():
        lengths += _declared_text_lengths(bytes(hdf5.first_bytes), name.encode())
    demand_max_bytes(max(lengths), f"its {name}", most)
    text = root.attrs[name]
    return text.encode(errors="surrogateescape") if isinstance(text, str) else bytes(text)


def _declared_text_lengths(data: bytes, name: bytes) -> Iterator[int]:
    """The lengths that attributes of this name declare for texts in a heap.

    HDF5 allocates that much memory, and has no function that returns it. The message of an
    attribute has its version, the sizes of name, type and space, then these three, padded in
    version 1, and then its data.
    """
    for match in re.finditer(re.escape(name) + b"\0", data):
        for version, header_size, padding in ((1, 8, 8), (2, 8, 1), (3, 9, 1)):
            header = data[max(0, match.start() - header_size) : match.start()]
            sizes = [int.from_bytes(header[start : start + 2], "little") for start in (2, 4, 6)]
            if header[:1] == bytes([version]) and sizes[0] == len(name) + 1:
                start = match.start() + sum(-(-size // padding) * padding for size in sizes)
                yield int.from_bytes(data[start : start + 4], "little")
