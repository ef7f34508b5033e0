"""`--set NAME=VALUE`: vars, arguments of layers and inputs, of specs and of Keras' files."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import work
from support.set_model import SPEC, report, with_settings

from dense_calc.analysis.compared_layers import comparable_config
from dense_calc.errors import DenseCalcError, Source, SpecError
from dense_calc.keras_format.writer import to_keras
from dense_calc.layers.base import LayerKind
from dense_calc.model import Model
from dense_calc.settings.targets import SettingTargets
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

CONV = "width, kernel_size: 3"

# a setting, what it replaces in the text, and by what
SAME: list[tuple[str, Any, str, str]] = [
    ("width", "12", "width: 8", "width: 12"),
    ("width", "2 * 6", "width: 8", "width: 12"),
    ("width", 12, "width: 8", "width: 12"),
    ("conv2d.filters", "7", "filters: width", "filters: 7"),
    ("conv2d.filters", "2 * width", "filters: width", "filters: 16"),
    ("conv2d.kernel_size", "[3, 5]", CONV, f"{CONV[:-1]}[3, 5]"),
    ("conv2d.kernel_size", (3, 5), CONV, f"{CONV[:-1]}[3, 5]"),
    ("conv2d.kernel_size", "[width - 5, 1]", CONV, f"{CONV[:-1]}[3, 1]"),
    ("conv2d.padding", "same", CONV, f"{CONV}, padding: same"),
    ("conv2d.use_bias", "false", CONV, f"{CONV}, use_bias: false"),
    ("conv2d.use_bias", False, CONV, f"{CONV}, use_bias: false"),
    ("body/conv.kernel_size", "5", "filters, kernel_size: 3", "filters, kernel_size: 5"),
    ("inner/conv2d.filters", "2 + 2", "filters: 2", "filters: 4"),
    ("inner.trainable", "false", "name: inner,", "name: inner, trainable: false,"),
    ("both.layer.units", "9", "units: 5", "units: 9"),
    ("both.merge_mode", "sum", "name: both", "name: both, merge_mode: sum"),
    ("both.layer", "{GRU: {units: 2}}", "{LSTM: {units: 5}}", "{GRU: {units: 2}}"),
    ("cells.cell.cells.0.units", "6", "units: 3", "units: 6"),
    (
        "cells.cell.cells.1",
        "{SimpleRNNCell: {units: 2}}",
        "{LSTMCell: {units: 4}}",
        "{SimpleRNNCell: {units: 2}}",
    ),
    ("twice.units", "7", "units: 6, name: twice", "units: 7, name: twice"),
    ("again.use_bias", "false", "name: square", "name: square, use_bias: false"),
    ("dropout.rate", "1/4", "rate: rate", "rate: 0.25"),
    ("input", "[16, 16, 2]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input", [16, 16, 2], "[16, 16, 3]", "[16, 16, 2]"),
    ("input", "[2 * width, 16, 1 + 1]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input.shape", "[16, 16, 2]", "[16, 16, 3]", "[16, 16, 2]"),
    ("input[2]", 2, "[16, 16, 3]", "[16, 16, 2]"),
    ("input[0]", "4 * width", "[16, 16, 3]", "[32, 16, 3]"),
    ("input[0]", "null", "[16, 16, 3]", "[null, 16, 3]"),
    ("input.dtype", "float16", "[16, 16, 3]", "{shape: [16, 16, 3], dtype: float16}"),
    ("input.batch_size", "4", "[16, 16, 3]", "{shape: [16, 16, 3], batch_size: 4}"),
]


def layers_of(model: Model) -> list[LayerKind]:
    """The layers of a model."""
    return [node.layer for node in model.nodes]


def is_same(one: LayerKind, other: LayerKind) -> bool:
    """Whether two layers have the same arguments, those of layers inside too."""
    return comparable_config(one) == comparable_config(other)


@pytest.mark.parametrize(
    ("name", "value", "old", "new"), SAME, ids=[f"{name}={value}" for name, value, _, _ in SAME]
)
def test_a_setting_is_what_the_file_could_say(name: str, value: Any, old: str, new: str) -> None:
    assert old in SPEC
    edited = SPEC.replace(old, new, 1)
    model, wanted = with_settings(SPEC, {name: value}), parse_spec(Source("m.yaml", edited), "m")
    assert trace(model) == trace(wanted)
    assert all(map(is_same, layers_of(model), layers_of(wanted)))
    assert not all(
        map(is_same, layers_of(model), layers_of(parse_spec(Source("m.yaml", SPEC), "m")))
    )


def test_several_settings_at_once() -> None:
    found = trace(with_settings(SPEC, {"conv2d.filters": "width", "width": 3, "twice.units": 1}))
    edited = SPEC.replace("width: 8", "width: 3").replace("6, name: twice", "1, name: twice")
    assert found == report(edited)


def test_one_copy_of_a_block() -> None:
    rows = {row.name: row.params for row in report(SPEC).layers}
    found = trace(with_settings(SPEC, {"body_1/conv.kernel_size": 1}))
    changed = {row.name: row.params for row in found.layers if row.params != rows[row.name]}
    assert changed == {"body_1/conv": 4 * 4 + 4}


def test_all_calls_of_a_layer_are_one() -> None:
    one, other = (
        trace(with_settings(SPEC, {f"{name}.kernel_initializer": "zeros"}))
        for name in ("square", "again")
    )
    assert one == other
    model = with_settings(SPEC, {"again.kernel_initializer": "zeros"})
    layers = {node.name: node.layer for node in model.nodes}
    assert layers["square"] is layers["again"]


def test_an_argument_of_a_call_is_of_that_call() -> None:
    spec = """\
