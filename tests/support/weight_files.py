"""A small model, and files that store its weights, or others."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py

from dense_calc.errors import Source
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

Arrays = Mapping[str, tuple[int, ...]]  # the shapes of arrays by their paths
Names = Mapping[str, str]  # the names of layers by their groups

LAYERS: list[Any] = [
    {"Dense": {"units": 10, "name": "first"}},
    {"Dropout": {"rate": 0.5}},
    {"Dense": {"units": 2, "name": "second"}},
]
FIRST = "'first' holds kernel (4, 10) and bias (10,)"
SECOND = "'second' holds kernel (10, 2) and bias (2,)"
NAMES = {"dense": "first", "dropout": "dropout", "dense_1": "second"}
SOUND: Arrays = {
    "dense/vars/0": (4, 10),
    "dense/vars/1": (10,),
    "dropout/seed_generator/vars/0": (2,),
    "dense_1/vars/0": (10, 2),
    "dense_1/vars/1": (2,),
}
IN_GROUPS: Arrays = {
    "first/model/first/kernel": (4, 10),
    "first/model/first/bias": (10,),
    "second/model/second/kernel": (10, 2),
    "second/model/second/bias": (2,),
}


def report(layers: list[Any] = LAYERS, size: tuple[int, ...] = (4,)) -> Report:
    """The report on a chain of layers."""
    spec = {"input": size, "layers": layers}
    return trace(parse_spec(Source("spec", json.dumps(spec)), "spec"))


def filled(file: Any, top: str, arrays: Arrays, names: Names) -> None:
    """Give an HDF5 file arrays and the names of layers, as Keras does; none of them is filled."""
    group = file.require_group(top)
    for name, told in names.items():
        group.require_group(f"{name}/vars").attrs["name"] = told
    for path, shape in arrays.items():
        group.create_dataset(path, shape, "f4")


def archive(
    path: Path, fill: Callable[[Any], None], method: int = zipfile.ZIP_STORED, before: int = 0
) -> str:
    """A `.keras` archive with such weights; `before` bytes stand before them."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        fill(file)
    with zipfile.ZipFile(path, "w", method) as members:
        members.writestr("config.json", b" " * before)
        members.writestr("model.weights.h5", data.getvalue())
    return str(path)


def keras_file(path: Path, arrays: Arrays = SOUND, names: Names = NAMES, **how: Any) -> str:
    """A `.keras` archive of these arrays."""
    return archive(path, lambda file: filled(file, "layers", arrays, names), **how)


def hdf5_file(path: Path, arrays: Arrays, top: str = "model_weights") -> str:
    """An HDF5 file of these arrays."""
    with h5py.File(path, "w") as file:
        filled(file, top, arrays, {})
        file[top].require_group("top_level_model_weights")
    return str(path)
