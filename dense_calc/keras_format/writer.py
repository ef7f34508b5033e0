"""Write a Model as the JSON of Keras 3, which `keras.models.model_from_json` loads.

Names in Keras have no slashes: a layer in a block, `encoder_3/norm`, becomes `encoder_3.norm`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from dense_calc.call_inputs import (
    CallInput,
    CallLeaf,
    Constant,
    OutputIndex,
    OutputPath,
    map_call_input,
)
from dense_calc.dtypes import leaf_dtypes
from dense_calc.errors import LayerError, SpecError
from dense_calc.keras_format.input_order import name_nested_inputs, positional_count
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind, sublayer_name
from dense_calc.layers.introspect.config import call_argument_values, config_arguments
from dense_calc.model import Model, ModelOutput, Node, dotted_name
from dense_calc.shapes import Shapes, child_shapes, is_shape
from dense_calc.spec_language.spec_numbers import has_finite_numbers
from dense_calc.tracing.call_input_specs import constant_dtype
from dense_calc.tracing.layer import error_at_node
from dense_calc.tracing.nested_model import NestedModel, demand_convertible
from dense_calc.tracing.tracer import trace_output_specs


def to_keras(model: Model) -> str:
    """The JSON of a model.

    Raises:
        LayerError: the layers do not fit each other.
        SpecError: Keras cannot express the model, or it has too many layers.
    """
    demand_convertible(model)
    value = _serialize_model(model)
    if has_finite_numbers(value):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"  # `Infinity`, as Keras has it


def _serialize_model(model: Model, **overrides: Any) -> dict[str, Any]:
    """A model as Keras writes it: a chain as a Sequential, a graph as a Functional."""
    _demand_unique_keras_names(model)
    config: dict[str, Any] = {"name": model.name, "trainable": model.trainable}
    if is_saved_as_sequential(model):
        nodes = model.nodes[model.is_unbuilt :]  # Keras adds the input at the first call
        config["layers"] = [_serialize_layer(node.layer, node) for node in nodes]
        return _serialize_object("keras", "Sequential", None, config | overrides)
    config |= _FunctionalWriter(model).functional_config() | overrides
    return _serialize_object("keras.src.models.functional", "Functional", "Functional", config)


def is_saved_as_sequential(model: Model) -> bool:
    """Whether a model is written as a Sequential.

    A frozen one is not: Keras ignores `trainable` of a Sequential that it loads.
    """
    return model.is_sequential and model.trainable


def _demand_unique_keras_names(model: Model) -> None:
    """Raise SpecError where two names are the same without slashes."""
    names: dict[str, Node] = {}
    for node in model.nodes:
        if node.first_call is None and names.setdefault(dotted_name(node.name), node) is not node:
            raise SpecError(f"Keras would call two layers '{dotted_name(node.name)}'", node.place)


def _serialize_object(
    module: str, class_name: str, registered: str | None, config: dict[str, Any]
) -> dict[str, Any]:
    """An object as Keras' files write it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def _serialize_layer(layer: LayerKind, node: Node, name: str | None = None) -> dict[str, Any]:
    """A layer as Keras writes it, under this name or the name of its node.

    Raises:
        LayerError: Keras could not load it.
        SpecError: Keras has no such class, or the layer shares another.
    """
    name = name or dotted_name(node.name)
    for lent in node.lent_layers:
        reason = f"'{node.name}' shares '{lent.holder}', which Keras' JSON cannot say"
        raise SpecError(f"{reason}; Keras would load two layers, and count both", node.place)
    if isinstance(layer, NestedModel):
        return _serialize_model(layer.model, name=name, trainable=layer.trainable)
    class_name = type(layer).__name__
    if not layer.resolve_keras_module():
        raise SpecError(f"Keras has no class {class_name}, so it has no JSON of it", node.place)

    def serialize_inner(inner: LayerKind) -> Any:
        return _serialize_layer(inner, node, dotted_name(sublayer_name(inner)))

    try:
        layer.demand_serializable()
    except LayerError as error:
        raise error_at_node(error, node) from None
    config = {"name": name, **config_arguments(layer, serialize_inner), **layer.required_config()}
    return _serialize_object(layer.resolve_keras_module(), class_name, None, config)


