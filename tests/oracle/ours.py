"""The answers of dense-calc about a case, through the whole program from spec to report."""

from __future__ import annotations

import json
from typing import Any

from cases import Case

from dense_calc.dtypes import Dtypes
from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers import OPERATION_PREFIX
from dense_calc.layers.operations import operation_kind
from dense_calc.model import Model
from dense_calc.shapes import Shapes
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

REFUSED = {"refused": True}


def spec_of(case: Case) -> dict[str, Any]:
    """The spec of a case: its inputs and its layer."""
    inputs: dict[str, Any] = {}
    arguments = {**case["arguments"], **case.get("call", {})}
    if case["inputs"]:
        arguments["from"] = wired(case["inputs"], inputs)
    return {"inputs": inputs, "layers": [{case["kind"]: arguments}]}


def operation_spec_of(case: Case) -> dict[str, Any]:
    """The spec of a case of an operation, without its missing inputs."""
    inputs: dict[str, Any] = {}
    given: Any = [None if each is None else wired(each, inputs) for each in case["inputs"]]
    if None in given:
        named = zip(operation_kind(case["op"]).input_names, given, strict=False)
        given = {name: each for name, each in named if each is not None}
    layer = {f"{OPERATION_PREFIX}{case['op']}": {**case["arguments"], "from": given}}
    return {"inputs": inputs, "layers": [layer]}


def model_of(case: Case) -> Model:
    """The model of a case."""
    return model_of_spec(operation_spec_of(case) if "op" in case else spec_of(case))


def model_of_spec(spec: dict[str, Any]) -> Model:
    """The model that a spec describes."""
    # JSON is YAML.
    return parse_spec(Source("case", json.dumps(spec)), "case")


def answer_of(case: Case) -> tuple[dict[str, Any], str]:
    """Output, dtypes and weights of a case, or its refusal and the message."""
    try:
        report = trace(model_of(case))
    except DenseCalcError as error:
        return REFUSED, error.message
    weights = [
        [weight.path, list(weight.shape), weight.trainable, weight.dtype]
        for row in report.layers
        for weight in row.weights
    ]
    (output, *_) = report.outputs
    return {"output": nest(output.shape), "dtype": nest(output.dtype), "weights": weights}, ""


def wired(written: Any, inputs: dict[str, Any]) -> Any:
    """The nest of input names for a nest of shapes, which become the inputs of the model."""
    if isinstance(written, dict) and "batch_shape" not in written:
        return {name: wired(value, inputs) for name, value in written.items()}
    if isinstance(written, list) and any(isinstance(each, list | dict) for each in written):
        return [wired(each, inputs) for each in written]
    name = f"input {len(inputs)}"
    inputs[name] = written if isinstance(written, dict) else {"batch_shape": written}
    return name


def nest(shapes: Shapes | Dtypes) -> Any:
    """Shapes or dtypes with lists in place of tuples, as in JSON."""
    return json.loads(json.dumps(shapes))
