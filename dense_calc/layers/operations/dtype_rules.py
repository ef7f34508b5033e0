"""Rules for the output dtype of an operation, from the dtypes of all its input tensors in order.

`int` and `float` are the weak dtypes of Python's numbers: beside a tensor they follow its dtype.
A strong rule counts them as int32 and float32. Source: `compute_output_spec` of the classes in
keras/src/ops.
"""

from __future__ import annotations

from dense_calc.dtypes import FLOAT_PREFIXES, Dtypes, TensorDtype
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.layers.promotion import WEAK_DTYPE_DEFAULTS, promote_dtypes

InputDtypes = tuple[TensorDtype, ...]

_DEFAULT_FLOAT = "float32"
_SUM_DTYPES: dict[TensorDtype, str] = {
    "bool": "int32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "uint32",
    "uint16": "uint32",
}
_HALF_FLOATS = ("bfloat16", "float16")
_INTEGERS_BELOW_64_BITS = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


def first_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input."""
    return dtypes[0]


def second_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the second input."""
    return dtypes[1]


def promoted_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of all inputs."""
    return promote_dtypes(*dtypes)


def strong_promoted_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of all inputs, by the strong rule."""
    return promote_dtypes(*_resolve_weak_dtypes(dtypes))


def _resolve_weak_dtypes(dtypes: InputDtypes) -> InputDtypes:
    """The same dtypes with int32 and float32 for those of Python's numbers."""
    return tuple([WEAK_DTYPE_DEFAULTS.get(dtype, dtype) if dtype else None for dtype in dtypes])


def float_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common float dtype of all inputs."""
    return promote_dtypes(*dtypes, "float")


def first_float_dtype(dtypes: InputDtypes) -> Dtypes:
    """The float dtype of the first input."""
    return promote_dtypes(dtypes[0], "float")


def strong_float_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common float dtype of all inputs, by the strong rule."""
    return promote_dtypes(*_resolve_weak_dtypes(dtypes), "float")


def arctan2_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common float dtype of both inputs, where every Python number is a float32."""
    return promote_dtypes(
        *[_DEFAULT_FLOAT if dtype in WEAK_DTYPE_DEFAULTS else dtype for dtype in dtypes], "float"
    )


def non_integer_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input, but float32 for integers and booleans."""
    dtype = dtypes[0]
    return _DEFAULT_FLOAT if dtype and ("int" in dtype or dtype == "bool") else dtype


def fabs_dtype(dtypes: InputDtypes) -> Dtypes:
    """As `non_integer_dtype`, but complex numbers are refused."""
    if dtypes[0] and "complex" in dtypes[0]:
        raise LayerError(f"it does not take {dtypes[0]}")
    return non_integer_dtype(dtypes)


def mean_dtype(dtypes: InputDtypes) -> Dtypes:
    """As `non_integer_dtype`, but a dtype that cannot be promoted with float32 is refused."""
    promote_dtypes(dtypes[0], _DEFAULT_FLOAT)
    return non_integer_dtype(dtypes)


def percentile_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input if it is a float, else float32."""
    dtype = dtypes[0]
    return _DEFAULT_FLOAT if dtype and not dtype.startswith(FLOAT_PREFIXES) else dtype


def cbrt_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input, but float64 for int64 and float32 for shorter integers."""
    dtype = dtypes[0]
    if dtype == "int64":
        return "float64"
    return _DEFAULT_FLOAT if dtype == "bool" or dtype in _INTEGERS_BELOW_64_BITS else dtype


def deg2rad_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input if it is a half float, float64 for 64 bits, else float32."""
    dtype = dtypes[0]
    if dtype in ("int64", "float64"):
        return "float64"
    return dtype if dtype is None or dtype in _HALF_FLOATS else _DEFAULT_FLOAT


def heaviside_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of both inputs, but float32 for integers."""
    dtype = promote_dtypes(*dtypes)
    return _DEFAULT_FLOAT if dtype and "int" in dtype else dtype


