"""Compare the answers of real Keras and dense-calc about random operations of `keras.ops`.

    python tests/oracle/operations.py --cases 3000 --seed 1
    python tests/oracle/operations.py --cases 100 Matmul GetItem         # of these operations only
    python tests/oracle/operations.py --cases 9690 --seed 1 --write      # a new table of facts

It also compares the arguments of every operation with Keras' signatures, and names operations that
are missing. Needs the extra `oracle` (Keras with JAX). Exit status 1 if they differ anywhere.
"""

from __future__ import annotations

import argparse
import inspect
import json
import math
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras_files import difference_in_files
from msgspec import ValidationError, convert
from msgspec.structs import fields
from operation_arguments import Case
from operation_cases import draw
from ours import model_of
from signatures import REQUIRED, default_of, same

from dense_calc.dtypes import expand_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.operations import OPERATION_MODULES, operation_kind

FACTS = Path(__file__).parents[1] / "data" / "operations.jsonl"
MODULES = ("core", "einops", "image", "linalg", "math", "nn", "numpy")
REFUSED = {"refused": True}
LEFT_OUT = {
    "Arange",  # reads numbers, not tensors
    "AssociativeScan",  # reads a function, as do the others but SegmentReduction
    "Cond",
    "ForiLoop",
    "JVP",
    "Map",
    "Scan",
    "SegmentReduction",  # an abstract base class
    "Switch",
    "VectorizedMap",
    "WhileLoop",
}


def main() -> int:
    """Print each case where the answers differ; write the table of facts with `--write`."""
    options = command_line()
    warnings.simplefilter("ignore")  # from NumPy about divisions by 0
    wrong = [*missing(), *(each for name in OPERATION_MODULES for each in differences(name))]
    print(*wrong, f"{len(OPERATION_MODULES)} operations, {len(wrong)} wrong arguments", sep="\n")
    rng = random.Random(options.seed)
    print(f"keras {keras.__version__}, {options.cases} cases, seed {options.seed}", flush=True)
    facts, different, refused = [], 0, 0
    for number in range(options.cases):
        case = draw(rng, options.operations[number % len(options.operations)])
        truth, why = keras_answer(rng, case)
        answer, message = answer_of(case)
        facts += [case | truth] * (answer == truth)
        refused += truth == REFUSED
        if answer == truth != REFUSED:
            wrong_file = difference_in_files(partial(keras_model, rng, case), model_of(case))
            truth, why = ({"in files": wrong_file}, wrong_file) if wrong_file else (truth, "")
        if answer != truth and not (answer == REFUSED and stretched_windows(case)):
            different += 1
            print(json.dumps(case | truth), f"\n  dense-calc: {message or answer}\n  Keras: {why}")
    if options.write:
        FACTS.write_text("".join(f"{line}\n" for line in chosen_of(facts)), "utf-8")
    print(f"Keras refuses {refused}.")
    print(f"{options.cases - different} passed, {different} failed")
    return 1 if different or wrong else 0


def command_line() -> argparse.Namespace:
    """The options; the seed is random by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "operations", nargs="*", default=list(OPERATION_MODULES), help="all by default"
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--write", action="store_true", help=f"write {FACTS.name}")
    return parser.parse_args()


def chosen_of(facts: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of up to 4 accepted and 2 refused facts of each operation, in alphabetical order."""
    lines: dict[str, dict[str, list[str]]] = {name: {} for name in OPERATION_MODULES}
    for fact in facts:
        sort = "refused" if "refused" in fact else "output"
        alike_facts, line = lines[fact["op"]].setdefault(sort, []), json.dumps(fact)
        if line not in alike_facts and len(alike_facts) < (4 if sort == "output" else 2):
            alike_facts.append(line)
    for sorts in lines.values():
        yield from [*sorts.get("output", []), *sorts.get("refused", [])]


