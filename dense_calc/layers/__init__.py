"""The layer kinds: one alphabetical table, name → the module of its Keras family.

A family is imported when a model first uses it, so that a run pays only for what it reads.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dense_calc.layers.base import LayerKind

KINDS = {
    "Activation": "activations",
    "Add": "merging",
    "AveragePooling2D": "pooling",
    "BatchNormalization": "normalization",
    "Concatenate": "merging",
    "Conv2D": "convolutional",
    "Dense": "core",
    "Dropout": "regularization",
    "Flatten": "reshaping",
    "GlobalAveragePooling2D": "pooling",
    "GlobalMaxPooling2D": "pooling",
    "InputLayer": "core",
    "MaxPooling2D": "pooling",
    "ReLU": "activations",
    "Reshape": "reshaping",
    "Softmax": "activations",
    "ZeroPadding2D": "reshaping",
}

# Keras' other names for the same classes.
ALIASES = {
    "AvgPool2D": "AveragePooling2D",
    "Convolution2D": "Conv2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "Input": "InputLayer",
    "MaxPool2D": "MaxPooling2D",
}


@cache
def kind_named(name: str) -> type[LayerKind]:
    """The layer kind with this name or alias; raises KeyError where Keras has none."""
    name = ALIASES.get(name, name)
    kind: type[LayerKind] = getattr(import_module(f"dense_calc.layers.{KINDS[name]}"), name)
    return kind
