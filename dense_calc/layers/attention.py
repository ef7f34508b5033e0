"""Keras' attention layers with several heads, each with its own projections."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from string import ascii_lowercase
from typing import Annotated, ClassVar

from msgspec import Meta, field
from msgspec.structs import replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import sublayer_dtype
from dense_calc.layers.base import (
    LayerWithKernel,
    NonNegativeInt,
    PositiveInt,
    Weight,
    sublayer_weights,
)
from dense_calc.layers.einsum_dense import EinsumDense
from dense_calc.layers.simple_attention import ATTENTION_CALL_ARGUMENTS, demand_valid_seed
from dense_calc.shapes import Shape, Shapes, demand_rank, known_axis_size

_HeadAxes = dict[str, int]  # names and sizes, in order

_ATTENTION_MASK_NAMES = ("query_mask", "value_mask", "key_mask", "attention_mask")
_MAX_EINSUM_LETTERS = 26  # Keras' equations name axes by the letters of the alphabet


class _HeadedAttention(LayerWithKernel, frozen=True, kw_only=True):
    """Attention with several heads, each with its own projections of query, key and value.

    Without a key, the value is the key. Masks are read, but change no shape and are not looked at.
    A call with `return_attention_scores` gives the scores of each head as a second output.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ATTENTION_CALL_ARGUMENTS
    creates_sublayers: ClassVar[bool] = True
    arity: ClassVar[range] = range(2, 8)
    input_names: ClassVar[tuple[str, ...]] = ("query", "value", "key", *_ATTENTION_MASK_NAMES)
    projected_axis: ClassVar[int]  # the axis of an input that is projected

    dropout: Annotated[float, Meta(ge=0, le=1)] = 0.0
    use_bias: bool = True
    sliding_window: PositiveInt | None = None
    flash_attention: bool | None = None
    use_gate: bool = False
    seed: int | None = None
    return_attention_scores: bool = False
    use_causal_mask: bool = False

    @abstractmethod
    def head_axes(self) -> dict[str, _HeadAxes]:
        """The axes of the heads that each projection makes, in Keras' order."""

    @abstractmethod
    def output_projection_weights(self, query: Shape, features: _HeadAxes) -> Iterator[Weight]:
        """The weights that join the heads; `features` is the projected axis of the query."""

    def weights(
        self, query: Shape, value: Shape, key: Shape | None = None, /, *masks: Shape | None
    ) -> Iterator[Weight]:
        shapes = {"query": query, "value": value}
        if key is not None:
            shapes["key"] = key
        features = _input_feature_axes(
            {name: known_axis_size(shapes[name], self.projected_axis) for name in shapes}
        )
        for name, heads in self.head_axes().items():
            if name == "gate" and not self.use_gate:
                continue
            of = "query" if name == "gate" else name if name in shapes else "value"
            free = self.projected_axis % len(shapes[of])
            yield from self.projection_weights(name, shapes[of], free, features[of], heads)
        yield from self.output_projection_weights(query, features["query"])

    def projection_weights(
        self, name: str, shape: Shape, free: int, inputs: _HeadAxes, outputs: _HeadAxes
    ) -> Iterator[Weight]:
        """The weights of the projection `name` of the axes `inputs`, which `free` others precede.

        It is an EinsumDense layer, and where Keras finds another axis than one would think, as in
        an input without free axes, it does so here.
        """
        letters = ascii_lowercase[free:]
        if len(letters) < len(inputs) + len(outputs):
            raise LayerError(
                f"{shape} has too many axes for the {_MAX_EINSUM_LETTERS} letters of an equation"
            )
        before = ascii_lowercase[:free]
        read = letters[: len(inputs)]
        made = letters[len(inputs) : len(inputs) + len(outputs)]
        dense = EinsumDense(
            equation=f"{before}{read},{read}{made}->{before}{made}",
            output_size=(*[None] * (free - 1), *outputs.values()),
            bias_axes=made if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=sublayer_dtype(self.dtype, name),
        )
        words = [*inputs, *outputs] if free else [f"{name}_{each}" for each in read + made]
        names = dict(zip(read + made, words, strict=True), groups=f"{name}_groups")
        for weight in sublayer_weights(name, dense, shape):
            axes = {_name_axis_letters(axis, names): size for axis, size in weight.axes.items()}
            yield replace(weight, axes=axes)

    def demand_buildable(self, value: Shape, key: Shape) -> None:
        """Raise LayerError for what Keras refuses of all layers with heads."""
        demand_valid_seed(self.dropout, self.seed)
        if self.flash_attention and self.dropout:
            raise LayerError("flash_attention works without dropout only; remove one", "dropout")
        for argument in "kernel_initializer", "bias_initializer":
            if getattr(self, argument) is None:
                raise LayerError(f"{argument} must not be null; leave it out", argument)
        if value[1:-1] != key[1:-1]:
            raise LayerError(
                f"value {value} and key {key} must agree on all axes but the first and the last",
                "from",
            )


