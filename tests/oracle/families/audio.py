"""Random layers that make spectrograms."""

from __future__ import annotations

import random
from typing import Any

from drawing import BOOLEAN, COMMON, Draw, arguments_of, number, one_of, shape

OWN: dict[str, Draw] = {
    "MelSpectrogram.fft_length": one_of(16, 64, 2048, 0, 1),
    "MelSpectrogram.window": one_of("hann", "hamming", None, "other", [0.5, 1]),
    "STFTSpectrogram.fft_length": one_of(None, 8, 16, 32, 12, 9, 13, 4, 64),
    "dtype": lambda rng: (
        rng.choice(["bool", "uint8", "int64", "int8_from_float32", "int16"])
        if rng.random() < 0.2
        else COMMON["dtype"](rng)
    ),
    "expand_dims": BOOLEAN,
    "frame_length": number(1, 12),
    "frame_step": one_of(None, None, 0, 1, 2, 3, 4, 5, 8),
    "mag_exp": one_of(1, 2.0),
    "max_freq": one_of(None, 4000, 7000.5),
    "min_freq": one_of(0, 20.0, 125),
    "min_power": one_of(1e-10, 1e-5),
    "mode": one_of("log", "magnitude", "psd", "real", "imag", "angle", "stft", "power"),
    "num_mel_bins": number(0, 40),
    "padding": one_of("valid", "same", "same", "valid", "SAME", "causal"),
    "periodic": BOOLEAN,
    "power_to_db": BOOLEAN,
    "ref_power": one_of(1.0, 2),
    "sampling_rate": one_of(16000, 8000, 44100.0),
    "scaling": one_of("density", "spectrum", None, "none"),
    "sequence_length": one_of(None, 0, 16, 8, 64, 400),
    "sequence_stride": one_of(0, 512, 1, 2, 3, 5, 8, 8, 9),
    "top_db": one_of(80.0, 60),
    "window": one_of(
        "hann", "hamming", "hann_periodic", "taylor", "tukey", "bartlett_symmetric", "blackman",
        None, None, "kaiser", "Hann", "hann_periodic_symmetric", [0.5, 1, 0.5], [],
    ),
}  # fmt: skip
RANKS = {"MelSpectrogram": [1, 2, 2, 2, 2, 3, 4, 0], "STFTSpectrogram": [3]}


def draw(rng: random.Random, name: str) -> dict[str, Any]:
    """A random case of a kind."""
    arguments = arguments_of(rng, name, OWN, ("frame_length", "frame_step"))
    rank = rng.choice(RANKS[name]) if rng.random() < 0.95 else rng.randint(0, 5)
    given = shape(rng, rank) if rank else []
    if rank == 3 and rng.random() < 0.5:
        longest = 2 if arguments.get("data_format") == "channels_first" else 1
        given[longest] = rng.randint(20, 300)
    if rng.random() < 0.85 and name == "STFTSpectrogram":
        mend(rng, arguments)
    dtype = rng.choice(["float32", "float32", "float16", "int32"])
    return {"arguments": arguments, "inputs": [{"batch_shape": given, "dtype": dtype}]}


def mend(rng: random.Random, arguments: dict[str, Any]) -> None:
    """Change arguments so that the layer is likely valid."""
    length = arguments["frame_length"]
    if arguments["frame_step"] is not None:
        arguments["frame_step"] = min(arguments["frame_step"] or 1, length)
    if (arguments.get("fft_length") or length) < length:
        arguments["fft_length"] = length
    if isinstance(arguments.get("window"), list):
        arguments["window"] = [rng.choice([0, 0.5, 1])] * length
    for argument, sound in SOUND.items():
        if argument in arguments and rng.random() < 0.85:
            arguments[argument] = rng.choice(sound)


SOUND: dict[str, list[Any]] = {
    "mode": ["log", "real", "imag", "stft"],
    "padding": ["valid", "same"],
    "scaling": ["density", "spectrum", None],
    "dtype": ["float16", "float32", "mixed_bfloat16", "int32"],
}
