"""A layer of a class that Keras does not have: what it gives and holds is stated, not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import field

from dense_calc.layers.base import LayerKind, NotNegative, Weight
from dense_calc.layers.core import Wanted, stated_shapes
from dense_calc.layers.words import Policy
from dense_calc.shapes import Shapes


class Stated(LayerKind, frozen=True, kw_only=True):
    """A layer with a stated output shape, without the batch axis, and stated weights.

    Without an output shape it gives what it is given. `frozen` names weights that are not trained.
    """

    takes_nested: ClassVar[bool] = True
    takes: ClassVar[range] = range(1, 1000)
    module: ClassVar[str] = ""
    rule: ClassVar[str] = "(...) → (...')"

    stated: tuple[NotNegative | Wanted | None, ...] | None = field(
        name="output_shape", default=None
    )
    held: dict[str, tuple[NotNegative, ...]] = field(name="weights", default_factory=dict)
    frozen: tuple[str, ...] = ()
    trainable: bool = True
    dtype: Policy | None = None

    def output_shape(self, given: Shapes, /, *_others: Any) -> Shapes:
        return given if self.stated is None else stated_shapes(self.stated, given)

    def weights(self, *_given: Any) -> Iterator[Weight]:
        for name, sizes in self.held.items():
            axes = {f"axis {axis}": size for axis, size in enumerate(sizes)}
            yield Weight(name, axes, "zeros", trainable=name not in self.frozen)
