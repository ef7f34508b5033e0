"""What dense-calc makes of a case, through its whole pipeline: a spec in, a report out."""

from __future__ import annotations

import json
from typing import Any

from cases import Case

from dense_calc.errors import DenseCalcError, Source
from dense_calc.spec import parse
from dense_calc.tracing import trace

REFUSED = {"refused": True}


def answer_of(case: Case) -> tuple[dict[str, Any], str]:
    """The output shape and the weights of a case, or that it is refused, with the message."""
    inputs = {
        f"input {number}": {"batch_shape": shape} for number, shape in enumerate(case["inputs"])
    }
    arguments = dict(case["arguments"])
    if inputs:
        arguments["from"] = list(inputs)
    # JSON is YAML, but for a number like 1e-05, which is the same in both.
    spec = {"inputs": inputs, "layers": [{case["kind"]: arguments}]}
    try:
        report = trace(parse(Source("case", json.dumps(spec)), "case", {}))
    except DenseCalcError as error:
        return REFUSED, error.message
    shape = report.outputs[0].shape
    weights = [
        [weight.name, list(weight.shape), weight.trainable, weight.dtype]
        for row in report.layers
        for weight in row.weights
    ]
    return {"output": list(shape), "weights": weights}, ""
