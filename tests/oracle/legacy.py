"""Record how real Keras 2 writes layers, their output shapes and their weights.

    python tests/oracle/legacy.py > tests/data/legacy/tf_keras.jsonl

Needs `pip install tf_keras tensorflow`, which is Keras 2 for today's TensorFlow.
tests/keras_format/test_legacy_layers.py compares our reading of such files with the records.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

tf_keras: Any = import_module("tf_keras")

K = tf_keras.layers
X = K.experimental
L2 = tf_keras.regularizers.l2(0.1)
LSTM = {"units": 5}
SEQ, IMG, VOL = (7, 4), (9, 8, 3), (6, 7, 8, 2)
CONV = {"filters": 6, "kernel_size": 3}

# A class, its arguments, and the shapes of its inputs without the batch.
CASES: list[tuple[Any, dict[str, Any], list[Any]]] = [
    (K.Activation, {"activation": "softmax"}, [(4,)]),
    (K.Activation, {"activation": tf_keras.activations.swish}, [(4,)]),
    (K.ActivityRegularization, {"l1": 0.1}, [(4,)]),
    (K.Add, {}, [(4,), (4,)]),
    (K.AdditiveAttention, {}, [SEQ, SEQ]),
    (K.AlphaDropout, {"rate": 0.5}, [(4,)]),
    (K.Attention, {"use_scale": True}, [SEQ, SEQ]),
    (K.Attention, {"score_mode": "concat"}, [SEQ, SEQ]),
    (K.Average, {}, [(4,), (4,)]),
    (K.AveragePooling1D, {}, [SEQ]),
    (K.AveragePooling2D, {"padding": "same"}, [IMG]),
    (K.AveragePooling3D, {"strides": 1}, [VOL]),
    (K.BatchNormalization, {}, [IMG]),
    (K.BatchNormalization, {"axis": 1, "center": False}, [IMG]),
    (K.BatchNormalization, {"renorm": True}, [IMG]),
    (K.BatchNormalization, {"scale": False, "fused": True, "trainable": False}, [IMG]),
    (X.SyncBatchNormalization, {}, [IMG]),
    (K.Bidirectional, {"layer": K.LSTM(5, return_sequences=True)}, [SEQ]),
    (
        K.Bidirectional,
        {"layer": K.GRU(5), "backward_layer": K.GRU(5, go_backwards=True), "merge_mode": "sum"},
        [SEQ],
    ),
    (K.CategoryEncoding, {"num_tokens": 5}, [(4,)]),
    (K.CenterCrop, {"height": 3, "width": 4}, [IMG]),
    (K.Concatenate, {"axis": 1}, [SEQ, (3, 4)]),
    (K.Conv1D, CONV | {"padding": "causal", "dilation_rate": 2}, [SEQ]),
    (K.Conv1DTranspose, CONV | {"strides": 2, "output_padding": 1}, [SEQ]),
    (K.Conv2D, CONV | {"groups": 3, "kernel_regularizer": L2}, [IMG]),
    (K.Conv2D, CONV | {"activation": K.LeakyReLU(0.2), "kernel_constraint": "max_norm"}, [IMG]),
    (K.Conv2D, CONV | {"kernel_constraint": tf_keras.constraints.radial_constraint()}, [IMG]),
    (K.Conv2DTranspose, CONV | {"strides": 2, "padding": "same"}, [IMG]),
    (K.Conv3D, CONV | {"use_bias": False}, [VOL]),
    (K.Conv3DTranspose, CONV | {"strides": 2}, [VOL]),
    (K.ConvLSTM1D, CONV | {"return_sequences": True}, [(5, 7, 4)]),
    (K.ConvLSTM2D, CONV | {"padding": "same"}, [(5, *IMG)]),
    (K.ConvLSTM3D, CONV | {"return_state": True}, [(5, *VOL)]),
    (K.Cropping1D, {}, [SEQ]),
    (K.Cropping2D, {"cropping": ((1, 0), (2, 1))}, [IMG]),
    (K.Cropping3D, {}, [VOL]),
    (K.Dense, {"units": 3, "kernel_initializer": tf_keras.initializers.VarianceScaling()}, [(4,)]),
    (K.Dense, {"units": 3, "bias_initializer": tf_keras.initializers.Constant(2)}, [SEQ]),
    (K.Dense, {"units": 3, "dtype": "mixed_float16", "activation": "softmax"}, [(4,)]),
    (K.Dense, {"units": 3, "kernel_regularizer": "orthogonal_regularizer"}, [(4,)]),
    (K.DepthwiseConv1D, {"kernel_size": 3}, [SEQ]),
    (K.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2}, [IMG]),
    (K.Discretization, {"bin_boundaries": [0.0, 1.0]}, [(4,)]),
    (K.Dot, {"axes": 1, "normalize": True}, [SEQ, SEQ]),
    (K.Dropout, {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3}, [SEQ]),
    (K.ELU, {}, [(4,)]),
    (K.EinsumDense, {"equation": "abc,cd->abd", "output_shape": (7, 6), "bias_axes": "d"}, [SEQ]),
    (K.Embedding, {"input_dim": 9, "output_dim": 4, "input_length": 7}, [(7,)]),
    (K.Flatten, {}, [IMG]),
    (K.GRU, LSTM | {"reset_after": False}, [SEQ]),
    (K.GRU, LSTM | {"return_state": True, "dropout": 0.2}, [SEQ]),
    (K.GaussianDropout, {"rate": 0.5}, [(4,)]),
    (K.GaussianNoise, {"stddev": 0.5}, [(4,)]),
    (K.GlobalAveragePooling1D, {"keepdims": True}, [SEQ]),
    (K.GlobalAveragePooling2D, {}, [IMG]),
    (K.GlobalAveragePooling3D, {}, [VOL]),
    (K.GlobalMaxPooling1D, {}, [SEQ]),
    (K.GlobalMaxPooling2D, {"data_format": "channels_first"}, [IMG]),
    (K.GlobalMaxPooling3D, {}, [VOL]),
    (K.GroupNormalization, {"groups": 2}, [(4,)]),
    (K.HashedCrossing, {"num_bins": 5}, [("string", 1), ("string", 1)]),
    (K.Hashing, {"num_bins": 5}, [("string", 4)]),
    (K.Identity, {}, [(4,)]),
    (K.IntegerLookup, {"vocabulary": [3, 5], "output_mode": "multi_hot"}, [("int64", 4)]),
    (K.LSTM, LSTM | {"stateful": False, "recurrent_dropout": 0.1}, [SEQ]),
    (K.Lambda, {"function": lambda x: x, "output_shape": (4,)}, [(4,)]),
    (K.LayerNormalization, {"axis": [1, 2]}, [SEQ]),
    (K.LayerNormalization, {}, [SEQ]),
    (K.LeakyReLU, {"alpha": 0.1}, [(4,)]),
    (K.LocallyConnected1D, CONV, [SEQ]),
    *[
        (kind, {"filters": 5, "kernel_size": size, "padding": padding, "strides": stride,
                "implementation": implementation, "data_format": order}, [shape])
        for kind, shape in ((K.LocallyConnected1D, (9, 4)), (K.LocallyConnected2D, (9, 8, 3)))
        for order in ("channels_last", "channels_first")
        for size, stride in ((2, 1), (3, 2))
        for implementation, padding in (
            (1, "valid"), (2, "valid"), (2, "same"), (3, "valid"), (3, "same"),
        )
    ],
    (K.Masking, {}, [SEQ]),
    (K.MaxPooling1D, {"pool_size": 3}, [SEQ]),
    (K.MaxPooling2D, {"data_format": "channels_first"}, [IMG]),
    (K.MaxPooling3D, {}, [VOL]),
    (K.Maximum, {}, [(4,), (4,)]),
    (K.Minimum, {}, [(4,), (4,)]),
    (K.MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "output_shape": 6}, [SEQ, SEQ]),
    (K.MultiHeadAttention, {"num_heads": 2, "key_dim": 3, "attention_axes": (1,)}, [SEQ, SEQ]),
    (K.Multiply, {}, [(4,), (4,)]),
    (K.Normalization, {}, [(4,)]),
    (K.Normalization, {"mean": 1.0, "variance": 2.0}, [(4,)]),
    (K.Normalization, {"axis": None}, [(4,)]),
    (K.PReLU, {"shared_axes": [1, 2]}, [IMG]),
    (K.Permute, {"dims": (2, 1)}, [SEQ]),
    (K.RNN, {"cell": K.LSTMCell(5), "return_sequences": True}, [SEQ]),
    (K.RNN, {"cell": [K.GRUCell(5), K.SimpleRNNCell(3)], "return_state": True}, [SEQ]),
    (K.RandomBrightness, {"factor": 0.1}, [IMG]),
    (K.RandomContrast, {"factor": 0.1}, [IMG]),
    (K.RandomCrop, {"height": 3, "width": 4}, [IMG]),
    (K.RandomFlip, {}, [IMG]),
    (X.RandomFourierFeatures, {"output_dim": 6}, [(4,)]),
    (
        X.RandomFourierFeatures,
        {"output_dim": 6, "kernel_initializer": "laplacian", "trainable": True},
        [(4,)],
    ),
    (K.RandomHeight, {"factor": 0.1}, [IMG]),
    (K.RandomRotation, {"factor": 0.1}, [IMG]),
    (K.RandomTranslation, {"height_factor": 0.1, "width_factor": 0.2}, [IMG]),
    (K.RandomWidth, {"factor": (0.1, 0.2)}, [IMG]),
    (K.RandomZoom, {"height_factor": 0.1}, [IMG]),
    (K.ReLU, {"max_value": 6}, [(4,)]),
    (K.RepeatVector, {"n": 3}, [(4,)]),
    (K.Rescaling, {"scale": 0.5}, [(4,)]),
    (K.Reshape, {"target_shape": (2, -1)}, [(4,)]),
    (K.Resizing, {"height": 3, "width": 4}, [IMG]),
    (K.SeparableConv1D, CONV, [SEQ]),
    (K.SeparableConv2D, CONV | {"depth_multiplier": 2}, [IMG]),
    (K.SimpleRNN, LSTM, [SEQ]),
    (K.Softmax, {}, [(4,)]),
    (K.SpatialDropout1D, {"rate": 0.5}, [SEQ]),
    (K.SpatialDropout2D, {"rate": 0.5}, [IMG]),
    (K.SpatialDropout3D, {"rate": 0.5}, [VOL]),
    (K.StringLookup, {"vocabulary": ["a", "b"], "output_mode": "multi_hot"}, [("string", 4)]),
    (K.StringLookup, {"vocabulary": ["a", "b"]}, [("string", 4)]),
    (K.Subtract, {}, [(4,), (4,)]),
    (K.TextVectorization, {"vocabulary": ["a", "b"], "output_sequence_length": 3}, [("string", 1)]),
    (K.ThresholdedReLU, {}, [(4,)]),
    (K.TimeDistributed, {"layer": K.Conv2D(6, 3)}, [(5, *IMG)]),
    (K.UnitNormalization, {}, [(4,)]),
    (K.UpSampling1D, {}, [SEQ]),
    (K.UpSampling2D, {"interpolation": "bilinear"}, [IMG]),
    (K.UpSampling3D, {}, [VOL]),
    (K.ZeroPadding1D, {"padding": (1, 2)}, [SEQ]),
    (K.ZeroPadding2D, {"padding": ((1, 0), (2, 1))}, [IMG]),
    (K.ZeroPadding3D, {}, [VOL]),
]  # fmt: skip


def main() -> None:
    """Print a fact for each case."""
    for kind, arguments, inputs in CASES:
        print(json.dumps(fact(kind(**arguments), inputs)))


def fact(layer: Any, inputs: list[Any]) -> dict[str, Any]:
    """The JSON of a layer, its inputs and output, and each weight: shape, whether trainable."""
    tensors = [
        K.Input(shape[1:], dtype=shape[0]) if isinstance(shape[0], str) else K.Input(shape)
        for shape in inputs
    ]
    if len(tensors) == 1 or isinstance(layer, K.MultiHeadAttention):
        model = tf_keras.Model(tensors, layer(*tensors))
    else:
        model = tf_keras.Model(tensors, layer(tensors))
    written = json.loads(model.to_json())["config"]["layers"][-1]
    trained = {id(weight) for weight in layer.trainable_weights}
    return {
        "class_name": written["class_name"],
        "config": written["config"],
        "inputs": [tensor.shape.as_list() for tensor in tensors],
        "output": model.output_shape,
        "weights": sorted([list(each.shape), id(each) in trained] for each in layer.weights),
    }


if __name__ == "__main__":
    main()
