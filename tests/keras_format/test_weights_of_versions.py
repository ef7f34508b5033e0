"""How versions of Keras, Windows and TensorFlow.js store weights, each in its own way."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import pytest
from conftest import Run
from support.weight_files import LAYERS, NAMES, SOUND, Arrays, archive, filled, report

from dense_calc.errors import DenseCalcError
from dense_calc.keras_format.compare_weights import weight_differences


def of_gates(gates: str, kernel: tuple[int, ...], recurrent: tuple[int, ...]) -> Arrays:
    """The arrays of a cell of Keras 1: for each gate a kernel, a recurrent one and a bias."""
    parts = {"W": kernel, "U": recurrent, "b": (2,)}
    return {f"{part}_{gate}": parts[part] for part, gate in product(parts, gates)}


LSTM = {"LSTM": {"units": 2}}
GRU = {"GRU": {"units": 2, "reset_after": False}}
CONV_1D = {"Conv1D": {"filters": 7, "kernel_size": 3}}
CONV_2D = {"Conv2D": {"filters": 7, "kernel_size": [2, 3]}}
CONV_3D = {"Conv3D": {"filters": 7, "kernel_size": [2, 3, 4]}}
TRANSPOSED = {"Conv2DTranspose": {"filters": 7, "kernel_size": [2, 3]}}
SEPARABLE = {"SeparableConv2D": {"filters": 7, "kernel_size": [2, 3], "depth_multiplier": 4}}
CONV_LSTM = {"ConvLSTM2D": {"filters": 2, "kernel_size": [3, 4]}}
BOTH = of_gates("ifco", (5, 2), (2, 2))
# A layer, its input, and the arrays that Keras 1 stores.
KERAS_1: list[tuple[dict[str, Any], tuple[int, ...], Arrays]] = [
    ({"Dense": {"units": 7}}, (5,), {"W": (5, 7), "b": (7,)}),
    ({"SimpleRNN": {"units": 2}}, (9, 5), {"W": (5, 2), "U": (2, 2), "b": (2,)}),
    (LSTM, (9, 5), of_gates("ifco", (5, 2), (2, 2))),
    (LSTM, (9, 5), {"W": (5, 8), "U": (2, 8), "b": (8,)}),  # with consume_less='gpu'
    (GRU, (9, 5), of_gates("zrh", (5, 2), (2, 2))),
    (
        {"Bidirectional": {"layer": LSTM}},
        (9, 5),
        {f"{way}_{name}": shape for way in ("forward", "backward") for name, shape in BOTH.items()},
    ),
    (CONV_1D, (9, 5), {"W": (3, 1, 5, 7), "b": (7,)}),
    (CONV_1D, (9, 5), {"W": (7, 5, 3, 1), "b": (7,)}),  # before 1.2
    (CONV_2D, (9, 9, 5), {"W": (2, 3, 5, 7), "b": (7,)}),
    (CONV_2D, (9, 9, 5), {"W": (7, 5, 2, 3), "b": (7,)}),  # Theano
    (CONV_3D, (9, 9, 9, 5), {"W": (7, 5, 2, 3, 4), "b": (7,)}),
    (TRANSPOSED, (9, 9, 5), {"W": (2, 3, 5, 7), "b": (7,)}),
    (TRANSPOSED, (9, 9, 5), {"W": (7, 5, 2, 3), "b": (7,)}),
    (SEPARABLE, (9, 9, 5), {"D": (4, 5, 2, 3), "P": (7, 20, 1, 1), "b": (7,)}),
    (CONV_LSTM, (6, 9, 9, 5), of_gates("ifco", (3, 4, 5, 2), (3, 4, 2, 2))),
    (CONV_LSTM, (6, 9, 9, 5), of_gates("ifco", (2, 5, 3, 4), (2, 2, 3, 4))),
    ({"TimeDistributed": {"layer": CONV_2D}}, (6, 9, 9, 5), {"W": (7, 5, 2, 3), "b": (7,)}),
    ({"BatchNormalization": {}}, (5,), {name: (5,) for name in ("g", "b", "m", "s")}),
]


def old_file(path: Path, arrays: Arrays, version: str | None, on_group: bool = False) -> str:
    """An HDF5 file of a version of Keras that stores these arrays of one layer."""
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights")
        if version is not None:
            (group if on_group else file).attrs["keras_version"] = version.encode()
        for name, shape in arrays.items():
            group.create_dataset(f"layer_1/layer_1_{name}:0", shape, "f4")
    return str(path)


def held(layer: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """The report on one layer."""
    ((kind, arguments),) = layer.items()
    return report([{kind: {**arguments, "name": "layer_1"}}], shape)


@pytest.mark.parametrize(("layer", "shape", "arrays"), KERAS_1)
def test_what_keras_1_stores_agrees(
    tmp_path: Path, layer: dict[str, Any], shape: tuple[int, ...], arrays: Arrays
) -> None:
    model = held(layer, shape)
    for version in ("1.2.2", "1.0.8", None):
        assert weight_differences(model, old_file(tmp_path / "a.h5", arrays, version)) == []
    for name, sizes in arrays.items():
        other = {**arrays, name: (sizes[0] + 1, *sizes[1:])}
        assert weight_differences(model, old_file(tmp_path / "b.h5", other, "1.2.2")) != []
        del other[name]
        assert weight_differences(model, old_file(tmp_path / "c.h5", other, "1.2.2")) != []


@pytest.mark.parametrize("on_group", [True, False])
def test_later_versions_store_one_array_for_a_weight(tmp_path: Path, on_group: bool) -> None:
    path = old_file(tmp_path / "a.h5", of_gates("ifco", (5, 2), (2, 2)), "2.0.1", on_group)
    assert len(weight_differences(held(LSTM, (9, 5)), path)) == 1


def test_what_differs_in_a_file_of_keras_1_is_said(tmp_path: Path) -> None:
    path = old_file(tmp_path / "a.h5", {"W": (3, 1, 5, 8), "b": (7,)}, "1.2.2")
    assert weight_differences(held(CONV_1D, (9, 5)), path) == [
        "'layer_1' holds kernel (3, 5, 7) and bias (7,), and the file stores (3, 1, 5, 8) and (7,)"
    ]


@pytest.mark.parametrize("top", ["layers", "_layer_checkpoint_dependencies"])
@pytest.mark.parametrize("names", [NAMES, {}])
def test_groups_that_windows_names_agree(tmp_path: Path, top: str, names: dict[str, str]) -> None:
    """There, some versions name a group by its whole way, with backslashes."""
    arrays = {path.replace("/seed", "\\seed"): shape for path, shape in SOUND.items()}

    def fill(arrays: Arrays) -> str:
        windows = {f"{top}\\{path}": shape for path, shape in arrays.items()}
        told = {f"{top}\\{group}": name for group, name in names.items()}
        return archive(tmp_path / "a.keras", lambda file: filled(file, "/", windows, told))

    assert weight_differences(report(), fill(arrays)) == []
    assert weight_differences(report(), fill({**arrays, "dense/vars/0": (4, 11)})) == [
        "'first' holds kernel (4, 10) and bias (10,), and the file stores (4, 11) and (10,)"
    ]


def manifest(weights: dict[str, tuple[int, ...]]) -> list[Any]:
    """The manifest of weights, in two groups."""
    each = [{"name": name, "shape": shape, "dtype": "float32"} for name, shape in weights.items()]
    return [{"paths": ["a.bin"], "weights": each[:1]}, {"paths": ["b.bin"], "weights": each[1:]}]


MANIFEST = {
    "first/kernel": (4, 10),
    "sequential/first/bias": (10,),  # as Keras 3 names them
    "second/kernel": (10, 2),
    "second/bias": (2,),
}


def js_file(path: Path, weights: Any) -> str:
    """A `model.json` of TensorFlow.js with these weights."""
    value = {"format": "layers-model", "modelTopology": {}, "weightsManifest": weights}
    path.write_text(json.dumps(value), "utf-8")
    return str(path)


def test_a_manifest_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    assert weight_differences(report(), js_file(path, manifest(MANIFEST))) == []
    other = {**MANIFEST, "first/kernel": (4, 11), "third/kernel": (2, 2)}
    del other["second/bias"]
    assert weight_differences(report(), js_file(path, manifest(other))) == [
        "'first' holds kernel (4, 10) and bias (10,), and the file stores (4, 11) and (10,)",
        "'second' holds kernel (10, 2) and bias (2,), and the file stores (10, 2)",
        "the file stores (2, 2) for 'third', which the model does not have",
    ]


def test_what_a_manifest_names_may_be_inside_a_model(tmp_path: Path) -> None:
    layers = [{"Sequential": {"name": "inner", "input": [4], "layers": LAYERS[:1]}}, *LAYERS[1:]]
    path = js_file(tmp_path / "model.json", manifest(MANIFEST))
    assert weight_differences(report(layers), path) == []


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        (3, "its weightsManifest is not understood: Expected `array`, got `int`"),
        ([{"weights": [{"name": "a", "shape": ["x"]}]}], "its weightsManifest is not understood: "),
        ([{"weights": [{"name": "a", "shape": [-1]}]}], "its weightsManifest is not understood: "),
        ([{"paths": []}], "its weightsManifest is not understood: "),
    ],
)
def test_a_broken_manifest_is_told(tmp_path: Path, weights: Any, why: str) -> None:
    path = js_file(tmp_path / "model.json", weights)
    with pytest.raises(DenseCalcError, match=re.escape(f"cannot read {path}: {why}")):
        weight_differences(report(), path)


def test_the_command_compares_a_manifest(tmp_path: Path, run: Run) -> None:
    written = json.loads(run("convert", "specs/mnist.yaml", "--to", "keras").stdout)
    value = {"modelTopology": {"model_config": written}}
    for units, status in ((10, 0), (11, 2)):
        weights = manifest({"dense/kernel": (784, units), "dense/bias": (10,)})
        (tmp_path / "m.json").write_text(json.dumps({**value, "weightsManifest": weights}), "utf-8")
        done = run("summary", "m.json", "--verify-weights", cwd=tmp_path)
        assert (done.returncode, "Total params: 7,850" in done.stdout) == (status, True)
    assert done.stderr.startswith("m.json: error: 'dense' holds kernel (784, 10) and bias (10,), ")
