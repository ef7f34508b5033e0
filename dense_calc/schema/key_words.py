"""The words on the keys of the language, which editors show beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEY_WORDS = {
    "model.name": "Name of the model.",
    "model.type": "Keras class of the model; without it, that which the layers need.",
    "model.trainable": "Whether training changes the weights of the model.",
    "model.vars": "Names for numbers, which expressions may use and `--set` changes.",
    "model.input": "Shape of the input without the batch axis; null for any size.",
    "model.inputs": "Inputs by name, each a shape without the batch axis.",
    "model.blocks": "Lists of layers by name, each used as if it were a layer.",
    "model.layers": "Layers; each reads the one above it, unless its `from` names others.",
    "model.outputs": "Names of the outputs; without it, the layers that no other reads.",
    "model.budget": "Limits that `dense-calc check` holds the model to.",
    "model.expect": "Facts that the model must agree with, and where they are from.",
    "layer.type": "Keras class of the layer.",
    "layer.from": "What it reads: a layer, one output (`lstm[1]`), or several; also numbers.",
    "block.params": "Parameters, a list of names or a mapping to their defaults.",
    "block.inputs": "Names of the inputs, if there are several; otherwise it is `input`.",
    "block.layers": "Layers of the block; the last one gives its output.",
    "use.type": "Name of the block.",
    "use.name": "Name of this copy, which stands before those of its layers.",
    "use.from": "What the block reads; without it, the layer above.",
    "use.repeat": "Number of copies, one after the other; `index` counts them from 0.",
    "run.repeat": "Number of times the layers stand, one after the other.",
    "run.layers": "Layers that are repeated.",
    "call.reuse": "Name of a layer, or of a block, that is called again; its weights count once. "
    "`inner/dense` is a layer of a model inside; one there may also call those around it.",
    "call.name": "Name of the output of this call.",
    "call.from": "What this call reads; without it, the layer above.",
    "budget.layers": "Limits on layers, by their names or by patterns such as `head*`.",
    "budget.each": "Whether each layer is held to the limits, not all of them together.",
    "expect.params": "Number of parameters.",
    "expect.trainable": "Number of trainable parameters.",
    "expect.output_shape": "Shape of the output with the batch axis, or a list of shapes.",
    "expect.source": "Where the numbers are from.",
}


def describe_keys(where: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas of the keys that stand in one place of a spec, each with its words."""
    return {
        key: {**schema, "description": _KEY_WORDS[f"{where}.{key}"]}
        for key, schema in schemas.items()
    }
