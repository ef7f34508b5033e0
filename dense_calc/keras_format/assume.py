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

from dense_calc.errors import Place, Source, SpecError, said
from dense_calc.keras_format.assumed_layer import Stated
from dense_calc.layers.base import LayerKind
from dense_calc.spec_language.entries import Entry
from dense_calc.spec_language.layer_arguments import decoded
from dense_calc.spec_language.scope import Scope, is_number, is_var_name
from dense_calc.spec_language.yaml_tree import Marked, document

IDENTITY = "identity"

Assumption = Marked
Kind = TypeVar("Kind", bound=LayerKind)


def assumption(name: str, text: str) -> Assumption:
    """What is assumed of a class, as it is written on the command line.

    Raises:
        SpecError: it is neither identity nor a mapping.
    """
    written = document(Source(f"--assume {name}", text))
    is_identity = isinstance(written.value, str) and written.value.lower() == IDENTITY
    if not is_identity and not isinstance(written.value, dict):
        raise SpecError(
            f"assume '{IDENTITY}', or {{output_shape: [...], weights: {{...}}}}, "
            f"not {said(written.value)}",
            written,
        )
    return written


def stand_in(
    class_name: str, config: Mapping[str, Any], assumed: Assumption, spot: Place
) -> LayerKind:
    """The layer that stands in for one of a class, with what the class's config says.

    Raises:
        SpecError: the assumption does not fit together.
    """
    kind = kind_called(class_name, Stated)
    arguments = assumed.value if isinstance(assumed.value, dict) else {}
    entry = Entry(*assumed.where, kind, arguments, class_name)
    numbers = {
        name: Marked(*assumed.where, value)
        for name, value in config.items()
        if is_number(value) and is_var_name(name)
    }
    values = {name: value.plain() for name, (_, value) in arguments.items()}
    layer: LayerKind = decoded(entry, values, Scope(numbers))
    return replace(layer, trainable=False) if config.get("trainable") is False else layer


@cache
def kind_called(class_name: str, kind: type[Kind]) -> type[Kind]:
    """A kind of what stands in for a class, under the class's name."""
    name = class_name.encode(errors="replace").decode().replace("\0", "?")
    made: Any = defstruct(name, [], bases=(kind,), frozen=True, kw_only=True)
    found: type[Kind] = made
    return found
