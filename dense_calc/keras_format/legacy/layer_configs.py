"""Layers of Keras 1 and 2 in the words of Keras 3: another class name, other arguments.

Keras 1 is first put in the words of Keras 2, by the tables of keras/legacy/interfaces.py of Keras
2.2.4 and `get_config` of the classes of Keras 1.2.2; then Keras 2 in those of Keras 3, by
`get_config` of the classes of Keras 2.0 to 2.3, of tf.keras and of tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy.values import translate_word, upgrade_argument

_LayerConfig = dict[str, Any]

_INITIALIZER_SUFFIX = "_initializer"  # how arguments end that fill weights
_RAW_SHAPE_TYPE = "raw"  # of the types of an output shape the one that is no function

# fmt: off
# Keras 1: arguments and classes, where they have the same meaning in all classes and in their own.
_RENAMED_KERAS_1 = {
    "U_constraint": "recurrent_constraint", "U_regularizer": "recurrent_regularizer",
    "W_constraint": "kernel_constraint", "W_regularizer": "kernel_regularizer",
    "atrous_rate": "dilation_rate", "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer", "bias": "use_bias", "border_mode": "padding",
    "dim_ordering": "data_format", "dropout_U": "recurrent_dropout", "dropout_W": "dropout",
    "filter_length": "kernel_size", "forget_bias_init": "unit_forget_bias",
    "init": "kernel_initializer", "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer", "nb_filter": "filters", "output_dim": "units",
    "p": "rate", "pool_length": "pool_size", "sigma": "stddev", "stride": "strides",
    "subsample": "strides", "subsample_length": "strides",
}
_RENAMED_KERAS_1_BY_CLASS = {
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "Embedding": {
        "W_constraint": "embeddings_constraint", "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer", "output_dim": "output_dim",
    },
    "PReLU": {"init": "alpha_initializer"},
    "SReLU": {f"{name}_init": f"{name}_initializer"
              for name in ("t_left", "a_left", "t_right", "a_right")},
    "SeparableConvolution2D": {"init": "depthwise_initializer"},
    "UpSampling1D": {"length": "size"},
}
KERAS_1_CLASSES = {
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D",
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",  # any Dense keeps the axes before the last
}
MERGE_MODE_CLASSES = {
    "ave": "Average", "concat": "Concatenate", "cos": "Dot", "dot": "Dot", "max": "Maximum",
    "mul": "Multiply", "sum": "Add",
}
KERNEL_SIZE_ARGUMENTS = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
_PADDING_KEYS = (("top_pad", "bottom_pad"), ("left_pad", "right_pad"))
_UNORDERED_CLASSES = {  # classes whose `dim_ordering` is not in files
    "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D",
}
_DATA_FORMATS = {"default": None, "tf": "channels_last", "th": "channels_first"}

# What changes no shape and no count. `input_dim` and `input_length` only repeat the input's shape.
_DROPPED_KERAS_1 = {
    "cache_enabled", "consume_less", "custom_name", "input_dim", "input_length", "mode",
    "transform_bias",
}
_DROPPED_KERAS_1_BY_CLASS = {"Embedding": {"dropout"}}  # its input_dim is what it embeds

# Keras 2 wrote these in the words of Keras 1.
_KERAS_1_ONLY_CLASSES = {"Highway", "MaxoutDense", "Merge"}

# Keras 2: classes that tf.keras once had under more names, and arguments.
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
    "DepthwiseConv1D": _DEPTHWISE_DROPPED, "DepthwiseConv2D": _DEPTHWISE_DROPPED, "Discretization": {"trainable"},
    "Embedding": {"input_length", "sparse"},
    "Lambda": {
        "function", "function_type", "mask", "mask_module", "mask_type", "module",
        "output_shape_module", "output_shape_type",
    },
    "SeparableConv1D": _DEPTHWISE_DROPPED, "SeparableConv2D": _DEPTHWISE_DROPPED, "SimpleRNN": {"implementation"},
    "SpatialDropout1D": _SPATIAL_DROPOUT_DROPPED, "SpatialDropout2D": _SPATIAL_DROPOUT_DROPPED,
    "SpatialDropout3D": _SPATIAL_DROPOUT_DROPPED, "StringLookup": {"vocabulary_dtype"},
}
_IDLE_VALUES = {"type_spec": (None,), "num_constants": (None, 0), "time_major": (None, False)}

# What Keras 3 has another default for; files of early versions do not say it.
_LEGACY_DEFAULTS: dict[str, _LayerConfig] = {
    "ConvLSTM2D": {"recurrent_activation": "hard_sigmoid"},
    "GRU": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "GRUCell": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "LSTM": {"recurrent_activation": "hard_sigmoid"},
    "LSTMCell": {"recurrent_activation": "hard_sigmoid"},
}
# fmt: on


def upgrade_config(class_name: str, config: _LayerConfig, keras: int) -> tuple[str, _LayerConfig]:
    """The class name and the config of a layer of Keras 1 or 2 in the words of Keras 3.

    What nobody knows stays as it is, as do layers inside the layer.

    Raises:
        LayerError: Keras 3 cannot say it.
    """
    words = {str(name): value for name, value in config.items()}
    if keras == 1 or class_name in _KERAS_1_ONLY_CLASSES:
        class_name, words = _upgrade_from_keras_1(class_name, words)
    return _upgrade_from_keras_2(class_name, words)


def is_keras_1_layer(class_name: str, config: _LayerConfig) -> bool:
    """Whether a layer has a word of Keras 1 alone, whose first files tell no version."""
    from dense_calc.layers import find_kind  # whose table names all modules

    try:
        kind = find_kind(KERAS_1_CLASSES.get(class_name, class_name))
    except KeyError:
        return False
    if class_name in _KERAS_1_ONLY_CLASSES:
        return False
    words = {
        *_RENAMED_KERAS_1,
        *_RENAMED_KERAS_1_BY_CLASS.get(class_name, ()),
        *_DROPPED_KERAS_1,
        *chain(*KERNEL_SIZE_ARGUMENTS),
    }
    return not words.isdisjoint(config.keys() - kind.__struct_encode_fields__)


def with_dim_ordering(class_name: str, config: _LayerConfig, dim_ordering: str) -> _LayerConfig:
    """A config of Keras 1 with the `dim_ordering` of the other layers, where files do not say it.

    Keras 1 wrote it for convolutions and pooling alone; the rest went by a setting of the machine.
    """
    return {"dim_ordering": dim_ordering, **config} if class_name in _UNORDERED_CLASSES else config


def _upgrade_from_keras_1(class_name: str, config: _LayerConfig) -> tuple[str, _LayerConfig]:
    """A layer of Keras 1 in the words of Keras 2."""
    if class_name == "Merge":
        return _upgrade_merge(config)
    names = _RENAMED_KERAS_1 | _RENAMED_KERAS_1_BY_CLASS.get(class_name, {})
    dropped = _DROPPED_KERAS_1_BY_CLASS.get(class_name, _DROPPED_KERAS_1)
    words = {names.get(name, name): config[name] for name in config if name not in dropped}
    for parts in KERNEL_SIZE_ARGUMENTS:
        if all(part in words for part in parts):
            words["kernel_size"] = [words.pop(part) for part in parts]
    words = _convert_config_values(
        _CONVERTERS_KERAS_1 | _CONVERTERS_KERAS_1_BY_CLASS.get(class_name, {}), words
    )
    if class_name == "SeparableConvolution2D" and "init" in config:
        words["pointwise_initializer"] = config["init"]
    return KERAS_1_CLASSES.get(class_name, class_name), words


def _upgrade_from_keras_2(class_name: str, config: _LayerConfig) -> tuple[str, _LayerConfig]:
    """A layer of Keras 2 in the words of Keras 3."""
    class_name = KERAS_2_CLASSES.get(class_name, class_name)
    config = _expand_type_spec(config)
    names = _RENAMED_KERAS_2_BY_CLASS.get(class_name, {})
    dropped = _DROPPED_KERAS_2 | _DROPPED_KERAS_2_BY_CLASS.get(class_name, set())
    if config.get("output_shape_type", _RAW_SHAPE_TYPE) != _RAW_SHAPE_TYPE:
        dropped |= {"output_shape"}
    words: _LayerConfig = {
        names.get(name, name): upgrade_argument(name, value)
        for name, value in config.items()
        if name in names or (name not in dropped and not _is_idle_argument(name, value))
    }
    words = {**_LEGACY_DEFAULTS.get(class_name, {}), **words}
    if _has_input_dtype(words):
        del words["dtype"]
    if words.get("time_major") is True:
        raise LayerError("it reads the time before the batch, as no layer of Keras 3", "time_major")
    return class_name, _convert_config_values(
        _CONVERTERS_KERAS_2_BY_CLASS.get(class_name, {}), words
    )


def _expand_type_spec(config: _LayerConfig) -> _LayerConfig:
    """An input's config whose `type_spec`, if it has one, is a shape and a dtype."""
    match config.get("type_spec"):
        case {"config": [shape, dtype, *_]} | {"serialized": [shape, dtype, *_]}:
            others = {name: config[name] for name in config if name != "type_spec"}
            return {**others, "batch_shape": shape, "dtype": dtype}
    return config


