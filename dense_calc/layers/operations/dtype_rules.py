"""Rules for the dtype that an operation gives, from those of all tensors that it reads, in order.

Source: `compute_output_spec` of the classes in keras/src/ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dense_calc.dtypes import FLOAT_PREFIXES, Dtypes, TensorDtype
from dense_calc.errors import LayerError
from dense_calc.layers.promotion import WEAK_DTYPE_DEFAULTS, promote_dtypes

if TYPE_CHECKING:
    from dense_calc.layers.operations.operation import Operation

DtypeRule = Callable[["Operation", tuple[TensorDtype, ...]], Dtypes]

_DEFAULT_FLOAT = "float32"
_SUM_DTYPES = {
    "bool": "int32",
    "int8": "int32",
    "int16": "int32",
    "uint8": "uint32",
    "uint16": "uint32",
}
_HALF_FLOATS = ("bfloat16", "float16")


def first_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first tensor."""
    return dtypes[0]


def second_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the second tensor."""
    return dtypes[1]


def meshgrid_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the last tensor; Keras forgets it with `indexing` "ij"."""
    return _DEFAULT_FLOAT if getattr(operation, "indexing", "xy") == "ij" else dtypes[-1]


def promoted_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What all inputs come to."""
    return promote_dtypes(*dtypes)


def strong_promoted_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What all inputs come to, where numbers do not yield."""
    return promote_dtypes(*_resolve_weak_dtypes(dtypes))


def _resolve_weak_dtypes(dtypes: tuple[TensorDtype, ...]) -> tuple[TensorDtype, ...]:
    """The dtypes of inputs where those of numbers do not yield."""
    return tuple([WEAK_DTYPE_DEFAULTS.get(dtype, dtype) if dtype else None for dtype in dtypes])


def float_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """A dtype of fractions that all inputs come to."""
    return promote_dtypes(*dtypes, "float")


def first_float_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The same of the first input alone."""
    return promote_dtypes(dtypes[0], "float")


def strong_float_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The same where numbers do not yield."""
    return promote_dtypes(*_resolve_weak_dtypes(dtypes), "float")


def arctan2_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The same where every number is a float32."""
    return promote_dtypes(
        *[_DEFAULT_FLOAT if dtype in WEAK_DTYPE_DEFAULTS else dtype for dtype in dtypes], "float"
    )


def dtype_argument_or_first(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input."""
    dtype = _dtype_argument(operation)
    return dtypes[0] if dtype is None else dtype


def _dtype_argument(operation: Operation) -> TensorDtype:
    """The argument `dtype` of an operation, None if it is not given."""
    dtype = operation.dtype
    assert isinstance(dtype, str | None)
    return WEAK_DTYPE_DEFAULTS.get(dtype, dtype) if dtype else None


def dtype_argument_or_default(operation: Operation, _dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The argument `dtype`, or Keras' default."""
    return dtype_argument_or_first(operation, (_DEFAULT_FLOAT,))


def linspace_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Fractions, of the argument `dtype` or that of the start."""
    return promote_dtypes(_dtype_argument(operation) or _resolve_weak_dtypes(dtypes)[0], "float")


def non_integer_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input, but a float32 of whole numbers and truths."""
    dtype = dtypes[0]
    return _DEFAULT_FLOAT if dtype and ("int" in dtype or dtype == "bool") else dtype


def fabs_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The same of numbers that are not complex."""
    if dtypes[0] and "complex" in dtypes[0]:
        raise LayerError(f"it does not take {dtypes[0]}")
    return non_integer_dtype(operation, dtypes)


def mean_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The same of numbers that float32 can join."""
    promote_dtypes(dtypes[0], _DEFAULT_FLOAT)
    return non_integer_dtype(operation, dtypes)


def percentile_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input if it holds fractions, or a float32."""
    dtype = dtypes[0]
    return _DEFAULT_FLOAT if dtype and not dtype.startswith(FLOAT_PREFIXES) else dtype


def cbrt_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input, but fractions of whole numbers: of 64 bits as many."""
    dtype = dtypes[0]
    if dtype == "int64":
        return "float64"
    whole = dtype in ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")
    return _DEFAULT_FLOAT if whole else dtype


def deg2rad_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Fractions with as many bits as the first input has, but 32 of those that have fewer."""
    dtype = dtypes[0]
    if dtype in ("int64", "float64"):
        return "float64"
    return dtype if dtype is None or dtype in _HALF_FLOATS else _DEFAULT_FLOAT


def heaviside_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What both inputs come to, but a float32 of whole numbers."""
    dtype = promote_dtypes(*dtypes)
    return _DEFAULT_FLOAT if dtype and "int" in dtype else dtype


def correlate_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What both inputs come to if that is fractions of 16 bits, or a float32."""
    dtype = promote_dtypes(*dtypes)
    return dtype if dtype is None or dtype in _HALF_FLOATS else _DEFAULT_FLOAT


def corrcoef_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Fractions, with 64 bits of whole numbers that have as many."""
    return "float64" if dtypes[0] == "int64" else promote_dtypes(dtypes[0], "float")


def sum_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input in 32 bits at most, and at least of whole numbers."""
    dtype = promote_dtypes(dtypes[0])
    return _SUM_DTYPES.get(dtype, dtype) if dtype else None


def prod_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input, whole numbers in 32 bits at least."""
    if operation.dtype is not None:
        return dtype_argument_or_first(operation, dtypes)
    dtype = dtypes[0]
    return _SUM_DTYPES.get(dtype, dtype) if dtype else None


def cumulative_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """The argument `dtype`, or that of the first input, where truths count as whole numbers."""
    dtype = dtype_argument_or_first(operation, dtypes)
    return "int32" if dtype == "bool" else dtype


def mod_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What both inputs come to, where truths count as whole numbers."""
    dtype = promote_dtypes(*dtypes)
    return "int32" if dtype == "bool" else dtype


def shift_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What both inputs come to, or that of the first if the other is a number."""
    return dtypes[0] if dtypes[1] == "int" else promote_dtypes(*dtypes)


def matmul_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What all inputs come to; of bytes alone sums need 32 bits."""
    return "int32" if set(dtypes) == {"int8"} else strong_promoted_dtype(operation, dtypes)


def bincount_dtype(operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Whole numbers, or what the first input and weights come to."""
    weights = getattr(operation, "bin_weights", None)
    if weights is None:
        return "int32"
    return promote_dtypes(
        dtypes[0], _DEFAULT_FLOAT if any(isinstance(w, float) for w in weights) else "int32"
    )


def where_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What the two last inputs come to; whole numbers, where only places are asked for."""
    return promote_dtypes(*(dtypes[1:] + ("int32",) * 2)[:2])


def attention_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What query, key and value come to."""
    return promote_dtypes(*dtypes[:3])


def ctc_loss_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """What the second input and a float32 come to."""
    return promote_dtypes(dtypes[1], _DEFAULT_FLOAT)


def ctc_decode_dtypes(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Classes, and how likely they are."""
    return "int32", promote_dtypes(dtypes[0], _DEFAULT_FLOAT)


def top_k_dtypes(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input, and that of places."""
    return dtypes[0], "int32"


def fft_dtypes(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """Those of the inputs, one for each output."""
    return dtypes


def color_dtype(_operation: Operation, dtypes: tuple[TensorDtype, ...]) -> Dtypes:
    """That of the first input, which must hold fractions."""
    if dtypes[0] and not dtypes[0].startswith(FLOAT_PREFIXES):
        raise LayerError(f"the images must hold fractions, not {dtypes[0]}; cast them")
    return dtypes[0]
