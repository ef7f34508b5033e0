"""Random preprocessing layers for text and other categories."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, Draw, arguments_of, number, one_of, shape

MODES = one_of("int", "int", "one_hot", "multi_hot", "count", "tf_idf", "binary", "tf-idf")
HASHED = one_of("int", "int", "one_hot", "multi_hot", "count", "one_hot", "nothing")
OWN: dict[str, Draw] = {
    "HashedCrossing.num_bins": number(0, 9),
    "HashedCrossing.output_mode": one_of("int", "one_hot", "one_hot", "count"),
    "Hashing.output_mode": HASHED,
    "Hashing.dtype": one_of("int32", "int64", None, "float32", "mixed_float16", "string"),
    "IntegerLookup.mask_token": one_of(None, 0, 7),
    "IntegerLookup.oov_token": one_of(-1, 0, 9),
    "encoding": one_of("utf-8", "latin-1"),
    "has_input_vocabulary": one_of(True, False, False, None),
    "idf_weights": one_of(None, [], [0.5], [1, 2, 0.5]),
    "invert": BOOLEAN,
    "mask_token": one_of(None, "", "[MASK]", "b"),
    "mask_value": one_of(None, 0, "", "a", 2.5),
    "max_tokens": one_of(None, 2, 5, 8, 20, 20, 1),
    "ngrams": one_of(None, 2, 3, 0, -1),
    "num_bins": number(1, 9),
    "num_oov_indices": one_of(0, 1, 2, 3, -1),
    "oov_method": one_of("floormod", "farmhash", "farmhash", "modulo"),
    "oov_token": one_of("[UNK]", "", "c", None),
    "output_mode": MODES,
    "output_sequence_length": one_of(None, 0, 1, 5, 200),
    "pad_to_max_tokens": BOOLEAN,
    "salt": one_of(None, 0, 7, [1, 2], [5, -5], [1, 2, 3]),
    "split": one_of("whitespace", "character", None, None, "words"),
    "standardize": one_of("lower_and_strip_punctuation", "lower", "strip_punctuation", None, "up"),
    "vocabulary": lambda rng: rng.sample("abcdefgh", rng.randint(1, 6)),
    "IntegerLookup.vocabulary": lambda rng: rng.sample(range(-1, 20), rng.randint(1, 6)),
    "vocabulary_dtype": one_of("int64", "int64", "int64", "int64", "int32"),
    "vocabulary_size": number(0, 9),
}
RARE = {"sparse": 0.06, "ragged": 0.06}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    arguments = arguments_of(rng, name, OWN)
    for argument, often in RARE.items():
        if rng.random() < often and (argument == "sparse" or name == "TextVectorization"):
            arguments[argument] = rng.random() < 0.7
    if "vocabulary" in arguments:
        varied(rng, arguments, special(name, arguments))
    if rng.random() < 0.9:
        mend(rng, name, arguments)
    dtype = rng.choice(["string", "string", "string", "int64", "float32"])
    shapes = [given(rng)]
    if name == "HashedCrossing":
        other = shapes[0] if rng.random() < 0.8 else given(rng)
        shapes += [other, other][: rng.choice([1, 1, 1, 1, 1, 0, 2])]
    return {
        "arguments": arguments,
        "inputs": [{"batch_shape": each, "dtype": dtype} for each in shapes],
    }


def given(rng: random.Random) -> list[int | None]:
    """A shape of texts, mostly one text for each sample."""
    if rng.random() < 0.4:
        return [None, 1][: rng.randint(1, 2)]
    return shape(rng, rng.randint(1, 4)) if rng.random() < 0.9 else []


def special(name: str, arguments: dict[str, Any]) -> list[Any]:
    """The special tokens of a vocabulary."""
    text = name == "TextVectorization"
    mask = "" if text else arguments.get("mask_token")
    unknown = arguments.get("oov_token", -1 if name == "IntegerLookup" else "[UNK]")
    masked = mask is not None and arguments.get("output_mode", "int") == "int"
    return [mask] * masked + [unknown] * max(0, arguments.get("num_oov_indices", 1))


def varied(rng: random.Random, arguments: dict[str, Any], special: list[Any]) -> None:
    """Sometimes give a vocabulary special tokens, or make it invalid."""
    tokens = arguments["vocabulary"]
    chance = rng.random()
    if "vocabulary_size" in arguments and rng.random() < 0.8:
        arguments["vocabulary_size"] = len(special) + len(tokens)
    if chance < 0.25 and None not in special:
        arguments["vocabulary"] = special + tokens
    elif chance < 0.3:
        unsound = [[], [*tokens, tokens[0]], [*special[-1:], *tokens]]
        arguments["vocabulary"] = [each for each in rng.choice(unsound) if each is not None]
    elif chance < 0.35 and None not in special:
        arguments["vocabulary"] = special


def mend(rng: random.Random, name: str, arguments: dict[str, Any]) -> None:
    """Change arguments so that the layer is likely valid."""
    mode = arguments.get("output_mode", "int")
    if mode == "int" and name == "Hashing" and arguments.get("dtype") is not None:
        arguments["dtype"] = "int32"
    if mode != "int":
        arguments.pop("invert", None)
        arguments.pop("output_sequence_length", None)
    if arguments.get("pad_to_max_tokens") and not arguments.get("max_tokens"):
        arguments["max_tokens"] = 20
    if mode not in ("tf_idf", "tf-idf"):
        arguments.pop("idf_weights", None)
    elif "vocabulary" in arguments:
        arguments["idf_weights"] = [0.5] * len(arguments["vocabulary"])
    if name == "IntegerLookup" and arguments.get("salt") is not None:
        arguments["oov_method"] = "farmhash"
    if arguments.get("num_oov_indices") == -1:
        arguments["num_oov_indices"] = 1
    if arguments.get("max_tokens") in (1, 2, 5):
        arguments["max_tokens"] = rng.choice([2, 5, 20, 20])
