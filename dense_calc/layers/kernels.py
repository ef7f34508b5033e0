"""The bases of layers that multiply their input with a kernel: plain, with LoRA, with a bias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.types import (
    ActivationArgument,
    Constraint,
    Initializer,
    Regularizer,
)
from dense_calc.layers.base import KerasLayer, NonNegativeInt, Weight


class LayerWithKernel(KerasLayer, frozen=True, kw_only=True):
    """The arguments of a layer with a kernel, and perhaps a bias."""

    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: Regularizer = None
    bias_regularizer: Regularizer = None
    kernel_constraint: Constraint = None
    bias_constraint: Constraint = None


class LoraLayer(LayerWithKernel, frozen=True, kw_only=True):
    """A layer with a kernel that LoRA may freeze, and an activation."""

    activation: ActivationArgument = None
    lora_rank: NonNegativeInt | None = None
    lora_alpha: float | None = None

    def kernel_weight(self, axes: Mapping[str, int]) -> Weight:
        """The kernel, which LoRA freezes."""
        return Weight("kernel", axes, self.kernel_initializer, trainable=not self.lora_rank)

    def lora_weights(self, kernel: Mapping[str, int]) -> Iterator[Weight]:
        """The two thin matrices that LoRA adds to a kernel with these axes, the output axis last.

        They are float32 whatever the layer's dtype.
        """
        if not self.lora_rank:
            return
        if self.kernel_constraint:
            raise LayerError(
                "lora_rank and kernel_constraint cannot both be set; remove one", "lora_rank"
            )
        rank = {"rank": self.lora_rank}
        *inputs, output = kernel
        input_axes = {axis: kernel[axis] for axis in inputs}
        yield Weight("lora_kernel_a", {**input_axes, **rank}, dtype="float32")
        yield Weight("lora_kernel_b", {**rank, output: kernel[output]}, dtype="float32")


class KernelAndBiasLayer(LoraLayer, frozen=True, kw_only=True):
    """A layer with a kernel and, unless `use_bias` is false, a bias; never quantized."""

    use_bias: bool = True

    def kernel_and_bias_weights(self, kernel: dict[str, int]) -> Iterator[Weight]:
        """The weights for a kernel with these axes, the output axis last."""
        output, size = next(reversed(kernel.items()))
        yield self.kernel_weight(kernel)
        if self.use_bias:
            yield Weight("bias", {output: size}, self.bias_initializer)
        yield from self.lora_weights(kernel)
