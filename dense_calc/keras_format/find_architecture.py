"""Where the architecture stands in what a file of Keras' holds, whatever is around it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from dense_calc.errors import Source
from dense_calc.keras_format.detect import JSON
from dense_calc.keras_format.json_locations import Step, value_of

MAX_WRAPPERS = 8  # around a model; files have two or three
TOPOLOGY, CONFIG, MODEL_CONFIG = "modelTopology", "config", "model_config"
FOR_DEEP = "architecture"  # in the JSON that frugally-deep makes of a model
WRAPPERS = (TOPOLOGY, MODEL_CONFIG, FOR_DEEP)
GRAPH, CHAIN = "Functional", "Sequential"


class Architecture(Struct):
    """A model as a file holds it: its class, its config, and the way to the config.

    `version` is what the file says of Keras, or ''; `tells_modules` is whether it says where a
    class comes from, as only Keras 3 does.
    """

    class_name: Any
    config: Any
    path: tuple[Step, ...]
    version: str
    tells_modules: bool


def architecture_in(value: Any, name: str) -> Architecture | None:
    """The architecture in what a text of this name holds; None if there is none.

    It may stand in the JSON of TensorFlow.js or frugally-deep, in a text inside the text, or
    without its class, as `model.get_config()` gives it; early versions give a list of layers.

    Raises:
        SpecError: a text inside is broken.
    """
    path: tuple[Step, ...] = ()
    version = ""
    for _ in range(MAX_WRAPPERS):
        value = content(value, name)
        key = next((each for each in WRAPPERS if has(value, each)), None)
        version = (has(value, "keras_version") and str(value["keras_version"])) or version
        if key is None:
            return bare(value, path, version)
        value, path = value[key], (*path, key)
    return None


def has(value: Any, key: str) -> bool:
    """Whether this is a mapping with such a key."""
    return isinstance(value, dict) and key in value


def bare(value: Any, path: tuple[Step, ...], version: str) -> Architecture | None:
    """The architecture of what is in no wrapper; None if it is none."""
    match value:
        case {"class_name": str(name)}:
            return Architecture(
                name, value.get(CONFIG), (*path, CONFIG), version, "module" in value
            )
        case {"layers": [{"class_name": _} as first, *_]}:
            name = GRAPH if "output_layers" in value else CHAIN
            return Architecture(name, value, path, version, "module" in first)
        case [{"class_name": _, "config": _}, *_]:
            return Architecture(CHAIN, value, path, version, False)
    return None


def content(value: Any, name: str) -> Any:
    """A value, or what the JSON holds that is kept in a text: once more encoded than meant.

    Raises:
        SpecError: the text is broken.
    """
    for _ in range(MAX_WRAPPERS):
        if not isinstance(value, str) or not re.match(JSON, value):
            break
        value = value_of(Source(f"the text in {name}", value))
    return value