def stretched_windows(case: Case) -> bool:
    """Whether a window has several sides but the input one, which NumPy broadcasts.

    Keras accepts such a window, dense-calc refuses it: nothing could compute it.
    """
    first = case["inputs"][0] if case["inputs"] else None
    longest = max([0, *(len(x) for x in case["arguments"].values() if isinstance(x, list))])
    windows = OPERATION_MODULES[case["op"]] in ("pooling", "convolutions", "patches")
    return windows and first is not None and len(first) <= 3 and longest > 1


def keras_classes() -> dict[str, Any]:
    """The operations of Keras by their names."""
    modules = [import_module(f"keras.src.ops.{name}") for name in MODULES]
    return {
        name: each
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, keras.Operation)
        and each.__module__ == module.__name__
    }  # fmt: skip


CLASSES = keras_classes()


def missing() -> Iterator[str]:
    """The operations that only one of the two has."""
    for name in sorted(CLASSES.keys() - OPERATION_MODULES.keys() - LEFT_OUT):
        yield f"{name}: not in dense-calc"
    for name in sorted((OPERATION_MODULES.keys() | LEFT_OUT) - CLASSES.keys()):
        yield f"{name}: not in Keras"
    for name in sorted(OPERATION_MODULES.keys() & LEFT_OUT):
        yield f"{name}: left out, and not"


def differences(name: str) -> Iterator[str]:
    """How the arguments of an operation differ from those of the Keras class."""
    kind = operation_kind(name)
    own = {each.encode_name: each for each in fields(kind)}
    theirs = {
        each.name: each.default
        for each in inspect.signature(CLASSES[name].__init__).parameters.values()
        if each.name != "self" and each.kind != each.VAR_KEYWORD
    }
    for argument in theirs.keys() ^ (own.keys() - set(kind.call_arguments)):
        yield f"{name}.{argument}: only one of the two takes it"
    for argument in theirs.keys() & own.keys():
        ours = default_of(own[argument])
        if not same(ours, theirs[argument]):
            yield f"{name}.{argument}: default {ours!r}, in Keras {theirs[argument]!r}"
    called = list(inspect.signature(CLASSES[name].call).parameters.values())[1:]
    names = [each.name for each in called if each.kind == each.POSITIONAL_OR_KEYWORD]
    listed = [each for each in names if each not in kind.call_arguments or each in kind.input_names]
    if kind.input_names and list(kind.input_names) != listed:
        yield f"{name}: the inputs are {listed} in Keras"
    needed = [
        each for each in called if each.name in listed and each.default is REQUIRED
        and each.name not in kind.call_arguments
    ]  # fmt: skip
    if kind.input_names and kind.arity != range(len(needed), len(listed) + 1):
        yield f"{name}: Keras takes {len(needed)} to {len(listed)} inputs"
    if kind.inputs_as_list != (not kind.input_names and called[0].kind != called[0].VAR_POSITIONAL):
        yield f"{name}.on_a_list: differs"


def answer_of(case: Case) -> tuple[dict[str, Any], str]:
    """The output shape of a case in dense-calc, or its refusal and the message."""
    try:
        kind = convert(case["arguments"], operation_kind(case["op"]))
        shape, dtype = kind.output_spec(tuples(case["inputs"]), tuples(case["dtypes"]))
    except (ValidationError, LayerError) as error:
        return REFUSED, str(error)
    return {"output": lists(shape), "dtype": lists(expand_dtypes(dtype, shape))}, ""


def keras_answer(rng: random.Random, case: Case) -> tuple[dict[str, Any], str]:
    """The output shape of a case in Keras, or its refusal and the reason."""
    try:
        output = called(rng, case, tensors(case))
    except Exception as error:  # any error means that Keras refuses the operation
        return REFUSED, f"{type(error).__name__}: {error}"[:300]
    if isinstance(output, list | tuple) and not output:
        return REFUSED, "no output at all"
    return {"output": nest(output), "dtype": dtypes(output)}, ""


