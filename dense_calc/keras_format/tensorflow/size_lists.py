"""The constants in lists of sizes that operations of TensorFlow pack.

`tf.reshape(x, [tf.shape(x)[0], 28])` is three layers; the last has the 28 from the second.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dense_calc.keras_format.tensorflow.tf_operations import TensorFlowOpLayer
from dense_calc.model import Node


def attach_size_lists(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The same nodes; each operation has the constants of the lists that it reads."""
    return {name: _attach_lists_to_node(node, nodes) for name, node in nodes.items()}


def _attach_lists_to_node(node: Node, nodes: Mapping[str, Node]) -> Node:
    """A node with the constants of the lists that other nodes pack for it."""
    if not isinstance(node.layer, TensorFlowOpLayer):
        return node
    lists = {
        str(number): sizes
        for number, source in enumerate(node.inputs)
        if (sizes := _packed_size_list(nodes.get(source)))
    }
    return replace(node, layer=replace(node.layer, known_lists=lists)) if lists else node


def _packed_size_list(node: Node | None) -> list[int | None] | None:
    """The list that a node packs, None for sizes that only data tell; None if it packs none."""
    if node is None or not isinstance(node.layer, TensorFlowOpLayer):
        return None
    return node.layer.packed_numbers(len(node.inputs))
