"""The output dtype of each operation: that of its first input, unless a table has another rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from dense_calc.dtypes import Dtypes, leaf_dtypes
from dense_calc.layers.base import LayerKind
from dense_calc.layers.operations import dtype_rules as rules
from dense_calc.layers.promotion import WEAK_DTYPE_DEFAULTS

_Value = TypeVar("_Value")

# Operations with one output dtype, whatever the inputs are.
NAMES_BY_FIXED_DTYPE = {
    "bool": """
        All AllClose Any Equal Greater GreaterEqual InTopK IsIn Isclose Isfinite Isinf Isnan
        Isneginf Isposinf Isreal Less LessEqual LogicalAnd LogicalNot LogicalOr LogicalXor NotEqual
        Signbit
    """,
    "complex64": "ViewAsComplex",
    "float32": "Logsumexp Ndim Normalize PSNR Polar Reciprocal ViewAsReal",
    "int32": """
        Argmax Argmin Argpartition Argsort CountNonzero Digitize MatrixRank Nanargmax Nanargmin
        Nonzero Size
    """,
}
NAMES_BY_DTYPE_RULE: dict[Callable[[rules.InputDtypes], Dtypes], str] = {
    rules.second_dtype: """
        BinaryCrossentropy CategoricalCrossentropy Scatter Solve SolveTriangular
        SparseCategoricalCrossentropy
    """,
    rules.promoted_dtype: """
        Add Append BitwiseAnd BitwiseOr BitwiseXor Concatenate Cross Dot Dstack FloorDivide Fmax
        Fmin Hstack Inner Maximum Minimum Multiply Nanmax Nanmin Outer Power Stack Subtract
        Tensordot Vdot Vstack
    """,
    rules.strong_promoted_dtype: "Gcd Kron Lcm",
    rules.matmul_dtype: "Einsum Matmul",
    rules.float_dtype: """
        Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh Average CDist Ceil Cos Cosh Divide
        DivideNoNan Erfc Floor Log Log10 Log1p Log2 Logaddexp Logaddexp2 Median Nanmean Nanmedian
        Nanstd Nanvar Sin Sinc Sinh Sqrt Tan Tanh Trapezoid TrueDivide Var
    """,
    rules.first_float_dtype: "Nanpercentile Nanquantile Quantile",
    rules.strong_float_dtype: "Ldexp Nextafter",
    rules.arctan2_dtype: "Arctan2",
    rules.non_integer_dtype: "Exp Exp2 Expm1 Norm Std",
    rules.fabs_dtype: "Fabs",
    rules.mean_dtype: "Mean",
    rules.percentile_dtype: "Percentile",
    rules.cbrt_dtype: "Cbrt",
    rules.deg2rad_dtype: "Deg2rad I0 Rad2deg",
    rules.heaviside_dtype: "Heaviside Hypot",
    rules.correlate_dtype: "Correlate",
    rules.corrcoef_dtype: "Corrcoef",
    rules.sum_dtype: "Nansum Sum",
    rules.mod_dtype: "Fmod Mod",
    rules.shift_dtype: "BitwiseLeftShift BitwiseRightShift LeftShift RightShift",
    rules.where_dtype: "Where",
    rules.attention_dtype: "DotProductAttention",
    rules.ctc_loss_dtype: "CTCLoss",
    rules.ctc_decode_dtypes: "CTCDecode",
    rules.top_k_dtypes: "TopK",
    rules.fft_dtypes: "FFT FFT2 IFFT2",
    rules.color_dtype: "HSVToRGB RGBToHSV",
}
# Rules that also look at the arguments of the operation.
NAMES_BY_ARGUMENT_RULE: dict[Callable[[rules.InputDtypes, LayerKind], Dtypes], str] = {
    rules.meshgrid_dtype: "Meshgrid",
    rules.dtype_argument_or_first: """
        Array ConvertToTensor EmptyLike FullLike OnesLike View ZerosLike
    """,
    rules.dtype_argument_or_default: "Cast Full OneHot SaturateCast",
    rules.linspace_dtype: "Geomspace Linspace Logspace",
    rules.prod_dtype: "Nanprod Prod Trace",
    rules.cumulative_dtype: "Clip Cumprod Cumsum Nancumprod Nancumsum Square",
    rules.bincount_dtype: "Bincount",
}


def _by_operation(names_by_value: Mapping[_Value, str]) -> dict[str, _Value]:
    """The same table with the names of the operations for its keys."""
    return {name: value for value, names in names_by_value.items() for name in names.split()}


_FIXED_DTYPES = _by_operation(NAMES_BY_FIXED_DTYPE)
_DTYPE_RULES = _by_operation(NAMES_BY_DTYPE_RULE)
_ARGUMENT_RULES = _by_operation(NAMES_BY_ARGUMENT_RULE)


def infer_output_dtype(operation: LayerKind, dtypes: tuple[Dtypes, ...]) -> Dtypes:
    """The dtype of an operation's output for inputs of these dtypes, or those of its outputs.

    Raises:
        LayerError: Keras refuses the inputs.
    """
    name = type(operation).__name__
    if name in _FIXED_DTYPES:
        return _FIXED_DTYPES[name]
    inputs = tuple(leaf_dtypes(dtypes))
    result = (
        _ARGUMENT_RULES[name](inputs, operation)
        if name in _ARGUMENT_RULES
        else _DTYPE_RULES.get(name, rules.first_dtype)(inputs)
    )
    return WEAK_DTYPE_DEFAULTS.get(result, result) if isinstance(result, str) else result
