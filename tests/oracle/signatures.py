"""Compare the arguments of every layer kind, and their defaults, with those of the Keras class.

    python tests/oracle/signatures.py

Needs the extra `oracle`. Exit status 1 if they differ anywhere.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from compare import EXPORTED
from msgspec import NODEFAULT, to_builtins
from msgspec.structs import FieldInfo, fields

from dense_calc.layers import KIND_ALIASES, KIND_MODULES, find_kind
from dense_calc.layers.positional_arguments import positional_arguments

REQUIRED = inspect.Parameter.empty
NEVER = {"FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"}  # other frameworks' objects
ABSTRACT = {"InputSpec", "Layer", "Wrapper"}
KNOWN = {  # arguments that differ on purpose
    ("CategoryEncoding", "num_tokens"),  # required in Keras, though it has a default
    ("InputLayer", "input_tensor"),  # an object of a program
    ("AveragePooling1D", "pool_size"),
    ("AveragePooling2D", "pool_size"),
    ("AveragePooling3D", "pool_size"),
    ("Lambda", "function"),  # it is never run
}


def main() -> int:
    """Print the arguments and defaults that differ."""
    exported = {name for name in dir(keras.layers) if name[0].isupper()}
    known = {EXPORTED.get(name, name) for name in (*KIND_MODULES, *KIND_ALIASES)}
    wrong = [f"{name}: not in dense-calc" for name in sorted(exported - known - NEVER - ABSTRACT)]
    wrong += [f"{name}: not in Keras" for name in sorted(known - exported)]
    for name in KIND_MODULES:
        wrong += differences(name)
    print("\n".join(wrong))
    print(f"{len(KIND_MODULES)} kinds compared, {len(wrong)} differences")
    return 1 if wrong else 0


def differences(name: str) -> Iterator[str]:
    """How the arguments of a kind differ from those of the Keras class."""
    parameters = inspect.signature(getattr(keras.layers, EXPORTED.get(name, name))).parameters
    kind = find_kind(name)
    own = {each.encode_name: each for each in fields(kind) if each.name not in kind.call_arguments}
    called = inspect.signature(getattr(keras.layers, EXPORTED.get(name, name)).call).parameters
    for argument in kind.call_arguments:
        if argument not in called:
            yield f"{name}.{argument}: Keras' call does not take it"
    for argument, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if (name, argument) in KNOWN:
            continue
        if argument not in own:
            yield f"{name}.{argument}: missing"
            continue
        ours, theirs = default_of(own[argument]), parameter.default
        if not same(ours, theirs):
            yield f"{name}.{argument}: the default is {ours!r}, in Keras {theirs!r}"
    by_position = positional_arguments(name)
    if by_position != list(parameters)[: len(by_position)]:
        yield f"{name}: it does not take {by_position} by position"
    takes_more = any(each.kind == each.VAR_KEYWORD for each in parameters.values())
    for argument in sorted(set(own) - set(parameters)) if not takes_more else ():
        yield f"{name}.{argument}: Keras does not take it"


def default_of(field: FieldInfo) -> Any:
    """The default of a field."""
    if field.default is NODEFAULT and field.default_factory is NODEFAULT:
        return REQUIRED
    default = field.default if field.default is not NODEFAULT else field.default_factory()
    return to_builtins(default)


def same(ours: Any, theirs: Any) -> bool:
    """Whether two defaults mean the same; a number may stand for one on each axis."""
    if isinstance(theirs, list | tuple):
        given = ours if isinstance(ours, list | tuple) else [ours] * len(theirs)
        return len(given) == len(theirs) and all(map(same, given, theirs))
    return bool(ours == getattr(theirs, "name", theirs))


if __name__ == "__main__":
    sys.exit(main())
