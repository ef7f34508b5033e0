"""Layers of Keras 1 in the words of Keras 2: other class names, other arguments.

Sources: keras/legacy/interfaces.py of Keras 2.2.4, and `get_config` of the classes of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from dense_calc.errors import LayerError
from dense_calc.keras_format.legacy.legacy_values import RAW_SHAPE_TYPE, LayerConfig, translate_word

# fmt: off
# Renamed arguments: of all classes, then of single ones.
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
    "TimeDistributedDense": "Dense",  # every Dense now keeps the axes before the last
}
MERGE_MODE_CLASSES = {
    "ave": "Average", "concat": "Concatenate", "cos": "Dot", "dot": "Dot", "max": "Maximum",
    "mul": "Multiply", "sum": "Add",
}
KERNEL_SIZE_ARGUMENTS = (("nb_row", "nb_col"), ("kernel_dim1", "kernel_dim2", "kernel_dim3"))
_PADDING_KEYS = (("top_pad", "bottom_pad"), ("left_pad", "right_pad"))
_UNORDERED_CLASSES = {  # classes that do not write their `dim_ordering`
    "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "ZeroPadding3D",
}
_DATA_FORMATS = {"default": None, "tf": "channels_last", "th": "channels_first"}

# Arguments without effect on shapes and counts; `input_dim` and `input_length` repeat the input's
# shape.
_DROPPED_KERAS_1 = {
    "cache_enabled", "consume_less", "custom_name", "input_dim", "input_length", "mode",
    "transform_bias",
}
_DROPPED_KERAS_1_BY_CLASS = {"Embedding": {"dropout"}}  # its `input_dim` counts words

# Classes that Keras 2 still wrote in the words of Keras 1.
KERAS_1_ONLY_CLASSES = {"Highway", "MaxoutDense", "Merge"}
# fmt: on


def is_keras_1_layer(class_name: str, config: LayerConfig) -> bool:
    """Whether a layer has an argument that only Keras 1 wrote; its first files have no version."""
    from dense_calc.layers import find_kind  # imports every module that it names

    try:
        kind = find_kind(KERAS_1_CLASSES.get(class_name, class_name))
    except KeyError:
        return False
    if class_name in KERAS_1_ONLY_CLASSES:
        return False
    words = {
        *_RENAMED_KERAS_1,
        *_RENAMED_KERAS_1_BY_CLASS.get(class_name, ()),
        *_DROPPED_KERAS_1,
        *chain(*KERNEL_SIZE_ARGUMENTS),
    }
    return not words.isdisjoint(config.keys() - kind.__struct_encode_fields__)


def with_dim_ordering(class_name: str, config: LayerConfig, dim_ordering: str) -> LayerConfig:
    """A config of Keras 1, with the `dim_ordering` of other layers where its class writes none.

    Keras 1 wrote it for convolutions and pooling only; others followed a setting of the machine.
    """
    return {"dim_ordering": dim_ordering, **config} if class_name in _UNORDERED_CLASSES else config


def upgrade_from_keras_1(class_name: str, config: LayerConfig) -> tuple[str, LayerConfig]:
    """The class name and config of a layer of Keras 1 in the words of Keras 2."""
    if class_name == "Merge":
        return _upgrade_merge(config)
    names = _RENAMED_KERAS_1 | _RENAMED_KERAS_1_BY_CLASS.get(class_name, {})
    dropped = _DROPPED_KERAS_1_BY_CLASS.get(class_name, _DROPPED_KERAS_1)
    words = {names.get(name, name): config[name] for name in config if name not in dropped}
    for parts in KERNEL_SIZE_ARGUMENTS:
        if all(part in words for part in parts):
            words["kernel_size"] = [words.pop(part) for part in parts]
    for name, convert in (_VALUE_UPGRADES | _VALUE_UPGRADES_BY_CLASS.get(class_name, {})).items():
        if name in words:
            words[name] = convert(words[name])
    if class_name == "SeparableConvolution2D" and "init" in config:
        words["pointwise_initializer"] = config["init"]
    return KERAS_1_CLASSES.get(class_name, class_name), words


def _upgrade_merge(config: LayerConfig) -> tuple[str, LayerConfig]:
    """The class name and config of the Keras 2 layer for the mode of a `Merge`."""
    mode = config.get("mode")
    words: LayerConfig = {name: config[name] for name in ("name", "trainable") if name in config}
    if not isinstance(mode, str) or mode not in MERGE_MODE_CLASSES:
        return "Lambda", words | _stated_output_shape(config)
    class_name = MERGE_MODE_CLASSES[mode]
    if mode == "concat":
        words["axis"] = config.get("concat_axis", -1)
    if mode in ("cos", "dot"):
        words |= {"axes": _flatten_dot_axes(config.get("dot_axes", -1)), "normalize": mode == "cos"}
    return class_name, words


def _stated_output_shape(config: LayerConfig) -> LayerConfig:
    """The output shape of a `Merge` by a function; LayerError if it states none."""
    shape = config.get("output_shape")
    if shape is None or config.get("output_shape_type", RAW_SHAPE_TYPE) != RAW_SHAPE_TYPE:
        raise LayerError("it merges with a function, which is not run, and states no shape")
    return {"output_shape": shape}


def _flatten_dot_axes(value: Any) -> Any:
    """The two axes of a product; the first Keras 1 wrote them as two lists."""
    match value:
        case [[first], [second]]:
            return [first, second]
    return value


def _sequence_padding(value: Any) -> Any:
    """The padding at the two ends of a sequence, as a list."""
    return [value.get(end, 0) for end in _PADDING_KEYS[1]] if isinstance(value, dict) else value


def _image_padding(value: Any) -> Any:
    """The padding at the four sides of an image, as a list for each axis."""
    match value:
        case dict():
            return [[value.get(end, 0) for end in pair] for pair in _PADDING_KEYS]
        case [top, bottom, left, right]:
            return [[top, bottom], [left, right]]
    return value


def _upgrade_data_format(value: Any) -> Any:
    """The `data_format` for a `dim_ordering`."""
    return translate_word(_DATA_FORMATS, value)


def _is_ones_initializer(value: Any) -> bool:
    """Whether the forget gate's bias starts as ones; Keras 1 names its initializer."""
    return value in ("one", "ones")


_VALUE_UPGRADES: dict[str, Callable[[Any], Any]] = {
    "data_format": _upgrade_data_format,
    "unit_forget_bias": _is_ones_initializer,
}
_VALUE_UPGRADES_BY_CLASS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "ZeroPadding1D": {"padding": _sequence_padding},
    "ZeroPadding2D": {"padding": _image_padding},
}
