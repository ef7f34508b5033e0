"""The calls of a model's layers, and what several of them share, which counts once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.model import Node
from dense_calc.report import LayerRow, WeightRow, weight_totals
from dense_calc.shapes import Shapes
from dense_calc.tracing.layer import BuiltLayer
from dense_calc.tracing.lent_layers import OUTER_PREFIX, LayerPath, find_weights_path
from dense_calc.tracing.report_size import count_shape_values

_SAME_RANK_MESSAGE = "every call must have as many axes"


class TracedCall(Struct, frozen=True, gc=False):
    """A call of a layer: what it reads and what it is; a later one has no weights of its own.

    `dtypes` are those of the inputs, where they matter. `first` is the call that has the weights.
    """

    layer: LayerKind
    inputs: tuple[Shapes | None, ...]
    dtypes: tuple[Dtypes, ...]
    built: BuiltLayer
    first_call: str | None = None

    def is_same_call(
        self, layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
    ) -> bool:
        """Whether it is a call of this very layer with these inputs."""
        return self.layer is layer and self.inputs == inputs and self.dtypes == dtypes


CallsByNode = dict[str, TracedCall]  # by the names of the nodes


class SharedWeights:
    """What the layers of a model share: their weights count where they are met first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.repeated_layers = {node.first_call for node in nodes if node.first_call}
        self.lent_names = {loan.holder for node in nodes for loan in node.lent_layers}
        self.nodes_by_row: dict[int, dict[str, Node]] = {}  # of models, by the ids of their layers
        # the first calls of layers that are called several times, by their holders
        self.first_calls: dict[str, tuple[str, TracedCall]] = {}
        # the weights of layers that are inside others, too, and the node where they were met
        self.met_weights: dict[str, tuple[str, TracedCall, WeightRow]] = {}

    def share_with_first_call(self, node: Node, call: TracedCall) -> TracedCall:
        """A call; without its weights if an earlier one of the same layer has them."""
        if node.holder not in self.repeated_layers:
            return call
        name, first = self.first_calls.setdefault(node.holder, (node.name, call))
        if first is call:
            return call
        made = call.built
        if not made.state and not first.built.state:
            _demand_shareable_call(call, first, name)
        values = count_shape_values(made.shape)
        built = BuiltLayer(made.shape, made.dtype, is_open=made.is_open, value_count=values)
        return replace(call, built=built, first_call=name)

    def mark_lent_weights(self, node: Node, call: TracedCall) -> TracedCall:
        """A call whose weights say where they count, if that is in another layer."""
        weights = list(call.built.weights)
        elsewhere = {}
        for place, lent in self.lent_weights(node, weights):
            name, first, held = self.met_weights.setdefault(lent, (node.name, call, weights[place]))
            if name != node.name:
                axes = {_weight_input_rank(call, weights[place]), _weight_input_rank(first, held)}
                if len(axes - {None}) > 1:
                    raise _sharing_error(first, name, _SAME_RANK_MESSAGE)
                _demand_same_shape(weights[place], held, first, name)
                weights[place] = replace(weights[place], shared_with=name)
                elsewhere[weights[place].path] = name
        inner = tuple([_mark_shared_row(row, elsewhere) for row in call.built.inner_rows])
        return replace(call, built=replace(call.built, weights=tuple(weights), inner_rows=inner))

    def lent_weights(self, node: Node, weights: Sequence[WeightRow]) -> Iterator[tuple[int, str]]:
        """The places of the weights that others hold, too, and their names where they are lent."""
        starts: dict[LayerPath, tuple[str, LayerKind]] = {(): (node.holder, node.layer)}
        for loan in node.lent_layers:
            way, held = find_weights_path(node.layer, loan.path)
            starts[way] = loan.holder, held
        for place, weight in enumerate(weights):
            steps = weight.path.split("/")[:-1]
            end = next(end for end in range(len(steps), -1, -1) if tuple(steps[:end]) in starts)
            name, held = starts[tuple(steps[:end])]
            whole = "/".join((name, *self.lender_path(held, steps[end:])))
            if not self.lent_names.isdisjoint((whole, *_enclosing_models(whole))):
                yield place, f"{whole}/{weight.name}"

    def lender_path(self, layer: LayerKind, steps: list[str]) -> list[str]:
        """The path of weights in a model by the layers in it that lend themselves to others."""
        if layer.model is None:
            return steps
        if id(layer) not in self.nodes_by_row:
            self.nodes_by_row[id(layer)] = {
                name: node
                for node in reversed(layer.model.nodes)
                for name in (node.holder, layer.model.row_names[node.name])
            }
        rows = self.nodes_by_row[id(layer)]
        end = next((end for end in range(len(steps) + 1) if "/".join(steps[:end]) in rows), None)
        if end is None:
            return steps
        node, rest = rows["/".join(steps[:end])], steps[end:]
        lent = (
            (find_weights_path(node.layer, loan.path)[0], loan.holder) for loan in node.lent_layers
        )
        for way, holder in sorted(lent, key=lambda pair: -len(pair[0])):
            if not holder.startswith(OUTER_PREFIX) and tuple(rest[: len(way)]) == way:
                return self.lender_path(layer, holder.split("/") + rest[len(way) :])
        return node.holder.split("/") + self.lender_path(node.layer, rest)

    def without_shared_weights(self, call: TracedCall) -> BuiltLayer:
        """What a call is without the weights that count in another layer."""
        weights = tuple([each for each in call.built.weights if not each.shared_with])
        params, trained, size, trained_size = weight_totals(weights)
        return replace(
            call.built,
            weights=weights,
            params=params,
            trainable=trained,
            size=size,
            trainable_size=trained_size,
        )


