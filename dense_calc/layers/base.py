"""What a layer kind is: its arguments, its output shape and its weights.

A kind is a frozen `msgspec.Struct` whose fields are the arguments of the Keras constructor, with
Keras' names and defaults. Everything else (counts, bytes, the trainable split) is derived from
these three facts elsewhere, once for all kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from dense_calc.errors import LayerError
from dense_calc.layers.words import Activation, Constraint, Initializer, Policy, Regularizer
from dense_calc.shapes import Shape

Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
Window = Positive | tuple[Positive, ...]  # one size for all axes, or one for each
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)] | None  # Keras keeps it as a uint32
LayerName = Annotated[str, Meta(min_length=1, pattern="^[^/]*$")]

ONE_INPUT = range(1, 2)
LIST_OF_INPUTS = range(1, 1_000_000)  # a list of one is a list


class Weight(Struct, frozen=True):
    """A weight of a layer: its name in Keras, and the size of each of its named axes, in order.

    `initializer` is the argument that fills it; `dtype` is None where it follows the layer's own.
    """

    name: str
    axes: Mapping[str, int]
    initializer: Initializer = None
    trainable: bool = True
    dtype: str | None = None


class LayerKind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the rest of the program knows of a layer of any kind."""

    takes: ClassVar[range] = ONE_INPUT  # how many inputs a call may have

    name: LayerName | None = None
    trainable: bool = True
    dtype: str | None = None

    def output_shape(self, *shapes: Any, **named: Any) -> Shape:
        """The shape of the output for inputs of these shapes, each with its batch axis.

        Raises:
            LayerError: Keras would not build or call the layer so.
        """
        shape: Shape = shapes[0]
        return shape

    def weights(self, *shapes: Any, **named: Any) -> Iterator[Weight]:
        """The weights for inputs of these shapes, in Keras' order."""
        return iter(())


class KerasLayer(LayerKind, frozen=True, kw_only=True):
    """The arguments that every layer takes (`keras.layers.Layer`)."""

    dtype: Policy | None = None
    autocast: bool = True
    activity_regularizer: Regularizer = None
    input_shape: tuple[NotNegative | None, ...] | None = None
    input_dim: NotNegative | None = None


class KernelLayer(KerasLayer, frozen=True, kw_only=True):
    """A layer that multiplies its input with a kernel and adds a bias, perhaps with LoRA."""

    activation: Activation = None
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None
    lora_rank: NotNegative | None = None
    lora_alpha: float | None = None

    def kernel_and_bias(self, kernel: dict[str, int]) -> Iterator[Weight]:
        """The weights of a kernel with these axes, of which the last is the output's.

        LoRA freezes the kernel and adds two thin matrices, in float32 whatever the layer's dtype.
        """
        output, size = next(reversed(kernel.items()))
        yield Weight("kernel", kernel, self.kernel_initializer, trainable=not self.lora_rank)
        if self.use_bias:
            yield Weight("bias", {output: size}, self.bias_initializer)
        if not self.lora_rank:
            return
        if self.kernel_constraint:
            raise LayerError(
                "lora_rank and kernel_constraint exclude each other; remove one", "lora_rank"
            )
        rank = {"rank": self.lora_rank}
        inputs = {axis: kernel[axis] for axis in kernel if axis != output}
        yield Weight("lora_kernel_a", {**inputs, **rank}, dtype="float32")
        yield Weight("lora_kernel_b", {**rank, output: size}, dtype="float32")


def per_axis(value: int | tuple[int, ...], rank: int, argument: str) -> tuple[int, ...]:
    """A window argument as one size for each of `rank` axes.

    Raises:
        LayerError: it has another number of sizes.
    """
    sizes = (value,) * rank if isinstance(value, int) else value
    if len(sizes) != rank:
        raise LayerError(
            f"{argument} must be one integer, or {rank}, one for each axis, not {list(sizes)}",
            argument,
        )
    return sizes
