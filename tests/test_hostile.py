"""Hostile files: whatever stands in them, the answer is a report or one message."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from cases import Case, read_facts
from graphs import random_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from ours import answer_of

from dense_calc.analysis.budget import broken_check_result, check_limits, check_result
from dense_calc.analysis.difference import compare_models, fold_copies
from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.quantities import limit_kinds
from dense_calc.render import GRID_FORMATS, REPORT_FORMATS, Style, render_grids, render_reports
from dense_calc.render.checks import VERDICT_FORMATS as CHECK_FORMATS
from dense_calc.render.checks import render_verdicts as checks_rendered
from dense_calc.render.difference_grid import comparison_grid, comparisons_json
from dense_calc.report import Report
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace


def report_of(text: str) -> Report:
    """The report on a spec."""
    return trace(parse_spec(Source("m.yaml", text), "m"))


PUNCTUATION = [*"&*-:?|>'#,[]{}\"\n", "&a", "*a", "!!str", "[]", "{}"]
NUMBERS = ["-1", "0", "3", "2.5", "null", "10*w", "yes", "true", "same", "relu"]
SECTIONS = [
    *("input", "inputs", "blocks", "layers", "outputs", "name", "vars", "expect", "from", "type"),
    *("params", "repeat", "reuse", "index", "budget", "size", "each", "\n  ", "\n", "\t"),
]
NAMES = [
    "from",
    *sorted({name for kind in KIND_MODULES for name in find_kind(kind).__struct_encode_fields__}),
]
WORDS = st.sampled_from(
    [*PUNCTUATION, *NUMBERS, *SECTIONS, *NAMES, "class_name", "config", *KIND_MODULES]
)


def complaint_or_nothing(text: str) -> str:
    """What is said of a spec, which may be sound."""
    try:
        report = report_of(text)
    except DenseCalcError as error:
        return str(error)
    for format in REPORT_FORMATS if len(report.layers) < 100 else ("text", "json"):
        assert render_reports([report], format, Style(width=50))
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
@given(
    st.lists(st.tuples(st.sampled_from(list(KIND_MODULES)), ARGUMENTS), min_size=1, max_size=3),
    VALUES,
)
def test_no_arguments_break_it(layers: list[tuple[str, Any]], shape: Any) -> None:
    spec = {"input": shape, "layers": [{kind: arguments} for kind, arguments in layers]}
    complaint = complaint_or_nothing(json.dumps(spec))
    assert not complaint or complaint.startswith("m.yaml:")


LIMITED = st.dictionaries(
    st.sampled_from([*limit_kinds(), "layers", "each", "max_params", "macs"])
    | st.sampled_from(["n0", "n*", "*", "n0/n1", "[", "in?"]),
    VALUES | st.sampled_from(["5M", "20MiB", "1e3", "-1", "n", ".nan", "1 k", "5%"]),
    max_size=3,
)


@settings(max_examples=600)
@given(st.integers(0, 10**6), LIMITED, st.dictionaries(WORDS, LIMITED, max_size=3))
def test_no_budget_breaks_it(seed: int, limits: Any, layers: Any) -> None:
    spec = random_spec(random.Random(seed)) | {"budget": {**limits, "layers": layers or limits}}
    try:
        model = parse_spec(Source("m.yaml", json.dumps(spec)), "m")
        found = check_result("m.yaml", check_limits(trace(model), model.limits))
    except DenseCalcError as error:
        found = broken_check_result("m.yaml", (), error)
    for format in CHECK_FORMATS:
        text = checks_rendered([found], format, Style(width=50))
        assert all(line.isprintable() for line in text.splitlines())


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), VALUES), max_size=3))
def test_no_change_breaks_a_comparison(seed: int, changes: list[tuple[int, Any]]) -> None:
    spec = random_spec(random.Random(seed))
    old = parse_spec(Source("old.yaml", json.dumps(spec)), "m")
    for number, value in changes:
        holder, key = places(spec)[number % len(places(spec))]
        holder[key] = value
    try:
        new = parse_spec(Source("m.yaml", json.dumps(spec)), "m")
        found = compare_models(old, new, "old.yaml", "m.yaml")
    except DenseCalcError:
        return
    assert sum(change.change for change in found.layers) == found.total_params.change
    assert comparisons_json([found], False, Style())
    for format in GRID_FORMATS:
        text = render_grids(
            [comparison_grid(fold_copies(found), Style(width=50))], format, Style(width=50)
        )
        assert all(line.isprintable() for line in text.splitlines())


def places(spec: Any) -> list[tuple[Any, Any]]:
    """Every list or mapping in a spec with each of its keys."""
    if not isinstance(spec, list | dict):
        return []
    keys = list(spec) if isinstance(spec, dict) else list(range(len(spec)))
    return [(spec, key) for key in keys] + [each for key in keys for each in places(spec[key])]


@settings(max_examples=600)
@given(st.integers(0, 10**6), st.lists(st.tuples(st.integers(0, 10**6), VALUES), max_size=3))
def test_no_change_to_a_graph_breaks_it(seed: int, changes: list[tuple[int, Any]]) -> None:
    spec = random_spec(random.Random(seed))
    for number, value in changes:
        holder, key = places(spec)[number % len(places(spec))]
        holder[key] = value
    complaint = complaint_or_nothing(json.dumps(spec))
    assert not complaint or complaint.startswith("m.yaml:")
    assert changes or not complaint


FACTS = read_facts()


@settings(max_examples=1500)
@given(st.sampled_from(FACTS), st.data())
def test_no_argument_breaks_a_kind(fact: Case, data: st.DataObject) -> None:
    kind = find_kind(fact["kind"])
    name = data.draw(st.sampled_from(kind.__struct_encode_fields__))
    arguments = {**fact["arguments"], name: data.draw(VALUES)}
    answer_of({**fact, "arguments": arguments})  # whatever it is, no traceback


SHAPES = st.lists(st.none() | st.integers(0, 2**63 - 1) | st.integers(0, 3), max_size=6)


@settings(max_examples=1500)
@given(st.sampled_from(FACTS), st.lists(SHAPES, min_size=1, max_size=4), st.booleans())
def test_no_inputs_break_a_kind(fact: Case, shapes: list[Any], nested: bool) -> None:
    answer_of({**fact, "inputs": [shapes[0], shapes[1:]] if nested and shapes[1:] else shapes})


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
    "a block repeated without end": "input: [3]\nblocks: {b: [ReLU]}\nlayers: [b: {repeat: 1e12}]",
    "a block repeated many times, many times": "input: [3]\nblocks: {b: [ReLU]}\nlayers:\n"
    + "  - b: {repeat: 200000}\n" * 10_000,
    "blocks that double": "input: [3]\nblocks:\n  b0: [ReLU, ReLU]\n"
    + "".join(f"  b{n}: [b{n - 1}, b{n - 1}]\n" for n in range(1, 20))
    + "layers: [b19]",
    "copies that grow": "input: [3]\nblocks:\n  b: {params: [n], layers: [c: {repeat: 1 + n}]}\n"
    "  c: [ReLU]\nlayers: [b: {repeat: 20000, n: 1000 * index}]",
    "a long chain of blocks": "input: [3]\nblocks:\n  b0: [ReLU]\n"
    + "".join(f"  b{n}: [b{n - 1}]\n" for n in range(1, 10_000))
    + "layers: [b9999]",
    "a long chain of second calls": "input: [3]\nlayers:\n"
    + "".join(f"  - {{reuse: r{n + 1}, name: r{n}}}\n" for n in range(20_000))
    + "  - ReLU: {name: r20000}\n",
    "a layer that holds many of the model": "input: [1]\nlayers:\n"
    + "".join(f"  - Dense: {{units: 1, name: d{n}}}\n" for n in range(10_000))
    + f"  - Pipeline: {{layers: [{', '.join(f'{{reuse: d{n}}}' for n in range(10_000))}]}}\n",
    "many vars": "vars:\n" + "".join(f"  a{n}: 1\n" for n in range(200_000)) + "layers: [ReLU]",
    "a large reshape": "input: [null]\nlayers: [Reshape: {target_shape: ["
    + ", ".join(["9223372036854775807"] * 63)
    + "]}, Flatten]",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_file_is_answered_in_a_line_or_in_full(text: str) -> None:
    assert len(complaint_or_nothing(text)) < 1000
