"""What stands in for classes that Keras does not have: `--assume NAME=identity`, or what it holds.

An assumption is `identity`, or a mapping: `output_shape` without the batch axis, `weights` by
name, and `frozen`, the names of those that are not trained. Sizes may be expressions over the
numbers in the layer's own config.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from msgspec import defstruct
from msgspec.structs import replace

from dense_calc.errors import Place, Source, SpecError, describe_value
from dense_calc.keras_format.assumed_layer import AssumedLayer
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
    """What is assumed of a class, as it is written on the command line.

    Raises:
        SpecError: it is neither identity nor a mapping.
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


def build_stand_in(
    class_name: str, config: Mapping[str, Any], assumed: Assumption, spot: Place
) -> LayerKind:
    """The layer that stands in for one of a class, with what the class's config says.

    Raises:
        SpecError: the assumption does not fit together.
    """
    kind = derive_named_kind(class_name, AssumedLayer)
    arguments = assumed.value if isinstance(assumed.value, dict) else {}
    entry = SpecEntry(*assumed.coordinates, kind, arguments, class_name)
    numbers = {
        name: YamlNode(*assumed.coordinates, value)
        for name, value in config.items()
        if is_number(value) and is_var_name(name)
    }
    values = {name: value.plain_value() for name, (_, value) in arguments.items()}
    layer: LayerKind = decode_arguments(entry, values, Scope(numbers))
    return replace(layer, trainable=False) if config.get("trainable") is False else layer


@cache
def derive_named_kind(class_name: str, kind: type[Kind]) -> type[Kind]:
    """A kind of what stands in for a class, under the class's name."""
    name = class_name.encode(errors="replace").decode().replace("\0", "?")
    made: Any = defstruct(name, [], bases=(kind,), frozen=True, kw_only=True)
    found: type[Kind] = made
    return found
