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
    group_axis,
    group_index_weight,
    pack_axis,
    quantization_policy_of,
    quantized_weights,
    zero_point_weight,
)
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
        """Nothing forbids `input_shape` here: `input_dim` is another thing than elsewhere."""

    def output_shape(self, shape: Shape, /) -> Shape:
        return (*shape, self.output_dim)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        plan = self.embedding_policy()
        words, vectors = {"input_dim": self.input_dim}, {"output_dim": self.output_dim}
        if plan.quantization_mode is None:
            axes = {**words, **vectors}
            frozen = bool(self.lora_rank)
            yield Weight("embeddings", axes, self.embeddings_initializer, trainable=not frozen)
        yield from self.lora_weights()
        if plan.quantization_mode == "int8":
            yield from quantized_weights("embeddings", {**words, **vectors}, words, "int8")
        elif plan.quantization_mode == "int4":
            scale = (
                words
                if plan.group_size == -1
                else {**words, **group_axis(vectors, plan.group_size)}
            )
            yield from quantized_weights(
                "embeddings", {**words, **pack_axis(vectors)}, scale, "int8"
            )
            if plan.group_size != -1:
                yield zero_point_weight("embeddings_zero", scale, "int8")
                yield group_index_weight(vectors)

    def embedding_policy(self) -> DTypePolicy:
        """How the embeddings are quantized.

        Raises:
            LayerError: Keras does not quantize them so, or is given their values as a list.
        """
        plan = quantization_policy_of(self.dtype, self.quantization_config)
        if plan.quantization_mode not in _EMBEDDING_MODES:
            raise LayerError(
                f"embeddings are quantized as int8 or int4, not {plan.quantization_mode}", "dtype"
            )
        if self.initial_weights is not None:
            raise LayerError("weights are values, which change no shape; remove them", "weights")
        return plan

    def lora_weights(self) -> Iterator[Weight]:
        """The two thin matrices that LoRA adds."""
        if not self.lora_rank:
            return
        if self.embeddings_constraint:
            raise LayerError(
                "lora_rank and embeddings_constraint exclude each other; remove one", "lora_rank"
            )
        rank = {"rank": self.lora_rank}
        words, vectors = {"input_dim": self.input_dim}, {"output_dim": self.output_dim}
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
        plan = self.embedding_policy()
        if plan.quantization_mode is None and self.lora_rank:
            raise LayerError(
                "with LoRA there is no second matrix, unless both are quantized; "
                "remove 'tie_weights: false' or lora_rank",
                "lora_rank",
            )
        words, vectors = {"input_dim": self.input_dim}, {"output_dim": self.output_dim}
        axes = {**vectors, **words}
        if plan.quantization_mode is None:
            yield Weight("reverse_embeddings", axes, self.embeddings_initializer)
        elif plan.quantization_mode == "int8":
            yield from quantized_weights("reverse_embeddings", axes, words, "int8")
        else:
            scale = (
                words
                if plan.group_size == -1
                else {**group_axis(vectors, plan.group_size), **words}
            )
            yield from quantized_weights(
                "reverse_embeddings", {**pack_axis(vectors), **words}, scale, "int8"
            )
            if plan.group_size != -1:
                yield zero_point_weight("reverse_embeddings_zero", scale, None)
