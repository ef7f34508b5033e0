"""The layers that only the encoder of a `keras.utils.FeatureSpace` has."""

from __future__ import annotations

from typing import ClassVar

from dense_calc.layers.base import KeepsDtype
from dense_calc.layers.merging import Concatenate

HOME = "keras.src.layers.preprocessing.feature_space"


class TFDConcat(Concatenate, frozen=True, kw_only=True):
    """Its inputs one after the other along `axis`: all features of a FeatureSpace."""

    module: ClassVar[str] = HOME

    axis: int


class TFDIdentity(KeepsDtype, frozen=True, kw_only=True):
    """Gives what it is given: a feature that is taken as it is."""

    module: ClassVar[str] = HOME
