"""Layers of classes that Keras does not have: what they give and hold is stated, or not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec import field

from dense_calc.dtypes import Dtypes
from dense_calc.gaps import Gap
from dense_calc.layers.arguments.types import Policy
from dense_calc.layers.base import AnyLayer, LayerKind, NotNegative, Weight, layer_in
from dense_calc.layers.core import Wanted, stated_shapes
from dense_calc.shapes import OPAQUE, Shapes

Held = dict[str, tuple[NotNegative, ...]]  # the shapes of weights by their names


class Foreign(LayerKind, frozen=True, kw_only=True):
    """A layer of a class that Keras does not have, and what it holds, None if nobody says it.

    `frozen` names weights that are not trained.
    """

    takes_nested: ClassVar[bool] = True
    takes: ClassVar[range] = range(1, 1000)
    reads_dtypes: ClassVar[bool] = True
    module: ClassVar[str] = ""
    rule: ClassVar[str] = "(...) → (...')"

    held: Held | None = field(name="weights", default_factory=dict)
    frozen: tuple[str, ...] = ()
    trainable: bool = True
    dtype: Policy | None = None

    def weights(self, *_given: Any) -> Iterator[Weight]:
        for name, sizes in (self.held or {}).items():
            axes = {f"axis {axis}": size for axis, size in enumerate(sizes)}
            yield Weight(name, axes, "zeros", trainable=name not in self.frozen)

    def weights_of_any(self) -> tuple[Weight, ...] | None:
        return None if self.held is None else tuple(self.weights())


class Stated(Foreign, frozen=True, kw_only=True):
    """A layer with a stated output shape, without the batch axis, and stated weights.

    Without an output shape it gives what it is given.
    """

    held: Held = field(name="weights", default_factory=dict)
    stated: tuple[NotNegative | Wanted | None, ...] | None = field(
        name="output_shape", default=None
    )

    def output_shape(self, given: Shapes, /, *_others: Any) -> Shapes:
        return given if self.stated is None else stated_shapes(self.stated, given)

    def output_dtype(self, dtypes: Dtypes, /, *_others: Any) -> Dtypes:
        return dtypes if self.stated is None else None

    def output_of_any(self) -> Shapes | None:
        return None if self.stated is None else stated_shapes(self.stated, (None,))


class Opaque(Foreign, frozen=True, kw_only=True, eq=False):
    """A layer whose output only the file tells, if at all; so may be what it holds.

    `gap` is what is to be said of it, `otherwise` what it is as far as the file tells nothing.
    """

    held: Held | None = field(name="weights", default=None)
    gap: Gap
    otherwise: AnyLayer | None = None

    @property
    def is_opaque(self) -> bool:
        return True

    def output_shape(self, *given: Any) -> Shapes:
        return layer_in(self.otherwise).output_shape(*given) if self.otherwise else OPAQUE

    def output_dtype(self, *dtypes: Any) -> Dtypes:
        return layer_in(self.otherwise).output_dtype(*dtypes) if self.otherwise else None
