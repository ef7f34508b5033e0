"""Layers of a model inside others: what rows show, and that their weights count once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from conftest import Run

from dense_calc import sweep
from dense_calc.analysis.difference import compare_models
from dense_calc.api import load, summarize
from dense_calc.errors import SpecError
from dense_calc.keras_format.optimizers import parse_optimizer, with_optimizer
from dense_calc.keras_format.writer import to_keras
from dense_calc.spec_language.spec_writer import format_spec
from dense_calc.tracing.tracer import trace

File = Callable[[str], str]

WRAPPED = """\
inputs: {x: [5, 8], y: [8]}
layers:
  - TimeDistributed: {name: each, layer: {reuse: dense}, from: x}
  - Dense: {units: 8, from: y}
"""
# a cell in an RNN, blocks, a second call of the wrapper, a kernel that is normalized
MANY = """\
vars: {units: 8}
inputs: {x: [5, 8], h: [8]}
blocks:
  part: [Dense: {units: 8, name: d}, TimeDistributed: {layer: {reuse: d}}]
layers:
  - part: {repeat: 3, from: x}
  - TimeDistributed: {layer: {reuse: part_1/d}, name: last}
  - {reuse: last}
  - SpectralNormalization: {layer: {reuse: part_2/d}}
  - RNN: {cell: [{GRUCell: {units: 8}}, {reuse: c}]}
  - RNN: {cell: {LSTMCell: {units: units}}, name: other, from: last}
  - GRUCell: {units: units, name: c, from: [other, h]}