def keras_model(rng: random.Random, case: Case) -> Any:
    """The Keras model of a case; a missing input has no position in a call of `keras.ops`."""
    assert None not in case["inputs"]
    keras.backend.clear_session(free_memory=False)
    given = tensors(case, keras.Input)
    inputs = [each for each in keras.tree.flatten(given) if each is not None]
    output = called(rng, case, given)
    return keras.Model(inputs, output)


def called(rng: random.Random, case: Case, tensors: list[Any]) -> Any:
    """The output of Keras for a case with these tensors, one of them perhaps a constant."""
    kind = operation_kind(case["op"])
    given = {
        name: deepcopy(value) if name == "pad_width" else tuples(value)
        for name, value in case["arguments"].items()
    }
    of_call = {name: given.pop(name) for name in kind.call_arguments if name in given}
    operation = CLASSES[case["op"]](**given)
    if kind.input_names:
        constant = rng.randrange(len(tensors))
        if constant and rng.random() < 0.3 and not kind.call_arguments:
            dtype = case["dtypes"][constant]
            tensors[constant] = array(case["inputs"][constant], dtype, tensors[constant])
    if of_call:
        named = dict(zip(kind.input_names, tensors, strict=False))
        return operation.symbolic_call(**named, **passed(of_call))
    return operation.symbolic_call(*([tensors] if kind.inputs_as_list else tensors))


def passed(called: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a case as Python values."""
    if "key" in called:
        key = called["key"]
        return {"key": tuple(map(place, key)) if isinstance(key, tuple) else place(key)}
    return {**called, **called.pop("axes_lengths", {})}


def place(written: Any) -> Any:
    """A part of a key as a Python value."""
    if written == "..." or (isinstance(written, dict) and "ellipsis" in written["class_name"]):
        return ...
    if isinstance(written, dict):
        return slice(*(written["config"][name] for name in ("start", "stop", "step")))
    if isinstance(written, str):
        return slice(*(int(end) if end else None for end in written.split(":")))
    return written


def tensors(case: Case, make: Callable[..., Any] = keras.KerasTensor) -> list[Any]:
    """The symbolic tensors of a case."""
    pairs = zip(case["inputs"], case["dtypes"], strict=True)
    return [tensor(shape, dtype, make) for shape, dtype in pairs]


def tensor(shape: Any, dtype: Any, make: Callable[..., Any]) -> Any:
    """The symbolic tensor of a shape and a dtype, or a list of tensors."""
    if shape is None:
        return None
    if isinstance(dtype, list):
        return [tensor(*pair, make) for pair in zip(shape, dtype, strict=True)]
    if make is keras.Input:
        return keras.Input(batch_shape=shape, dtype=dtype)
    return make(tuple(shape), dtype)


def array(shape: Any, dtype: Any, otherwise: Any) -> Any:
    """A constant of a shape, if its sizes are known."""
    flat = isinstance(dtype, str) and all(isinstance(size, int) for size in shape)
    can_be = flat and math.prod(shape) < 10**4
    return np.zeros(shape, np.dtype(dtype)) if can_be else otherwise


def nest(output: Any) -> Any:
    """The shapes of tensors, in lists."""
    if isinstance(output, list | tuple):
        return [nest(each) for each in output]
    return list(output.shape)


def dtypes(output: Any) -> Any:
    """The dtypes of tensors, in lists."""
    return list(map(dtypes, output)) if isinstance(output, list | tuple) else output.dtype


def tuples(written: Any) -> Any:
    """The same value with tuples in place of lists."""
    return tuple(map(tuples, written)) if isinstance(written, list) else written


def lists(shapes: Any) -> Any:
    """The same value with lists in place of tuples."""
    return [lists(each) for each in shapes] if isinstance(shapes, tuple) else shapes


if __name__ == "__main__":
    sys.exit(main())
