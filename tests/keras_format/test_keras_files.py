"""Keras' own files: every row that Keras shows, in every container, and nothing that runs."""

from __future__ import annotations

import io
import json
import lzma
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest
import yaml
from conftest import DATA, SPECS, Run

import dense_calc
from dense_calc.dtypes import dtypes_in
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reader import from_keras
from dense_calc.keras_format.writer import to_keras
from dense_calc.report import Report, Row
from dense_calc.shapes import leaves
from dense_calc.spec_language import parse
from dense_calc.spec_language.spec_writer import to_spec
from dense_calc.tracing.tracer import trace

SPEC_FILES = sorted(SPECS.glob("*.yaml"))
FACTS = {
    fact["title"]: fact
    for fact in map(
        json.loads, lzma.decompress((DATA / "applications.jsonl.xz").read_bytes()).splitlines()
    )
}
SHORT = [title for title, fact in FACTS.items() if len(fact["rows"]) < 200]


def model_of(text: str, **assume: str) -> dense_calc.model.Model:
    """The model in a JSON text."""
    return from_keras(json.loads(text), Source("m.json", text), "m", assume)


def row_of(row: Row) -> list[Any]:
    """A row as the facts have it."""
    shapes = [list(shape) for shape in leaves(row.output_shape)]
    dtypes = list(dtypes_in(row.output_dtype))
    return [row.name, row.type, shapes, dtypes, row.params, list(row.connected_to)]


@pytest.mark.parametrize("title", FACTS)
def test_every_row_is_what_keras_shows(title: str) -> None:
    fact = FACTS[title]
    report = trace(model_of(fact["json"]))
    assert report.name == fact["name"]
    for row, wanted in zip(report.layers, fact["rows"], strict=True):
        assert row_of(row) == wanted
    assert report.total_params == fact["total_params"]
    assert report.trainable_params == fact["trainable_params"]


def test_all_applications_are_there() -> None:
    assert sum(title[0].isupper() and "{" not in title for title in FACTS) == 40


@pytest.mark.parametrize("title", SHORT)
def test_the_spec_of_a_file_gives_the_same_report(title: str) -> None:
    model = model_of(FACTS[title]["json"])
    text = to_spec(model)
    assert trace(parse(Source("m.yaml", text), "m")) == trace(model)


@pytest.mark.parametrize("title", SHORT)
def test_the_json_of_a_file_gives_the_same_report(title: str) -> None:
    model = model_of(FACTS[title]["json"])
    assert trace(model_of(to_keras(model))) == trace(model)


def dotted(report: Report) -> list[list[Any]]:
    """The rows of a report with the names that Keras allows, and a shared layer once."""
    return [json.loads(json.dumps(row_of(row)).replace("/", ".")) for row in report.layers]


@pytest.mark.parametrize("path", SPEC_FILES, ids=lambda path: path.stem)
def test_a_spec_and_its_json_and_the_spec_of_that_agree(path: Path) -> None:
    model = dense_calc.load(path)
    read = model_of(to_keras(model))
    report = trace(read)
    ours = trace(model)
    assert (report.total_params, report.total_bytes) == (ours.total_params, ours.total_bytes)
    if not model.calls:
        assert dotted(report) == dotted(ours)
    assert trace(parse(Source("m.yaml", to_spec(read)), "m")) == report


def test_a_run_of_layers_is_written_once() -> None:
    text = "input: [8]\nlayers: [{repeat: 5, layers: [Dense: {units: 8}, ReLU]}, Dense: {units: 2}]"
    written = to_spec(model_of(to_keras(parse(Source("m", text), "m"))))
    assert written == (
        "name: m\n"
        "input: [8]\n"
        "layers:\n"
        "  - repeat: 5\n"
        "    layers:\n"
        "      - Dense: {units: 8}\n"
        "      - ReLU\n"
        "  - Dense: {units: 2}\n"
    )


def test_what_says_nothing_is_left_out() -> None:
    assert to_spec(model_of(FACTS["chain"]["json"])).splitlines() == [
        "name: chain",
        "inputs: {input_layer_1: [5, 6, 6, 1]}",
        "layers:",
        "  - TimeDistributed:",
        "      layer: {Sequential: {name: sequential, inputs: {input_layer: [6, 6, 1]}, layers: "
        "[{Conv2D: {filters: 2, kernel_size: 3}}, Flatten]}}",
        "  - Sequential:",
        "      name: head",
        "      inputs: {input_layer_2: [5, 32]}",
        "      layers:",
        "        - LSTM: {units: 4, return_sequences: true}",
        "        - Dense: {units: 2}",
    ]


