"""Weights that several calls or several layers share: they count where they are met first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind
from dense_calc.model import Node, enclosing_names
from dense_calc.report import LayerRow, WeightRow
from dense_calc.shapes import Shapes
from dense_calc.tracing.layer import BuiltLayer
from dense_calc.tracing.layer_paths import LayerPath, find_weights_path
from dense_calc.tracing.lent_layers import OUTER_PREFIX
from dense_calc.tracing.report_size import count_shape_values

_SAME_RANK_MESSAGE = "every call must have as many axes"


class TracedCall(Struct, frozen=True, gc=False):
    """A call of a layer: the shapes of its inputs, and the layer built on them.

    `dtypes` are those of the inputs, where they matter. A later call of a layer has no weights;
    `first_call` names the call that has them.
    """

    layer: LayerKind
    inputs: tuple[Shapes | None, ...]
    dtypes: tuple[Dtypes, ...]
    built: BuiltLayer
    first_call: str | None = None


class SharedWeights:
    """The weights of a model that are met more than once.

    `repeated_layers` are the holders of layers that are called again, `lent_names` those of layers
    that are inside others, too.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.repeated_layers = {node.first_call for node in nodes if node.first_call}
        self.lent_names = {lent.holder for node in nodes for lent in node.lent_layers}
        self._nodes_by_row: dict[int, dict[str, Node]] = {}  # of models, by the ids of their layers
        # the first calls of layers that are called several times, by their holders
        self._first_calls: dict[str, tuple[str, TracedCall]] = {}
        # the weights of lent layers, with the node and the call where they were met first
        self._met_weights: dict[str, tuple[str, TracedCall, WeightRow]] = {}

    def share_with_first_call(self, node: Node, call: TracedCall) -> TracedCall:
        """The call, without its weights if an earlier call of the same layer has them."""
        if node.holder not in self.repeated_layers:
            return call
        name, first = self._first_calls.setdefault(node.holder, (node.name, call))
        if first is call:
            return call
        full = call.built
        if not full.state and not first.built.state:
            _demand_shareable_call(call, first, name)
        values = count_shape_values(full.shape)
        built = BuiltLayer(full.shape, full.dtype, is_open=full.is_open, value_count=values)
        return replace(call, built=built, first_call=name)

    def mark_lent_weights(self, node: Node, call: TracedCall) -> TracedCall:
        """The call; weights that count in another layer name that layer as `shared_with`."""
        weights = list(call.built.weights)
        elsewhere = {}
        for place, lent in self._lent_weights(node, weights):
            weight = weights[place]
            name, first, met = self._met_weights.setdefault(lent, (node.name, call, weight))
            if name != node.name:
                ranks = {_weight_input_rank(call, weight), _weight_input_rank(first, met)}
                if len(ranks - {None}) > 1:
                    raise _sharing_error(first, name, _SAME_RANK_MESSAGE)
                _demand_same_shape(weight, met, first, name)
                weights[place] = replace(weight, shared_with=name)
                elsewhere[weight.path] = name
        inner = tuple([_mark_shared_row(row, elsewhere) for row in call.built.inner_rows])
        return replace(call, built=replace(call.built, weights=tuple(weights), inner_rows=inner))

    def _lent_weights(self, node: Node, weights: Sequence[WeightRow]) -> Iterator[tuple[int, str]]:
        """The indices of the weights of lent layers, and their full names where they are lent."""
        starts: dict[LayerPath, tuple[str, LayerKind]] = {(): (node.holder, node.layer)}
        for lent in node.lent_layers:
            way, layer = find_weights_path(node.layer, lent.path)
            starts[way] = lent.holder, layer
        for place, weight in enumerate(weights):
            steps = weight.path.split("/")[:-1]
            end = next(end for end in range(len(steps), -1, -1) if tuple(steps[:end]) in starts)
            name, layer = starts[tuple(steps[:end])]
            full_name = "/".join((name, *self._lender_path(layer, steps[end:])))
            if not self.lent_names.isdisjoint((full_name, *enclosing_names(full_name))):
                yield place, f"{full_name}/{weight.name}"

    def _lender_path(self, layer: LayerKind, steps: list[str]) -> list[str]:
        """The path to weights in a model, by the names under which its layers are lent."""
        if layer.model is None:
            return steps
        if id(layer) not in self._nodes_by_row:
            self._nodes_by_row[id(layer)] = {
                name: node
                for node in reversed(layer.model.nodes)
                for name in (node.holder, layer.model.row_names[node.name])
            }
        rows = self._nodes_by_row[id(layer)]
        end = next((end for end in range(len(steps) + 1) if "/".join(steps[:end]) in rows), None)
        if end is None:
            return steps
        node, rest = rows["/".join(steps[:end])], steps[end:]
        lent = (
            (find_weights_path(node.layer, each.path)[0], each.holder) for each in node.lent_layers
        )
        for way, holder in sorted(lent, key=lambda pair: -len(pair[0])):
            if not holder.startswith(OUTER_PREFIX) and tuple(rest[: len(way)]) == way:
                return self._lender_path(layer, holder.split("/") + rest[len(way) :])
        return node.holder.split("/") + self._lender_path(node.layer, rest)


def _mark_shared_row(row: LayerRow, elsewhere: Mapping[str, str]) -> LayerRow:
    """A row in a model: its weights at these paths name the layers in which they count."""
    start = f"{row.name}/"
    here = {
        path.removeprefix(start): name for path, name in elsewhere.items() if path.startswith(start)
    }
    if not here:
        return row
    weights = tuple(
        [replace(each, shared_with=each.shared_with or here.get(each.path)) for each in row.weights]
    )
    return replace(
        row, weights=weights, layers=tuple([_mark_shared_row(inner, here) for inner in row.layers])
    )


def _demand_shareable_call(call: TracedCall, first: TracedCall, name: str) -> None:
    """Raise LayerError where a layer is called again on inputs that its weights do not fit.

    `name` is that of the first call. Keras checks some layers only when data flows.
    """
    if call.layer.has_fixed_rank and len(call.inputs[0] or ()) != len(first.inputs[0] or ()):
        raise _sharing_error(first, name, _SAME_RANK_MESSAGE)
    for weight, first_weight in zip(call.built.weights, first.built.weights, strict=False):
        _demand_same_shape(weight, first_weight, first, name)


def _weight_input_rank(call: TracedCall, weight: WeightRow) -> int | None:
    """The number of input axes of the layer that has a weight, None where it may vary."""
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


def _demand_same_shape(
    weight: WeightRow, first_weight: WeightRow, first: TracedCall, name: str
) -> None:
    """Raise LayerError where a weight has another shape than in the first call."""
    if weight.shape != first_weight.shape:
        wanted = f"'{first_weight.path}' is {first_weight.shape} and would have to be"
        raise _sharing_error(first, name, f"{wanted} {weight.shape}")


def _sharing_error(first: TracedCall, name: str, why: str) -> LayerError:
    """The complaint about a call whose inputs do not fit the weights of the first call."""
    read = " and ".join(map(str, first.inputs))
    return LayerError(f"it shares the weights of '{name}', which reads {read}: {why}", "from")
