"""The calls of a model's layers, and what several of them share, which counts once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.building import Built
from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.lending import weights_path
from dense_calc.model import Node
from dense_calc.report import WeightRow, counts_of
from dense_calc.shapes import Shapes
from dense_calc.volume import values_in


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


class Sharing:
    """What the layers of a model share: their weights count where they are met first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.again = {node.shares for node in nodes if node.shares}
        self.lent = {loan.holder for node in nodes for loan in node.loans}
        # the first calls of layers that are called several times, by their holders
        self.firsts: dict[str, tuple[str, Call]] = {}
        # the weights of layers that are inside others, too, and the node where they were met
        self.met: dict[str, tuple[str, Call, list[WeightRow]]] = {}

    def with_first(self, node: Node, call: Call) -> Call:
        """A call; without its weights if an earlier one of the same layer has them."""
        if node.holder not in self.again:
            return call
        name, first = self.firsts.setdefault(node.holder, (node.name, call))
        if first is call:
            return call
        made = call.built
        if not made.state and not first.built.state:
            demand_same(call, first, name)
        values = values_in(made.shape)
        built = Built(made.shape, made.dtype, is_open=made.is_open, values=values)
        return replace(call, built=built, first=name)

    def with_holders(self, node: Node, call: Call) -> Call:
        """A call whose weights say where they count, if that is in another layer."""
        weights = list(call.built.weights)
        for holder, places in self.places(node, weights).items():
            own = [weights[place] for place in places]
            name, first, held = self.met.setdefault(holder, (node.name, call, own))
            if name != node.name:
                demand_same_weights(own, held, first, name)
                for place in places:
                    weights[place] = replace(weights[place], shared_with=name)
        return replace(call, built=replace(call.built, weights=tuple(weights)))

    def places(self, node: Node, weights: Sequence[WeightRow]) -> Mapping[str, list[int]]:
        """Which weights of a node are those of layers that are inside others, by the layers."""
        starts = {weights_path(node.layer, loan.path): loan.holder for loan in node.loans}
        found: defaultdict[str, list[int]] = defaultdict(list)
        for place, weight in enumerate(weights):
            steps = weight.path.split("/")
            ways = (tuple(steps[:end]) for end in range(1, len(steps)))
            holder = next((starts[way] for way in ways if way in starts), node.holder)
            if holder in self.lent:
                found[holder].append(place)
        return found

    def counted(self, call: Call) -> Built:
        """What a call is without the weights that count in another layer."""
        weights = tuple([each for each in call.built.weights if not each.shared_with])
        params, trained, size, trained_size = counts_of(weights)
        return replace(
            call.built,
            weights=weights,
            params=params,
            trainable=trained,
            size=size,
            trainable_size=trained_size,
        )


def demand_same(call: Call, first: Call, name: str) -> None:
    """Raise LayerError where a layer is called again on what its weights do not fit.

    `name` is that of the first call. Keras looks at some layers only when data comes.
    """
    if call.layer.keeps_rank and len(call.inputs[0] or ()) != len(first.inputs[0] or ()):
        raise unlike(first, name, "every call must have as many axes")
    demand_same_weights(call.built.weights, first.built.weights, first, name)


def demand_same_weights(
    weights: Iterable[WeightRow], others: Iterable[WeightRow], first: Call, name: str
) -> None:
    """Raise LayerError where weights of a layer differ from those that it has in a first call."""
    for weight, held in zip(weights, others, strict=False):
        if weight.shape != held.shape:
            wanted = f"'{held.path}' is {held.shape} and would have to be {weight.shape}"
            raise unlike(first, name, wanted)


def unlike(first: Call, name: str, why: str) -> LayerError:
    """The complaint about a second call that reads what the first one does not allow."""
    read = " and ".join(map(str, first.inputs))
    return LayerError(f"it shares the weights of '{name}', which reads {read}: {why}", "from")
