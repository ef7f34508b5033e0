"""What a model may be wrapped in is read as the model, and what is none is told as what it is."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from support.applications import FACTS
from support.keras_yaml import CHAIN, KERAS_YAML

import dense_calc
from dense_calc.errors import DenseCalcError
from dense_calc.keras_format.detect import FOREIGN_FILES

NESTED: str = FACTS["nested"]["json"]
GRAPH = json.loads(NESTED)


OLD = [{"class_name": "Dense", "config": {"units": 3, "batch_input_shape": [None, 4], "name": "d"}}]

Value = dict[str, Any]
WRAPPERS: dict[str, Callable[[Value], Any]] = {
    "TensorFlow.js": lambda model: {
        "format": "layers-model",
        "modelTopology": {"keras_version": "3.0.0", "model_config": model},
        "weightsManifest": [],
    },
    "frugally-deep": lambda model: {
        "architecture": model,
        "image_data_format": "channels_last",
        "trainable_params": {},
    },
    "TensorFlow.js without a format": lambda model: {"modelTopology": model},
    "TensorFlow.js of a text": lambda model: {"modelTopology": {"model_config": json.dumps(model)}},
    "a text": json.dumps,
    "a text in a text": lambda model: json.dumps(json.dumps(model)),
    "a config": lambda model: model["config"],
    "a config in a text": lambda model: json.dumps(model["config"]),
}


@pytest.mark.parametrize("model", [GRAPH, CHAIN], ids=["graph", "chain"])
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_model_is_the_model(tmp_path: Path, wrapper: str, model: Value) -> None:
    plain, wrapped, as_yaml = (tmp_path / name for name in ("a.json", "b.json", "c.yaml"))
    plain.write_text(json.dumps(model), "utf-8")
    wrapped.write_text(json.dumps(WRAPPERS[wrapper](model)), "utf-8")
    as_yaml.write_text(yaml.safe_dump(WRAPPERS[wrapper](model)), "utf-8")
    report = dense_calc.summarize(plain)
    assert dense_calc.summarize(wrapped) == report
    assert dense_calc.summarize(as_yaml) == report


@pytest.mark.parametrize("wrap", [json.dumps, yaml.safe_dump])
def test_a_list_of_layers_is_a_chain(tmp_path: Path, wrap: Callable[[Any], str]) -> None:
    path = tmp_path / "m.txt"
    path.write_text(wrap(OLD), "utf-8")
    report = dense_calc.summarize(path)
    assert (report.total_params, report.layers[0].name) == (4 * 3 + 3, "d")


def test_a_folder_has_wrapped_models(tmp_path: Path, run: Run) -> None:
    for number, wrap in enumerate(WRAPPERS.values()):
        (tmp_path / f"{number}.json").write_text(json.dumps(wrap(CHAIN)), "utf-8")
    for name, value in VALUES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), "utf-8")
    done = run("check", ".", "--max-params", "1k", "--format", "json", cwd=tmp_path)
    files = [each["file"] for each in json.loads(done.stdout)["files"]]
    assert files == [f"./{number}.json" for number in range(len(WRAPPERS))]
    assert run("summary", "-", stdin=(tmp_path / "0.json").read_text("utf-8")).returncode == 0


def test_a_spec_in_json_may_hold_classes(tmp_path: Path) -> None:
    ones = {"class_name": "Ones", "config": {}}
    spec = {"input": [3], "layers": [{"Dense": {"units": 2, "kernel_initializer": ones}}]}
    path = tmp_path / "m.json"
    path.write_text(json.dumps(spec), "utf-8")
    assert dense_calc.summarize(path).total_params == 3 * 2 + 2


SPOILT = json.loads(re.sub(r'"units": \d+', r'"units": "Dänse\\n😀"', NESTED, count=1))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_caret_stands_under_what_is_meant(tmp_path: Path, wrapper: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(WRAPPERS[wrapper](SPOILT)), "utf-8")
    with pytest.raises(DenseCalcError, match="'units' must be a positive integer") as caught:
        dense_calc.load(path)
    place = caught.value.place
    assert place
    found = place.resolve()
    start = found.column - 1
    under = found.source.text.splitlines()[found.line - 1][start : start + found.width]
    while under.startswith("\\"):
        under = json.loads(f'"{under}"')
    assert json.loads(under) == "Dänse\n😀"


def test_tags_in_the_yaml_of_keras_are_plain_data(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(KERAS_YAML, "utf-8")
    report = dense_calc.summarize(path)
    assert report.layers[1].output_shape == (None, 3, 4)
    assert report.total_params == 3 * 3 * 4 + 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "!!python/long",
            "!long",
            ":19:16: error: the tag !long is not understood; a model is plain",
        ),
        ("!!python/long '4'", "!!int '0x'", "Conv1D's 'filters' must be a positive integer, not"),
        ("  name: m\n", "  name: m\n  name: n\n", ":30:3: error: the key 'name' is used twice"),
        ("keras_version:", "config: {}\nconfig:", "the key 'config' is used twice, first in"),
    ],
)
def test_what_else_stands_in_the_yaml_of_keras_is_told(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(KERAS_YAML.replace(old, new), "utf-8")
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("tag", ["!!python/tuple", "!!python/object/apply:os.system", "!own"])
def test_a_spec_has_no_tags(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(f"# no class_name\ninput: {tag} [3]\nlayers: [ReLU]\n", "utf-8")
    with pytest.raises(DenseCalcError, match="is not understood; a model is plain data"):
        dense_calc.load(path)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"class_name": "Sequential", "config": {}, "config": {}}', "config"),
        ('{"class_name": "Sequential", "a:": 1, "config": {"a": 1, "\\u0061": 2}}', "a"),
        (json.dumps('{"class_name": "Sequential", "config": {"x": 0, "x": 0}}'), "x"),
        ('{"class_name": "Sequential", "config": {"a": "\\u003a", "b": 1, "b": 2}}', "b"),
        ('{"class_name": "Sequential", "config": {"a": "\\u003A", "b": 1, "b": 2}}', "b"),
    ],
)
def test_a_key_of_keras_json_stands_once(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DenseCalcError, match=f"m.json:1:.*: the key '{key}' is used twice\n"):
        dense_calc.load(path)


def test_an_escaped_colon_is_only_a_colon(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(CHAIN).replace('"chain"', '"ch\\u003aain"'), "utf-8")
    assert dense_calc.load(path).name == "ch:ain"


def packed(*names: str) -> bytes:
    """A zip archive of empty members."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as members:
        for name in names:
            members.writestr(name, b"")
    return data.getvalue()


