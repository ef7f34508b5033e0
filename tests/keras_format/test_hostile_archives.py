"""Archives and HDF5 files that lie, or hold what no model has: one message and little memory."""

from __future__ import annotations

import json
import random
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.archives import archive as zipped
from support.keras_yaml import CHAIN, KERAS_YAML

import dense_calc
from dense_calc.errors import DenseCalcError, FileError
from dense_calc.keras_format.compare_weights import weight_differences

TEXT = json.dumps(CHAIN).encode()
LONG = b"{" + b" " * 2**25
TOO_LONG = "its model_config is larger than 16 MiB"
NO_END = "it is broken: an item in it does not end where it should"
NO_TEXT = "its model_config is not text"


def with_attribute(value: Any, **how: Any) -> Callable[[Path], None]:
    """What makes an HDF5 file whose model_config is this."""

    def make(path: Path) -> None:
        with h5py.File(path, "w", **how) as file:
            file.attrs["model_config"] = value(file) if callable(value) else value

    return make


def with_length(length: int) -> Callable[[Path], None]:
    """What makes an HDF5 file whose model_config says that it has another length.

    Newer libraries, on request, write a checksum, which would tell.
    """

    def make(path: Path) -> None:
        with_attribute(TEXT)(path)
        data = path.read_bytes()
        old = struct.pack("<I", len(TEXT))
        assert data.count(old) >= 1
        path.write_bytes(data.replace(old, struct.pack("<I", length)))

    return make


def with_version(value: Any) -> Callable[[Path], None]:
    """What makes an HDF5 file whose keras_version is this."""

    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.attrs.update({"model_config": TEXT, "keras_version": value})

    return make


def with_item(length: int) -> Callable[[Path], None]:
    """What makes an HDF5 file in which what is free among its texts says that it is so long."""

    def make(path: Path) -> None:
        with_attribute(b"{}")(path)
        data = bytearray(path.read_bytes())
        free = data.index(b"GCOL") + 40  # after the head of the heap, and one item
        assert int.from_bytes(data[free : free + 2], "little") == 0
        data[free + 8 : free + 16] = struct.pack("<Q", length)
        path.write_bytes(data)

    return make


def reference(file: Any) -> Any:
    return file.create_group("group").ref


ATTRIBUTES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a long text": (with_attribute(LONG), TOO_LONG),
    "a long text of fixed length": (
        with_attribute(np.bytes_(LONG), libver="latest"),
        "a part of it is larger than 32 MiB",
    ),
    "a length that is a lie": (with_length(2**31 - 1), TOO_LONG),
    "texts without end": (with_item(0), NO_END),
    "texts that lead back": (with_item(2**64 - 64), NO_END),
    "a number": (with_attribute(10**10), NO_TEXT),
    "texts": (with_attribute(np.array([TEXT, TEXT])), NO_TEXT),
    "nothing": (with_attribute(h5py.Empty("S10")), NO_TEXT),
    "a reference": (with_attribute(reference), NO_TEXT),
    "a record": (with_attribute(np.array((1, 2.0), [("a", "i4"), ("b", "f8")])), NO_TEXT),
    "bytes": (with_attribute(np.void(TEXT)), NO_TEXT),
    "a long version": (with_version(b"2" * 2**17), "its keras_version is larger than 64 KiB"),
    "a number for a version": (with_version(2), "its keras_version is not text"),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_is_measured_before_it_is_read(tmp_path: Path, name: str) -> None:
    make, why = ATTRIBUTES[name]
    path = tmp_path / "m.h5"
    make(path)
    with pytest.raises(FileError) as caught:
        dense_calc.load(path)
    assert str(caught.value) == f"error: cannot read {path}: {why}"


@pytest.mark.parametrize("how", [{}, {"libver": "latest"}, {"libver": "v108"}])
@pytest.mark.parametrize("value", [TEXT, TEXT.decode(), np.bytes_(TEXT)])
def test_a_sound_attribute_is_read(tmp_path: Path, value: Any, how: dict[str, Any]) -> None:
    with_attribute(value, **how)(tmp_path / "m.h5")
    assert dense_calc.load(tmp_path / "m.h5").name == "chain"


