"""What an initializer asks of a weight: its dtype and its number of axes."""

from __future__ import annotations

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import BITS, Initializer, Serialized, plain
from dense_calc.shapes import Sizes

# Initializers without random numbers: they fill a weight of any dtype.
PLAIN = {"zero", "zeros", "one", "ones", "constant", "identity"}
# Those that are made of normally distributed numbers, which may also be complex.
NORMAL = {"normal", "randomnormal", "orthogonal"}
RANKS = {"identity": range(2, 3), "orthogonal": range(2, 100), "stft": range(3, 4)}


def demand_initializable(weight: str, shape: Sizes, dtype: str, initializer: Initializer) -> None:
    """Raise LayerError where Keras cannot fill a weight: `initializer` is the layer's argument."""
    if initializer is None:
        initializer = "glorot_uniform" if "float" in dtype else "zeros"
    name = name_of(initializer)
    if not fits(name, dtype):
        raise LayerError(f"its weights cannot be of dtype '{dtype}'; use a float", "dtype")
    if name not in RANKS:
        return
    argument = f"{weight.removesuffix('_kernel')}_initializer"
    if is_too_coarse(name, dtype) and all(shape):
        raise LayerError(
            f"orthogonal weights cannot be made in {BITS[dtype]} bits; "
            f"write 'dtype: mixed_{dtype}', or another {argument}",
            argument,
        )
    ranks = RANKS[name]
    if len(shape) not in ranks:
        least = f"{ranks.start} axes" if len(ranks) == 1 else f"at least {ranks.start} axes"
        raise LayerError(
            f"the initializer '{name}' makes weights of {least}, but '{weight}' is {list(shape)}",
            argument,
        )


def name_of(initializer: str | Serialized) -> str:
    """The plain name of an initializer."""
    return plain(initializer.class_name if isinstance(initializer, Serialized) else initializer)


def is_makeable(initializer: Initializer, dtype: str) -> bool:
    """Whether an initializer can fill a weight of a dtype, whatever its shape."""
    if initializer is None:
        return True
    name = name_of(initializer)
    return fits(name, dtype) and not is_too_coarse(name, dtype)


def is_too_coarse(initializer: str, dtype: str) -> bool:
    """Whether a dtype has too few bits for what an initializer works out."""
    return initializer == "orthogonal" and BITS[dtype] < BITS["float32"]


def fits(initializer: str, dtype: str) -> bool:
    """Whether an initializer makes numbers of a dtype."""
    if dtype not in BITS:
        return False  # text
    if initializer in PLAIN or "float" in dtype:
        return True
    return initializer in NORMAL and "complex" in dtype
