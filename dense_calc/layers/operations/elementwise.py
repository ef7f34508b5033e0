"""Operations that work element by element: on one input, or on several that are broadcast."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes, dtypes_in
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.operations.operation import (
    REQUIRED,
    TWO,
    Alike,
    Axes,
    Int,
    Operation,
    at,
    broadcast,
    place,
    places,
    plain,
    with_size,
)
from dense_calc.shapes import Shape, Shapes, demand_rank, worked

FAR = 2**31  # what a place must be below to be of 32 bits


class First(Operation, frozen=True, kw_only=True):
    """Gives the shape of its first input. Keras does not look at the others."""

    def result(self, x: Shape, /, *_others: Shape | None) -> Shapes:
        return x


class Typed(First, frozen=True, kw_only=True):
    """The same shape with another dtype."""

    dtype: InputDtype | None = None


class Broadcast(Operation, frozen=True, kw_only=True):
    """Works on two inputs element by element."""

    rule: ClassVar[str] = "(...), (...) → (...)"

    def result(self, one: Shape, other: Shape, /, *_tolerances: Shape | None) -> Shapes:
        return broadcast(one, other)


class Where(Operation, frozen=True, kw_only=True):
    """Takes elements of one or the other input."""

    rule: ClassVar[str] = "(...), (...), (...) → (...)"

    takes: ClassVar[range] = range(1, 4)
    inputs: ClassVar[tuple[str, ...]] = ("condition", "x1", "x2")

    def result(self, condition: Shape, one: Shape | None, other: Shape | None, /) -> Shapes:
        return broadcast(condition, one or (), other or ())


class Select(Operation, frozen=True, kw_only=True):
    """Takes elements of one of several inputs; Keras looks at the first of these."""

    takes: ClassVar[range] = range(2, 4)
    inputs: ClassVar[tuple[str, ...]] = ("condlist", "choicelist", "default")
    takes_nested = True

    def result(self, _conditions: Shapes, choices: Shapes, _default: Shape | None, /) -> Shapes:
        if isinstance(choices, tuple) and choices and isinstance(choices[0], tuple):
            return choices[0]
        raise LayerError("choicelist must be a list of tensors")

    def output_dtype(self, _conditions: Dtypes, choices: Dtypes, /, *_default: Dtypes) -> Dtypes:
        return next(dtypes_in(choices))


class AlongAxes(Operation, frozen=True, kw_only=True):
    """Keeps the shape, which must have the axes that it works along."""

    axis: Axes = -1

    def result(self, x: Shape, /) -> Shapes:
        if self.axis is not None:
            places(self.axis, len(x))
        return x


class AlongAxis(AlongAxes, frozen=True, kw_only=True):
    """Keeps the shape, which must have the axis that it works along."""

    axis: Int = -1


class Fliplr(Operation, frozen=True, kw_only=True):
    """Turns the second axis round."""

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 2, "(first, second, ...)", or_more=True)
        return x


class Flipud(Operation, frozen=True, kw_only=True):
    """Turns the first axis round."""

    def result(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, "(first, ...)", or_more=True)
        return x


class Glu(Operation, frozen=True, kw_only=True):
    """One half of its input, gated by the other."""

    rule: ClassVar[str] = "(..., features) → (..., features // 2)"

    axis: Int = -1

    def result(self, x: Shape, /) -> Shapes:
        size = at(x, self.axis)
        if size is None:
            return x
        if size % 2:
            raise LayerError(f"axis {self.axis} of {x} cannot be halved", "axis")
        return with_size(x, place(self.axis, len(x)), worked(size // 2, f"{size} // 2"))


class Digitize(Operation, frozen=True, kw_only=True):
    """The numbers of the bins that elements fall into."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("x", "bins")

    def result(self, x: Shape, bins: Shape, /) -> Shapes:
        if len(bins) > 1:
            raise LayerError(f"the bins must have one axis, not {len(bins)}: {bins}")
        return x


