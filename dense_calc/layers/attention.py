"""Keras' attention layers with several heads, each with its own projections."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from string import ascii_lowercase
from typing import ClassVar, NoReturn

from msgspec import field
from msgspec.structs import replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import sublayer_dtype
from dense_calc.layers.base import (
    NonNegativeInt,
    PositiveInt,
    UnitFraction,
    Weight,
    sublayer_weights,
)
from dense_calc.layers.einsum_dense import EinsumDense
from dense_calc.layers.kernels import LayerWithKernel
from dense_calc.layers.simple_attention import ATTENTION_CALL_ARGUMENTS, demand_valid_seed
from dense_calc.shapes import (
    Shape,
    Shapes,
    as_tuple,
    demand_rank,
    distinct_sizes,
    known_axis_size,
)

_AxisSizes = dict[str, int]  # the axes of a head or a projection, in order

_ATTENTION_MASK_NAMES = ("query_mask", "value_mask", "key_mask", "attention_mask")
_EINSUM_LETTERS = len(ascii_lowercase)  # Keras' equations name axes by these letters


class _HeadedAttention(LayerWithKernel, frozen=True, kw_only=True):
    """Attention with several heads, each with its own projections of query, key and value.

    A call without a key takes the value as the key. Masks change no shape, and their shapes are
    not checked. With `return_attention_scores` the scores of each head are a second output.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ATTENTION_CALL_ARGUMENTS
    creates_sublayers: ClassVar[bool] = True
    arity: ClassVar[range] = range(2, 8)
    input_names: ClassVar[tuple[str, ...]] = ("query", "value", "key", *_ATTENTION_MASK_NAMES)
    _projected_axis: ClassVar[int]  # the feature axis of each input

    dropout: UnitFraction = 0.0
    use_bias: bool = True
    sliding_window: PositiveInt | None = None
    flash_attention: bool | None = None
    use_gate: bool = False
    seed: int | None = None
    return_attention_scores: bool = False
    use_causal_mask: bool = False

    @abstractmethod
    def _head_axes(self) -> dict[str, _AxisSizes]:
        """The output axes of each projection by its name, in Keras' order."""

    @abstractmethod
    def _output_projection_weights(self, query: Shape, features: _AxisSizes) -> Iterator[Weight]:
        """The weights that join the heads; `features` is the feature axis of the query."""

    def weights(
        self, query: Shape, value: Shape, key: Shape | None = None, /, *masks: Shape | None
    ) -> Iterator[Weight]:
        shapes = {"query": query, "value": value}
        if key is not None:
            shapes["key"] = key
        features = _input_feature_axes(
            {name: known_axis_size(shapes[name], self._projected_axis) for name in shapes}
        )
        for name, heads in self._head_axes().items():
            if name == "gate" and not self.use_gate:
                continue
            source = "query" if name == "gate" else name if name in shapes else "value"
            free_count = self._projected_axis % len(shapes[source])
            yield from self._projection_weights(
                name, shapes[source], free_count, features[source], heads
            )
        yield from self._output_projection_weights(query, features["query"])

    def _projection_weights(
        self, name: str, shape: Shape, free_count: int, inputs: _AxisSizes, outputs: _AxisSizes
    ) -> Iterator[Weight]:
        """The weights of the EinsumDense layer `name` inside, which projects `inputs` to `outputs`.

        In `shape`, `free_count` axes stand before `inputs` and remain in the output. Where there
        are none, the letters start at the batch axis, as in Keras.
        """
        letters = ascii_lowercase[free_count:]
        if len(letters) < len(inputs) + len(outputs):
            _refuse_rank(shape)
        free = ascii_lowercase[:free_count]
        input_letters = letters[: len(inputs)]
        output_letters = letters[len(inputs) : len(inputs) + len(outputs)]
        kernel_letters = input_letters + output_letters
        projection = EinsumDense(
            equation=f"{free}{input_letters},{kernel_letters}->{free}{output_letters}",
            output_size=(*[None] * (free_count - 1), *outputs.values()),
            bias_axes=output_letters if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            dtype=sublayer_dtype(self.dtype, name),
        )
        axis_names = [*inputs, *outputs] if free else [f"{name}_{each}" for each in kernel_letters]
        names = dict(zip(kernel_letters, axis_names, strict=True), groups=f"{name}_groups")
        for weight in sublayer_weights(name, projection, shape):
            axes = {_name_axis_letters(axis, names): size for axis, size in weight.axes.items()}
            yield replace(weight, axes=axes)

    def _demand_buildable(self, value: Shape, key: Shape) -> None:
        """Raise LayerError for arguments and inputs that Keras refuses in either layer."""
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
    _projected_axis: ClassVar[int] = -1

    num_heads: PositiveInt
    key_dim: PositiveInt
    value_dim: PositiveInt | None = None
    # Keras' argument `output_shape`; a method has that name here.
    output_size: NonNegativeInt | tuple[NonNegativeInt, ...] | None = field(
        default=None, name="output_shape"
    )
    attention_axes: int | tuple[int, ...] | None = None

    def output_shape(
        self, query: Shape, value: Shape, key: Shape | None = None, /, *masks: Shape | None
    ) -> Shapes:
        self._demand_buildable(value, value if key is None else key)
        outputs = self._output_sizes()
        if len(value) + 1 + self._attended_axis_count(len(value)) > _EINSUM_LETTERS:
            _refuse_rank(value)
        output = (*query[:-1], *outputs) if outputs else query
        if not self.return_attention_scores:
            return output
        demand_rank(query, 2, "(batch, queries, ...)", or_more=True)
        # Keras takes the query's length for both axes, as if the query attended to itself.
        return output, (query[0], self.num_heads, query[1], query[1])

    def _head_axes(self) -> dict[str, _AxisSizes]:
        heads = {"heads": self.num_heads}
        keys = {**heads, "key_dim": self.key_dim}
        values = {**heads, "value_dim": self.value_dim} if self.value_dim else keys
        return {"query": keys, "key": keys, "gate": values, "value": values}

    def _output_projection_weights(self, query: Shape, features: _AxisSizes) -> Iterator[Weight]:
        heads = self._head_axes()["value"]
        sizes = self._output_sizes()
        outputs = {f"outputs_{index}": size for index, size in enumerate(sizes)} or features
        if len(sizes) == 1:
            outputs = {"outputs": sizes[0]}
        shape = (query[0], *query[1:-1], *heads.values())
        return self._projection_weights("attention_output", shape, len(query) - 1, heads, outputs)

    def _output_sizes(self) -> tuple[int, ...]:
        """The sizes in the argument `output_shape`; none where it is null, empty or 0."""
        return as_tuple(self.output_size) if self.output_size else ()

    def _attended_axis_count(self, rank: int) -> int:
        """The number of attention axes in a value with `rank` axes."""
        if self.attention_axes is None:
            return max(rank - 2, 0)
        axes = as_tuple(self.attention_axes)
        # Keras looks for the axes in the projected value, which has one axis more, but counts
        # negative ones from the end of the value. So it accepts axes that the value does not have.
        for axis in axes:
            if not -2 * rank - 1 <= axis <= rank:
                raise LayerError(
                    f"attention_axes holds {axis}, but the value has {rank} axes",
                    "attention_axes",
                )
        positions = {(axis if axis >= 0 else rank + axis) % (rank + 1) for axis in axes}
        return len(positions - {rank})


