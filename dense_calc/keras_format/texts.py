"""A text → what it holds, if it is Keras' own, in JSON or YAML; any other is a spec's."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from dense_calc.errors import Source, SpecError
from dense_calc.keras_format.detect import JSON, foreign_value, looks_like_keras, names_classes
from dense_calc.keras_format.find_architecture import architecture_in, content
from dense_calc.keras_format.json_locations import start_of, value_of
from dense_calc.keras_format.layer_objects import model_type
from dense_calc.keras_format.legacy.yaml_models import document_of_keras


def keras_value(source: Source, is_archive: bool) -> Any:
    """What a text holds, if it is a model of Keras'; None if it is not, and may be a spec.

    That of an archive is Keras' in any case.

    Raises:
        SpecError: it is broken; or it is known to be something else, and no spec.
    """
    value = decoded(source, is_archive or looks_like_keras(source.text))
    found = architecture_in(value, source.name)
    if found is None or model_type(found.class_name, found.config) is None:
        foreign = foreign_value(content(value, source.name))
        if foreign:
            raise SpecError(foreign, start_of(source))
    return value if found or is_archive else None


def decoded(source: Source, is_keras: bool) -> Any:
    """The value of a JSON text, or of a YAML text with classes; None if it is neither.

    Raises:
        SpecError: it is broken.
    """
    if is_keras:
        return value_of(source)
    if re.match(JSON, source.text):
        with suppress(SpecError):
            return value_of(source)
    return document_of_keras(source).plain() if names_classes(source.text) else None
