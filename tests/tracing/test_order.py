"""The order of a graph's layers, names and wiring."""

from __future__ import annotations

import pytest

from dense_calc.errors import Source
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace


def report_of(text: str) -> Report:
    """The report on a spec."""
    return trace(parse_spec(Source("spec", text), "spec"))


# Row by row what Keras 3.15.1's summary lists for the same graph.
KERAS_ORDER = {
    "a late input stands above what reads it": (
        """
        inputs: {first: [8], late: [4]}
        layers:
          - Dense: {units: 8, name: a, from: first}
          - Dense: {units: 4, name: b}
          - Concatenate: {name: c, from: [b, late]}
          - Dense: {units: 2, name: d, from: first}
        """,
        "first a b late c d",
    ),
    "the longer branch comes first": (
        """
        input: [8]
        layers:
          - Dense: {units: 4, name: short}
          - Dense: {units: 4, name: long1, from: input}
          - Dense: {units: 4, name: long2}
          - Add: {name: sum, from: [short, long2]}
        """,
        "input long1 short long2 sum",
    ),
    "an unused input goes with the outputs": (
        """
        inputs: {used: [3], unused: [4]}
        layers:
          - Dense: {units: 2, name: a, from: used}
        """,
        "used unused a",
    ),
    "a name may be used before it is defined": (
        """
        input: [3]
        layers:
          - Dense: {units: 2, name: last, from: first}
          - Dense: {units: 4, name: first, from: input}
        """,
        "first last",
    ),
}


@pytest.mark.parametrize(("text", "order"), KERAS_ORDER.values(), ids=KERAS_ORDER)
def test_rows_stand_in_keras_order(text: str, order: str) -> None:
    assert [row.name for row in report_of(text).layers] == order.split()


def test_automatic_names_are_keras_and_leave_given_ones_alone() -> None:
    report = report_of(
        """
        input: [8, 8, 1]
        layers:
          - Conv2D: {filters: 1, kernel_size: 1}
          - Conv2D: {filters: 1, kernel_size: 1, name: own}
          - Convolution2D: {filters: 1, kernel_size: 1}
          - ReLU
          - GlobalAveragePooling2D
          - {type: Dense, units: 3, name: dense_1}
          - Dense: {units: 3}
          - Dense: {units: 3}
        """
    )
    names = "conv2d own conv2d_1 re_lu global_average_pooling2d dense_1 dense dense_2"
    assert [row.name for row in report.layers] == names.split()


@pytest.mark.parametrize(
    "entry",
    [
        "input: [3]\nlayers: [",
        "input: {shape: [3]}\nlayers: [",
        "inputs: {input: [3]}\nlayers: [",
        "layers: [{InputLayer: {shape: [3]}}, ",
        "layers: [{Input: {batch_shape: [null, 3]}}, ",
    ],
)
def test_an_input_can_be_said_in_several_ways(entry: str) -> None:
    assert report_of(entry + "{Dense: {units: 2}}]").layers[-1].params == 8


@pytest.mark.parametrize("legacy", ["input_shape: [3]", "input_dim: 3"])
def test_the_first_layer_may_give_the_input_as_in_sequential(legacy: str) -> None:
    report = report_of(f"layers: [{{Dense: {{units: 2, {legacy}}}}}]")
    assert report.inputs[0].shape == (None, 3)


def test_an_object_may_stand_for_a_name_as_in_a_keras_file() -> None:
    report = report_of(
        """
        input: [3]
        layers:
          - Dense:
              units: 2
              activation: {module: keras, class_name: ReLU, config: {}}
              kernel_initializer: {class_name: Orthogonal}
              kernel_regularizer: {class_name: L2, config: {l2: 0.01}, registered_name: null}
        """
    )
    assert report.total_params == 8


def test_a_batch_size_is_carried_along() -> None:
    report = report_of("input: {shape: [3], batch_size: 7}\nlayers: [{Dense: {units: 2}}]")
    assert report.outputs[0].shape == (7, 2)
