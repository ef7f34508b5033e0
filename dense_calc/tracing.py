"""Follow shapes through a Model and write down what each layer has: a Report."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from dense_calc.errors import LayerError
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.layers.initializers import demand_initializable
from dense_calc.layers.words import variable_dtype
from dense_calc.model import Constant, End, Given, Leaf, Model, Node, Output
from dense_calc.report import Port, Report, Row, WeightRow, per_layer
from dense_calc.shapes import Shape, Shapes, is_shape, leaves, parts, plain, ways

MAX_PARAMS = 2**63 - 1  # of a weight, as in NumPy
NO_INPUTS: Mapping[str, Shape] = {}


def trace(model: Model, inputs: Mapping[str, Shape] = NO_INPUTS) -> Report:
    """The shapes and parameters of every layer.

    A plain chain has no row for its input, a graph has one for each, as in Keras. `inputs` are
    shapes that the model is called with, where they are not its own.

    Raises:
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
    """
    tracer = Tracer(model, inputs)
    rows = tuple(map(tracer.row, model.nodes))
    return Report(
        name=model.name,
        **totals(rows),
        inputs=tuple(Port(name, tracer.shapes[name]) for name in model.inputs),
        outputs=tuple(map(tracer.port, model.outputs)),
        layers=shown(rows, model),
        blocks=model.blocks,
        unused=tuple(node.name for node in model.unused),
    )


def shapes_of(model: Model) -> dict[str, Shapes]:
    """The shape of what each call gives, by the names of the nodes.

    Raises:
        LayerError: Keras would not build a layer.
    """
    tracer = Tracer(model, NO_INPUTS)
    for node in model.nodes:
        tracer.row(node)
    return tracer.shapes


def shown(rows: tuple[Row, ...], model: Model) -> tuple[Row, ...]:
    """The rows of a summary: of a plain chain those of its layers, of a graph those of all calls.

    Of a Keras model those that Keras prints: one for each layer, as it is called last.
    """
    if model.is_sequential:
        return tuple(row for row in rows if row.connected_to)
    return per_layer(rows, model.calls) if model.type and model.calls else rows


class Tracer:
    """What is known of a model while its nodes are followed."""

    def __init__(self, model: Model, inputs: Mapping[str, Shape]) -> None:
        self.inputs = inputs
        self.shapes: dict[str, Shapes] = {}
        self.holders: dict[str, Row] = {}  # the rows of layers that are called several times
        self.feeds: dict[str, list[str]] = defaultdict(list)
        self.shared = {node.shares for node in model.nodes if node.shares}
        for node in model.nodes:
            for source in dict.fromkeys(node.inputs):
                self.feeds[source].append(node.name)

    def row(self, node: Node) -> Row:
        """The row of one node; its output shape is known from now on."""
        layer = node.layer
        try:
            inputs = tuple(
                [self.shapes[source] for source in node.inputs]
                if node.call is None
                else [given(each, self.shapes) for each in node.call]
            )
            build = built if hashable((layer, inputs)) else built.__wrapped__
            shape, weights, params, trained, inner = build(layer, inputs)
            holder = self.holders.get(node.holder) if self.shared else None
            if holder:
                demand_same(layer, inputs, weights, holder)
                weights, params, trained, inner = (), 0, 0, ()
        except LayerError as error:
            raise placed(error, node) from None
        shape = self.shapes[node.name] = self.inputs.get(node.name, shape)
        row = Row(
            name=node.name,
            type=type(layer).__name__,
            output_shape=shape,
            params=params,
            trainable_params=trained,
            non_trainable_params=params - trained,
            connected_to=node.inputs,
            feeds=tuple(self.feeds[node.name]),
            weights=weights,
            input_shapes=inputs,
            shared_with=holder.name if holder else None,
            layers=inner,
        )
        if self.shared and node.holder in self.shared:
            self.holders.setdefault(node.holder, row)
        return row

    def port(self, end: End) -> Port:
        """An output of the model."""
        try:
            shape = given(end.what, self.shapes)
        except LayerError as error:
            raise LayerError(error.message, place=end.place) from None
        assert shape is not None
        if end.label is None and isinstance(end.what, Leaf):
            way = list(ways(self.shapes[end.what.name]))[end.what.index]
            end = End(Output(end.what.name, way))
        return Port(end.name, shape)


def demand_same(
    layer: LayerKind,
    inputs: tuple[Shapes | None, ...],
    weights: tuple[WeightRow, ...],
    holder: Row,
) -> None:
    """Raise LayerError where a layer is called again on what its weights do not fit.

    Keras looks at some layers only when data comes.
    """
    if layer.keeps_rank and len(inputs[0] or ()) != len(holder.input_shapes[0] or ()):
        raise unlike(holder, "every call must have as many axes")
    for weight, held in zip(weights, holder.weights, strict=True):
        if weight.shape != held.shape:
            wanted = f"'{held.path}' is {held.shape} and would have to be {weight.shape}"
            raise unlike(holder, wanted)


def unlike(holder: Row, why: str) -> LayerError:
    """The complaint about a second call that reads what the first one, `holder`, does not allow."""
    first = " and ".join(map(str, holder.input_shapes))
    return LayerError(
        f"it shares the weights of '{holder.name}', which reads {first}: {why}", "from"
    )


def given(what: Given, shapes: dict[str, Shapes]) -> Shapes | None:
    """The shapes of what a call is given.

    Raises:
        LayerError: a layer has no such output.
    """
    match what:
        case None:
            return None
        case str():
            return shapes[what]
        case Constant():
            return what.shape
        case Leaf(name, index):
            tensors = list(leaves(shapes[name]))
            if index < len(tensors):
                return tensors[index]
            raise LayerError(f"'{name}' has no output {index}; it has {len(tensors)}", "from")
        case tuple():
            return tuple(given(each, shapes) or () for each in what)
        case dict():
            return {name: given(each, shapes) or () for name, each in what.items()}
    found = shapes[what.name]
    for step in what.steps:
        choices: dict[int | str, Shapes] = dict(
            found.items() if isinstance(found, dict) else enumerate(parts(found))
        )
        if step not in choices:
            has = f"outputs {listed(choices)}" if choices else "one output"
            raise LayerError(f"'{what.name}' has no output [{step}]; it has {has}", "from")
        found = choices[step]
    return found


def listed(choices: Iterable[object]) -> str:
    """Names of outputs: `[0], [1]`."""
    return ", ".join(f"[{each}]" for each in choices)


def hashable(what: object) -> bool:
    """Whether this can be looked up: not if a serialized object is among a layer's arguments."""
    try:
        hash(what)
    except TypeError:
        return False
    return True


