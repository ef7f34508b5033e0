"""Hostile files: whatever stands in them, the answer is a report or one message."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers import KINDS
from dense_calc.render import FORMATS, Style, rendered
from dense_calc.report import Report
from dense_calc.spec import parse
from dense_calc.tracing import trace


def report_of(text: str) -> Report:
    """The report on a spec."""
    return trace(parse(Source("m.yaml", text), "m", {}))


WORDS = st.sampled_from(
    ["input", "inputs", "layers", "name", "vars", "from", "type", "units", "filters", "kernel_size", "padding", "axis", "shape", "target_shape", "rate", "activation", "width", "10*w", "w", "null", "-1", "0", "3", "2.5", "same", "[]", "{}", "yes", "true", "relu", "&", "*", "-", ":", "?", "&a", "*a", "!!str", "|", ">", "'", '"', "#", ",", "[", "]", "{", "}", "\n", "\n", "", "\t"]
    + list(KINDS)
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=40))
def test_no_heap_of_words_breaks_it(words: list[str]) -> None:
    try:
        report_of(" ".join(words))
    except DenseCalcError as error:
        assert all(line.isprintable() for line in str(error).splitlines())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(
        ["units", "filters", "kernel_size", "strides", "padding", "axis", "target_shape", "rate", "from", "name", "dtype", "activation", "pool_size", "data_format", "shape", "batch_shape", "groups", "dilation_rate"]
    ),
    VALUES,
    max_size=4,
)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), ARGUMENTS), min_size=1, max_size=3), VALUES)
def test_no_arguments_break_it(layers: list[tuple[str, Any]], shape: Any) -> None:
    import json

    spec = {"input": shape, "layers": [{kind: arguments} for kind, arguments in layers]}
    try:
        report = report_of(json.dumps(spec))
    except DenseCalcError as error:
        assert str(error).startswith("m.yaml:")
        return
    for format in FORMATS:
        assert rendered([report], format, Style(width=50))


LARGE = {
    "many layers": "input: [3]\nlayers:\n" + "  - ReLU\n" * 50_000,
    "many branches": "input: [3]\nlayers:\n" + "  - ReLU: {from: input}\n" * 30_000,
    "many inputs": "inputs: {"
    + ", ".join(f"i{n}: [3]" for n in range(30_000))
    + "}\nlayers: [ReLU: {from: i0}]",
    "a wide merge": f"input: [3]\nlayers:\n  - Add: {{from: [{', '.join(['input'] * 50_000)}]}}",
    "a mistake among many": "input: [3]\nlayers:\n"
    + "  - ReLU\n" * 50_000
    + "  - Dense: {unit: 3}",
    "an unknown name among many": "input: [3]\nlayers:\n"
    + "  - ReLU\n" * 50_000
    + "  - ReLU: {from: re_lu_5000000}",
    "a long circle": "input: [3]\nlayers:\n"
    + "".join(f"  - ReLU: {{name: n{n}, from: n{(n + 1) % 20_000}}}\n" for n in range(20_000)),
    "one long line": "input: [3]\nlayers: [" + "ReLU, " * 50_000 + "Dense]",
    "a long name": f"input: [3]\nlayers: [ReLU: {{name: {'n' * 1_000_000}}}]",
    "a long key": f"input: [3]\nlayers: [ReLU: {{{'n' * 100_000}: 3}}]",
    "a shape of many axes": f"input: [{', '.join(['3'] * 100_000)}]\nlayers: [Flatten]",
    "a large product": f"input: [{', '.join(['9223372036854775807'] * 63)}]\n"
    "layers: [Flatten, Dense: {units: 9223372036854775807}]",
    "a large reshape": "input: [null]\nlayers: [Reshape: {target_shape: ["
    + ", ".join(["9223372036854775807"] * 63)
    + "]}, Flatten]",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_file_takes_time_in_proportion(text: str) -> None:
    start = time.process_time()
    try:
        rendered([report_of(text)], "text", Style(width=80))
    except DenseCalcError as error:
        assert len(str(error)) < 2000
    assert time.process_time() - start < 60  # a guard against hanging, not a measurement
