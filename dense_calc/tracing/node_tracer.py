"""The nodes of a model, one after the other → their calls, shapes, rows and totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dense_calc.call_inputs import OutputIndex, OutputPath
from dense_calc.dtypes import Dtypes
from dense_calc.errors import (
    DenseCalcError,
    LayerError,
    MisfitError,
    RankError,
    SpecError,
    UnknownSizeError,
)
from dense_calc.gaps import NO_INPUT_MESSAGE, gap_error
from dense_calc.layers.arguments.policy_maps import bind_policy_map
from dense_calc.layers.arguments.types import SerializedPolicy
from dense_calc.layers.base import LayerKind
from dense_calc.model import Model, ModelOutput, Node, count_calls, symbolic_blocks
from dense_calc.report import (
    CountState,
    LayerRow,
    Port,
    counted_weights,
    weight_totals,
)
from dense_calc.shapes import (
    OPAQUE_SHAPE,
    UNBUILT_SHAPE,
    Shape,
    Shapes,
    UnknownShape,
    find_unknown_input,
    find_unknown_shape,
    leaf_paths,
)
from dense_calc.symbolic.state import UnlikeCopiesError
from dense_calc.tracing.call_input_specs import call_input_dtypes, call_input_shapes
from dense_calc.tracing.layer import (
    BuiltLayer,
    build_layer,
    build_on_unknown_input,
    error_at_node,
    freeze_layer,
    with_output_shape,
)
from dense_calc.tracing.report_size import count_shape_values, demand_few_values
from dense_calc.tracing.shared_layers import SharedWeights, TracedCall

InputSpecs = Mapping[str, tuple[Shape, Dtypes]]  # by the names of a model's inputs
NO_INPUT_SPECS: InputSpecs = {}


class Tracer:
    """The shapes, dtypes and counts of a model so far, while its nodes are followed in order.

    `shapes` and `dtypes` are those of outputs, by the names of nodes. `has_unknown` is true once a
    shape or a count is not known, and `state` then says why. `value_count` is the size of the
    report.
    """

    def __init__(self, model: Model, inputs: InputSpecs) -> None:
        self.shapes: dict[str, Shapes] = {}
        self.dtypes: dict[str, Dtypes] = {}
        self.has_unknown = False
        self.state: CountState = ""
        self.value_count = 0
        self._model = model
        self._inputs = inputs
        self._calls: dict[str, TracedCall] = {}
        # the blocks of which the number of copies is symbolic
        self._symbolic_blocks = symbolic_blocks(model.blocks)
        self._sharing = SharedWeights(model.nodes)
        self._params = self._trainable = self._size = self._trainable_size = 0
        # the ways to the output tensors of layers, by their names
        self._output_paths: dict[str, list[tuple[int | str, ...]]] = {}

    def trace_node(self, node: Node) -> TracedCall:
        """The call of one node. From now on its output is known and its weights are counted."""
        layer = node.layer
        if layer.inner_layer_arguments or type(layer.dtype) is SerializedPolicy:
            layer = bind_policy_map(layer, node.holder)
        try:
            call = self._build_call(node, layer)
        except DenseCalcError as error:
            if self._symbolic_blocks:
                self._demand_certain_refusal(node)
            if not isinstance(error, LayerError):
                raise
            raise error_at_node(error, node, self._mending_hint(node, error)) from None
        built = call.built
        spec = built.shape, built.dtype
        if self._inputs:
            spec = self._inputs.get(node.name, spec)
        self.shapes[node.name], self.dtypes[node.name] = spec
        if self.has_unknown or built.is_open:
            self._note_unknown(node, call)
        if self._symbolic_blocks:
            self._demand_alike_copies(node.name)
        if self._sharing.lent_names:
            self._add_counts(node, *weight_totals(counted_weights(built.weights)))
        elif built.weights:
            self._add_counts(node, built.params, built.trainable, built.size, built.trainable_size)
        return call

    def _build_call(self, node: Node, layer: LayerKind) -> TracedCall:
        """The call of a node, without the weights that it shares with an earlier call."""
        shapes = self.shapes
        inputs = tuple(
            [shapes[source] for source in node.inputs]
            if node.call_inputs is None
            else [call_input_shapes(each, shapes) for each in node.call_inputs]
        )
        dtypes = self._input_dtypes(node) if layer.uses_input_dtypes else ()
        if self.has_unknown or node.recorded_output:
            built = self._build_partly_known(node, inputs, dtypes)
        else:
            built = build_layer(layer, inputs, dtypes)
        if not self._model.trainable:
            built = freeze_layer(built)
        call = self._calls[node.name] = TracedCall(layer, inputs, dtypes, built)
        if self._sharing.repeated_layers:
            call = self._sharing.share_with_first_call(node, call)
        if self._sharing.lent_names and call.built.weights:
            call = self._sharing.mark_lent_weights(node, call)
        values = count_calls(node.name, self._symbolic_blocks) * call.built.value_count
        self.value_count = demand_few_values(self.value_count + values)
        return call

    def _add_counts(
        self, node: Node, params: int, trainable: int, size: int, trainable_size: int
    ) -> None:
        """Add weights to the totals: in parameters and in bytes, all and those that are trained."""
        count = count_calls(node.name, self._symbolic_blocks)
        self._params += count * params
        self._trainable += count * trainable
        self._size += count * size
        self._trainable_size += count * trainable_size

    def _mending_hint(self, node: Node, error: LayerError) -> str:
        """The end of a complaint about a node: who gives its input, '' if that does not matter."""
        is_of_input = isinstance(error, UnknownSizeError | RankError | MisfitError)
        # only a mistake pays for it
        from dense_calc.tracing.input_hints import input_hint, more_inputs_hint, name_last_copies

        if error.path == ("from",):
            return more_inputs_hint(node)
        if not is_of_input or error.place or len(node.inputs) != 1 or node.call_inputs:
            return ""
        hint = input_hint(error, node, self._model.nodes_by_name, self._calls, self.shapes)
        return name_last_copies(hint, node, self._symbolic_blocks)

    def _note_unknown(self, node: Node, call: TracedCall) -> None:
        """Record that something of a call is not known."""
        self.has_unknown = True
        self.state = max(self.state, call.built.state)
        if find_unknown_input(call.inputs) == UNBUILT_SHAPE:
            # also of a model inside, which knows its own input
            self.shapes[node.name] = UNBUILT_SHAPE

    def _input_dtypes(self, node: Node) -> tuple[Dtypes, ...]:
        """The dtypes of the inputs of a call.

        Keras does not convert them where a model inside is followed again, for other shapes.
        """
        dtypes = tuple(
            [call_input_dtypes(each, self.dtypes) for each in node.call_inputs or node.inputs]
        )
        return dtypes if self._inputs else node.layer.call_dtypes(dtypes)

    def _build_partly_known(
        self, node: Node, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
    ) -> BuiltLayer:
        """What a layer is on these inputs as far as it is known, by its rules or by its file."""
        unknown = find_unknown_input(inputs)
        if unknown is None:
            built = build_layer(node.layer, inputs, dtypes)
        else:
            built = build_on_unknown_input(node.layer, inputs, dtypes, unknown)
        is_known = find_unknown_shape(built.shape) is None and not node.layer.is_opaque
        if is_known or unknown == UNBUILT_SHAPE or node.recorded_output is None:
            return built
        recorded = node.recorded_output
        if any(call_input_shapes(leaf, self.shapes) != shape for leaf, shape in recorded.reads):
            return built
        return with_output_shape(built, recorded.shape, recorded.dtype)

    def leave_unknown(self, node: Node) -> None:
        """Leave open what the call of a node gives."""
        built = BuiltLayer(OPAQUE_SHAPE, state="unknown", is_open=True)
        call = self._calls[node.name] = TracedCall(node.layer, (), (), built)
        self.shapes[node.name], self.dtypes[node.name] = OPAQUE_SHAPE, None
        self._note_unknown(node, call)

    def _demand_certain_refusal(self, node: Node) -> None:
        """Raise UnlikeCopiesError where another number of copies could refuse another node first.

        Nodes are in the order of their distance from the outputs: it is certain that a node comes
        first only of those that read it, directly or not.
        """
        if self._sharing.repeated_layers:
            raise UnlikeCopiesError
        readers = {node.name}
        for other in self._model.nodes[len(self.shapes) + 1 :]:
            if readers.isdisjoint(other.inputs):
                raise UnlikeCopiesError
            readers.add(other.name)

    def _demand_alike_copies(self, output: str) -> None:
        """Raise UnlikeCopiesError where a copy of a block gives something else than the one before.

        Where the second copy gives what the first gives, all copies that follow do, too. If it
        does not read the first, no output needs that.
        """
        for block in self._symbolic_blocks:
            if block.output == output:
                *_, before, last = block.copies
                earlier = before + output.removeprefix(last)
                if earlier not in self.shapes:
                    raise UnlikeCopiesError
                is_same_shape = self.shapes[earlier] == self.shapes[output]
                if not is_same_shape or self.dtypes[earlier] != self.dtypes[output]:
                    raise UnlikeCopiesError

    def demand_all_known(self) -> None:
        """Raise SpecError where a shape or a weight is not known."""
        if not self.has_unknown:
            return
        if self._symbolic_blocks:
            raise UnlikeCopiesError  # their order could be another
        for node in self._model.nodes:
            if not node.inputs and isinstance(self.shapes[node.name], UnknownShape):
                if self._model.is_unbuilt:
                    raise SpecError(NO_INPUT_MESSAGE, node.place)
                needed = "an input needs a shape; write 'shape: [28, 28, 1]'"
                raise error_at_node(LayerError(needed), node)
        raise gap_error(self._model.gaps)

    def trace_row(self, node: Node, feeds: Sequence[str]) -> LayerRow:
        """The row of one node; `feeds` are the names of the nodes that read it."""
        call = self.trace_node(node)
        built = call.built
        return LayerRow(
            name=node.name,
            type=type(call.layer).__name__,
            output_shape=built.shape if node.inputs else self.shapes[node.name],
            output_dtype=self.dtypes[node.name],
            params=built.params,
            trainable_params=built.trainable,
            non_trainable_params=built.params - built.trainable,
            connected_to=node.inputs,
            feeds=tuple(feeds),
            weights=built.weights,
            input_shapes=call.inputs,
            shared_with=call.first_call,
            layers=built.inner_rows,
            state=built.state,
        )

    def totals(self) -> dict[str, int]:
        """The totals of the calls so far, in parameters and in bytes, by their keys in a Report."""
        return {
            "total_params": self._params,
            "trainable_params": self._trainable,
            "non_trainable_params": self._params - self._trainable,
            "total_bytes": self._size,
            "trainable_bytes": self._trainable_size,
            "non_trainable_bytes": self._size - self._trainable_size,
        }

    def output_port(self, output: ModelOutput) -> Port:
        """The name, shape and dtype of an output of the model."""
        source = output.source
        if isinstance(source, OutputIndex):
            source = self._find_output_path(source)
        try:
            shape = call_input_shapes(source, self.shapes)
            assert shape is not None
            self.value_count = demand_few_values(self.value_count + count_shape_values(shape))
        except LayerError as error:
            raise LayerError(error.message, place=output.place) from None
        dtype = call_input_dtypes(source, self.dtypes)
        return Port(ModelOutput(source, label=output.label).name, shape, dtype)

    def _find_output_path(self, leaf: OutputIndex) -> OutputPath | OutputIndex:
        """The way to a tensor in the nest of a layer's outputs; `leaf` itself if there is none."""
        name = leaf.name
        if name not in self._output_paths:  # a model may have many outputs of one layer
            self._output_paths[name] = list(leaf_paths(self.shapes[name]))
        paths = self._output_paths[name]
        return OutputPath(name, paths[leaf.index]) if leaf.index < len(paths) else leaf
