"""The YAML that `model.to_yaml()` of Keras 1 and 2 wrote → the values in it.

PyYAML wrote Python's objects with tags that say how to make them again. Here they are only what
they hold: lists, mappings and texts. Nothing is made, and nothing is run.
"""

from __future__ import annotations

from typing import Any

from dense_calc.errors import Source
from dense_calc.spec_language.yaml_scalars import resolved
from dense_calc.spec_language.yaml_tree import Marked, Tree, document

YAML, PYTHON = "tag:yaml.org,2002:", "tag:yaml.org,2002:python/"
# The tags of what a value is anyway, and of words that are more than text.
PLAIN = {
    *(YAML + name for name in ("binary", "map", "omap", "seq", "str")),
    *(PYTHON + name for name in ("bytes", "dict", "list", "str", "tuple", "unicode")),
}
WORDS = {
    *(YAML + name for name in ("bool", "float", "int", "null")),
    *(PYTHON + name for name in ("bool", "float", "int", "long", "none")),
}
NAMES = (f"{PYTHON}name:", f"{PYTHON}module:")  # of a function, class or module
STATE = f"{PYTHON}object:"  # an object by its attributes
OBJECTS = (f"{PYTHON}object/apply:", f"{PYTHON}object/new:")  # one by what it is made of
PARTS = ("listitems", "dictitems", "args", "state")  # of what it is made of, where all are told


class TreeOfKeras(Tree):
    """The tree of a text that Keras wrote."""

    def obey_tag(self, tag: str, node: Marked) -> None:
        if tag in WORDS and isinstance(node.value, str):
            node.value = resolved(node.value)
        elif tag.startswith(NAMES):
            node.value = tag.partition(":python/")[2].partition(":")[2]
        elif tag.startswith(OBJECTS):
            node.value = made_of(node.value)
        elif tag not in PLAIN | WORDS and not tag.startswith(STATE):
            super().obey_tag(tag, node)

    def admit_again(self, first: tuple[Marked, Marked], key: Marked, value: Marked) -> None:
        """Refuse a key that stands twice, unless it says the same word."""
        if isinstance(value.value, dict | list) or first[1].value != value.value:
            super().admit_again(first, key, value)


def made_of(value: Any) -> Any:
    """What an object holds: the one thing that it is made of, or all of them as a list."""
    if isinstance(value, dict):
        part = next((each for each in PARTS if each in value), None)
        value = value[part][1].value if part else {}
        if part != "args":
            return value
    if isinstance(value, list) and len(value) == 1:
        return value[0].value
    return value


def document_of_keras(source: Source) -> Marked:
    """The value that a YAML text of Keras' holds.

    Raises:
        SpecError: it is not YAML, or goes over a limit.
    """
    return document(source, TreeOfKeras)
