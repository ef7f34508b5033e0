"""Lists of sizes that operations of TensorFlow put together, as far as they are constants.

`tf.reshape(x, [tf.shape(x)[0], 28])` is three layers: the last knows 28 only from the second.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dense_calc.keras_format.tensorflow.tf_operations import TensorFlowOpLayer
from dense_calc.model import Node


def attach_size_lists(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The same nodes; each operation is told what is constant in the lists that it reads."""
    return {name: _attach_lists_to_node(node, nodes) for name, node in nodes.items()}


def _attach_lists_to_node(node: Node, nodes: Mapping[str, Node]) -> Node:
    """A node that knows of the lists that other nodes give it."""
    if not isinstance(node.layer, TensorFlowOpLayer):
        return node
    lists = (
        (number, _packed_size_list(nodes.get(source))) for number, source in enumerate(node.inputs)
    )
    told = {str(number): values for number, values in lists if values}
    return replace(node, layer=replace(node.layer, known_lists=told)) if told else node


def _packed_size_list(node: Node | None) -> list[int | None] | None:
    """The list that a node puts together, None for what only data tell; None if it is no list."""
    layer = node.layer if node else None
    return (
        layer.packed_numbers(len(node.inputs))
        if node and isinstance(layer, TensorFlowOpLayer)
        else None
    )
