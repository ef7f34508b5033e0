"""What is known of a model once its shapes are traced: numbers and names only.

The attributes are the keys of the JSON contract, in its order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.layers.arguments.types import DTYPE_BITS
from dense_calc.model import ModelBlock
from dense_calc.shapes import Shapes, Sizes

CountState = Literal["", "unbuilt", "unknown"]  # what the counts of a row say: all, or not all


class WeightRow(Struct, frozen=True, gc=False, omit_defaults=True):
    """One weight; `axes` names its sizes, `path` leads to it inside the layer: `query/kernel`.

    That of a layer which several others hold counts once, in the row that it is `shared_with`.
    """

    name: str
    shape: Sizes
    trainable: bool
    dtype: str
    axes: tuple[str, ...]
    params: int
    path: str
    shared_with: str | None = None

    @property
    def bytes(self) -> int:
        """The memory that the weight takes."""
        return self.params * DTYPE_BITS[self.dtype] // 8


class LayerRow(Struct, frozen=True, gc=False, omit_defaults=True):
    """One layer of the summary; `input_shapes` are those of what a call was given, in order.

    A dtype is None where nothing tells it, as of what a layer that is not known gives.
    A layer that is called again has a row without weights, `shared_with` the row that has them. A
    block that is folded into a row stands `repeat` times. A model inside has rows of its own.

    The counts are of what is known: `state` is "unbuilt" where Keras makes the weights only once
    it knows the input, "unknown" where there may be more. A shape that is not known is `Unknown`.
    """

    name: str
    type: str
    output_shape: Shapes
    output_dtype: Dtypes
    params: int
    trainable_params: int
    non_trainable_params: int
    connected_to: tuple[str, ...]
    feeds: tuple[str, ...]
    weights: tuple[WeightRow, ...]
    input_shapes: tuple[Shapes | None, ...]
    shared_with: str | None = None
    repeat: int = 1
    layers: tuple[LayerRow, ...] = ()
    state: CountState = ""

    @property
    def counted_weights(self) -> tuple[WeightRow, ...]:
        """The weights that count in this row."""
        return tuple([weight for weight in self.weights if not weight.shared_with])

    @property
    def layer_rows(self) -> tuple[LayerRow, ...]:
        """The rows of the layers that it stands for: itself, but for a folded block."""
        return (self,)


class FoldedRow(LayerRow, frozen=True, gc=True, omit_defaults=True, dict=True):
    """A block as one row. It knows the rows of its layers, which are no key of its JSON."""

    @property
    def layer_rows(self) -> tuple[LayerRow, ...]:
        rows: tuple[LayerRow, ...] = self.__dict__["rows"]
        return rows


class Port(Struct, frozen=True):
    """An input or output of the model."""

    name: str
    shape: Shapes
    dtype: Dtypes


class Report(Struct, frozen=True):
    """A model's summary. Sizes in bytes are of the weights, each in its dtype.

    `blocks` are the uses of blocks, the inner ones first; `unused` are the names of layers that
    no output needs, which have no rows. A `partial` report leaves something open; its `state` is
    "unbuilt" where nobody has said what the model reads, "unknown" where totals may be larger.
    What an optimizer keeps is there where it was asked for, and not in the totals.
    """

    name: str
    total_params: int
    trainable_params: int
    non_trainable_params: int
    total_bytes: int
    trainable_bytes: int
    non_trainable_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    layers: tuple[LayerRow, ...]
    blocks: tuple[ModelBlock, ...] = ()
    unused: tuple[str, ...] = ()
    partial: bool = False
    state: CountState = ""
    optimizer_params: int = 0
    optimizer_bytes: int = 0


def weight_totals(weights: Iterable[WeightRow]) -> tuple[int, int, int, int]:
    """The parameters of weights, those that are trained, and the bytes of both."""
    params = trained = size = trained_size = 0
    for weight in weights:
        params += weight.params
        size += weight.bytes
        if weight.trainable:
            trained += weight.params
            trained_size += weight.bytes
    return params, trained, size, trained_size


def deduplicate_weights(rows: Iterable[LayerRow]) -> list[LayerRow]:
    """Rows without the weights that count in others of them."""
    held = list(rows)
    names = {row.name for row in held}
    return [_drop_shared_weights(row, names) for row in held]


def _drop_shared_weights(row: LayerRow, names: Collection[str]) -> LayerRow:
    """A row without the weights that it shares with those of these names."""
    left = tuple(weight for weight in row.weights if weight.shared_with not in names)
    if len(left) == len(row.weights):
        return row
    params, trained, *_ = weight_totals(left)
    counts = {"params": params, "trainable_params": trained}
    return replace(row, weights=left, non_trainable_params=params - trained, **counts)


def merge_call_rows(
    rows: Iterable[LayerRow], calls: Mapping[str, Sequence[str]]
) -> tuple[LayerRow, ...]:
    """The rows of calls as rows of layers; `calls` are those of the layers that have several."""
    owners = {name: layer for layer, names in calls.items() for name in names}
    by_name = {row.name: row for row in rows}
    merged = []
    for name in dict.fromkeys(owners.get(name, name) for name in by_name):
        own = [by_name[each] for each in calls.get(name, (name,))]
        read = (owners.get(each, each) for row in own for each in row.connected_to)
        feeds = (owners.get(each, each) for row in own for each in row.feeds)
        held = next(row for row in own if not row.shared_with)
        merged.append(
            replace(
                held,
                name=name,
                output_shape=own[-1].output_shape,
                output_dtype=own[-1].output_dtype,
                connected_to=tuple(read),
                feeds=tuple(dict.fromkeys(feeds)),
                input_shapes=own[-1].input_shapes,
            )
        )
    return tuple(merged)
