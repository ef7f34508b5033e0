"""The argument in an old file that became an argument of Keras 3, for messages about it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy.keras_1_configs import KERNEL_SIZE_ARGUMENTS
from dense_calc.keras_format.legacy.layer_configs import upgrade_config


def original_argument(argument: str, class_name: str, config: Mapping[str, Any], keras: int) -> str:
    """The argument of a config that became this one; the argument itself where none did."""
    if argument in config:
        return argument
    defaults = _upgraded_argument_names(class_name, {}, keras)
    for word in config:
        if argument in _upgraded_argument_names(class_name, {word: config[word]}, keras) - defaults:
            return word
    parts = (part for sizes in KERNEL_SIZE_ARGUMENTS for part in sizes if part in config)
    return next(parts, argument) if argument == "kernel_size" else argument


def _upgraded_argument_names(class_name: str, config: Mapping[str, Any], keras: int) -> set[str]:
    """The arguments of Keras 3 that a config becomes, none if Keras 3 cannot express it."""
    with suppress(LayerError):
        return set(upgrade_config(class_name, dict(config), keras)[1])
    return set()