@pytest.fixture
def chain() -> bytes:
    """The JSON of a small model."""
    text: str = FACTS["chain"]["json"]
    return text.encode()


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive with these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return packed.getvalue()


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


def test_the_yaml_of_keras_2_has_tuples(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "class_name: Sequential\n"
        "keras_version: 2.2.4\n"
        "config:\n"
        "- class_name: Dense\n"
        "  config:\n"
        "    batch_input_shape: !!python/tuple [null, 4]\n"
        "    units: 3\n"
        "    name: !!python/unicode 'd'\n"
        "- {class_name: GRU, config: {units: 2, name: g}}\n",
        "utf-8",
    )
    with pytest.raises(DenseCalcError, match="GRU 'g': the input must have 3 axes"):
        dense_calc.summarize(path)
    path.write_text(path.read_text("utf-8").rpartition("- ")[0], "utf-8")
    assert dense_calc.summarize(path).total_params == 3 * 4 + 3


def test_a_model_inside_is_one_row_that_holds_its_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(FACTS["nested"]["json"], "utf-8")
    report = json.loads(run("summary", str(path), "--format", "json").stdout)
    row = next(row for row in report["layers"] if row["name"] == "inner")
    assert (row["type"], row["params"], row["connected_to"]) == (
        "Functional",
        72,
        ["a", "inner", "b"],
    )
    assert [each["name"] for each in row["layers"]] == ["x", "deep"]
    assert [weight["path"] for weight in row["weights"]] == ["deep/kernel", "deep/bias"]


def test_a_straight_functional_shows_its_input_and_no_connections(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text(FACTS["straight"]["json"], "utf-8")
    printed = run("summary", str(path)).stdout
    assert "x (InputLayer)" in printed
    assert "Connected to" not in printed


CUSTOM = json.dumps(
    {
        "class_name": "Sequential",
        "module": "keras",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "module": "keras.layers",
                    "config": {"batch_shape": [None, 8], "name": "i"},
                },
                {
                    "class_name": "Scale",
                    "module": "lab.layers",
                    "registered_name": "lab>Scale",
                    "config": {"name": "scale", "dim": 5, "trainable": True},
                },
                {
                    "class_name": "Dense",
                    "module": "keras.layers",
                    "config": {
                        "name": "d",
                        "units": 2,
                        "activation": {
                            "module": "builtins",
                            "class_name": "function",
                            "config": "squash",
                            "registered_name": "function",
                        },
                    },
                },
            ],
        },
    },
    indent=1,
)


@pytest.mark.parametrize(
    ("assume", "params"),
    [
        ({"Scale": "identity"}, 0),
        ({"lab>Scale": "identity"}, 0),
        ({"scale": "Identity"}, 0),
        ({"Scale": "{weights: {gamma: [dim, 2 * dim], moving: [3]}, frozen: [moving]}"}, 53),
    ],
)
def test_what_a_class_is_may_be_assumed(assume: dict[str, str], params: int) -> None:
    report = trace(model_of(CUSTOM, squash="identity", **assume))
    row = report.layers[0]
    assert (row.name, row.type, row.output_shape, row.params) == (
        "scale",
        "Scale",
        (None, 8),
        params,
    )
    assert row.non_trainable_params == (3 if params else 0)
    assert report.total_params == params + 8 * 2 + 2


def test_an_assumed_output_shape_holds_for_what_follows() -> None:
    report = trace(model_of(CUSTOM, squash="identity", Scale="{output_shape: [dim + 1]}"))
    assert [row.output_shape for row in report.layers] == [(None, 6), (None, 2)]