class SearchSorted(Operation, frozen=True, kw_only=True):
    """Where values belong in a sorted sequence."""

    takes: ClassVar[range] = TWO
    inputs: ClassVar[tuple[str, ...]] = ("sorted_sequence", "values")
    rule: ClassVar[str] = "(length), (...) → (...)"

    side: str = "left"

    def result(self, sequence: Shape, values: Shape, /) -> Shapes:
        if len(sequence) != 1:
            raise LayerError(f"the sorted sequence must have one axis, not {len(sequence)}")
        return values

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        sequence, _ = shapes
        values = self.output_shape(*shapes)
        fits = sequence[0] is not None and sequence[0] < FAR
        return values, "int32" if fits else "int64"


# fmt: off
ALIKE = (
    Alike(First, plain("""
        Abs Absolute Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh BitwiseInvert BitwiseNot
        Cbrt Ceil Conj Conjugate Copy Corrcoef Cos Cosh Deg2rad Erf Erfc Erfinv Exp Exp2 Expm1 Fabs
        Floor HardSigmoid HardSilu HardTanh I0 Imag Isfinite Isinf Isnan Isneginf Isposinf Isreal
        Log Log10 Log1p Log2 LogSigmoid LogicalNot Negative Rad2deg Real Reciprocal Relu Relu6
        Rsqrt Selu Sigmoid Sign Signbit Silu Sin Sinc Sinh Softplus Softsign SparsePlus
        SparseSigmoid Sqrt Square Tan Tanh TanhShrink Trunc
    """)),
    Alike(First, {
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
    Alike(First, plain("StopGradient"), inputs=("variable",)),
    Alike(Typed, {
        "Array": {"dtype": None},
        "Cast": {"dtype": REQUIRED},
        "ConvertToTensor": {"dtype": None, "sparse": None, "ragged": None},
        "EmptyLike": {"dtype": None},
        "OnesLike": {"dtype": None},
        "SaturateCast": {"dtype": REQUIRED},
        "ZerosLike": {"dtype": None},
    }),
    Alike(Typed, {"FullLike": {"dtype": None}}, inputs=("x", "fill_value")),
    Alike(First, plain(
        "BitwiseAnd BitwiseLeftShift BitwiseOr BitwiseRightShift BitwiseXor LeftShift RightShift"
    ), inputs=("x", "y")),
    Alike(First, {"IsIn": {"assume_unique": False, "invert": False}}, inputs=("x1", "x2")),
    Alike(First, {"InTopK": {"k": REQUIRED}}, inputs=("targets", "predictions")),
    Alike(First, plain("Polar"), inputs=("abs_", "angle")),
    Alike(First, {"ScatterUpdate": {"reduction": None}}, inputs=("inputs", "indices", "updates")),
    Alike(First, plain("SliceUpdate"), inputs=("inputs", "start_indices", "updates")),
    Alike(First, {"RMSNorm": {"axis": -1, "epsilon": None}}, inputs=("x", "scale"), optional=1),
    Alike(
        First,
        {"LayerNorm": {"axis": -1, "epsilon": None, "rms_scaling": False}},
        inputs=("x", "gamma", "beta"),
        optional=2,
    ),
    Alike(
        First,
        {"DotProductAttention": {
            "is_causal": False, "flash_attention": None, "attn_logits_soft_cap": None,
        }},
        inputs=("query", "key", "value", "bias", "mask", "scale"),
        optional=3,
    ),
    Alike(Broadcast, plain("""
        Add Arctan2 Divide DivideNoNan Equal FloorDivide Fmax Fmin Fmod Gcd Greater GreaterEqual
        Heaviside Hypot Lcm Ldexp Less LessEqual Logaddexp Logaddexp2 LogicalAnd LogicalOr
        LogicalXor Maximum Minimum Mod Multiply Nextafter NotEqual Power Subtract TrueDivide
    """), inputs=("x1", "x2")),
    Alike(
        Broadcast, {"Isclose": {"equal_nan": False}},
        inputs=("x1", "x2", "rtol", "atol"), optional=2,
    ),
    Alike(AlongAxes, {
        "Flip": {"axis": None},
        "LogSoftmax": {"axis": -1},
        "Normalize": {"axis": -1, "order": 2, "epsilon": None},
        "Roll": {"shift": REQUIRED, "axis": None},
        "Softmax": {"axis": -1},
    }),
    Alike(AlongAxis, {"Sparsemax": {"axis": -1}}),
)
# fmt: on
