"""Which word of an old file an argument of Keras 3 comes from, for what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy.layer_configs import KERNEL_SIZE_ARGUMENTS, upgrade_config


def original_argument(argument: str, class_name: str, config: Mapping[str, Any], keras: int) -> str:
    """The word in a config that became this argument; the argument itself where none did."""
    if argument in config:
        return argument
    words = {
        word: _upgraded_argument_names(class_name, {word: config[word]}, keras) for word in config
    }
    added = _upgraded_argument_names(class_name, {}, keras)
    found = (word for word in words if argument in words[word] - added)
    parts = (part for sizes in KERNEL_SIZE_ARGUMENTS for part in sizes if part in config)
    together = next(parts, argument) if argument == "kernel_size" else argument
    return next(found, together)


def _upgraded_argument_names(class_name: str, config: Mapping[str, Any], keras: int) -> set[str]:
    """The arguments of Keras 3 that a config becomes."""
    with suppress(LayerError):
        return set(upgrade_config(class_name, dict(config), keras)[1])
    return set()
