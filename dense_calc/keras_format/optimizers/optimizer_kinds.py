"""Keras' optimizers: their arguments, and what each keeps of the weights that it trains.

Source: `build` of each class in `keras.optimizers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import prod
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from dense_calc.layers.arguments.types import DTYPE_BITS
from dense_calc.layers.quantization import float8_weights
from dense_calc.shapes import Sizes

_OVERWRITTEN_WEIGHTS = {
    weight.name for weight in float8_weights(0)
}  # weights that no optimizer steps
_PLAIN_TEXT_PATTERN = r"[\w /-]*"  # which is no pattern

Slot = tuple[str, str | None]  # its name, and the argument without which it is not kept


class Variable(Struct, frozen=True):
    """A weight that is trained, or what is kept of it; the `path` leads to it in the model."""

    shape: Sizes
    dtype: str
    path: str = ""

    @property
    def params(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """The memory that it takes."""
        return self.params * DTYPE_BITS[self.dtype] // 8

    @property
    def is_overwritten(self) -> bool:
        """Whether its gradient takes its place, as float8 training has it."""
        return self.path.rpartition("/")[2] in _OVERWRITTEN_WEIGHTS


_SCALAR_VARIABLE, _COUNTER_VARIABLE = (
    Variable((), "float32"),
    Variable((), "int32"),
)  # int64 with TensorFlow


class Optimizer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of all optimizers; each kind says what it keeps in the shape of each weight."""

    slots: ClassVar[tuple[Slot, ...]] = ()

    name: str | None = None
    learning_rate: float | dict[str, Any] = 0.001  # or a schedule
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema: bool = False
    ema_momentum: Annotated[float, Meta(ge=0, le=1)] = 0.99
    ema_overwrite_frequency: Annotated[int, Meta(ge=1)] | None = None
    loss_scale_factor: float | None = None
    gradient_accumulation_steps: Annotated[int, Meta(ge=2)] | None = None

    def state_variables(self, weights: Sequence[Variable]) -> Iterator[Variable]:
        """What it adds to train these weights."""
        yield _COUNTER_VARIABLE
        if not isinstance(self.learning_rate, dict):
            yield _SCALAR_VARIABLE
        for weight in weights:
            if self.gradient_accumulation_steps:
                yield weight
            if not weight.is_overwritten:
                yield from (weight,) * self.use_ema
                yield from self.slot_variables(weight)

    def attribute_variables(self, weights: Sequence[Variable]) -> Iterator[Variable]:
        """What Keras finds among its attributes, but not where it is inside another optimizer."""
        return iter(())

    def slot_variables(self, weight: Variable) -> Iterator[Variable]:
        """What it keeps of one weight."""
        for _, argument in self.slots:
            if argument is None or getattr(self, argument):
                yield weight


class Adam(Optimizer, frozen=True, kw_only=True):
    """Keeps two moments of each gradient."""

    slots = (("momentum", None), ("velocity", None), ("velocity_hat", "amsgrad"))

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    amsgrad: bool = False


class AdamW(Adam, frozen=True, kw_only=True):
    """Adam, with a decay of the weights."""


class TwoMomentOptimizer(Optimizer, frozen=True, kw_only=True):
    """An optimizer that keeps two moments of each gradient and has no third."""

    slots = (("momentum", None), ("velocity", None))

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


