"""The dtypes that operations give: that of the first input, if no table has another rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dense_calc.dtypes import Dtypes, leaf_dtypes
from dense_calc.layers.operations import dtype_rules as rules
from dense_calc.layers.promotion import WEAK_DTYPE_DEFAULTS

if TYPE_CHECKING:
    from dense_calc.layers.operations.operation import Operation

# The operations that give the same dtype whatever they read.
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
NAMES_BY_DTYPE_RULE: dict[rules.DtypeRule, str] = {
    rules.second_dtype: """
        BinaryCrossentropy CategoricalCrossentropy Scatter Solve SolveTriangular
        SparseCategoricalCrossentropy
    """,
    rules.meshgrid_dtype: "Meshgrid",
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
    rules.dtype_argument_or_first: "Array ConvertToTensor EmptyLike FullLike OnesLike View ZerosLike",
    rules.dtype_argument_or_default: "Cast Full OneHot SaturateCast",
    rules.linspace_dtype: "Geomspace Linspace Logspace",
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
    rules.prod_dtype: "Nanprod Prod Trace",
    rules.cumulative_dtype: "Clip Cumprod Cumsum Nancumprod Nancumsum Square",
    rules.mod_dtype: "Fmod Mod",
    rules.shift_dtype: "BitwiseLeftShift BitwiseRightShift LeftShift RightShift",
    rules.bincount_dtype: "Bincount",
    rules.where_dtype: "Where",
    rules.attention_dtype: "DotProductAttention",
    rules.ctc_loss_dtype: "CTCLoss",
    rules.ctc_decode_dtypes: "CTCDecode",
    rules.top_k_dtypes: "TopK",
    rules.fft_dtypes: "FFT FFT2 IFFT2",
    rules.color_dtype: "HSVToRGB RGBToHSV",
}
_FIXED_DTYPES = {
    name: dtype for dtype, names in NAMES_BY_FIXED_DTYPE.items() for name in names.split()
}
_DTYPE_RULES = {name: rule for rule, names in NAMES_BY_DTYPE_RULE.items() for name in names.split()}


def infer_output_dtype(operation: Operation, dtypes: tuple[Dtypes, ...]) -> Dtypes:
    """The dtype of what an operation gives for inputs of these dtypes, or of all it gives.

    Raises:
        LayerError: Keras refuses them.
    """
    name = type(operation).__name__
    if name in _FIXED_DTYPES:
        return _FIXED_DTYPES[name]
    result = _DTYPE_RULES.get(name, rules.first_dtype)(operation, tuple(leaf_dtypes(dtypes)))
    return WEAK_DTYPE_DEFAULTS.get(result, result) if isinstance(result, str) else result
