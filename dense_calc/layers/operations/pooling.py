"""Pooling operations, and the window arguments that convolutions share with them."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import NonNegativeInt, WindowSize
from dense_calc.layers.introspect.refusals import NO_TUPLES_MESSAGE
from dense_calc.layers.operations.operation import Operation, OperationGroup, operations_named
from dense_calc.shapes import (
    Shape,
    Shapes,
    Sizes,
    as_tuple,
    channel_axis,
    demand_rank,
    spatial_sizes,
    window_counts,
    with_spatial_sizes,
)

_PoolDataFormat = Literal["channels_last", "channels_first"]
BATCH_AXES = "(batch, ..., channels)"


class _PoolOperation(Operation, frozen=True, kw_only=True):
    """One number for each window; without a `data_format` the channels come first, as in Keras."""

    input_names: ClassVar[tuple[str, ...]] = ("inputs",)
    shape_rule = "(batch, *sides, channels) → (batch, *sides', channels)"

    pool_size: WindowSize
    strides: WindowSize | None = None
    padding: str = "valid"
    data_format: _PoolDataFormat | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        data_format = self.data_format or "channels_first"
        demand_rank(x, 1 if data_format == "channels_last" else 2, BATCH_AXES, or_more=True)
        sizes = spatial_sizes(x, data_format)
        padding = parse_padding(self.padding, "valid", "same")
        steps = self.pool_size if self.strides is None else self.strides
        strides = values_per_side(steps, len(sizes), "strides")
        # With the padding "same" only the strides count, and Keras does not look at the window.
        pool = (
            values_per_side(self.pool_size, len(sizes), "pool_size")
            if padding == "valid"
            else strides
        )
        counts = window_counts(sizes, pool, strides, pool, padding, "pool_size")
        return with_spatial_sizes(x, counts, x[channel_axis(data_format)], data_format)


class _AdaptivePoolOperation(Operation, frozen=True, kw_only=True):
    """Pooling to an output with the sides `output_size`.

    With the channels last, Keras keeps one axis too many before the sides.
    """

    input_names: ClassVar[tuple[str, ...]] = ("inputs",)
    shape_rule = "(batch, channels, *sides) → (batch, channels, *sides')"

    output_size: tuple[NonNegativeInt, ...]
    data_format: _PoolDataFormat | None = None

    def demand_serializable(self) -> None:
        raise LayerError(NO_TUPLES_MESSAGE, "output_size")

    def infer_shape(self, x: Shape, /) -> Shapes:
        sizes = self.output_size
        is_channels_last = self.data_format == "channels_last"
        demand_rank(x, 1 if is_channels_last else 2, BATCH_AXES, or_more=True)
        if is_channels_last:
            return (*x[: -len(sizes) or 0], *sizes, x[-1])
        return (*x[:2], *sizes)


def values_per_side(value: WindowSize, rank: int, argument: str) -> Sizes:
    """One number for each side; a single one stands for all sides."""
    numbers = as_tuple(value)
    if len(numbers) not in (1, rank):
        raise LayerError(f"{argument} must be one number, or {rank}, not {list(numbers)}", argument)
    return numbers * rank if len(numbers) == 1 else numbers


def parse_padding(padding: str, *choices: str) -> str:
    """The argument `padding` in lower case; Keras ignores its case. It must be a choice."""
    if padding.lower() not in choices:
        raise LayerError(f"padding is {' or '.join(choices)}, not '{padding}'", "padding")
    return padding.lower()


POOLING_GROUPS = (
    OperationGroup(
        _PoolOperation, operations_named("AveragePool MaxPool"), input_names=("inputs",)
    ),
    OperationGroup(
        _AdaptivePoolOperation,
        operations_named("AdaptiveAveragePool AdaptiveMaxPool"),
        input_names=("inputs",),
    ),
)
