"""What optimizers keep, as real Keras 3.15.1 counts it; `tests/oracle/optimizers.py` asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import pytest
from conftest import DATA, Run

from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.optimizers import optimizer_from_file, parse_optimizer, with_optimizer
from dense_calc.keras_format.optimizers.optimizer_kinds import OPTIMIZERS
from dense_calc.keras_format.reader import from_keras
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

WHOLE = json.loads((DATA / "optimizers.json").read_text("utf-8"))
REPORT = trace(from_keras(json.loads(WHOLE["model"]), Source("m", WHOLE["model"]), "m", {}))
CHAIN = "input: [8]\nlayers:\n  - Dense: {units: 3}\n"


@pytest.mark.parametrize("fact", WHOLE["facts"], ids=json.dumps)
def test_an_optimizer_keeps_what_keras_counts(fact: list[Any]) -> None:
    name, arguments, params, size = fact
    for found in (
        optimizer_from_file({"class_name": name, "config": arguments}, "m.json"),
        parse_optimizer(json.dumps({name: arguments})),
    ):
        report = with_optimizer(REPORT, found)
        assert (report.optimizer_params, report.optimizer_bytes) == (params, size)
        assert report.total_params == REPORT.total_params


def test_every_optimizer_has_facts() -> None:
    assert {fact[0] for fact in WHOLE["facts"]} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM", "{adam: }", "{Adam: {}}"])
def test_capitals_do_not_matter(name: str) -> None:
    assert type(parse_optimizer(name)).__name__ == "Adam"


MISTAKES = {
    "ada": "Keras has no optimizer 'ada'; did you mean 'Adam'?",
    "[1]": "an optimizer is adam, or {SGD: {momentum: 0.9}}, not a list of 1",
    "{Adam: 3}": "an optimizer is adam, or {SGD: {momentum: 0.9}}, not 3",
    "{SGD: {momentun: 0.9}}": "SGD has no argument 'momentun'; did you mean 'momentum'?",
    "{LossScaleOptimizer: {}}": "LossScaleOptimizer needs 'inner_optimizer'",
    "{Adam: {gradient_accumulation_steps: 1}}": "Adam's 'gradient_accumulation_steps' must be an "
    "integer of at least 2, not 1",
    "{Muon: {exclude_layers: ['(a+)+$']}}": "Muon: exclude_layers may be parts of names, not the "
    "pattern '(a+)+$'",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_is_no_optimizer_is_told(text: str) -> None:
    with pytest.raises(DenseCalcError) as caught:
        parse_optimizer(text)
    assert caught.value.message == MISTAKES[text]


TOTALS = """Total params: 83 (332.00 B)
Trainable params: 27 (108.00 B)
Non-trainable params: 0 (0.00 B)
Optimizer params: 56 (224.00 B)
"""


def test_a_summary_tells_what_the_optimizer_keeps(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(CHAIN, "utf-8")
    shown = run("summary", "m.yaml", "--optimizer", "adam", cwd=tmp_path)
    assert TOTALS in shown.stdout
    for format, wanted in (("table", " Optimizer params: 56"), ("markdown", "- Optimizer params")):
        more = run("summary", "m.yaml", "--optimizer", "adam", "--format", format, cwd=tmp_path)
        assert wanted in more.stdout
    asked = ("summary", "m.yaml", "--optimizer", "adam", "--format", "json")
    told = json.loads(run(*asked, cwd=tmp_path).stdout)
    assert (told["total_params"], told["optimizer_params"], told["optimizer_bytes"]) == (
        27,
        56,
        224,
    )
    plain = run("summary", "m.yaml", "--format", "json", cwd=tmp_path)
    assert "optimizer" not in plain.stdout


def test_the_optimizer_may_be_that_of_the_file(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(CHAIN, "utf-8")
    value = json.loads(run("convert", "m.yaml", "--to", "keras", cwd=tmp_path).stdout)
    for written, kept in (("adam", 56), ({"class_name": "SGD", "config": {"name": "sgd"}}, 2)):
        value["compile_config"] = {"optimizer": written, "loss": "mse"}
        (tmp_path / "m.json").write_text(json.dumps(value), "utf-8")
        shown = run("summary", "m.json", "--optimizer", cwd=tmp_path).stdout
        assert f"Optimizer params: {kept} " in shown
    told = run("summary", "m.yaml", "--optimizer", cwd=tmp_path)
    assert told.stderr == "error: m.yaml tells no optimizer; name one: --optimizer adam\n"
    assert told.returncode == 2
    value["compile_config"] = {"optimizer": {"class_name": "Mine", "config": {}}}
    (tmp_path / "m.json").write_text(json.dumps(value), "utf-8")
    told = run("summary", "m.json", "--optimizer", cwd=tmp_path)
    assert told.stderr.startswith("m.json: optimizer:1:15: error: Keras has no optimizer 'Mine'")
    assert run("summary", "m.json", cwd=tmp_path).returncode == 0


# An optimizer in the words of an older version, and what is kept of 15 numbers: as Keras 3.15.1
# reads it, or, where that refuses it, as the same in the words of today.
OLD: list[tuple[str, dict[str, Any], int]] = [
    ("Adam", {"learning_rate": 0.1, "decay": 0.0, "epsilon": 1e-7, "amsgrad": True}, 47),
    ("SGD", {"name": "SGD", "momentum": 0.9, "decay": 0.0, "nesterov": True}, 17),
    ("RMSprop", {"rho": 0.9, "decay": 0.0, "momentum": 0.0, "centered": False}, 17),
    ("Adagrad", {"initial_accumulator_value": 0.1, "decay": 0.0}, 17),
    ("Adamax", {"decay": 0.0}, 32),
    ("Nadam", {"decay": 0.004}, 33),
    ("Ftrl", {"decay": 0.0, "beta": 0.0}, 32),
    ("Adam", {"epsilon": None}, 32),
    ("Custom>Adam", {"name": "Adam", "amsgrad": True, "jit_compile": False}, 32),
    ("Custom>SGD", {"name": "SGD", "momentum": 0.9, "nesterov": True}, 2),
    # refused by Keras 3.15.1
    ("Adam", {"lr": 0.1, "beta_1": 0.9}, 32),
    ("Nadam", {"lr": 0.1, "schedule_decay": 0.004}, 33),
    ("SGD", {"momentum": 0.9, "jit_compile": False, "is_legacy_optimizer": False}, 17),
    ("LossScaleOptimizerV3", {"inner_optimizer": {"class_name": "SGD", "config": {"lr": 0.1}},
                              "dynamic": True, "initial_scale": 32768.0}, 6),
    ("LossScaleOptimizer", {"optimizer": {"class_name": "Adam", "config": {"decay": 0.0}},
                            "loss_scale": {"class_name": "DynamicLossScale", "config": {}}}, 36),
    ("Momentum", {"learningRate": 0.1, "momentum": 0.9, "useNesterov": False}, 17),
    ("Adam", {"learningRate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}, 32),
]  # fmt: skip
FIFTEEN = trace(parse_spec(Source("m.yaml", CHAIN.replace("8", "4")), "m"))


@pytest.mark.parametrize(("name", "arguments", "params"), OLD)
def test_older_words_are_understood(name: str, arguments: dict[str, Any], params: int) -> None:
    found = optimizer_from_file({"class_name": name, "config": arguments}, "m.h5")
    assert with_optimizer(FIFTEEN, found).optimizer_params == params


def test_what_is_nested_without_end_is_told() -> None:
    written: Any = "adam"
    for _ in range(5000):
        written = {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": written}}
    with pytest.raises(DenseCalcError):
        optimizer_from_file(written, "m.h5")


def test_files_of_older_forms_tell_their_optimizer(tmp_path: Path, run: Run) -> None:
    (tmp_path / "m.yaml").write_text(CHAIN, "utf-8")
    model = run("convert", "m.yaml", "--to", "keras", cwd=tmp_path).stdout
    training: Any = {"optimizer_config": {"class_name": "SGD", "config": {"momentum": 0.9}}}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = model
        file.attrs["training_config"] = json.dumps(training).encode()
    architecture = json.loads(model)
    topology = {"model_config": architecture, "training_config": training}
    converted = {"modelTopology": topology, "weightsManifest": []}
    saved = {"modelTopology": {"model_config": architecture}, "trainingConfig": training}
    for name, value in (("converted.json", converted), ("saved.json", saved)):
        (tmp_path / name).write_text(json.dumps(value), "utf-8")
    for name in ("m.h5", "converted.json", "saved.json"):
        shown = run("summary", name, "--optimizer", cwd=tmp_path)
        assert "Optimizer params: 29 (116.00 B)" in shown.stdout


@pytest.mark.parametrize("training", ["{", "[]", "3", '{"optimizer_config": 3}', "9" * 100_000, 3])
def test_an_unreadable_training_config_is_no_optimizer(
    tmp_path: Path, run: Run, training: Any
) -> None:
    (tmp_path / "m.yaml").write_text(CHAIN, "utf-8")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = run("convert", "m.yaml", "--to", "keras", cwd=tmp_path).stdout
        if isinstance(training, str) and len(training) > 60_000:
            file.attrs.create("training_config", training, dtype=h5py.string_dtype())
        else:
            file.attrs["training_config"] = training
    assert run("summary", "m.h5", cwd=tmp_path).returncode == 0
    told = run("summary", "m.h5", "--optimizer", cwd=tmp_path)
    assert (told.returncode, "error: " in told.stderr) == (2, True)
    assert "Traceback" not in told.stderr


def test_what_is_frozen_is_not_kept() -> None:
    whole = f"trainable: false\n{CHAIN}"
    report = trace(parse_spec(Source("m.yaml", whole), "m"))
    assert with_optimizer(report, parse_optimizer("adam")).optimizer_params == 2
