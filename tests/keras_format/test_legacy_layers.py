"""Layers of Keras 1 and 2, in Keras 3's words, have the shapes and the weights that they had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.old_layers import FACTS, LEGACY, layer_of

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy import keras_1_configs, layer_configs
from dense_calc.keras_format.legacy.keras_1_configs import (
    KERAS_1_CLASSES,
    MERGE_MODE_CLASSES,
    is_keras_1_layer,
    with_dim_ordering,
)
from dense_calc.keras_format.legacy.layer_configs import KERAS_2_CLASSES, upgrade_config
from dense_calc.keras_format.legacy.legacy_values import unwrap_containers
from dense_calc.layers import KIND_MODULES, find_kind
from dense_calc.layers.retired.keras_2 import RETIRED_KINDS

# What the layers of a file give and how many weights they have, by hand, from the sources of the
# version that wrote it. The shapes are without the batch.
MODELS: dict[str, list[tuple[tuple[int, ...], int]]] = {
    "keras1_images": [
        ((3, 34, 34), 0),
        ((16, 32, 30), 3 * 5 * 3 * 16 + 16),
        ((16, 32, 30), 4 * 16),
        ((16, 32, 30), 16 * 32 * 30),  # a slope for each element: files hold no shared axes
        ((8, 32, 30), 3 * 3 * 16 * 8 + 8),
        ((8, 16, 15), 0),
        ((10, 8, 8), 3 * 3 * 8 * 2 + 8 * 2 * 10),
        ((10, 16, 16), 0),
        ((4, 31, 31), 3 * 3 * 10 * 4 + 4),
        ((2, 10, 10), 10 * 10 * (4 * 4 * 4 * 2 + 2)),
        ((2, 10, 10), 4 * 2 * 10 * 10),
        ((2, 10, 10), 0),
        ((200,), 0),
        ((20,), 3 * (200 * 20 + 20)),
        ((20,), 2 * (20 * 20 + 20)),
        ((10,), 20 * 10 + 10),
    ],
    "keras1_sequences": [
        ((40, 32), 1000 * 32),
        ((18, 24), 5 * 32 * 24 + 24),
        ((18, 24), 0),
        ((18, 32), 2 * 4 * 16 * (24 + 16 + 1)),
        ((20, 32), 0),
        ((17, 6), 2 * 32 * 6 + 6),
        ((15, 7), 15 * (3 * 6 * 7 + 7)),
        ((30, 7), 0),
        ((30, 5), 7 * 5 + 5),
        ((30, 4), 5 * 4 + 4),
        ((30, 4), 2 * 30 * 4),
        ((30, 4), 0),
        ((30, 8), 8 * (4 + 8 + 1)),
        ((9,), 3 * 9 * (8 + 9 + 1)),
        ((9,), 0),
        ((3, 9), 0),
        ((3, 1), 0),
    ],
    "keras2_sequences": [
        ((30, 12), 3 * 6 * 12 + 12),
        ((30, 10), 4 * 10 * (12 + 10 + 2)),
        ((30, 20), 2 * 3 * 10 * (10 + 10 + 2)),
        ((30, 7), 3 * 7 * (20 + 7 + 1)),  # without reset_after, which 2.0.9 does not know
        ((30, 8), 4 * 8 * (7 + 8 + 1)),
        ((14, 4), 14 * (3 * 8 * 4 + 4)),
        ((14, 4, 2), 5 * 2),
    ],
}


# Each class of each version: what `get_config` wrote, and what else the constructor could be given.
WRITTEN = [
    json.loads(line) for line in (LEGACY / "config_keys.jsonl").read_text("utf-8").splitlines()
]
OF_TENSORFLOW = {"SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer"}  # they name a function
NOT_READ = {  # what they give depends on code or on data; `--assume` says it
    "CategoryCrossing", "ClassMethod", "ConvLSTM2DCell", "ConvLSTMCell",
    "DistributedCallbackModel", "InstanceMethod", "InstanceProperty", "ModuleWrapper", "Reduction",
}  # fmt: skip
ALIKE = {  # classes of Keras 1 that have no word of their own
    "Activation", "ActivityRegularization", "Bidirectional", "Cropping1D", "Cropping2D",
    "Cropping3D", "ELU", "Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Highway",
    "InputLayer", "Lambda", "LeakyReLU", "Masking", "MaxoutDense", "Merge", "ParametricSoftplus",
    "Permute", "RepeatVector", "Reshape", "ThresholdedReLU", "TimeDistributed", "UpSampling2D",
    "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
}  # fmt: skip
OF_ALL = {"args", "kwargs", "name"}


def title(line: dict[str, Any]) -> str:
    """What a line of that table is about."""
    return f"{line['class_name']} {line['versions'][0]}"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact["class_name"])
def test_a_layer_of_keras_2_gives_and_holds_what_it_did(fact: dict[str, Any]) -> None:
    shapes = [tuple(shape) for shape in fact["inputs"]]
    layer = layer_of(unwrap_containers(fact), 2)
    weights = [
        [list(weight.axes.values()), weight.trainable and layer.trainable]
        for weight in layer.weights(*shapes)
    ]
    assert json.loads(json.dumps(layer.output_shape(*shapes))) == fact["output"]
    assert sorted(weights) == fact["weights"]


@pytest.mark.parametrize("name", MODELS)
def test_the_layers_of_an_old_model_give_and_hold_what_they_did(name: str) -> None:
    model = json.loads((LEGACY / f"{name}.json").read_text("utf-8"))
    keras = int(model["keras_version"][0])
    shape: Any = tuple(model["config"][0]["config"]["batch_input_shape"])
    found = []
    for written in model["config"]:
        config = with_dim_ordering(written["class_name"], written["config"], "th")
        layer = layer_of({**written, "config": config}, keras)
        count = sum(prod(weight.axes.values()) for weight in layer.weights(shape))
        shape = layer.output_shape(shape)
        found.append((shape[1:], count))
    assert found == MODELS[name]


@pytest.mark.parametrize(
    "line", WRITTEN, ids=lambda line: f"{line['class_name']} {line['versions'][0]}"
)
@pytest.mark.parametrize("words", ["keys", "arguments"])
def test_every_word_that_a_version_had_is_understood(line: dict[str, Any], words: str) -> None:
    class_name = line["class_name"]
    config: dict[str, Any] = dict.fromkeys(line[words])
    if class_name == "Merge":
        config["mode"] = "sum"  # any; without one it has no class in Keras 3
    for keras in {1 if version.startswith("1.") else 2 for version in line["versions"]}:
        name, found = upgrade_config(class_name, config, keras)
        if class_name in NOT_READ | OF_TENSORFLOW:
            with pytest.raises(KeyError):
                find_kind(name)
        else:
            assert set(found) - OF_ALL <= set(find_kind(name).__struct_encode_fields__)


@pytest.mark.parametrize("line", WRITTEN, ids=title)
def test_words_of_keras_1_tell_it(line: dict[str, Any]) -> None:
    class_name = line["class_name"]
    tells = is_keras_1_layer(class_name, dict.fromkeys(line["keys"]))
    of_keras_1 = all(version.startswith("1.") for version in line["versions"])
    assert tells == (of_keras_1 and class_name not in ALIKE)


def test_every_class_of_old_versions_is_there() -> None:
    names = {line["class_name"] for line in WRITTEN}
    versions = {version for line in WRITTEN for version in line["versions"]}
    assert {"Convolution2D", "Merge", "SReLU", "Dense", "CuDNNLSTM", *NOT_READ} <= names
    assert {"1.0.0", "1.2.2", "2.0.0", "2.3.1", "2.15.0", "tf 1.10.1", "tf 2.5.3"} <= versions


# What Keras wrote, by whom, and what that is today.
WORDS: list[tuple[int, str, dict[str, Any], str, dict[str, Any]]] = [
    (1, "Merge", {"mode": "sum", "mode_type": "raw", "layers": []}, "Add", {}),
    (1, "Merge", {"mode": "mul", "name": "m"}, "Multiply", {"name": "m"}),
    (1, "Merge", {"mode": "ave"}, "Average", {}),
    (1, "Merge", {"mode": "max"}, "Maximum", {}),
    (1, "Merge", {"mode": "concat", "concat_axis": 1}, "Concatenate", {"axis": 1}),
    (2, "Merge", {"mode": "concat"}, "Concatenate", {"axis": -1}),
    (1, "Merge", {"mode": "dot", "dot_axes": [[1], [2]]}, "Dot",
     {"axes": [1, 2], "normalize": False}),
    (1, "Merge", {"mode": "cos", "dot_axes": -1}, "Dot", {"axes": -1, "normalize": True}),
    (1, "Merge", {"mode": ["4wE=", None, None], "output_shape": [4], "output_shape_type": "raw"},
     "Lambda", {"output_shape": [4]}),
    (1, "MaxPooling2D", {"dim_ordering": "default", "border_mode": "same"}, "MaxPooling2D",
     {"data_format": None, "padding": "same"}),
    (1, "ZeroPadding2D", {"padding": {"top_pad": 1, "right_pad": 2}}, "ZeroPadding2D",
     {"padding": [[1, 0], [0, 2]]}),
    (1, "ZeroPadding2D", {"padding": [1, 2, 3, 4]}, "ZeroPadding2D",
     {"padding": [[1, 2], [3, 4]]}),
    (1, "Convolution3D", {"kernel_dim1": 1, "kernel_dim2": 2, "kernel_dim3": 3, "subsample": 2},
     "Conv3D", {"kernel_size": [1, 2, 3], "strides": 2}),
    (1, "Dense", {"W_regularizer": {"name": "EigenvalueRegularizer", "k": 0.1}}, "Dense",
     {"kernel_regularizer": None}),
    (1, "Dense", {"W_constraint": {"name": "MinMaxNorm", "low": 0, "high": 1, "rate": 1}}, "Dense",
     {"kernel_constraint": {"class_name": "MinMaxNorm",
                            "config": {"min_value": 0, "max_value": 1, "rate": 1}}}),
    (1, "InputLayer", {"batch_input_shape": [None, 4], "input_dtype": "int32"}, "InputLayer",
     {"batch_shape": [None, 4], "dtype": "int32"}),
    (2, "InputLayer", {"name": "x", "type_spec": {"class_name": "__typespec__", "config":
     [[None, 4], "float32", None]}}, "InputLayer",
     {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}),
    (2, "InputLayer", {"type_spec": {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec",
     "serialized": [[None, 4], "double", "x"]}}, "InputLayer",
     {"batch_shape": [None, 4], "dtype": "float64"}),
    (2, "InputLayer", {"type_spec": None}, "InputLayer", {}),
    (2, "InputLayer", {"dtype": "float"}, "InputLayer", {"dtype": "float32"}),
    (1, "BatchNormalization", {"gamma_init": "one", "beta_init": "zero"}, "BatchNormalization",
     {"gamma_initializer": "one", "beta_initializer": "zero"}),
    (2, "IntegerLookup", {"max_values": 9, "mask_value": 0, "oov_value": -1}, "IntegerLookup",
     {"max_tokens": 9, "mask_token": 0, "oov_token": -1}),
    (2, "CategoricalEncoding", {"max_tokens": 5}, "CategoryEncoding", {"num_tokens": 5}),
    (2, "BatchNormalizationV1", {"axis": [3], "fused": True}, "BatchNormalization", {"axis": 3}),
    (2, "Dense", {"dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}}, "Dense",
     {"dtype": "mixed_float16"}),
    (2, "Dense", {"dtype": "float32_ref", "activation": "softmax_v2"}, "Dense",
     {"dtype": "float32", "activation": "softmax"}),
    (2, "Dense", {"dtype": {"class_name": "Policy", "config": {"name": "_infer"}}}, "Dense",
     {"dtype": None}),
    (2, "Dense", {"activation": {"class_name": "function", "config": "swish"}}, "Dense",
     {"activation": {"module": "builtins", "class_name": "function", "config": "silu"}}),
    (2, "Dense", {"kernel_initializer": {"class_name": "Mine", "config": {"dtype": 1}}}, "Dense",
     {"kernel_initializer": {"class_name": "Mine", "config": {"dtype": 1}}}),
    (2, "LeakyReLU", {"alpha": 0.1}, "LeakyReLU", {"negative_slope": 0.1}),
    (2, "Attention", {"causal": True}, "Attention", {"use_causal_mask": True}),
    (2, "UnifiedLSTM", {"time_major": False}, "LSTM", {"recurrent_activation": "hard_sigmoid"}),
    (2, "Lambda", {"function": ["4w==", None, None], "output_shape": ["4w==", None, None],
                   "output_shape_type": "lambda", "function_type": "lambda", "arguments": {}},
     "Lambda", {"arguments": {}}),
    (2, "TFOpLambda", {"function": "math.add"}, "TFOpLambda", {"function": "math.add"}),
    (2, "Dense", {"unheard_of": 1}, "Dense", {"unheard_of": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("keras", "old", "config", "new", "words"), WORDS)
def test_words(
    keras: int, old: str, config: dict[str, Any], new: str, words: dict[str, Any]
) -> None:
    before = deepcopy(config)
    assert upgrade_config(old, config, keras) == (new, words)
    assert config == before


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        ({"axis": {"class_name": "ListWrapper", "items": [3]}}, {"axis": [3]}),
        ({"class_name": "TensorShape", "items": [None, 4]}, [None, 4]),
        ([{"class_name": "_TupleWrapper", "config": [1, {"class_name": "__tuple__", "items": []}]}],
         [[1, []]]),
        ({"class_name": "_DictWrapper",
          "items": {"a": {"class_name": "ListWrapper", "items": [1]}}}, {"a": [1]}),
        ({"class_name": "ListWrapper"}, None),
        ({"class_name": "Dense", "items": [1]}, {"class_name": "Dense", "items": [1]}),
    ],
)  # fmt: skip
def test_what_tensorflow_wraps_is_plain(wrapped: Any, plain: Any) -> None:
    before = deepcopy(wrapped)
    assert unwrap_containers(wrapped) == plain
    assert wrapped == before


@pytest.mark.parametrize(
    ("class_name", "config"),
    [
        ("Merge", {"mode": ["4w==", None, None], "output_shape_type": "raw"}),
        ("Merge", {"mode": "f", "output_shape": ["4w=="], "output_shape_type": "lambda"}),
        ("LSTM", {"time_major": True}),
    ],
)
def test_what_keras_3_cannot_say(class_name: str, config: dict[str, Any]) -> None:
    with pytest.raises(LayerError):
        upgrade_config(class_name, config, 1)


def test_classes_are_kinds_and_none_is_both_there_and_retired() -> None:
    tables = (KERAS_1_CLASSES, KERAS_2_CLASSES, MERGE_MODE_CLASSES)
    assert {name for table in tables for name in table.values()} <= set(KIND_MODULES)
    assert not set(RETIRED_KINDS) & set(KIND_MODULES)
    assert list(RETIRED_KINDS) == sorted(RETIRED_KINDS)
    assert all(kind.__doc__ for kind in RETIRED_KINDS.values())


TABLES = vars(keras_1_configs) | vars(layer_configs)


def arguments() -> Iterator[str]:
    """The names of arguments that are translated."""
    for name, table in TABLES.items():
        if name.startswith(("_RENAMED", "_DROPPED", "KERNEL")):
            yield from sorted(names_in(table))


def names_in(value: Any) -> set[str]:
    """All text in a nest of tables."""
    if isinstance(value, dict):
        return names_in([*value, *value.values()])
    if isinstance(value, list | set | tuple):
        return {name for each in value for name in names_in(each)}
    return {value} if isinstance(value, str) else set()


OBJECTS = {"class_name": "Zeros", "config": {}, "name": "WeightRegularizer", "items": [1]}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["raw"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(sorted(OBJECTS)) | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)
CLASSES = sorted({*names_in(TABLES), *RETIRED_KINDS})
ARGUMENTS = [*arguments(), "activation", "dtype", "kernel_initializer", "kernel_constraint"]


@settings(max_examples=300)
@given(
    st.sampled_from(CLASSES),
    st.dictionaries(st.sampled_from(ARGUMENTS) | st.text(), VALUES, max_size=6),
    st.sampled_from([1, 2]),
)
def test_whatever_stands_in_a_config_is_translated_or_refused(
    class_name: str, config: dict[str, Any], keras: int
) -> None:
    before = deepcopy(config)
    with suppress(LayerError):
        upgrade_config(class_name, config, keras)
    assert repr(config) == repr(before)
