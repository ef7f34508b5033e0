"""The words that Keras knows for arguments that are names: activations, initializers, dtypes, ...

Each list is what the Keras function `get` accepts (`keras.activations.get`, ...). Where Keras
also takes an object, its serialized form (`{class_name: L2, config: {l2: 0.01}}`) is accepted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct


class Serialized(Struct, frozen=True):
    """An object as Keras writes it to a file; what it holds is for the object to know."""

    class_name: str
    config: dict[str, Any] | None = None


# fmt: off
Activation = Literal[
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
] | Serialized | None

Initializer = Literal[
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "STFT", "STFTInitializer",
    "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "glorot_normal", "glorot_uniform",
    "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "normal", "one",
    "ones", "orthogonal", "random_normal", "random_uniform", "stft", "truncated_normal",
    "uniform", "variance_scaling", "zero", "zeros",
] | Serialized | None

Regularizer = Literal[
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "l1", "l1l2", "l2", "orthogonal_regularizer",
] | Serialized | None

Constraint = Literal[
    "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "max_norm", "min_max_norm", "non_neg",
    "unit_norm",
] | Serialized | None

# Bits of one element, for the size of a model in bytes; source: keras.utils.dtype_utils.
BITS = {
    "float16": 16, "float32": 32, "float64": 64, "bfloat16": 16, "bool": 1,
    "int8": 8, "int16": 16, "int32": 32, "int64": 64,
    "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
}

# The dtypes of random numbers.
FLOATS = {"float16", "float32", "float64", "bfloat16"}

# A layer's dtype policy.
Policy = Literal[
    "float16", "float32", "float64", "bfloat16", "mixed_float16", "mixed_bfloat16",
    "bool", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "string", "complex64", "complex128",
]

# The dtype of a model's input.
InputDtype = Literal[
    "float16", "float32", "float64", "bfloat16", "bool", "string",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float8_e4m3fn", "float8_e5m2", "complex64", "complex128",
]
# fmt: on


class Word(StrEnum):
    """A closed set of words that Keras reads in any case: `same`, `SAME`."""

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        return next((word for word in cls if word.value == str(value).lower()), None)


class DataFormat(Word):
    """Where the channels stand in a shape."""

    channels_last = "channels_last"
    channels_first = "channels_first"


class ConvPadding(Word):
    """How a convolution treats its borders."""

    valid = "valid"
    same = "same"


def variable_dtype(policy: str | None) -> str:
    """The dtype in which a layer with this dtype policy keeps its weights."""
    return "float32" if policy is None or policy.startswith("mixed_") else policy
