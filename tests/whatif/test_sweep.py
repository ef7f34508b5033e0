"""`dense-calc sweep`: the combinations of settings, and that each row is what a summary says."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sweep_model import (
    INNER,
    MODEL,
    NO_UNITS,
    SPEC_FILES,
    VARS,
    Told,
    expected,
    fields,
    rows,
)

from dense_calc import load, trace
from dense_calc.api import sweep
from dense_calc.errors import DenseCalcError, Source
from dense_calc.keras_format.writer import to_keras
from dense_calc.settings.values import parse_setting_values
from dense_calc.spec_language import parse_spec

COMBINATIONS: list[tuple[list[str], list[tuple[Any, ...]]]] = [
    (["w=4,8"], [(4,), (8,)]),
    (["w=4,8", "d=1:3"], [(4, 1), (4, 2), (4, 3), (8, 1), (8, 2), (8, 3)]),
    (["d=1:3", "w=4,8"], [(1, 4), (1, 8), (2, 4), (2, 8), (3, 4), (3, 8)]),
    (["d=1,2", "w=4", "head.units=5,6"], [(1, 4, 5), (1, 4, 6), (2, 4, 5), (2, 4, 6)]),
    (["w=4,4"], [(4,), (4,)]),
    (["w=3", "d=1", "w=4,5"], [(4, 1), (5, 1)]),  # the last of a name wins
    (["w=4,8", "d=1,2", "--zip"], [(4, 1), (8, 2)]),
    (["w=4:8:2", "d=3:1:-1", "--zip"], [(4, 3), (6, 2), (8, 1)]),
    (["w=4", "d=1", "--zip"], [(4, 1)]),
]


@pytest.mark.parametrize(("given", "combinations"), COMBINATIONS)
def test_combinations_are_in_order_and_the_last_setting_changes_fastest(
    given: list[str], combinations: list[tuple[Any, ...]], told: Told
) -> None:
    arguments = [part for each in given for part in (("--set",) if "=" in each else ()) + (each,)]
    found = [row["set"] for row in rows(told, "m.yaml", *arguments)]
    assert [tuple(each.values()) for each in found] == combinations
    names = list(dict.fromkeys(each.partition("=")[0] for each in given if "=" in each))
    assert all(list(each) == names for each in found)


# specs → settings and their values
SWEPT: list[tuple[str, dict[str, Any]]] = [
    ("lenet5", {"width": "2:12:5,0,-1,2.5,relu"}),
    ("lenet5", {"conv2d_1.filters": "8,16,0", "digits.units": [1, 10], "width": [6, 8]}),
    ("lenet5", {"input": "[28,28,1],[32,32,3],[4,4,1],[28,28],7"}),
    ("mnist", {"dense.units": "1:3", "dense.use_bias": [True, False], "dense.dtype": ["float16"]}),
    ("gpt2", {"depth": "11:13", "width": "768,780,764", "heads": "12,7"}),
    ("gpt2", {"tokens": [[1024], [512]], "decoder/mlp.units": ["width", 100]}),
    ("gpt2", {"decoder_3/mlp.use_bias": [True, False], "embedding.output_dim": [768, 700]}),
    ("vit-b16", {"side": "224,256,384", "patch": "16,32"}),
    ("residual", {"channels": "16:64:16"}),
    ("stacked", {"input": "[5, 8],[3, 3]"}),
    ("unet", {"width": [8, 16], "classes": "1:3"}),
    ("convnet-any-size", {"input": "[null, null, 3],[null, null, 1],[32, 32, 3]"}),
]


@pytest.mark.parametrize(("spec", "given"), SWEPT)
def test_each_row_is_what_a_summary_says(spec: str, given: dict[str, Any]) -> None:
    path = ROOT / "specs" / f"{spec}.yaml"
    whole = sweep(path, given)
    names = list(given)
    combinations = product(*(parse_setting_values(name, each) for name, each in given.items()))
    wanted = [expected(path, dict(zip(names, each, strict=True))) for each in combinations]
    assert list(whole) == wanted
    for place in random.Random(0).sample(range(len(whole)), len(whole)):
        assert whole[place] == wanted[place]


@pytest.mark.parametrize("spec", VARS)
def test_a_var_is_what_it_would_be_if_the_file_said_so(spec: str) -> None:
    text = SPEC_FILES[spec].read_text("utf-8")
    numbers = {name: value for name, value in VARS[spec].items() if isinstance(value, int)}
    for name, value in numbers.items():
        given = [value, value + 1, 2 * value] if value < 100 else [value + 16]
        for row in sweep(SPEC_FILES[spec], {name: given}):
            changed = yaml.safe_load(text)
            changed["vars"] |= row["set"]
            source = Source("m.yaml", yaml.safe_dump(changed, sort_keys=False))
            try:
                wanted = fields(trace(parse_spec(source, "m")))
            except DenseCalcError as error:
                wanted = {"error": error.message}
            assert {key: row[key] for key in wanted} == wanted


@settings(max_examples=40)
@given(st.data())
def test_rows_are_the_same_in_any_order(data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(list(VARS)), "spec")
    names = data.draw(st.permutations(list(VARS[spec])), "names")[:2]
    numbers = st.integers(0, 6) | st.sampled_from([8, 16, 64, 1.5, "2*3", "x", None])
    given = {name: data.draw(st.lists(numbers, min_size=1, max_size=3), name) for name in names}
    whole = sweep(SPEC_FILES[spec], given)
    for place in data.draw(st.permutations(range(len(whole))), "order"):
        assert whole[place] == expected(SPEC_FILES[spec], whole[place]["set"])


ERRORS: list[tuple[str, str, str]] = [
    ("w", "0", NO_UNITS),
    ("w", "2.5", "Dense's 'units' must be a positive integer, not 2.5"),
    ("w", "null", "a var is a number or an expression, not null"),
    ("w", "[1, 2]", "a var is a number or an expression, not a list of 2"),
    ("w", "x", "'x' is not a var; use w, d"),
    ("w", "w", "vars use each other in a circle: 'w' uses 'w'"),
    ("w", "1:2:3:4", "'1:2:3:4' is neither a number nor an expression"),
    ("d", "0", "b's 'repeat' must be a positive integer, not 0"),
    (
        "head.activation",
        "relux",
        "Dense's 'activation' must be a name that Keras knows, not 'relux'; did you mean 'relu'?",
    ),
    ("head.units", "[3]", "Dense's 'units' must be a positive integer, not a list of 1; write 3"),
    (
        "input",
        "7",
        "InputLayer's 'shape' must be a list of at most 64 integers of at least 0, not 7",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), ERRORS)
def test_what_is_no_model_is_a_row_that_says_why(
    name: str, value: str, message: str, folder: Path
) -> None:
    before, row, after = sweep("m.yaml", {name: [*parse_setting_values(name, value)] * 3})
    assert before == row == after
    assert list(row) == ["set", "error"]
    assert row["error"] == message


def test_one_broken_combination_does_not_end_the_run(told: Told) -> None:
    assert told("m.yaml", "--set", "w=4,0,8", "--format", "json") == (
        '{"set":{"w":4},"total_params":56,"trainable_params":56,"non_trainable_params":0,'
        '"total_bytes":224,"change":-156,"within_budget":true}\n'
        '{"set":{"w":0},"error":"' + NO_UNITS + '"}\n'
        '{"set":{"w":8},"total_params":108,"trainable_params":108,"non_trainable_params":0,'
        '"total_bytes":432,"change":-104,"within_budget":true}\n'
    )


BUDGETED = """\
vars: {w: 4, d: 3}
input: [8]
blocks: {part: [Dense: {units: w, name: dense}]}
layers:
  - part: {repeat: d}
  - Sequential: {name: inner, input: [w], layers: [Dense: {units: 4, name: one}, Dense: {units: 2}]}