BYTES = {
    "a SavedModel": b"\x08\x01\x12\xa3\x10\n\x20\x12\x06\n\x04Add\x00\x80",
    "a SavedModel ": b"\n\xb4\x05\x12\x04root\x1a",
    "a SavedModel  ": packed("m/saved_model.pb"),
    "a frozen graph": b"\n\x2e\n\x01x\x12\x0bPlaceholder\x80",
    "a checkpoint": b'model_checkpoint_path: "m.ckpt"\n',
    "a TensorFlow Lite model": b"\x1c\x00\x00\x00TFL3\x14\x00\x80",
    "an ONNX model": b"\x08\x07\x12\x07pytorch\x1a\x051.9",
    "a file of PyTorch's": packed("m/data.pkl", "m/data/0"),
    "a file of PyTorch's ": pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2),
    "a pickle": pickle.dumps({"a": 1}) + b" " * 2**25,
    "a file of arrays": packed("a.npy"),
    "a file of arrays ": b"\x93NUMPY\x01\x00v\x00{",
    "a file of safetensors": b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"a":{}}',
    "a GGUF file": b"GGUF\x03\x00",
    "packed with gzip": b"\x1f\x8b\x08\x00",
    "a Git LFS pointer to a file that is stored elsewhere": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"
    ),
    "an HTML page": b"\n<!-- saved -->\n<!DOCTYPE html>\n<html>",
    "a program in Python": b"# a model\n\nimport keras\n",
}
VALUES: dict[str, Any] = {
    "a graph-model": {"format": "graph-model", "modelTopology": {"node": []}},
    "a graph-model ": {"modelTopology": {"node": [], "library": {}}},
    "a model.json of TensorFlow.js that was made of weights alone": {
        "format": "layers-model",
        "modelTopology": None,
        "weightsManifest": [],
    },
    "a model of Keras 0.3": {"name": "Sequential", "layers": [{"name": "Dense", "output_dim": 5}]},
    "a model of Keras 0.3 ": {"name": "Graph", "node_config": [], "nodes": {}},
    "a Graph": {"class_name": "Graph", "config": {"node_config": [], "nodes": {}}},
    "a FeatureSpace": {"class_name": "FeatureSpace", "config": {"features": {}, "crosses": []}},
    "a list of weights": [{"weights": [], "paths": []}],
    "a notebook": {"cells": [], "nbformat": 4},
    "a Tokenizer": {"class_name": "Tokenizer", "config": {"word_counts": "{}"}},
    "a Tokenizer ": json.dumps({"class_name": "Tokenizer", "config": {}}),
    "a config of Hugging Face": {"model_type": "bert", "hidden_size": 768},
    "the metadata.json": {"keras_version": "3.0.0", "date_saved": "2024-01-01@00:00:00"},
    "the settings file": {"floatx": "float32", "backend": "jax", "image_data_format": "a"},
}
FOLDERS = {
    "a SavedModel": ("saved_model.pb", "variables"),
    "a folder with the parts of a .keras archive": ("config.json", "metadata.json"),
    "a folder; name a file in it": ("m.yaml",),
}
FILES = BYTES | {name: json.dumps(value).encode() for name, value in VALUES.items()}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_model_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(FILES[name])
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load(path)
    assert f"it is {name.strip()}" in caught.value.message
    assert str(path) in str(caught.value)
    assert caught.value.message.endswith(tuple(each.remedy for each in FOREIGN_FILES))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_told(tmp_path: Path, name: str) -> None:
    for each in FOLDERS[name]:
        (tmp_path / each).touch()
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.load(tmp_path)
    assert caught.value.message.startswith(f"cannot read {tmp_path}: it is {name}")


def test_a_folder_without_models_is_told(tmp_path: Path, run: Run) -> None:
    (tmp_path / "saved_model.pb").touch()
    done = run("check", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: there is no model in '.'; it is a SavedModel of TensorFlow"
    )


@pytest.mark.parametrize("each", FOREIGN_FILES, ids=lambda each: each.description)
def test_every_sign_has_an_example(each: Any) -> None:
    assert any(f"{each.description},".startswith(name.strip()) for name in [*FILES, *FOLDERS])


@pytest.mark.parametrize("value", [{"class_name": "Mine", "config": {}}, {"class_name": "Mine"}])
def test_a_class_of_its_own_is_told(tmp_path: Path, value: Value) -> None:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(value), "utf-8")
    with pytest.raises(DenseCalcError, match="the model has a custom class, 'Mine'"):
        dense_calc.load(path)