class MultiHeadAttention(_HeadedAttention, frozen=True, kw_only=True):
    """Each head attends with its own projections; a last projection joins what they found.

    The output has the query's features, or `output_shape` in place of them. The axes over which
    attention goes need not fit: Keras does not compare those of query and value.
    """

    shape_rule: ClassVar[str] = (
        "(batch, queries, features), (batch, values, value_features) → (batch, queries, features)"
    )
    projected_axis: ClassVar[int] = -1

    num_heads: PositiveInt
    key_dim: PositiveInt
    value_dim: PositiveInt | None = None
    # The argument `output_shape` of Keras, whose name the method has taken.
    output_size: NonNegativeInt | tuple[NonNegativeInt, ...] | None = field(
        default=None, name="output_shape"
    )
    attention_axes: int | tuple[int, ...] | None = None

    def output_shape(
        self, query: Shape, value: Shape, key: Shape | None = None, /, *masks: Shape | None
    ) -> Shapes:
        key = value if key is None else key
        self.demand_buildable(value, key)
        outputs = self.output_sizes()
        if len(value) + 1 + self.attended_axis_count(len(value)) > _MAX_EINSUM_LETTERS:
            raise LayerError(
                f"{value} has too many axes for the {_MAX_EINSUM_LETTERS} letters of an equation"
            )
        output = (*query[:-1], *outputs) if outputs else query
        if not self.return_attention_scores:
            return output
        demand_rank(query, 2, "(batch, queries, ...)", or_more=True)
        return output, (query[0], self.num_heads, query[1], query[1])  # as if of itself, as Keras

    def head_axes(self) -> dict[str, _HeadAxes]:
        heads = {"heads": self.num_heads}
        keys = {**heads, "key_dim": self.key_dim}
        values = {**heads, "value_dim": self.value_dim} if self.value_dim else keys
        return {"query": keys, "key": keys, "gate": values, "value": values}

    def output_projection_weights(self, query: Shape, features: _HeadAxes) -> Iterator[Weight]:
        heads = self.head_axes()["value"]
        sizes = self.output_sizes()
        outputs = {f"outputs_{place}": size for place, size in enumerate(sizes)} or features
        if len(sizes) == 1:
            outputs = {"outputs": sizes[0]}
        shape = (query[0], *query[1:-1], *heads.values())
        return self.projection_weights("attention_output", shape, len(query) - 1, heads, outputs)

    def output_sizes(self) -> tuple[int, ...]:
        """The last axes of the output as `output_shape` gives them; none where it does not."""
        sizes = self.output_size or ()
        return (sizes,) if isinstance(sizes, int) else sizes

    def attended_axis_count(self, rank: int) -> int:
        """The number of axes of a value with `rank` axes over which attention goes."""
        axes = self.attention_axes
        if axes is None:
            return max(rank - 2, 0)
        axes = (axes,) if isinstance(axes, int) else axes
        # Keras looks for them in the projected value, which has an axis more, and counts negative
        # ones from the end of the value; so it takes some that the value does not have.
        for axis in axes:
            if not -2 * rank - 1 <= axis <= rank:
                raise LayerError(
                    f"attention_axes holds {axis}, but the value has {rank} axes",
                    "attention_axes",
                )
        places = {(axis if axis >= 0 else rank + axis) % (rank + 1) for axis in axes}
        return len(places - {rank})


class GroupedQueryAttention(_HeadedAttention, frozen=True, kw_only=True):
    """Attention where several heads of the query share one of the key and one of the value.

    Keras calls it GroupQueryAttention. Inputs with more than three axes are not what it is for:
    Keras projects the third.
    """

    keras_module: ClassVar[str] = "keras.src.layers.attention.grouped_query_attention"
    shape_rule: ClassVar[str] = (
        "(batch, queries, features), (batch, values, features) → (batch, queries, features)"
    )
    projected_axis: ClassVar[int] = 2

    head_dim: PositiveInt
    num_query_heads: NonNegativeInt
    num_key_value_heads: PositiveInt

    def output_shape(
        self, query: Shape, value: Shape, key: Shape | None = None, /, *masks: Shape | None
    ) -> Shapes:
        if self.num_query_heads % self.num_key_value_heads:
            raise LayerError(
                f"num_key_value_heads {self.num_key_value_heads} does not divide "
                f"num_query_heads {self.num_query_heads}",
                "num_key_value_heads",
            )
        key = value if key is None else key
        self.demand_buildable(value, key)
        for shape in query, value, key:
            demand_rank(shape, 3, "(batch, length, features)", or_more=True)
        if query[-1] != value[-1]:
            raise LayerError(
                f"query {query} and value {value} must have the same last axis, their features",
                "from",
            )
        if not self.return_attention_scores:
            return query
        return query, (query[0], self.num_query_heads, query[1], key[1])

    def head_axes(self) -> dict[str, _HeadAxes]:
        size = {"head_dim": self.head_dim}
        asking = {"query_heads": self.num_query_heads, **size}
        asked = {"key_value_heads": self.num_key_value_heads, **size}
        return {"query": asking, "key": asked, "gate": asking, "value": asked}

    def output_projection_weights(self, query: Shape, features: _HeadAxes) -> Iterator[Weight]:
        heads = self.head_axes()["query"]
        outputs = features if len(query) == 3 else {"outputs": known_axis_size(query, -1)}
        shape = (None, None, *heads.values())
        return self.projection_weights("attention_output", shape, 2, heads, outputs)


def _input_feature_axes(sizes: Mapping[str, int]) -> dict[str, _HeadAxes]:
    """The projected axis of each input: `features` where all are alike, or each its own."""
    if len(set(sizes.values())) == 1:
        return {name: {"features": size} for name, size in sizes.items()}
    return {name: {f"{name}_features": size} for name, size in sizes.items()}


def _name_axis_letters(axis: str, names: Mapping[str, str]) -> str:
    """An axis with names for the letters in it: `packed c`, `a × b`; and for its groups."""
    return re.sub(r"\b([a-z]|groups)\b", lambda letter: names[letter[0]], axis)
