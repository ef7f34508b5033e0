"""Pooling: windows that slide over the sides of an input and give one number each."""

from __future__ import annotations

from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import NotNegative, Window
from dense_calc.layers.introspect.refusals import NO_TUPLES
from dense_calc.layers.operations.operation import Alike, Operation
from dense_calc.shapes import (
    Shape,
    Shapes,
    Sizes,
    channel_axis,
    demand_rank,
    slide,
    with_sides,
)

Format = Literal["channels_last", "channels_first"]
BATCH = "(batch, ..., channels)"


class Pool(Operation, frozen=True, kw_only=True):
    """One number for each window. Without a `data_format` Keras takes the channels for first."""

    inputs: ClassVar[tuple[str, ...]] = ("inputs",)
    rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', channels)"

    pool_size: Window
    strides: Window | None = None
    padding: str = "valid"
    data_format: Format | None = None

    def result(self, x: Shape, /) -> Shapes:
        form = self.data_format or "channels_first"
        demand_rank(x, 1 if form == "channels_last" else 2, BATCH, or_more=True)
        sizes = sides_of(x, form)
        padding = padding_of(self.padding, "valid", "same")
        given = self.pool_size if self.strides is None else self.strides
        strides = each(given, len(sizes), "strides")
        # Keras does not look at the window where only the strides count.
        pool = each(self.pool_size, len(sizes), "pool_size") if padding == "valid" else strides
        places = slide(sizes, pool, strides, pool, padding, "pool_size")
        return with_sides(x, places, x[channel_axis(form)], form)


class AdaptivePool(Operation, frozen=True, kw_only=True):
    """Windows that make an output of `output_size`.

    Keras leaves one side too many where the channels are last.
    """

    inputs: ClassVar[tuple[str, ...]] = ("inputs",)
    rule: ClassVar[str] = "(batch, channels, *sides) → (batch, channels, *sides')"

    output_size: tuple[NotNegative, ...]
    data_format: Format | None = None

    def demand_storable(self) -> None:
        raise LayerError(NO_TUPLES, "output_size")

    def result(self, x: Shape, /) -> Shapes:
        sizes = self.output_size
        last = self.data_format == "channels_last"
        demand_rank(x, 1 if last else 2, BATCH, or_more=True)
        if last:
            return (*x[: -len(sizes) or 0], *sizes, x[-1])
        return (*x[:2], *sizes)


def sides_of(shape: Shape, data_format: str | None) -> Shape:
    """The sides of an input, however many there are."""
    return shape[2:] if data_format == "channels_first" else shape[1:-1]


def each(value: Window, rank: int, argument: str) -> Sizes:
    """One number for each side; one alone stands for all."""
    given = (value,) if isinstance(value, int) else value
    if len(given) not in (1, rank):
        raise LayerError(f"{argument} must be one number, or {rank}, not {list(given)}", argument)
    return given * rank if len(given) == 1 else given


def padding_of(written: str, *words: str) -> str:
    """What is done at the borders, which Keras reads in any case."""
    if written.lower() not in words:
        raise LayerError(f"padding is {' or '.join(words)}, not '{written}'", "padding")
    return written.lower()


ADAPTIVE = ("AdaptiveAveragePool", "AdaptiveMaxPool")
ALIKE = (
    Alike(Pool, {"AveragePool": {}, "MaxPool": {}}, inputs=("inputs",)),
    Alike(AdaptivePool, {name: {} for name in ADAPTIVE}, inputs=("inputs",)),
)
