"""HDF5 files, of which h5py reads no more than a model needs, whatever a file says of itself."""

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
_LAYER_COUNT_ATTRIBUTE = "nb_layers"  # an attribute of what `save_weights` of Keras 0 wrote
_MAX_READ_BYTES = (
    32 * MIB
)  # bytes that HDF5 asks for at once; a long text and what stands beside it
_MAX_KEPT_BYTES = MIB  # bytes of what was read that are looked at again
_TEXT_HEAP_MAGIC = b"GCOL"  # how a heap of texts starts
_HEAP_MAGICS = (
    _TEXT_HEAP_MAGIC,
    b"HEAP",
)  # how the parts start that tell their length in 8 bytes after 8
_LENGTH_BYTES = 8  # bytes of a length
_HEAP_ITEM_HEADER_BYTES = 16  # bytes before what an item of a heap holds


def read_hdf5_config(file: BinaryIO, name: str, most: int) -> tuple[bytes, FileMetadata]:
    """The architecture in an HDF5 file, and what that tells beside it.

    It needs the extra `h5`.

    Raises:
        FileError: the file is broken, or holds weights alone.
    """
    with wrap_read_errors(name), open_hdf5(file) as (root, stretch):
        config = read_text_attribute(root, MODEL_CONFIG_ATTRIBUTE, most, stretch)
        if config is None and _LAYER_COUNT_ATTRIBUTE in root.attrs:
            raise ValueError(
                f"it holds weights alone, of Keras 0, by numbers of layers; {WRITE_HINT}"
            )
        if config is None:
            raise ValueError(f"it holds weights alone and no {MODEL_CONFIG_ATTRIBUTE}; {SAVE_HINT}")
        version = read_text_attribute(root, VERSION_ATTRIBUTE, MAX_METADATA_BYTES, stretch) or b""
        training = b""
        with suppress(ValueError):  # it is no reason to refuse the architecture
            training = (
                read_text_attribute(root, _TRAINING_CONFIG_ATTRIBUTE, MAX_METADATA_BYTES, stretch)
                or b""
            )
        return config, FileMetadata(
            *(each.decode(errors="replace") for each in (version, training))
        )


@contextmanager
def open_hdf5(file: BinaryIO) -> Iterator[tuple[Any, FileSlice]]:
    """An HDF5 file, and what is read of it; ValueError where its library is not there."""
    try:
        import h5py
    except ImportError:
        wanted = "pip install 'dense-calc[h5]'"
        raise ValueError(f"HDF5 files are read by h5py, which is an extra: {wanted}") from None
    stretch = FileSlice(file, 0, file.seek(0, io.SEEK_END))
    with h5py.File(stretch, "r") as root:
        if root.id.get_create_plist().get_sizes()[1] != _LENGTH_BYTES:
            raise ValueError("its lengths are not of 8 bytes, as they are in files of Keras'")
        yield root, stretch


class FileSlice(io.RawIOBase):
    """A part of a file as a file, of which nobody reads much at once; it keeps what came first.

    Of a member of an archive zipfile would read all that is before a place to get there.
    """

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self.file, self.start, self.size = file, start, size
        self.position = 0
        self.first_bytes = bytearray()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        before = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}
        self.position = before[whence] + offset
        return self.position

    def readinto(self, buffer: Any, /) -> int:
        demand_max_bytes(len(buffer), "a part of it", _MAX_READ_BYTES)
        self.file.seek(self.start + self.position)
        data = self.file.read(max(0, min(len(buffer), self.size - self.position)))
        if data.startswith(_HEAP_MAGICS):  # for which HDF5 takes memory before it reads on
            length = int.from_bytes(data[8:16], "little")
            demand_max_bytes(length, "a part of it", _MAX_READ_BYTES)
            if data.startswith(_TEXT_HEAP_MAGIC):
                self.file.seek(self.start + self.position)
                _demand_heap_ends(self.file.read(length))
        if len(self.first_bytes) < _MAX_KEPT_BYTES:
            self.first_bytes += data
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


def _demand_heap_ends(heap: bytes) -> None:
    """Raise ValueError where HDF5 would never reach the end of a heap of texts.

    An item has its number, 0 for what is free, and its length, which for that counts all of it.
    """
    place = _HEAP_ITEM_HEADER_BYTES
    while place + _HEAP_ITEM_HEADER_BYTES <= len(heap):
        length = int.from_bytes(
            heap[place + _LENGTH_BYTES : place + _HEAP_ITEM_HEADER_BYTES], "little"
        )
        is_free = heap[place : place + 2] == b"\0\0"
        step = (
            length
            if is_free
            else _HEAP_ITEM_HEADER_BYTES + -(-length // _LENGTH_BYTES) * _LENGTH_BYTES
        )
        if not _HEAP_ITEM_HEADER_BYTES <= step <= len(heap) - place:
            raise ValueError("it is broken: an item in it does not end where it should")
        place += step


def read_text_attribute(root: Any, name: str, most: int, stretch: FileSlice) -> bytes | None:
    """The text that is an attribute of a file or a group; None if there is none.

    Raises:
        ValueError: it is no text, or too long.
    """
    import h5py

    if not h5py.h5a.exists(root.id, name.encode()):
        return None
    attribute = h5py.h5a.open(root.id, name.encode())
    kind, extent = attribute.get_type(), attribute.get_space().get_simple_extent_type()
    if not isinstance(kind, h5py.h5t.TypeStringID) or extent != h5py.h5s.SCALAR:
        raise ValueError(f"its {name} is no text")
    lengths = [attribute.get_storage_size()]
    if kind.is_variable_str():
        lengths += _declared_text_lengths(bytes(stretch.first_bytes), name.encode())
    demand_max_bytes(max(lengths), f"its {name}", most)
    text = root.attrs[name]
    return text.encode(errors="surrogateescape") if isinstance(text, str) else bytes(text)


def _declared_text_lengths(read: bytes, name: bytes) -> Iterator[int]:
    """The lengths that attributes of a name tell where their text stands elsewhere.

    HDF5 tells that nobody, and takes as much memory. The message of an attribute has its version,
    the sizes of name, type and space, then these, from version 2 on without padding, and its data.
    """
    for found in re.finditer(re.escape(name) + b"\0", read):
        for version, before, padding in ((1, 8, 8), (2, 8, 1), (3, 9, 1)):
            head = read[max(0, found.start() - before) : found.start()]
            sizes = [int.from_bytes(head[place : place + 2], "little") for place in (2, 4, 6)]
            if head[:1] == bytes([version]) and sizes[0] == len(name) + 1:
                data = found.start() + sum(-(-size // padding) * padding for size in sizes)
                yield int.from_bytes(read[data : data + 4], "little")
