"""Maps of dtype policies: each layer takes what stands under its path; the values are Keras'."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers.arguments.policy_maps import matches_path
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

HALF = {"class_name": "DTypePolicy", "config": {"name": "float16"}}
INT8 = {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": None}}
LAYERS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "Dense": ([5], {"units": 3}),
    "GRU": ([4, 5], {"units": 2}),
    "ConvLSTM1D": ([4, 5, 6], {"filters": 2, "kernel_size": 1}),
    "MultiHeadAttention": ([4, 5], {"num_heads": 2, "key_dim": 3, "from": ["input", "input"]}),
    "TimeDistributed": ([4, 5], {"layer": {"Dense": {"units": 3}}}),
}


def report_of(kind: str, policies: dict[str, Any], default: Any = None) -> Report:
    """The report on a model of one layer, 'm', with a map of policies."""
    shape, arguments = LAYERS[kind]
    config = {"default_policy": default, "policy_map": policies}
    dtype = {"class_name": "DTypePolicyMap", "config": config}
    spec = {"input": shape, "layers": [{kind: {**arguments, "name": "m", "dtype": dtype}}]}
    return trace(parse_spec(Source("m.yaml", json.dumps(spec)), "m"))


@pytest.mark.parametrize(
    ("kind", "policies", "default", "dtypes"),
    [
        ("Dense", {"m": "bfloat16"}, "float32", {"bfloat16"}),
        ("Dense", {"m": HALF}, None, {"float16"}),
        ("Dense", {"other": "bfloat16"}, HALF, {"float16"}),
        ("Dense", {"m": INT8}, None, {"float32", "int8"}),
        ("GRU", {"m/gru_cell": "float64"}, None, {"float64"}),
        ("GRU", {"m": "float64"}, None, {"float32"}),
        ("ConvLSTM1D", {".*cell": "float64"}, None, {"float64"}),
        ("MultiHeadAttention", {"m": "bfloat16"}, None, {"float32"}),
        (
            "MultiHeadAttention",
            {"m/query": "float16", "m/.*y": "bfloat16"},
            None,
            {"float16", "bfloat16", "float32"},
        ),
        ("TimeDistributed", {".*": "bfloat16"}, None, {"float32"}),  # the Dense has no map
    ],
)
def test_each_layer_has_the_policy_under_its_path(
    kind: str, policies: dict[str, Any], default: Any, dtypes: set[str]
) -> None:
    rows = report_of(kind, policies, default).layers
    assert {weight.dtype for row in rows for weight in row.weights} == dtypes


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ({".*y": "bfloat16", "m/q.*": "float16"}, "'.*y' and 'm/q.*' of the map of dtype policies"),
        ({"(a+)+": "bfloat16"}, "of patterns in policy_map only '.*' is read, not '(a+)+'"),
        ({"m": "float17"}, "a policy in a map is a name or a class and its config, not "),
        ({"m": 16}, "a policy in a map is a name or a class and its config, not "),
        (["m"], "policy_map is a mapping of paths to policies"),
    ],
)
def test_a_map_that_cannot_be_read_is_told(policies: Any, said: str) -> None:
    with pytest.raises(DenseCalcError) as caught:
        report_of("MultiHeadAttention", policies)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("a", "a", False),  # which is no pattern
        (".*", "a/b", True),
        ("a/.*", "a/b/c", True),
        ("a/.*", "a", False),
        (".*b.*d", "abcd", True),
        (".*bc.*cd", "abcd", False),
        ("a.*a", "a", False),
        (".*b.*b.*b.*", "abab", False),
    ],
)
def test_a_pattern_matches_a_whole_path(pattern: str, path: str, fits: bool) -> None:
    assert matches_path(pattern, path) == fits
