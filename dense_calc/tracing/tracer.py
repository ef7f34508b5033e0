"""Follow shapes through a Model and write down what each layer has: a Report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError, SpecError, UnknownSizeError
from dense_calc.gaps import NO_INPUT, demand_no_gaps, gap_error
from dense_calc.layers.arguments.policy_maps import layer_at
from dense_calc.layers.arguments.types import SerializedPolicy
from dense_calc.model import End, Leaf, Model, Node, Output
from dense_calc.report import Port, Report, Row, State, per_layer
from dense_calc.shapes import UNBUILT, Shape, Shapes, Unknown, reason, ways, why_unknown
from dense_calc.tracing.layer import (
    Built,
    dtypes_given,
    frozen,
    given,
    known_part,
    looked_up,
    placed,
    with_output_shape,
)
from dense_calc.tracing.report_size import demand_few, values_in
from dense_calc.tracing.shared_layers import Call, Known, Sharing

Inputs = Mapping[str, tuple[Shape, Dtypes]]  # by the names of a model's inputs
NO_INPUTS: Inputs = {}


def trace(model: Model, inputs: Inputs = NO_INPUTS, *, partial: bool = False) -> Report:
    """The shapes and parameters of every layer.

    A plain chain has no row for its input, a graph has one for each, as in Keras. `inputs` are
    shapes and dtypes that the model is called with, where they are not its own. A `partial` report
    may leave open what the file does not tell.

    Raises:
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
        SpecError: something is not known, and the report is not to be a partial one.
    """
    return measured(model, inputs, partial=partial)[0]


def measured(model: Model, inputs: Inputs, *, partial: bool) -> tuple[Report, int]:
    """The report on a model, and how many values its shapes and weights take."""
    if not partial:
        demand_no_gaps(model.gaps)
    tracer = Tracer(model, inputs)
    feeds: defaultdict[str, list[str]] = defaultdict(list)
    for node in model.nodes:
        for source in dict.fromkeys(node.inputs):
            feeds[source].append(node.name)
    rows = tuple([tracer.row(node, feeds[node.name]) for node in model.nodes])
    if not partial:
        tracer.demand_known()
    report = Report(
        name=model.name,
        **tracer.totals(),
        inputs=tuple(Port(name, tracer.shapes[name], tracer.dtypes[name]) for name in model.inputs),
        outputs=tuple(map(tracer.port, model.outputs)),
        layers=shown(rows, model),
        blocks=model.blocks,
        unused=tuple(node.name for node in model.unused),
        partial=tracer.has_unknown,
        state=tracer.state,
    )
    return report, tracer.values


def specs_of(model: Model) -> tuple[dict[str, Shapes], dict[str, Dtypes]]:
    """The shape and the dtype of what each call gives, by the names of the nodes.

    Raises:
        LayerError: Keras would not build a layer.
        SpecError: something is not known.
    """
    demand_no_gaps(model.gaps)
    tracer = Tracer(model, NO_INPUTS)
    for node in model.nodes:
        tracer.follow(node)
    tracer.demand_known()
    return tracer.shapes, tracer.dtypes


def totals_of(model: Model, known: Known) -> dict[str, int]:
    """The totals of the report on a model, without its rows.

    `known` is what was followed of a model with the same nodes, and is brought up to date: what
    has not changed is not worked out again.

    Raises:
        LayerError: Keras would not build a layer.
        SpecError: something is not known.
    """
    demand_no_gaps(model.gaps)
    tracer = Tracer(model, NO_INPUTS, known)
    for node in model.nodes:
        tracer.follow(node)
    tracer.demand_known()
    for end in model.outputs:
        tracer.port(end)
    return tracer.totals()


def shown(rows: tuple[Row, ...], model: Model) -> tuple[Row, ...]:
    """The rows of a summary: of a plain chain those of its layers, of a graph those of all calls.

    Of a Keras model those that Keras prints: one for each layer, as it is called last.
    """
    if model.is_sequential:
        return tuple(row for row in rows if row.connected_to)
    return per_layer(rows, model.calls) if model.type and model.calls else rows


class Tracer:
    """What is known of a model while its nodes are followed.

    `known` are calls from before, that may be the same.
    """

    def __init__(self, model: Model, inputs: Inputs, known: Known | None = None) -> None:
        self.model = model
        self.inputs = inputs
        self.is_frozen = not model.trainable
        self.known: Known = {} if known is None else known
        self.shapes: dict[str, Shapes] = {}
        self.dtypes: dict[str, Dtypes] = {}
        self.sharing = Sharing(model.nodes)
        self.params = self.trainable = self.size = self.trainable_size = 0
        self.values = 0
        self.ways: dict[str, list[tuple[int | str, ...]]] = {}  # to the tensors of layers, by name
        self.has_unknown = False  # whether a shape is not known
        self.state: State = ""

    def follow(self, node: Node) -> Call:
        """The call of one node; the shape and dtype of its output are known from now on."""
        layer = node.layer
        if layer.wraps or type(layer.dtype) is SerializedPolicy:
            layer = layer_at(layer, node.holder)
        shapes = self.shapes
        try:
            inputs = tuple(
                [shapes[source] for source in node.inputs]
                if node.call is None
                else [given(each, shapes) for each in node.call]
            )
            dtypes = self.dtypes_read(node) if layer.reads_dtypes else ()
            call = self.known.get(node.name)
            if call is None or not call.is_same(layer, inputs, dtypes):
                if self.has_unknown or node.statement:
                    made = self.built(node, inputs, dtypes)
                else:
                    made = looked_up(layer, inputs, dtypes)
                call = Call(layer, inputs, dtypes, frozen(made) if self.is_frozen else made)
                self.known[node.name] = call
            if self.sharing.again:
                call = self.sharing.with_first(node, call)
            if self.sharing.lent and call.built.weights:
                call = self.sharing.with_holders(node, call)
            self.values = demand_few(self.values + call.built.values)
        except LayerError as error:
            is_own = isinstance(error, UnknownSizeError) and error.place is None
            more = self.way_out(node) if is_own else ""
            raise placed(error, node, more) from None
        made = call.built
        spec = made.shape, made.dtype
        if self.inputs:
            spec = self.inputs.get(node.name, spec)
        shapes[node.name], self.dtypes[node.name] = spec
        if self.has_unknown or made.is_open:
            self.note(node, call)
        if self.sharing.lent:
            made = self.sharing.counted(call)
        self.params += made.params
        self.trainable += made.trainable
        self.size += made.size
        self.trainable_size += made.trainable_size
        return call

    def way_out(self, node: Node) -> str:
        """What to put in place of the layer that left open a size that a node needs, '' if none."""
        nodes = {each.name: each for each in self.model.nodes}
        while len(node.inputs) == 1:
            call, node = self.known[node.inputs[0]], nodes[node.inputs[0]]
            instead = node.layer.instead(*call.inputs)
            if instead:
                return f", or put {instead} in place of {type(node.layer).__name__} '{node.name}'"
            if call.inputs != (call.built.shape,):
                break
        return ""

    def note(self, node: Node, call: Call) -> None:
        """Keep in mind what is not known of a call."""
        self.has_unknown = True
        self.state = max(self.state, call.built.state)
        if why_unknown(call.inputs) == UNBUILT:
            self.shapes[node.name] = UNBUILT  # also of a model inside, which knows its own input

    def dtypes_read(self, node: Node) -> tuple[Dtypes, ...]:
        """The dtypes that the call of a node gets.

        Keras does not convert them where a model inside is followed again, for other shapes.
        """
        dtypes = tuple([dtypes_given(each, self.dtypes) for each in node.call or node.inputs])
        return dtypes if self.inputs else node.layer.call_dtypes(dtypes)

    def built(
        self, node: Node, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
    ) -> Built:
        """What a layer is that reads these shapes, as far as that is known."""
        why = why_unknown(inputs)
        if why is None:
            made = looked_up(node.layer, inputs, dtypes)
        else:
            made = known_part(node.layer, inputs, dtypes, why)
        is_known = reason(made.shape) is None and not node.layer.is_opaque
        if is_known or why == UNBUILT or node.statement is None:
            return made
        if any(given(leaf, self.shapes) != shape for leaf, shape in node.statement.reads):
            return made
        return with_output_shape(made, node.statement.shape, node.statement.dtype)

    def demand_known(self) -> None:
        """Raise SpecError where a shape or a weight is not known."""
        if not self.has_unknown:
            return
        for node in self.model.nodes:
            if not node.inputs and isinstance(self.shapes[node.name], Unknown):
                if self.model.is_unbuilt:
                    raise SpecError(NO_INPUT, node.place)
                needed = "an input needs a shape; write 'shape: [28, 28, 1]'"
                raise placed(LayerError(needed), node)
        raise gap_error(self.model.gaps)

    def row(self, node: Node, feeds: Sequence[str]) -> Row:
        """The row of one node, which these others read."""
        call = self.follow(node)
        made = call.built
        return Row(
            name=node.name,
            type=type(call.layer).__name__,
            output_shape=made.shape if node.inputs else self.shapes[node.name],
            output_dtype=self.dtypes[node.name],
            params=made.params,
            trainable_params=made.trainable,
            non_trainable_params=made.params - made.trainable,
            connected_to=node.inputs,
            feeds=tuple(feeds),
            weights=made.weights,
            input_shapes=call.inputs,
            shared_with=call.first,
            layers=made.inner,
            state=made.state,
        )

    def totals(self) -> dict[str, int]:
        """The totals of what was followed, in parameters and in bytes."""
        return {
            "total_params": self.params,
            "trainable_params": self.trainable,
            "non_trainable_params": self.params - self.trainable,
            "total_bytes": self.size,
            "trainable_bytes": self.trainable_size,
            "non_trainable_bytes": self.size - self.trainable_size,
        }

    def port(self, end: End) -> Port:
        """An output of the model."""
        what = self.place_of(end.what) if isinstance(end.what, Leaf) else end.what
        try:
            shape = given(what, self.shapes)
            assert shape is not None
            self.values = demand_few(self.values + values_in(shape))
        except LayerError as error:
            raise LayerError(error.message, place=end.place) from None
        dtype = dtypes_given(what, self.dtypes)
        return Port(End(what, label=end.label).name, shape, dtype)

    def place_of(self, leaf: Leaf) -> Output | Leaf:
        """The way to a tensor in the nest of those that a layer gives; itself if there is none."""
        name = leaf.name
        if name not in self.ways:  # a model may have many outputs of one layer
            self.ways[name] = list(ways(self.shapes[name]))
        known = self.ways[name]
        return Output(name, known[leaf.index]) if leaf.index < len(known) else leaf
