"""Formulas say at each point what a plain trace says there, row by row, or the same message."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import pytest
import yaml
from cases import read_facts
from conftest import ROOT
from ours import operation_spec_of, spec_of
from support.drawn_specs import drawn_points, drawn_spec, variants_of
from support.formula_proof import ProvenFormulas, plain_outcome
from support.operation_facts import FACTS as OPERATION_FACTS
from support.settable_numbers import numeric_arguments, with_vars

from dense_calc.files.loader import read_variants
from dense_calc.settings.variants import ModelVariants

SPECS = {
    path.stem: whole
    for path in sorted((ROOT / "specs").glob("*.yaml"))
    if (whole := read_variants(path, {})).vars
}
LARGE = (
    "bert-base", "gpt2", "llama2-7b", "llama3-8b", "llama3.2-1b", "mistral-7b", "resnet50",
    "transformer", "unet", "vgg16", "vit-b16",
)  # fmt: skip
EXAMPLES = yaml.safe_load((ROOT / "dense_calc/layers/examples.yaml").read_text("utf-8"))
LAYER_FACTS = [fact for fact in read_facts() if "refused" not in fact]
ANY_NUMBERS = (-1, 0, 1, 2, 3, 5, 8, 64, 97, 2**31, 2**63 - 1, 2**63, -(2**63), 0.5, 1.0, -0.25)


def demand_equal(
    whole: ModelVariants, names: Iterable[str], points: Iterable[tuple[Any, ...]]
) -> int:
    """Assert that formulas are right at these points; the number of points."""
    proven = ProvenFormulas(whole, list(names))
    for point in points:
        proven.demand_equal(point)
    return proven.count


def demand_equal_at_drawn_points(
    whole: ModelVariants, own: Mapping[str, Any], rng: random.Random, *, draws: int, count: int
) -> int:
    """Assert that formulas in one to four drawn settings are right; the number of points."""
    total = 0
    for _ in range(draws):
        names = rng.sample(sorted(own), min(rng.randint(1, 4), len(own)))
        some = {name: own[name] for name in names}
        total += demand_equal(whole, names, drawn_points(rng, some, count))
    return total


@pytest.mark.parametrize("name", SPECS)
def test_vars_of_specs(name: str) -> None:
    whole, rng = SPECS[name], random.Random(name)
    own = {var: whole.setting_value(var) for var in whole.vars}
    draws, count = (3, 4) if name in LARGE else (8, 10)
    single = 4 if name in LARGE else 15
    for var, value in own.items():
        assert demand_equal(whole, [var], drawn_points(rng, {var: value}, single)) == single
    total = demand_equal_at_drawn_points(whole, own, rng, draws=draws, count=count)
    assert total == draws * count


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_number_of_a_layer(kind: str) -> None:
    """Each argument, each number in the input or in an argument, and several of them."""
    rng, spec = random.Random(kind), EXAMPLES[kind]
    whole = variants_of(spec)
    arguments = dict(numeric_arguments(whole.model_with()))
    written, numbers = with_vars(spec)
    for variants, own in (whole, arguments), (written, numbers):
        for name, value in own.items():
            points = [
                *drawn_points(rng, {name: value}, 8, odd=0),
                *((each,) for each in ANY_NUMBERS),
            ]
            rng.shuffle(points)
            assert demand_equal(variants, [name], points) == 8 + len(ANY_NUMBERS)
        if own:
            assert demand_equal_at_drawn_points(variants, own, rng, draws=4, count=8) == 32


@pytest.mark.parametrize("kind", sorted({fact["kind"] for fact in LAYER_FACTS}))
def test_numbers_of_layers_that_keras_knows(kind: str) -> None:
    facts = [fact for fact in LAYER_FACTS if fact["kind"] == kind]
    demand_equal_in_specs([spec_of(fact) for fact in facts[:4]], random.Random(kind))


@pytest.mark.parametrize("name", sorted({json.loads(line)["op"] for line in OPERATION_FACTS}))
def test_numbers_of_operations_that_keras_knows(name: str) -> None:
    facts = [fact for fact in map(json.loads, OPERATION_FACTS) if fact["op"] == name]
    known = [fact for fact in facts if "refused" not in fact]
    demand_equal_in_specs([operation_spec_of(fact) for fact in known[:3]], random.Random(name))


def demand_equal_in_specs(specs: Iterable[dict[str, Any]], rng: random.Random) -> None:
    """Assert that formulas in the numbers of these specs are right."""
    for spec in specs:
        whole, own = with_vars(spec)
        if own:
            assert demand_equal_at_drawn_points(whole, own, rng, draws=2, count=6) == 12


@pytest.mark.parametrize("part", range(15))
def test_drawn_models(part: int) -> None:
    """Stacks of layers, blocks with parameters, models inside, reuse, and expressions."""
    total = models = 0
    for seed in range(part * 10, part * 10 + 10):
        spec, rng = drawn_spec(seed), random.Random(seed)
        whole = variants_of(spec)
        models += not isinstance(plain_outcome(whole, {}), str)
        own = {name: value for name, value in spec["vars"].items() if isinstance(value, int)}
        total += demand_equal_at_drawn_points(whole, own, rng, draws=3, count=10)
    assert total == 300
    assert models >= 3


@pytest.mark.parametrize("kind", ["LayerNormalization", "RMSNormalization", "Normalization"])
def test_axes_by_which_weights_are_named(kind: str) -> None:
    layer = {kind: {"axis": ["x", "y"]}}
    spec = {"vars": {"x": 1, "y": 2}, "input": [4, 4, 6], "layers": [layer]}
    axes = range(-5, 6)
    points = list(product(axes, axes))
    assert demand_equal(variants_of(spec), ["x", "y"], points) == len(points)


def test_there_are_many_comparisons() -> None:
    """Those of the arguments of the examples alone, one by one and several at once."""
    models = (variants_of(spec).model_with() for spec in EXAMPLES.values())
    count = sum(len(list(numeric_arguments(model))) for model in models)
    assert count * (8 + len(ANY_NUMBERS)) + len(EXAMPLES) * 4 * 8 > 20_000
