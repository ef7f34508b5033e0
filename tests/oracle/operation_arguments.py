"""Random arguments of the operations of `keras.ops`, and random shapes."""

from __future__ import annotations

import random
from typing import Any

from msgspec.structs import FieldInfo, fields

from dense_calc.layers.operations import operation_kind

Sizes = list[int | None]
Case = dict[str, Any]
Drawn = tuple[dict[str, Any], list[Any]]


def alike(rng: random.Random, name: str, first: Sizes) -> list[Any]:
    """The inputs of an operation, each similar to the first; optional ones may be None."""
    kind = operation_kind(name)
    count = len(kind.input_names) or rng.randint(1, 4)
    inputs: list[Any] = [first, *(relative(rng, first) for _ in range(count - 1))]
    for missing_one in range(kind.arity.start if kind.input_names else count, count):
        if rng.random() < 0.5:
            inputs[missing_one] = None
    return inputs


def arguments_of(rng: random.Random, name: str, **own: Any) -> dict[str, Any]:
    """Random arguments: all that are required, and some of the others."""
    drawn = {}
    for each in fields(operation_kind(name)):
        if each.name == "name" or (not each.required and rng.random() < 0.4):
            continue
        drawn[each.encode_name] = argument(rng, name, each)
    return drawn | own


def argument(rng: random.Random, name: str, field: FieldInfo) -> Any:
    """A random value of an argument, from VALUES or of its type."""
    known = VALUES.get(f"{name}.{field.encode_name}", VALUES.get(field.encode_name))
    if known is not None:
        return rng.choice(known)
    written = str(field.type)
    if field.type is bool:
        return rng.random() < 0.5
    if "int" not in written:
        return field.default if not field.required else 0.5
    choices: list[Any] = [rng.randint(-3, 4), rng.randint(-2, 2), rng.randint(0, 2)]
    if "tuple" in written:
        choices.append([rng.randint(-3, 3) for _ in range(rng.randint(0, 3))])
    if "None" in written:
        choices.append(None)
    return rng.choice(choices)


def shape(rng: random.Random, least: int = 0, most: int = 5) -> Sizes:
    """A random shape, mostly of 1 to 4 axes."""
    rank = min(max(rng.choice([0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5]), least), most)
    return [size(rng) for _ in range(rank)]


def size(rng: random.Random) -> int | None:
    """A random size, sometimes unknown, 0 or 1."""
    return rng.choice([None, None, 0, 1, 1]) if rng.random() < 0.3 else rng.randint(2, 9)


def relative(rng: random.Random, first: Sizes) -> Sizes:
    """A shape like the first, or one that may broadcast with it, or not."""
    other = list(first)
    while other and rng.random() < 0.3:
        other[rng.randrange(len(other))] = rng.choice([None, 1, size(rng)])
    if rng.random() < 0.15:
        return other[rng.randint(0, len(other)) :]
    if rng.random() < 0.1:
        other.insert(0, size(rng))
    return other


DTYPES = ["float32", "int8", "float64", "bool", "bfloat16", "int32", "complex64", "int"]
# The values of arguments whose type does not say enough.
VALUES: dict[str, list[Any]] = {
    "data_format": ["channels_last", "channels_first", None],
    "dtype": [*DTYPES, None],
    "Cast.dtype": DTYPES,
    "SaturateCast.dtype": DTYPES,
    "output_size": [[3, 2], [4], [2, 2, 1], []],
    "Fold.output_size": [6, [4, 8]],
    "Fold.kernel_size": [2, 3, [2, 3], [1, 2, 3], 0],
    "kernel_size": [2, 3, [2, 3], [1, 2, 3]],
    "sigma": [[1.0, 1.0]],
    "dilation": [1, 2, [1, 2]],
    "padding": [0, 1, [0, 2]],
    "stride": [1, 2, [2, 1], 0],
    "block_size": [2, 2, 2, 3, 0, 4],
    "num_classes": [5, 10, 0, -1],
    "Resize.size": [[4, 6], [3], [5, 5, 5], [-1, 2]],
    "output_shape": [[2, 4, 4, 3], [1, None], [-1]],
    "ord": [None, "fro", "nuc", 1, 2, 3, "sum", -1, 0],
    "mode": ["valid", "same", "full"],
    "Qr.mode": ["reduced", "complete"],
    "Pad.mode": ["constant"],
    "indexing": ["xy", "ij"],
    "strategy": ["greedy", "beam_search"],
    "bins": [10, 1, 0],
    "range": [None, [0.0, 1.0], [1.0, 0.0]],
    "shape": [[2, 3], [None, 4], [], [-1], [7]],
    "sequence_length": [3, 4, 1, 20],
    "sequence_stride": [1, 2, 0, 3],
    "fft_length": [4, 5, 8, 16],
    "IRFFT.fft_length": [None, None, 4, 0, -3],
    "RFFT.fft_length": [None, None, 4, 5, -3],
    "length": [None, None, 12],
    "order": [2],
    "side": ["left", "right"],
    "retstep": [False, False, False, True],
    "repeats": [2, 3, [2], [1, 2], [2, 0, 3], 0, [], -1],
    "N": [None, 3, 0],
    "method": ["linear"],
    "num_segments": [4, None, 0],
    "num": [None, None, 2, 3, 0],
    "Linspace.num": [5, 0, 50, -1],
    "Geomspace.num": [5, 0, 50, -1],
    "Logspace.num": [5, 0, 50, -1],
}
