"""Runs, `{repeat: L, layers: [...]}`: what they mean, in counts, names and formulas."""

from __future__ import annotations

import pytest
from support.reports import reads, report_of, units

from dense_calc.errors import Source, SpecError
from dense_calc.files.loader import parse_variants
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_writer import format_spec


def test_a_run_stands_as_often_as_an_expression_says_with_automatic_names() -> None:
    report = report_of(
        """
        vars: {depth: 1}
        input: [3]
        layers:
          - Dense: {units: 5}
          - {repeat: 2 * depth, layers: [Dense: {units: 4}, ReLU]}
          - Dense: {units: 3}
        """
    )
    assert reads(report) == {
        "dense": "input",
        "dense_1": "dense",
        "re_lu": "dense_1",
        "dense_2": "re_lu",
        "re_lu_1": "dense_2",
        "dense_3": "re_lu_1",
    }


def test_index_counts_the_copies_and_that_of_a_run_inside_hides_it() -> None:
    report = report_of(
        """
        vars: {width: 10}
        input: [3]
        layers:
          - repeat: 2
            layers:
              - Dense: {units: width * (index + 1)}
              - {repeat: index + 1, layers: [Dense: {units: 100 + index}]}
        """
    )
    assert units(report) == [10, 100, 20, 100, 101]


def test_a_run_in_a_block_and_a_block_in_a_run() -> None:
    report = report_of(
        """
        input: [3]
        blocks:
          step:
            params: {n: 1}
            layers: [{repeat: n, layers: [Dense: {units: 10 * n + index}]}]
        layers:
          - step: {repeat: 2, n: index + 1}
          - {repeat: 2, layers: [step: {n: 3 - index}]}
        """
    )
    assert units(report) == [10, 20, 21, 30, 31, 32, 20, 21]
    assert [row.name for row in report.layers][-3:] == [
        "step_2/dense_2",
        "step_3/dense",
        "step_3/dense_1",
    ]


def test_index_is_known_in_all_that_a_layer_holds_and_reads() -> None:
    report = report_of(
        """
        input: [3, 4]
        layers:
          - repeat: 2
            layers:
              - TimeDistributed: {layer: {Dense: {units: 5 + index}}}
              - Sequential: {layers: [Dense: {units: 7 + index}]}
              - ops.Add: {from: [input, {constant: [index + 1, 1, 1]}]}
        """
    )
    shapes = {row.name: row.output_shape for row in report.layers if row.name != "input"}
    assert shapes == {
        "time_distributed": (None, 3, 5),
        "sequential": (None, 3, 7),
        "add": (None, 3, 4),
        "time_distributed_1": (None, 3, 6),
        "sequential_1": (None, 3, 8),
        "add_1": (2, 3, 4),
    }


def test_a_run_of_one_may_have_names() -> None:
    text = "input: [3]\nlayers: [{repeat: %d, layers: [Dense: {units: 2, name: a}]}]"
    assert parse_spec(Source("m.yaml", text % 1), "m").nodes[-1].name == "a"
    with pytest.raises(SpecError, match="that is repeated cannot have a name"):
        parse_spec(Source("m.yaml", text % 2), "m")


def test_a_setting_changes_how_often_a_run_stands() -> None:
    text = "vars: {depth: 2}\ninput: [3]\nlayers: [{repeat: depth, layers: [Dense: {units: 3}]}]"
    variants = parse_variants(Source("m.yaml", text), None, "m", {}, "m.yaml")
    model = variants.model_with({"depth": "4", "dense_2.units": "5"})
    assert [node.layer.units for node in model.nodes[1:]] == [3, 3, 5, 3]  # type: ignore[attr-defined]


def test_a_run_is_written_as_a_run() -> None:
    layers = "layers:\n  - repeat: 4\n    layers:\n      - Dense: {units: 3}\n      - ReLU\n"
    model = parse_spec(
        Source("m.yaml", f"vars: {{n: 4}}\ninput: [3]\n{layers}".replace("t: 4", "t: n")), "m"
    )
    assert format_spec(model) == f"name: m\ninput: [3]\n{layers}"


def test_the_first_layer_of_a_run_may_state_the_input() -> None:
    text = "layers: [{repeat: 2, layers: [Dense: {units: 3, input_dim: 3}]}]"
    assert report_of(text).total_params == 24
