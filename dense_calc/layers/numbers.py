"""Keras' preprocessing layers for numbers: scaling and categories."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError, UnknownSizeError
from dense_calc.layers.arguments.types import PolicyArgument, SerializedObject, dtype_policy_of
from dense_calc.layers.base import (
    ElementwiseLayer,
    KerasLayer,
    LayerKind,
    NonNegativeInt,
    PositiveInt,
    Weight,
)
from dense_calc.shapes import MAX_RANK, Shape, Size, Sizes, computed_size

_NestedNumbers = float | tuple[float | tuple[float | tuple[float, ...], ...], ...]
_AxisNumbers = Annotated[tuple[int, ...], Meta(max_length=MAX_RANK)]


def encoded_shape(shape: Shape, mode: str, depth: Size) -> Shape:
    """The shape of encoded categories, `depth` of them, in an output mode other than "int".

    The mode "one_hot" adds an axis, or replaces a last axis of size 1 that is not the only one. The
    other modes encode all numbers of the last axis together.
    """
    if mode == "one_hot" and (len(shape) < 2 or shape[-1] != 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


class CategoryEncoding(KerasLayer, frozen=True, kw_only=True):
    """Encodes whole numbers, each a category, as vectors of `num_tokens`."""

    arity: ClassVar[range] = range(1, 3)
    input_names: ClassVar[tuple[str, ...]] = ("inputs", "count_weights")
    positional_parameters: ClassVar[tuple[str, ...]] = ("inputs", "count_weights")
    shape_rule: ClassVar[str] = "(..., samples) → (..., num_tokens)"

    num_tokens: PositiveInt
    output_mode: Literal["multi_hot", "one_hot", "count", "binary"] = "multi_hot"
    sparse: bool = False

    def output_shape(self, shape: Shape, _count_weights: Shape | None = None, /) -> Shape:
        return encoded_shape(shape, self.output_mode, self.num_tokens)


class Discretization(LayerKind, frozen=True, kw_only=True):
    """Sorts each number into one of several bins.

    The bins are those between `bin_boundaries`, or `num_bins` that are learnt from data. They are
    no weights. In the modes "multi_hot" and "count" Keras says that axis 1 goes, whatever the
    number of axes.
    """

    dtype: PolicyArgument | None = None
    bin_boundaries: tuple[float, ...] | None = None
    num_bins: NonNegativeInt | None = None
    epsilon: float = 0.01
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = "int"
    sparse: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        depth = self._bin_count()
        if self.output_mode == "int":
            demand_dense_indices(self.output_mode, sparse=self.sparse)
            return shape
        if self.output_mode == "one_hot":
            return encoded_shape(shape, self.output_mode, depth)
        return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)

    def output_dtype(self) -> Dtypes:
        return "int32" if self.output_mode == "int" else super().output_dtype()

    @classmethod
    def constructor_arguments(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The config without the boundaries that `adapt` has computed for `num_bins`."""
        adapted = config.get("num_bins") is not None
        return {name: config[name] for name in config if name != "bin_boundaries" or not adapted}

    def _bin_count(self) -> int:
        """The number of bins."""
        if self.num_bins is not None and self.bin_boundaries is not None:
            raise LayerError(
                "num_bins and bin_boundaries cannot both be set; remove one", "num_bins"
            )
        if self.num_bins is not None:
            return self.num_bins
        if self.bin_boundaries is None:
            raise LayerError("it needs bin_boundaries, or num_bins to learn them from data")
        bounds = len(self.bin_boundaries)
        return computed_size(bounds + 1, f"{bounds} + 1")


def demand_dense_indices(mode: str, *, sparse: bool) -> None:
    """Raise LayerError where indices are to be a sparse tensor."""
    if sparse and mode == "int":
        raise LayerError("output_mode 'int' cannot be sparse; remove sparse", "sparse")


