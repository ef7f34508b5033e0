"""Archives and HDF5 files: known by what is in them, and told where they are broken."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import pytest
import yaml
from conftest import Run
from support.applications import FACTS
from support.archives import archive
from support.functional import functional, layer, model_of

import dense_calc
from dense_calc.errors import DenseCalcError


@pytest.fixture
def chain() -> bytes:
    """The JSON of a small model."""
    text: str = FACTS["chain"]["json"]
    return text.encode()


def hdf5(path: Path, **attributes: str | bytes) -> None:
    """Make an HDF5 file with these attributes."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path, chain: bytes) -> None:
    keras = tmp_path / "a.yaml"
    keras.write_bytes(
        archive(("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", chain))
    )
    h5 = tmp_path / "b.json"
    hdf5(h5, model_config=chain, keras_version="3.15.1")
    plain = tmp_path / "c.keras"
    plain.write_bytes(chain)
    as_yaml = tmp_path / "d.txt"
    as_yaml.write_text(yaml.safe_dump(json.loads(chain)), "utf-8")
    assert {str(dense_calc.summarize(path)) for path in (keras, h5, plain, as_yaml)} == {
        str(dense_calc.trace(model_of(chain.decode())))
    }


def test_standard_input_may_be_any_of_them(tmp_path: Path, run: Run, chain: bytes) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(archive(("config.json", chain)))
    wanted = run("summary", str(path)).stdout
    assert "head (Sequential)" in wanted
    with path.open("rb") as file:
        piped = subprocess.run(
            [sys.executable, "-m", "dense_calc", "summary", "-"],
            input=file.read(),
            capture_output=True,
            check=True,
        )
    assert piped.stdout.decode() == wanted
    assert run("summary", "-", stdin=chain.decode()).stdout == wanted


def encrypted(data: bytes) -> bytes:
    """An archive whose only member says that it is encrypted."""
    place = data.index(b"PK\x01\x02") + 8
    return data[:place] + b"\x01" + data[place + 1 :]


BROKEN = {
    "a bomb": (
        archive(("config.json", b" " * 2**26), method=zipfile.ZIP_DEFLATED),
        "its config.json is larger than 16 MiB",
    ),
    "encrypted": (encrypted(archive(("config.json", b"{}"))), "its config.json is encrypted"),
    "another packing": (
        archive(("config.json", b"{}"), method=zipfile.ZIP_LZMA),
        "its config.json is packed in a way that Keras does not use",
    ),
    "no model": (archive(("a", b"")), "it has no config.json"),
    "truncated": (archive(("config.json", b"{}"))[:-10], "File is not a zip file"),
    "a beginning": (b"PK\x03\x04", "File is not a zip file"),
    "many members": (
        archive(*((f"{number:099}", b"") for number in range(10_000))),
        "it has too many members to be a model",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_archive_is_told(tmp_path: Path, name: str) -> None:
    data, message = BROKEN[name]
    path = tmp_path / "m.keras"
    path.write_bytes(data)
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load(path)
    assert str(caught.value) == f"error: cannot read {path}: {message}"


def test_an_absolute_path_in_an_archive_is_a_name(tmp_path: Path, chain: bytes) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(archive(("/etc/x", b"x"), ("../../y", b"y"), ("config.json", chain)))
    assert dense_calc.summarize(path).name == "chain"
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]


def test_an_hdf5_file_of_weights_alone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    hdf5(path, layer_names="x")
    with pytest.raises(DenseCalcError, match=r"it holds weights alone and no model_config; save"):
        dense_calc.load(path)


def test_weights_by_numbers_of_layers_are_told(tmp_path: Path) -> None:
    path = tmp_path / "vgg16_weights.h5"
    with h5py.File(path, "w") as file:  # as `save_weights` of Keras 0 writes it
        file.attrs["nb_layers"] = 2
        file.create_group("layer_0").attrs["nb_params"] = 0
        file.create_dataset("layer_1/param_0", (64, 3, 3, 3), "f4")
    with pytest.raises(DenseCalcError, match="holds weights alone, of Keras 0, by numbers of lay"):
        dense_calc.load(path)


@pytest.mark.parametrize("block", [512, 4096, 2**20])
def test_hdf5_may_stand_after_a_block_of_the_users(
    tmp_path: Path, run: Run, chain: bytes, block: int
) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w", userblock_size=block) as file:
        file.attrs["model_config"] = chain
        file.create_dataset("model_weights/dense/dense/kernel", (2, 2), "f4")
    data = path.read_bytes()
    path.write_bytes(b"#!/usr/bin/python\n" + data[18:])
    assert dense_calc.load(path).name == "chain"
    verified = run("summary", "m.h5", "--verify-weights", cwd=tmp_path)
    assert "stores (2, 2)" in verified.stderr


def weights(units: int) -> bytes:
    """What a `.keras` archive holds of the weights of a Dense that reads 3."""
    packed = io.BytesIO()
    with h5py.File(packed, "w") as file:
        held = file.create_group("layers/dense/vars")
        held.attrs["name"] = "x"
        held["0"], held["1"] = [[0.0] * units] * 3, [0.0] * units
    return packed.getvalue()


def test_stored_weights_are_compared(tmp_path: Path, run: Run) -> None:
    config = ("config.json", functional(layer()).encode())
    for units in 3, 4:
        (tmp_path / f"{units}.keras").write_bytes(
            archive(config, ("model.weights.h5", weights(units)))
        )
    done = run("summary", "3.keras", "--verify-weights", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = run("summary", "4.keras", "--verify-weights", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "4.keras: error: 'x' holds kernel (3, 3) and bias (3,), and the file stores (3, 4) and "
        "(4,)\n"
    )
    assert "Total params: 12" in done.stdout
