"""What optimizers keep, as real Keras 3.15.1 counts it; `tests/oracle/optimizers.py` asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.reading import from_keras
from dense_calc.optimizers import optimizer_named, optimizer_of_file, with_optimizer
from dense_calc.optimizers.kinds import OPTIMIZERS
from dense_calc.spec import parse
from dense_calc.tracing import trace

WHOLE = json.loads((Path(__file__).parent / "data" / "optimizers.json").read_text("utf-8"))
REPORT = trace(from_keras(json.loads(WHOLE["model"]), Source("m", WHOLE["model"]), "m", {}))
CHAIN = "input: [8]\nlayers:\n  - Dense: {units: 3}\n"


@pytest.mark.parametrize("fact", WHOLE["facts"], ids=json.dumps)
def test_an_optimizer_keeps_what_keras_counts(fact: list[Any]) -> None:
    name, arguments, params, size = fact
    for found in (
        optimizer_of_file({"class_name": name, "config": arguments}, "m.json"),
        optimizer_named(json.dumps({name: arguments})),
    ):
        report = with_optimizer(REPORT, found)
        assert (report.optimizer_params, report.optimizer_bytes) == (params, size)
        assert report.total_params == REPORT.total_params


def test_every_optimizer_has_facts() -> None:
    assert {fact[0] for fact in WHOLE["facts"]} == set(OPTIMIZERS)


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM", "{adam: }", "{Adam: {}}"])
def test_capitals_do_not_matter(name: str) -> None:
    assert type(optimizer_named(name)).__name__ == "Adam"


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
        optimizer_named(text)
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


def test_what_is_frozen_is_not_kept() -> None:
    whole = f"trainable: false\n{CHAIN}"
    report = trace(parse(Source("m.yaml", whole), "m"))
    assert with_optimizer(report, optimizer_named("adam")).optimizer_params == 2
