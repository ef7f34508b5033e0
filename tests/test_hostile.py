"""Hostile files: whatever stands in them, the answer is a report or one message."""

from __future__ import annotations

import json
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


PUNCTUATION = [*"&*-:?|>'#,[]{}\"\n", "&a", "*a", "!!str", "[]", "{}"]
NUMBERS = ["-1", "0", "3", "2.5", "null", "10*w", "yes", "true", "same", "relu"]
SECTIONS = ["input", "inputs", "layers", "name", "vars", "from", "type", "\n  ", "\n", "\t"]
NAMES = [
    "activation", "activity_regularizer", "axis", "batch_shape", "bias_initializer",
    "data_format", "dilation_rate", "dtype", "filters", "from", "groups", "input_dim",
    "input_shape", "kernel_constraint", "kernel_initializer", "kernel_size", "name", "padding",
    "pool_size", "quantization_config", "rate", "renorm", "renorm_clipping", "shape", "strides",
    "target_shape", "units",
]  # fmt: skip
WORDS = st.sampled_from([*PUNCTUATION, *NUMBERS, *SECTIONS, *NAMES, "class_name", "config", *KINDS])


def complaint_or_nothing(text: str) -> str:
    """What is said of a spec, which may be sound."""
    try:
        report = report_of(text)
    except DenseCalcError as error:
        return str(error)
    for format in FORMATS if len(report.layers) < 100 else ("text", "json"):
        assert rendered([report], format, Style(width=50))
    return ""


@settings(max_examples=400)
@given(st.lists(WORDS, max_size=40))
def test_no_heap_of_words_breaks_it(words: list[str]) -> None:
    assert all(line.isprintable() for line in complaint_or_nothing(" ".join(words)).splitlines())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)


@settings(max_examples=600)
@given(st.lists(st.tuples(st.sampled_from(list(KINDS)), ARGUMENTS), min_size=1, max_size=3), VALUES)
def test_no_arguments_break_it(layers: list[tuple[str, Any]], shape: Any) -> None:
    spec = {"input": shape, "layers": [{kind: arguments} for kind, arguments in layers]}
    complaint = complaint_or_nothing(json.dumps(spec))
    assert not complaint or complaint.startswith("m.yaml:")


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
def test_a_large_file_is_answered_in_a_line_or_in_full(text: str) -> None:
    assert len(complaint_or_nothing(text)) < 1000
