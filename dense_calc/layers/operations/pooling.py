"""Pooling: windows that slide over the sides of an input and give one number each."""

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
    channel_axis,
    demand_rank,
    window_counts,
    with_spatial_sizes,
)

_PoolDataFormat = Literal["channels_last", "channels_first"]
BATCH_AXES = "(batch, ..., channels)"


class _PoolOperation(Operation, frozen=True, kw_only=True):
    """One number for each window. Without a `data_format` Keras takes the channels for first."""

    input_names: ClassVar[tuple[str, ...]] = ("inputs",)
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    pool_size: WindowSize
    strides: WindowSize | None = None
    padding: str = "valid"
    data_format: _PoolDataFormat | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        form = self.data_format or "channels_first"
        demand_rank(x, 1 if form == "channels_last" else 2, BATCH_AXES, or_more=True)
        sizes = spatial_shape(x, form)
        padding = parse_padding(self.padding, "valid", "same")
        given = self.pool_size if self.strides is None else self.strides
        strides = values_per_side(given, len(sizes), "strides")
        # Keras does not look at the window where only the strides count.
        pool = (
            values_per_side(self.pool_size, len(sizes), "pool_size")
            if padding == "valid"
            else strides
        )
        places = window_counts(sizes, pool, strides, pool, padding, "pool_size")
        return with_spatial_sizes(x, places, x[channel_axis(form)], form)


class _AdaptivePoolOperation(Operation, frozen=True, kw_only=True):
    """Windows that make an output of `output_size`.

    Keras leaves one side too many where the channels are last.
    """

    input_names: ClassVar[tuple[str, ...]] = ("inputs",)
    shape_rule: ClassVar[str] = "(batch, channels, *sides) → (batch, channels, *sides')"

    output_size: tuple[NonNegativeInt, ...]
    data_format: _PoolDataFormat | None = None

    def demand_serializable(self) -> None:
        raise LayerError(NO_TUPLES_MESSAGE, "output_size")

    def infer_shape(self, x: Shape, /) -> Shapes:
        sizes = self.output_size
        last = self.data_format == "channels_last"
        demand_rank(x, 1 if last else 2, BATCH_AXES, or_more=True)
        if last:
            return (*x[: -len(sizes) or 0], *sizes, x[-1])
        return (*x[:2], *sizes)


def spatial_shape(shape: Shape, data_format: str | None) -> Shape:
    """The sides of an input, however many there are."""
    return shape[2:] if data_format == "channels_first" else shape[1:-1]


def values_per_side(value: WindowSize, rank: int, argument: str) -> Sizes:
    """One number for each side; one alone stands for all."""
    given = (value,) if isinstance(value, int) else value
    if len(given) not in (1, rank):
        raise LayerError(f"{argument} must be one number, or {rank}, not {list(given)}", argument)
    return given * rank if len(given) == 1 else given


def parse_padding(written: str, *words: str) -> str:
    """What is done at the borders, which Keras reads in any case."""
    if written.lower() not in words:
        raise LayerError(f"padding is {' or '.join(words)}, not '{written}'", "padding")
    return written.lower()


OPERATION_GROUPS = (
    OperationGroup(
        _PoolOperation, operations_named("AveragePool MaxPool"), input_names=("inputs",)
    ),
    OperationGroup(
        _AdaptivePoolOperation,
        operations_named("AdaptiveAveragePool AdaptiveMaxPool"),
        input_names=("inputs",),
    ),
)
