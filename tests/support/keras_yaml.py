"""A small model as Keras wrote it, in JSON and in YAML."""

from __future__ import annotations

import json

from support.applications import FACTS

CHAIN = json.loads(FACTS["chain"]["json"])


KERAS_YAML = """\
backend: tensorflow
class_name: Model
config:
  input_layers: !!python/object/apply:tensorflow.python.training.data_structures.ListWrapper
  - - - x
      - 0
      - 0
  layers:
  - class_name: InputLayer
    config:
      batch_input_shape: !!python/object/apply:tensorflow.python.util.TupleWrapper
      - !!python/tuple [null, 9, 3]
      name: x
    inbound_nodes: []
    name: x
  - class_name: Conv1D
    config:
      activation: !!python/name:relu ''
      filters: !!python/long '4'
      kernel_size: !!python/object/new:ListWrapper
        listitems: &id001
        - 3
        state: {_layers: []}
      name: !!python/unicode 'd'
      padding: !!python/object/apply:builtins.str [same]
      strides: *id001
    inbound_nodes: [[[x, 0, 0, !!python/object/new:DictWrapper {args: [{}]}]]]
    name: d
  name: m
  output_layers: [[d, 0, 0]]
backend: tensorflow
keras_version: 2.2.4-tf
"""
