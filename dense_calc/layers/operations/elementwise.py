"""Operations that work element by element, on one input or on several that broadcast."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import TWO_INPUTS
from dense_calc.layers.broadcasting import broadcast_shapes
from dense_calc.layers.operations.operation import (
    REQUIRED,
    AxesArgument,
    Int64,
    Operation,
    OperationGroup,
    axis_size,
    normalize_axes,
    normalize_axis,
    operations_named,
    replace_axis_size,
)
from dense_calc.shapes import Shape, Shapes, computed_size, demand_rank

_INT32_LIMIT = 2**31  # a place below it has the dtype int32


class _SameShapeOperation(Operation, frozen=True, kw_only=True):
    """Keeps the shape of its first input; Keras does not look at those of the others."""

    def infer_shape(self, x: Shape, /, *_others: Shape | None) -> Shapes:
        return x


class _TypedOperation(_SameShapeOperation, frozen=True, kw_only=True):
    """Keeps the shape and may change the dtype."""

    dtype: InputDtype | None = None


class _BroadcastOperation(Operation, frozen=True, kw_only=True):
    """Combines two inputs, element by element."""

    shape_rule = "(...), (...) → (...)"

    def infer_shape(self, one: Shape, other: Shape, /, *_tolerances: Shape | None) -> Shapes:
        return broadcast_shapes(one, other)


class Where(Operation, frozen=True, kw_only=True):
    """Elements of one input or the other, chosen by a condition."""

    shape_rule = "(...), (...), (...) → (...)"

    arity = range(1, 4)
    input_names: ClassVar[tuple[str, ...]] = ("condition", "x1", "x2")

    def infer_shape(self, condition: Shape, one: Shape | None, other: Shape | None, /) -> Shapes:
        return broadcast_shapes(condition, one or (), other or ())


class Select(Operation, frozen=True, kw_only=True):
    """Elements of several inputs, chosen by conditions; the first input has the output shape."""

    arity = range(2, 4)
    input_names: ClassVar[tuple[str, ...]] = ("condlist", "choicelist", "default")
    accepts_nested = True

    def infer_shape(
        self, _conditions: Shapes, choices: Shapes, _default: Shape | None, /
    ) -> Shapes:
        if isinstance(choices, tuple) and choices and isinstance(choices[0], tuple):
            return choices[0]
        raise LayerError("choicelist must be a list of tensors")

    def output_dtype(self, _conditions: Dtypes, choices: Dtypes, /, *_default: Dtypes) -> Dtypes:
        return next(leaf_dtypes(choices))


class _AxesOperation(Operation, frozen=True, kw_only=True):
    """Keeps the shape, in which `axis` must name axes."""

    axis: AxesArgument = -1

    def infer_shape(self, x: Shape, /) -> Shapes:
        if self.axis is not None:
            normalize_axes(self.axis, len(x))
        return x


class _AxisOperation(_AxesOperation, frozen=True, kw_only=True):
    """Keeps the shape, in which `axis` must name one axis."""

    axis: Int64 = -1


class Fliplr(Operation, frozen=True, kw_only=True):
    """Reverses the second axis."""

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        return x


class Flipud(Operation, frozen=True, kw_only=True):
    """Reverses the first axis."""

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, "(first, ...)", or_more=True)
        return x


class Glu(Operation, frozen=True, kw_only=True):
    """One half of its input, gated by the other half."""

    shape_rule = "(..., features) → (..., features // 2)"

    axis: Int64 = -1

    def infer_shape(self, x: Shape, /) -> Shapes:
        size = axis_size(x, self.axis)
        if size is None:
            return x
        if size % 2:
            raise LayerError(f"axis {self.axis} of {x} cannot be halved", "axis")
        return replace_axis_size(
            x, normalize_axis(self.axis, len(x)), computed_size(size // 2, f"{size} // 2")
        )


class Digitize(Operation, frozen=True, kw_only=True):
    """The number of the bin that each element falls into."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("x", "bins")

    def infer_shape(self, x: Shape, bins: Shape, /) -> Shapes:
        if len(bins) > 1:
            raise LayerError(f"the bins must have one axis, not {len(bins)}: {bins}")
        return x


class SearchSorted(Operation, frozen=True, kw_only=True):
    """The place of each value in a sorted sequence."""

    arity = TWO_INPUTS
    input_names: ClassVar[tuple[str, ...]] = ("sorted_sequence", "values")
    shape_rule = "(length), (...) → (...)"

    side: str = "left"

    def infer_shape(self, sequence: Shape, values: Shape, /) -> Shapes:
        if len(sequence) != 1:
            raise LayerError(f"the sorted sequence must have one axis, not {len(sequence)}")
        return values

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        sequence, _ = shapes
        values = self.output_shape(*shapes)
        is_short = sequence[0] is not None and sequence[0] < _INT32_LIMIT
        return values, "int32" if is_short else "int64"


