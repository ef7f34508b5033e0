"""The weights that replace a kernel where the dtype policy is quantized.

Only Dense, EinsumDense and the embeddings are quantized: every other layer keeps its weights in
the dtype that the policy starts from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.dtype_policies import DTypePolicy
from dense_calc.layers.arguments.types import SerializedObject, dtype_policy_of
from dense_calc.layers.base import Weight
from dense_calc.layers.kernels import LoraLayer
from dense_calc.layers.weight_axes import WeightAxes, group_axis, pack_axis

# For a class of configuration: its mode, the argument for the number of weights that share a scale,
# the default of that argument, and the bits that a weight may have.
_QUANTIZATION_CONFIGS: dict[str, tuple[str, str, int | None, tuple[int, ...]]] = {
    "AWQConfig": ("awq", "group_size", 128, (4,)),
    "GPTQConfig": ("gptq", "group_size", 128, (2, 3, 4, 8)),
    "Int4QuantizationConfig": ("int4", "block_size", None, (4,)),
}
_QuantizationConfigClass = Literal[
    "AWQConfig",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
]


class SerializedQuantizationConfig(SerializedObject, frozen=True):
    """How a layer is quantized; it goes before what the dtype policy says."""

    class_name: _QuantizationConfigClass

    def __post_init__(self) -> None:
        if self.class_name in _QUANTIZATION_CONFIGS:
            _, name, default, widths = _QUANTIZATION_CONFIGS[self.class_name]
            group = self.argument_value(name, default)
            if group not in (None, -1) and not (isinstance(group, int) and group > 0):
                raise ValueError(f"{name} must be a positive integer or -1, not {group}")
            if self.argument_value("weight_bits", 4) not in widths:
                allowed = " or ".join(map(str, widths))
                raise ValueError(f"weight_bits of {self.class_name} must be {allowed}")

    def argument_value(self, argument: str, default: int | None) -> Any:
        """The value of an argument."""
        return (self.config or {}).get(argument, default)


def quantization_policy_of(
    dtype: str | SerializedObject | None, config: SerializedQuantizationConfig | None
) -> DTypePolicy:
    """The dtype policy of a layer with the numbers of its quantization configuration."""
    policy = dtype_policy_of(dtype)
    if config is None or config.class_name not in _QUANTIZATION_CONFIGS:
        return policy
    mode, name, default, _ = _QUANTIZATION_CONFIGS[config.class_name]
    if mode != policy.quantization_mode:
        return policy
    return replace(
        policy,
        group_size=config.argument_value(name, default) or -1,
        weight_bits=config.argument_value("weight_bits", 4),
    )


def quantized_weights(
    name: str, axes: WeightAxes, scale: WeightAxes, dtype: str
) -> Iterator[Weight]:
    """A quantized weight and its scale."""
    yield Weight(name, axes, "zeros", trainable=False, dtype=dtype)
    yield Weight(f"{name}_scale", scale, "ones", trainable=False)


def zero_point_weight(name: str, axes: WeightAxes, dtype: str | None) -> Weight:
    """The integer that stands for zero in each group."""
    return Weight(name, axes, "zeros", trainable=False, dtype=dtype)


def group_index_weight(axes: WeightAxes) -> Weight:
    """The group that each row belongs to."""
    return Weight("g_idx", axes, "zeros", trainable=False, dtype="float32")


def float8_weights(history: int) -> Iterator[Weight]:
    """The scales of float8 training, and the last `history` maxima that they come from.

    They count as trainable: the gradient overwrites them.
    """
    for tensor in ("inputs", "kernel", "outputs_grad"):
        yield Weight(f"{tensor}_scale", {}, "ones", dtype="float32")
        yield Weight(f"{tensor}_amax_history", {"history": history}, "zeros", dtype="float32")


class QuantizableLayer(LoraLayer, frozen=True, kw_only=True):
    """A layer whose kernel can be quantized, as a matrix of rows and columns."""

    zero_point_name: ClassVar[str] = "kernel_zero"

    quantization_config: SerializedQuantizationConfig | None = None

    def matrix_axes(self, kernel: WeightAxes, mode: str) -> tuple[WeightAxes, WeightAxes]:
        """The axes of the rows and of the columns of the kernel as a matrix."""
        (rows, inputs), (columns, outputs) = kernel.items()
        return {rows: inputs}, {columns: outputs}

    def int8_scale_axes(self, kernel: WeightAxes) -> WeightAxes:
        """The axes of the scale in mode int8."""
        return self.matrix_axes(kernel, "int8")[1]

    def ordered_weights(self, kernel: WeightAxes, bias: Weight | None) -> Iterator[Weight]:
        """The weights in Keras' order: those of the unquantized layer come first."""
        policy = quantization_policy_of(self.dtype, self.quantization_config)
        mode = policy.quantization_mode
        if mode in ("gptq", "awq") and self.lora_rank:
            raise LayerError(f"a layer quantized as {mode} cannot have LoRA", "lora_rank")
        if mode == "float8":
            yield from float8_weights(policy.amax_history_length)
        if mode in (None, "float8"):
            yield self.kernel_weight(kernel)
        if bias is not None:
            yield bias
        yield from self.lora_weights(kernel)
        if mode == "int8":
            yield from quantized_weights("kernel", kernel, self.int8_scale_axes(kernel), "int8")
        elif mode == "int4":
            yield from self._int4_weights(policy, *self.matrix_axes(kernel, mode))
        elif mode in ("gptq", "awq"):
            yield from self._calibrated_weights(policy, *self.matrix_axes(kernel, mode))

    def _int4_weights(
        self, policy: DTypePolicy, rows: WeightAxes, columns: WeightAxes
    ) -> Iterator[Weight]:
        """A kernel with two columns in a byte, and a scale for each column or each group in it."""
        grouped = policy.group_size != -1
        scale = {**group_axis(rows, policy.group_size), **columns} if grouped else columns
        yield from quantized_weights("kernel", {**rows, **pack_axis(columns)}, scale, "int8")
        if grouped:
            yield zero_point_weight("kernel_zero", scale, "int8")
            yield group_index_weight(rows)

    def _calibrated_weights(
        self, policy: DTypePolicy, rows: WeightAxes, columns: WeightAxes
    ) -> Iterator[Weight]:
        """The weights that GPTQ and AWQ compute from data."""
        if not policy.weight_bits:
            told = f"{policy.quantization_mode} needs weight_bits and group_size"
            raise LayerError(f"{told}, in 'dtype' or in 'quantization_config'", "dtype")
        kernel = pack_axis(columns) if policy.weight_bits == 4 else columns
        scale = {**columns, **group_axis(rows, policy.group_size)}
        yield from quantized_weights("kernel", {**kernel, **rows}, scale, "uint8")
        yield zero_point_weight(self.zero_point_name, scale, "uint8")
        if policy.quantization_mode == "awq":
            yield Weight("awq_scales", rows, "ones", trainable=False)
        yield group_index_weight(rows)
