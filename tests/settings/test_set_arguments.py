"""Each argument of each kind of layer, set: the layer is the one that Keras makes with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cases import Case, read_facts
from ours import REFUSED, nest, spec_of

from dense_calc.errors import DenseCalcError, Source
from dense_calc.files.loader import parse_variants
from dense_calc.settings.variants import ModelVariants
from dense_calc.tracing.tracer import trace


def answer(whole: ModelVariants, values: dict[str, Any]) -> dict[str, Any]:
    """The output shape and the weights of the model with these settings, or that it is refused."""
    try:
        found = trace(whole.model_with(values))
    except DenseCalcError:
        return REFUSED
    weights = [
        [weight.path, list(weight.shape), weight.trainable, weight.dtype]
        for row in found.layers
        for weight in row.weights
    ]
    return {"output": nest(found.outputs[0].shape), "weights": weights}


def without(fact: Case, argument: str) -> Case:
    """A case without an argument of the layer, or of its call."""
    parts = {part: {**fact.get(part, {})} for part in ("arguments", "call")}
    for given in parts.values():
        given.pop(argument, None)
    return {**fact, **parts}


FACTS = read_facts()
NEEDING_ALL = {"Pipeline"}  # which is nothing without its layers


@pytest.mark.parametrize("kind", list(dict.fromkeys(fact["kind"] for fact in FACTS)))
def test_a_layer_with_an_argument_set_is_the_one_that_keras_makes_with_it(kind: str) -> None:
    tried = 0
    for fact in (fact for fact in FACTS if fact["kind"] == kind):
        truth = REFUSED if "refused" in fact else {key: fact[key] for key in ("output", "weights")}
        for argument, value in {**fact["arguments"], **fact.get("call", {})}.items():
            text = json.dumps(spec_of(without(fact, argument)))
            whole = parse_variants(Source("case", text), None, "case", {}, "case")
            if answer(whole, {}) == REFUSED or argument in ("name", "input_shape", "input_dim"):
                continue
            tried += 1
            is_text = isinstance(value, str) and value.startswith("[")  # and no list
            name = f"{whole.model_with().nodes[-1].name}.{argument}"
            found = answer(whole, {name: json.dumps(value) if is_text else value})
            assert found == truth, (fact, argument)
    assert tried or kind in NEEDING_ALL
