"""Find the architecture in the content of a Keras file, whatever wraps it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from dense_calc.errors import Source
from dense_calc.keras_format.detect import JSON_START
from dense_calc.keras_format.json_locations import PathStep, decode_json

_MAX_WRAPPERS = 8  # files have two or three
_TOPOLOGY_KEY, _CONFIG_KEY, _MODEL_CONFIG_KEY = "modelTopology", "config", "model_config"
_FRUGALLY_DEEP_KEY = "architecture"  # in the JSON that frugally-deep makes of a model
_WRAPPER_KEYS = (_TOPOLOGY_KEY, _MODEL_CONFIG_KEY, _FRUGALLY_DEEP_KEY)
_SPEC_KEYS = {"input", "inputs"}  # of a spec with a layer as Keras' files have it, a mistake
_FUNCTIONAL_CLASS, _SEQUENTIAL_CLASS = "Functional", "Sequential"


class Architecture(Struct):
    """A model as it stands in a file: its class, its config, and the path to the config.

    `keras_version` is '' where the file does not say it. `has_modules` is whether the file says
    which module a class is from, as only Keras 3 does.
    """

    class_name: Any
    config: Any
    config_path: tuple[PathStep, ...]
    keras_version: str
    has_modules: bool


def architecture_in(value: Any, name: str) -> Architecture | None:
    """The architecture in the value of a text of this name; None if there is none.

    It may be wrapped by TensorFlow.js or frugally-deep, or be JSON inside a string. It may lack
    its class, as `model.get_config()` returns it; in early versions that is a list of layers.

    Raises:
        SpecError: JSON inside a string is broken.
    """
    path: tuple[PathStep, ...] = ()
    version = ""
    for _ in range(_MAX_WRAPPERS):
        value = decode_embedded_json(value, name)
        key = next((each for each in _WRAPPER_KEYS if _has_key(value, each)), None)
        version = (_has_key(value, "keras_version") and str(value["keras_version"])) or version
        if key is None:
            return _unwrapped_architecture(value, path, version)
        value, path = value[key], (*path, key)
    return None


def _has_key(value: Any, key: str) -> bool:
    """Whether a value is a mapping with this key."""
    return isinstance(value, dict) and key in value


def _unwrapped_architecture(
    value: Any, path: tuple[PathStep, ...], version: str
) -> Architecture | None:
    """The architecture in a value without a wrapper; None if it is none."""
    match value:
        case {"class_name": str(name)}:
            return Architecture(
                name, value.get(_CONFIG_KEY), (*path, _CONFIG_KEY), version, "module" in value
            )
        case {"layers": [{"class_name": _} as first, *_]} if not value.keys() & _SPEC_KEYS:
            name = _FUNCTIONAL_CLASS if "output_layers" in value else _SEQUENTIAL_CLASS
            return Architecture(name, value, path, version, "module" in first)
        case [{"class_name": _, "config": _}, *_]:
            return Architecture(_SEQUENTIAL_CLASS, value, path, version, False)
    return None


def decode_embedded_json(value: Any, name: str) -> Any:
    """The value, decoded where it is a string of JSON, as in files that encode it twice.

    Raises:
        SpecError: the JSON is broken.
    """
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(value, str) or not re.match(JSON_START, value):
            break
        value = decode_json(Source(f"the text in {name}", value))
    return value
