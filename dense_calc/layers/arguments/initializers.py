"""The dtypes and the numbers of axes that initializers can fill."""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    DTYPE_BITS,
    Initializer,
    SerializedObject,
    normalize_object_name,
)
from dense_calc.shapes import Sizes

# Initializers without random numbers, which fill a weight of any dtype.
_DETERMINISTIC_INITIALIZERS = {"zero", "zeros", "one", "ones", "constant", "identity"}
# Initializers from a normal distribution, which may also be complex.
_NORMAL_INITIALIZERS = {"normal", "randomnormal", "orthogonal"}
_INITIALIZER_RANKS = {"identity": range(2, 3), "orthogonal": range(2, 100), "stft": range(3, 4)}


def demand_initializable(weight: str, shape: Sizes, dtype: str, initializer: Initializer) -> None:
    """Raise LayerError where the layer's `initializer` cannot fill a weight."""
    if initializer is None:
        initializer = "glorot_uniform" if "float" in dtype else "zeros"
    name = _initializer_name(initializer)
    if not _can_fill_dtype(name, dtype):
        raise LayerError(f"its weights cannot be of dtype '{dtype}'; use a float", "dtype")
    if name not in _INITIALIZER_RANKS:
        return
    argument = f"{weight.removesuffix('_kernel')}_initializer"
    if _is_dtype_too_coarse(name, dtype) and all(shape):
        raise LayerError(
            f"orthogonal weights cannot be made in {DTYPE_BITS[dtype]} bits; "
            f"write 'dtype: mixed_{dtype}', or another {argument}",
            argument,
        )
    ranks = _INITIALIZER_RANKS[name]
    if len(shape) not in ranks:
        allowed = f"{ranks.start} axes" if len(ranks) == 1 else f"at least {ranks.start} axes"
        raise LayerError(
            f"the initializer '{name}' makes weights of {allowed}, but '{weight}' is {list(shape)}",
            argument,
        )


def _initializer_name(initializer: str | SerializedObject) -> str:
    """The normalized name of an initializer."""
    return normalize_object_name(
        initializer.class_name if isinstance(initializer, SerializedObject) else initializer
    )


def can_initialize(initializer: Initializer, dtype: str) -> bool:
    """Whether an initializer can fill a weight of a dtype, whatever its shape."""
    if initializer is None:
        return True
    name = _initializer_name(initializer)
    return _can_fill_dtype(name, dtype) and not _is_dtype_too_coarse(name, dtype)


def _is_dtype_too_coarse(initializer: str, dtype: str) -> bool:
    """Whether a dtype has too few bits for the computation of an initializer."""
    return initializer == "orthogonal" and DTYPE_BITS[dtype] < DTYPE_BITS["float32"]


def _can_fill_dtype(initializer: str, dtype: str) -> bool:
    """Whether an initializer can make numbers of a dtype."""
    if dtype not in DTYPE_BITS:
        return False  # text
    if initializer in _DETERMINISTIC_INITIALIZERS or "float" in dtype:
        return True
    return initializer in _NORMAL_INITIALIZERS and "complex" in dtype