# fmt: off
ELEMENTWISE_GROUPS = (
    OperationGroup(_SameShapeOperation, operations_named("""
        Abs Absolute Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh BitwiseInvert BitwiseNot
        Cbrt Ceil Conj Conjugate Copy Corrcoef Cos Cosh Deg2rad Erf Erfc Erfinv Exp Exp2 Expm1 Fabs
        Floor HardSigmoid HardSilu HardTanh I0 Imag Isfinite Isinf Isnan Isneginf Isposinf Isreal
        Log Log10 Log1p Log2 LogSigmoid LogicalNot Negative Rad2deg Real Reciprocal Relu Relu6
        Rsqrt Selu Sigmoid Sign Signbit Silu Sin Sinc Sinh Softplus Softsign SparsePlus
        SparseSigmoid Sqrt Square Tan Tanh TanhShrink Trunc
    """)),
    OperationGroup(_SameShapeOperation, {
        "Celu": {"alpha": 1.0},
        "Clip": {"x_min": REQUIRED, "x_max": REQUIRED},
        "Elu": {"alpha": 1.0},
        "Gelu": {"approximate": True},
        "HardShrink": {"threshold": 0.5},
        "LeakyRelu": {"negative_slope": 0.2},
        "NanToNum": {"nan": 0.0, "posinf": None, "neginf": None},
        "Round": {"decimals": 0},
        "SoftShrink": {"threshold": 0.5},
        "Squareplus": {"b": 4},
        "Threshold": {"threshold": REQUIRED, "default_value": REQUIRED},
        "Tril": {"k": 0},
        "Triu": {"k": 0},
    }),
    OperationGroup(
        _SameShapeOperation, operations_named("StopGradient"), input_names=("variable",)
    ),
    OperationGroup(_TypedOperation, {
        **operations_named("Array EmptyLike OnesLike ZerosLike", dtype=None),
        **operations_named("Cast SaturateCast", dtype=REQUIRED),
        "ConvertToTensor": {"dtype": None, "sparse": None, "ragged": None},
    }),
    OperationGroup(_TypedOperation, {"FullLike": {"dtype": None}}, input_names=("x", "fill_value")),
    OperationGroup(_SameShapeOperation, operations_named(
        "BitwiseAnd BitwiseLeftShift BitwiseOr BitwiseRightShift BitwiseXor LeftShift RightShift"
    ), input_names=("x", "y")),
    OperationGroup(
        _SameShapeOperation, {"IsIn": {"assume_unique": False, "invert": False}},
        input_names=("x1", "x2"),
    ),
    OperationGroup(
        _SameShapeOperation, {"InTopK": {"k": REQUIRED}}, input_names=("targets", "predictions")
    ),
    OperationGroup(_SameShapeOperation, operations_named("Polar"), input_names=("abs_", "angle")),
    OperationGroup(
        _SameShapeOperation, {"ScatterUpdate": {"reduction": None}},
        input_names=("inputs", "indices", "updates"),
    ),
    OperationGroup(
        _SameShapeOperation, operations_named("SliceUpdate"),
        input_names=("inputs", "start_indices", "updates"),
    ),
    OperationGroup(
        _SameShapeOperation, {"RMSNorm": {"axis": -1, "epsilon": None}},
        input_names=("x", "scale"), optional_count=1,
    ),
    OperationGroup(
        _SameShapeOperation,
        {"LayerNorm": {"axis": -1, "epsilon": None, "rms_scaling": False}},
        input_names=("x", "gamma", "beta"), optional_count=2,
    ),
    OperationGroup(
        _SameShapeOperation,
        {"DotProductAttention": {
            "is_causal": False, "flash_attention": None, "attn_logits_soft_cap": None,
        }},
        input_names=("query", "key", "value", "bias", "mask", "scale"), optional_count=3,
    ),
    OperationGroup(_BroadcastOperation, operations_named("""
        Add Arctan2 Divide DivideNoNan Equal FloorDivide Fmax Fmin Fmod Gcd Greater GreaterEqual
        Heaviside Hypot Lcm Ldexp Less LessEqual Logaddexp Logaddexp2 LogicalAnd LogicalOr
        LogicalXor Maximum Minimum Mod Multiply Nextafter NotEqual Power Subtract TrueDivide
    """), input_names=("x1", "x2")),
    OperationGroup(
        _BroadcastOperation, {"Isclose": {"equal_nan": False}},
        input_names=("x1", "x2", "rtol", "atol"), optional_count=2,
    ),
    OperationGroup(_AxesOperation, {
        "Flip": {"axis": None},
        "LogSoftmax": {"axis": -1},
        "Normalize": {"axis": -1, "order": 2, "epsilon": None},
        "Roll": {"shift": REQUIRED, "axis": None},
        "Softmax": {"axis": -1},
    }),
    OperationGroup(_AxisOperation, {"Sparsemax": {"axis": -1}}),
)
# fmt: on
