"""The arrays that a file stores of one layer, and the error of a file that stores none."""

from __future__ import annotations

from msgspec import Struct

from dense_calc.keras_format.hdf5_groups import StoredArrays
from dense_calc.shapes import Sizes

NO_WEIGHTS_MESSAGE = (
    "it stores no weights; a .keras archive, an HDF5 file or TensorFlow.js' model.json does"
)


class StoredLayer(Struct):
    """The arrays that a file stores of a layer, in a group; `name` is '' if the file has none.

    `repeated_shapes` are those that a wrapper stores a second time for the layer in it.
    `is_lora_merged` is whether LoRA's weights are stored only in their sum with the kernel,
    `is_keras_1` whether Keras 1, with its other shapes, may have written the file.
    """

    name: str
    group: str
    arrays: StoredArrays
    repeated_shapes: list[Sizes] = []
    is_lora_merged: bool = False
    is_keras_1: bool = False

    @property
    def shapes(self) -> list[Sizes]:
        """The shapes of the arrays."""
        return [shape for _, shape in self.arrays]
