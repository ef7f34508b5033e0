"""Layers and blocks that are called again, and the outputs of a model."""

from __future__ import annotations

import pytest
from support.reports import names, report_of


def test_a_shared_layer_counts_once() -> None:
    report = report_of(
        """
        inputs: {a: [3], b: [3]}
        layers:
          - Dense: {units: 4, name: shared, from: a}
          - {reuse: shared, from: b}
          - {reuse: shared_1, from: a, name: third}
        """
    )
    assert [(row.name, row.params, row.shared_with) for row in report.layers[2:]] == [
        ("shared", 16, None),
        ("shared_1", 0, "shared"),
        ("third", 0, "shared"),
    ]
    assert report.total_params == 16
    assert not report.layers[3].weights


def test_the_weights_of_a_layer_count_though_its_first_call_is_left_out() -> None:
    report = report_of(
        """
        inputs: {a: [3], b: [3]}
        layers:
          - Dense: {units: 4, name: shared, from: a}
          - {reuse: shared, from: b, name: again}
        outputs: again
        """
    )
    assert report.unused == ("shared",)
    assert report.total_params == 16
    assert report.layers[-1].shared_with is None


def test_a_call_has_arguments_of_its_own() -> None:
    report = report_of(
        """
        input: {shape: [5], dtype: int32}
        layers:
          - ReversibleEmbedding: {input_dim: 9, output_dim: 4, name: e}
          - {reuse: e, reverse: true}
          - Activation: {activation: softmax}
          - MultiHeadAttention:
              {num_heads: 2, key_dim: 3, from: [e, e], return_attention_scores: true}
        """
    )
    assert {row.name: row.output_shape for row in report.layers} == {
        "input": (None, 5),
        "e": (None, 5, 4),
        "e_1": (None, 5, 9),
        "activation": (None, 5, 9),
        "multi_head_attention": ((None, 5, 4), (None, 2, 5, 5)),
    }


def test_a_block_is_called_again_with_its_weights() -> None:
    report = report_of(
        """
        inputs: {left: [3], right: [3]}
        blocks:
          inner: [Dense: {units: 3}]
          tower: [inner: {repeat: 2}, {reuse: inner_0/dense}, {reuse: inner}]
        layers:
          - tower: {from: left}
          - {reuse: tower, from: right}
          - {reuse: tower_1/inner_1, name: part, from: tower}
          - Subtract: {from: [tower, tower_1]}
        """
    )
    assert report.total_params == 24
    shared = {row.name: row.shared_with for row in report.layers if row.shared_with}
    assert shared == {
        "tower/dense_1": "tower/inner_0/dense",
        "tower/inner_2_0/dense": "tower/inner_0/dense",
        "tower/inner_2_1/dense": "tower/inner_1/dense",
        "tower_1/inner_0/dense": "tower/inner_0/dense",
        "tower_1/inner_1/dense": "tower/inner_1/dense",
        "tower_1/dense_1": "tower/inner_0/dense",
        "tower_1/inner_2_0/dense": "tower/inner_0/dense",
        "tower_1/inner_2_1/dense": "tower/inner_1/dense",
        "part/dense": "tower/inner_1/dense",
    }


def test_the_copies_of_a_block_may_share_a_layer_of_the_model() -> None:
    report = report_of(
        """
        input: [4]
        blocks: {step: [{reuse: shared}, ReLU]}
        layers:
          - Dense: {units: 4, name: shared}
          - step: {repeat: 3}
        """
    )
    assert report.total_params == 20
    assert names(report) == (
        "input shared step_0/shared_1 step_0/re_lu step_1/shared_1 step_1/re_lu "
        "step_2/shared_1 step_2/re_lu"
    )


def test_a_layer_of_the_model_is_called_again_by_its_name_in_a_block() -> None:
    report = report_of(
        """
        input: [4]
        blocks: {step: [{reuse: shared}, {reuse: shared_1}]}
        layers:
          - Dense: {units: 4, name: shared}
          - step
          - {reuse: step/shared_1, name: again}
        """
    )
    assert report.total_params == 20
    assert [row.shared_with for row in report.layers] == [None, None, *["shared"] * 3]


def test_outputs_are_what_they_are_said_to_be() -> None:
    report = report_of(
        """
        input: [5, 3]
        layers:
          - LSTM: {units: 4, return_state: true, name: a}
          - Dense: {units: 2, from: "a[0]", name: b}
          - Dense: {units: 7, name: c}
        outputs: ["a[2]", b]
        """
    )
    assert [(port.name, port.shape) for port in report.outputs] == [
        ("a[2]", (None, 4)),
        ("b", (None, 2)),
    ]
    assert report.unused == ("c",)
    assert names(report) == "input a b"


def test_outputs_may_have_names_of_their_own() -> None:
    report = report_of(
        """
        input: [3]
        layers: [Dense: {units: 4}, Dense: {units: 2, from: input}]
        outputs: {features: dense, scores: dense_1}
        """
    )
    assert [(port.name, port.shape) for port in report.outputs] == [
        ("features", (None, 4)),
        ("scores", (None, 2)),
    ]


def test_a_constant_takes_vars_and_the_index_of_a_copy() -> None:
    report = report_of(
        """
        vars: {width: 4}
        input: [8, 1]
        blocks:
          scaled:
            - ops.Multiply: {from: [input, index + width]}
            - ops.Add: {from: [multiply, {constant: [8, width * (index + 1) // (index + 1)]}]}
        layers:
          - scaled: {repeat: 2}
        """
    )
    assert [row.output_shape for row in report.layers] == [(None, 8, 1), (None, 8, 1)] + [
        (None, 8, 4)
    ] * 3


def test_a_word_in_a_constant_is_first_a_layer() -> None:
    report = report_of(
        """
        vars: {width: 4}
        input: [8]
        layers:
          - Dense: {units: 8, name: width}
          - ops.Add: {from: [input, width]}
        """
    )
    assert report.layers[-1].connected_to == ("input", "width")


@pytest.mark.parametrize("argument", ["input_shape: [784]", "batch_input_shape: [null, 784]"])
def test_an_input_layer_takes_the_older_names_of_its_shape(argument: str) -> None:
    for spec in (
        f"layers: [InputLayer: {{{argument}}}, Dense: {{units: 10}}]",
        f"input: {{{argument}}}\nlayers: [Dense: {{units: 10}}]",
    ):
        assert report_of(spec).total_params == 7850


def test_an_older_name_replaces_the_new_one() -> None:
    report = report_of("layers: [InputLayer: {shape: [3], input_shape: [784]}, Dense: {units: 10}]")
    assert report.total_params == 7850
