"""What an initializer asks of a weight: its dtype and its number of axes."""

from __future__ import annotations

from functools import cache

from dense_calc.errors import LayerError
from dense_calc.layers.words import BITS, FLOATS, Initializer, Serialized
from dense_calc.shapes import Sizes

# Initializers without random numbers: they fill a weight of any dtype.
PLAIN = {"zero", "zeros", "one", "ones", "constant", "identity"}
RANKS = {"identity": range(2, 3), "orthogonal": range(2, 100), "stft": range(3, 4)}


def demand_initializable(weight: str, shape: Sizes, dtype: str, initializer: Initializer) -> None:
    """Raise LayerError where Keras cannot fill a weight: `initializer` is the layer's argument."""
    if initializer is None:
        initializer = "glorot_uniform" if dtype in FLOATS else "zeros"
    name = plain(initializer.class_name if isinstance(initializer, Serialized) else initializer)
    if dtype not in BITS or (dtype not in FLOATS and name not in PLAIN):
        raise LayerError(f"its weights cannot be of dtype '{dtype}'; use a float", "dtype")
    if name == "orthogonal" and BITS[dtype] < BITS["float32"] and all(shape):
        raise LayerError("orthogonal weights cannot be made in 16 bits", f"{weight}_initializer")
    ranks = RANKS.get(name)
    if ranks and len(shape) not in ranks:
        least = f"{ranks.start} axes" if len(ranks) == 1 else f"at least {ranks.start} axes"
        raise LayerError(
            f"the initializer '{name}' makes weights of {least}, but '{weight}' is {list(shape)}",
            f"{weight}_initializer",
        )


@cache
def plain(name: str) -> str:
    """An initializer's name without case, underscores and ending: `glorotuniform`."""
    return name.lower().replace("_", "").removesuffix("initializer")