class GroupedQueryAttention(_HeadedAttention, frozen=True, kw_only=True):
    """Attention where several heads of the query share one of the key and one of the value.

    Keras calls it GroupQueryAttention. Inputs with more than three axes are not what it is for:
    Keras projects the third.
    """

    keras_module: ClassVar[str] = "keras.src.layers.attention.grouped_query_attention"
    shape_rule: ClassVar[str] = (
        "(batch, queries, features), (batch, values, features) → (batch, queries, features)"
    )
    _projected_axis: ClassVar[int] = 2

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
        self._demand_buildable(value, key)
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

    def _head_axes(self) -> dict[str, _AxisSizes]:
        head = {"head_dim": self.head_dim}
        query = {"query_heads": self.num_query_heads, **head}
        shared = {"key_value_heads": self.num_key_value_heads, **head}
        return {"query": query, "key": shared, "gate": query, "value": shared}

    def _output_projection_weights(self, query: Shape, features: _AxisSizes) -> Iterator[Weight]:
        heads = self._head_axes()["query"]
        outputs = features if len(query) == 3 else {"outputs": known_axis_size(query, -1)}
        shape = (None, None, *heads.values())
        return self._projection_weights("attention_output", shape, 2, heads, outputs)


def _input_feature_axes(sizes: Mapping[str, int]) -> dict[str, _AxisSizes]:
    """The feature axis of each input: `features` where all sizes agree, else one name for each."""
    if len(distinct_sizes(sizes.values())) == 1:
        return {name: {"features": size} for name, size in sizes.items()}
    return {name: {f"{name}_features": size} for name, size in sizes.items()}


def _name_axis_letters(axis: str, names: Mapping[str, str]) -> str:
    """`axis`, such as `packed c` or `a × b`, with names in place of its letters and `groups`."""
    return re.sub(r"\b([a-z]|groups)\b", lambda word: names[word[0]], axis)


def _refuse_rank(shape: Shape) -> NoReturn:
    """Raise LayerError: Keras has no letters left for the axes of `shape`."""
    raise LayerError(f"{shape} has too many axes for the {_EINSUM_LETTERS} letters of an equation")
