"""What a file of Keras' holds → a Model, whichever version wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dense_calc.errors import Source, SpecError, said
from dense_calc.keras_format.assumptions import assumption
from dense_calc.keras_format.models import inside, model_in
from dense_calc.keras_format.objects import File, is_model
from dense_calc.keras_format.places import start_of, too_deep
from dense_calc.model import Model

CURRENT = 3


def from_keras(
    value: Mapping[str, Any], source: Source, name: str, assume: Mapping[str, str], keras: str = ""
) -> Model:
    """The model that a file of Keras' holds: what its text is decoded to, and the text itself.

    `name` is the model's name if it has none; `assume` says what stands in for classes by name;
    `keras` is the version that wrote the file, if that stands elsewhere.

    Raises:
        SpecError: something in it is not known, or does not fit.
    """
    start = start_of(source)
    assumed = {each: assumption(each, text) for each, text in assume.items()}
    version = keras or str(value.get("keras_version") or "")
    if not is_model(value):
        told = said(value.get("class_name"))
        raise SpecError(
            f"the model is of a class of its own, {told}, and the file does not tell its layers; "
            "a Sequential or a Functional can be read",
            start,
        )
    keras_version = major(version, value)
    ordering = ordering_of(source.text, keras_version)
    file = File(keras_version, ordering, assumed, inside)
    try:
        return model_in(value, start, file, name)
    except RecursionError:
        raise too_deep(source) from None


def major(version: str, value: Mapping[str, Any]) -> int:
    """The major version of Keras that wrote a model: as it says, or as it looks."""
    told = re.match(r"\d+", version)
    if told:
        return int(told[0])
    return CURRENT if "module" in value else CURRENT - 1


def ordering_of(text: str, keras: int) -> str:
    """Where the channels are in a file of Keras 1, by the first layer that says it."""
    told = re.search(r'["\']?dim_ordering["\']?: *["\']?(th|tf)\b', text) if keras == 1 else None
    return told[1] if told else ""
