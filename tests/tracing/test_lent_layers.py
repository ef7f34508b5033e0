"""Layers that models in each other share: what rows show, and that their weights count once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import Run

from dense_calc import sweep
from dense_calc.analysis.difference import compare_models
from dense_calc.api import load, summarize
from dense_calc.errors import SpecError
from dense_calc.keras_format.writer import to_keras
from dense_calc.report import LayerRow, Report
from dense_calc.spec_language.spec_writer import format_spec

AROUND = """\
vars: {units: 8}
input: [8]
layers:
  - Dense: {units: units}
  - Functional: {name: inner, input: [units], layers: [{reuse: dense}, ReLU]}
  - Sequential: {name: chain, layers: [{reuse: dense}, {Dense: {units: 3, name: own}}]}
"""

# a spec → Keras' parameters of each row that has any, with those inside, and of the whole
MODELS: dict[str, tuple[str, list[object], int]] = {
    "layers around": (AROUND, [72, 72, [72], 99, [72, 27]], 99),
    "a layer inside": (
        """\
        input: [8]
        layers:
          - Sequential: {name: inner, layers: [Dense: {units: 8}, ReLU]}
          - {reuse: inner/dense}
          - {reuse: inner/dense}
        """,
        [72, [72], 72],
        72,
    ),
    "at any depth": (
        """\
        input: [8]
        layers:
          - Dense: {units: 8}
          - Sequential:
              name: a
              layers:
                - Sequential: {name: b, layers: [{Dense: {units: 8, name: own}}, {reuse: dense}]}
                - {reuse: dense}
          - {reuse: a/b/own}
          - Sequential: {layers: [{reuse: a}, {reuse: a/b/own}]}
        """,
        [72, 144, [144, [72, 72], 72], 72, 144, [144, [144, [72, 72], 72], 72]],
        144,
    ),
    "in repeated blocks": (
        """\
        input: [8]
        blocks:
          part: [Dense: {units: 8, name: d}, Sequential: {name: m, layers: [{reuse: d}, ReLU]}]
        layers:
          - part: {repeat: 2}
          - Sequential: {layers: [{reuse: part_1/d}]}
          - {reuse: part_0/m/d}
        """,
        [72, 72, [72], 72, 72, [72], 72, [72]],
        144,
    ),
    "wrappers": (
        """\
        input: [5, 8]
        layers:
          - Dense: {units: 8}
          - TimeDistributed: {name: each, layer: {reuse: dense}}
          - Sequential: {layers: [{reuse: each}, TimeDistributed: {layer: {reuse: dense}}]}
          - TimeDistributed: {layer: {Sequential: {layers: [{reuse: dense}]}}}
        """,
        [72, 72, 72, [72, 72], 72],
        72,
    ),
    "what no output needs": (
        """\
        input: [5, 8]
        layers:
          - Dense: {units: 8, name: unused}
          - Functional: {name: m, input: [5, 8], layers: [Dense: {units: 8}, ReLU], outputs: input}
          - TimeDistributed: {layer: {reuse: m/dense}, from: input}
          - Sequential: {layers: [{reuse: m/dense}, {reuse: unused}]}
        outputs: sequential
        """,
        [72, 144, [72, 72]],
        144,
    ),
    "a second call that stands for the first": (
        """\
        input: [8]
        layers:
          - Functional:
              name: m
              input: [8]
              layers:
                - Functional:
                    name: n
                    input: [8]
                    layers: [Dense: {units: 8}, {reuse: dense, name: b, from: input}]
                    outputs: b
          - Sequential: {layers: [{reuse: m/n}, {reuse: m}]}
        """,
        [72, [72, [72]], 72, [72, [72], 72, [72, [72]]]],
        72,
    ),
    "a name that is inside and around": (
        """\
        input: [8]
        layers:
          - Dense: {units: 8}
          - Functional: {input: [8], layers: [Dense: {units: 8}, {reuse: dense}]}
        """,
        [72, 72, [72]],
        144,
    ),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to write a spec into."""
    return tmp_path / "m.yaml"


def params(rows: tuple[LayerRow, ...]) -> Iterator[object]:
    """The parameters of rows that have any, each before those of the rows inside it."""
    for row in rows:
        if row.params:
            yield row.params
        if row.params and row.layers:
            yield list(params(row.layers))


def report(file: Path, spec: str) -> Report:
    """The report on a spec."""
    file.write_text(dedent(spec))
    return summarize(str(file))


@pytest.mark.parametrize(("spec", "rows", "total"), MODELS.values(), ids=MODELS)
def test_weights_count_once(file: Path, spec: str, rows: list[object], total: int) -> None:
    found = report(file, spec)
    assert list(params(found.layers)) == rows
    assert found.total_params == total
    assert sum(weight.params for row in found.layers for weight in row.counted_weights) == total
    again = report(file, format_spec(load(str(file))))
    assert (list(params(again.layers)), again.total_params) == (rows, total)


