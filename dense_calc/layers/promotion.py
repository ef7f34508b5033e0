"""The dtype of a result that several dtypes are promoted to.

`int` and `float` are the dtypes of Python's numbers, which give way to that of a tensor. Source:
keras/src/backend/common/dtypes.py.
"""

from __future__ import annotations

from functools import cache

from dense_calc.dtypes import TensorDtype
from dense_calc.errors import LayerError

# The next dtypes that each dtype can be promoted to.
_DTYPE_PROMOTIONS = {
    "bool": ("int",),
    "int": ("uint8", "int8", "complex64"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
WEAK_DTYPE_DEFAULTS = {"int": "int32", "float": "float32"}  # without a tensor
# By default JAX computes in at most 32 bits.
_DTYPES_IN_32_BITS = {
    "int64": "int32",
    "uint64": "uint32",
    "float64": "float32",
    "complex128": "complex64",
}


def promote_dtypes(*dtypes: TensorDtype) -> TensorDtype:
    """The dtype that all of these are promoted to, None if one of them is unknown.

    Raises:
        LayerError: there is no such dtype.
    """
    if None in dtypes:
        return None
    known = [dtype for dtype in dtypes if dtype is not None]
    for dtype in known:
        if dtype.startswith("float8"):
            raise LayerError(f"{dtype} is not converted automatically; cast it")
    strong = {WEAK_DTYPE_DEFAULTS.get(dtype, dtype) for dtype in known}
    result = strong.pop() if len(strong) == 1 else _least_common_dtype(frozenset(known))
    return _DTYPES_IN_32_BITS.get(result, WEAK_DTYPE_DEFAULTS.get(result, result))


@cache
def _least_common_dtype(dtypes: frozenset[str]) -> str:
    """The first dtype that all of these can be promoted to.

    Raises:
        LayerError: there is none; text is never promoted.
    """
    common = set.intersection(*({dtype} | _promotion_targets(dtype) for dtype in dtypes))
    for each in common:
        if common == {each} | (_promotion_targets(each) & common):
            return each
    raise LayerError(f"{' and '.join(sorted(dtypes))} have no common dtype; cast one of them")


@cache
def _promotion_targets(dtype: str) -> frozenset[str]:
    """All dtypes that a dtype can be promoted to."""
    return frozenset(_DTYPE_PROMOTIONS.get(dtype, ())).union(
        *map(_promotion_targets, _DTYPE_PROMOTIONS.get(dtype, ()))
    )