class _FunctionalWriter:
    """The state of writing a Functional: the tensors of its nodes, and the calls of its layers."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._shapes, self._dtypes = trace_output_specs(model)
        self._tensors_by_node: dict[str, tuple[Any, list[Any]]] = {}  # as a nest, and flat
        self._nodes_by_name = {node.name: node for node in model.nodes}
        repeated = {name for names in model.calls.values() for name in names[1:]}
        self._calls_by_layer = {
            name: model.calls.get(name, (name,))
            for name in self._nodes_by_name
            if name not in repeated
        }
        self._call_positions = {
            name: (dotted_name(holder), number)
            for holder, names in self._calls_by_layer.items()
            for number, name in enumerate(names)
        }
        self._functional_names = {
            node.name
            for node in model.nodes
            if isinstance(node.layer, NestedModel) and not is_saved_as_sequential(node.layer.model)
        }

    def functional_config(self) -> dict[str, Any]:
        """The layers with their calls, the inputs and the outputs of the model."""
        layers = [self._called_layer_config(*pair) for pair in self._calls_by_layer.items()]
        ends = self._model.outputs
        outputs: Any = [self._output_reference(end) for end in ends]
        if all(end.label is not None for end in ends):
            outputs = dict(zip((end.label for end in ends), outputs, strict=True))
        elif len(outputs) == 1:
            (outputs,) = outputs
        return {
            "layers": layers,
            "input_layers": [[dotted_name(name), 0, 0] for name in self._model.inputs],
            "output_layers": outputs,
        }

    def _called_layer_config(self, holder: str, names: Sequence[str]) -> dict[str, Any]:
        """A layer with its calls."""
        nodes = [self._nodes_by_name[name] for name in names]
        calls = [self._serialize_call(node) for node in nodes if node.inputs]
        name = dotted_name(holder)
        layer = {
            **_serialize_layer(nodes[0].layer, nodes[0], name),
            "name": name,
            "inbound_nodes": calls,
        }
        if isinstance(nodes[0].layer, NestedModel):
            name_nested_inputs(nodes[0].layer.model.inputs, layer)
        return layer

    def _serialize_call(self, node: Node) -> dict[str, Any]:
        """The arguments of a call in Keras' JSON."""
        kind = type(node.layer)
        inputs = [self._serialize_input(each) for each in node.call_inputs or node.inputs]
        if kind.is_operation:  # Keras infers a shape only if all inputs are there, if only as null
            inputs += [None] * (len(kind.input_names) - len(inputs))
        kwargs = call_argument_values(node.layer.respell_arguments(keras=True))
        kwargs |= kwargs.pop(kind.kwargs_argument, {})
        if node.mask is not None:
            kwargs["mask"] = self._serialize_input(node.mask)
        if kind.inputs_as_list:
            return {"args": [inputs], "kwargs": kwargs}
        if kind.arity is LIST_OF_INPUTS:
            return {"args": inputs, "kwargs": kwargs}
        count = positional_count(node)
        named = zip(kind.input_names[count:], inputs[count:], strict=False)
        return {"args": inputs[:count], "kwargs": {**dict(named), **kwargs}}

    def _serialize_input(self, call_input: CallInput) -> Any:
        """The input of a call in Keras' JSON: a tensor, a nest of tensors, or numbers."""
        return map_call_input(call_input, self._serialize_leaf, list)

    def _serialize_leaf(self, leaf: CallLeaf) -> Any:
        """A tensor or a constant that a call reads."""
        match leaf:
            case None:
                return None
            case Constant(list(value)):
                config = {"value": value, "dtype": constant_dtype(leaf)}
                return {"class_name": "__numpy__", "config": config}
            case Constant(value):
                return value
        return self._serialize_tensors(leaf)

    def _serialize_tensors(self, source: str | OutputPath | OutputIndex) -> Any:
        """The output of a node: a tensor, or a nest of tensors."""
        name = source if isinstance(source, str) else source.name
        if name not in self._tensors_by_node:
            self._tensors_by_node[name] = self._build_nest(name)
        nest, flat = self._tensors_by_node[name]
        if isinstance(source, OutputIndex):
            return flat[source.index]
        for step in source.steps if isinstance(source, OutputPath) else ():
            nest = nest[step]
        return nest

    def _build_nest(self, name: str) -> tuple[Any, list[Any]]:
        """The tensors of a node's output, as a nest and as a flat list."""
        history = self._call_positions[name]
        dtypes = list(leaf_dtypes(self._dtypes[name]))
        flat: list[Any] = []

        def nest(shapes: Shapes) -> Any:
            """The tensors of a nest, numbered as in Keras: a mapping in the order of its keys."""
            if isinstance(shapes, dict):
                return {key: nest(each) for key, each in sorted(shapes.items())}
            if not is_shape(shapes):
                return [nest(each) for each in child_shapes(shapes)]
            index = len(flat)
            config = {"shape": shapes, "dtype": dtypes[index], "keras_history": [*history, index]}
            flat.append({"class_name": "__keras_tensor__", "config": config})
            return flat[-1]

        return nest(self._shapes[name]), flat

    def _output_reference(self, end: ModelOutput) -> Any:
        """The nest of `[layer, call, output]` for an output of the model."""
        name = end.source if isinstance(end.source, str) else end.source.name
        first_number = int(name in self._functional_names)  # of its calls, as Keras counts here

        def refer_to(tensors: Any) -> Any:
            match tensors:
                case list():
                    return list(map(refer_to, tensors))
                case {"config": {"keras_history": [layer, call, index]}}:
                    return [layer, call + first_number, index]
            return {key: refer_to(each) for key, each in tensors.items()}

        return refer_to(self._serialize_tensors(end.source))