input: {shape: [9], dtype: int32}
layers:
  - ReversibleEmbedding: {name: words, input_dim: 20, output_dim: 4}
  - {reuse: words, name: again, reverse: true}
"""
    found = trace(with_settings(spec, {"again.reverse": False}))
    assert [row.output_shape for row in report(spec).layers[-2:]] == [(None, 9, 4), (None, 9, 20)]
    assert [row.output_shape for row in found.layers[-2:]] == [(None, 9, 4), (None, 9, 4, 4)]


OF_KERAS = [
    (name.replace("body/", "body_0."), value)
    for name, value, _, _ in SAME
    if not name.startswith(("width", "again")) and "width" not in str(value)
]


@pytest.mark.parametrize(("name", "value"), OF_KERAS, ids=map(str, OF_KERAS))
def test_keras_files_take_the_same(name: str, value: Any) -> None:
    text = to_keras(parse_spec(Source("m.yaml", SPEC), "m"))
    ours = with_settings(SPEC, {name.replace("body_0.", "body_0/"): value})
    theirs = with_settings(text, {name: value})
    rows = [
        (row.type, row.output_shape, row.params, row.trainable_params) for row in trace(ours).layers
    ]
    assert trace(theirs).total_params == trace(ours).total_params
    assert {
        (row.type, row.output_shape, row.params, row.trainable_params)
        for row in trace(theirs).layers
    } <= set(rows)


def test_a_model_that_is_called_twice_changes_in_both_calls() -> None:
    spec = """\
type: Functional
input: [16, 16, 3]
layers:
  - Sequential: {name: m, input: [16, 16, 3], layers: [Conv2D: {filters: 3, kernel_size: 3}]}
  - {reuse: m, name: again, from: input}
  - Concatenate: {from: [m, again]}
  - Flatten
  - Dense: {units: 5}
"""
    for text in (spec, to_keras(parse_spec(Source("m.yaml", spec), "m"))):
        found = trace(with_settings(text, {"m/conv2d.strides": 2}))
        assert (
            found.total_params
            == report(spec.replace("size: 3}", "size: 3, strides: 2}")).total_params
        )
        assert trace(with_settings(text, {"m/conv2d.use_bias": False}))


def test_the_vocabulary_of_an_embedding_is_its_own() -> None:
    spec = "input: {shape: [12], dtype: int32}\nlayers: [Embedding: {input_dim: 50, output_dim: 8}]"
    assert trace(with_settings(spec, {"embedding.input_dim": 70})).total_params == 70 * 8


def test_copies_in_copies_are_called_by_either_name() -> None:
    spec = """\
