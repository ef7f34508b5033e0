"""Layers of Keras 1 and 2 in the words of Keras 3: other class names, other arguments.

Sources: `get_config` of the classes of Keras 2.0 to 2.3, of tf.keras and of tf_keras 2.21.
"""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy.keras_1_configs import (
    KERAS_1_ONLY_CLASSES,
    upgrade_from_keras_1,
)
from dense_calc.keras_format.legacy.legacy_values import (
    INITIALIZER_SUFFIX,
    RAW_SHAPE_TYPE,
    LayerConfig,
    upgrade_argument,
)

# fmt: off
# Renamed classes of tf.keras, and renamed arguments.
KERAS_2_CLASSES = {
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "CategoricalEncoding": "CategoryEncoding",
    "SyncBatchNormalization": "BatchNormalization", "UnifiedGRU": "GRU", "UnifiedLSTM": "LSTM",
}
_RENAMED_KERAS_2_BY_CLASS = {
    "AdditiveAttention": {"causal": "use_causal_mask"},
    "Attention": {"causal": "use_causal_mask"},
    "CategoryEncoding": {"max_tokens": "num_tokens"}, "Discretization": {"bins": "bin_boundaries"},
    "InputLayer": {"batch_input_shape": "batch_shape", "input_dtype": "dtype",
                   "input_shape": "shape"},
    "IntegerLookup": {"mask_value": "mask_token", "max_values": "max_tokens",
                      "oov_value": "oov_token"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
_DROPPED_KERAS_2 = {
    "adjustment", "autocast", "batch_input_shape", "combiner", "dynamic", "force_generator",
    "fused", "has_static_table", "input_dtype", "input_tensor", "key_shape", "query_shape",
    "rng_type", "softmax_robust_masking", "value_shape", "virtual_batch_size", "weights",
}
_SPATIAL_DROPOUT_DROPPED = {"noise_shape", "trainable"}
_DEPTHWISE_DROPPED = {"groups", "kernel_constraint", "kernel_initializer", "kernel_regularizer"}
_DROPPED_KERAS_2_BY_CLASS = {
    "BatchNormalization": {"synchronized"},
    "Conv1DTranspose": {"groups"}, "Conv2DTranspose": {"groups"}, "Conv3DTranspose": {"groups"},
    "ConvLSTM1D": {"implementation"}, "ConvLSTM2D": {"implementation"},
    "ConvLSTM3D": {"implementation"},
    "DepthwiseConv1D": _DEPTHWISE_DROPPED, "DepthwiseConv2D": _DEPTHWISE_DROPPED,
    "Discretization": {"trainable"},
    "Embedding": {"input_length", "sparse"},
    "Lambda": {
        "function", "function_type", "mask", "mask_module", "mask_type", "module",
        "output_shape_module", "output_shape_type",
    },
    "SeparableConv1D": _DEPTHWISE_DROPPED, "SeparableConv2D": _DEPTHWISE_DROPPED,
    "SimpleRNN": {"implementation"},
    "SpatialDropout1D": _SPATIAL_DROPOUT_DROPPED, "SpatialDropout2D": _SPATIAL_DROPOUT_DROPPED,
    "SpatialDropout3D": _SPATIAL_DROPOUT_DROPPED, "StringLookup": {"vocabulary_dtype"},
}
# Arguments that Keras 3 does not have, and their values without effect.
_IDLE_VALUES = {"type_spec": (None,), "num_constants": (None, 0), "time_major": (None, False)}

# Defaults of early versions, which their files do not write and Keras 3 has changed.
_LEGACY_DEFAULTS: dict[str, LayerConfig] = {
    "ConvLSTM2D": {"recurrent_activation": "hard_sigmoid"},
    "GRU": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "GRUCell": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "LSTM": {"recurrent_activation": "hard_sigmoid"},
    "LSTMCell": {"recurrent_activation": "hard_sigmoid"},
}
# fmt: on


def upgrade_config(
    class_name: str, config: LayerConfig, keras_version: int
) -> tuple[str, LayerConfig]:
    """The class name and the config of a layer of Keras 1 or 2 in the words of Keras 3.

    Unknown arguments stay as they are, as do layers inside the layer.

    Raises:
        LayerError: Keras 3 cannot express it.
    """
    words = {str(name): value for name, value in config.items()}
    if keras_version == 1 or class_name in KERAS_1_ONLY_CLASSES:
        class_name, words = upgrade_from_keras_1(class_name, words)
    return _upgrade_from_keras_2(class_name, words)


def _upgrade_from_keras_2(class_name: str, config: LayerConfig) -> tuple[str, LayerConfig]:
    """The class name and config of a layer of Keras 2 in the words of Keras 3."""
    class_name = KERAS_2_CLASSES.get(class_name, class_name)
    config = _expand_type_spec(config)
    names = _RENAMED_KERAS_2_BY_CLASS.get(class_name, {})
    dropped = _DROPPED_KERAS_2 | _DROPPED_KERAS_2_BY_CLASS.get(class_name, set())
    if config.get("output_shape_type", RAW_SHAPE_TYPE) != RAW_SHAPE_TYPE:
        dropped |= {"output_shape"}
    words: LayerConfig = {
        names.get(name, name): upgrade_argument(name, value)
        for name, value in config.items()
        if name in names or (name not in dropped and value not in _IDLE_VALUES.get(name, ()))
    }
    words = {**_LEGACY_DEFAULTS.get(class_name, {}), **words}
    if _has_input_dtype(words):
        del words["dtype"]
    if words.get("time_major") is True:
        raise LayerError("it reads the time before the batch, as no layer of Keras 3", "time_major")
    match words.get("axis"):
        case [axis] if class_name == "BatchNormalization":
            words["axis"] = axis
    return class_name, words


def _expand_type_spec(config: LayerConfig) -> LayerConfig:
    """The config of an input, with the shape and dtype of its `type_spec` in place of that."""
    match config.get("type_spec"):
        case {"config": [shape, dtype, *_]} | {"serialized": [shape, dtype, *_]}:
            others = {name: config[name] for name in config if name != "type_spec"}
            return {**others, "batch_shape": shape, "dtype": dtype}
    return config


def _has_input_dtype(words: LayerConfig) -> bool:
    """Whether the dtype of a layer is that of its input, as Keras 2.0 wrote it.

    The dtype of a layer with weights is never an integer or a truth value.
    """
    dtype = words.get("dtype")
    is_integer = isinstance(dtype, str) and ("int" in dtype or dtype == "bool")
    return is_integer and any(name.endswith(INITIALIZER_SUFFIX) for name in words)
