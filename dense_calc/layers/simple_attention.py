"""Keras' attention layers without heads.

The scores of a query and the keys weigh the values, whose sum is the output.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from dense_calc.errors import LayerError
from dense_calc.layers.base import MAX_SEED, KerasLayer, Weight
from dense_calc.shapes import Shape, Shapes, demand_rank, known_axis_size

ATTENTION_CALL_ARGUMENTS = ("return_attention_scores", "use_causal_mask")


class Attention(KerasLayer, frozen=True, kw_only=True):
    """Attention by the products of query and key (Luong's), without projections.

    Without a key, the value is the key. Keras does not look whether their sizes fit.
    """

    arity: ClassVar[range] = range(2, 4)
    input_names: ClassVar[tuple[str, ...]] = ("query", "value", "key")
    call_arguments: ClassVar[tuple[str, ...]] = ATTENTION_CALL_ARGUMENTS
    inputs_as_list: ClassVar[bool] = True
    accepts_mask: ClassVar[bool] = True
    mask_arity: ClassVar[range] = range(2, 4)
    shape_rule: ClassVar[str] = (
        "(batch, ..., queries, features), (batch, ..., values, value_features) "
        "→ (batch, ..., queries, value_features)"
    )

    use_scale: bool = False
    score_mode: Literal["dot", "concat"] = "dot"
    dropout: float = 0.0
    seed: int | None = None
    return_attention_scores: bool = False
    use_causal_mask: bool = False

    def output_shape(self, query: Shape, value: Shape, key: Shape | None = None, /) -> Shapes:
        demand_valid_seed(self.dropout, self.seed)
        if not value:
            raise LayerError("the value has no axes", "from")
        output = (*query[:-1], value[-1])
        if not self.return_attention_scores:
            return output
        key = value if key is None else key
        demand_rank(key, 2, "(batch, ..., keys, features)", or_more=True)
        return output, (*query[:-1], key[-2])

    def weights(self, query: Shape, value: Shape, key: Shape | None = None, /) -> Iterator[Weight]:
        if self.use_scale:
            yield Weight("scale", {}, "ones")
        if self.score_mode == "concat":
            yield Weight("concat_score_weight", {}, "ones")


class AdditiveAttention(Attention, frozen=True, kw_only=True):
    """Attention by the sums of query and key (Bahdanau's), with a scale for each feature.

    `score_mode` is accepted, as in Keras, and changes nothing.
    """

    use_scale: bool = True

    def output_shape(self, query: Shape, value: Shape, key: Shape | None = None, /) -> Shapes:
        if not query:
            raise LayerError("the query has no axes", "from")
        return Attention.output_shape(self, query, value, key)

    def weights(self, query: Shape, value: Shape, key: Shape | None = None, /) -> Iterator[Weight]:
        if self.use_scale:
            yield Weight("scale", {"features": known_axis_size(query, -1)}, "glorot_uniform")


def demand_valid_seed(dropout: float, seed: int | None) -> None:
    """Raise LayerError for a seed that Keras cannot store; without dropout it checks no seed."""
    if dropout > 0 and seed is not None and not 0 <= seed <= MAX_SEED:
        raise LayerError(f"seed must be an integer from 0 to {MAX_SEED}, not {seed}", "seed")
