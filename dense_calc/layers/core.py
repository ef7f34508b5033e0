"""Keras' core layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from dense_calc.errors import LayerError
from dense_calc.layers.base import KernelLayer, LayerKind, NotNegative, Positive, Weight
from dense_calc.layers.words import InputDtype
from dense_calc.shapes import MAX_RANK, Shape, demand_rank, known

InputShape = Annotated[tuple[NotNegative | None, ...], Meta(max_length=MAX_RANK)]


class Dense(KernelLayer, frozen=True, kw_only=True):
    """A fully connected layer: contracts the last axis of its input with `kernel`.

    An input of more than two axes is not flattened: (None, 7, 5) gives (None, 7, units).
    """

    units: Positive
    quantization_config: dict[str, Any] | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, ..., features)", or_more=True)
        return (*shape[:-1], self.units)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        return self.kernel_and_bias({"inputs": known(shape, -1), "units": self.units})


class InputLayer(LayerKind, frozen=True, kw_only=True):
    """An entry of the model: a shape without (`shape`) or with (`batch_shape`) its batch axis."""

    takes: ClassVar[range] = range(1)

    shape: InputShape | None = None
    batch_size: NotNegative | None = None
    dtype: InputDtype | None = None
    sparse: bool | None = None
    ragged: bool | None = None
    batch_shape: InputShape | None = None
    optional: bool = False

    def output_shape(self) -> Shape:
        if self.batch_shape is not None:
            if self.shape is not None or self.batch_size is not None:
                raise LayerError("batch_shape says it all; remove shape and batch_size")
            return self.batch_shape
        if self.shape is None:
            raise LayerError("an input needs a shape; write 'shape: [28, 28, 1]'")
        return (self.batch_size, *self.shape)
