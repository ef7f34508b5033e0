"""A text → what it holds, if it is Keras' own, in JSON or YAML; any other is a spec's."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from dense_calc.errors import Source, SpecError
from dense_calc.keras_format.detect import (
    JSON_START,
    foreign_value_message,
    has_class_names,
    looks_like_keras,
)
from dense_calc.keras_format.find_architecture import architecture_in, decode_embedded_json
from dense_calc.keras_format.json_locations import decode_json, file_start
from dense_calc.keras_format.layer_objects import model_type
from dense_calc.keras_format.legacy.yaml_models import parse_keras_yaml


def keras_value(source: Source, is_archive: bool) -> Any:
    """What a text holds, if it is a model of Keras'; None if it is not, and may be a spec.

    That of an archive is Keras' in any case.

    Raises:
        SpecError: it is broken; or it is known to be something else, and no spec.
    """
    value = _decode_model_text(source, is_archive or looks_like_keras(source.text))
    found = architecture_in(value, source.name)
    if found is None or model_type(found.class_name, found.config) is None:
        foreign = foreign_value_message(decode_embedded_json(value, source.name))
        if foreign:
            raise SpecError(foreign, file_start(source))
    return value if found or is_archive else None


def _decode_model_text(source: Source, is_keras: bool) -> Any:
    """The value of a JSON text, or of a YAML text with classes; None if it is neither.

    Raises:
        SpecError: it is broken.
    """
    if is_keras:
        return decode_json(source)
    if re.match(JSON_START, source.text):
        with suppress(SpecError):
            return decode_json(source)
    return parse_keras_yaml(source).plain_value() if has_class_names(source.text) else None
