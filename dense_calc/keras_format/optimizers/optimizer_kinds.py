"""Keras' optimizers: their arguments, and the variables that each keeps of the weights it trains.

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

_OVERWRITTEN_WEIGHTS = {weight.name for weight in float8_weights(0)}  # no optimizer steps them
_PLAIN_TEXT_PATTERN = r"[\w /-]*"  # no special characters of patterns

Slot = tuple[str, str | None]  # its name, and the argument that turns it on


class Variable(Struct, frozen=True):
    """A trained weight, with its path in the model, or a variable that an optimizer keeps."""

    shape: Sizes
    dtype: str
    path: str = ""

    @property
    def params(self) -> int:
        """The count of its numbers."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Its memory."""
        return self.params * DTYPE_BITS[self.dtype] // 8

    @property
    def is_overwritten(self) -> bool:
        """Whether its gradient replaces it, as in float8 training."""
        return self.path.rpartition("/")[2] in _OVERWRITTEN_WEIGHTS


_SCALAR_VARIABLE = Variable((), "float32")
_COUNTER_VARIABLE = Variable((), "int32")  # int64 with TensorFlow


class Optimizer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of all optimizers; `slots` of a kind are variables in the shape of a weight."""

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
        """The variables that it keeps to train these weights."""
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
        """The variables in its attributes, which Keras does not count inside another optimizer."""
        return iter(())

    def slot_variables(self, weight: Variable) -> Iterator[Variable]:
        """The variables that it keeps of one weight."""
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
    """Adam with weight decay."""


class TwoMomentOptimizer(Optimizer, frozen=True, kw_only=True):
    """Keeps two moments of each gradient, never a third as Adam can."""

    slots = (("momentum", None), ("velocity", None))

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


class Adamax(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Keeps a moment and the largest value of each gradient."""


class Lamb(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Adam, with a step for each layer."""


class ScheduleFreeAdamW(TwoMomentOptimizer, frozen=True, kw_only=True):
    """AdamW, without a schedule of the learning rate."""

    warmup_steps: int = 0


class Nadam(TwoMomentOptimizer, frozen=True, kw_only=True):
    """Adam with Nesterov's momentum; also keeps the product of its schedule."""

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
    """Keeps the velocity of each weight, and the means of the rows and columns of each matrix.

    A weight with fewer axes than a matrix has two numbers in place of those means.
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
    """Keeps a moment of each gradient, and a second one of weights that AdamW trains."""

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
        """Raise ValueError for a regular expression, whose search could take Keras forever."""
        for part in self.exclude_layers or ():
            if not re.fullmatch(_PLAIN_TEXT_PATTERN, part):
                raise ValueError(f"exclude_layers may be parts of names, not the pattern '{part}'")

    def slot_variables(self, weight: Variable) -> Iterator[Variable]:
        yield from super().slot_variables(weight)
        if self._trains_with_adam(weight):
            yield weight

    def _trains_with_adam(self, weight: Variable) -> bool:
        """Whether AdamW trains the weight: it is no matrix, an embedding, or excluded by name."""
        return (
            len(weight.shape) != 2
            or (self.exclude_embeddings and "embedding" in weight.path.lower())
            or any(part in weight.path for part in self.exclude_layers or ())
        )


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
