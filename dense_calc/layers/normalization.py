"""Keras' normalization layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import Constraint, Initializer, Regularizer
from dense_calc.layers.base import ElementwiseLayer, KerasLayer, Weight
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.shapes import Shape, Shapes, as_tuple, demand_axis, known_axis_size

_RENORM_LIMITS = ("rmax", "rmin", "dmax")
_INSTANCE_GROUPS = -1  # `groups` of GroupNormalization for one group of each channel


class _AffineNormalization(KerasLayer, frozen=True, kw_only=True):
    """A normalization whose result may be scaled by `gamma` and shifted by `beta`."""

    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = "zeros"
    gamma_initializer: Initializer = "ones"
    beta_regularizer: Regularizer = None
    gamma_regularizer: Regularizer = None
    beta_constraint: Constraint = None
    gamma_constraint: Constraint = None

    def _gamma_and_beta(self, axes: dict[str, int]) -> Iterator[Weight]:
        """The weights that scale and shift the result, with these axes."""
        if self.scale:
            yield Weight("gamma", axes, self.gamma_initializer)
        if self.center:
            yield Weight("beta", axes, self.beta_initializer)


class BatchNormalization(_AffineNormalization, frozen=True, kw_only=True):
    """Scales and shifts each channel by the statistics of the batch.

    The moving statistics are weights that no gradient trains: half of the count, as a rule.
    `synchronized` changes no number; Keras takes it with TensorFlow only, so it is refused.
    """

    accepts_mask: ClassVar[bool] = True
    has_fixed_rank: ClassVar[bool] = True

    axis: int = -1
    momentum: float = 0.99
    moving_mean_initializer: Initializer = "zeros"
    moving_variance_initializer: Initializer = "ones"
    renorm: bool = False
    renorm_clipping: dict[str, Any] | None = None
    renorm_momentum: float = 0.99
    synchronized: bool = False

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        self._demand_valid_arguments()
        channels = {"channels": known_axis_size(shape, self.axis)}
        yield from self._gamma_and_beta(channels)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        yield Weight("moving_mean", channels, mean, trainable=False)
        yield Weight("moving_variance", channels, variance, trainable=False)
        if self.renorm:
            yield Weight("moving_stddev", channels, variance, trainable=False)
            yield Weight("renorm_mean", channels, mean, trainable=False)
            yield Weight("renorm_stddev", channels, variance, trainable=False)

    def _demand_valid_arguments(self) -> None:
        """Raise LayerError where Keras refuses an argument; it checks some with `renorm` only."""
        if self.synchronized:
            raise LayerError(
                "synchronized changes no numbers and is for TensorFlow only; remove it",
                "synchronized",
            )
        if not self.renorm:
            return
        if self.moving_variance_initializer is None:
            raise LayerError(
                "renorm starts from the moving variance; give 'moving_variance_initializer'",
                "moving_variance_initializer",
            )
        if self.renorm_clipping is not None:
            _demand_valid_clipping(self.renorm_clipping)


class GroupNormalization(_AffineNormalization, frozen=True, kw_only=True):
    """Normalizes the channels of each sample in groups; -1 groups: each channel on its own.

    Groups of one channel are an instance normalization, one group of all is nearly a layer
    normalization.
    """

    has_fixed_rank: ClassVar[bool] = True

    groups: int = 32
    axis: int = -1

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        if self.groups < 1 and self.groups != _INSTANCE_GROUPS:
            raise LayerError(
                f"groups must be a positive integer, or -1 for one group per channel, "
                f"not {self.groups}",
                "groups",
            )
        channels = known_axis_size(shape, self.axis)
        groups = channels if self.groups == _INSTANCE_GROUPS else self.groups
        if not channels or channels % groups:
            raise LayerError(
                f"{groups} groups cannot share {channels} channels evenly; "
                f"give 'groups' a divisor of {channels}"
                if channels
                else f"there are no channels to normalize in {shape}",
                "groups",
            )
        yield from self._gamma_and_beta({"channels": channels})


class LayerNormalization(_AffineNormalization, frozen=True, kw_only=True):
    """Normalizes each sample along its last axis, or along each `axis` of a list.

    With `rms_scaling`, which Keras advises against, there is no `beta`, and always a `gamma`.
    """

    axis: int | tuple[int, ...] = -1
    rms_scaling: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        for axis in as_tuple(self.axis):
            demand_axis(shape, axis)
        return shape

    def demand_traceable(self, shape: Shape, /) -> None:
        _demand_unique_axes(self.axis, shape)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        if self.rms_scaling:
            yield Weight("gamma", _normalized_axes(self.axis, shape), self.gamma_initializer)
        elif self.scale or self.center:
            yield from self._gamma_and_beta(_normalized_axes(self.axis, shape))


class RMSNormalization(KerasLayer, frozen=True, kw_only=True):
    """Divides by the root mean square along the last axis, or along each `axis` of a list."""

    input_names: ClassVar[tuple[str, ...]] = ("x",)

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-6

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        yield Weight("scale", _normalized_axes(self.axis, shape), "ones")

    def demand_traceable(self, shape: Shape, /) -> None:
        _demand_unique_axes(self.axis, shape)
        broadcast_shapes(shape, tuple(_normalized_axes(self.axis, shape).values()))


class UnitNormalization(ElementwiseLayer, frozen=True, kw_only=True):
    """Makes the Euclidean norm along `axis`, or several of them, 1; it has no weights."""

    axis: int | tuple[int, ...] = -1

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        for axis in as_tuple(self.axis):
            demand_axis(shapes, axis)
        return shapes

    def demand_traceable(self, shapes: Any, /) -> None:
        super().demand_traceable(shapes)
        _demand_unique_axes(self.axis, shapes)


def _demand_valid_clipping(limits: dict[str, Any]) -> None:
    """Raise LayerError where Keras refuses `renorm_clipping`."""
    for name, limit in limits.items():
        if name not in _RENORM_LIMITS or not isinstance(limit, int | float | None):
            raise LayerError(
                f"renorm_clipping takes numbers for {', '.join(_RENORM_LIMITS)}", "renorm_clipping"
            )
    rmax, rmin, dmax = map(limits.get, _RENORM_LIMITS)
    if rmax is not None and rmin is not None and rmax < rmin:
        raise LayerError("rmax must not be below rmin", "renorm_clipping")
    if dmax is not None and dmax < 0:
        raise LayerError("dmax must not be negative", "renorm_clipping")


def _demand_unique_axes(axis: int | tuple[int, ...], shape: Shape) -> None:
    """Raise LayerError for an axis that `axis` names twice: JAX cannot sum along it."""
    axes = [each % len(shape) for each in as_tuple(axis)]
    if len(set(axes)) < len(axes):
        raise LayerError(f"inside a pipeline an axis may stand only once in {list(axes)}", "axis")


def _normalized_axes(axis: int | tuple[int, ...], shape: Shape) -> dict[str, int]:
    """The names and sizes of the normalized axes, sorted as Keras sorts them: -1 before 1."""
    axes = sorted(as_tuple(axis))
    if len(axes) == 1:
        return {"features": known_axis_size(shape, axes[0])}
    sizes: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for each in axes:
        size = known_axis_size(shape, each)
        name = f"axis {int(each) % len(shape)}"  # a plain number, as names are compared
        counts[name] += 1  # -1 and 1 may be the same axis
        sizes[f"{name} ({counts[name]})" if counts[name] > 1 else name] = size
    return sizes
