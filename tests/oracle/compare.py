"""Compare the answers of real Keras and dense-calc about random layers.

    python tests/oracle/compare.py --cases 1000 --seed 1
    python tests/oracle/compare.py --cases 100 GRU LSTM             # of these kinds only
    python tests/oracle/compare.py --cases 2000 --seed 1 --write    # a new table of facts

Needs the extra `oracle` (Keras with JAX). Exit status 1 if they differ anywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from cases import FACTS, Case, draw
from keras_files import difference_in_files
from ours import REFUSED, answer_of, model_of

from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind

deserialized = keras.saving.deserialize_keras_object

EXPORTED = {name: alias for alias, name in KIND_ALIASES.items() if not hasattr(keras.layers, name)}
WRAPPING = {"backward_layer", "cell", "cells", "layer", "layers"}  # arguments that are layers


def main() -> int:
    """Print each case where the answers differ; write the table of facts with `--write`."""
    options = command_line()
    warnings.simplefilter("ignore")  # from Keras about old arguments, from JAX about float64
    rng = random.Random(options.seed)
    print(f"keras {keras.__version__}, {options.cases} cases, seed {options.seed}", flush=True)
    facts, different, refused = [], 0, 0
    for number in range(options.cases):
        case = draw(rng, options.kinds[number % len(options.kinds)])
        truth, why = keras_answer(case)
        answer, message = answer_of(case)
        allowed = case.pop("nonsense", False) and answer == REFUSED
        if answer == truth != REFUSED and case["arguments"].get("cells") != []:
            why = difference_in_files(partial(keras_model, case), model_of(case))
            truth = {"in files": why} if why else truth
        refused += truth == REFUSED
        if not allowed:
            facts.append(case | truth)
        if answer != truth and not allowed:
            different += 1
            print(json.dumps(case | truth), f"\n  dense-calc: {message or answer}\n  Keras: {why}")
    if options.write:
        FACTS.write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")
    print(f"Keras refuses {refused}.")
    print(f"{options.cases - different} passed, {different} failed")
    return 1 if different else 0


def command_line() -> argparse.Namespace:
    """The options; the seed is random by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "kinds", nargs="*", default=list(KIND_MODULES), help="layer kinds; all by default"
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--write", action="store_true", help=f"write {FACTS.name}")
    return parser.parse_args()


def keras_answer(case: Case) -> tuple[dict[str, Any], str]:
    """Output, dtypes and weights of a case in Keras, or its refusal and the reason."""
    keras.backend.clear_session(free_memory=False)
    try:
        layer = keras_layer(case["kind"], case["arguments"])
        output = called(layer, case, tensor(case["inputs"])) if case["inputs"] else layer.output
        prefix = f"{layer.name}/"
        weights = [
            [w.path.removeprefix(prefix), list(w.shape), w.trainable, w.dtype]
            for w in layer.weights
        ]
    except Exception as error:  # any error means that Keras refuses the layer
        return REFUSED, f"{type(error).__name__}: {error}"[:300]
    return {"output": nest(output), "dtype": dtypes(output), "weights": weights}, ""


def keras_layer(kind: str, arguments: dict[str, Any]) -> Any:
    """The Keras layer of a kind; arguments that are layers have the form of a spec."""
    given = {
        name: keras_inner(value) if name in WRAPPING else value for name, value in arguments.items()
    }
    if kind == "Lambda":
        given |= lambda_arguments(arguments)
    if isinstance(given.get("ngrams"), list):
        given["ngrams"] = tuple(given["ngrams"])  # a list in YAML
    if isinstance(given.get("quantization_config"), dict):
        given["quantization_config"] = deserialized(given["quantization_config"])
    return getattr(keras.layers, EXPORTED.get(kind, kind))(**given)


def lambda_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a Lambda that must be Python objects: a function and tuples."""
    function = arguments.get("function", "")
    return {
        "function": keras.activations.linear if isinstance(function, str) else function,
        "output_shape": tuples(arguments.get("output_shape")),
    }


def tuples(written: Any) -> Any:
    """The same value with tuples in place of lists."""
    if isinstance(written, dict):
        return {name: tuples(value) for name, value in written.items()}
    return tuple(map(tuples, written)) if isinstance(written, list) else written


def keras_inner(written: Any) -> Any:
    """The layer, or list of layers, that `{LSTM: {units: 8}}` stands for."""
    if isinstance(written, list):
        return [keras_inner(item) for item in written]
    if isinstance(written, str):
        return keras_layer(written, {})
    if not isinstance(written, dict):
        return written
    ((kind, arguments),) = written.items()
    return keras_layer(kind, arguments)


def keras_model(case: Case) -> Any:
    """The Keras model of a case."""
    keras.backend.clear_session(free_memory=False)
    layer = keras_layer(case["kind"], case["arguments"])
    if not case["inputs"]:
        return keras.Model(layer.output, layer.output)
    inputs = tensor(case["inputs"])
    return keras.Model(keras.tree.flatten(inputs), called(layer, case, inputs))


def called(layer: Any, case: Case, inputs: Any) -> Any:
    """The output of a call of the layer on the tensors of a case."""
    more = case.get("call", {})
    if isinstance(inputs, dict):
        return layer(inputs, **more) if case.get("data") else layer(**inputs, **more)
    return (
        layer(inputs, **more) if find_kind(case["kind"]).inputs_as_list else layer(*inputs, **more)
    )


def tensor(written: Any) -> Any:
    """The symbolic tensor of a shape or of `{batch_shape, dtype}`, or a nest of such tensors."""
    if isinstance(written, dict):
        if "batch_shape" in written:
            return keras.Input(**written)
        return {name: tensor(value) for name, value in written.items()}
    if any(isinstance(each, list | dict) for each in written):
        return [tensor(each) for each in written]
    return keras.Input(batch_shape=written)


def nest(output: Any, of: Callable[[Any], Any] = lambda tensor: list(tensor.shape)) -> Any:
    """The results of `of`, by default the shapes, for a nest of tensors, in lists and mappings."""
    if isinstance(output, dict):
        return {name: nest(each, of) for name, each in output.items()}
    if isinstance(output, Sequence):
        return [nest(each, of) for each in output]
    return None if output is None else of(output)


def dtypes(output: Any) -> Any:
    """The dtypes of a nest of tensors."""
    return nest(output, lambda tensor: tensor.dtype)


if __name__ == "__main__":
    sys.exit(main())
