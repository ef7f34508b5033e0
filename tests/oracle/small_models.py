"""Small models with features that applications lack: operations, nesting, sharing, masks.

Each function builds one; `MODELS` has them all.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


def nested() -> Any:
    """A model inside that is called three times, structured inputs and outputs, numbers."""
    x = keras.Input((8,), name="x")
    inner = keras.Model(x, layers.Dense(8, name="deep")(x), name="inner")
    a, b = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    y = inner(inner(a))
    z = inner(b)
    both = ops.concatenate([y, z], axis=-1)[:, 2:5]
    return keras.Model(
        {"a": a, "b": b}, {"z": z, "sum": y + z, "rest": [1.0 - y, both]}, name="outer"
    )


def operations() -> Any:
    """Operations with several outputs, arrays, keywords and masks."""
    x = keras.Input((8, 4), name="x")
    first, second = ops.split(x, 2, axis=1)
    product = ops.matmul(first, ops.transpose(second, (0, 2, 1)))
    attended = layers.MultiHeadAttention(2, 4)(x, value=x, use_causal_mask=True)
    scores = ops.einsum("bij,bkj->bik", x, attended)
    _, hidden, carry = layers.LSTM(3, return_state=True)(x)
    last = layers.LSTM(3)(x, initial_state=[hidden, carry])
    scaled = ops.softmax(ops.add(x, ops.ones((4,))) / 2.0, axis=-1)
    mean = ops.mean(ops.relu(scaled), axis=[1], keepdims=True)
    told = ops.where(ops.greater(mean, 0.5), mean, ops.zeros_like(mean))
    return keras.Model([x], [product, scores, last, told, ops.max(x, axis=-1)], name="operations")


def shared() -> Any:
    """A layer that is called at several depths, with other shapes."""
    a, b = keras.Input((12, 5), name="a"), keras.Input((None, 5), name="b")
    dense = layers.Dense(5, name="shared")
    x = layers.ReLU()(dense(dense(a)))
    y = layers.GlobalMaxPooling1D()(dense(b))
    return keras.Model([a, b], layers.Add()([layers.GlobalMaxPooling1D()(x), y]), name="shared")


def masked() -> Any:
    """A mask that an embedding makes, which layers read as an operation."""
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(50, 8, mask_zero=True)(words)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    z = layers.TimeDistributed(layers.Dense(3))(y)
    attended = layers.MultiHeadAttention(2, 4)(y, y)
    merged = layers.Concatenate()([layers.GlobalAveragePooling1D()(z), layers.GRU(3)(attended)])
    return keras.Model(words, merged, name="masked")


def chain() -> Any:
    """A Sequential with a Sequential in it, and a model that is a layer of a wrapper."""
    frame = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten()])
    return keras.Sequential(
        [
            keras.Input((5, 6, 6, 1)),
            layers.TimeDistributed(frame),
            keras.Sequential([layers.LSTM(4, return_sequences=True), layers.Dense(2)], name="head"),
        ],
        name="chain",
    )


def straight() -> Any:
    """A Functional without branches, whose input Keras lists."""
    x = keras.Input((16,), name="x")
    return keras.Model(x, layers.Dense(2)(layers.BatchNormalization()(layers.Dense(4)(x))))


def frozen() -> Any:
    """A model with a frozen model inside."""
    base = keras.Sequential([keras.Input((8,)), layers.Dense(4), layers.BatchNormalization()])
    base.trainable = False
    x = keras.Input((8,))
    return keras.Model(x, layers.Dense(2)(base(x)), name="frozen")


def late() -> Any:
    """A Sequential that gets its input shape from `build`."""
    model = keras.Sequential([layers.Conv1D(4, 3), layers.GlobalMaxPooling1D(), layers.Dense(2)])
    model.build((None, 20, 3))
    return model


MODELS = (nested, operations, shared, masked, chain, straight, frozen, late)
