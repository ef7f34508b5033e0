"""Keras' normalization layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.layers.base import KerasLayer, Weight
from dense_calc.layers.words import Constraint, Initializer, Regularizer
from dense_calc.shapes import Shape, known

LIMITS = ("rmax", "rmin", "dmax")


class BatchNormalization(KerasLayer, frozen=True, kw_only=True):
    """Scales and shifts each channel by the statistics of the batch.

    The moving statistics are weights that no gradient trains: half of the count, as a rule.
    `synchronized` is accepted: Keras takes it with TensorFlow, and it changes no number.
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    moving_mean_initializer: Initializer = "zeros"
    moving_variance_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None
    renorm: bool = False
    renorm_clipping: dict[str, Any] | None = None
    renorm_momentum: float = 0.99
    synchronized: bool = False

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        self.check_clipping()
        channels = {"channels": known(shape, self.axis)}
        if self.scale:
            yield Weight("gamma", channels, self.gamma_initializer)
        if self.center:
            yield Weight("beta", channels, self.beta_initializer)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        yield Weight("moving_mean", channels, mean, trainable=False)
        yield Weight("moving_variance", channels, variance, trainable=False)
        if self.renorm:
            yield Weight("moving_stddev", channels, variance, trainable=False)
            yield Weight("renorm_mean", channels, mean, trainable=False)
            yield Weight("renorm_stddev", channels, variance, trainable=False)

    def check_clipping(self) -> None:
        """Raise LayerError where Keras refuses `renorm_clipping`; it looks only with `renorm`."""
        if not self.renorm or self.renorm_clipping is None:
            return
        for name, limit in self.renorm_clipping.items():
            if name not in LIMITS or not isinstance(limit, int | float | None):
                raise LayerError(
                    f"renorm_clipping takes numbers for {', '.join(LIMITS)}", "renorm_clipping"
                )
        rmax, rmin, dmax = map(self.renorm_clipping.get, LIMITS)
        if rmax is not None and rmin is not None and rmax < rmin:
            raise LayerError("rmax must not be below rmin", "renorm_clipping")
        if dmax is not None and dmax < 0:
            raise LayerError("dmax must not be negative", "renorm_clipping")
