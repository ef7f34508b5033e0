"""Keras' layers that turn a sound into a spectrogram."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from dense_calc.errors import LayerError, UnknownSizeError, did_you_mean
from dense_calc.layers.arguments.types import DataFormat, variable_dtype
from dense_calc.layers.base import KerasLayer, NonNegativeInt, PositiveInt, Weight
from dense_calc.layers.spatial import SpatialLayer
from dense_calc.shapes import (
    SEQUENCE_AXES,
    Shape,
    Size,
    computed_size,
    window_counts,
    with_spatial_sizes,
)
from dense_calc.symbolic.state import apply_function

# Names of SciPy's windows without parameters; source: scipy.signal.get_window.
# fmt: off
_SCIPY_WINDOWS = (
    "bart", "barthann", "bartlett", "bkh", "black", "blackharr", "blackman", "blackmanharris",
    "blk", "bman", "bmn", "bohman", "box", "boxcar", "brt", "brthan", "bth", "cosine",
    "exponential", "flat", "flattop", "flt", "halfcosine", "ham", "hamm", "hamming", "han", "hann",
    "lanczos", "nut", "nutl", "nuttall", "ones", "par", "parz", "parzen", "poisson", "rect",
    "rectangular", "sinc", "taylor", "taylorwin", "tri", "triang", "triangle", "tuk", "tukey",
)
# fmt: on


class MelSpectrogram(KerasLayer, frozen=True, kw_only=True):
    """How loud each of `num_mel_bins` pitches is over time.

    The frequencies are weighed by numbers that are worked out, not learnt: it has no weights.
    Only axis 1 counts in an input of more than two axes.
    """

    shape_rule: ClassVar[str] = "(batch, samples) → (batch, num_mel_bins, frames)"

    fft_length: NonNegativeInt = 2048
    sequence_stride: NonNegativeInt = 512
    sequence_length: NonNegativeInt | None = None
    window: str | tuple[float, ...] | None = "hann"
    sampling_rate: float = 16000
    num_mel_bins: NonNegativeInt = 128
    min_freq: float = 20.0
    max_freq: float | None = None
    power_to_db: bool = True
    top_db: float = 80.0
    mag_exp: float = 2.0
    min_power: float = 1e-10
    ref_power: float = 1.0

    def output_shape(self, shape: Shape, /) -> Shape:
        if self.sequence_length and self.fft_length < self.sequence_length:
            raise LayerError(
                f"fft_length {self.fft_length} must not be below "
                f"sequence_length {self.sequence_length}",
                "fft_length",
            )
        if not shape:
            raise LayerError("the input must be a sequence of samples, not a single number")
        batch = shape[:1] if len(shape) > 1 else ()
        return (*batch, self.num_mel_bins, self._frame_count(shape[len(batch)]))

    def _frame_count(self, samples: Size) -> Size:
        """The number of frames in a sound of `samples`."""
        stride = self.sequence_stride
        if samples is None:
            return None
        if not stride:
            raise LayerError("sequence_stride must be at least 1", "sequence_stride")
        return computed_size(
            (samples + stride + 1) // stride, f"({samples} + {stride} + 1) // {stride}"
        )


class STFTSpectrogram(KerasLayer, SpatialLayer, frozen=True, kw_only=True):
    """How loud each frequency is over time: a convolution whose kernels are waves.

    The kernels are weights, which a training may change; `trainable: false` keeps them.
    """

    spatial_axes = SEQUENCE_AXES
    shape_rule: ClassVar[str] = "(batch, *sides, channels) → (batch, *sides', features)"

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"] = "log"
    frame_length: PositiveInt = 256
    frame_step: PositiveInt | None = None
    fft_length: NonNegativeInt | None = None
    window: str | tuple[float, ...] | None = "hann"
    periodic: bool = False
    scaling: Literal["density", "spectrum"] | None = "density"
    padding: Literal["valid", "same"] = "valid"
    expand_dims: bool = False
    data_format: DataFormat | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        self._demand_valid_window()
        length = self.spatial_sizes(shape)
        window = (self.frame_length,)
        (frames,) = window_counts(
            length, window, (self._effective_frame_step(),), window, self.padding, "frame_length"
        )
        channels = self.channel_count(shape)
        if channels is None:
            raise UnknownSizeError(
                f"it needs the number of channels, which is unknown in {shape}; "
                "give it a size in the model's input"
            )
        bins = self._frequency_bin_count()
        arithmetic = f"({self._effective_fft_length()} // 2 + 1)"
        if self.mode == "stft":  # real and imaginary parts
            bins, arithmetic = 2 * bins, f"2 × {arithmetic}"
        if self.expand_dims:
            sides = (frames, computed_size(bins, arithmetic))
            return self.replace_spatial_sizes(shape, sides)
        features = computed_size(channels * bins, f"{channels} × {arithmetic}")
        return with_spatial_sizes(shape, (frames,), features, self.data_format)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        dtype = variable_dtype(self.dtype)
        if dtype == "bool" or dtype.startswith(("uint", "float8")):  # cannot hold waves
            raise LayerError(f"its weights cannot be of dtype '{dtype}'; use a float", "dtype")
        waves = {"frame_length": self.frame_length, "1": 1, "bins": self._frequency_bin_count()}
        for part, other in ("real", "imag"), ("imag", "real"):
            if self.mode != other:
                yield Weight(f"{part}_kernel", waves, "zeros")

    def _effective_frame_step(self) -> int:
        """The number of samples from one frame to the next."""
        if self.frame_step is None and self.frame_length == 1:
            raise LayerError(
                "frame_step, half of frame_length 1, would be 0; write 'frame_step: 1'",
                "frame_length",
            )
        step = self.frame_step or self.frame_length // 2
        if step > self.frame_length:
            raise LayerError(
                f"frame_step {step} must not be above frame_length {self.frame_length}",
                "frame_step",
            )
        return step

    def _effective_fft_length(self) -> int:
        """The length to which each frame is padded for the transform."""
        if self.fft_length is not None and self.fft_length < self.frame_length:
            raise LayerError(
                f"fft_length {self.fft_length} must not be below frame_length {self.frame_length}",
                "fft_length",
            )
        return self.fft_length or 2 ** math.ceil(
            apply_function("log2", math.log2, self.frame_length)
        )

    def _frequency_bin_count(self) -> int:
        """The number of frequencies."""
        return self._effective_fft_length() // 2 + 1

    def _demand_valid_window(self) -> None:
        """Raise LayerError unless SciPy has `window`, or it has a number for each sample."""
        if isinstance(self.window, str):
            name = re.sub(r"_(symmetric|periodic)\Z", "", self.window)
            if name not in _SCIPY_WINDOWS:
                hint = did_you_mean(name, _SCIPY_WINDOWS, else_listed=False)
                raise LayerError(f"SciPy has no window {self.window!r:.60}{hint}", "window")
        elif self.window is not None and len(self.window) != self.frame_length:
            raise LayerError(
                f"window must hold one number for each of frame_length {self.frame_length}; "
                f"it holds {len(self.window)}",
                "window",
            )
