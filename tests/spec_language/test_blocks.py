"""Blocks: what they mean, in shapes, counts and names."""

from __future__ import annotations

import pytest
from support.reports import reads, report_of, units

from dense_calc.errors import Source, SpecError
from dense_calc.spec_language import parse_spec
from dense_calc.spec_language.spec_size import MAX_LAYERS


def test_a_block_is_used_as_if_it_were_a_layer() -> None:
    report = report_of(
        """
        input: [3]
        blocks: {mlp: [Dense: {units: 5}, ReLU]}
        layers:
          - mlp
          - mlp: {name: own}
          - {type: mlp}
          - mlp:
          - ReLU: {from: own}
          - Add: {from: [mlp, mlp_2]}
        """
    )
    assert reads(report) == {
        "input": "",
        "mlp/dense": "input",
        "mlp/re_lu": "mlp/dense",
        "own/dense": "mlp/re_lu",
        "own/re_lu": "own/dense",
        "mlp_1/dense": "own/re_lu",
        "mlp_1/re_lu": "mlp_1/dense",
        "mlp_2/dense": "mlp_1/re_lu",
        "mlp_2/re_lu": "mlp_2/dense",
        "re_lu": "own/re_lu",
        "add": "mlp/re_lu mlp_2/re_lu",
    }


def test_repeats_are_numbered_and_go_on_counting() -> None:
    report = report_of(
        """
        input: [3]
        vars: {depth: 2}
        blocks: {mlp: {params: {n: 3}, layers: [Dense: {units: n}]}}
        layers:
          - mlp: {repeat: depth}
          - mlp
          - mlp: {repeat: depth - 1, n: 7}
          - mlp: {repeat: 2, name: own}
          - ReLU: {from: mlp_1}
          - ReLU: {from: own}
          - ReLU: {from: own_0/dense}
          - ReLU: {from: mlp}
        """
    )
    assert reads(report) == {
        "input": "",
        "mlp_0/dense": "input",
        "mlp_1/dense": "mlp_0/dense",
        "mlp_2/dense": "mlp_1/dense",
        "mlp_3/dense": "mlp_2/dense",
        "own_0/dense": "mlp_3/dense",
        "own_1/dense": "own_0/dense",
        "re_lu": "mlp_1/dense",
        "re_lu_1": "own_1/dense",
        "re_lu_2": "own_0/dense",
        "re_lu_3": "mlp_1/dense",
    }
    assert [(block.name, len(block.copies), block.output) for block in report.blocks] == [
        ("mlp", 2, "mlp_1/dense"),
        ("mlp_2", 1, "mlp_2/dense"),
        ("mlp_3", 1, "mlp_3/dense"),
        ("own", 2, "own_1/dense"),
    ]


def test_index_counts_in_the_block_and_in_what_its_use_gives() -> None:
    report = report_of(
        """
        input: [3]
        blocks:
          inner: {params: [n], layers: [Dense: {units: n + 10 * index}]}
          outer: [inner: {n: index + 1}, inner: {repeat: 2, n: 100 * (index + 1)}]
        layers:
          - outer: {repeat: 2}
          - inner: {n: 7}
        """
    )
    assert units(report) == [1, 100, 210, 2, 100, 210, 7]


def test_parameters_have_defaults_which_may_use_vars_and_each_other() -> None:
    report = report_of(
        """
        input: [3]
        vars: {width: 4, n: 1000}
        blocks:
          mlp:
            params: {n: width, inner: 2 * n}
            layers: [Dense: {units: inner}, Dense: {units: n}]
        layers: [mlp, mlp: {n: 5}, mlp: {inner: n}, Dense: {units: n}]
        """
    )
    assert units(report) == [8, 4, 10, 5, 1000, 4, 1000]


def test_a_parameter_may_be_a_word_a_truth_a_list_or_nothing() -> None:
    report = report_of(
        """
        input: [9, 9, 1]
        vars: {two: 2}
        blocks:
          conv:
            params: {size: 3, padding: same, bias: true, act: relu}
            layers:
              - Conv2D:
                  {filters: 4, kernel_size: size, padding: padding, use_bias: bias, activation: act}
          outer: {params: [p], layers: [conv: {padding: p, act: null}]}
        layers:
          - conv
          - conv: {size: [1, two + 1], padding: valid, bias: false}
          - outer: {p: valid}
        """
    )
    assert [(row.output_shape, row.params) for row in report.layers] == [
        ((None, 9, 9, 4), 40),
        ((None, 9, 7, 4), 48),
        ((None, 7, 5, 4), 148),
    ]


