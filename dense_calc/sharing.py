"""The calls of a model's layers, and whether several calls can share the weights of one."""

from __future__ import annotations

from msgspec import Struct

from dense_calc.building import Built
from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.shapes import Shapes


class Call(Struct, frozen=True, gc=False):
    """A call of a layer: what it reads and what it is; a later one has no weights of its own.

    `dtypes` are those of the inputs, where they matter. `first` is the call that has the weights.
    """

    layer: LayerKind
    inputs: tuple[Shapes | None, ...]
    dtypes: tuple[Dtypes, ...]
    built: Built
    first: str | None = None

    def is_same(
        self, layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
    ) -> bool:
        """Whether it is a call of this very layer with these inputs."""
        return self.layer is layer and self.inputs == inputs and self.dtypes == dtypes


Known = dict[str, Call]  # by the names of the nodes


def demand_same(call: Call, first: Call, name: str) -> None:
    """Raise LayerError where a layer is called again on what its weights do not fit.

    `name` is that of the first call. Keras looks at some layers only when data comes.
    """
    if call.layer.keeps_rank and len(call.inputs[0] or ()) != len(first.inputs[0] or ()):
        raise unlike(first, name, "every call must have as many axes")
    for weight, held in zip(call.built.weights, first.built.weights, strict=True):
        if weight.shape != held.shape:
            wanted = f"'{held.path}' is {held.shape} and would have to be {weight.shape}"
            raise unlike(first, name, wanted)


def unlike(first: Call, name: str, why: str) -> LayerError:
    """The complaint about a second call that reads what the first one does not allow."""
    read = " and ".join(map(str, first.inputs))
    return LayerError(f"it shares the weights of '{name}', which reads {read}: {why}", "from")