class Normalization(KerasLayer, frozen=True, kw_only=True):
    """Shifts and scales to mean 0 and variance 1, of each index of the axes that `axis` keeps.

    If `mean` and `variance` are not given, they are weights that Keras learns from data before
    the training; so is a `count`, which is left from older versions.
    """

    axis: int | _AxisNumbers | None = -1
    mean: _NestedNumbers | None = None
    variance: _NestedNumbers | None = None
    invert: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        kept = self._kept_axes(shape)
        for axis in kept:
            if shape[axis] is None:
                raise UnknownSizeError(
                    f"it keeps axis {axis}, whose size is unknown in {shape}; give it one in the "
                    "model's input, or keep other axes with 'axis'",
                    "axis",
                )
        if self.mean is None and self.variance is None:
            _demand_unique_kept_axes(kept, shape)
        else:
            self._check_statistics(kept, shape)
        return shape

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        if self.mean is not None:
            return
        axes: dict[str, int] = {}
        kept = self._kept_axes(shape)
        for axis in kept:
            name = "features" if len(kept) == 1 else f"axis {axis}"
            while name in axes:  # an axis of size 1 may be kept twice
                name += "'"
            axes[name] = shape[axis] or 0
        yield Weight("mean", axes, "zeros", trainable=False)
        yield Weight("variance", axes, "ones", trainable=False)
        yield Weight("count", {}, "zeros", trainable=False, dtype="int32")

    def _kept_axes(self, shape: Shape) -> Sizes:
        """The axes along which mean and variance differ, in order, counted from the first."""
        axes = self.axis if isinstance(self.axis, tuple | None) else (self.axis,)
        for axis in axes or ():
            if not -len(shape) <= axis < len(shape):
                raise LayerError(f"axis {axis} is not in the input, which is {shape}", "axis")
        return tuple(sorted(int(axis) % len(shape) for axis in axes or ()))  # weights name them

    def _check_statistics(self, kept: Sizes, shape: Shape) -> None:
        """Raise LayerError unless `mean` and `variance` fit the axes that are kept."""
        if self.mean is None or self.variance is None:
            name, other = ("mean", "variance") if self.variance is None else ("variance", "mean")
            raise LayerError(f"{name} needs {other} beside it", name)
        sizes = _statistics_shape(self.mean, "mean")
        if sizes != _statistics_shape(self.variance, "variance"):
            raise LayerError("mean and variance must have the same shape", "variance")
        if dtype_policy_of(self.dtype).compute_dtype == "string":
            raise LayerError("its mean cannot be of dtype 'string'; use a float", "dtype")
        kept_sizes = [shape[axis] for axis in dict.fromkeys(kept)]
        # Keras broadcasts from the right; of an axis that is kept twice the first size counts.
        aligned = dict(zip(reversed(kept), reversed(sizes), strict=False))
        fits = all(size in (1, shape[axis]) for axis, size in aligned.items())
        if len(sizes) > len(kept) or not fits or prod(aligned.values()) != prod(sizes):
            raise LayerError(
                f"mean has shape {list(sizes)}, which does not fit the kept axes, {kept_sizes}",
                "mean",
            )


def _demand_unique_kept_axes(kept: Sizes, shape: Shape) -> None:
    """Raise LayerError if `axis` names an axis twice, which Keras allows if its size is 1."""
    if prod(shape[axis] or 0 for axis in kept) != prod(shape[axis] or 0 for axis in set(kept)):
        raise LayerError("axis names an axis twice", "axis")


def _statistics_shape(numbers: _NestedNumbers, argument: str) -> Sizes:
    """The shape of nested lists, () of a number."""
    if not isinstance(numbers, tuple):
        return ()
    shapes = {_statistics_shape(each, argument) for each in numbers}
    if len(shapes) > 1:
        raise LayerError(f"{argument} holds lists of different lengths", argument)
    return (len(numbers), *(shapes.pop() if shapes else ()))


class Rescaling(ElementwiseLayer, frozen=True, kw_only=True):
    """Multiplies by `scale` and adds `offset`: numbers, or one for each channel."""

    is_initially_built: ClassVar[bool] = False

    scale: _NestedNumbers | SerializedObject
    offset: _NestedNumbers | SerializedObject = 0.0
