"""What a layer keeps in place of its kernel when its dtype policy is quantized.

Only Dense, EinsumDense and the embeddings have anything: every other layer keeps its weights in
the dtype that the policy comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from msgspec.structs import replace

from dense_calc.errors import LayerError
from dense_calc.layers.arguments.dtype_policies import DTypePolicy
from dense_calc.layers.arguments.types import SerializedObject, dtype_policy_of
from dense_calc.layers.base import PRODUCT_SIGN, Weight
from dense_calc.layers.kernels import LoraLayer

WeightAxes = Mapping[str, int]

# For a class of configuration: its mode, the argument that says how many weights share a scale,
# what that is where it is not given, and the bits that a weight may have.
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
                told = " or ".join(map(str, widths))
                raise ValueError(f"weight_bits of {self.class_name} must be {told}")

    def argument_value(self, argument: str, default: int | None) -> Any:
        """The value of an argument."""
        return (self.config or {}).get(argument, default)


def quantization_policy_of(
    dtype: str | SerializedObject | None, config: SerializedQuantizationConfig | None
) -> DTypePolicy:
    """What a dtype policy and a configuration together say of a layer's weights."""
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


def pack_axis(axes: WeightAxes) -> WeightAxes:
    """An axis of 4-bit numbers as it is kept: two in a byte."""
    return {
        f"packed {name.replace(PRODUCT_SIGN, '·')}": (size + 1) // 2 for name, size in axes.items()
    }


def group_axis(axes: WeightAxes, group: int) -> WeightAxes:
    """The groups of weights along an axis that share a scale: one if `group` is -1."""
    (size,) = axes.values()
    return {"groups": 1 if group == -1 else -(-size // group)}


def quantized_weights(
    name: str, axes: WeightAxes, scale: WeightAxes, dtype: str
) -> Iterator[Weight]:
    """A quantized weight and its scale."""
    yield Weight(name, axes, "zeros", trainable=False, dtype=dtype)
    yield Weight(f"{name}_scale", scale, "ones", trainable=False)


def zero_point_weight(name: str, axes: WeightAxes, dtype: str | None) -> Weight:
    """The number that stands for zero in each group."""
    return Weight(name, axes, "zeros", trainable=False, dtype=dtype)


def group_index_weight(axes: WeightAxes) -> Weight:
    """The group that each row belongs to."""
    return Weight("g_idx", axes, "zeros", trainable=False, dtype="float32")


def float8_weights(history: int) -> Iterator[Weight]:
    """The scales of float8 training, and the largest values of late that they come from.

    They count as trainable: the gradient overwrites them.
    """
    for what in ("inputs", "kernel", "outputs_grad"):
        yield Weight(f"{what}_scale", {}, "ones", dtype="float32")
        yield Weight(f"{what}_amax_history", {"history": history}, "zeros", dtype="float32")


class QuantizableLayer(LoraLayer, frozen=True, kw_only=True):
    """A layer with a kernel that is a matrix when it is quantized."""

    zero_point_name: ClassVar[str] = "kernel_zero"

    quantization_config: SerializedQuantizationConfig | None = None

    def matrix_axes(self, kernel: WeightAxes, mode: str) -> tuple[WeightAxes, WeightAxes]:
        """The rows and the columns of the kernel."""
        (rows, inputs), (columns, outputs) = kernel.items()
        return {rows: inputs}, {columns: outputs}

    def int8_scale_axes(self, kernel: WeightAxes) -> WeightAxes:
        """The axes of the scale in mode int8."""
        return self.matrix_axes(kernel, "int8")[1]

    def ordered_weights(self, kernel: WeightAxes, bias: Weight | None) -> Iterator[Weight]:
        """The weights in Keras' order: those that were made to be trained come first."""
        plan = quantization_policy_of(self.dtype, self.quantization_config)
        whole = plan.quantization_mode in (None, "float8")
        if plan.quantization_mode in ("gptq", "awq") and self.lora_rank:
            raise LayerError(
                f"a layer quantized as {plan.quantization_mode} has no LoRA", "lora_rank"
            )
        if plan.quantization_mode == "float8":
            yield from float8_weights(plan.amax_history_length)
        if whole:
            yield self.kernel_weight(kernel)
        if bias is not None:
            yield bias
        yield from self.lora_weights(kernel)
        if plan.quantization_mode == "int8":
            yield from quantized_weights("kernel", kernel, self.int8_scale_axes(kernel), "int8")
        elif not whole:
            rows, columns = self.matrix_axes(kernel, plan.quantization_mode or "")
            make = (
                self.int4_weights if plan.quantization_mode == "int4" else self.calibrated_weights
            )
            yield from make(plan, rows, columns)

    def int4_weights(
        self, plan: DTypePolicy, rows: WeightAxes, columns: WeightAxes
    ) -> Iterator[Weight]:
        """A kernel of two columns in a byte, with a scale for each column or group in it."""
        shared = plan.group_size == -1
        scale = columns if shared else {**group_axis(rows, plan.group_size), **columns}
        yield from quantized_weights("kernel", {**rows, **pack_axis(columns)}, scale, "int8")
        if not shared:
            yield zero_point_weight("kernel_zero", scale, "int8")
            yield group_index_weight(rows)

    def calibrated_weights(
        self, plan: DTypePolicy, rows: WeightAxes, columns: WeightAxes
    ) -> Iterator[Weight]:
        """What GPTQ and AWQ fill when they have seen data."""
        kernel = pack_axis(columns) if plan.weight_bits == 4 else columns
        scale = {**columns, **group_axis(rows, plan.group_size)}
        yield from quantized_weights("kernel", {**kernel, **rows}, scale, "uint8")
        yield zero_point_weight(self.zero_point_name, scale, "uint8")
        if plan.quantization_mode == "awq":
            yield Weight("awq_scales", rows, "ones", trainable=False)
        yield group_index_weight(rows)
