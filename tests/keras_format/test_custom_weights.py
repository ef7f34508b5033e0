"""What a file stores tells the weights of layers whose classes nobody knows."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from support.custom_files import Arrays, archive, hdf5_file, layer

import dense_calc
from dense_calc.errors import SpecError


def chain(*layers: dict[str, Any], name: str = "m") -> dict[str, Any]:
    first = layer("InputLayer", "i", batch_shape=[None, 4])
    config = {"name": name, "trainable": True, "layers": [first, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config}


SCALES = chain(
    layer("lab>Scale", "one"), layer("Dense", "head", units=2), layer("lab>Scale", "two")
)
# Two layers of the class Scale, of which the first holds a Dense, too.
GROUPS: Arrays = {
    "scale/vars/0": (4,),
    "scale/dense/vars/0": (4, 4),
    "scale/dense/vars/1": (4,),
    "dense/vars/0": (4, 2),
    "dense/vars/1": (2,),
    "scale_1/vars/0": (2,),
    "scale_1/seed_generator/vars/0": (2,),
}
NAMES = {"scale": "one", "dense": "head", "scale_1": "two"}
IN_FILE: Arrays = {
    "one/m/one/gamma:0": (4,),
    "one/m/one/dense/kernel:0": (4, 4),
    "one/m/one/dense/bias:0": (4,),
    "two/m/two/gamma:0": (2,),
    "head/m/head/kernel:0": (4, 2),
}


@pytest.mark.parametrize("names", [NAMES, {}])
@pytest.mark.parametrize("assumed", ["*", "Scale", "lab>Scale"])
def test_an_archive_tells_what_a_layer_holds(
    tmp_path: Path, names: Mapping[str, str], assumed: str
) -> None:
    path = archive(tmp_path / "m.keras", SCALES, GROUPS, names)
    report = dense_calc.summarize(path, {assumed: "identity"})
    held = [[(weight.path, weight.shape) for weight in row.weights] for row in report.layers]
    assert sorted(held[0]) == [("0", (4,)), ("dense/0", (4, 4)), ("dense/1", (4,))]
    assert held[2] == [("0", (2,))]
    assert report.total_params == (4 + 16 + 4) + (8 + 2) + 2


def test_an_hdf5_file_tells_what_a_layer_holds(tmp_path: Path) -> None:
    path = hdf5_file(tmp_path / "m.h5", SCALES, IN_FILE)
    report = dense_calc.summarize(path, {"*": "identity"})
    assert {weight.path for weight in report.layers[0].weights} == {
        *("gamma", "dense/kernel", "dense/bias"),
    }
    assert report.total_params == (4 + 16 + 4) + (8 + 2) + 2


def test_what_is_said_of_weights_goes_before_what_is_stored(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", SCALES, GROUPS, NAMES)
    report = dense_calc.summarize(path, {"*": "identity", "one": "{weights: {gamma: [3]}}"})
    assert [row.params for row in report.layers] == [3, 10, 2]


def test_a_layer_of_which_nothing_is_stored_holds_nothing(tmp_path: Path) -> None:
    model = chain(layer("lab>Twice", "twice"), layer("Dense", "head", units=2))
    arrays = {"dense/vars/0": (8, 2), "dense/vars/1": (2,)}
    named = archive(tmp_path / "a.keras", model, arrays, {"twice": "twice", "dense": "head"})
    found = dense_calc.trace(dense_calc.load(named), partial=True).layers[0]
    assert (found.params, found.state) == (0, "")
    # where no group has a name, there may be another reason
    unnamed = archive(tmp_path / "b.keras", model, arrays, {})
    found = dense_calc.trace(dense_calc.load(unnamed), partial=True).layers[0]
    assert (found.params, found.state) == (0, "unknown")


def test_a_layer_of_a_model_inside_is_another_of_the_same_name(tmp_path: Path) -> None:
    model = chain(layer("lab>Scale", "one"), chain(layer("lab>Scale", "one"), name="inner"))
    arrays = {"scale/vars/0": (4,), "sequential/layers/scale/vars/0": (7,)}
    path = archive(tmp_path / "m.keras", model, arrays, {"scale": "one", "sequential": "inner"})
    report = dense_calc.trace(dense_calc.load(path), partial=True)
    assert [(row.params, row.state) for row in report.layers] == [(4, ""), (7, "")]


# A model in a model, each with a layer of the same name, which real Keras wrote so.
INNER = chain(
    layer("lab>Scale", "one"),
    chain(layer("lab>Scale", "one"), layer("Dense", "two", units=4), name="deep"),
    layer("lab>Scale", "last"),
    name="inner",
)
NESTED = chain(layer("lab>Scale", "one"), INNER, chain(layer("lab>Scale", "one"), name="third"))
IN_ARCHIVE: Arrays = {
    "scale/vars/0": (1,),
    "sequential/layers/scale/vars/0": (2,),
    "sequential/layers/scale/sub/vars/0": (20,),
    "sequential/layers/sequential/layers/scale/vars/0": (3,),
    "sequential/layers/sequential/layers/dense/vars/0": (4, 4),
    "sequential/layers/scale_1/vars/0": (5,),
    "sequential_1/layers/scale/vars/0": (6,),
}
GROUP_NAMES = {
    "scale": "one",
    "sequential": "inner",
    "sequential_1": "third",
    "sequential/layers/scale": "one",
    "sequential/layers/sequential": "deep",
}
BY_KERAS_3: Arrays = {
    "one/m/one/gamma": (1,),
    "inner/one/gamma": (2,),
    "inner/one/sub/kernel": (20,),
    "inner/deep/one/gamma": (3,),
    "inner/deep/two/kernel": (4, 4),
    "inner/last/gamma": (5,),
    "third/m/third/one/gamma": (6,),
}


def held_inside(path: Path) -> list[int]:
    """The parameters of every layer of an unknown class, from the first on."""
    report = dense_calc.summarize(path, {"Scale": "identity"})
    one, inner, third = report.layers
    first, deep, last = inner.layers
    return [row.params for row in (one, first, deep.layers[0], last, third.layers[0])]


def test_what_a_layer_of_a_model_inside_holds(tmp_path: Path) -> None:
    for names in (GROUP_NAMES, {}):
        path = archive(tmp_path / "m.keras", NESTED, IN_ARCHIVE, names)
        assert held_inside(path) == [1, 22, 3, 5, 6]
    assert held_inside(hdf5_file(tmp_path / "m.h5", NESTED, BY_KERAS_3)) == [1, 22, 3, 5, 6]


def test_keras_2_names_no_model_around_a_weight(tmp_path: Path) -> None:
    deep = chain(layer("lab>Scale", "first"), layer("Dense", "two", units=4), name="deep")
    model = chain(chain(deep, layer("lab>Scale", "last"), name="inner"))
    arrays = {
        "inner/first/gamma:0": (3,),
        "inner/first/kernel:0": (4, 2),
        "inner/two/kernel:0": (4, 4),
        "inner/last/gamma:0": (5,),
    }
    path = hdf5_file(tmp_path / "m.h5", model, arrays)
    (inner,) = dense_calc.summarize(path, {"Scale": "identity"}).layers
    assert inner.layers[0].layers[0].params == 3 + 8
    assert inner.layers[1].params == 5


def test_a_model_in_a_wrapper_has_its_group(tmp_path: Path) -> None:
    inner = chain(layer("lab>Scale", "one"), name="inner")
    first = layer("InputLayer", "i", batch_shape=[None, 5, 4])
    model = chain(layer("TimeDistributed", "td", layer=inner))
    model["config"]["layers"][0] = first
    arrays = {"time_distributed/layer/layers/scale/vars/0": (7,)}
    path = archive(tmp_path / "m.keras", model, arrays, {"time_distributed": "td"})
    assert dense_calc.summarize(path, {"Scale": "identity"}).total_params == 7
    path = hdf5_file(tmp_path / "m.h5", model, {"td/one/gamma": (7,)})
    assert dense_calc.summarize(path, {"Scale": "identity"}).total_params == 7


def test_what_is_trained_is_not_told(tmp_path: Path, run: Run) -> None:
    archive(tmp_path / "m.keras", SCALES, GROUPS, NAMES)
    done = run("summary", "m.keras", "--assume", "*=identity", cwd=tmp_path)
    assert done.returncode == 0
    assert [line.partition(": ")[2] for line in done.stderr.splitlines() if "note" in line] == [
        f"note: the weights of '{name}' are those that the file stores; it does not tell which of "
        "them are trained, and all are counted so"
        for name in ("one", "two")
    ]
    frozen = chain(layer("lab>Scale", "one", trainable=False))
    path = archive(tmp_path / "f.keras", frozen, {"scale/vars/0": (4,)}, {"scale": "one"})
    done = run("summary", path.name, "--assume", "*=identity", cwd=tmp_path)
    assert done.stderr == ""
    assert "Non-trainable params: 4 (16.00 B)" in done.stdout


def test_weights_of_which_nothing_else_is_known(tmp_path: Path, run: Run) -> None:
    archive(tmp_path / "m.keras", SCALES, GROUPS, NAMES)
    refused = run("check", "m.keras", "--max-params", "9", cwd=tmp_path)
    assert refused.returncode == 2
    assert "error: 'Scale' (lab>Scale) is unknown, and no code is run" in refused.stderr
    partial = run("summary", "m.keras", "--partial", "--format", "csv", cwd=tmp_path)
    assert partial.returncode == 2
    assert partial.stdout.splitlines()[1:] == [
        "one,Scale,?,24,24,0,i", "head,Dense,?,?,?,?,one", "two,Scale,?,2,2,0,head"]  # fmt: skip


@pytest.mark.parametrize("key", ["scale/vars/\x1b[31m", "scale/vars/\udcff"])
def test_a_name_in_a_file_does_not_speak_to_the_terminal(tmp_path: Path, key: str) -> None:
    arrays = {key.encode(errors="surrogateescape").decode("latin-1"): (4,)}
    path = archive(tmp_path / "m.keras", SCALES, arrays, NAMES)
    report = dense_calc.trace(dense_calc.load(path), partial=True)
    assert all(weight.path.isprintable() for row in report.layers for weight in row.weights)


def test_a_file_whose_weights_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("config.json", json.dumps(SCALES))
        members.writestr("model.weights.h5", b"no HDF5")
    with pytest.raises(SpecError, match="is unknown, and no code is run"):
        dense_calc.summarize(path)
    assert dense_calc.summarize(path, {"*": "identity"}).total_params == 10


def test_a_manifest_tells_what_a_layer_holds(tmp_path: Path) -> None:
    inner = chain(layer("Dense", "a", units=4), layer("lab>Scale", "deep"), name="inner")
    model = chain(layer("lab>Scale", "one"), layer("lab>Scale", "none"), inner)
    weights = {"one/gamma": [4], "m/one/dense/kernel": [4, 4], "a/kernel": [4, 4], "a/bias": [4]}
    weights["inner/deep/gamma"] = [4]
    manifest = [{"weights": [{"name": name, "shape": weights[name]} for name in weights]}]
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"modelTopology": model, "weightsManifest": manifest}), "utf-8")
    one, none, last = dense_calc.summarize(path, {"*": "identity"}).layers
    assert {weight.path: weight.shape for weight in one.weights} == {
        "gamma": (4,), "dense/kernel": (4, 4)}  # fmt: skip
    assert (none.params, [row.params for row in last.layers]) == (0, [20, 4])
