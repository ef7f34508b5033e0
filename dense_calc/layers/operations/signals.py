"""Operations on signals: Fourier transforms and sliding windows."""

from __future__ import annotations

from typing import Any, ClassVar

from dense_calc.errors import LayerError
from dense_calc.layers.operations.operation import Int64, ListOperation, Operation
from dense_calc.shapes import Shape, Shapes, Size, computed_size, demand_rank

_SIGNAL_AXES = "(..., length)"


class _ComplexOperation(ListOperation, frozen=True, kw_only=True):
    """An operation on a list of a real and an imaginary part, which have the same shape."""

    _min_rank: ClassVar[int] = 1  # of each part

    def infer_shape(self, *parts: Shape) -> Shapes:
        if len(parts) != 2 or parts[0] != parts[1]:
            raise LayerError("it takes a real and an imaginary part of the same shape")
        demand_rank(parts[0], self._min_rank, _SIGNAL_AXES, or_more=True)
        return self._transform_shape(parts[0])

    def _transform_shape(self, part: Shape) -> Shapes:
        """The output shape for parts of this shape."""
        raise NotImplementedError


class FFT(_ComplexOperation, frozen=True, kw_only=True):
    """The Fourier transform along the last axis, whose size must be known."""

    shape_rule = "(...), (...) → (...), (...)"

    def _transform_shape(self, part: Shape) -> Shapes:
        if None in part[-self._min_rank :]:
            raise LayerError(f"the last axes of {part} must be known")
        return part, part


class FFT2(FFT, frozen=True, kw_only=True):
    """The Fourier transform along the last two axes, whose sizes must be known."""

    _min_rank = 2


class IFFT2(FFT2, frozen=True, kw_only=True):
    """The inverse of FFT2."""


class IRFFT(_ComplexOperation, frozen=True, kw_only=True):
    """The real signal from half of the frequencies of its transform."""

    shape_rule = "(..., length), (..., length) → (..., fft_length)"

    fft_length: Int64 | None = None

    def _transform_shape(self, part: Shape) -> Shapes:
        if self.fft_length is not None:
            return (*part[:-1], self.fft_length)
        length = part[-1]
        if length is None:
            return part
        return (*part[:-1], computed_size(2 * length - 2, f"2 × {length} - 2"))


class ISTFT(_ComplexOperation, frozen=True, kw_only=True):
    """The signal from the Fourier transforms of windows that overlap."""

    _min_rank = 2
    shape_rule = "(..., sequences, frequencies), (..., sequences, frequencies) → (..., length)"

    sequence_length: Int64
    sequence_stride: Int64
    fft_length: Int64
    length: Int64 | None = None
    window: Any = "hann"
    center: bool = True

    def _transform_shape(self, part: Shape) -> Shapes:
        sequences = part[-2]
        if self.length is not None or sequences is None:
            return (*part[:-2], self.length)
        length = (sequences - 1) * self.sequence_stride + self.fft_length
        arithmetic = f"({sequences} - 1) × {self.sequence_stride} + {self.fft_length}"
        if not self.center:
            return (*part[:-2], computed_size(length, arithmetic))
        ends = self.fft_length // 2 * 2
        return (*part[:-2], computed_size(length - ends, f"{arithmetic} - {ends}"))


class RFFT(Operation, frozen=True, kw_only=True):
    """The Fourier transform of a real signal: real and imaginary part of half the frequencies."""

    shape_rule = "(..., length) → (..., length // 2 + 1), (..., length // 2 + 1)"

    fft_length: Int64 | None = None

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, _SIGNAL_AXES, or_more=True)
        length = x[-1] if self.fft_length is None else self.fft_length
        return ((*x[:-1], None if length is None else _frequency_count(length)),) * 2


class STFT(Operation, frozen=True, kw_only=True):
    """The Fourier transforms of a sliding window over a signal: real and imaginary parts."""

    shape_rule = "(..., length) → (..., sequences, frequencies), (..., sequences, frequencies)"

    sequence_length: Int64
    sequence_stride: Int64
    fft_length: Int64
    window: Any = "hann"
    center: bool = True

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, _SIGNAL_AXES, or_more=True)
        ends = self.fft_length // 2 * 2 if self.center else 0
        count = _sequence_count(x[-1], ends, self.fft_length, self.sequence_stride)
        return ((*x[:-1], count, _frequency_count(self.fft_length)),) * 2


class ExtractSequences(Operation, frozen=True, kw_only=True):
    """The parts of a signal under a sliding window."""

    shape_rule = "(..., length) → (..., sequences, sequence_length)"

    sequence_length: Int64
    sequence_stride: Int64

    def infer_shape(self, x: Shape, /) -> Shapes:
        demand_rank(x, 1, _SIGNAL_AXES, or_more=True)
        count = _sequence_count(x[-1], 0, self.sequence_length, self.sequence_stride)
        return (*x[:-1], count, self.sequence_length)


def _frequency_count(length: int) -> int:
    """The number of frequencies in the transform of a real signal of this length."""
    return computed_size(length // 2 + 1, f"{length} // 2 + 1")


def _sequence_count(length: Size, ends: int, window: int, stride: int) -> Size:
    """The number of places of a window in a signal with padding at its `ends`."""
    if length is None:
        return None
    if stride == 0:
        raise LayerError("sequence_stride must not be 0", "sequence_stride")
    padded = f"{length} + {ends}" if ends else f"{length}"
    count = 1 + (length + ends - window) // stride
    return computed_size(count, f"({padded} - {window}) // {stride} + 1")
