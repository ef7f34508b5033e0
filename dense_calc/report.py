"""The report on a model whose shapes are traced: names and numbers, no layers.

The fields are the keys of the JSON output, in its order.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.layers.arguments.types import DTYPE_BITS
from dense_calc.model import ModelBlock
from dense_calc.result import JsonResult
from dense_calc.shapes import Shapes, Sizes

# "" where the counts are complete, "unbuilt" where Keras makes weights only once it knows the
# input, "unknown" where there may be more weights
CountState = Literal["", "unbuilt", "unknown"]


class WeightRow(Struct, frozen=True, gc=False, omit_defaults=True):
    """One weight of a layer: `axes` are the names of its sizes, `params` is their product.

    `path` leads to the weight inside the layer: `query/kernel`. The weight of a layer that several
    others hold counts once: in the others it has the name of that row as `shared_with`.
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
        """The memory of the weight, in bytes."""
        return self.params * DTYPE_BITS[self.dtype] // 8


class LayerRow(Struct, frozen=True, gc=False, omit_defaults=True):
    """One row of the summary: a layer, a call of a layer, or a folded block.

    `input_shapes` has the shape of each input of the call, in order, None for one that is left
    out. A shape that is not known is an `UnknownShape`, a dtype that is not known is None.
    `connected_to` are the rows that it reads, `feeds` those that read it. A later call of a layer
    has no weights, and `shared_with` names the row that has them. `layers` are the rows of a model
    inside. A row of a folded block stands for `repeat` copies. `state` tells whether the counts
    are complete.
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
        return counted_weights(self.weights)

    @property
    def layer_rows(self) -> tuple[LayerRow, ...]:
        """The rows of the layers that it stands for: only a folded block has others than itself."""
        return (self,)


class FoldedRow(LayerRow, frozen=True, gc=True, omit_defaults=True, dict=True):
    """A block as one row. The rows of its layers are kept beside its fields, out of its JSON."""

    @property
    def layer_rows(self) -> tuple[LayerRow, ...]:
        rows: tuple[LayerRow, ...] = self.__dict__["rows"]
        return rows


class Port(Struct, frozen=True):
    """An input or output of the model."""

    name: str
    shape: Shapes
    dtype: Dtypes


class Report(JsonResult, Struct, frozen=True):
    """The summary of a model: its totals, inputs, outputs and layers.

    Totals are in parameters, and in bytes of the weights, each in its dtype. `blocks` are the uses
    of blocks, inner ones first. `unused` are the names of layers that no output needs; they have
    no rows. A `partial` report leaves a shape or a count open, and its `state` tells why: "unbuilt"
    where the model has no input shape, "unknown" where the totals may be larger. The variables of
    the optimizer are counted where they were asked for, and never in the totals.
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

    def __repr__(self) -> str:
        return f"<Report {self.name!r}: {self.total_params:,} params>"


def weight_totals(weights: Iterable[WeightRow]) -> tuple[int, int, int, int]:
    """The parameters of weights, the trainable ones among them, and the bytes of both."""
    params = trained = size = trained_size = 0
    for weight in weights:
        params += weight.params
        size += weight.bytes
        if weight.trainable:
            trained += weight.params
            trained_size += weight.bytes
    return params, trained, size, trained_size


def counted_weights(
    weights: tuple[WeightRow, ...], among: Container[str] | None = None
) -> tuple[WeightRow, ...]:
    """The weights that do not count in another row, or in none of those that are named."""
    if among is None:
        return tuple([weight for weight in weights if not weight.shared_with])
    return tuple([weight for weight in weights if weight.shared_with not in among])


def deduplicate_weights(rows: Iterable[LayerRow]) -> list[LayerRow]:
    """Rows without the weights that count in others of them."""
    rows = list(rows)
    names = {row.name for row in rows}
    return [_with_weights(row, counted_weights(row.weights, names)) for row in rows]


def _with_weights(row: LayerRow, weights: tuple[WeightRow, ...]) -> LayerRow:
    """A row with no more than these of its weights, and with their counts."""
    if len(weights) == len(row.weights):
        return row
    params, trained, *_ = weight_totals(weights)
    counts = {"params": params, "trainable_params": trained}
    return replace(row, weights=weights, non_trainable_params=params - trained, **counts)


def merge_call_rows(
    rows: Iterable[LayerRow], calls: Mapping[str, Sequence[str]]
) -> tuple[LayerRow, ...]:
    """One row for each layer, as Keras prints it: the shapes are those of its last call.

    `calls` are the names of the calls of every layer that has several, by its name.
    """
    owners = {name: layer for layer, names in calls.items() for name in names}
    by_name = {row.name: row for row in rows}
    merged = []
    for name in dict.fromkeys(owners.get(name, name) for name in by_name):
        call_rows = [by_name[call] for call in calls.get(name, (name,))]
        sources = (owners.get(each, each) for row in call_rows for each in row.connected_to)
        feeds = (owners.get(each, each) for row in call_rows for each in row.feeds)
        last = call_rows[-1]
        merged.append(
            replace(
                next(row for row in call_rows if not row.shared_with),
                name=name,
                output_shape=last.output_shape,
                output_dtype=last.output_dtype,
                connected_to=tuple(sources),
                feeds=tuple(dict.fromkeys(feeds)),
                input_shapes=last.input_shapes,
            )
        )
    return tuple(merged)
