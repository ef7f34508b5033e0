"""Every argument has its words, and no words are left over."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import yaml

from dense_calc.layers import (
    KIND_MODULES,
    OPERATION_PREFIX,
    UNEXPORTED_KIND_MODULES,
    find_kind,
)
from dense_calc.layers.introspect.argument_words import argument_words, words_key, words_table
from dense_calc.layers.operations import OPERATION_MODULES

MAX_WORDS_LENGTH = 70


def used_keys() -> Iterator[str]:
    """The keys of the words on all arguments of layer kinds and operations."""
    operations = (OPERATION_PREFIX + name for name in OPERATION_MODULES)
    for name in (*KIND_MODULES, *UNEXPORTED_KIND_MODULES, *operations):
        kind = find_kind(name)
        yield from (words_key(kind, argument) for argument in kind.__struct_encode_fields__)


def test_every_argument_has_words_and_all_words_have_an_argument() -> None:
    assert {*used_keys()} == {*words_table()}


def test_words_are_a_short_sentence() -> None:
    odd = {
        key: words
        for key, words in words_table().items()
        if not words[0].isupper() or words[-1] != "." or len(words) > MAX_WORDS_LENGTH
    }
    assert odd == {}


def test_the_table_is_yaml_in_alphabetical_order() -> None:
    text = (files("dense_calc.layers") / "argument_words.yaml").read_text("utf-8")
    assert yaml.safe_load(text) == words_table()
    assert list(words_table()) == sorted(words_table())


def test_an_argument_means_something_else_in_some_kinds() -> None:
    assert argument_words(find_kind("Dense"), "units").startswith("Number of units")
    axes = {argument_words(find_kind(kind), "axis") for kind in ("Softmax", "Concatenate")}
    assert len(axes) == 2
    assert argument_words(find_kind("ops.Stack"), "axis") not in axes
