"""PyTorch's names of layers and of their arguments, and older ones of Keras → those of Keras 3."""

from __future__ import annotations

ACTIVATION_LAYER = ("Activation", "activation")  # the layer that is only an activation, by that

# Names in small letters, without underscores.
PYTORCH_KINDS = {
    **dict.fromkeys(("linear", "lazylinear", "fc", "fullyconnected"), "Dense"),
    **dict.fromkeys(
        ("batchnorm", "batchnorm1d", "batchnorm2d", "batchnorm3d"), "BatchNormalization"
    ),
    **{f"convtranspose{rank}d": f"Conv{rank}DTranspose" for rank in (1, 2, 3)},
    **{f"constantpad{rank}d": f"ZeroPadding{rank}D" for rank in (1, 2, 3)},
    **{f"dropout{rank}d": f"SpatialDropout{rank}D" for rank in (1, 2, 3)},
    **{f"zeropad{rank}d": f"ZeroPadding{rank}D" for rank in (1, 2, 3)},
    "groupnorm": "GroupNormalization",
    "layernorm": "LayerNormalization",
    "multiheadattn": "MultiHeadAttention",
    "rmsnorm": "RMSNormalization",
    "rnncell": "SimpleRNNCell",
    "upsample": "UpSampling2D",
    "unflatten": "Reshape",
}

# Each with the arguments of Keras that it may be, '' where Keras finds it in the input.
PYTORCH_ARGUMENTS = {
    "bias": "use_bias",
    "border_mode": "padding",
    "dilation": "dilation_rate",
    "dim": "axis",
    "embedding_dim": "output_dim",
    "eps": "epsilon",
    "hidden_size": "units",
    "in_channels": "",
    "in_features": "",
    "input_size": "",
    "nb_filter": "filters",
    "normalized_shape": "",
    "num_channels": "",
    "num_embeddings": "input_dim",
    "num_features": "",
    "num_groups": "groups",
    "out_channels": "filters",
    "out_features": "units",
    "p": "rate",
    "scale_factor": "size",
    "stride": "strides",
    "subsample": "strides",
    "unflattened_size": "target_shape",
}
