"""The JSON Schema of the spec, for editors: made from the types that decode a spec.

Where a type wants a number, text may be an expression. In a block, a word may also be a parameter
in place of any value. So each layer kind has two definitions: `Dense` and `block.Dense`.
"""

from __future__ import annotations

from msgspec import json

from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.schema.kind_schema import (
    BLOCK_PREFIX,
    JsonSchema,
    allow_parameter,
    allow_parameters,
    layer_kind_schema,
    refer_to_shared_types,
    schema_ref,
    shared_type_names,
    split_notes,
    type_schemas,
)
from dense_calc.schema.spec_schema import (
    block_schema,
    block_use_schema,
    expect_schema,
    from_schema,
    layer_schema,
    model_schema,
    other_item_schema,
)
from dense_calc.spec_language.block_uses import Repetition
from dense_calc.spec_language.budget_section import Expect
from dense_calc.spec_language.entries import INPUT_KIND

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_spec_schema() -> JsonSchema:
    """The schema of a whole spec, in the dialect of 2020-12."""
    parts = type_schemas([*map(find_kind, KIND_MODULES), Expect, Repetition])
    full = {name: layer_kind_schema(find_kind(name), parts.pop(name)) for name in KIND_MODULES}
    repetition = parts.pop(Repetition.__name__)
    shared = shared_type_names(full.values())
    types = {name: json.decode(text) for text, name in shared.items()}
    kinds = {name: refer_to_shared_types(kind, shared) for name, kind in full.items()}
    # The key has the description of a layer; editors would show a second one beside it.
    undescribed = {name: split_notes(kind, "description")[0] for name, kind in kinds.items()}
    return {
        "$schema": _SCHEMA_DIALECT,
        "description": "A neural network, as a text of Keras' layers.",
        **model_schema(schema_ref(INPUT_KIND), full[INPUT_KIND]),
        "$defs": {
            "from": from_schema(),
            "layer": layer_schema(kinds, ""),
            BLOCK_PREFIX + "layer": layer_schema(kinds, BLOCK_PREFIX),
            "other": other_item_schema(repetition),
            "use": block_use_schema(repetition),
            "block": block_schema(),
            "Expect": expect_schema(parts.pop(Expect.__name__)),
            **types,
            **{BLOCK_PREFIX + name: allow_parameter(part) for name, part in types.items()},
            **parts,
            **undescribed,
            **{BLOCK_PREFIX + name: allow_parameters(kind) for name, kind in undescribed.items()},
        },
    }
