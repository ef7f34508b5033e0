"""Decode a text, in JSON or YAML, that holds a Keras model; any other text is a spec."""

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
    """The value of a text that holds a Keras model; None if the text may be a spec.

    The text of an archive is never a spec.

    Raises:
        SpecError: the text is broken, or is a known kind of something else.
    """
    value = _decode_model_text(source, is_archive or looks_like_keras(source.text))
    model = architecture_in(value, source.name)
    if model is None or model_type(model.class_name, model.config) is None:
        message = foreign_value_message(decode_embedded_json(value, source.name))
        if message:
            raise SpecError(message, file_start(source))
    return value if model or is_archive else None


def _decode_model_text(source: Source, is_keras: bool) -> Any:
    """The value of a JSON text, or of a YAML text that names classes; None if it is neither.

    Raises:
        SpecError: the text is broken.
    """
    if is_keras:
        return decode_json(source)
    if re.match(JSON_START, source.text):
        with suppress(SpecError):
            return decode_json(source)
    return parse_keras_yaml(source).plain_value() if has_class_names(source.text) else None
