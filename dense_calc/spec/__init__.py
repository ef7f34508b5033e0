"""The spec: a YAML text in Keras' words → a Model."""

from __future__ import annotations

from collections.abc import Mapping

from dense_calc.errors import Source
from dense_calc.model import Model
from dense_calc.spec.build import model
from dense_calc.spec.document import document


def parse(source: Source, name: str, overrides: Mapping[str, int | float | str]) -> Model:
    """The model that a spec describes.

    `name` is the model's name if the spec gives none; `overrides` gives vars other values, as
    numbers or expressions.

    Raises:
        SpecError: the text is no model.
    """
    return model(document(source), name, overrides)
