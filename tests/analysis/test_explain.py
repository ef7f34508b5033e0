"""`dense-calc explain`: the arithmetic that it shows is the arithmetic of the count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

import pytest
from cases import Case, read_facts
from click.testing import CliRunner
from conftest import SPECS
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from ours import model_of

from dense_calc.analysis.explanation import LayerExplanation, explain_layers
from dense_calc.analysis.formula import (
    format_sum,
    param_formula,
    single_axis_sizes,
    split_axis,
    sum_value,
)
from dense_calc.api import load
from dense_calc.cli import command_line
from dense_calc.errors import Source, SpecError
from dense_calc.layers import KIND_MODULES
from dense_calc.render import Style
from dense_calc.render.explanation_text import render_explanation
from dense_calc.render.json import explanation_json
from dense_calc.report import WeightRow
from dense_calc.spec_language import parse_spec

FACTS = [fact for fact in read_facts() if "refused" not in fact]


def evaluated(arithmetic: str) -> int:
    """What the arithmetic on display comes to."""
    assert set(arithmetic) <= set("0123456789 +-×/()⌈⌉")
    code = re.sub(r"⌈(\d+) / (\d+)⌉", r"-(-\1 // \2)", arithmetic)
    return int(eval(code.replace("×", "*")))


def explanations(kind: str) -> Iterator[tuple[Case, LayerExplanation]]:
    """The sound facts on a kind, and what is said of their layers."""
    for fact in FACTS:
        if fact["kind"] == kind:
            found = explain_layers(model_of(fact), ()).layers
            yield from ((fact, each) for each in found if each.type == kind)


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_the_arithmetic_of_every_kind_comes_to_what_keras_counts(kind: str) -> None:
    for fact, each in explanations(kind):
        params = sum(prod(shape) for _, shape, _, _ in fact["weights"])
        frozen = sum(prod(shape) for _, shape, trained, _ in fact["weights"] if not trained)
        assert evaluated(each.arithmetic) == each.params == params, fact
        assert (evaluated(each.non_trainable.arithmetic) if each.non_trainable else 0) == frozen
        for side in each.sides:
            assert evaluated(side.arithmetic) == side.size, fact


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_the_formula_of_every_kind_is_made_of_its_axes(kind: str) -> None:
    for fact, each in explanations(kind):
        sizes = single_axis_sizes(each.weights)
        for weight in each.weights:
            for axis, size in zip(weight.axes, weight.shape, strict=True):
                number, names = split_axis(axis)
                assert number * prod(sizes.get(name, -1) for name in names) == size, (fact, axis)
        spelled = each.formula
        for name in sorted(sizes, key=len, reverse=True):
            spelled = spelled.replace(name, str(sizes[name]))
        assert evaluated(spelled) == each.params, fact


SIZES = {"height": 3, "width": 5, "channels": 4, "filters": 7, "units": 2, "2 × units": 4, "6": 6}
AXES = st.lists(st.sampled_from(list(SIZES)), max_size=4, unique=True)


@given(st.lists(AXES, max_size=7))
def test_factoring_keeps_the_count(weights: list[list[str]]) -> None:
    rows = [
        WeightRow("w", (*map(SIZES.__getitem__, axes),), True, "float32", (*axes,), 0, "w")
        for axes in weights
    ]
    terms = param_formula(rows)
    count = sum(prod(row.shape) for row in rows)
    assert sum_value(terms) == count
    assert evaluated(format_sum(terms, numbers=True)) == count


def lines(spec: str, *names: str, width: int | None = None) -> list[str]:
    """The lines of the explanation of a model in specs/."""
    explanation = explain_layers(load(SPECS / spec), names)
    return render_explanation(explanation, Style(width=width)).splitlines()


def test_a_dense_layer() -> None:
    assert lines("mnist.yaml", "dense") == [
        'Model: "mnist": 7,850 params',
        "",
        "dense (Dense): 7,850 params, 100.0%",
        "  input   (None, 784)",
        "  output  (None, 10)",
        "  rule    (batch, ..., inputs) → (batch, ..., units)",
        "  kernel  inputs 784 × units 10 = 7,840",
        "  bias    units 10 = 10",
        "  params  units × (inputs + 1) = 10 × (784 + 1) = 7,850",
        "",
        "None is a size that depends on the data, such as the batch or an unknown input size.",
    ]


def test_a_window_and_what_is_not_trained() -> None:
    assert lines("residual.yaml", "reduce", "main")[2:-2] == [
        "reduce (Conv2D): 73,728 params, 31.6%",
        "  input    (None, 58, 58, 64)",
        "  output   (None, 28, 28, 128)",
        "  rule     (batch, height, width, channels) → (batch, height', width', filters)",
        "  height'  (58 - 3) // 2 + 1 = 28",
        "  width'   (58 - 3) // 2 + 1 = 28",
        "  kernel   height 3 × width 3 × channels 64 × filters 128 = 73,728",
        "  params   height × width × channels × filters = 3 × 3 × 64 × 128 = 73,728",
        "",
        "main (BatchNormalization): 512 params, 0.2%",
        "  input            (None, 28, 28, 128)",
        "  output           (None, 28, 28, 128)",
        "  rule             (...) → (...)",
        "  gamma            channels 128 = 128",
        "  beta             channels 128 = 128",
        "  moving_mean      channels 128 = 128, not trained",
        "  moving_variance  channels 128 = 128, not trained",
        "  params           4 × channels = 4 × 128 = 512",
        "  not trained      2 × channels = 2 × 128 = 256",
    ]


def test_axes_of_one_name_and_two_sizes_are_told_apart() -> None:
    cells = [{"SimpleRNNCell": {"units": 4}}, {"SimpleRNNCell": {"units": 2}}]
    case = {"kind": "RNN", "arguments": {"cell": cells}, "inputs": [[None, 5, 3]]}
    (each,) = explain_layers(model_of(case), ()).layers
    one, two = "simple_rnn_cell units", "simple_rnn_cell_1 units"
    read = f"{one} × (simple_rnn_cell inputs + {one} + 1)"
    assert each.formula == f"{read} + {two} × (simple_rnn_cell_1 inputs + {two} + 1)"
    assert each.arithmetic == "4 × (3 + 4 + 1) + 2 × (4 + 2 + 1)"
    assert each.params == 46


def test_without_names_the_largest_comes_first() -> None:
    found = explain_layers(load(SPECS / "lenet5.yaml"), ()).layers
    counts = [each.params for each in found]
    assert counts == sorted(counts, reverse=True)
    assert sum(each.share for each in found) == pytest.approx(1)


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_is_too_wide_is_wrapped_and_nothing_is_lost(width: int) -> None:
    wrapped = lines("lenet5.yaml", "dense", width=width)
    assert max(map(len, wrapped[3:-4])) <= max(width, 20)
    assert "".join("".join(wrapped).split()) == "".join(
        "".join(lines("lenet5.yaml", "dense")).split()
    )


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(SpecError, match=r"mnist has no layer 'dens'; did you mean 'dense'"):
        explain_layers(load(SPECS / "mnist.yaml"), ["dens"])


def test_the_command_gives_text_and_json() -> None:
    path = str(SPECS / "lenet5.yaml")
    text = CliRunner().invoke(command_line, ["explain", path, "dense", "--set", "width=12"])
    assert "  params  units × (inputs + 1) = 120 × (400 + 1) = 48,120\n" in text.stdout
    data = CliRunner().invoke(command_line, ["explain", path, "--format", "json"]).stdout
    found = json.loads(data)
    assert found["total_params"] == 61706
    assert found["layers"][0]["formula"] == "units × (inputs + 1)"
    assert found["layers"][0]["arithmetic"] == "120 × (400 + 1)"


def test_an_output_that_cannot_carry_the_signs_has_others() -> None:
    explanation = explain_layers(load(SPECS / "mnist.yaml"), ["dense"])
    text = render_explanation(explanation, Style(ascii=True))
    assert "units x (inputs + 1) = 10 x (784 + 1) = 7,850" in text
    data = explanation_json(explanation, Style(ascii=True))
    assert data.isascii()
    assert json.loads(data)["layers"][0]["formula"] == "units × (inputs + 1)"


def test_a_layer_that_is_called_again() -> None:
    assert lines("gpt2.yaml", "embedding_1")[2:6] == [
        "embedding_1 (ReversibleEmbedding)",
        "  input   (None, 1024, 768)",
        "  output  (None, 1024, 50257)",
        "  params  shared with embedding",
    ]


def test_a_size_with_padding_same_is_a_quotient_rounded_up() -> None:
    model = load(SPECS / "lenet5.yaml", **{"conv2d.strides": 2})
    (each,) = explain_layers(model, ["conv2d"]).layers
    assert [side.arithmetic for side in each.sides] == ["⌈28 / 2⌉"] * 2


@pytest.mark.parametrize("name", ["decoder/mlp", "decoder_*/mlp", "*/mlp", "decoder"])
def test_layers_that_are_alike_in_all_copies_are_explained_once(name: str) -> None:
    explanation = explain_layers(load(SPECS / "gpt2.yaml"), [name])
    (each,) = (each for each in explanation.layers if each.name.endswith("mlp"))
    assert (each.name, each.repeat) == ("decoder_0/mlp", 12)
    text = render_explanation(replace(explanation, layers=(each,)), Style())
    assert "decoder_0/mlp × 12 (Dense): 2,360,064 params, 1.9% each\n" in text


def test_a_copy_stands_for_its_layers() -> None:
    found = explain_layers(load(SPECS / "gpt2.yaml"), ["decoder_3", "decoder_4/mlp"]).layers
    assert [each.name.partition("/")[0] for each in found] == ["decoder_3"] * 7 + ["decoder_4"]
    assert {each.repeat for each in found} == {1}


@pytest.mark.parametrize("name", ["residual_1", "dec[", "nothing*"])
def test_a_name_that_means_no_layer_is_refused(name: str) -> None:
    with pytest.raises(SpecError, match="gpt2 has no layer"):
        explain_layers(load(SPECS / "gpt2.yaml"), [name])


NESTED = """
vars: {width: 4}
input: [8]
layers:
  - Dense: {units: 4}
  - Functional:
      name: encoder
      input: [4]
      layers:
        - Dense: {units: 4}
        - Sequential: {name: deep, layers: [Dense: {units: width}, ReLU]}
  - {reuse: encoder}
