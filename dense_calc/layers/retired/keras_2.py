"""Layers of Keras 1 and 2 that no layer of Keras 3 can stand for.

Old files hold them, and so do specs that were converted from such files. Sources: the modules of
the same layers in Keras 1.2.2 and 2.3.1, keras/legacy/layers.py of Keras 2.2.4, and tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec import field
from msgspec.structs import replace

from dense_calc.layers.activations import PReLU
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    Constraint,
    ConvPadding,
    Initializer,
    Regularizer,
    SerializedInitializer,
)
from dense_calc.layers.base import (
    KerasLayer,
    LayerKind,
    NonNegativeInt,
    PositiveInt,
    RandomSeed,
    Weight,
)
from dense_calc.layers.cells import GRUCell, LSTMCell, RecurrentCell, UnitsCell
from dense_calc.layers.convolutional import Conv
from dense_calc.layers.kernels import LayerWithKernel
from dense_calc.layers.recurrent import RecurrentLayer
from dense_calc.layers.retired.locally_connected import LocallyConnected1D, LocallyConnected2D
from dense_calc.layers.retired.rnn_cells import (
    DeviceWrapper,
    DropoutWrapper,
    PeepholeLSTMCell,
    ResidualWrapper,
)
from dense_calc.shapes import (
    IMAGE_AXES,
    Shape,
    demand_rank,
    known_axis_size,
    with_spatial_sizes,
)


class AddLoss(KerasLayer, frozen=True, kw_only=True):
    """Adds its input to the losses, and passes it on."""

    keras_module: ClassVar[str] = ""

    unconditional: bool = False


class AddMetric(KerasLayer, frozen=True, kw_only=True):
    """Measures its input, and passes it on."""

    keras_module: ClassVar[str] = ""

    aggregation: str | None = None
    metric_name: str | None = None


class _CuDNNRecurrentLayer(RecurrentLayer, LayerWithKernel, frozen=True, kw_only=True):
    """A recurrent layer in the layout of NVIDIA's library: each gate has two biases, in one row."""

    keras_module: ClassVar[str] = ""
    cell_kind: ClassVar[type[UnitsCell]]
    _gate_count: ClassVar[int]

    units: PositiveInt
    recurrent_initializer: Initializer = "orthogonal"
    recurrent_regularizer: Regularizer = None
    recurrent_constraint: Constraint = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False

    @property
    def inner_cell(self) -> RecurrentCell:
        return self.cell_kind(units=self.units)

    def weights(self, sequences: Shape, /, *_others: Any) -> Iterator[Weight]:
        inputs, units = known_axis_size(self.step_shape(sequences), -1), self.units
        gates = {f"{self._gate_count} × units": self._gate_count * units}
        yield Weight("kernel", {"inputs": inputs, **gates}, self.kernel_initializer)
        yield Weight("recurrent_kernel", {"units": units, **gates}, self.recurrent_initializer)
        biases = {f"{2 * self._gate_count} × units": 2 * self._gate_count * units}
        yield Weight("bias", biases, self.bias_initializer)


class CuDNNGRU(_CuDNNRecurrentLayer, frozen=True, kw_only=True):
    """GRU as NVIDIA's library has it."""

    cell_kind = GRUCell
    _gate_count = 3


class CuDNNLSTM(_CuDNNRecurrentLayer, frozen=True, kw_only=True):
    """LSTM as NVIDIA's library has it."""

    cell_kind = LSTMCell
    _gate_count = 4

    unit_forget_bias: bool = True


class Deconvolution2D(Conv, frozen=True, kw_only=True):
    """A transposed convolution with a given output shape, which includes the batch axis."""

    keras_module: ClassVar[str] = ""

    spatial_axes = IMAGE_AXES

    padding: ConvPadding = ConvPadding.valid
    output_size: tuple[NonNegativeInt | None, ...] = field(name="output_shape")

    def output_shape(self, shape: Shape, /) -> Shape:
        self.spatial_sizes(shape)  # checks the rank
        sizes = self.spatial_sizes(self.output_size)
        return with_spatial_sizes(shape, sizes, self.filters, self.data_format)


class MaxoutDense(LayerWithKernel, frozen=True, kw_only=True):
    """The largest of `nb_feature` fully connected layers, element by element."""

    keras_module: ClassVar[str] = ""
    shape_rule: ClassVar[str] = "(batch, inputs) → (batch, units)"

    units: PositiveInt
    nb_feature: PositiveInt = 4
    use_bias: bool = True

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, inputs)")
        return (shape[0], self.units)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        features, units = {"nb_feature": self.nb_feature}, {"units": self.units}
        kernel = {**features, "inputs": known_axis_size(shape, -1), **units}
        yield Weight("W", kernel, self.kernel_initializer)
        if self.use_bias:
            yield Weight("b", {**features, **units}, self.bias_initializer)


