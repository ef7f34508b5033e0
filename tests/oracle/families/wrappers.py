"""Random wrapper layers."""

from __future__ import annotations

import random
from typing import Any

from drawing import Draw, arguments_of, drawn, one_of, shape, size

from dense_calc.layers import find_kind

RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D")
KERNELS = (
    *("Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose"),
    *("DepthwiseConv1D", "DepthwiseConv2D", "Embedding", "ReversibleEmbedding"),
)
PLAIN = (
    *("ReLU", "BatchNormalization", "Dropout", "Flatten", "GlobalAveragePooling1D"),
    *("GroupNormalization", "LayerNormalization", "MaxPooling2D", "PReLU", "Permute"),
    *("RepeatVector", "Reshape", "SeparableConv1D", "UpSampling2D", "ZeroPadding2D"),
)
ANY = ("ReLU", "Dense", "Dropout", "Flatten", "LayerNormalization", "BatchNormalization")
WRAPPERS = ("SpectralNormalization", "TimeDistributed", "Bidirectional")
UNFIT = ("Add", "LSTMCell", "MultiHeadAttention", "Pipeline", "InputLayer", "Attention")
INSIDE = {
    "SpectralNormalization": (*KERNELS, *KERNELS, "Dropout", "SeparableConv2D", *WRAPPERS, *UNFIT),
    "TimeDistributed": (*KERNELS, *PLAIN, *RECURRENT, *WRAPPERS, *UNFIT),
    # Not MaxPooling2D: traced inside a pipeline, a window that does not fit gives nothing; not
    # EinsumDense: its equation then says more than its arguments.
    "Pipeline": (
        *(kind for kind in KERNELS if kind != "EinsumDense"),
        *(*ANY, *RECURRENT, *WRAPPERS, "Pipeline", "Concatenate"),
    ),
    "Bidirectional": (*RECURRENT, *RECURRENT, *RECURRENT, "Dense", "TimeDistributed", "LSTMCell"),
}
DOUBTFUL = (
    *("activation", "activity_regularizer", "dtype", "name", "noise_shape"),
    *("quantization_config", "stateful"),
)
# What else is not followed where a pipeline has JAX trace a layer (see the README): LoRA, two
# directions that differ, padding at the end, and below, axes without elements.
TRACED = (
    *("recurrent_activation", "return_state", "use_cudnn"),
    *("backward_layer", "lora_rank", "output_padding", "zero_output_for_mask"),
)
AGREED = ("stateful", "return_sequences", "return_state")

OWN: dict[str, Draw] = {
    "backward_layer": one_of(None),
    "merge_mode": one_of("sum", "mul", "concat", "ave", None, None, "max"),
    "power_iterations": one_of(1, 2, 5, 0),
    "weights": one_of(None, []),
}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind: layers inside it, with inputs that mostly fit them."""
    written, inputs = inner(rng, rng.choice(INSIDE[name]))
    given: dict[str, Any] = {"layer": written}
    if name == "Pipeline":
        layers = [written, *(inner(rng, kind)[0] for kind in further(rng))]
        given = {"layers": spared(layers, (*DOUBTFUL, *TRACED))}
        inputs = [
            [*sizes[:1], *(each or 7 for each in sizes[1:])]  # a size, and some elements
            for sizes in inputs
        ]
    elif name == "TimeDistributed":
        inputs = [[*inputs[0][:1], size(rng), *inputs[0][1:]], *inputs[1:]]
    elif name == "Bidirectional":
        given = directed(rng, written)
    own = OWN | {argument: one_of(value) for argument, value in given.items()}
    arguments = arguments_of(rng, name, own, given)
    if name == "Pipeline":
        absent = {"dtype": "float16", "trainable": False}  # arguments of every other layer
        kept = [word for word in absent if rng.random() < 0.02]
        arguments = {word: arguments[word] for word in arguments if word not in absent}
        arguments |= {word: absent[word] for word in kept}
    return {"arguments": arguments, "inputs": inputs}


def inner(rng: random.Random, kind: str) -> tuple[dict[str, Any], list[Any]]:
    """An inner layer in the form of a spec, and the shapes that it was drawn for.

    It has fewer of the arguments that Keras may refuse, and an input with as many axes as it reads:
    Keras does not look at them inside another layer.
    """
    case = drawn(rng, kind)
    inputs = case["inputs"]
    if isinstance(inputs, dict):
        inputs = list(inputs.values())
    plain = [each["batch_shape"] if isinstance(each, dict) else each for each in inputs]
    sides = len(getattr(find_kind(kind), "spatial_axes", ()))
    steps = kind in RECURRENT
    least, most = (sides + steps + 2,) * 2 if sides or steps else (2, 9)
    if plain and not least <= len(plain[0]) <= most:
        return inner(rng, kind)
    arguments = spared(case["arguments"]) if rng.random() < 0.8 else case["arguments"]
    fits = len(plain) == 1 or rng.random() < 0.1
    return {kind: arguments}, (plain if fits else plain[:1]) or [shape(rng, 3)]


def spared(written: Any, words: tuple[str, ...] = DOUBTFUL) -> Any:
    """Layers without the arguments that Keras often refuses."""
    if isinstance(written, list):
        return [spared(each, words) for each in written]
    if not isinstance(written, dict):
        return written
    return {word: spared(value, words) for word, value in written.items() if word not in words}


def further(rng: random.Random) -> list[str]:
    """The kinds of the layers after the first."""
    return rng.choices(INSIDE["Pipeline"] if rng.random() < 0.2 else ANY, k=rng.randint(0, 3))


def directed(rng: random.Random, forward: dict[str, Any]) -> dict[str, Any]:
    """A layer that mostly goes forwards, and perhaps one that mostly goes backwards like it."""
    ((kind, arguments),) = forward.items()
    if rng.random() < 0.85:
        arguments.pop("go_backwards", None)
    if rng.random() < 0.6:
        return {"layer": forward}
    ((other, same),) = inner(rng, kind if "Conv" in kind or rng.random() < 0.8 else "GRU")[
        0
    ].items()
    if rng.random() < 0.9:
        same |= {"go_backwards": True}
    if rng.random() < 0.9:
        same |= {word: arguments.get(word, False) for word in AGREED}
    return {"layer": forward, "backward_layer": {other: same}}
