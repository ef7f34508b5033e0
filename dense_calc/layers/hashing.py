"""Keras' preprocessing layers that hash categories."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import SerializedObject, variable_dtype
from dense_calc.layers.base import LIST_OF_INPUTS, KerasLayer, NonNegativeInt, PositiveInt
from dense_calc.layers.numbers import demand_dense_indices
from dense_calc.shapes import Shape

HashSalt = int | Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)]


def demand_jax_support(argument: str, *, wanted: bool) -> None:
    """Raise LayerError where an argument asks for tensors that only TensorFlow has."""
    if wanted:
        raise LayerError(
            f"Keras takes '{argument}: true' with TensorFlow only, and dense-calc counts "
            "Keras with JAX; remove it",
            argument,
        )


class HashedCrossing(KerasLayer, frozen=True, kw_only=True):
    """Hashes pairs of categories, one of each input, into `num_bins`."""

    arity: ClassVar[range] = LIST_OF_INPUTS
    inputs_as_list: ClassVar[bool] = True
    default_dtype: ClassVar[str | None] = None
    shape_rule: ClassVar[str] = "(batch, feature), (batch, feature) → (batch, feature)"

    num_bins: NonNegativeInt
    output_mode: Literal["int", "one_hot"] = "int"
    sparse: bool = False

    def __post_init__(self) -> None:
        """Accept `input_shape` beside `input_dim`: Keras ignores both here."""

    def output_shape(self, *shapes: Shape) -> Shape:
        demand_jax_support("sparse", wanted=self.sparse)
        if len(shapes) != 2:
            raise LayerError(f"it crosses two inputs, not {len(shapes)}", "from")
        one, other = shapes
        if not one or not other or one[-1] != other[-1]:
            raise LayerError(f"the last axes of {one} and {other} must have the same size", "from")
        if self.output_mode == "int":
            return one
        return (*(one[:-1] if one[-1] == 1 else one), self.num_bins)

    def output_dtype(self) -> Dtypes:
        is_whole = self.output_mode == "int" and self.dtype is None
        return "int64" if is_whole else super().output_dtype()


class Hashing(KerasLayer, frozen=True, kw_only=True):
    """Hashes categories, each into one of `num_bins`."""

    default_dtype: ClassVar[str | None] = None

    num_bins: PositiveInt
    mask_value: str | float | None = None
    salt: HashSalt | None = None
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = "int"
    sparse: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_dense_indices(self.output_mode, sparse=self.sparse)
        if self.output_mode != "int":
            return (*shape[:-1], self.num_bins)
        dtype = self.dtype
        name = (dtype.config or {}).get("name") if isinstance(dtype, SerializedObject) else dtype
        if dtype is not None and name not in ("int32", "int64"):
            raise LayerError(
                "in output_mode 'int' its dtype must be 'int32' or 'int64', "
                f"not '{name or 'float32'}'",
                "dtype",
            )
        return shape

    def output_dtype(self) -> Dtypes:
        is_whole = self.output_mode == "int" and self.dtype is None
        return "int64" if is_whole else variable_dtype(self.dtype)
