"""Read the YAML that `model.to_yaml()` of Keras 1 and 2 wrote.

PyYAML wrote Python objects with tags that say how to construct them. Here only their content is
read: lists, mappings and texts. No object is constructed, and no code is run.
"""

from __future__ import annotations

from typing import Any

from dense_calc.errors import Source
from dense_calc.spec_language.yaml_scalars import resolve_scalar
from dense_calc.spec_language.yaml_tree import YamlNode, YamlTreeBuilder, parse_yaml

_YAML_TAG, _PYTHON_TAG = "tag:yaml.org,2002:", "tag:yaml.org,2002:python/"
# Tags that repeat what a value is, and tags of scalars that are more than text.
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
# An object by its constructor's arguments: a list of them, or a mapping with these keys.
_CONSTRUCTOR_TAGS = (f"{_PYTHON_TAG}object/apply:", f"{_PYTHON_TAG}object/new:")
_CONSTRUCTOR_KEYS = ("listitems", "dictitems", "args", "state")


class _KerasYamlTree(YamlTreeBuilder):
    """The tree of a YAML text that Keras wrote."""

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
        """Refuse a key that stands twice, unless both have the same scalar."""
        if isinstance(value.value, dict | list) or first[1].value != value.value:
            super().handle_duplicate_key(first, key, value)


def _object_content(value: Any) -> Any:
    """The content of an object: its constructor's only argument, or all of them as a list."""
    if isinstance(value, dict):
        key = next((each for each in _CONSTRUCTOR_KEYS if each in value), None)
        value = value[key][1].value if key else {}
        if key != "args":
            return value
    if isinstance(value, list) and len(value) == 1:
        return value[0].value
    return value


def parse_keras_yaml(source: Source) -> YamlNode:
    """The tree of a YAML text that Keras wrote.

    Raises:
        SpecError: the text is not YAML, or exceeds a limit.
    """
    return parse_yaml(source, _KerasYamlTree)