"""


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("encoder", ["encoder"]),
        ("encoder/dense", ["encoder/dense"]),
        ("encoder/d*", ["encoder/dense", "encoder/deep"]),
        ("encoder/deep/dense", ["encoder/deep/dense"]),
        ("*/re_lu", ["encoder/deep/re_lu"]),
        ("enc*", ["encoder", "encoder_1"]),
    ],
)
def test_a_path_leads_into_models_that_are_layers(name: str, found: list[str]) -> None:
    explained = explain_layers(parse_spec(Source("m.yaml", NESTED), "m"), [name]).layers
    assert [each.name for each in explained] == found


def test_a_layer_in_a_model_is_explained_as_any_other() -> None:
    (dense,) = explain_layers(
        parse_spec(Source("m.yaml", NESTED), "m"), ["encoder/deep/dense"]
    ).layers
    assert dense.arithmetic == "4 × (4 + 1)"
    assert dense.input_shapes == ((None, 4),)
    with pytest.raises(SpecError, match="no layer 'encoder/dens'; did you mean 'encoder/dense'"):
        explain_layers(parse_spec(Source("m.yaml", NESTED), "m"), ["encoder/dens"])


def test_a_layer_in_a_model_has_its_formula_in_the_vars(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(NESTED, "utf-8")
    command = ["explain", str(tmp_path / "m.yaml"), "encoder/deep/dense", "--symbolic"]
    result = CliRunner().invoke(command_line, command)
    assert "params = 5 × width\n" in result.stdout