def test_assumptions_on_the_command_line(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "m.json"
    path.write_text(CUSTOM, "utf-8")
    refused = run("summary", "m.json", "--assume", "squash=identity", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "m.json:19:19: error: 'Scale' (lab>Scale) is not known, and no code is run; say what it "
        "does: --assume Scale=identity, or --assume 'Scale={output_shape: [64], weights: "
        "{kernel: [10, 64]}}'\n"
        ' 19 |     "class_name": "Scale",\n'
        "                        ^^^^^^^\n"
    )
    refused = run("summary", "m.json", "--assume", "Scale=identity", cwd=tmp_path)
    assert refused.stderr.startswith(
        "m.json:34:20: error: 'squash' is not known, and no code is run; if it changes no shape, "
        "say so: --assume squash=identity\n"
    )
    done = run(
        "summary",
        "m.json",
        "--assume",
        "Scale=identity",
        "--assume",
        "squash=identity",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "scale (Scale)" in done.stdout
    refused = run("summary", "m.json", "--assume", "Scale=7", cwd=tmp_path)
    assert refused.stderr.splitlines()[0] == (
        "--assume Scale:1:1: error: assume 'identity', or {output_shape: [...], weights: {...}}, "
        "not 7"
    )
    refused = run("convert", "m.json", "--to", "keras", "--assume", "Scale=identity",
                  "--assume", "squash=identity", cwd=tmp_path)  # fmt: skip
    assert "error: Keras has no class Scale, so it has no JSON of it" in refused.stderr


def functional(*layers: dict[str, Any], outputs: Any = (("x", 0, 0),)) -> str:
    """The JSON of a graph with an input `a` of 3 and these layers."""
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 3], "name": "a"},
        "name": "a",
        "inbound_nodes": [],
    }
    config = {"name": "f", "layers": [first, *layers], "input_layers": [["a", 0, 0]]}
    return json.dumps({"class_name": "Functional", "module": "keras.src.models.functional",
                       "config": {**config, "output_layers": outputs}})  # fmt: skip


def layer(
    name: str = "x", *sources: tuple[str, int, int], of: str = "keras.layers.Dense", **config: Any
) -> dict[str, Any]:
    """A layer that is called once for each source."""
    module, _, class_name = of.rpartition(".")
    calls = [
        {
            "args": [{"class_name": "__keras_tensor__", "config": {"keras_history": source}}],
            "kwargs": {},
        }
        for source in sources or [("a", 0, 0)]
    ]
    config = config or {"units": 3}
    return {"module": module, "class_name": class_name, "config": {**config, "name": name},
            "name": name, "inbound_nodes": calls}  # fmt: skip


