"""Keras' activation layers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from dense_calc.layers import words
from dense_calc.layers.base import KerasLayer

NotNegativeNumber = Annotated[float, Meta(ge=0)]


class Activation(KerasLayer, frozen=True, kw_only=True):
    """An activation function, applied to each element."""

    activation: words.Activation


class ReLU(KerasLayer, frozen=True, kw_only=True):
    """A rectified linear unit, with an optional ceiling, leak and threshold."""

    max_value: NotNegativeNumber | None = None
    negative_slope: NotNegativeNumber = 0.0
    threshold: NotNegativeNumber = 0.0


class Softmax(KerasLayer, frozen=True, kw_only=True):
    """Makes the elements along `axis` positive with the sum 1."""

    axis: int | tuple[int, ...] | None = -1