def _has_input_dtype(words: _LayerConfig) -> bool:
    """Whether the dtype of a layer is what it reads: Keras 2.0 wrote it so, weights are floats."""
    dtype = words.get("dtype")
    is_whole = isinstance(dtype, str) and ("int" in dtype or dtype == "bool")
    return is_whole and any(name.endswith(_INITIALIZER_SUFFIX) for name in words)


def _is_idle_argument(name: str, value: Any) -> bool:
    """Whether an argument that Keras 3 does not have has a value that does nothing."""
    return any(value is idle or value == idle for idle in _IDLE_VALUES.get(name, ()))


def _convert_config_values(
    table: dict[str, Callable[[Any], Any]], words: _LayerConfig
) -> _LayerConfig:
    """Arguments with other values, where the table has a function for them."""
    return {name: table[name](words[name]) if name in table else words[name] for name in words}


def _upgrade_merge(config: _LayerConfig) -> tuple[str, _LayerConfig]:
    """The layer that does what a `Merge` of Keras 1 does in its mode."""
    mode = config.get("mode")
    words: _LayerConfig = {name: config[name] for name in ("name", "trainable") if name in config}
    if not isinstance(mode, str) or mode not in MERGE_MODE_CLASSES:
        return "Lambda", words | _stated_output_shape(config)
    class_name = MERGE_MODE_CLASSES[mode]
    if mode == "concat":
        words["axis"] = config.get("concat_axis", -1)
    if mode in ("cos", "dot"):
        words |= {"axes": _flatten_dot_axes(config.get("dot_axes", -1)), "normalize": mode == "cos"}
    return class_name, words