CODE = {
    "class_name": "__lambda__",
    "config": {"code": "4wEAAAA=", "defaults": None, "closure": None},
}
ERRORS = {
    "a circle": (
        functional(layer("x", ("y", 0, 0)), layer("y", ("x", 0, 0))),
        "layers wait for each other: 'x' reads 'y' reads 'x'",
    ),
    "itself": (functional(layer("x", ("x", 0, 0))), "layers wait for each other: 'x' reads 'x'"),
    "no such layer": (functional(layer("x", ("b", 0, 0))), "there is no layer 'b' to read"),
    "no such call": (
        functional(layer("x", ("a", 5, 0))),
        "there is no call [5] of 'a'; it has 1",
    ),
    "no such output": (
        functional(layer("x", ("a", 0, 7))),
        "Dense 'x': 'a' has no output 7; it has 1",
    ),
    "no such end": (functional(layer(), outputs=[["q", 0, 0]]), "there is no layer 'q' to read"),
    "no end": (functional(layer(), outputs=[]), "a Functional needs 'output_layers'"),
    "never called": (
        functional({**layer(), "inbound_nodes": []}),
        "'x' is read, and never called",
    ),
    "the same name": (functional(layer(), layer()), "the name 'x' stands here twice"),
    "code": (
        functional(layer(of="keras.layers.Lambda", function=CODE)),
        "what the Lambda 'x' gives is not known, and no code is run; say it: --assume x=identity, "
        "or --assume 'x={output_shape: [64]}'",
    ),
    "code for a shape": (
        functional(layer(of="keras.layers.Lambda", function=CODE, output_shape=CODE)),
        "what the Lambda 'x' gives is not known, and no code is run; say it: --assume x=identity, "
        "or --assume 'x={output_shape: [64]}'",
    ),
    "a module": (
        functional(layer(of="os.system")),
        "'system' is not known, and no code is run; say what it does: --assume system=identity, or "
        "--assume 'system={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "a class that only is called like one of Keras'": (
        functional({**layer(), "module": "lab", "registered_name": "lab>Dense"}),
        "'Dense' (lab>Dense) is not known, and no code is run; say what it does: --assume "
        "Dense=identity, or --assume 'Dense={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "an operation": (
        functional(layer(of="keras.src.ops.numpy.Foo")),
        "'Foo' is not known, and no code is run; say what it does: --assume Foo=identity, or "
        "--assume 'Foo={output_shape: [64], weights: {kernel: [10, 64]}}'",
    ),
    "an argument": (
        functional(layer(units=3, unit=4)),
        "Dense has no argument 'unit'; did you mean 'units'?",
    ),
    "a value": (
        functional(layer(units="3")),
        "Dense's 'units' must be a positive integer, not '3'",
    ),
    "what is missing": (functional(layer(use_bias=False)), "Dense needs 'units'"),
    "a class of its own": (
        '{"class_name": "MyModel", "config": {}}',
        "the model is of a class of its own, 'MyModel', and the file does not tell its layers; a "
        "Sequential or a Functional can be read",
    ),
    "no input": (
        '{"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": '
        '[{"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}]}}',
        "the model has no input shape: it was saved before it was built; say what it reads: --set "
        "'input=[28, 28, 1]'",
    ),
    "a merge": (
        '<<<<<<< HEAD\n{"class_name": "Sequential"}\n=======\n{}\n>>>>>>> wider\n',
        "a mark that git has left of a merge; keep one of the two sides",
    ),
    "a merge in it": (
        '{"class_name": "Sequential", "config":\n<<<<<<< HEAD\n{}}',
        "a mark that git has left of a merge; keep one of the two sides",
    ),
    "no JSON": ('{"class_name": "Sequential", "config": {', "this is not JSON: "),
    "deep": (
        '{"class_name": "Sequential", "config": ' + "[" * 100_000 + "]" * 100_000 + "}",
        "too much: it is nested without end",
    ),
    "digits": (
        functional(layer()).replace('"units": 3', '"units": ' + "9" * 5000),
        "a number has too many digits",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_broken_file_is_told(tmp_path: Path, name: str) -> None:
    text, message = ERRORS[name]
    path = tmp_path / "m.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DenseCalcError) as caught:
        dense_calc.summarize(path)
    assert caught.value.message.startswith(message)
    assert message.endswith(": ") or caught.value.message == message
    assert re.match(rf"{re.escape(str(path))}:[12]:", str(caught.value))


def nested(depth: int) -> dict[str, Any]:
    """Models in models, so many."""
    first = {"module": "keras.layers", "class_name": "InputLayer",
             "config": {"batch_shape": [None, 3], "name": "i"}}  # fmt: skip
    inner: dict[str, Any] = {
        "module": "keras.layers",
        "class_name": "ReLU",
        "config": {"name": "r"},
    }
    for _ in range(depth):
        config = {"name": "s", "layers": [first, inner]}
        inner = {"module": "keras", "class_name": "Sequential", "config": config}
    return inner


def test_models_in_models_have_an_end() -> None:
    assert trace(model_of(json.dumps(nested(30)))).total_params == 0
    with pytest.raises(DenseCalcError, match="more than 32 models are in each other"):
        model_of(json.dumps(nested(200)))


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


def test_convert_writes_a_file(tmp_path: Path, run: Run) -> None:
    done = run("convert", "specs/mnist.yaml", "-o", str(tmp_path / "m.json"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert json.loads((tmp_path / "m.json").read_text("utf-8"))["class_name"] == "Sequential"
    unsaid = run("convert", "specs/mnist.yaml")
    assert unsaid.returncode == 2
    assert unsaid.stderr.endswith("Error: Say what to write: --to keras or --to yaml.\n")
    lossy = run("convert", "specs/mnist.yaml", "--to", "yaml")
    assert lossy.stderr == "warning: 'budget' and 'expect' are left out\n"
    back = run("convert", str(tmp_path / "m.json"), "--to", "yaml")
    assert back.stderr == ""
    assert back.stdout == (
        "name: mnist\n"
        "input: [1, 28, 28]\n"
        "layers:\n"
        "  - Flatten\n"
        "  - Dense: {units: 10}\n"
        "  - Activation: {activation: softmax}\n"
    )


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