def _enclosing_models(name: str) -> Iterator[str]:
    """What may be the name of a model that a layer of this name is in."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _mark_shared_row(row: LayerRow, elsewhere: Mapping[str, str]) -> LayerRow:
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
        row, weights=weights, layers=tuple([_mark_shared_row(inner, own) for inner in row.layers])
    )


def _demand_shareable_call(call: TracedCall, first: TracedCall, name: str) -> None:
    """Raise LayerError where a layer is called again on what its weights do not fit.

    `name` is that of the first call. Keras looks at some layers only when data comes.
    """
    if call.layer.has_fixed_rank and len(call.inputs[0] or ()) != len(first.inputs[0] or ()):
        raise _sharing_error(first, name, _SAME_RANK_MESSAGE)
    for weight, held in zip(call.built.weights, first.built.weights, strict=False):
        _demand_same_shape(weight, held, first, name)


def _weight_input_rank(call: TracedCall, weight: WeightRow) -> int | None:
    """How many axes the layer in a call reads that has a weight, None where that may differ."""
    layer, inputs, rows = call.layer, call.inputs, call.built.inner_rows
    steps = weight.path.split("/")[:-1]
    while steps and layer.model is not None:
        names = {row.name: row for row in rows}
        name, rest = next(
            ("/".join(steps[:end]), steps[end:])
            for end in range(1, len(steps) + 1)
            if "/".join(steps[:end]) in names
        )
        layer, steps = layer.model.nodes_by_name[name].layer, rest
        inputs, rows = names[name].input_shapes, names[name].layers
    return None if steps or not layer.has_fixed_rank else len(inputs[0] or ())


def _demand_same_shape(weight: WeightRow, held: WeightRow, first: TracedCall, name: str) -> None:
    """Raise LayerError where a weight of a layer differs from what it is in a first call."""
    if weight.shape != held.shape:
        wanted = f"'{held.path}' is {held.shape} and would have to be {weight.shape}"
        raise _sharing_error(first, name, wanted)


def _sharing_error(first: TracedCall, name: str, why: str) -> LayerError:
    """The complaint about a second call that reads what the first one does not allow."""
    read = " and ".join(map(str, first.inputs))
    return LayerError(f"it shares the weights of '{name}', which reads {read}: {why}", "from")
