"""PyTorch's names of layers and of their arguments, and older ones of Keras → those of Keras 3."""

from __future__ import annotations

ACTIVATION_LAYER = ("Activation", "activation")  # the layer that is only an activation, by that

BOTH_WAYS_LAYER = ("Bidirectional", "layer")  # what runs a layer in both directions

# The layers that pad with zeros what a convolution reads.
PADDING_LAYERS = {
    f"{sort}Conv{rank}D": f"ZeroPadding{rank}D"
    for sort in ("", "Depthwise", "Separable")
    for rank in (1, 2, 3)
}

# Names in small letters, without underscores.
PYTORCH_KINDS = {
    **dict.fromkeys(("linear", "fc", "fullyconnected"), "Dense"),
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
    **{f"adaptiveavgpool{rank}d": f"AdaptiveAveragePooling{rank}D" for rank in (1, 2, 3)},
    **{f"adaptivemaxpool{rank}d": f"AdaptiveMaxPooling{rank}D" for rank in (1, 2, 3)},
    "rmsnorm": "RMSNormalization",
    "rnn": "SimpleRNN",
    "rnncell": "SimpleRNNCell",
    "upsample": "UpSampling2D",
    "unflatten": "Reshape",
}

# Each with the arguments of Keras that it may be, '' where Keras finds it in the input.
PYTORCH_ARGUMENTS = {
    **dict.fromkeys(("n_units", "num_units", "hidden_units", "neurons", "output_size"), "units"),
    **dict.fromkeys(("hidden_size", "hidden_dim", "out_features", "output_features"), "units"),
    **dict.fromkeys(("out_channels", "n_filters", "num_filters", "nb_filter"), "filters"),
    **dict.fromkeys(("in_channels", "in_features", "input_size", "normalized_shape"), ""),
    **dict.fromkeys(("num_channels", "num_features", "num_parameters"), ""),
    **dict.fromkeys(("nhead", "n_head", "n_heads", "heads"), "num_heads"),
    **dict.fromkeys(("d_model", "embed_dim"), "key_dim output_dim"),
    "bias": "use_bias",
    "border_mode": "padding",
    "dilation": "dilation_rate",
    "dim": "axis output_dim units",
    "dropout_rate": "rate dropout",
    "embedding_dim": "output_dim",
    "eps": "epsilon",
    "features": "units filters",
    "kernel_size": "pool_size",
    "nonlinearity": "activation",
    "num_embeddings": "input_dim",
    "num_groups": "groups",
    "p": "rate",
    "scale_factor": "size",
    "stride": "strides",
    "subsample": "strides",
    "unflattened_size": "target_shape",
    "vocab_size": "input_dim",
}

# What Keras writes in another way, and how; '' where it has nothing that an argument would change.
PYTORCH_OTHER_WAYS = {
    "batch_first": "",
    "bidirectional": "put the layer into Bidirectional: {layer: ...}",
    "device": "",
    "end_dim": "",
    "inplace": "",
    "num_layers": "repeat the layer, with return_sequences: true on all but the last",
    "output_padding": "",
    "start_dim": "",
}

_CONVOLUTION = "in_channels out_channels kernel_size stride padding"
_RECURRENT = "input_size hidden_size num_layers bias batch_first dropout bidirectional"
_RECURRENT_CELL = "input_size hidden_size bias"

# The arguments that a class takes by position; names as above, without the number of axes.
PYTORCH_POSITIONS = {
    "avgpool": "kernel_size stride padding",
    "batchnorm": "num_features eps",
    "conv": f"{_CONVOLUTION} dilation groups bias",
    "convtranspose": f"{_CONVOLUTION} output_padding groups bias dilation",
    "embedding": "num_embeddings embedding_dim",
    "flatten": "start_dim end_dim",
    "groupnorm": "num_groups num_channels eps",
    "gru": _RECURRENT,
    "grucell": _RECURRENT_CELL,
    "layernorm": "normalized_shape eps",
    "linear": "in_features out_features bias",
    "lstm": _RECURRENT,
    "lstmcell": _RECURRENT_CELL,
    "maxpool": "kernel_size stride padding dilation",
    "multiheadattention": "embed_dim num_heads dropout bias",
    "prelu": "num_parameters",
    "relu": "inplace",
    "rmsnorm": "normalized_shape eps",
    "rnn": _RECURRENT,
    "rnncell": _RECURRENT_CELL,
    "softmax": "dim",
    "unflatten": "dim unflattened_size",
    "upsample": "size scale_factor",
}