class Highway(LayerWithKernel, frozen=True, kw_only=True):
    """A fully connected layer that learns how much of its input to carry on as it is."""

    keras_module: ClassVar[str] = ""
    shape_rule: ClassVar[str] = "(batch, inputs) → (batch, inputs)"

    activation: ActivationArgument = None
    use_bias: bool = True

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, inputs)")
        return shape

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        inputs = known_axis_size(shape, -1)
        for name in "W", "W_carry":
            yield Weight(name, {"inputs": inputs, "outputs": inputs}, self.kernel_initializer)
        if self.use_bias:
            yield Weight("b", {"outputs": inputs}, self.bias_initializer)
            yield Weight("b_carry", {"outputs": inputs}, "ones")


class ThresholdedReLU(KerasLayer, frozen=True, kw_only=True):
    """Keeps values above `theta`, and sets others to 0."""

    keras_module: ClassVar[str] = ""

    theta: float = 1.0


class ParametricSoftplus(KerasLayer, frozen=True, kw_only=True):
    """A softplus with two learned numbers for each element; `shared_axes` are those of PReLU."""

    keras_module: ClassVar[str] = ""

    alpha_init: float = 0.2
    beta_init: float = 5.0
    shared_axes: int | tuple[int, ...] | None = None

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        for name in "alphas", "betas":
            yield _elementwise_weight(name, "ones", shape, self.shared_axes)


class SReLU(KerasLayer, frozen=True, kw_only=True):
    """A learned line of three pieces for each element; `shared_axes` are those of PReLU."""

    keras_module: ClassVar[str] = ""

    t_left_initializer: Initializer = "zeros"
    a_left_initializer: Initializer = "glorot_uniform"
    t_right_initializer: Initializer = "glorot_uniform"
    a_right_initializer: Initializer = "ones"
    shared_axes: int | tuple[int, ...] | None = None

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        for name in "t_left", "a_left", "t_right", "a_right":
            initializer = getattr(self, f"{name}_initializer")
            yield _elementwise_weight(name, initializer, shape, self.shared_axes)


class RandomFourierFeatures(KerasLayer, frozen=True, kw_only=True):
    """Random features of its input, which approximate those of a kernel machine."""

    keras_module: ClassVar[str] = ""
    shape_rule: ClassVar[str] = "(batch, inputs) → (batch, output_dim)"

    output_dim: PositiveInt
    kernel_initializer: Literal["gaussian", "laplacian"] | SerializedInitializer = "gaussian"
    scale: float | None = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 2, "(batch, inputs)")
        return (shape[0], self.output_dim)

    def weights(self, shape: Shape, /) -> Iterator[Weight]:
        output = {"output_dim": self.output_dim}
        kernel = {"inputs": known_axis_size(shape, -1), **output}
        yield Weight("unscaled_kernel", kernel, "normal", trainable=False, dtype="float32")
        yield Weight("bias", output, "uniform", trainable=False, dtype="float32")
        yield Weight("kernel_scale", {"1": 1}, "ones", dtype="float32")


class _RandomSideLayer(KerasLayer, frozen=True, kw_only=True):
    """Stretches or shrinks one side of images at random, so that its size is unknown."""

    keras_module: ClassVar[str] = ""
    _side_axis: ClassVar[int]

    factor: float | tuple[float, ...]
    interpolation: str = "bilinear"
    seed: RandomSeed = None

    def output_shape(self, shape: Shape, /) -> Shape:
        demand_rank(shape, 3, "(..., height, width, channels)", or_more=True)
        place = len(shape) + self._side_axis
        return (*shape[:place], None, *shape[place + 1 :])


class RandomHeight(_RandomSideLayer, frozen=True, kw_only=True):
    """Stretches or shrinks the height of images at random."""

    shape_rule: ClassVar[str] = "(..., height, width, channels) → (..., height', width, channels)"
    _side_axis = -3


class RandomWidth(_RandomSideLayer, frozen=True, kw_only=True):
    """Stretches or shrinks the width of images at random."""

    shape_rule: ClassVar[str] = "(..., height, width, channels) → (..., height, width', channels)"
    _side_axis = -2


def _elementwise_weight(
    name: str, initializer: Initializer, shape: Shape, shared_axes: int | tuple[int, ...] | None
) -> Weight:
    """A weight with a number for each element of the input, shared along `shared_axes`."""
    (alpha,) = PReLU(shared_axes=shared_axes).weights(shape)
    return replace(alpha, name=name, initializer=initializer)


# fmt: off
RETIRED_KINDS: dict[str, type[LayerKind]] = {
    kind.__name__: kind
    for kind in (
        AddLoss, AddMetric, CuDNNGRU, CuDNNLSTM, Deconvolution2D, DeviceWrapper, DropoutWrapper,
        Highway, LocallyConnected1D, LocallyConnected2D, MaxoutDense, ParametricSoftplus,
        PeepholeLSTMCell, RandomFourierFeatures, RandomHeight, RandomWidth, ResidualWrapper, SReLU,
        ThresholdedReLU,
    )
}
# fmt: on
