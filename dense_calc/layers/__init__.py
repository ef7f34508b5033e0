"""The layer kinds: one alphabetical table from names to modules.

A module is imported when a model first uses it, so that a run pays only for its own kinds.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dense_calc.layers.base import LayerKind

KIND_MODULES = {
    "Activation": "activations",
    "ActivityRegularization": "regularization",
    "AdaptiveAveragePooling1D": "pooling",
    "AdaptiveAveragePooling2D": "pooling",
    "AdaptiveAveragePooling3D": "pooling",
    "AdaptiveMaxPooling1D": "pooling",
    "AdaptiveMaxPooling2D": "pooling",
    "AdaptiveMaxPooling3D": "pooling",
    "Add": "merging",
    "AdditiveAttention": "simple_attention",
    "AlphaDropout": "regularization",
    "Attention": "simple_attention",
    "AugMix": "augmentations",
    "AutoContrast": "augmentations",
    "Average": "merging",
    "AveragePooling1D": "pooling",
    "AveragePooling2D": "pooling",
    "AveragePooling3D": "pooling",
    "BatchNormalization": "normalization",
    "Bidirectional": "bidirectional",
    "CategoryEncoding": "numbers",
    "CenterCrop": "images",
    "Concatenate": "merging",
    "ContrastLimitedAdaptiveHistogramEqualization": "augmentations",
    "Conv1D": "convolutional",
    "Conv1DTranspose": "convolutional",
    "Conv2D": "convolutional",
    "Conv2DTranspose": "convolutional",
    "Conv3D": "convolutional",
    "Conv3DTranspose": "convolutional",
    "ConvLSTM1D": "convolutional_recurrent",
    "ConvLSTM2D": "convolutional_recurrent",
    "ConvLSTM3D": "convolutional_recurrent",
    "Cropping1D": "reshaping",
    "Cropping2D": "reshaping",
    "Cropping3D": "reshaping",
    "CutMix": "augmentations",
    "Dense": "core",
    "DepthwiseConv1D": "convolutional",
    "DepthwiseConv2D": "convolutional",
    "Discretization": "numbers",
    "Dot": "merging",
    "Dropout": "regularization",
    "ELU": "activations",
    "EinsumDense": "einsum_dense",
    "Embedding": "embedding",
    "Equalization": "augmentations",
    "Flatten": "reshaping",
    "GRU": "recurrent",
    "GRUCell": "recurrent",
    "GaussianDropout": "regularization",
    "GaussianNoise": "regularization",
    "GlobalAveragePooling1D": "pooling",
    "GlobalAveragePooling2D": "pooling",
    "GlobalAveragePooling3D": "pooling",
    "GlobalMaxPooling1D": "pooling",
    "GlobalMaxPooling2D": "pooling",
    "GlobalMaxPooling3D": "pooling",
    "GroupNormalization": "normalization",
    "GroupedQueryAttention": "attention",
    "HashedCrossing": "hashing",
    "Hashing": "hashing",
    "Identity": "core",
    "InputLayer": "core",
    "IntegerLookup": "text",
    "LSTM": "recurrent",
    "LSTMCell": "recurrent",
    "Lambda": "core",
    "LayerNormalization": "normalization",
    "LeakyReLU": "activations",
    "Masking": "core",
    "MaxNumBoundingBoxes": "images",
    "MaxPooling1D": "pooling",
    "MaxPooling2D": "pooling",
    "MaxPooling3D": "pooling",
    "Maximum": "merging",
    "MelSpectrogram": "audio",
    "Minimum": "merging",
    "MixUp": "augmentations",
    "MultiHeadAttention": "attention",
    "Multiply": "merging",
    "Normalization": "numbers",
    "PReLU": "activations",
    "Permute": "reshaping",
    "Pipeline": "wrappers",
    "RMSNormalization": "normalization",
    "RNN": "recurrent",
    "RandAugment": "augmentations",
    "RandomBrightness": "augmentations",
    "RandomColorDegeneration": "augmentations",
    "RandomColorJitter": "augmentations",
    "RandomContrast": "augmentations",
    "RandomCrop": "images",
    "RandomElasticTransform": "augmentations",
    "RandomErasing": "augmentations",
    "RandomFlip": "augmentations",
    "RandomGaussianBlur": "augmentations",
    "RandomGrayscale": "augmentations",
    "RandomHue": "augmentations",
    "RandomInvert": "augmentations",
    "RandomPerspective": "augmentations",
    "RandomPosterization": "augmentations",
    "RandomRotation": "augmentations",
    "RandomSaturation": "augmentations",
    "RandomSharpness": "augmentations",
    "RandomShear": "augmentations",
    "RandomTranslation": "augmentations",
    "RandomZoom": "augmentations",
    "ReLU": "activations",
    "RepeatVector": "reshaping",
    "Rescaling": "numbers",
    "Reshape": "reshaping",
    "Resizing": "images",
    "ReversibleEmbedding": "embedding",
    "STFTSpectrogram": "audio",
    "SeparableConv1D": "convolutional",
    "SeparableConv2D": "convolutional",
    "SimpleRNN": "recurrent",
    "SimpleRNNCell": "recurrent",
    "Softmax": "activations",
    "Solarization": "augmentations",
    "SpatialDropout1D": "regularization",
    "SpatialDropout2D": "regularization",
    "SpatialDropout3D": "regularization",
    "SpectralNormalization": "wrappers",
    "StackedRNNCells": "stacked_cells",
    "StringLookup": "text",
    "Subtract": "merging",
    "TextVectorization": "text",
    "TimeDistributed": "wrappers",
    "UnitNormalization": "normalization",
    "UpSampling1D": "reshaping",
    "UpSampling2D": "reshaping",
    "UpSampling3D": "reshaping",
    "ZeroPadding1D": "reshaping",
    "ZeroPadding2D": "reshaping",
    "ZeroPadding3D": "reshaping",
}

# Kinds outside `keras.layers`: of Keras' applications, of its FeatureSpace, of older versions.
UNEXPORTED_KIND_MODULES = {
    "AddLoss": "retired.keras_2",
    "AddMetric": "retired.keras_2",
    "CuDNNGRU": "retired.keras_2",
    "CuDNNLSTM": "retired.keras_2",
    "CustomScaleLayer": "applications",
    "Deconvolution2D": "retired.keras_2",
    "DeviceWrapper": "retired.rnn_cells",
    "DropoutWrapper": "retired.rnn_cells",
    "Highway": "retired.keras_2",
    "LayerScale": "applications",
    "LocallyConnected1D": "retired.locally_connected",
    "LocallyConnected2D": "retired.locally_connected",
    "MaxoutDense": "retired.keras_2",
    "ParametricSoftplus": "retired.keras_2",
    "PeepholeLSTMCell": "retired.rnn_cells",
    "RandomFourierFeatures": "retired.keras_2",
    "RandomHeight": "retired.keras_2",
    "RandomWidth": "retired.keras_2",
    "ResidualWrapper": "retired.rnn_cells",
    "SReLU": "retired.keras_2",
    "StochasticDepth": "applications",
    "TFDConcat": "feature_space",
    "TFDIdentity": "feature_space",
    "ThresholdedReLU": "retired.keras_2",
}

# Kinds that a program must register with Keras before it loads them from a file.
APPLICATION_KINDS = tuple(
    name for name, module in UNEXPORTED_KIND_MODULES.items() if module == "applications"
)

OPERATION_PREFIX = "ops."  # starts the name of an operation of `keras.ops` in a spec

# Keras' other names for kinds; of GroupedQueryAttention it exports only the other name.
KIND_ALIASES = {
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "Convolution1D": "Conv1D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3D": "Conv3D",
    "Convolution3DTranspose": "Conv3DTranspose",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "GroupQueryAttention": "GroupedQueryAttention",
    "Input": "InputLayer",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
}

# The modules that hold a part of a family; every other module or package is a family itself.
_MODULE_FAMILIES = {
    "augmentations": "images",
    "bidirectional": "wrappers",
    "convolutional_recurrent": "recurrent",
    "einsum_dense": "core",
    "embedding": "core",
    "hashing": "text",
    "simple_attention": "attention",
    "stacked_cells": "recurrent",
}


def kind_family(name: str) -> str:
    """The family of the kind with this name."""
    module = _kind_module(name).partition(".")[0]
    return _MODULE_FAMILIES.get(module, module)


def _kind_module(name: str) -> str:
    """The module of the kind with this name; raises KeyError where there is none."""
    return KIND_MODULES.get(name) or UNEXPORTED_KIND_MODULES[name]


@cache
def find_kind(name: str) -> type[LayerKind]:
    """The layer kind with this name or alias; raises KeyError where there is none."""
    if name.startswith(OPERATION_PREFIX):
        from dense_calc.layers.operations import operation_kind  # few models have any

        return operation_kind(name.removeprefix(OPERATION_PREFIX))
    name = KIND_ALIASES.get(name, name)
    kind: type[LayerKind] = getattr(import_module(f"dense_calc.layers.{_kind_module(name)}"), name)
    return kind


def is_kind_name(name: str) -> bool:
    """Whether a layer kind has this name or alias."""
    try:
        return bool(find_kind(name))
    except KeyError:
        return False


def kind_spec_name(kind: type[LayerKind]) -> str:
    """The name of a kind in a spec; raises KeyError where a spec cannot name it."""
    name = kind.__name__
    for spec_name in (name, OPERATION_PREFIX + name):
        try:
            if find_kind(spec_name) is kind:
                return spec_name
        except KeyError:
            continue
    raise KeyError(name)
