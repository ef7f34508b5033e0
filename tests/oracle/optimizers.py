"""Compare the counts of real Keras and dense-calc for the variables of optimizers.

    python tests/oracle/optimizers.py
    python tests/oracle/optimizers.py --write    # a new table of facts

Needs the extra `oracle` (Keras with JAX). Exit status 1 if they differ anywhere.
"""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import keras
from keras.src.utils.summary_utils import weight_memory_size

from dense_calc.errors import Source
from dense_calc.keras_format.optimizers import optimizer_from_file, with_optimizer
from dense_calc.keras_format.optimizers.optimizer_kinds import OPTIMIZERS
from dense_calc.keras_format.reader import from_keras
from dense_calc.tracing.tracer import trace

FACTS = Path(__file__).parents[1] / "data" / "optimizers.json"
Arguments = dict[str, Any]

SCHEDULE = {
    "module": "keras.optimizers.schedules",
    "class_name": "CosineDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 9},
}
INNER = {"module": "keras.optimizers"}
CASES: list[tuple[str, Arguments]] = [
    *((name, {}) for name in OPTIMIZERS if name != "LossScaleOptimizer"),
    *((name, {"use_ema": True}) for name in ("Adam", "Adafactor", "Muon")),
    *((name, {"gradient_accumulation_steps": 2}) for name in ("Adam", "Nadam", "Adafactor")),
    *((name, {"learning_rate": SCHEDULE}) for name in ("SGD", "Adam")),
    *(("Adam", each) for each in ({"amsgrad": True}, {"clipnorm": 1.0, "weight_decay": 0.1})),
    ("AdamW", {"amsgrad": True, "use_ema": True, "gradient_accumulation_steps": 3}),
    *(("SGD", {"momentum": each, "nesterov": True}) for each in (0.0, 0.9)),
    *(("RMSprop", {"centered": each, "momentum": 0.5}) for each in (False, True)),
    ("RMSprop", {"centered": True}),
    *(("Muon", each) for each in ({"exclude_embeddings": False}, {"exclude_layers": ["middle"]})),
    *(
        ("LossScaleOptimizer", {"inner_optimizer": {**INNER, "class_name": name, "config": {}}})
        for name in ("Adam", "SGD", "Nadam", "Adafactor")
    ),
]


def model() -> Any:
    """A model with weights of all ranks, some of which are frozen, or have other dtypes."""
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(image))
    x = layers.Dense(5, name="middle")(layers.Flatten()(x))
    x = layers.Dense(3, dtype="float16")(x)
    tokens = keras.Input((4,), dtype="int32")
    y = layers.Embedding(7, 3)(tokens)
    y = layers.MultiHeadAttention(2, 3)(y, y)
    y = layers.LSTM(3, trainable=False)(y)
    y = layers.Dense(3, dtype="float8_from_float32")(y)
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="within")])
    return keras.Model([image, tokens], [x, inner(y)])


def keras_counts(text: str, name: str, arguments: Arguments) -> list[int]:
    """The numbers and bytes of an optimizer's variables for a model in Keras."""
    keras.backend.clear_session()
    loaded = keras.models.model_from_json(text)
    optimizer = getattr(keras.optimizers, name).from_config(json.loads(json.dumps(arguments)))
    loaded.compile(optimizer=optimizer, loss="mse")
    optimizer.build(loaded.trainable_variables)
    kept = optimizer.variables
    return [sum(math.prod(each.shape) for each in kept), int(weight_memory_size(kept))]


def our_counts(text: str, name: str, arguments: Arguments) -> list[int]:
    """The same counts in dense-calc."""
    report = trace(from_keras(json.loads(text), Source("m.json", text), "m", {}))
    written = {"class_name": name, "config": arguments}
    found = with_optimizer(report, optimizer_from_file(written, "m.json"))
    return [found.optimizer_params, found.optimizer_bytes]


def main() -> int:
    """Print each optimizer where the counts differ; write the table of facts with `--write`."""
    text = model().to_json()
    facts: list[list[Any]] = [[*case, *keras_counts(text, *case)] for case in CASES]
    ours = [our_counts(text, *case) for case in CASES]
    wrong = [(fact, our) for fact, our in zip(facts, ours, strict=True) if fact[2:] != our]
    for fact, our in wrong:
        print(fact, our)
    if "--write" in sys.argv:
        lines = ",\n".join(json.dumps(fact) for fact in facts)
        whole = f'{{"model": {json.dumps(text)},\n"facts": [\n{lines}\n]}}\n'
        FACTS.write_text(whole, "utf-8")
    print(f"{len(facts) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
