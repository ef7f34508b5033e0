"""Keras' preprocessing layers that look up text and other categories in a vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import SerializedPolicy
from dense_calc.layers.base import KerasLayer, LayerKind, NonNegativeInt
from dense_calc.layers.hashing import HashSalt, demand_jax_support
from dense_calc.layers.numbers import encoded_shape
from dense_calc.shapes import Shape, Size, computed_size

_IntegerToken = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_TokenLimit = Annotated[int, Meta(ge=2)]
_OutputMode = Literal["int", "one_hot", "multi_hot", "count", "tf_idf", "binary", "tf-idf"]
_TF_IDF_MODES = ("tf_idf", "tf-idf")
_UNKNOWN_WORD = "[UNK]"


class SerializedFunction(Struct, frozen=True):
    """A function of one's own, as Keras writes it to a file."""

    class_name: Literal["function"]
    config: str


class _LookupLayer(LayerKind, frozen=True, kw_only=True):
    """Looks up the place of each token in a vocabulary (`keras.src.layers.IndexLookup`).

    A missing vocabulary is learnt from data; until then its size is unknown, unless
    `pad_to_max_tokens` fixes it. Keras accepts and ignores `dtype`.
    """

    trainable: bool = True
    dtype: str | SerializedPolicy | None = None
    max_tokens: _TokenLimit | None = None
    num_oov_indices: NonNegativeInt = 1
    mask_token: Any = None
    oov_token: Any = None
    vocabulary: Any = None
    idf_weights: tuple[float, ...] | None = None
    invert: bool = False
    output_mode: _OutputMode = "int"
    sparse: bool = False
    pad_to_max_tokens: bool = False
    oov_method: Literal["floormod", "farmhash"] = "floormod"
    salt: HashSalt | None = None
    vocabulary_size: NonNegativeInt | None = None
    has_input_vocabulary: bool | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_jax_support("sparse", wanted=self.sparse)
        self._check_modes()
        size = self._known_vocabulary_size()
        if self.output_mode == "int":
            return shape
        depth = self.max_tokens if self.pad_to_max_tokens else size
        return encoded_shape(shape, self.output_mode, depth)

    def output_dtype(self) -> Dtypes:
        return "int64" if self.output_mode == "int" else "float32"

    def _check_modes(self) -> None:
        """Raise LayerError where options exclude each other."""
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise LayerError("pad_to_max_tokens needs max_tokens", "pad_to_max_tokens")
        if self.invert and self.output_mode != "int":
            raise LayerError("invert needs output_mode 'int'", "invert")
        if self.invert and self.oov_token is None:
            raise LayerError("invert needs an oov_token", "invert")
        if self.idf_weights is not None and self.output_mode not in _TF_IDF_MODES:
            raise LayerError("idf_weights need output_mode 'tf_idf'", "idf_weights")
        has_vocabulary = self.has_input_vocabulary or self.vocabulary is not None
        if has_vocabulary and self.idf_weights is None and self.output_mode in _TF_IDF_MODES:
            raise LayerError(
                "a vocabulary needs idf_weights beside it in output_mode 'tf_idf'", "vocabulary"
            )

    def _known_vocabulary_size(self) -> Size:
        """The size of the vocabulary with special tokens, None where only data tells it."""
        stated = self.vocabulary_size
        if self.vocabulary is None:
            return stated
        matters = self.output_mode != "int" and not self.pad_to_max_tokens
        if isinstance(self.vocabulary, str):
            self._check_file(matters=matters and stated is None)
            return stated
        special, tokens = self._split_vocabulary(self.vocabulary)
        self._check_tokens(tokens)
        size = special + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise LayerError(
                f"the vocabulary, of {size} with special tokens, is larger than "
                f"max_tokens {self.max_tokens}",
                "vocabulary",
            )
        if matters and stated not in (None, size):
            raise LayerError(
                f"vocabulary_size {stated} is wrong: it is {size} with special tokens",
                "vocabulary_size",
            )
        return computed_size(size, f"{special} + {len(tokens)}")

    def _check_file(self, *, matters: bool) -> None:
        """Raise LayerError where the vocabulary cannot be a file."""
        if self.output_mode in _TF_IDF_MODES:
            raise LayerError("with 'tf_idf' a vocabulary must be a list, not a file", "vocabulary")
        if matters:
            raise LayerError(
                "a vocabulary file is not read, but its size matters here; set vocabulary_size, "
                "counting mask and out-of-vocabulary tokens",
                "vocabulary",
            )

    def _split_vocabulary(self, vocabulary: Sequence[object]) -> tuple[int, Sequence[object]]:
        """The number of special tokens, and the vocabulary without those at its start."""
        masked = self.mask_token is not None and self.output_mode == "int"
        count = masked + self.num_oov_indices
        if count > len(vocabulary):  # too many, perhaps, for the tuple below
            return count, vocabulary
        special = (*[self.mask_token] * masked, *[self.oov_token] * self.num_oov_indices)
        return count, vocabulary[count if vocabulary[:count] == special else 0 :]

    def _check_tokens(self, tokens: Sequence[object]) -> None:
        """Raise LayerError where Keras refuses the tokens or their weights."""
        if not tokens:
            raise LayerError("the vocabulary holds no token, or only special ones", "vocabulary")
        token, times = Counter(tokens).most_common(1)[0]
        if times > 1:
            raise LayerError(f"the vocabulary holds {token!r:.60} twice", "vocabulary")
        reserved = [("mask", self.mask_token)] + [("oov", self.oov_token)] * self.invert
        for name, token in reserved:
            if token is not None and token in tokens:
                raise LayerError(
                    f"the vocabulary holds the {name}_token {token!r:.60}; remove it or start with "
                    "all special tokens: mask_token, then num_oov_indices times oov_token",
                    "vocabulary",
                )
        weights = self.idf_weights
        if weights is not None and len(weights) != len(self.vocabulary):
            raise LayerError(
                f"idf_weights must hold one number for each token of the vocabulary, "
                f"{len(self.vocabulary)}; they hold {len(weights)}",
                "idf_weights",
            )