@lru_cache(maxsize=1000)  # large models repeat few layers; to look one up is ten times faster
def built(
    layer: LayerKind, inputs: tuple[Shapes | None, ...]
) -> tuple[Shapes, tuple[WeightRow, ...], int, int, tuple[Row, ...]]:
    """The output shape, the weights, the counts and the rows inside of a layer that reads these."""
    demand_inputs(layer, inputs)
    shape = plain(layer.output_shape(*inputs))
    weights = [weight_row(weight, layer) for weight in layer.weights(*inputs)]
    params = trained = 0
    for weight in weights:
        params += weight.params
        trained += weight.params * weight.trainable
    return shape, tuple(weights), params, trained, layer.rows_inside()


def demand_inputs(layer: LayerKind, inputs: tuple[Shapes | None, ...]) -> None:
    """Raise LayerError where a call of the layer cannot be given these inputs."""
    least = layer.takes.start
    if len(inputs) not in layer.takes:
        names = f" ({', '.join(layer.inputs[:least])})" if layer.inputs else ""
        number = f"{least} input{'s' * (least != 1)}{names}"
        raise LayerError(f"it takes {number}, not {len(inputs)}", "from")
    if None in inputs[:least]:
        wanted = layer.inputs or ("a tensor",) * least
        raise LayerError(f"it needs '{wanted[inputs.index(None)]}'", "from")
    if layer.takes_nested:
        return
    for each in inputs:
        if each is not None and not is_shape(each):
            several = listed(each if isinstance(each, dict) else range(len(each)))
            raise LayerError(
                f"it reads one tensor, not several: {each}; say which: 'from: name[...]' "
                f"with one of {several}",
                "from",
            )


def weight_row(weight: Weight, layer: LayerKind) -> WeightRow:
    """A weight as it stands in the report.

    Raises:
        LayerError: Keras could not make it, or no machine could hold it.
    """
    shape = tuple(weight.axes.values())
    dtype = weight.dtype or variable_dtype(layer.dtype)
    params = math.prod(shape)
    demand_initializable(weight.name, shape, dtype, weight.initializer)
    if params > MAX_PARAMS:
        raise LayerError(f"its weight '{weight.name}' would hold more than {MAX_PARAMS:,} numbers")
    trainable = weight.trainable and layer.trainable
    path = "/".join((*weight.path, weight.name))
    return WeightRow(weight.name, shape, trainable, dtype, tuple(weight.axes), params, path)


def placed(error: LayerError, node: Node) -> LayerError:
    """The complaint of a kind as one about this node: with its name, and where it was written."""
    place = error.place  # of a layer in a model inside
    if place is None:
        place = node.place
        for step in error.path:
            place = place and place.part(step)
    message = f"{type(node.layer).__name__} '{node.name}': {error.message}"
    return LayerError(message, place=place, notes=node.notes)


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """The totals of a report, in parameters and in bytes."""
    params = trained = size = trained_size = 0
    for row in rows:
        params += row.params
        trained += row.trainable_params
        for weight in row.weights:
            held = weight.bytes
            size += held
            if weight.trainable:
                trained_size += held
    return {
        "total_params": params,
        "trainable_params": trained,
        "non_trainable_params": params - trained,
        "total_bytes": size,
        "trainable_bytes": trained_size,
        "non_trainable_bytes": size - trained_size,
    }
