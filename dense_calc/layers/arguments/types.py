"""The types of arguments that are names: activations, initializers, dtypes and the like.

Each list holds the names that a `get` of Keras accepts (`keras.activations.get`, ...). Where Keras
also takes an object, its serialized form (`{class_name: L2, config: {l2: 0.01}}`) is accepted.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from dense_calc.layers.arguments.dtype_policies import (
    POLICY_PATTERN,
    UNQUANTIZED_POLICIES,
    DTypePolicy,
    deserialize_policy,
    parse_policy_name,
)

# fmt: off
ActivationName = Literal[
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
]
InitializerName = Literal[
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "IdentityInitializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal",
    "OrthogonalInitializer", "RandomNormal", "RandomUniform", "STFT", "STFTInitializer",
    "TruncatedNormal", "VarianceScaling", "Zeros", "glorot_normal", "glorot_uniform",
    "he_normal", "he_uniform", "identity", "lecun_normal", "lecun_uniform", "normal", "one",
    "ones", "orthogonal", "random_normal", "random_uniform", "stft", "truncated_normal",
    "uniform", "variance_scaling", "zero", "zeros",
]
RegularizerName = Literal[
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "l1", "l1l2", "l2",
    "orthogonal_regularizer", "regularizer",
]
ConstraintName = Literal[
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "constraint", "max_norm",
    "min_max_norm", "non_neg", "unit_norm",
]
_PolicyClass = Literal[
    "AWQDTypePolicy", "DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "GPTQDTypePolicy",
    "Int4DTypePolicy", "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy",
]

# The arguments of the classes of these objects, by their normalized names.
_FAN_ARGUMENTS = {"input_axes", "output_axes"}
OBJECT_ARGUMENTS = {
    "constant": {"value"}, "identity": {"gain"}, "ones": set(), "one": set(), "zeros": set(),
    "zero": set(), "stft": {"side", "window", "scaling", "periodic"},
    "orthogonal": {"gain", "seed"}, "normal": {"mean", "stddev", "seed"},
    "randomnormal": {"mean", "stddev", "seed"}, "truncatednormal": {"mean", "stddev", "seed"},
    "uniform": {"minval", "maxval", "seed"}, "randomuniform": {"minval", "maxval", "seed"},
    "variancescaling": {"scale", "mode", "distribution", "seed", *_FAN_ARGUMENTS},
    "glorotnormal": {"seed", *_FAN_ARGUMENTS}, "glorotuniform": {"seed", *_FAN_ARGUMENTS},
    "henormal": {"seed", *_FAN_ARGUMENTS}, "heuniform": {"seed", *_FAN_ARGUMENTS},
    "lecunnormal": {"seed", *_FAN_ARGUMENTS}, "lecununiform": {"seed", *_FAN_ARGUMENTS},
    "l1": {"l1"}, "l2": {"l2"}, "l1l2": {"l1", "l2"}, "regularizer": set(),
    "orthogonalregularizer": {"factor", "mode"},
    "constraint": set(), "nonneg": set(), "unitnorm": {"axis"}, "maxnorm": {"max_value", "axis"},
    "minmaxnorm": {"min_value", "max_value", "rate", "axis"},
}
# fmt: on


class SerializedObject(Struct, frozen=True):
    """An object as Keras writes it to a file; what it holds is for the object to know."""

    class_name: str
    module: str = "keras"
    config: dict[str, Any] | None = None

    def __hash__(self) -> int:
        """The hash, which layers need because equal ones are looked up in a cache."""
        return hash((self.class_name, _make_hashable(self.config)))

    def __post_init__(self) -> None:
        """Raise ValueError, as msgspec wants it, where Keras would not make the object."""
        known = OBJECT_ARGUMENTS.get(normalize_object_name(self.class_name), self.config or ())
        for name in self.config or ():
            if name not in known:
                raise ValueError(f"{self.class_name} has no argument '{name}'")


class SerializedInitializer(SerializedObject, frozen=True):
    """An initializer of weights; a constant is only written so, because it needs its value."""

    class_name: InitializerName | Literal["Constant", "constant"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if normalize_object_name(self.class_name) == "constant" and "value" not in (
            self.config or ()
        ):
            raise ValueError("a constant needs a value: 'config: {value: 0.1}'")


class SerializedRegularizer(SerializedObject, frozen=True):
    """A penalty on weights."""

    class_name: RegularizerName


class SerializedConstraint(SerializedObject, frozen=True):
    """A bound of weights."""

    class_name: ConstraintName


class SerializedActivation(Struct, frozen=True):
    """An activation: a function of Keras by its name, or a layer."""

    class_name: str
    module: str
    config: ActivationName | dict[str, Any] | None

    def __post_init__(self) -> None:
        if isinstance(self.config, str) != (self.class_name == "function"):
            raise ValueError("a function's 'config' is its name, a layer's is a mapping")
        if self.config in ("swish", "hard_swish"):  # other names of a function, not in files
            raise ValueError(
                f"write '{self.config.replace('swish', 'silu')}' in a serialized object"
            )


class SerializedPolicy(SerializedObject, frozen=True):
    """A dtype policy."""

    class_name: _PolicyClass

    def __post_init__(self) -> None:
        deserialize_policy(self.class_name, self.config or {})


ActivationArgument = ActivationName | SerializedActivation | None
Initializer = InitializerName | SerializedInitializer | None
Regularizer = RegularizerName | SerializedRegularizer | None
Constraint = ConstraintName | SerializedConstraint | None

# A layer's dtype policy.
_PolicyName = Annotated[str, Meta(pattern=POLICY_PATTERN, extra={"words": UNQUANTIZED_POLICIES})]
PolicyArgument = _PolicyName | SerializedPolicy

# fmt: off
# Bits of one number, for the size of a model in bytes; source: keras.utils.dtype_utils.
DTYPE_BITS = {
    "float16": 16, "float32": 32, "float64": 64, "bfloat16": 16, "bool": 1,
    "int8": 8, "int16": 16, "int32": 32, "int64": 64,
    "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
    "float8_e4m3fn": 8, "float8_e5m2": 8, "complex64": 64, "complex128": 128,
}

# The dtypes that random numbers can have.
RANDOM_NUMBER_DTYPES = {"float16", "float32", "float64", "bfloat16"}

# The dtype of a model's input.
InputDtype = Literal[
    "float16", "float32", "float64", "bfloat16", "bool", "string",
    "int", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float8_e4m3fn", "float8_e5m2", "complex64", "complex128",
]
# fmt: on
INPUT_DTYPES = get_args(InputDtype)


class CaseInsensitiveEnum(StrEnum):
    """A set of words that Keras reads in any case: `same`, `SAME`."""

    @classmethod
    def _missing_(cls, value: object) -> CaseInsensitiveEnum | None:
        return next((word for word in cls if word.value == str(value).lower()), None)


class DataFormat(CaseInsensitiveEnum):
    """Where the channels stand in a shape."""

    channels_last = "channels_last"
    channels_first = "channels_first"


class ConvPadding(CaseInsensitiveEnum):
    """How a convolution treats its borders."""

    valid = "valid"
    same = "same"


def _make_hashable(value: Any) -> Any:
    """A JSON value with mappings as sets and lists as tuples; equal values stay equal."""
    if isinstance(value, dict):
        return frozenset([(name, _make_hashable(each)) for name, each in value.items()])
    return tuple(map(_make_hashable, value)) if isinstance(value, list) else value


@cache
def normalize_object_name(name: str) -> str:
    """A name in lower case, without underscores and the ending "initializer": `glorotuniform`."""
    return name.lower().replace("_", "").removesuffix("initializer")


class PolicyMap:
    """The policies of a layer and of the layers that it makes."""

    __slots__ = ()

    @property
    def policy(self) -> DTypePolicy:
        """The policy of the layer."""
        raise NotImplementedError

    def sublayer_map(self, name: str) -> PolicyMap:
        """The map for the layer of this name inside."""
        raise NotImplementedError


_LayerDtype = str | SerializedObject | PolicyMap | None


def dtype_policy_of(dtype: _LayerDtype) -> DTypePolicy:
    """The dtype policy of a layer with this `dtype` argument."""
    if isinstance(dtype, PolicyMap):
        return dtype.policy
    if isinstance(dtype, SerializedObject):
        return deserialize_policy(dtype.class_name, dtype.config or {})
    return parse_policy_name(dtype or "float32")


def variable_dtype(dtype: _LayerDtype) -> str:
    """The dtype of the weights of a layer with this `dtype` argument."""
    return dtype_policy_of(dtype).variable_dtype


def sublayer_dtype(dtype: Any, name: str) -> Any:
    """The `dtype` argument of a layer that another one makes and calls `name`."""
    return dtype.sublayer_map(name) if isinstance(dtype, PolicyMap) else dtype
