"""Keras' regularization layers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from dense_calc.layers.base import KerasLayer, Positive, Seed


class Dropout(KerasLayer, frozen=True, kw_only=True):
    """Sets a random `rate` of its input to zero while training.

    The state of its random numbers is no parameter: Keras does not count it either.
    """

    rate: Annotated[float, Meta(ge=0, le=1)]
    noise_shape: tuple[Positive | None, ...] | None = None
    seed: Seed = None