outputs: ["c[0]", other, rnn]
"""

# a spec → Keras' parameters of each of its layers that has any, and of the whole
MODELS: dict[str, tuple[str, list[int], int]] = {
    "a wrapper": (WRAPPED, [72, 72], 72),
    "two wrappers of a layer that no output needs": (
        """\
        inputs: {x: [5, 8], y: [8]}
        layers:
          - Dense: {units: 8, from: y}
          - TimeDistributed: {layer: {reuse: dense}, from: x}
          - TimeDistributed: {layer: {reuse: dense}, from: x}
        outputs: [time_distributed, time_distributed_1]
        """,
        [72, 72],
        72,
    ),
    "a wrapper in a wrapper": (
        """\
        input: [3, 5, 8]
        layers:
          - TimeDistributed: {layer: {TimeDistributed: {layer: {reuse: d}}}}
          - Dense: {units: 8, name: d}
        """,
        [72, 72],
        72,
    ),
    "the other direction": (
        """\
        input: [5, 8]
        layers:
          - Bidirectional:
              layer: {LSTM: {units: 4, return_sequences: true}}
              backward_layer: {reuse: back}
          - LSTM: {units: 4, return_sequences: true, go_backwards: true, name: back, from: input}
        """,
        [416, 208],
        416,
    ),
    "one of several": (
        """\
        inputs: {x: [8], y: [4]}
        layers:
          - Pipeline: {layers: [{Dense: {units: 4, name: a}}, {reuse: b}], from: x}
          - Dense: {units: 8, name: b, from: y}
        """,
        [76, 40],
        76,
    ),
    "a wrapper of a model inside": (
        """\
        inputs: {x: [5, 8], y: [8]}
        layers:
          - Functional: {name: m, input: [8], layers: [Dense: {units: 8}], from: y}
          - TimeDistributed: {layer: {reuse: m}, from: x}
        """,
        [72, 72],
        72,
    ),
    "many": (MANY, [72, 72, 72, 72, 72, 72, 72, 544, 80, 432, 864], 1632),
}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    """Write a spec into a file, and give its path."""

    def written(spec: str) -> str:
        path = tmp_path / "m.yaml"
        path.write_text(dedent(spec))
        return str(path)

    return written


@pytest.mark.parametrize(("spec", "params", "total"), MODELS.values(), ids=MODELS)
def test_weights_of_one_layer_count_once(
    file: File, spec: str, params: list[int], total: int
) -> None:
    report = summarize(file(spec))
    assert [row.params for row in report.layers if row.params] == params
    assert report.total_params == total
    held = [weight for row in report.layers for weight in row.weights]
    assert sum(weight.params for weight in held if not weight.shared_with) == total
    assert report.total_bytes == 4 * total


def test_what_is_shared_within_a_model_inside_counts_once_around_it(file: File) -> None:
    inside = "TimeDistributed: {layer: {reuse: dense}}"
    report = summarize(
        file(
            f"input: [5, 8]\nlayers: [Functional: {{input: [5, 8], "
            f"layers: [Dense: {{units: 8}}, {inside}]}}]"
        )
    )
    assert [row.params for row in report.layers] == [72]
    assert [row.params for row in report.layers[0].layers] == [0, 72, 72]
    assert report.total_params == 72


def test_a_weight_names_the_row_in_which_it_counts(file: File) -> None:
    *_, each, dense = summarize(file(WRAPPED)).layers
    assert [weight.shared_with for weight in each.weights] == [None, None]
    assert [weight.shared_with for weight in dense.weights] == ["each", "each"]


def test_what_is_frozen_is_frozen_in_all_layers(file: File) -> None:
    report = summarize(file(WRAPPED.replace("units: 8,", "units: 8, trainable: false,")))
    assert [row.trainable_params for row in report.layers] == [0, 0, 0, 0]
    assert (report.non_trainable_params, report.trainable_params) == (72, 0)


@pytest.mark.parametrize("spec", [WRAPPED, MANY], ids=["wrapped", "many"])
def test_a_spec_is_written_with_what_it_shares(file: File, spec: str) -> None:
    report = summarize(file(spec))
    again = summarize(file(format_spec(load(file(spec)))))
    assert [row.params for row in again.layers] == [row.params for row in report.layers]
    assert again.total_params == report.total_params


def test_keras_json_cannot_say_what_is_shared(file: File) -> None:
    with pytest.raises(SpecError, match="Keras would load two layers, and count both"):
        to_keras(load(file(WRAPPED)))


@pytest.mark.parametrize(("units", "total"), [(1, 9), (4, 36)])
def test_a_setting_reaches_the_layer_inside(file: File, units: int, total: int) -> None:
    assert summarize(file(WRAPPED), **{"dense.units": units}).total_params == total


def test_a_var_reaches_the_layer_inside(file: File) -> None:
    spec = f"vars: {{units: 8}}\n{WRAPPED}".replace("units: 8,", "units: units,")
    rows = sweep(file(spec), {"units": range(2, 6)})
    assert [row["total_params"] for row in rows] == [18, 27, 36, 45]


@pytest.mark.parametrize("setting", ["each.layer.units", "each.layer"])
def test_a_setting_of_the_layer_inside_is_told_where_to_go(file: File, setting: str) -> None:
    with pytest.raises(SpecError, match=r"an argument of it is set by dense\.ARGUMENT=VALUE"):
        summarize(file(WRAPPED), **{setting: 4})


def test_a_setting_cannot_call_a_layer_again(file: File) -> None:
    with pytest.raises(SpecError, match="a setting cannot call a layer again"):
        summarize(file(MANY), **{"other.cell": {"reuse": "c"}})


def test_a_difference_counts_once(file: File) -> None:
    old = load(file(WRAPPED))
    new = load(file(WRAPPED.replace("units: 8,", "units: 9,")))
    found = compare_models(old, new, "old", "new")
    assert found.total_params.change == 9
    assert sum(change.change for change in found.layers) == 9
    assert {change.name for change in found.layers} == {"each", "dense"}


def test_limits_count_once(run: Run, file: File) -> None:
    spec = MANY + "budget: {layers: {part: {params: 216}}}\n"
    assert run("check", file(spec)).returncode == 0
    assert run("check", file(spec.replace("216", "215"))).returncode == 1


def test_explain_says_where_a_weight_counts(run: Run, file: File) -> None:
    result = run("explain", file(WRAPPED), "dense")
    assert "kernel  inputs 8 × units 8 = 64, shared with each" in result.stdout


def test_an_optimizer_keeps_what_is_shared_once(file: File) -> None:
    report = with_optimizer(trace(load(file(WRAPPED))), parse_optimizer("adam"))
    assert report.optimizer_params == 2 * 72 + 2
