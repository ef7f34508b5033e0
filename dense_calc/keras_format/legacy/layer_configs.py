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
from dense_calc.keras_format.legacy.values import one_of, translated

Config = dict[str, Any]

INITIALIZER = "_initializer"  # how arguments end that fill weights
RAW = "raw"  # of the types of an output shape the one that is no function

# fmt: off
# Keras 1: arguments and classes, where they have the same meaning in all classes and in their own.
RENAMED_1 = {
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
RENAMED_1_IN = {
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
CLASSES_1 = {
    "AtrousConvolution1D": "Conv1D", "AtrousConvolution2D": "Conv2D",
    "Convolution1D": "Conv1D", "Convolution2D": "Conv2D", "Convolution3D": "Conv3D",
    "SeparableConvolution2D": "SeparableConv2D",
    "TimeDistributedDense": "Dense",  # any Dense keeps the axes before the last
}
MERGES = {
    "ave": "Average", "concat": "Concatenate", "cos": "Dot", "dot": "Dot", "max": "Maximum",
    "mul": "Multiply", "sum": "Add",
}
KERNEL_SIZES = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
PADS = (("top_pad", "bottom_pad"), ("left_pad", "right_pad"))
UNORDERED = {  # classes whose `dim_ordering` is not in files
    "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D",
}
DATA_FORMATS = {"default": None, "tf": "channels_last", "th": "channels_first"}

# What changes no shape and no count. `input_dim` and `input_length` only repeat the input's shape.
DROPPED_1 = {
    "cache_enabled", "consume_less", "custom_name", "input_dim", "input_length", "mode",
    "transform_bias",
}
DROPPED_1_IN = {"Embedding": {"dropout"}}  # its input_dim is what it embeds

# Keras 2 wrote these in the words of Keras 1.
OF_KERAS_1 = {"Highway", "MaxoutDense", "Merge"}

# Keras 2: classes that tf.keras once had under more names, and arguments.
CLASSES_2 = {
    "BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization",
    "CategoricalEncoding": "CategoryEncoding",
    "SyncBatchNormalization": "BatchNormalization", "UnifiedGRU": "GRU", "UnifiedLSTM": "LSTM",
}
RENAMED_2_IN = {
    "AdditiveAttention": {"causal": "use_causal_mask"},
    "Attention": {"causal": "use_causal_mask"},
    "CategoryEncoding": {"max_tokens": "num_tokens"}, "Discretization": {"bins": "bin_boundaries"},
    "InputLayer": {"batch_input_shape": "batch_shape", "input_dtype": "dtype",
                   "input_shape": "shape"},
    "IntegerLookup": {"mask_value": "mask_token", "max_values": "max_tokens",
                      "oov_value": "oov_token"},
    "LeakyReLU": {"alpha": "negative_slope"},
}
DROPPED_2 = {
    "adjustment", "autocast", "batch_input_shape", "combiner", "dynamic", "force_generator",
    "fused", "has_static_table", "input_dtype", "input_tensor", "key_shape", "query_shape",
    "rng_type", "softmax_robust_masking", "value_shape", "virtual_batch_size", "weights",
}
SPATIAL_DROPOUT = {"noise_shape", "trainable"}
DEPTHWISE = {"groups", "kernel_constraint", "kernel_initializer", "kernel_regularizer"}
DROPPED_2_IN = {
    "BatchNormalization": {"synchronized"},
    "Conv1DTranspose": {"groups"}, "Conv2DTranspose": {"groups"}, "Conv3DTranspose": {"groups"},
    "ConvLSTM1D": {"implementation"}, "ConvLSTM2D": {"implementation"},
    "ConvLSTM3D": {"implementation"},
    "DepthwiseConv1D": DEPTHWISE, "DepthwiseConv2D": DEPTHWISE, "Discretization": {"trainable"},
    "Embedding": {"input_length", "sparse"},
    "Lambda": {
        "function", "function_type", "mask", "mask_module", "mask_type", "module",
        "output_shape_module", "output_shape_type",
    },
    "SeparableConv1D": DEPTHWISE, "SeparableConv2D": DEPTHWISE, "SimpleRNN": {"implementation"},
    "SpatialDropout1D": SPATIAL_DROPOUT, "SpatialDropout2D": SPATIAL_DROPOUT,
    "SpatialDropout3D": SPATIAL_DROPOUT, "StringLookup": {"vocabulary_dtype"},
}
DROPPED_IF = {"type_spec": (None,), "num_constants": (None, 0), "time_major": (None, False)}

# What Keras 3 has another default for; files of early versions do not say it.
DEFAULTS: dict[str, Config] = {
    "ConvLSTM2D": {"recurrent_activation": "hard_sigmoid"},
    "GRU": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "GRUCell": {"recurrent_activation": "hard_sigmoid", "reset_after": False},
    "LSTM": {"recurrent_activation": "hard_sigmoid"},
    "LSTMCell": {"recurrent_activation": "hard_sigmoid"},
}
# fmt: on


def modern(class_name: str, config: Config, keras: int) -> tuple[str, Config]:
    """The class name and the config of a layer of Keras 1 or 2 in the words of Keras 3.

    What nobody knows stays as it is, as do layers inside the layer.

    Raises:
        LayerError: Keras 3 cannot say it.
    """
    words = {str(name): value for name, value in config.items()}
    if keras == 1 or class_name in OF_KERAS_1:
        class_name, words = in_words_of_keras_2(class_name, words)
    return in_words_of_keras_3(class_name, words)


def is_of_keras_1(class_name: str, config: Config) -> bool:
    """Whether a layer has a word of Keras 1 alone, whose first files tell no version."""
    from dense_calc.layers import kind_named  # whose table names all modules

    try:
        kind = kind_named(CLASSES_1.get(class_name, class_name))
    except KeyError:
        return False
    if class_name in OF_KERAS_1:
        return False
    words = {*RENAMED_1, *RENAMED_1_IN.get(class_name, ()), *DROPPED_1, *chain(*KERNEL_SIZES)}
    return not words.isdisjoint(config.keys() - kind.__struct_encode_fields__)


def ordered(class_name: str, config: Config, dim_ordering: str) -> Config:
    """A config of Keras 1 with the `dim_ordering` of the other layers, where files do not say it.

    Keras 1 wrote it for convolutions and pooling alone; the rest went by a setting of the machine.
    """
    return {"dim_ordering": dim_ordering, **config} if class_name in UNORDERED else config


def in_words_of_keras_2(class_name: str, config: Config) -> tuple[str, Config]:
    """A layer of Keras 1 in the words of Keras 2."""
    if class_name == "Merge":
        return merged(config)
    names = RENAMED_1 | RENAMED_1_IN.get(class_name, {})
    dropped = DROPPED_1_IN.get(class_name, DROPPED_1)
    words = {names.get(name, name): config[name] for name in config if name not in dropped}
    for parts in KERNEL_SIZES:
        if all(part in words for part in parts):
            words["kernel_size"] = [words.pop(part) for part in parts]
    words = changed(CHANGED_1 | CHANGED_1_IN.get(class_name, {}), words)
    if class_name == "SeparableConvolution2D" and "init" in config:
        words["pointwise_initializer"] = config["init"]
    return CLASSES_1.get(class_name, class_name), words


def in_words_of_keras_3(class_name: str, config: Config) -> tuple[str, Config]:
    """A layer of Keras 2 in the words of Keras 3."""
    class_name = CLASSES_2.get(class_name, class_name)
    config = specified(config)
    names = RENAMED_2_IN.get(class_name, {})
    dropped = DROPPED_2 | DROPPED_2_IN.get(class_name, set())
    if config.get("output_shape_type", RAW) != RAW:
        dropped |= {"output_shape"}
    words: Config = {
        names.get(name, name): translated(name, value)
        for name, value in config.items()
        if name in names or (name not in dropped and not is_idle(name, value))
    }
    words = {**DEFAULTS.get(class_name, {}), **words}
    if is_of_inputs(words):
        del words["dtype"]
    if words.get("time_major") is True:
        raise LayerError("it reads the time before the batch, as no layer of Keras 3", "time_major")
    return class_name, changed(CHANGED_2_IN.get(class_name, {}), words)


def specified(config: Config) -> Config:
    """An input's config whose `type_spec`, if it has one, is a shape and a dtype."""
    match config.get("type_spec"):
        case {"config": [shape, dtype, *_]} | {"serialized": [shape, dtype, *_]}:
            others = {name: config[name] for name in config if name != "type_spec"}
            return {**others, "batch_shape": shape, "dtype": dtype}
    return config


def is_of_inputs(words: Config) -> bool:
    """Whether the dtype of a layer is what it reads: Keras 2.0 wrote it so, weights are floats."""
    dtype = words.get("dtype")
    is_whole = isinstance(dtype, str) and ("int" in dtype or dtype == "bool")
    return is_whole and any(name.endswith(INITIALIZER) for name in words)


def is_idle(name: str, value: Any) -> bool:
    """Whether an argument that Keras 3 does not have has a value that does nothing."""
    return any(value is idle or value == idle for idle in DROPPED_IF.get(name, ()))


def changed(table: dict[str, Callable[[Any], Any]], words: Config) -> Config:
    """Arguments with other values, where the table has a function for them."""
    return {name: table[name](words[name]) if name in table else words[name] for name in words}


def merged(config: Config) -> tuple[str, Config]:
    """The layer that does what a `Merge` of Keras 1 does in its mode."""
    mode = config.get("mode")
    words: Config = {name: config[name] for name in ("name", "trainable") if name in config}
    if not isinstance(mode, str) or mode not in MERGES:
        return "Lambda", words | stated(config)
    class_name = MERGES[mode]
    if mode == "concat":
        words["axis"] = config.get("concat_axis", -1)
    if mode in ("cos", "dot"):
        words |= {"axes": axes(config.get("dot_axes", -1)), "normalize": mode == "cos"}
    return class_name, words


def stated(config: Config) -> Config:
    """What a layer with a function of its own says of its output."""
    shape = config.get("output_shape")
    if shape is None or config.get("output_shape_type", RAW) != RAW:
        raise LayerError("it merges by a function, which is not run here, and states no shape")
    return {"output_shape": shape}


def axes(value: Any) -> Any:
    """The axes of a product; the first Keras 1 wrote each in a list of its own."""
    match value:
        case [[first], [second]]:
            return [first, second]
    return value


def single(value: Any) -> Any:
    """An axis that is written as a list of one."""
    match value:
        case [axis]:
            return axis
    return value


def ends(value: Any) -> Any:
    """What is added at the two ends of a sequence."""
    return [value.get(end, 0) for end in PADS[1]] if isinstance(value, dict) else value


def sides(value: Any) -> Any:
    """What is added at the four sides of an image."""
    match value:
        case dict():
            return [[value.get(end, 0) for end in pair] for pair in PADS]
        case [top, bottom, left, right]:
            return [[top, bottom], [left, right]]
    return value


def data_format(value: Any) -> Any:
    """Where the channels stand."""
    return one_of(DATA_FORMATS, value)


def is_one(value: Any) -> bool:
    """Whether the bias of the forget gate starts as ones: Keras 1 names the initializer."""
    return value in ("one", "ones")


CHANGED_1: dict[str, Callable[[Any], Any]] = {
    "data_format": data_format,
    "unit_forget_bias": is_one,
}
CHANGED_1_IN: dict[str, dict[str, Callable[[Any], Any]]] = {
    "ZeroPadding1D": {"padding": ends},
    "ZeroPadding2D": {"padding": sides},
}
CHANGED_2_IN: dict[str, dict[str, Callable[[Any], Any]]] = {
    "BatchNormalization": {"axis": single},
}
