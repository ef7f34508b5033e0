"""Layers that only the encoder of a `keras.utils.FeatureSpace` uses."""

from __future__ import annotations

from typing import ClassVar

from dense_calc.layers.base import DtypePreservingLayer
from dense_calc.layers.merging import Concatenate

_FEATURE_SPACE_MODULE = "keras.src.layers.preprocessing.feature_space"


class TFDConcat(Concatenate, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`: all features of a FeatureSpace."""

    keras_module: ClassVar[str] = _FEATURE_SPACE_MODULE

    axis: int


class TFDIdentity(DtypePreservingLayer, frozen=True, kw_only=True):
    """Gives what it is given: a feature that is taken as it is."""

    keras_module: ClassVar[str] = _FEATURE_SPACE_MODULE
