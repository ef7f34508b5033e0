"""The words on the arguments of the kinds: a line on what each means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from dense_calc.layers import OPERATION_PREFIX
from dense_calc.layers.base import LayerKind

_WORDS_FILE = "argument_words.yaml"


def argument_words(kind: type[LayerKind], argument: str) -> str:
    """What an argument of a kind means, in a sentence."""
    return words_table()[words_key(kind, argument)]


def words_key(kind: type[LayerKind], argument: str) -> str:
    """The key of the words on an argument: the most special one in the table."""
    prefix = OPERATION_PREFIX if kind.is_operation else ""
    keys = f"{prefix}{kind.__name__}.{argument}", f"{prefix}{argument}", argument
    return next(key for key in keys if key in words_table())


@cache
def words_table() -> Mapping[str, str]:
    """The words by argument (`units`), or by kind and argument (`Softmax.axis`)."""
    text = (files("dense_calc.layers") / _WORDS_FILE).read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {key: words for key, _, words in (line.partition(": ") for line in lines)}
