"""Keras' embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import field

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.dtype_policies import DTypePolicy
from dense_calc.layers.arguments.types import Constraint, Initializer, Regularizer
from dense_calc.layers.base import KerasLayer, NonNegativeInt, PositiveInt, Weight
from dense_calc.layers.quantization import (
    SerializedQuantizationConfig,
    group_index_weight,
    quantization_policy_of,
    quantized_weights,
    zero_point_weight,
)
from dense_calc.layers.weight_axes import WeightAxes, group_axis, pack_axis
from dense_calc.shapes import Shape, demand_rank

_EMBEDDING_MODES = (None, "int8", "int4")


class Embedding(KerasLayer, frozen=True, kw_only=True):
    """Turns each whole number of its input, from 0 to `input_dim` - 1, into a vector."""

    shape_rule: ClassVar[str] = "(...) → (..., output_dim)"

    input_dim: PositiveInt
    output_dim: PositiveInt
    embeddings_initializer: Initializer = "uniform"
    embeddings_regularizer: Regularizer = None
    embeddings_constraint: Constraint = None
    mask_zero: bool = False
    initial_weights: Any = field(name="weights", default=None)
    lora_rank: NonNegativeInt | None = None
    lora_alpha: float | None = None
    quantization_config: SerializedQuantizationConfig | None = None
    input_length: NonNegativeInt | tuple[NonNegativeInt | None, ...] | None = None

    def __post_init__(self) -> None:
        """Accept `input_shape` beside `input_dim`, which here is the number of words."""

    def output_shape(self, shape: Shape, /) -> Shape:
        return (*shape, self.output_dim)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        policy = self._quantization_policy()
        words, vectors = self._axes
        if policy.quantization_mode is None:
            frozen = bool(self.lora_rank)
            axes = {**words, **vectors}
            yield Weight("embeddings", axes, self.embeddings_initializer, trainable=not frozen)
        yield from self._lora_weights()
        if policy.quantization_mode is not None:
            yield from self._quantized_weights("embeddings", policy, "int8", words_first=True)
        if policy.quantization_mode == "int4" and policy.group_size != -1:
            yield group_index_weight(vectors)

    @property
    def _axes(self) -> tuple[WeightAxes, WeightAxes]:
        """The axis of the words and that of their vectors."""
        return {"input_dim": self.input_dim}, {"output_dim": self.output_dim}

    def _quantized_weights(
        self, name: str, policy: DTypePolicy, zero_dtype: str | None, *, words_first: bool
    ) -> Iterator[Weight]:
        """A quantized matrix with a scale for each word, or for each group in its vector."""
        words, vectors = self._axes

        def with_words(axes: WeightAxes) -> WeightAxes:
            return {**words, **axes} if words_first else {**axes, **words}

        if policy.quantization_mode == "int8":
            yield from quantized_weights(name, with_words(vectors), words, "int8")
            return
        grouped = policy.group_size != -1
        scale = with_words(group_axis(vectors, policy.group_size)) if grouped else words
        yield from quantized_weights(name, with_words(pack_axis(vectors)), scale, "int8")
        if grouped:
            yield zero_point_weight(f"{name}_zero", scale, zero_dtype)

    def _quantization_policy(self) -> DTypePolicy:
        """The dtype policy with the numbers of its quantization.

        Raises:
            LayerError: Keras has no such mode for embeddings, or `weights` holds their values.
        """
        policy = quantization_policy_of(self.dtype, self.quantization_config)
        if policy.quantization_mode not in _EMBEDDING_MODES:
            raise LayerError(
                f"embeddings are quantized as int8 or int4, not {policy.quantization_mode}", "dtype"
            )
        if self.initial_weights is not None:
            raise LayerError("weights are values, and do not change shapes; remove them", "weights")
        return policy

    def _lora_weights(self) -> Iterator[Weight]:
        """The two thin matrices that LoRA adds."""
        if not self.lora_rank:
            return
        if self.embeddings_constraint:
            raise LayerError(
                "lora_rank and embeddings_constraint cannot both be set; remove one", "lora_rank"
            )
        rank = {"rank": self.lora_rank}
        words, vectors = self._axes
        yield Weight("lora_embeddings_a", {**words, **rank}, dtype="float32")
        yield Weight("lora_embeddings_b", {**rank, **vectors}, dtype="float32")


class ReversibleEmbedding(Embedding, frozen=True, kw_only=True):
    """An embedding that can also turn vectors back into scores for each number.

    With `tie_weights` it does so with the same matrix, else with one of its own. A call with
    `reverse` is the one that turns vectors into scores.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("reverse",)

    tie_weights: bool = True
    reverse_dtype: str | None = None
    logit_soft_cap: float | None = None
    reverse: bool = False

    def output_shape(self, shape: Shape, /) -> Shape:
        if not self.reverse:
            return super().output_shape(shape)
        demand_rank(shape, 1, "(..., features)", or_more=True)
        return (*shape[:-1], self.input_dim)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        yield from super().weights(shape)
        if self.tie_weights:
            return
        policy = self._quantization_policy()
        if policy.quantization_mode is not None:
            yield from self._quantized_weights(
                "reverse_embeddings", policy, None, words_first=False
            )
        elif self.lora_rank:
            raise LayerError(
                "with LoRA there is no second matrix, unless both are quantized; "
                "remove 'tie_weights: false' or lora_rank",
                "lora_rank",
            )
        else:
            words, vectors = self._axes
            yield Weight("reverse_embeddings", {**vectors, **words}, self.embeddings_initializer)
