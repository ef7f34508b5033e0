"""The spec: a YAML text in Keras' words → a Model."""

from __future__ import annotations

from dense_calc.errors import Source
from dense_calc.model import Model
from dense_calc.spec_language.outline import SpecOutline
from dense_calc.spec_language.yaml_tree import parse_yaml


def parse_spec(source: Source, name: str) -> Model:
    """The model that a spec describes; `name` is what it is called if the spec does not say.

    Raises:
        SpecError: the text is no model.
    """
    outline = SpecOutline(parse_yaml(source), name)
    return outline.make_model(outline.make_scope({}))
