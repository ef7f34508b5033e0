"""The calls of a model's layers, and what several of them share, which counts once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.model import Node
from dense_calc.report import Row, WeightRow, counts_of
from dense_calc.shapes import Shapes
from dense_calc.tracing.layer import Built
from dense_calc.tracing.lent_layers import OUTSIDE, Path, weights_of
from dense_calc.tracing.report_size import values_in

SAME_AXES = "every call must have as many axes"


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
        self.rows: dict[int, dict[str, Node]] = {}  # of models, by the ids of their layers
        # the first calls of layers that are called several times, by their holders
        self.firsts: dict[str, tuple[str, Call]] = {}
        # the weights of layers that are inside others, too, and the node where they were met
        self.met: dict[str, tuple[str, Call, WeightRow]] = {}

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
        elsewhere = {}
        for place, lent in self.lent_weights(node, weights):
            name, first, held = self.met.setdefault(lent, (node.name, call, weights[place]))
            if name != node.name:
                axes = {axes_read(call, weights[place]), axes_read(first, held)}
                if len(axes - {None}) > 1:
                    raise unlike(first, name, SAME_AXES)
                demand_same_weight(weights[place], held, first, name)
                weights[place] = replace(weights[place], shared_with=name)
                elsewhere[weights[place].path] = name
        inner = tuple([shared_row(row, elsewhere) for row in call.built.inner])
        return replace(call, built=replace(call.built, weights=tuple(weights), inner=inner))

    def lent_weights(self, node: Node, weights: Sequence[WeightRow]) -> Iterator[tuple[int, str]]:
        """The places of the weights that others hold, too, and their names where they are lent."""
        starts: dict[Path, tuple[str, LayerKind]] = {(): (node.holder, node.layer)}
        for loan in node.loans:
            way, held = weights_of(node.layer, loan.path)
            starts[way] = loan.holder, held
        for place, weight in enumerate(weights):
            steps = weight.path.split("/")[:-1]
            end = next(end for end in range(len(steps), -1, -1) if tuple(steps[:end]) in starts)
            name, held = starts[tuple(steps[:end])]
            whole = "/".join((name, *self.lending_steps(held, steps[end:])))
            if not self.lent.isdisjoint((whole, *prefixes(whole))):
                yield place, f"{whole}/{weight.name}"

    def lending_steps(self, layer: LayerKind, steps: list[str]) -> list[str]:
        """The path of weights in a model by the layers in it that lend themselves to others."""
        if layer.model is None:
            return steps
        if id(layer) not in self.rows:
            self.rows[id(layer)] = {
                name: node
                for node in reversed(layer.model.nodes)
                for name in (node.holder, layer.model.row_names[node.name])
            }
        rows = self.rows[id(layer)]
        end = next((end for end in range(len(steps) + 1) if "/".join(steps[:end]) in rows), None)
        if end is None:
            return steps
        node, rest = rows["/".join(steps[:end])], steps[end:]
        lent = ((weights_of(node.layer, loan.path)[0], loan.holder) for loan in node.loans)
        for way, holder in sorted(lent, key=lambda pair: -len(pair[0])):
            if not holder.startswith(OUTSIDE) and tuple(rest[: len(way)]) == way:
                return self.lending_steps(layer, holder.split("/") + rest[len(way) :])
        return node.holder.split("/") + self.lending_steps(node.layer, rest)

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


def prefixes(name: str) -> Iterator[str]:
    """What may be the name of a model that a layer of this name is in."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def shared_row(row: Row, elsewhere: Mapping[str, str]) -> Row:
    """A row of a model inside whose weights say where they count, by their paths in the model."""
    start = f"{row.name}/"
    own = {
        path.removeprefix(start): name for path, name in elsewhere.items() if path.startswith(start)
    }
    if not own:
        return row
    weights = tuple(
        [replace(each, shared_with=each.shared_with or own.get(each.path)) for each in row.weights]
    )
    return replace(
        row, weights=weights, layers=tuple([shared_row(inner, own) for inner in row.layers])
    )


def demand_same(call: Call, first: Call, name: str) -> None:
    """Raise LayerError where a layer is called again on what its weights do not fit.

    `name` is that of the first call. Keras looks at some layers only when data comes.
    """
    if call.layer.keeps_rank and len(call.inputs[0] or ()) != len(first.inputs[0] or ()):
        raise unlike(first, name, SAME_AXES)
    for weight, held in zip(call.built.weights, first.built.weights, strict=False):
        demand_same_weight(weight, held, first, name)


def axes_read(call: Call, weight: WeightRow) -> int | None:
    """How many axes the layer in a call reads that has a weight, None where that may differ."""
    layer, inputs, rows = call.layer, call.inputs, call.built.inner
    steps = weight.path.split("/")[:-1]
    while steps and layer.model is not None:
        names = {row.name: row for row in rows}
        name, rest = next(
            ("/".join(steps[:end]), steps[end:])
            for end in range(1, len(steps) + 1)
            if "/".join(steps[:end]) in names
        )
        layer, steps = layer.model.by_name[name].layer, rest
        inputs, rows = names[name].input_shapes, names[name].layers
    return None if steps or not layer.keeps_rank else len(inputs[0] or ())


def demand_same_weight(weight: WeightRow, held: WeightRow, first: Call, name: str) -> None:
    """Raise LayerError where a weight of a layer differs from what it is in a first call."""
    if weight.shape != held.shape:
        wanted = f"'{held.path}' is {held.shape} and would have to be {weight.shape}"
        raise unlike(first, name, wanted)


def unlike(first: Call, name: str, why: str) -> LayerError:
    """The complaint about a second call that reads what the first one does not allow."""
    read = " and ".join(map(str, first.inputs))
    return LayerError(f"it shares the weights of '{name}', which reads {read}: {why}", "from")