budget:
"""
# a budget → whether the models with w=4,5 and d=2,3,4 are within it
BUDGETS: dict[str, list[bool | None]] = {
    "{params: 130}": [True, True, True, True, False, False],
    "{params: 106, min_params: 100}": [False, True, False, False, False, False],
    "{trainable: 0}": [False] * 6,
    "{size: 436}": [True, True, False, True, False, False],
    "{layers: {part: {params: 100}}}": [True, True, True, True, False, False],
    "{layers: {part_2: {params: 20}}}": [None, True, True, None, False, False],
    "{layers: {part_*: {params: 36, each: true}}}": [True, True, True, False, False, False],
    "{layers: {inner: {params: 30}}}": [True, True, True, False, False, False],
    "{layers: {inner/one: {params: 20}}}": [True, True, True, False, False, False],
    "{layers: {inner/one: {params: 24}, part_3: {size: 1MB}}}": [None, None, True] * 2,
    "{params: 1M, layers: {inner/dense: {params: 9}}}": [False] * 6,
}


@pytest.mark.parametrize("budget", BUDGETS)
def test_each_row_is_held_against_the_budget_of_the_file(budget: str, folder: Path) -> None:
    Path("m.yaml").write_text(BUDGETED.replace("budget:", f"budget: {budget}"), "utf-8")
    whole = sweep("m.yaml", {"w": [4, 5], "d": [2, 3, 4]})
    assert [row["within_budget"] for row in whole] == BUDGETS[budget]
    for place in (3, 0, 5, 2, 4, 1):
        assert whole[place] == expected(Path("m.yaml"), whole[place]["set"])


@pytest.mark.parametrize("limits", ["", "expect: {params: 3}\n"])
def test_without_a_budget_rows_have_nothing_to_be_within(limits: str, folder: Path) -> None:
    Path("m.yaml").write_text(MODEL.replace("budget: {params: 300}\n", limits), "utf-8")
    (row,) = sweep("m.yaml", {"w": [4]})
    assert "within_budget" not in row


# specs → a layer, and what Keras' file calls it
LAYERS: list[tuple[str, str, str]] = [
    ("lenet5", "digits", "digits"),
    ("mnist", "dense", "dense"),
    ("gpt2", "decoder_3/mlp", "decoder_3.mlp"),
]


@pytest.mark.parametrize(("spec", "layer", "keras"), LAYERS)
def test_a_file_of_keras_is_swept_by_the_arguments_of_its_layers(
    spec: str, layer: str, keras: str, folder: Path
) -> None:
    Path("keras.json").write_text(to_keras(load(SPEC_FILES[spec])), "utf-8")
    values = {"units": [3, 768, 0], "use_bias": [True, False]}
    ours = sweep(SPEC_FILES[spec], {f"{layer}.{name}": each for name, each in values.items()})
    theirs = sweep("keras.json", {f"{keras}.{name}": each for name, each in values.items()})
    for row, same in zip(ours, theirs, strict=True):
        known = {key: value for key, value in same.items() if key not in ("set", "error")}
        assert {key: row[key] for key in known} == known
        assert row.get("error", "").replace("/", ".") == same.get("error", "").replace("/", ".")
        assert same == expected(Path("keras.json"), same["set"])


def test_a_class_of_ones_own_may_be_assumed(told: Told) -> None:
    Path("m.yaml").write_text(INNER.partition("layers")[0] + "layers: [Dense: {units: 3}]\n")
    whole = json.loads(to_keras(load("m.yaml")))
    whole["config"]["layers"].append(
        {"class_name": "Scale", "registered_name": "Scale", "module": None, "config": {"name": "s"}}
    )
    Path("m.json").write_text(json.dumps(whole), "utf-8")
    (row,) = sweep("m.json", {"dense.units": [5]}, assume={"Scale": "identity"})
    assert row["total_params"] == 25
    given = ("m.json", "--set", "dense.units=5", "--assume", "Scale=identity", "--format", "csv")
    assert told(*given).splitlines()[1] == "5,25,25,0,100,10,,"