@pytest.mark.parametrize("version", ["9" * 5000, "9" * 60_000, "", "x", "-1"])
def test_a_version_that_is_none_is_not_believed(tmp_path: Path, version: str) -> None:
    h5, keras, text = (tmp_path / name for name in ("m.h5", "m.keras", "m.json"))
    with_version(version.encode())(h5)
    metadata = json.dumps({"keras_version": version}).encode()
    keras.write_bytes(zipped(("config.json", TEXT), ("metadata.json", metadata)))
    text.write_text(json.dumps(CHAIN | {"keras_version": version}), "utf-8")
    assert {dense_calc.load(path).name for path in (h5, keras, text)} == {"chain"}


def with_wrong_crc() -> bytes:
    data = bytearray(zipped(("config.json", TEXT)))
    data[60] ^= 1
    return bytes(data)


def with_size(size: int) -> bytes:
    """An archive whose directory says that its member is so large."""
    data = bytearray(zipped(("config.json", TEXT)))
    place = data.index(b"PK\x01\x02") + 20
    data[place : place + 8] = struct.pack("<II", size, size)
    return bytes(data)


DEEP = b'{"class_name": "Sequential", "config": ' * 100_000
ARCHIVES = {
    "a sum that is wrong": (with_wrong_crc(), "Bad CRC-32 for file 'config.json'"),
    "a size that is a lie": (with_size(2**32 - 16), "it is broken, or ends too early"),
    "without end": (zipped(("config.json", DEEP)), "too much: it is nested without end"),
    "no model": (zipped(("config.json", b"[]")), "a model has a class_name and a config; this is"),
    "a spec": (zipped(("config.json", b'{"layers": ["ReLU"]}')), "a model has a class_name and a"),
    "another text": (zipped(("config.json", b"\xff")), "this is not UTF-8 text: byte 0xff"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_lying_archive_is_told(tmp_path: Path, name: str) -> None:
    data, why = ARCHIVES[name]
    path = tmp_path / "m.keras"
    path.write_bytes(data)
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load(path)
    assert why in caught.value.message


def test_without_its_library_an_hdf5_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.h5"
    with_attribute(TEXT)(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(FileError) as caught:
        dense_calc.load(path)
    assert caught.value.message == (
        f"cannot read {path}: HDF5 files are read by h5py, which is an extra: "
        "pip install 'dense-calc[h5]'"
    )


def h5_of(path: Path) -> bytes:
    """An HDF5 file with an architecture and weights."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"model_config": TEXT, "keras_version": "3.0.0"})
        file.create_dataset("model_weights/head/head/kernel", (3, 4), "f4")
    return path.read_bytes()


def keras_of(path: Path) -> bytes:
    """The same as an archive."""
    weights = h5_of(path)
    return zipped(("config.json", TEXT), ("model.weights.h5", weights))


def js_of(_path: Path) -> bytes:
    """The same as TensorFlow.js has it."""
    weights = [{"weights": [{"name": "head/kernel", "shape": [3, 4]}]}]
    value = {"modelTopology": {"model_config": CHAIN}, "weightsManifest": weights}
    return json.dumps(value).encode()


def yaml_of(_path: Path) -> bytes:
    return KERAS_YAML.encode()


@pytest.mark.parametrize("sound_file", [h5_of, keras_of, js_of, yaml_of])
@pytest.mark.parametrize("seed", range(3))
def test_broken_files_end_in_a_complaint_or_a_model(
    tmp_path: Path, sound_file: Callable[[Path], bytes], seed: int
) -> None:
    sound, rng = sound_file(tmp_path / "a"), random.Random(seed)
    path = str(tmp_path / "b")
    for _ in range(60):
        broken = bytearray(sound)
        for _ in range(rng.choice([1, 3, 10])):
            broken[rng.randrange(len(broken))] = rng.choice([0, 255, rng.randrange(256)])
        Path(path).write_bytes(broken[: rng.choice([len(broken), rng.randrange(len(broken))])])
        with suppress(DenseCalcError):
            weight_differences(dense_calc.summarize(path), path)
