"""What is known of a model once its shapes are traced: numbers and names only.

The attributes are the keys of the JSON contract, in its order.
"""

from __future__ import annotations

from msgspec import Struct

from dense_calc.layers.words import BITS
from dense_calc.model import Block
from dense_calc.shapes import Shapes, Sizes


class WeightRow(Struct, frozen=True, gc=False):
    """One weight; `axes` names its sizes, `path` leads to it inside the layer: `query/kernel`."""

    name: str
    shape: Sizes
    trainable: bool
    dtype: str
    axes: tuple[str, ...]
    params: int
    path: str

    @property
    def bytes(self) -> int:
        """The memory that the weight takes."""
        return self.params * BITS[self.dtype] // 8


class Row(Struct, frozen=True, gc=False, omit_defaults=True):
    """One layer of the summary; `input_shapes` are those of what a call was given, in order.

    A layer that is called again has a row without weights, `shared_with` the row that has them. A
    block that is folded into a row stands `repeat` times.
    """

    name: str
    type: str
    output_shape: Shapes
    params: int
    trainable_params: int
    non_trainable_params: int
    connected_to: tuple[str, ...]
    feeds: tuple[str, ...]
    weights: tuple[WeightRow, ...]
    input_shapes: tuple[Shapes | None, ...]
    shared_with: str | None = None
    repeat: int = 1


class Port(Struct, frozen=True):
    """An input or output of the model."""

    name: str
    shape: Shapes


class Report(Struct, frozen=True):
    """A model's summary. Sizes in bytes are of the weights, each in its dtype.

    `blocks` are the uses of blocks, the inner ones first; `unused` are the names of layers that
    no output needs, which have no rows.
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
    layers: tuple[Row, ...]
    blocks: tuple[Block, ...] = ()
    unused: tuple[str, ...] = ()
