"""The spec: a YAML text in Keras' words → a Model."""

from __future__ import annotations

from dense_calc.errors import Source
from dense_calc.model import Model
from dense_calc.spec_language.outline import Outline
from dense_calc.spec_language.yaml_tree import document


def parse(source: Source, name: str) -> Model:
    """The model that a spec describes; `name` is what it is called if the spec does not say.

    Raises:
        SpecError: the text is no model.
    """
    outline = Outline(document(source), name)
    return outline.model(outline.scope({}))
