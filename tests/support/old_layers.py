"""Layers of Keras 1 and 2 as they were written, and their facts."""

from __future__ import annotations

import json
from typing import Any

from conftest import DATA
from msgspec import convert

from dense_calc.keras_format.legacy.layer_configs import upgrade_config
from dense_calc.layers import find_kind
from dense_calc.layers.base import LayerKind
from dense_calc.layers.retired.keras_2 import RETIRED_KINDS

LEGACY = DATA / "legacy"
FACTS = [json.loads(line) for line in (LEGACY / "tf_keras.jsonl").read_text("utf-8").splitlines()]


def layer_of(written: dict[str, Any], keras: int) -> LayerKind:
    """The layer that Keras wrote so, with the layers inside it."""
    name, config = upgrade_config(written["class_name"], written["config"], keras)
    kind = RETIRED_KINDS.get(name) or find_kind(name)
    for argument in kind.inner_layer_arguments:
        match config.get(argument):
            case dict() as inner:
                config[argument] = layer_of(inner, keras)
            case list() as inner:
                config[argument] = [layer_of(each, keras) for each in inner]
    return convert(config, kind)
