"""Compare the answers of real Keras and dense-calc about a `Lambda` of one of Keras' functions.

    python tests/oracle/lambdas.py --cases 1000 --seed 1

Functions are those of `keras.ops` on one tensor, with random arguments, and the activations. The
JSON that dense-calc writes must load in Keras and give the same. Keras has JAX run the function;
cases that JAX refuses, such as some dtypes, are left out. Exit status 1 if the answers differ.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Any

import keras
from keras_files import difference_in_writing
from operation_cases import draw
from operations import nest, tuples

from dense_calc.errors import DenseCalcError, Source
from dense_calc.layers.functions import ACTIVATION_FUNCTIONS, OPERATIONS_BY_FUNCTION
from dense_calc.layers.operations import operation_kind
from dense_calc.model import Model
from dense_calc.spec_language import parse_spec
from dense_calc.tracing.tracer import trace

REFUSED = "refused"


def main() -> int:
    """Print each case where the answers differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "functions", nargs="*", default=sorted({*OPERATIONS_BY_FUNCTION, *ACTIVATION_FUNCTIONS})
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    print(f"keras {keras.__version__}, {options.cases} cases, seed {options.seed}", flush=True)
    different = asked = 0
    for number in range(options.cases):
        name = options.functions[number % len(options.functions)]
        arguments, shape = case_of(rng, name)
        if shape is None:
            continue
        theirs = keras_answer(name, arguments, shape)
        if theirs == REFUSED:
            continue
        asked += 1
        ours = answer_of(name, arguments, shape)
        if ours != theirs:
            different += 1
            print(f"{name} {arguments} of {shape}: {ours}, in Keras {theirs}")
    print(f"{asked - different} passed, {different} failed")
    return 1 if different else 0


def case_of(rng: random.Random, name: str) -> tuple[dict[str, Any], Any]:
    """Random arguments and input shape of a function; the shape is None for several inputs."""
    if name in ACTIVATION_FUNCTIONS:
        return {}, [None, rng.randint(1, 9)]
    case = draw(rng, OPERATIONS_BY_FUNCTION[name])
    kind = operation_kind(OPERATIONS_BY_FUNCTION[name])
    given = [each for each in case["inputs"] if each is not None]
    if kind.call_arguments or kind.inputs_as_list or len(given) != 1 or not given[0]:
        return {}, None
    if any(not isinstance(size, int | None) for size in given[0]):
        return {}, None
    return case["arguments"], [None, *given[0][1:]]


def model_of(name: str, arguments: dict[str, Any], shape: Any) -> Model:
    """The model of a case."""
    layer = {"Lambda": {"function": name, "arguments": arguments, "name": "l"}}
    spec = {"inputs": {"x": {"batch_shape": shape}}, "layers": [layer]}
    return parse_spec(Source("case", json.dumps(spec)), "case")


def answer_of(name: str, arguments: dict[str, Any], shape: Any) -> Any:
    """The output shape in dense-calc, or how the model that Keras loads from its JSON differs."""
    try:
        model = model_of(name, arguments, shape)
        output = trace(model).outputs[0].shape
    except DenseCalcError:
        return REFUSED
    return difference_in_writing(model) or json.loads(json.dumps(output))


def keras_answer(name: str, arguments: dict[str, Any], shape: Any) -> Any:
    """The output shape in Keras."""
    homes = (keras.ops, keras.ops.image, keras.activations)
    function = next((getattr(home, name) for home in homes if hasattr(home, name)), None)
    assert function, f"Keras has no function {name}"
    try:
        given = {key: tuples(value) for key, value in arguments.items()}
        return nest(keras.layers.Lambda(function, arguments=given)(keras.Input(batch_shape=shape)))
    except Exception:  # any error means that Keras refuses it
        return REFUSED


if __name__ == "__main__":
    sys.exit(main())
