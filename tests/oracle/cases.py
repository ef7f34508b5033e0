"""Random layers: a kind, arguments and input shapes, most of them valid.

A case is a line of JSON, so that one that fails can be pasted into `tests/data/facts.jsonl`::

    {"kind": "Dense", "arguments": {"units": 3}, "inputs": [[null, 5]]}

`inputs` are shapes with their batch axis, `{batch_shape, dtype}`, or nests of them. They are a
mapping where inputs have names, or where one input is itself a mapping: then `"data"` is true.
`call` holds the other arguments of the call. The modules of `families/` say how the cases of the
modules with the same names in `dense_calc/layers/` are drawn.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from drawing import drawn

from dense_calc.layers import find_kind

Case = dict[str, Any]

FACTS = Path(__file__).parents[1] / "data" / "facts.jsonl"
MISTAKEN = 0.05  # how often an argument is invalid
NESTED = 0.2  # how often a layer that accepts nested inputs reads a nest instead of a tensor
TYPED = 0.3  # how often inputs have other dtypes than float32
FRACTIONS = ["float16", "bfloat16", "float32", "float64"]
DTYPES = [*FRACTIONS, "int32", "int64", "uint8", "bool"]
TRACED = ["Pipeline"]  # JAX traces its call and refuses some integers there; dense-calc does not
MISTAKES = [-1, 0, 2.5, "nonsense", [1, 2, 3], [], None, True]


def read_facts() -> list[Case]:
    """The table of facts: cases with the answers of Keras."""
    return [json.loads(line) for line in FACTS.read_text("utf-8").splitlines()]


def draw(rng: random.Random, name: str) -> Case:
    """One random case of a kind."""
    case: Case = {"kind": name, **drawn(rng, name)}
    if find_kind(name).accepts_nested and name not in TRACED and rng.random() < NESTED:
        case = nested(rng, case)
    if rng.random() < TYPED:
        case["inputs"] = typed(rng, case["inputs"], FRACTIONS if name in TRACED else DTYPES)
    of_call = [each for each in find_kind(name).call_arguments if each in case["arguments"]]
    if of_call:
        case["call"] = {each: case["arguments"].pop(each) for each in of_call}
    if rng.random() < MISTAKEN:
        arguments = case["arguments"]
        arguments[rng.choice(list(arguments) or ["unit"])] = rng.choice(MISTAKES)
        case["nonsense"] = True  # dense-calc may refuse it where Keras checks nothing
    return case


def nested(rng: random.Random, case: Case) -> Case:
    """The same case with a nest or a mapping in place of its single input tensor."""
    match case["inputs"]:
        case [[int() | None, *_] as shape] if find_kind(case["kind"]).arity.stop == 2:
            nest: Any = rng.choice([[shape, shape], [shape], [shape, [shape, shape]]])
            if rng.random() < 0.3 and not find_kind(case["kind"]).mapping_keys:
                return {**case, "inputs": {"b": shape, "a": nest}, "data": True}
            return {**case, "inputs": [nest]}
    return case


def typed(rng: random.Random, inputs: Any, dtypes: list[str]) -> Any:
    """The same inputs, each with a random dtype."""
    if isinstance(inputs, dict):
        known = "batch_shape" in inputs
        return (
            inputs if known else {name: typed(rng, each, dtypes) for name, each in inputs.items()}
        )
    if not inputs or any(isinstance(each, list | dict) for each in inputs):
        return [typed(rng, each, dtypes) for each in inputs]
    return {"batch_shape": inputs, "dtype": rng.choice(dtypes)}
