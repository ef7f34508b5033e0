"""The dtypes that operations give: that of the first input, if no table has another rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dense_calc.dtypes import Dtypes, dtypes_in
from dense_calc.layers.operations import dtype_rules as rules
from dense_calc.layers.promotion import STRONG

if TYPE_CHECKING:
    from dense_calc.layers.operations.operation import Operation

# The operations that give the same dtype whatever they read.
FIXED = {
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
RULES: dict[rules.Rule, str] = {
    rules.second: """
        BinaryCrossentropy CategoricalCrossentropy Scatter Solve SolveTriangular
        SparseCategoricalCrossentropy
    """,
    rules.last: "Meshgrid",
    rules.together: """
        Add Append BitwiseAnd BitwiseOr BitwiseXor Concatenate Cross Dot Dstack FloorDivide Fmax
        Fmin Hstack Inner Maximum Minimum Multiply Nanmax Nanmin Outer Power Stack Subtract
        Tensordot Vdot Vstack
    """,
    rules.strong: "Gcd Kron Lcm",
    rules.products: "Einsum Matmul",
    rules.fraction: """
        Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh Average CDist Ceil Cos Cosh Divide
        DivideNoNan Erfc Floor Log Log10 Log1p Log2 Logaddexp Logaddexp2 Median Nanmean Nanmedian
        Nanstd Nanvar Sin Sinc Sinh Sqrt Tan Tanh Trapezoid TrueDivide Var
    """,
    rules.own_fraction: "Nanpercentile Nanquantile Quantile",
    rules.strong_fraction: "Ldexp Nextafter",
    rules.angle: "Arctan2",
    rules.argument: "Array ConvertToTensor EmptyLike FullLike OnesLike View ZerosLike",
    rules.argument_or_default: "Cast Full OneHot SaturateCast",
    rules.spaced: "Geomspace Linspace Logspace",
    rules.no_integer: "Exp Exp2 Expm1 Norm Std",
    rules.size: "Fabs",
    rules.mean: "Mean",
    rules.percentile: "Percentile",
    rules.root: "Cbrt",
    rules.degrees: "Deg2rad I0 Rad2deg",
    rules.step: "Heaviside Hypot",
    rules.correlation: "Correlate",
    rules.coefficient: "Corrcoef",
    rules.sum_of: "Nansum Sum",
    rules.product_of: "Nanprod Prod Trace",
    rules.accumulated: "Clip Cumprod Cumsum Nancumprod Nancumsum Square",
    rules.remainder: "Fmod Mod",
    rules.shift: "BitwiseLeftShift BitwiseRightShift LeftShift RightShift",
    rules.occurrences: "Bincount",
    rules.choice: "Where",
    rules.attention: "DotProductAttention",
    rules.loss: "CTCLoss",
    rules.decoded: "CTCDecode",
    rules.with_places: "TopK",
    rules.parts: "FFT FFT2 IFFT2",
    rules.colors: "HSVToRGB RGBToHSV",
}
FIXED_OF = {name: dtype for dtype, names in FIXED.items() for name in names.split()}
RULE_OF = {name: rule for rule, names in RULES.items() for name in names.split()}


def output_dtype(operation: Operation, dtypes: tuple[Dtypes, ...]) -> Dtypes:
    """The dtype of what an operation gives for inputs of these dtypes, or of all it gives.

    Raises:
        LayerError: Keras refuses them.
    """
    name = type(operation).__name__
    if name in FIXED_OF:
        return FIXED_OF[name]
    result = RULE_OF.get(name, rules.first)(operation, tuple(dtypes_in(dtypes)))
    return STRONG.get(result, result) if isinstance(result, str) else result
