"""Follow shapes through a Model and write down what each layer has: a Report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from dense_calc.call_inputs import OutputIndex, OutputPath
from dense_calc.dtypes import Dtypes
from dense_calc.errors import LayerError, SpecError, UnknownSizeError
from dense_calc.gaps import NO_INPUT_MESSAGE, demand_no_gaps, gap_error
from dense_calc.layers.arguments.policy_maps import bind_policy_map
from dense_calc.layers.arguments.types import SerializedPolicy
from dense_calc.model import Model, ModelOutput, Node
from dense_calc.report import CountState, LayerRow, Port, Report, merge_call_rows
from dense_calc.shapes import (
    UNBUILT_SHAPE,
    Shape,
    Shapes,
    UnknownShape,
    find_unknown_input,
    find_unknown_shape,
    leaf_paths,
)
from dense_calc.tracing.layer import (
    BuiltLayer,
    build_layer,
    build_on_unknown_input,
    call_input_dtypes,
    call_input_shapes,
    error_at_node,
    freeze_layer,
    with_output_shape,
)
from dense_calc.tracing.report_size import count_shape_values, demand_few_values
from dense_calc.tracing.shared_layers import CallsByNode, SharedWeights, TracedCall

_InputSpecs = Mapping[str, tuple[Shape, Dtypes]]  # by the names of a model's inputs
NO_INPUT_SPECS: _InputSpecs = {}


def trace(model: Model, inputs: _InputSpecs = NO_INPUT_SPECS, *, partial: bool = False) -> Report:
    """The shapes and parameters of every layer.

    A plain chain has no row for its input, a graph has one for each, as in Keras. `inputs` are
    shapes and dtypes that the model is called with, where they are not its own. A `partial` report
    may leave open what the file does not tell.

    Raises:
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
        SpecError: something is not known, and the report is not to be a partial one.
    """
    return trace_with_size(model, inputs, partial=partial)[0]


def trace_with_size(model: Model, inputs: _InputSpecs, *, partial: bool) -> tuple[Report, int]:
    """The report on a model, and how many values its shapes and weights take."""
    if not partial:
        demand_no_gaps(model.gaps)
    tracer = Tracer(model, inputs)
    feeds: defaultdict[str, list[str]] = defaultdict(list)
    for node in model.nodes:
        for source in dict.fromkeys(node.inputs):
            feeds[source].append(node.name)
    rows = tuple([tracer.trace_row(node, feeds[node.name]) for node in model.nodes])
    if not partial:
        tracer.demand_all_known()
    report = Report(
        name=model.name,
        **tracer.totals(),
        inputs=tuple(Port(name, tracer.shapes[name], tracer.dtypes[name]) for name in model.inputs),
        outputs=tuple(map(tracer.output_port, model.outputs)),
        layers=_summary_rows(rows, model),
        blocks=model.blocks,
        unused=tuple(node.name for node in model.unused),
        partial=tracer.has_unknown,
        state=tracer.state,
    )
    return report, tracer.value_count


def trace_output_specs(model: Model) -> tuple[dict[str, Shapes], dict[str, Dtypes]]:
    """The shape and the dtype of what each call gives, by the names of the nodes.

    Raises:
        LayerError: Keras would not build a layer.
        SpecError: something is not known.
    """
    demand_no_gaps(model.gaps)
    tracer = Tracer(model, NO_INPUT_SPECS)
    for node in model.nodes:
        tracer.trace_node(node)
    tracer.demand_all_known()
    return tracer.shapes, tracer.dtypes


def trace_totals(model: Model, known: CallsByNode) -> dict[str, int]:
    """The totals of the report on a model, without its rows.

    `known` is what was followed of a model with the same nodes, and is brought up to date: what
    has not changed is not worked out again.

    Raises:
        LayerError: Keras would not build a layer.
        SpecError: something is not known.
    """
    demand_no_gaps(model.gaps)
    tracer = Tracer(model, NO_INPUT_SPECS, known)
    for node in model.nodes:
        tracer.trace_node(node)
    tracer.demand_all_known()
    for end in model.outputs:
        tracer.output_port(end)
    return tracer.totals()


def _summary_rows(rows: tuple[LayerRow, ...], model: Model) -> tuple[LayerRow, ...]:
    """The rows of a summary: of a plain chain those of its layers, of a graph those of all calls.

    Of a Keras model those that Keras prints: one for each layer, as it is called last.
    """
    if model.is_sequential:
        return tuple(row for row in rows if row.connected_to)
    return merge_call_rows(rows, model.calls) if model.type and model.calls else rows


class Tracer:
    """What is known of a model while its nodes are followed.

    `known` are calls from before, that may be the same.
    """

    def __init__(self, model: Model, inputs: _InputSpecs, known: CallsByNode | None = None) -> None:
        self.model = model
        self.inputs = inputs
        self.is_frozen = not model.trainable
        self.known_calls: CallsByNode = {} if known is None else known
        self.shapes: dict[str, Shapes] = {}
        self.dtypes: dict[str, Dtypes] = {}
        self.sharing = SharedWeights(model.nodes)
        self.params = self.trainable = self.size = self.trainable_size = 0
        self.value_count = 0
        self.output_paths: dict[
            str, list[tuple[int | str, ...]]
        ] = {}  # to the tensors of layers, by name
        self.has_unknown = False  # whether a shape is not known
        self.state: CountState = ""

    def trace_node(self, node: Node) -> TracedCall:
        """The call of one node; the shape and dtype of its output are known from now on."""
        layer = node.layer
        if layer.inner_layer_arguments or type(layer.dtype) is SerializedPolicy:
            layer = bind_policy_map(layer, node.holder)
        shapes = self.shapes
        try:
            inputs = tuple(
                [shapes[source] for source in node.inputs]
                if node.call_inputs is None
                else [call_input_shapes(each, shapes) for each in node.call_inputs]
            )
            dtypes = self.input_dtypes(node) if layer.uses_input_dtypes else ()
            call = self.known_calls.get(node.name)
            if call is None or not call.is_same_call(layer, inputs, dtypes):
                if self.has_unknown or node.recorded_output:
                    made = self.build_call(node, inputs, dtypes)
                else:
                    made = build_layer(layer, inputs, dtypes)
                call = TracedCall(
                    layer, inputs, dtypes, freeze_layer(made) if self.is_frozen else made
                )
                self.known_calls[node.name] = call
            if self.sharing.repeated_layers:
                call = self.sharing.share_with_first_call(node, call)
            if self.sharing.lent_names and call.built.weights:
                call = self.sharing.mark_lent_weights(node, call)
            self.value_count = demand_few_values(self.value_count + call.built.value_count)
        except LayerError as error:
            is_own = isinstance(error, UnknownSizeError) and error.place is None
            more = self.replacement_hint(node) if is_own else ""
            raise error_at_node(error, node, more) from None
        made = call.built
        spec = made.shape, made.dtype
        if self.inputs:
            spec = self.inputs.get(node.name, spec)
        shapes[node.name], self.dtypes[node.name] = spec
        if self.has_unknown or made.is_open:
            self.note_unknown(node, call)
        if self.sharing.lent_names:
            made = self.sharing.without_shared_weights(call)
        self.params += made.params
        self.trainable += made.trainable
        self.size += made.size
        self.trainable_size += made.trainable_size
        return call

    def replacement_hint(self, node: Node) -> str:
        """What to put in place of the layer that left open a size that a node needs, '' if none."""
        nodes = {each.name: each for each in self.model.nodes}
        while len(node.inputs) == 1:
            call, node = self.known_calls[node.inputs[0]], nodes[node.inputs[0]]
            instead = node.layer.suggested_replacement(*call.inputs)
            if instead:
                return f", or put {instead} in place of {type(node.layer).__name__} '{node.name}'"
            if call.inputs != (call.built.shape,):
                break
        return ""

    def note_unknown(self, node: Node, call: TracedCall) -> None:
        """Keep in mind what is not known of a call."""
        self.has_unknown = True
        self.state = max(self.state, call.built.state)
        if find_unknown_input(call.inputs) == UNBUILT_SHAPE:
            self.shapes[node.name] = (
                UNBUILT_SHAPE  # also of a model inside, which knows its own input
            )

    def input_dtypes(self, node: Node) -> tuple[Dtypes, ...]:
        """The dtypes that the call of a node gets.

        Keras does not convert them where a model inside is followed again, for other shapes.
        """
        dtypes = tuple(
            [call_input_dtypes(each, self.dtypes) for each in node.call_inputs or node.inputs]
        )
        return dtypes if self.inputs else node.layer.call_dtypes(dtypes)

    def build_call(
        self, node: Node, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
    ) -> BuiltLayer:
        """What a layer is that reads these shapes, as far as that is known."""
        why = find_unknown_input(inputs)
        if why is None:
            made = build_layer(node.layer, inputs, dtypes)
        else:
            made = build_on_unknown_input(node.layer, inputs, dtypes, why)
        is_known = find_unknown_shape(made.shape) is None and not node.layer.is_opaque
        if is_known or why == UNBUILT_SHAPE or node.recorded_output is None:
            return made
        if any(
            call_input_shapes(leaf, self.shapes) != shape
            for leaf, shape in node.recorded_output.reads
        ):
            return made
        return with_output_shape(made, node.recorded_output.shape, node.recorded_output.dtype)

    def demand_all_known(self) -> None:
        """Raise SpecError where a shape or a weight is not known."""
        if not self.has_unknown:
            return
        for node in self.model.nodes:
            if not node.inputs and isinstance(self.shapes[node.name], UnknownShape):
                if self.model.is_unbuilt:
                    raise SpecError(NO_INPUT_MESSAGE, node.place)
                needed = "an input needs a shape; write 'shape: [28, 28, 1]'"
                raise error_at_node(LayerError(needed), node)
        raise gap_error(self.model.gaps)

    def trace_row(self, node: Node, feeds: Sequence[str]) -> LayerRow:
        """The row of one node, which these others read."""
        call = self.trace_node(node)
        made = call.built
        return LayerRow(
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
            shared_with=call.first_call,
            layers=made.inner_rows,
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

    def output_port(self, end: ModelOutput) -> Port:
        """An output of the model."""
        what = (
            self.find_output_path(end.source) if isinstance(end.source, OutputIndex) else end.source
        )
        try:
            shape = call_input_shapes(what, self.shapes)
            assert shape is not None
            self.value_count = demand_few_values(self.value_count + count_shape_values(shape))
        except LayerError as error:
            raise LayerError(error.message, place=end.place) from None
        dtype = call_input_dtypes(what, self.dtypes)
        return Port(ModelOutput(what, label=end.label).name, shape, dtype)

    def find_output_path(self, leaf: OutputIndex) -> OutputPath | OutputIndex:
        """The way to a tensor in the nest of those that a layer gives; itself if there is none."""
        name = leaf.name
        if name not in self.output_paths:  # a model may have many outputs of one layer
            self.output_paths[name] = list(leaf_paths(self.shapes[name]))
        known = self.output_paths[name]
        return OutputPath(name, known[leaf.index]) if leaf.index < len(known) else leaf
