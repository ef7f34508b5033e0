"""The YAML that `model.to_yaml()` of Keras 1 and 2 wrote → the values in it.

PyYAML wrote Python's objects with tags that say how to make them again. Here they are only what
they hold: lists, mappings and texts. Nothing is made, and nothing is run.
"""

from __future__ import annotations

from typing import Any

from dense_calc.errors import Source
from dense_calc.spec_language.yaml_scalars import resolve_scalar
from dense_calc.spec_language.yaml_tree import YamlNode, YamlTreeBuilder, parse_yaml

_YAML_TAG, _PYTHON_TAG = "tag:yaml.org,2002:", "tag:yaml.org,2002:python/"
# The tags of what a value is anyway, and of words that are more than text.
_PLAIN_TAGS = {
    *(_YAML_TAG + name for name in ("binary", "map", "omap", "seq", "str")),
    *(_PYTHON_TAG + name for name in ("bytes", "dict", "list", "str", "tuple", "unicode")),
}
_SCALAR_TAGS = {
    *(_YAML_TAG + name for name in ("bool", "float", "int", "null")),
    *(_PYTHON_TAG + name for name in ("bool", "float", "int", "long", "none")),
}
_NAME_TAGS = (f"{_PYTHON_TAG}name:", f"{_PYTHON_TAG}module:")  # of a function, class or module
_STATE_TAG = f"{_PYTHON_TAG}object:"  # an object by its attributes
_CONSTRUCTOR_TAGS = (
    f"{_PYTHON_TAG}object/apply:",
    f"{_PYTHON_TAG}object/new:",
)  # one by what it is made of
_CONSTRUCTOR_KEYS = (
    "listitems",
    "dictitems",
    "args",
    "state",
)  # of what it is made of, where all are told


class _KerasYamlTree(YamlTreeBuilder):
    """The tree of a text that Keras wrote."""

    def apply_tag(self, tag: str, node: YamlNode) -> None:
        if tag in _SCALAR_TAGS and isinstance(node.value, str):
            node.value = resolve_scalar(node.value)
        elif tag.startswith(_NAME_TAGS):
            node.value = tag.partition(":python/")[2].partition(":")[2]
        elif tag.startswith(_CONSTRUCTOR_TAGS):
            node.value = _object_content(node.value)
        elif tag not in _PLAIN_TAGS | _SCALAR_TAGS and not tag.startswith(_STATE_TAG):
            super().apply_tag(tag, node)

    def handle_duplicate_key(
        self, first: tuple[YamlNode, YamlNode], key: YamlNode, value: YamlNode
    ) -> None:
        """Refuse a key that stands twice, unless it says the same word."""
        if isinstance(value.value, dict | list) or first[1].value != value.value:
            super().handle_duplicate_key(first, key, value)


def _object_content(value: Any) -> Any:
    """What an object holds: the one thing that it is made of, or all of them as a list."""
    if isinstance(value, dict):
        part = next((each for each in _CONSTRUCTOR_KEYS if each in value), None)
        value = value[part][1].value if part else {}
        if part != "args":
            return value
    if isinstance(value, list) and len(value) == 1:
        return value[0].value
    return value


def parse_keras_yaml(source: Source) -> YamlNode:
    """The value that a YAML text of Keras' holds.

    Raises:
        SpecError: it is not YAML, or goes over a limit.
    """
    return parse_yaml(source, _KerasYamlTree)
