"""Every kind in every format: what a report holds is plain, and can be written down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import pytest
from cases import read_facts
from msgspec import Struct, convert
from ours import model_of
from support.old_layers import FACTS as OLD_FACTS
from support.old_layers import layer_of
from support.operation_facts import FACTS as OPERATION_FACTS
from support.operation_facts import tuples

from dense_calc.analysis.budget import check_limits, check_result
from dense_calc.analysis.catalog import kind_examples
from dense_calc.analysis.difference import compare_models
from dense_calc.analysis.explanation import explain_layers
from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers import KIND_MODULES, UNEXPORTED_KIND_MODULES
from dense_calc.layers.base import LayerKind
from dense_calc.layers.operations import operation_kind
from dense_calc.limits import Limit
from dense_calc.model import Model
from dense_calc.quantities import limit_kinds, parse_limit
from dense_calc.render import GRID_FORMATS, REPORT_FORMATS, Style, render_reports
from dense_calc.render.checks import VERDICT_FORMATS as CHECK_FORMATS
from dense_calc.render.checks import render_verdicts as rendered_checks
from dense_calc.render.difference_grid import render_comparisons as rendered_comparison
from dense_calc.render.explanation_text import render_explanation as explanation_text
from dense_calc.render.json import explanation_json
from dense_calc.shapes import ComputedSize
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.layer import BuiltLayer, build_layer
from dense_calc.tracing.tracer import trace

KERAS_FACTS = [fact for fact in read_facts() if "refused" not in fact]


def values_in(held: Any) -> Iterator[Any]:
    """What a structure holds, at any depth."""
    yield held
    if isinstance(held, Struct):
        held = [getattr(held, name) for name in held.__struct_fields__]
    if isinstance(held, dict):
        held = [*held, *held.values()]
    if isinstance(held, list | tuple):
        yield from chain.from_iterable(map(values_in, held))


def demand_plain(found: Any) -> None:
    """Fail where something does not go into JSON, or is not what comes out of it again."""
    assert msgspec.json.encode(found)
    assert not [value for value in values_in(found) if isinstance(value, ComputedSize)]


def built_of(layer: LayerKind, shapes: tuple[Any, ...]) -> BuiltLayer:
    """What a layer is that reads tensors of these shapes."""
    dtypes = layer.call_dtypes(("float32",) * len(shapes)) if layer.uses_input_dtypes else ()
    return build_layer(layer, shapes, dtypes)


@pytest.mark.parametrize("kind", KIND_MODULES)
def test_what_is_told_of_a_layer_is_plain(kind: str) -> None:
    for fact in KERAS_FACTS:
        if fact["kind"] == kind:
            model = model_of(fact)
            demand_plain(trace(model))
            demand_plain(explain_layers(model, ()))


@pytest.mark.parametrize("fact", OLD_FACTS, ids=lambda fact: fact["class_name"])
def test_what_is_told_of_a_layer_of_keras_2_is_plain(fact: dict[str, Any]) -> None:
    shapes = tuple(map(tuple, fact["inputs"]))
    demand_plain(built_of(layer_of(fact, 2), shapes))


@pytest.mark.parametrize("line", OPERATION_FACTS)
def test_what_is_told_of_an_operation_is_plain(line: str) -> None:
    fact = json.loads(line)
    if "refused" not in fact:
        operation = convert(fact["arguments"], operation_kind(fact["op"]))
        shapes = tuples(fact["inputs"])
        try:
            built = built_of(operation, shapes)
        except DenseCalcError:  # what it is given must be wired as in a model
            return
        demand_plain(built)


def test_all_kinds_are_rendered() -> None:
    assert set(kind_examples()) == {*KIND_MODULES, *UNEXPORTED_KIND_MODULES}


@pytest.mark.parametrize("kind", kind_examples())
def test_a_kind_is_rendered_in_every_format_of_every_command(kind: str) -> None:
    model = parse_spec(Source("m.yaml", kind_examples()[kind]), "m")
    texts = list(texts_on(model, Style()))
    assert all(texts)
    for text in texts:
        if text.startswith("{"):
            assert json.loads(text)


def texts_on(model: Model, style: Style) -> Iterator[str]:
    """What the commands that print a report print of a model."""
    for format in REPORT_FORMATS:
        yield render_reports([trace(model)], format, style)
    explanation = explain_layers(model, ())
    yield explanation_json(explanation, style)
    yield explanation_text(explanation, style)
    empty = parse_spec(Source("m.yaml", "input: [1]\nlayers:\n  - Identity\n"), "m")
    found = compare_models(empty, model, "old", "new")
    for format in (*GRID_FORMATS, "json"):
        yield rendered_comparison([found], False, format, style)
    held = check_result("m.yaml", list(check_limits(trace(model), limits())))
    for format in CHECK_FORMATS:
        yield rendered_checks([held], format, style)


def limits() -> Sequence[Limit]:
    """A limit of each sort, which is broken."""
    return [parse_limit(each, "1") for each in limit_kinds().values()]