class Adamax(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Keeps a moment of each gradient and its largest value."""


class Lamb(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Adam, with a step for each layer."""


class ScheduleFreeAdamW(TwoMomentOptimizer, frozen=True, kw_only=True):
    """AdamW, without a schedule of the learning rate."""

    warmup_steps: int = 0


class Nadam(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Adam with Nesterov's momentum, which keeps the product of its schedule, too."""

    def attribute_variables(self, weights: Sequence[Variable]) -> Iterator[Variable]:
        yield Variable((), weights[0].dtype) if weights else _SCALAR_VARIABLE


class SGD(Optimizer, frozen=True, kw_only=True):
    """Keeps nothing without momentum."""

    slots = (("momentum", "momentum"),)

    momentum: Annotated[float, Meta(ge=0, le=1)] = 0.0
    nesterov: bool = False


class RMSprop(Optimizer, frozen=True, kw_only=True):
    """Keeps the mean square of each gradient."""

    slots = (("velocity", None), ("momentum", "momentum"), ("average_gradient", "centered"))

    rho: float = 0.9
    momentum: Annotated[float, Meta(ge=0)] = 0.0
    epsilon: float = 1e-7
    centered: bool = False


class Adagrad(Optimizer, frozen=True, kw_only=True):
    """Keeps the sum of squares of each gradient."""

    slots = (("accumulator", None),)

    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7


class Adadelta(Optimizer, frozen=True, kw_only=True):
    """Keeps mean squares of each gradient and of each step."""

    slots = (("accumulated_grad", None), ("accumulated_delta_var", None))

    rho: float = 0.95
    epsilon: float = 1e-7


class Ftrl(Optimizer, frozen=True, kw_only=True):
    """Follows the regularized leader."""

    slots = (("accumulator", None), ("linear", None))

    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    l2_shrinkage_regularization_strength: float = 0.0
    beta: float = 0.0


class Lion(Optimizer, frozen=True, kw_only=True):
    """Keeps one moment of each gradient."""

    slots = (("momentum", None),)

    beta_1: float = 0.9
    beta_2: float = 0.99


class Adafactor(Optimizer, frozen=True, kw_only=True):
    """Keeps means of the rows and columns of each matrix; in Keras its velocity, too.

    Of what has fewer axes than a matrix it keeps two numbers in place of them.
    """

    slots = (("velocity", None),)

    beta_2_decay: float = -0.8
    epsilon_1: float = 1e-30
    epsilon_2: float = 1e-3
    clip_threshold: float = 1.0
    relative_step: bool = True

    def attribute_variables(self, weights: Sequence[Variable]) -> Iterator[Variable]:
        for weight in weights:
            if len(weight.shape) < 2:
                yield from (_SCALAR_VARIABLE, _SCALAR_VARIABLE)

    def slot_variables(self, weight: Variable) -> Iterator[Variable]:
        yield from super().slot_variables(weight)
        if len(weight.shape) >= 2:
            *others, rows, columns = weight.shape
            yield replace(weight, shape=(*others, rows))
            yield replace(weight, shape=(*others, columns))


class Muon(Optimizer, frozen=True, kw_only=True):
    """Keeps a moment of each gradient, and a second one of what is no matrix or an embedding."""

    slots = (("momentum", None),)

    weight_decay: float | None = 0.004
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-7
    exclude_layers: tuple[str, ...] | None = None
    exclude_embeddings: bool = True
    muon_a: float = 3.4445
    muon_b: float = -4.775
    muon_c: float = 2.0315
    adam_lr_ratio: float = 1
    momentum: float = 0.95
    ns_steps: int = 5
    nesterov: bool = True
    rms_rate: float | None = 0.2

    def __post_init__(self) -> None:
        """Raise ValueError where Keras would search for more than a text, for however long."""
        for part in self.exclude_layers or ():
            if not re.fullmatch(_PLAIN_TEXT_PATTERN, part):
                raise ValueError(f"exclude_layers may be parts of names, not the pattern '{part}'")

    def slot_variables(self, weight: Variable) -> Iterator[Variable]:
        yield from super().slot_variables(weight)
        if self.is_for_adam(weight):
            yield weight

    def is_for_adam(self, weight: Variable) -> bool:
        """Whether the weight is trained by AdamW."""
        if len(weight.shape) != 2 or (
            self.exclude_embeddings and "embedding" in weight.path.lower()
        ):
            return True
        return any(part in weight.path for part in self.exclude_layers or ())


class LossScaleOptimizer(Optimizer, frozen=True, kw_only=True):
    """Scales the loss for another optimizer; counts its steps and keeps the scale."""

    inner_optimizer: Any
    initial_scale: float = 2.0**15
    dynamic_growth_steps: int = 2000

    def state_variables(self, weights: Sequence[Variable]) -> Iterator[Variable]:
        yield from super().state_variables(())
        yield from (_COUNTER_VARIABLE, _SCALAR_VARIABLE)
        inner: Optimizer = self.inner_optimizer
        yield from inner.state_variables(weights)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__: kind
    for kind in (
        *(Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion),
        *(LossScaleOptimizer, Muon, Nadam, RMSprop, SGD, ScheduleFreeAdamW),
    )
}
