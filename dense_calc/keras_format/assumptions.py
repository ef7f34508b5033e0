"""Assumptions about classes that Keras does not have: `--assume NAME=identity`, or a mapping.

The mapping may have `output_shape`, without the batch axis; `weights`, shapes by name; and
`frozen`, the names of weights that are not trained. Sizes may be expressions over the numbers in
the config of the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, cast

from msgspec import defstruct
from msgspec.structs import replace

from dense_calc.errors import Source, SpecError, describe_value
from dense_calc.keras_format.custom_layers import AssumedLayer
from dense_calc.layers.base import LayerKind
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.layer_arguments import decode_arguments
from dense_calc.spec_language.scope import Scope, is_var_name
from dense_calc.spec_language.spec_numbers import is_number
from dense_calc.spec_language.yaml_tree import YamlNode, parse_yaml

_IDENTITY = "identity"

Assumption = YamlNode
Kind = TypeVar("Kind", bound=LayerKind)


def parse_assumption(name: str, text: str) -> Assumption:
    """The assumption about a class, as written on the command line.

    Raises:
        SpecError: the text is neither identity nor a mapping.
    """
    written = parse_yaml(Source(f"--assume {name}", text))
    is_identity = isinstance(written.value, str) and written.value.lower() == _IDENTITY
    if not is_identity and not isinstance(written.value, dict):
        raise SpecError(
            f"assume '{_IDENTITY}', or {{output_shape: [...], weights: {{...}}}}, "
            f"not {describe_value(written.value)}",
            written,
        )
    return written


def build_stand_in(class_name: str, config: Mapping[str, Any], assumption: Assumption) -> LayerKind:
    """The layer that stands in for a layer of a custom class with this config.

    Raises:
        SpecError: the assumption does not fit the config, or contradicts itself.
    """
    kind = derive_named_kind(class_name, AssumedLayer)
    arguments = assumption.value if isinstance(assumption.value, dict) else {}
    entry = SpecEntry(*assumption.coordinates, kind, arguments, class_name)
    numbers = {
        name: YamlNode(*assumption.coordinates, value)
        for name, value in config.items()
        if is_number(value) and is_var_name(name)
    }
    values = {name: value.plain_value() for name, (_, value) in arguments.items()}
    layer: LayerKind = decode_arguments(entry, values, Scope(numbers))
    return replace(layer, trainable=False) if config.get("trainable") is False else layer


@cache
def derive_named_kind(class_name: str, kind: type[Kind]) -> type[Kind]:
    """A subclass of a kind, named as a custom class."""
    name = class_name.encode(errors="replace").decode().replace("\0", "?")
    derived: Any = defstruct(name, [], bases=(kind,), frozen=True, kw_only=True)
    return cast(type[Kind], derived)