def test_a_block_may_have_several_inputs_of_which_the_first_goes_from_copy_to_copy() -> None:
    report = report_of(
        """
        inputs: {x: [4], m: [4]}
        blocks:
          mix:
            inputs: [a, memory]
            layers: [Dense: {units: 4, from: a}, Add: {from: [dense, memory]}]
        layers:
          - mix: {repeat: 2, from: [x, m]}
          - mix: {from: {memory: x, a: m}, name: named}
        """
    )
    found = reads(report)
    assert found["mix_0/dense"] == "x"
    assert found["mix_0/add"] == "mix_0/dense m"
    assert found["mix_1/dense"] == "mix_0/add"
    assert found["mix_1/add"] == "mix_1/dense m"
    assert found["named/dense"] == "m"
    assert found["named/add"] == "named/dense x"


@pytest.mark.parametrize(
    ("given", "one", "other"), [("[x, m]", "0", "1"), ("{p: x, q: m}", "p", "q")]
)
def test_an_input_without_names_may_be_several(given: str, one: str, other: str) -> None:
    report = report_of(
        f"""
        inputs: {{x: [4], m: [4]}}
        blocks:
          mix: [Subtract: {{from: ["input[{one}]", "input[{other}]"]}}]
        layers:
          - mix: {{repeat: 2, from: {given}}}
        """
    )
    assert reads(report)["mix_0/subtract"] == "x m"
    assert reads(report)["mix_1/subtract"] == "mix_0/subtract m"


def test_a_block_may_be_given_one_output_of_a_layer() -> None:
    report = report_of(
        """
        input: [5, 3]
        blocks:
          head: [Dense: {units: 2}]
          last: [ReLU: {from: "input[1]"}]
        layers:
          - LSTM: {units: 4, return_state: true, return_sequences: true}
          - head: {from: "lstm[1]"}
          - last: {from: lstm}
        """
    )
    assert [row.output_shape for row in report.layers[-2:]] == [(None, 2), (None, 4)]


def test_a_block_reads_the_models_own_layers_but_not_the_names_around_its_use() -> None:
    report = report_of(
        """
        input: [4]
        blocks:
          inner: [Add: {from: [input, seen]}]
          outer: [Dense: {units: 4, name: seen}, inner]
        layers:
          - Dense: {units: 4, name: seen}
          - outer
          - inner: {from: later}
          - Dense: {units: 4, name: later, from: outer}
        """
    )
    assert reads(report)["outer/inner/add"] == "outer/seen seen"
    assert reads(report)["inner/add"] == "later seen"


def test_names_may_be_used_before_they_are_defined() -> None:
    report = report_of(
        """
        input: [4]
        blocks:
          pair: [Add: {from: [b, input]}, Dense: {units: 4, name: b, from: input}]
        layers:
          - Add: {from: [pair, pair/add]}
          - pair: {from: input}
        """
    )
    assert reads(report)["add"] == "pair/b pair/add"


def test_as_many_layers_as_there_may_be() -> None:
    text = "input: [3]\nblocks: {b: [ReLU]}\nlayers: [b: {repeat: %d}]"
    assert len(parse_spec(Source("m", text % MAX_LAYERS), "m").nodes) == MAX_LAYERS + 1
    with pytest.raises(SpecError, match="at most 100,000 are allowed"):
        parse_spec(Source("m", text % (MAX_LAYERS + 1)), "m")


def test_a_block_may_hold_numbers_and_masks() -> None:
    report = report_of("""
        inputs: {words: {shape: [7], dtype: int32}}
        blocks:
          masked:
            - Embedding: {input_dim: 9, output_dim: 4, name: vectors}
            - ops.NotEqual: {from: [input, 0], name: told}
            - GlobalAveragePooling1D: {from: {inputs: vectors, mask: told}}
            - ops.Multiply: {from: [0.5, global_average_pooling1d]}
        layers: [masked: {repeat: 1, name: a}]
    """)
    rows = {row.name: row for row in report.layers}
    assert rows["a_0/global_average_pooling1d"].connected_to == ("a_0/vectors", "a_0/told")
    assert rows["a_0/multiply"].connected_to == ("a_0/global_average_pooling1d",)
    assert report.outputs[0].shape == (None, 4)


def test_a_model_inside_may_have_an_input_that_is_called_mask() -> None:
    report = report_of("""
        inputs: {x: [4], m: [4]}
        layers:
          - Functional:
              from: {tokens: x, mask: m}
              inputs: {tokens: [4], mask: [4]}
              layers: [Multiply: {from: [tokens, mask]}]
    """)
    assert report.layers[-1].connected_to == ("m", "x")