class IntegerLookup(_LookupLayer, frozen=True, kw_only=True):
    """Looks up the place of each whole number in a vocabulary.

    The vocabulary is no weight. A text is the name of a file, which is not read; where the size
    matters, state it as `vocabulary_size`, with mask and out-of-vocabulary tokens.
    """

    mask_token: _IntegerToken | None = None
    oov_token: _IntegerToken | None = -1
    vocabulary: str | tuple[_IntegerToken, ...] | None = None
    vocabulary_dtype: Literal["int64"] = "int64"

    def _check_modes(self) -> None:
        _LookupLayer._check_modes(self)
        if self.salt is not None and self.oov_method != "farmhash":
            raise LayerError("salt needs oov_method 'farmhash'", "salt")


class StringLookup(_LookupLayer, frozen=True, kw_only=True):
    """Looks up the place of each word in a vocabulary.

    The vocabulary is no weight. A text is the name of a file, which is not read; where the size
    matters, state it as `vocabulary_size`, with mask and out-of-vocabulary tokens.
    """

    mask_token: str | None = None
    oov_token: str | None = _UNKNOWN_WORD
    vocabulary: str | tuple[str, ...] | None = None
    encoding: str = "utf-8"


class TextVectorization(KerasLayer, frozen=True, kw_only=True):
    """Splits text into tokens and looks them up in a vocabulary, which is no weight.

    A vocabulary that is text is the name of a file, which is not read; where the size matters,
    state it as `vocabulary_size`, with the padding and the unknown token. In other modes than
    "int" Keras says that the axis of the texts stays, which it does not when data flows.
    `ngrams` may be a list here, which is how YAML writes Python's tuple.
    """

    shape_rule: ClassVar[str] = "(batch, ...) → (batch, output_sequence_length)"

    max_tokens: _TokenLimit | None = None
    standardize: (
        Literal["lower_and_strip_punctuation", "lower", "strip_punctuation"]
        | SerializedFunction
        | None
    ) = "lower_and_strip_punctuation"
    split: Literal["whitespace", "character"] | SerializedFunction | None = "whitespace"
    ngrams: int | tuple[int, ...] | None = None
    output_mode: _OutputMode = "int"
    output_sequence_length: NonNegativeInt | None = None
    pad_to_max_tokens: bool = False
    vocabulary: str | tuple[str, ...] | None = None
    idf_weights: tuple[float, ...] | None = None
    sparse: bool = False
    ragged: bool = False
    encoding: str = "utf-8"
    vocabulary_size: NonNegativeInt | None = None
    has_input_vocabulary: bool | None = None

    def required_config(self) -> dict[str, Any]:
        return {"ngrams": self.ngrams}

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_jax_support("ragged", wanted=self.ragged)
        texts = shape if len(shape) > 1 else (*shape, 1)
        if self.split is not None:
            texts = (*shape, None)  # the number of tokens depends on the text
        encoded = self._lookup_layer().output_shape(texts)
        if self.output_mode != "int":
            if self.output_sequence_length is not None:
                length = "output_sequence_length"
                raise LayerError(f"{length} needs output_mode 'int'", length)
            return encoded
        if not shape:
            raise LayerError("the input must have a batch axis; it is a single text")
        return (shape[0], self.output_sequence_length)

    def output_dtype(self) -> Dtypes:
        return self._lookup_layer().output_dtype()

    def _lookup_layer(self) -> StringLookup:
        """The inner layer that looks up tokens."""
        return StringLookup(
            max_tokens=self.max_tokens,
            mask_token="",
            output_mode=self.output_mode,
            pad_to_max_tokens=self.pad_to_max_tokens,
            vocabulary=self.vocabulary,
            idf_weights=self.idf_weights,
            sparse=self.sparse,
            vocabulary_size=self.vocabulary_size,
            has_input_vocabulary=self.has_input_vocabulary,
        )
