"""The JSON Schema of the spec, for editors: made from the types that decode it.

Where a type wants a number, text may be an expression; and in a block, where any value stands, a
word may be a parameter. So there are two definitions of each layer kind: `Dense`, `block.Dense`.
"""

from __future__ import annotations

from msgspec import json

from dense_calc.layers import KINDS, kind_named
from dense_calc.schema.kind_schema import (
    WITH_PARAMETERS,
    Schema,
    components,
    kind_schema,
    ref,
    shared_types,
    with_parameters,
    with_references,
)
from dense_calc.schema.spec_schema import EXPRESSION, WORD, block, layer, model, other, sources, use
from dense_calc.spec_language.budget_section import Expect
from dense_calc.spec_language.entries import INPUT_KIND
from dense_calc.spec_language.planning import Repetition

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The schema of a whole spec, in the dialect of 2020-12."""
    parts = components([*map(kind_named, KINDS), Expect, Repetition])
    whole = {name: kind_schema(kind_named(name), parts.pop(name)) for name in KINDS}
    shared = shared_types(whole.values())
    kinds = {name: with_references(kind, shared) for name, kind in whole.items()}
    return {
        "$schema": DIALECT,
        "title": "dense-calc",
        "description": "A neural network, as a text of Keras' layers.",
        **model(ref(INPUT_KIND), whole[INPUT_KIND]),
        "$defs": {
            "expression": EXPRESSION,
            "parameter": WORD | {"description": "A parameter of the block."},
            "from": sources(),
            "layer": layer(kinds, ""),
            WITH_PARAMETERS + "layer": layer(kinds, WITH_PARAMETERS),
            "other": other(),
            "use": use(parts.pop(Repetition.__name__)),
            "block": block(),
            **{name: json.decode(text) for text, name in shared.items()},
            **parts,
            **kinds,
            **{WITH_PARAMETERS + name: with_parameters(kind) for name, kind in kinds.items()},
        },
    }