def _stated_output_shape(config: _LayerConfig) -> _LayerConfig:
    """What a layer with a function of its own says of its output."""
    shape = config.get("output_shape")
    if shape is None or config.get("output_shape_type", _RAW_SHAPE_TYPE) != _RAW_SHAPE_TYPE:
        raise LayerError("it merges by a function, which is not run here, and states no shape")
    return {"output_shape": shape}


def _flatten_dot_axes(value: Any) -> Any:
    """The axes of a product; the first Keras 1 wrote each in a list of its own."""
    match value:
        case [[first], [second]]:
            return [first, second]
    return value


def _unwrap_axis(value: Any) -> Any:
    """An axis that is written as a list of one."""
    match value:
        case [axis]:
            return axis
    return value


def _sequence_padding(value: Any) -> Any:
    """What is added at the two ends of a sequence."""
    return [value.get(end, 0) for end in _PADDING_KEYS[1]] if isinstance(value, dict) else value


def _image_padding(value: Any) -> Any:
    """What is added at the four sides of an image."""
    match value:
        case dict():
            return [[value.get(end, 0) for end in pair] for pair in _PADDING_KEYS]
        case [top, bottom, left, right]:
            return [[top, bottom], [left, right]]
    return value


def _upgrade_data_format(value: Any) -> Any:
    """Where the channels stand."""
    return translate_word(_DATA_FORMATS, value)


def _is_ones_initializer(value: Any) -> bool:
    """Whether the bias of the forget gate starts as ones: Keras 1 names the initializer."""
    return value in ("one", "ones")


_CONVERTERS_KERAS_1: dict[str, Callable[[Any], Any]] = {
    "data_format": _upgrade_data_format,
    "unit_forget_bias": _is_ones_initializer,
}
_CONVERTERS_KERAS_1_BY_CLASS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "ZeroPadding1D": {"padding": _sequence_padding},
    "ZeroPadding2D": {"padding": _image_padding},
}
_CONVERTERS_KERAS_2_BY_CLASS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "BatchNormalization": {"axis": _unwrap_axis},
}