def correlate_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of both inputs if it is a half float, else float32."""
    dtype = promote_dtypes(*dtypes)
    return dtype if dtype is None or dtype in _HALF_FLOATS else _DEFAULT_FLOAT


def corrcoef_dtype(dtypes: InputDtypes) -> Dtypes:
    """The float dtype of the first input, float64 for int64."""
    return "float64" if dtypes[0] == "int64" else promote_dtypes(dtypes[0], "float")


def sum_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input, in 32 bits at most; integers have 32 bits at least."""
    dtype = promote_dtypes(dtypes[0])
    return _SUM_DTYPES.get(dtype, dtype)


def mod_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of both inputs, int32 for booleans."""
    dtype = promote_dtypes(*dtypes)
    return "int32" if dtype == "bool" else dtype


def shift_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input if the second is a Python integer, else their common dtype."""
    return dtypes[0] if dtypes[1] == "int" else promote_dtypes(*dtypes)


def matmul_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of all inputs by the strong rule, but int32 where all are int8."""
    return "int32" if set(dtypes) == {"int8"} else strong_promoted_dtype(dtypes)


def where_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of the last two inputs; int32 where there is only a condition."""
    return promote_dtypes(*(dtypes[1:] + ("int32",) * 2)[:2])


def attention_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of query, key and value."""
    return promote_dtypes(*dtypes[:3])


def ctc_loss_dtype(dtypes: InputDtypes) -> Dtypes:
    """The common dtype of the second input and float32."""
    return promote_dtypes(dtypes[1], _DEFAULT_FLOAT)


def ctc_decode_dtypes(dtypes: InputDtypes) -> Dtypes:
    """The dtypes of classes and of their scores."""
    return "int32", promote_dtypes(dtypes[0], _DEFAULT_FLOAT)


def top_k_dtypes(dtypes: InputDtypes) -> Dtypes:
    """The dtypes of the largest elements and of their places."""
    return dtypes[0], "int32"


def fft_dtypes(dtypes: InputDtypes) -> Dtypes:
    """The dtypes of the inputs, one for each output."""
    return dtypes


def color_dtype(dtypes: InputDtypes) -> Dtypes:
    """The dtype of the first input, which must be a float."""
    if dtypes[0] and not dtypes[0].startswith(FLOAT_PREFIXES):
        raise LayerError(f"the images must hold fractions, not {dtypes[0]}; cast them")
    return dtypes[0]


def dtype_argument_or_first(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The argument `dtype`, or the dtype of the first input."""
    return _dtype_argument(operation) or dtypes[0]


def dtype_argument_or_default(_dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The argument `dtype`, or float32."""
    return _dtype_argument(operation) or _DEFAULT_FLOAT


def linspace_dtype(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The float dtype of the argument `dtype`, or else of the start."""
    return promote_dtypes(_dtype_argument(operation) or _resolve_weak_dtypes(dtypes)[0], "float")


def prod_dtype(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The argument `dtype`, or that of the first input; integers have 32 bits at least."""
    return _dtype_argument(operation) or _SUM_DTYPES.get(dtypes[0], dtypes[0])


def cumulative_dtype(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The argument `dtype`, or that of the first input; int32 for booleans."""
    dtype = _dtype_argument(operation) or dtypes[0]
    return "int32" if dtype == "bool" else dtype


def _dtype_argument(operation: LayerKind) -> TensorDtype:
    """The argument `dtype` of an operation, None if it has none."""
    dtype = operation.dtype
    assert isinstance(dtype, str | None)
    return WEAK_DTYPE_DEFAULTS.get(dtype, dtype) if dtype else None


def meshgrid_dtype(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """The dtype of the last input; with `indexing` "ij" Keras loses it and says float32."""
    return _DEFAULT_FLOAT if getattr(operation, "indexing", "xy") == "ij" else dtypes[-1]


def bincount_dtype(dtypes: InputDtypes, operation: LayerKind) -> Dtypes:
    """int32, or the common dtype of the first input and the weights."""
    weights = getattr(operation, "bin_weights", None)
    if weights is None:
        return "int32"
    has_floats = any(isinstance(weight, float) for weight in weights)
    return promote_dtypes(dtypes[0], _DEFAULT_FLOAT if has_floats else "int32")
