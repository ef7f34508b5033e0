"""Record how real Keras 2 writes models that call functions of TensorFlow, and their outputs.

    python tests/oracle/tf_functions.py > tests/data/legacy/tf_functions.jsonl

Needs `pip install tf_keras tensorflow`, which is Keras 2 for today's TensorFlow.
tests/keras_format/test_tf_functions.py compares our reading of such files with the records.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

tf: Any = import_module("tensorflow")
tf_keras: Any = import_module("tf_keras")

V1 = tf.compat.v1
SEQ, IMG, FREE = (7, 4), (8, 6, 3), (None, 4)

# The shapes of the inputs without the batch, and what a model does to them. FREE is a sequence of
# any length; a shape with a batch of its own has it as a list.
CASES: list[tuple[list[Any], Callable[..., Any]]] = [
    # Operators, with numbers and with tensors
    ([SEQ], lambda x: x * 3.0),
    ([SEQ], lambda x: 2.0 * x + 1.0),
    ([SEQ], lambda x: (1 - x) / 2.0 - x // 2.0),
    ([SEQ], lambda x: -abs(x) ** 2 % 3.0),
    ([SEQ, (1, 4)], lambda x, y: x + y),
    ([SEQ, FREE], lambda x, y: x * y - y),
    ([SEQ], lambda x: x * [1.0, 2.0, 3.0, 4.0]),
    ([SEQ], lambda x: x > 0.5),
    ([SEQ], lambda x: tf.cast(x <= 1.0, "float32")),
    ([SEQ], lambda x: x == x),
    ([SEQ], lambda x: x @ tf.transpose(x, [0, 2, 1])),
    # Places
    ([SEQ], lambda x: x[:, 0]),
    ([SEQ], lambda x: x[0]),
    ([SEQ], lambda x: x[:3]),
    ([SEQ], lambda x: x[:, ::2, tf.newaxis, ...]),
    ([SEQ], lambda x: x[..., -1]),
    ([SEQ], lambda x: x[:, -3:-1, 1:]),
    ([SEQ], lambda x: x[:, ::-2]),
    ([FREE], lambda x: x[:, 1:5]),
    ([FREE], lambda x: x[:, 2, tf.newaxis]),
    ([IMG], lambda x: x[:, 1:-1, ..., 0]),
    ([FREE], lambda x: x[:, tf.shape(x)[1] - 2 :]),
    ([SEQ], lambda x: tf.boolean_mask(x, x[:, :, 0] > 0)),
    ([SEQ], lambda x: tf.gather(x, [0, 2], axis=1)),
    ([SEQ, ("int32", 5)], lambda x, i: tf.gather(x, i, axis=1, batch_dims=1)),
    ([SEQ, ("int32", 5)], lambda x, i: tf.gather(x, i, batch_dims=1)),
    ([SEQ], lambda x: tf.gather(x, 2, axis=-1)),
    ([SEQ, ("int32", 5, 2)], tf.gather_nd),
    ([SEQ, ("int32", 5, 1)], lambda x, i: tf.gather_nd(x, i, batch_dims=1)),
    ([SEQ], lambda x: tf.slice(x, [0, 1, 2], [-1, 3, -1])),
    # Joined and taken apart
    ([SEQ, (3, 4)], lambda x, y: tf.concat([x, y], 1)),
    ([SEQ, FREE], lambda x, y: tf.concat([y, x], axis=-1)),
    ([SEQ, FREE], lambda x, y: tf.concat(values=[x, y], axis=1)),
    ([SEQ], lambda x: tf.stack([x, x])),
    ([SEQ, FREE], lambda x, y: tf.stack([y, x, x], axis=2)),
    ([SEQ], lambda x: tf.add_n([x, x])),
    ([SEQ], lambda x: tf.split(x, 2, axis=-1)[1]),
    ([SEQ], lambda x: tf.split(x, [1, -1, 2], axis=1)[1]),
    ([FREE], lambda x: tf.split(x, [1, -1, 2], axis=1)),
    ([FREE], lambda x: tf.split(x, 3, axis=1)),
    ([SEQ], lambda x: tf.unstack(x, axis=1)[3]),
    ([FREE], lambda x: tf.unstack(x, num=2, axis=1)),
    # Other shapes
    ([SEQ], lambda x: tf.reshape(x, [-1, 28])),
    ([SEQ], lambda x: tf.reshape(x, (-1, 7, 2, 2))),
    ([SEQ], lambda x: tf.reshape(x, (tf.shape(x)[0], 28))),
    ([FREE], lambda x: tf.reshape(x, (tf.shape(x)[0], 2, -1))),
    ([[2, 7, 4]], lambda x: tf.reshape(x, (-1, 14))),
    ([SEQ], tf.transpose),
    ([SEQ], tf.linalg.matrix_transpose),
    ([(1, 4)], lambda x: tf.squeeze(x, axis=1)),
    ([(1, 4, 1)], lambda x: tf.squeeze(x, [1, -1])),
    ([FREE], lambda x: tf.squeeze(x, 1)),
    ([[1, 7, 1]], tf.squeeze),
    ([SEQ], lambda x: tf.expand_dims(x, -1)),
    ([SEQ], lambda x: tf.expand_dims(x, axis=1)),
    ([SEQ], lambda x: tf.tile(x, [1, 2, 3])),
    ([SEQ], lambda x: tf.tile(x[:1], [tf.shape(x)[0], 1, 2])),
    ([SEQ], lambda x: tf.repeat(x, 3, axis=1)),
    ([SEQ], lambda x: tf.repeat(x, 2)),
    ([SEQ], lambda x: tf.pad(x, [[0, 0], [1, 1], [2, 0]])),
    ([FREE], lambda x: tf.pad(x, [[0, 0], [1, 1], [2, 0]], "REFLECT")),
    ([(1, 4)], lambda x: tf.broadcast_to(x, [3, 7, 4])),
    ([(1, 4)], lambda x: tf.broadcast_to(x, [tf.shape(x)[0], 7, 4])),
    ([SEQ], lambda x: tf.reverse(x, [1])),
    ([SEQ], lambda x: tf.roll(x, 2, 1)),
    ([FREE], lambda x: tf.ensure_shape(x, [None, 7, 4])),
    ([SEQ], tf.shape),
    ([SEQ], tf.size),
    ([SEQ], lambda x: tf.zeros_like(x) + tf.ones_like(x)),
    ([SEQ], lambda x: tf.identity(tf.stop_gradient(x))),
    ([SEQ], V1.ones_like),
    # Along axes
    ([SEQ], lambda x: tf.reduce_mean(x + 1.0, axis=1)),
    ([SEQ], tf.reduce_sum),
    ([SEQ], lambda x: tf.reduce_max(x, axis=[1, -1], keepdims=True)),
    ([SEQ], lambda x: tf.math.reduce_std(x, -1)),
    ([SEQ], lambda x: tf.math.reduce_variance(x, 0, keepdims=True)),
    ([SEQ], lambda x: tf.reduce_prod(tf.reduce_min(x, 1), 1)),
    ([SEQ], lambda x: V1.reduce_mean(x, reduction_indices=[1], keep_dims=True)),
    ([SEQ], lambda x: tf.reduce_any(x > 0, 1)),
    ([SEQ], lambda x: tf.reduce_logsumexp(x, 1)),
    ([SEQ], lambda x: tf.norm(x, axis=-1, keepdims=True)),
    ([SEQ], lambda x: tf.math.l2_normalize(x, axis=1)),
    ([SEQ], lambda x: tf.nn.softmax(tf.nn.log_softmax(x), axis=1)),
    ([SEQ], lambda x: tf.cumsum(x, axis=1)),
    ([SEQ], lambda x: tf.argsort(tf.sort(x, axis=1))),
    ([SEQ], tf.argmax),
    ([SEQ], lambda x: tf.argmin(x, axis=-1)),
    ([SEQ], lambda x: V1.argmax(x, dimension=1)),
    ([SEQ], lambda x: tf.math.top_k(x, 2)[0]),
    ([SEQ], lambda x: tf.nn.moments(x, [1])[1]),
    ([SEQ], lambda x: tf.math.count_nonzero(x, axis=1)),
    # Element by element
    ([SEQ], lambda x: tf.exp(tf.math.log(tf.sqrt(tf.math.rsqrt(tf.square(x)))))),
    ([SEQ], lambda x: tf.sin(tf.cos(tf.tanh(tf.sigmoid(tf.round(tf.floor(x))))))),
    ([SEQ], lambda x: tf.nn.relu(tf.nn.relu6(tf.nn.elu(tf.nn.selu(tf.nn.leaky_relu(x)))))),
    ([SEQ], lambda x: tf.nn.gelu(tf.nn.silu(tf.nn.softplus(tf.nn.softsign(x))))),
    ([SEQ], lambda x: tf.maximum(tf.minimum(x, 1.0), tf.pow(x, 2.0))),
    ([SEQ, (7, 1)], tf.math.squared_difference),
    ([SEQ, (7, 1)], lambda x, y: tf.atan2(y, tf.math.divide_no_nan(x, y))),
    ([SEQ], lambda x: tf.where(x > 0, x, 0.0)),
    ([SEQ], lambda x: tf.where(x > 0)),
    ([SEQ], lambda x: tf.clip_by_value(tf.clip_by_norm(x, 1.0), 0.0, 1.0)),
    ([SEQ], lambda x: tf.nn.bias_add(x, [1.0, 2.0, 3.0, 4.0])),
    ([SEQ], lambda x: tf.nn.dropout(x, 0.5)),
    ([SEQ], lambda x: tf.math.logical_not(tf.math.is_nan(x))),
    ([SEQ], lambda x: tf.saturate_cast(x, "int32")),
    ([(3, 5, 5)], tf.linalg.trace),
    ([SEQ], tf.rank),
    ([SEQ], lambda x: tf.reduce_all(tf.not_equal(x, tf.math.cumprod(x, 1)), 1)),
    ([SEQ, (7, 1)], lambda x, y: tf.logical_or(x < y, tf.math.equal(x, y))),
    ([SEQ], lambda x: tf.nn.batch_normalization(x, 0.0, 1.0, 0.0, 1.0, 0.1)),
    ([SEQ], tf.nn.l2_loss),
    # Products
    ([SEQ, SEQ], lambda x, y: tf.matmul(x, y, transpose_b=True)),
    ([(5, 3, 4), (1, 3, 6)], lambda x, y: tf.matmul(x, y, transpose_a=True)),
    ([SEQ, (4,)], tf.linalg.matvec),
    ([SEQ], lambda x: tf.tensordot(x, [[1.0], [2.0], [3.0], [4.0]], axes=[[2], [0]])),
    # Categories
    ([("int32", 7)], lambda x: tf.one_hot(x, 3)),
    ([("int32", 7)], lambda x: tf.one_hot(x, 3, axis=1)),
    ([("int32",)], lambda x: tf.sequence_mask(x, 5)),
    ([("int32",)], tf.sequence_mask),
    # Images
    ([IMG], lambda x: tf.image.resize(x, (4, 5))),
    ([(None, None, 3)], lambda x: tf.image.resize(x, [4, 5], method="nearest")),
    ([IMG], lambda x: V1.image.resize_bilinear(x, (3, 3))),
    ([(None, None, 3)], lambda x: V1.image.resize_nearest_neighbor(x, tf.shape(x)[1:3] * 2)),
    ([IMG], lambda x: tf.image.resize_with_crop_or_pad(x, 4, 9)),
    ([IMG], lambda x: tf.image.flip_left_right(tf.image.flip_up_down(x))),
    ([IMG], tf.image.rgb_to_grayscale),
    ([(8, 6, 1)], tf.image.grayscale_to_rgb),
    ([IMG], lambda x: tf.image.adjust_contrast(x, 2.0)),
    ([IMG], tf.image.per_image_standardization),
    ([IMG], lambda x: tf.image.crop_to_bounding_box(x, 1, 2, 3, 4)),
    ([IMG], lambda x: tf.image.pad_to_bounding_box(x, 1, 2, 12, 13)),
    ([IMG], tf.image.transpose),
    ([IMG], lambda x: tf.image.extract_patches(
        x, [1, 2, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID")),
    ([IMG], lambda x: tf.image.extract_patches(
        x, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], padding="SAME")),
    ([IMG], lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID")),
    ([IMG], lambda x: tf.nn.max_pool2d(x, [1, 3, 2, 1], [1, 2, 1, 1], "SAME")),
    ([IMG], lambda x: tf.nn.max_pool(x, [3, 2], 1, padding="VALID")),
    ([SEQ], lambda x: tf.nn.avg_pool1d(x, 3, 2, "SAME")),
    ([IMG], lambda x: tf.nn.conv2d(x, [[[[1.0, 2.0]] * 3]], strides=2, padding="SAME")),
    ([IMG], lambda x: tf.nn.conv2d(x, [[[[1.0, 2.0]] * 3] * 2] * 3, [1, 2, 1, 1], "VALID")),
    ([IMG], lambda x: tf.nn.depthwise_conv2d(x, [[[[1.0, 2.0]] * 3] * 2], [1, 1, 1, 1], "SAME")),
    ([SEQ], lambda x: tf.nn.conv1d(x, [[[1.0, 2.0]] * 4] * 3, 2, "VALID")),
    ([(5, *IMG)], lambda x: tf.nn.avg_pool3d(x, 2, [1, 2, 1, 2, 1], "VALID")),
    ([SEQ], lambda x: tf.nn.max_pool1d(x, 2, 2, "VALID")),
    ([IMG], tf.nn.local_response_normalization),
    ([IMG], lambda x: tf.image.resize_with_pad(x, 9, 5)),
    ([IMG], lambda x: V1.image.resize_images(x, [3, 4])),
    ([IMG], lambda x: tf.image.crop_and_resize(
        x, [[0.0, 0.0, 1.0, 1.0]] * 2, [0, 0], crop_size=[3, 4])),
    ([(8, 6, 4)], lambda x: tf.nn.depth_to_space(x, 2)),
    ([IMG], lambda x: tf.nn.space_to_depth(x, 2)),
]  # fmt: skip


def main() -> None:
    """Print a fact for each case."""
    for inputs, build in CASES:
        print(json.dumps(fact(inputs, build)))


def input_of(shape: Any) -> Any:
    """An input of the model: a list includes the batch, and a leading text is the dtype."""
    if isinstance(shape, list):
        return tf_keras.Input(batch_shape=shape)
    if shape and isinstance(shape[0], str):
        return tf_keras.Input(shape[1:], dtype=shape[0])
    return tf_keras.Input(shape)


def fact(inputs: list[Any], build: Callable[..., Any]) -> dict[str, Any]:
    """The JSON of a model, and the outputs of its layers."""
    tf_keras.backend.clear_session()
    tensors = [input_of(shape) for shape in inputs]
    model = tf_keras.Model(tensors, build(*tensors))
    outputs = {
        layer.name: tf.nest.map_structure(lambda each: list(each.shape), layer.output)
        for layer in model.layers
    }
    return {"model": json.loads(model.to_json()), "outputs": outputs}


if __name__ == "__main__":
    main()