input: [4]
blocks:
  deep: [Dense: {units: 4, name: up}]
  outer: [deep: {repeat: 2}]
layers: [outer: {repeat: 3}]
"""
    for name, changed in (
        ("outer/deep/up", 6),
        ("outer_0/deep/up", 2),
        ("outer/deep_1/up", 3),
        ("outer_2/deep_0/up", 1),
    ):
        found = trace(with_settings(spec, {f"{name}.use_bias": False}))
        assert sum(row.params == 16 for row in found.layers) == changed


def test_no_setting_looks_at_every_layer() -> None:
    spec = "input: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: TIMES}]"
    few, many = (
        SettingTargets(
            parse_spec(Source("m.yaml", spec.replace("TIMES", str(times))), "m"), "m.yaml"
        )
        for times in (10, 10_000)
    )
    assert [len(each["b/dense.units"].node_indices) for each in (few, many)] == [10, 10_000]
    name = "b_5/dense.units"
    assert work(lambda: few[name]) == work(lambda: many[name])


@pytest.mark.parametrize("piece", ["b.", "b/", "b/b.", "b/dense.", "dense."])
def test_a_long_setting_is_looked_at_once(piece: str) -> None:
    spec = "input: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: 9}]"
    found = SettingTargets(parse_spec(Source("m.yaml", spec), "m"), "m.yaml")

    def look(times: int) -> None:
        with pytest.raises(SpecError):
            found[f"{piece * times}.units"]

    assert work(lambda: look(4000)) < 5 * work(lambda: look(1000))


def test_several_inputs_have_names() -> None:
    spec = "inputs: {a: [3], b: [4]}\nlayers: [Concatenate: {from: [a, b]}, Dense: {units: 2}]"
    assert trace(with_settings(spec, {"b": [9]})).total_params == 2 * (3 + 9 + 1)
    with pytest.raises(DenseCalcError, match=r"several inputs; name one: a=\[...\] or b=\[...\]"):
        with_settings(spec, {"input": [9]})


def test_a_var_comes_before_an_input_of_its_name() -> None:
    spec = "vars: {a: 2}\ninputs: {a: [3]}\nlayers: [Dense: {units: a}]"
    assert trace(with_settings(spec, {"a": 5})).total_params == 5 * (3 + 1)


def test_a_name_with_dots() -> None:
    spec = "input: [3]\nlayers: [Dense: {units: 2, name: a.b}, Dense: {units: 2, name: a}]"
    assert trace(with_settings(spec, {"a.b.units": 5})).total_params == 5 * 4 + 2 * 6


def test_keras_batch_shape_keeps_its_batch() -> None:
    text = to_keras(
        parse_spec(
            Source("m", "input: {shape: [8], batch_size: 4}\nlayers: [Dense: {units: 2}]"), "m"
        )
    )
    assert trace(with_settings(text, {"input": "[5]"})).inputs[0].shape == (4, 5)


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("b_*/dense.units", 3),
        ("b_[0-1]/dense.units", 2),
        ("b*/d?nse.units", 3),
        ("*dense.units", 4),
    ],
)
def test_a_pattern_sets_every_layer_that_matches(setting: str, changed: int) -> None:
    spec = (
        "input: [4]\nblocks: {b: [Dense: {units: 4}]}\nlayers: [b: {repeat: 3}, Dense: {units: 4}]"
    )
    report = trace(with_settings(spec, {setting: 7}))
    assert sum(row.output_shape == (None, 7) for row in report.layers) == changed


def test_a_layer_that_matches_needs_the_argument() -> None:
    spec = "input: [4]\nlayers: [Dense: {units: 4}, Flatten]"
    with pytest.raises(DenseCalcError, match="Flatten 'flatten' has no argument 'units'"):
        with_settings(spec, {"[df]*.units": 7})


def test_a_layer_that_is_called_like_a_pattern_is_set_alone() -> None:
    spec = "input: [4]\nlayers: [Dense: {units: 4, name: 'a*'}, Dense: {units: 4, name: ab}]"
    assert trace(with_settings(spec, {"a*.units": 7})).total_params == 7 * 5 + 4 * 8
