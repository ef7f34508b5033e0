"""Ask real Keras and dense-calc about random layers, and show where they differ.

    python tests/oracle/compare.py --cases 1000 --seed 1
    python tests/oracle/compare.py --cases 1000 --seed 1 --write    # the table of facts anew

Needs the extra `oracle` (Keras with JAX). Exit status 1 if they differ anywhere.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import warnings
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
from cases import FACTS, Case, draw
from ours import REFUSED, answer_of

LISTS = (keras.layers.Add, keras.layers.Concatenate)  # called on a list, even of one


def main() -> int:
    """Compare, and print what differs; or write the table of facts."""
    options = command_line()
    warnings.simplefilter("ignore")  # Keras' advice on old arguments, JAX' on float64
    rng = random.Random(options.seed)
    print(f"keras {keras.__version__}, {options.cases} cases, seed {options.seed}", flush=True)
    facts, different, refused = [], 0, 0
    for _ in range(options.cases):
        case = draw(rng)
        truth, why = keras_answer(case)
        answer, message = answer_of(case)
        allowed = case.pop("nonsense", False) and answer == REFUSED
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
    """The options; without --seed a fresh one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--write", action="store_true", help=f"write {FACTS.name}")
    return parser.parse_args()


def keras_answer(case: Case) -> tuple[dict[str, Any], str]:
    """The output shape and the weights that Keras makes; or that it refuses, and why."""
    keras.backend.clear_session()
    try:
        layer = getattr(keras.layers, case["kind"])(**case["arguments"])
        tensors = [keras.Input(batch_shape=shape) for shape in case["inputs"]]
        if not tensors:
            output = layer.output
        else:
            output = layer(tensors if isinstance(layer, LISTS) else tensors[0])
        weights = [[w.name, list(w.shape), w.trainable, w.dtype] for w in layer.weights]
    except Exception as error:  # whatever it is, Keras did not build the layer
        return REFUSED, f"{type(error).__name__}: {error}"[:300]
    return {"output": list(output.shape), "weights": weights}, ""


if __name__ == "__main__":
    sys.exit(main())
