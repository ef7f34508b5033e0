"""The operations of `keras.ops` that a functional model may hold, by the names of their classes.

A module is imported when an operation of it is needed, so that a run pays for no others. An
operation is a class of its module, or a line in the groups of the module (`COUNTING_GROUPS`).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dense_calc.layers.base import LayerKind

# fmt: off
OPERATION_MODULES = {
    "Abs": "elementwise", "Absolute": "elementwise", "AdaptiveAveragePool": "pooling",
    "AdaptiveMaxPool": "pooling", "Add": "elementwise", "AffineTransform": "image",
    "All": "reductions", "AllClose": "reductions", "Amax": "reductions", "Amin": "reductions",
    "Angle": "elementwise", "Any": "reductions", "Append": "joining", "Arccos": "elementwise",
    "Arccosh": "elementwise", "Arcsin": "elementwise", "Arcsinh": "elementwise",
    "Arctan": "elementwise", "Arctan2": "elementwise", "Arctanh": "elementwise",
    "Argmax": "reductions", "Argmin": "reductions", "Argpartition": "reductions",
    "Argsort": "reductions", "Array": "elementwise", "ArraySplit": "joining",
    "Average": "reductions", "AveragePool": "pooling", "BatchNorm": "learning",
    "BinaryCrossentropy": "learning", "Bincount": "counting", "BitwiseAnd": "elementwise",
    "BitwiseInvert": "elementwise", "BitwiseLeftShift": "elementwise", "BitwiseNot": "elementwise",
    "BitwiseOr": "elementwise", "BitwiseRightShift": "elementwise", "BitwiseXor": "elementwise",
    "BroadcastTo": "resizing", "CDist": "linear", "CTCDecode": "learning", "CTCLoss": "learning",
    "Cast": "elementwise", "CategoricalCrossentropy": "learning", "Cbrt": "elementwise",
    "Ceil": "elementwise", "Celu": "elementwise", "Cholesky": "matrices",
    "CholeskyInverse": "matrices", "Clip": "elementwise", "Concatenate": "joining",
    "Conj": "elementwise", "Conjugate": "elementwise", "Conv": "convolutions",
    "ConvTranspose": "convolutions", "ConvertToTensor": "elementwise", "Copy": "elementwise",
    "Corrcoef": "elementwise", "Correlate": "linear", "Cos": "elementwise", "Cosh": "elementwise",
    "CountNonzero": "reductions", "CropImages": "image", "Cross": "linear",
    "Cumprod": "reductions", "Cumsum": "reductions", "Deg2rad": "elementwise",
    "DepthToSpace": "patches", "DepthwiseConv": "convolutions", "Det": "matrices",
    "Diag": "matrices", "Diagflat": "matrices", "Diagonal": "matrices", "Diff": "resizing",
    "Digitize": "elementwise", "Divide": "elementwise", "DivideNoNan": "elementwise",
    "Dot": "linear", "DotProductAttention": "elementwise", "Dsplit": "joining", "Dstack": "joining",
    "Eig": "matrices", "Eigh": "matrices", "Einsum": "linear", "ElasticTransform": "image",
    "Elu": "elementwise", "EmptyLike": "elementwise", "Equal": "elementwise", "Erf": "elementwise",
    "Erfc": "elementwise", "Erfinv": "elementwise", "Exp": "elementwise", "Exp2": "elementwise",
    "ExpandDims": "reshaping", "Expm1": "elementwise", "ExtractPatches": "patches",
    "ExtractSequences": "signals", "FFT": "signals", "FFT2": "signals", "Fabs": "elementwise",
    "Flip": "elementwise", "Fliplr": "elementwise", "Flipud": "elementwise", "Floor": "elementwise",
    "FloorDivide": "elementwise", "Fmax": "elementwise", "Fmin": "elementwise",
    "Fmod": "elementwise", "Fold": "patches", "Full": "indexing", "FullLike": "elementwise",
    "GaussianBlur": "image", "Gcd": "elementwise", "Gelu": "elementwise", "Geomspace": "counting",
    "GetItem": "indexing", "Glu": "elementwise", "Greater": "elementwise",
    "GreaterEqual": "elementwise", "HSVToRGB": "image", "HardShrink": "elementwise",
    "HardSigmoid": "elementwise", "HardSilu": "elementwise", "HardTanh": "elementwise",
    "Heaviside": "elementwise", "Histogram": "counting", "Hsplit": "joining", "Hstack": "joining",
    "Hypot": "elementwise", "I0": "elementwise", "IFFT2": "signals", "IRFFT": "signals",
    "ISTFT": "signals", "Imag": "elementwise", "InTopK": "elementwise", "Inner": "linear",
    "Inv": "matrices", "IsIn": "elementwise", "Isclose": "elementwise", "Isfinite": "elementwise",
    "Isinf": "elementwise", "Isnan": "elementwise", "Isneginf": "elementwise",
    "Isposinf": "elementwise", "Isreal": "elementwise", "Kron": "linear",
    "LayerNorm": "elementwise", "Lcm": "elementwise", "Ldexp": "elementwise",
    "LeakyRelu": "elementwise", "LeftShift": "elementwise", "Less": "elementwise",
    "LessEqual": "elementwise", "Linspace": "counting", "Log": "elementwise",
    "Log10": "elementwise", "Log1p": "elementwise", "Log2": "elementwise",
    "LogSigmoid": "elementwise", "LogSoftmax": "elementwise", "Logaddexp": "elementwise",
    "Logaddexp2": "elementwise", "Logdet": "matrices", "LogicalAnd": "elementwise",
    "LogicalNot": "elementwise", "LogicalOr": "elementwise", "LogicalXor": "elementwise",
    "Logspace": "counting", "Logsumexp": "reductions", "Lstsq": "matrices", "LuFactor": "matrices",
    "MapCoordinates": "image", "Matmul": "linear", "MatrixRank": "matrices", "Max": "reductions",
    "MaxPool": "pooling", "Maximum": "elementwise", "Mean": "reductions", "Median": "reductions",
    "Meshgrid": "joining", "Min": "reductions", "Minimum": "elementwise", "Mod": "elementwise",
    "Moments": "reductions", "Moveaxis": "reshaping", "MultiHot": "counting",
    "Multiply": "elementwise", "NanToNum": "elementwise", "Nanargmax": "reductions",
    "Nanargmin": "reductions", "Nancumprod": "reductions", "Nancumsum": "reductions",
    "Nanmax": "reductions", "Nanmean": "reductions", "Nanmedian": "reductions",
    "Nanmin": "reductions", "Nanpercentile": "reductions", "Nanprod": "reductions",
    "Nanquantile": "reductions", "Nanstd": "reductions", "Nansum": "reductions",
    "Nanvar": "reductions", "Ndim": "reductions", "Negative": "elementwise",
    "Nextafter": "elementwise", "Nonzero": "counting", "Norm": "reductions",
    "Normalize": "elementwise", "NotEqual": "elementwise", "OneHot": "counting",
    "OnesLike": "elementwise", "Outer": "linear", "PSNR": "reductions", "Pad": "resizing",
    "PadImages": "image", "Percentile": "reductions", "PerspectiveTransform": "image",
    "Pinv": "matrices", "Polar": "elementwise", "Power": "elementwise", "Prod": "reductions",
    "Ptp": "reductions", "Qr": "matrices", "Quantile": "reductions", "RFFT": "signals",
    "RGBToGrayscale": "image", "RGBToHSV": "image", "RMSNorm": "elementwise",
    "Rad2deg": "elementwise", "Ravel": "reshaping", "Real": "elementwise",
    "Rearrange": "rearranging", "Reciprocal": "elementwise", "Relu": "elementwise",
    "Relu6": "elementwise", "Repeat": "resizing", "Reshape": "reshaping", "Resize": "image",
    "RightShift": "elementwise", "Roll": "elementwise", "Rot90": "reshaping",
    "Round": "elementwise", "Rsqrt": "elementwise", "SSIM": "image", "STFT": "signals",
    "SVD": "matrices", "SaturateCast": "elementwise", "ScaleAndTranslate": "image",
    "Scatter": "indexing", "ScatterUpdate": "elementwise", "SearchSorted": "elementwise",
    "SegmentMax": "counting", "SegmentMin": "counting", "SegmentProd": "counting",
    "SegmentSum": "counting", "Select": "elementwise", "Selu": "elementwise",
    "SeparableConv": "convolutions", "Sigmoid": "elementwise", "Sign": "elementwise",
    "Signbit": "elementwise", "Silu": "elementwise", "Sin": "elementwise", "Sinc": "elementwise",
    "Sinh": "elementwise", "Size": "reductions", "Slice": "indexing", "SliceUpdate": "elementwise",
    "Slogdet": "matrices", "SobelEdges": "image", "SoftShrink": "elementwise",
    "Softmax": "elementwise", "Softplus": "elementwise", "Softsign": "elementwise",
    "Solve": "matrices", "SolveTriangular": "matrices", "Sort": "reductions",
    "SpaceToDepth": "patches", "SparseCategoricalCrossentropy": "learning",
    "SparsePlus": "elementwise", "SparseSigmoid": "elementwise", "Sparsemax": "elementwise",
    "Split": "joining", "Sqrt": "elementwise", "Square": "elementwise", "Squareplus": "elementwise",
    "Squeeze": "reshaping", "Stack": "joining", "Std": "reductions", "StopGradient": "elementwise",
    "Subtract": "elementwise", "Sum": "reductions", "Swapaxes": "reshaping", "Take": "indexing",
    "TakeAlongAxis": "indexing", "Tan": "elementwise", "Tanh": "elementwise",
    "TanhShrink": "elementwise", "Tensordot": "linear", "Threshold": "elementwise",
    "Tile": "resizing", "TopK": "indexing", "Trace": "matrices", "Transpose": "reshaping",
    "Trapezoid": "reductions", "Tril": "elementwise", "Triu": "elementwise",
    "TrueDivide": "elementwise", "Trunc": "elementwise", "Unfold": "patches", "Unique": "counting",
    "UnravelIndex": "indexing", "Unstack": "joining", "Vander": "resizing", "Var": "reductions",
    "Vdot": "reductions", "View": "reshaping", "ViewAsComplex": "reshaping",
    "ViewAsReal": "reshaping", "Vsplit": "joining", "Vstack": "joining", "Where": "elementwise",
    "ZerosLike": "elementwise",
}
# fmt: on


@cache
def operation_kind(name: str) -> type[LayerKind]:
    """The kind of the operation with this Keras class; KeyError if there is none."""
    module = import_module(f"{__name__}.{OPERATION_MODULES[name]}")
    for group in getattr(module, f"{OPERATION_MODULES[name].upper()}_GROUPS", ()):
        if name in group.operations:
            built: type[LayerKind] = group.build_kind(name)
            return built
    kind: type[LayerKind] = getattr(module, name)
    return kind
