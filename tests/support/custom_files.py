"""Files of Keras with layers of one's own and the shapes of their weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

Arrays = Mapping[str, tuple[int, ...]]  # the shapes of arrays by their paths


def layer(of: str, name: str, **config: Any) -> dict[str, Any]:
    """A layer of Keras 3, of a class of one's own if it has a package."""
    own = ">" in of
    return {
        "module": None if own else "keras.layers",
        "class_name": of.rpartition(">")[2],
        "config": {"name": name, **config},
        "registered_name": of if own else None,
    }


def archive(path: Path, model: dict[str, Any], arrays: Arrays, names: Mapping[str, str]) -> Path:
    """A `.keras` archive that stores these arrays."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for group, name in names.items():
            file.require_group(f"layers/{group}/vars").attrs["name"] = name
        for key, shape in arrays.items():
            file.create_dataset(f"layers/{key}", shape, "f4")
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("config.json", json.dumps(model))
        members.writestr("model.weights.h5", data.getvalue())
    return path


def hdf5_file(path: Path, model: dict[str, Any], arrays: Arrays) -> Path:
    """An HDF5 file that stores these arrays."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model)
        file.attrs["keras_version"] = "2.9.0"
        for key, shape in arrays.items():
            file.create_dataset(f"model_weights/{key}", shape, "f4")
    return path