def test_a_weight_names_the_row_in_which_it_counts(file: Path) -> None:
    _, inner, chain = report(file, AROUND).layers
    assert [weight.shared_with for weight in inner.weights] == ["dense", "dense"]
    assert [weight.shared_with for weight in chain.weights] == ["dense", "dense", None, None]
    inside = [weight.shared_with for row in chain.layers for weight in row.weights]
    assert inside == ["dense", "dense", None, None]


def test_what_is_frozen_is_frozen_everywhere(file: Path) -> None:
    frozen = AROUND.replace("units: units}", "units: units, trainable: false}")
    found = report(file, frozen)
    assert [row.trainable_params for row in found.layers] == [0, 0, 27]
    assert (found.trainable_params, found.non_trainable_params) == (27, 72)


def test_a_var_and_a_setting_reach_a_layer_inside(file: Path) -> None:
    file.write_text(AROUND.replace("input: [8]", "input: [units]"))
    rows = sweep(str(file), {"units": range(2, 6)})
    assert [row["total_params"] for row in rows] == [15, 24, 35, 48]
    file.write_text(AROUND)
    wide = summarize(str(file), **{"dense.use_bias": False})
    assert list(params(wide.layers)) == [64, 64, [64], 91, [64, 27]]
    file.write_text(dedent(MODELS["a layer inside"][0]))
    assert summarize(str(file), **{"inner/dense.use_bias": False}).total_params == 64


@pytest.mark.parametrize(
    ("title", "setting", "name"),
    [
        ("layers around", "inner/dense.units", "dense"),
        ("a layer inside", "dense.units", "inner/dense"),
        ("at any depth", "a/b/dense.units", "dense"),
        ("wrappers", "time_distributed.layer/dense.units", "dense"),
    ],
)
def test_a_setting_is_told_the_name_to_use(file: Path, title: str, setting: str, name: str) -> None:
    file.write_text(dedent(MODELS[title][0]))
    with pytest.raises(SpecError, match=rf"an argument of it is set by {name}\.ARGUMENT=VALUE"):
        summarize(str(file), **{setting: 4})


def test_a_repeat_that_changes_makes_the_models_anew(file: Path) -> None:
    spec = MODELS["in repeated blocks"][0].replace("repeat: 2", "repeat: n")
    file.write_text("vars: {n: 2}\n" + dedent(spec))
    rows = sweep(str(file), {"n": [2, 3, 4, 2]})
    assert [row["total_params"] for row in rows] == [144, 216, 288, 144]


def test_keras_json_cannot_say_it(file: Path) -> None:
    file.write_text(AROUND)
    with pytest.raises(SpecError, match="'inner' shares 'dense', which Keras' JSON cannot say"):
        to_keras(load(str(file)))


def test_a_difference_says_whose_the_weights_are(file: Path) -> None:
    file.write_text(AROUND.replace("layers: [{reuse: dense}, ReLU]", "layers: [Dense: {units: 8}]"))
    old = load(str(file))
    file.write_text(AROUND)
    found = compare_models(old, load(str(file)), "old", "new")
    assert found.total_params.change == sum(each.change for each in found.layers) == -72
    (change,) = [each for each in found.layers if each.change]
    assert [(each.name, each.new) for each in change.arguments] == [("reuse", "dense")]


def test_limits_count_once(run: Run, file: Path) -> None:
    spec = MODELS["in repeated blocks"][0].replace("repeat: 2", "repeat: n")
    for limit, status in ((144, 0), (143, 1)):
        budget = f"vars: {{n: 2}}\nbudget: {{layers: {{part: {{params: {limit}}}}}}}\n"
        file.write_text(budget + dedent(spec))
        assert run("check", str(file)).returncode == status
        (row,) = sweep(str(file), {"n": [2]})
        assert row["within_budget"] == (not status)


def test_explain_says_where_a_weight_counts(run: Run, file: Path) -> None:
    file.write_text(AROUND)
    result = run("explain", str(file), "inner")
    assert "dense/kernel  inputs 8 × units 8 = 64, shared with dense" in result.stdout


def test_no_small_file_shares_without_end(file: Path) -> None:
    pairs = "".join(
        f"  - Sequential: {{name: {x}{n}, layers: [{{reuse: a{n - 1}}}, {{reuse: b{n - 1}}}]}}\n"
        for n in range(1, 31)
        for x in "ab"
    )
    first = (
        "input: [8]\nlayers:\n  - Dense: {units: 8, name: a0}\n  - Dense: {units: 8, name: b0}\n"
    )
    with pytest.raises(SpecError, match="more than 100,000 layers of others are inside layers"):
        report(file, first + pairs)
