r"""Write graphs of TensorFlow's operations as tf.keras 2.0 to 2.3 wrote them, and their outputs.

    PYTHONPATH=tests/oracle python tests/oracle/tf_operations.py \
        | xz -9 > tests/data/legacy/tf_operations.jsonl.xz

Each operation of a graph becomes a TensorFlowOpLayer, as in `_create_keras_history` of tf.keras:
the layer holds constants, and all else are its inputs. The shapes are those that TensorFlow infers.
tests/keras_format/test_tf_operations.py compares our reading of such files with them. Needs the
same packages as tf_functions.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import tf_functions

json_format: Any = import_module("google.protobuf.json_format")
tf = tf_functions.tf
V1 = tf.compat.v1

PREFIX = "tf_op_layer_"  # in the names of layers, not in their configs


def main() -> None:
    """Print a fact for each case of tf_functions.py that can be written so."""
    for inputs, build in tf_functions.CASES:
        try:
            print(json.dumps(fact(inputs, build)))
        except (AttributeError, TypeError, ValueError) as error:
            print(f"left out: {error}", file=sys.stderr)


def placeholder(shape: Any, number: int) -> Any:
    """An input of a graph: a list includes the batch, and a leading text is the dtype."""
    dtype = shape[0] if not isinstance(shape, list) and isinstance(shape[0], str) else "float32"
    sizes = shape if isinstance(shape, list) else [None, *shape[dtype != "float32" :]]
    return V1.placeholder(dtype, sizes, name=f"input_{number}")


def fact(inputs: list[Any], build: Callable[..., Any]) -> dict[str, Any]:
    """The JSON of a model of these operations, and the outputs of its layers."""
    with tf.Graph().as_default() as graph, V1.Session(graph=graph) as session:
        tensors = [placeholder(shape, number) for number, shape in enumerate(inputs)]
        ends = tf.nest.flatten(build(*tensors))
        everything = graph.get_operations()
        free = {tensor.op.name for tensor in tensors}
        for each in everything:
            if any(tensor.op.name in free for tensor in each.inputs):
                free.add(each.name)
        operations = [each for each in everything if each.name in free]
        layers = [written(each, free, session) for each in operations]
    config = {
        "name": "model",
        "layers": layers,
        "input_layers": [[tensor.op.name, 0, 0] for tensor in tensors],
        "output_layers": [history(end) for end in ends],
    }
    outputs = {layer_name(each): given(each) for each in operations}
    return {
        "model": {"class_name": "Functional", "config": config, "keras_version": "2.3.0-tf"},
        "outputs": outputs,
    }


def layer_name(operation: Any) -> str:
    """The name of the layer of an operation."""
    name: str = operation.name
    return name if operation.type == "Placeholder" else PREFIX + name


def history(tensor: Any) -> list[Any]:
    """A reference to a tensor by the layer whose output it is."""
    return [layer_name(tensor.op), 0, tensor.value_index]


def given(operation: Any) -> Any:
    """The output shape of an operation; a list for several outputs."""
    shapes = [each.shape.as_list() for each in operation.outputs]
    return shapes[0] if len(shapes) == 1 else shapes


def written(operation: Any, free: set[str], session: Any) -> dict[str, Any]:
    """The JSON of a layer; an input that depends on no `free` operation is a constant."""
    name = operation.name
    if operation.type == "Placeholder":
        shape = operation.outputs[0].shape.as_list()
        dtype = operation.outputs[0].dtype.name
        config = {"batch_input_shape": shape, "dtype": dtype, "sparse": False, "name": name}
        return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}
    inputs = list(enumerate(operation.inputs))
    config = {
        "name": name,
        "trainable": True,
        "dtype": "float32",
        "node_def": json_format.MessageToDict(operation.node_def),
        "constants": {
            number: session.run(each).tolist()
            for number, each in inputs
            if each.op.name not in free
        },
    }
    return {
        "class_name": "TensorFlowOpLayer",
        "config": config,
        "name": layer_name(operation),
        "inbound_nodes": [[[*history(each), {}] for _, each in inputs if each.op.name in free]],
    }


if __name__ == "__main__":
    main()
