"""A Model → the JSON of Keras 3, which `keras.models.model_from_json` loads.

A name of Keras' has no slash: that of a layer in a block, `encoder_3/norm`, becomes
`encoder_3.norm`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from dense_calc.call_inputs import (
    CallInput,
    CallLeaf,
    Constant,
    OutputIndex,
    OutputPath,
    layer_names_in,
    map_call_input,
)
from dense_calc.dtypes import leaf_dtypes
from dense_calc.errors import LayerError, SpecError
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
        LayerError: its layers do not fit.
        SpecError: something in it has no form in Keras; or it has too many layers.
    """
    demand_convertible(model)
    value = _serialize_model(model)
    if has_finite_numbers(value):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"  # `Infinity`, as Keras has it


def _serialize_model(model: Model, **more: Any) -> dict[str, Any]:
    """A model as Keras writes it: a chain as a Sequential, a graph as a Functional."""
    _demand_unique_keras_names(model)
    config: dict[str, Any] = {"name": model.name, "trainable": model.trainable}
    if is_saved_as_sequential(model):
        nodes = model.nodes[model.is_unbuilt :]  # Keras makes its input when it is called
        config["layers"] = [_serialize_layer(node.layer, node) for node in nodes]
        return _serialize_object("keras", "Sequential", None, config | more)
    config |= _FunctionalWriter(model).functional_config()
    return _serialize_object(
        "keras.src.models.functional", "Functional", "Functional", config | more
    )


def is_saved_as_sequential(model: Model) -> bool:
    """Whether Keras writes a model as a Sequential.

    Of a Sequential that is frozen as a whole Keras loads one that is trained.
    """
    return model.is_sequential and model.trainable


def _demand_unique_keras_names(model: Model) -> None:
    """Raise SpecError where names come to the same without their slashes."""
    names: dict[str, Node] = {}
    for node in model.nodes:
        if node.first_call is None and names.setdefault(dotted_name(node.name), node) is not node:
            raise SpecError(f"Keras would call two layers '{dotted_name(node.name)}'", node.place)


def _serialize_object(
    module: str, class_name: str, registered: str | None, config: dict[str, Any]
) -> dict[str, Any]:
    """An object of Keras' as its files hold it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def _serialize_layer(layer: LayerKind, node: Node, name: str | None = None) -> dict[str, Any]:
    """A layer as Keras writes it, by the name of its node, or by its own inside another.

    Raises:
        LayerError: Keras could not load it.
        SpecError: Keras has no such class.
    """
    name = name or dotted_name(node.name)
    for loan in node.lent_layers:
        told = f"'{node.name}' shares '{loan.holder}', which Keras' JSON cannot say"
        raise SpecError(f"{told}; Keras would load two layers, and count both", node.place)
    if isinstance(layer, NestedModel):
        return _serialize_model(layer.model, name=name, trainable=layer.trainable)
    class_name = type(layer).__name__
    if not layer.resolve_keras_module():
        raise SpecError(f"Keras has no class {class_name}, so it has no JSON of it", node.place)

    def inner(held: LayerKind) -> Any:
        return _serialize_layer(held, node, dotted_name(sublayer_name(held)))

    try:
        layer.demand_serializable()
    except LayerError as error:
        raise error_at_node(error, node) from None
    config = {"name": name, **config_arguments(layer, inner), **layer.required_config()}
    return _serialize_object(layer.resolve_keras_module(), class_name, None, config)


class _FunctionalWriter:
    """A Functional while it is written: which call of which layer each node is."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.shapes, self.dtypes = trace_output_specs(model)
        self.nests_by_node: dict[str, tuple[Any, list[Any]]] = {}  # by the names of nodes
        self.nodes_by_name = {node.name: node for node in model.nodes}
        again = {name for names in model.calls.values() for name in names[1:]}
        self.calls_by_layer = {
            name: model.calls.get(name, (name,)) for name in self.nodes_by_name if name not in again
        }
        self.call_positions = {
            name: (dotted_name(holder), number)
            for holder, names in self.calls_by_layer.items()
            for number, name in enumerate(names)
        }
        self.functional_names = {
            node.name
            for node in model.nodes
            if isinstance(node.layer, NestedModel) and not is_saved_as_sequential(node.layer.model)
        }

    def functional_config(self) -> dict[str, Any]:
        """The layers, each with its calls, and what the model is given and gives."""
        layers = [self.called_layer_config(*pair) for pair in self.calls_by_layer.items()]
        ends = self.model.outputs
        outputs: Any = [self.output_reference(end) for end in ends]
        if all(end.label is not None for end in ends):
            outputs = dict(zip((end.label for end in ends), outputs, strict=True))
        elif len(outputs) == 1:
            (outputs,) = outputs
        return {
            "layers": layers,
            "input_layers": [[dotted_name(name), 0, 0] for name in self.model.inputs],
            "output_layers": outputs,
        }

    def called_layer_config(self, holder: str, names: Sequence[str]) -> dict[str, Any]:
        """A layer with its calls."""
        nodes = [self.nodes_by_name[name] for name in names]
        calls = [self.serialize_call(node) for node in nodes if node.inputs]
        name = dotted_name(holder)
        layer = {
            **_serialize_layer(nodes[0].layer, nodes[0], name),
            "name": name,
            "inbound_nodes": calls,
        }
        if isinstance(nodes[0].layer, NestedModel):
            _name_nested_inputs(nodes[0].layer.model.inputs, layer)
        return layer

    def serialize_call(self, node: Node) -> dict[str, Any]:
        """The arguments of a call."""
        kind = type(node.layer)
        given = [self.serialize_input(each) for each in node.call_inputs or node.inputs]
        if kind.is_operation:  # Keras infers a shape only where all inputs are told, if as nothing
            given += [None] * (len(kind.input_names) - len(given))
        kwargs = call_argument_values(node.layer.respell_arguments(keras=True))
        kwargs |= kwargs.pop(kind.kwargs_argument, {})
        if node.mask is not None:
            kwargs["mask"] = self.serialize_input(node.mask)
        if kind.inputs_as_list:
            return {"args": [given], "kwargs": kwargs}
        if kind.arity is LIST_OF_INPUTS:
            return {"args": given, "kwargs": kwargs}
        last = _positional_count(node)
        named = zip(kind.input_names[last:], given[last:], strict=False)
        return {"args": given[:last], "kwargs": {**dict(named), **kwargs}}

    def serialize_input(self, call_input: CallInput) -> Any:
        """The input of a call in Keras' JSON: a tensor, a nest of tensors, or numbers."""
        return map_call_input(call_input, self.serialize_leaf, list)

    def serialize_leaf(self, what: CallLeaf) -> Any:
        """A tensor or a constant that a call reads."""
        match what:
            case None:
                return None
            case Constant(list(value)):
                return {
                    "class_name": "__numpy__",
                    "config": {"value": value, "dtype": constant_dtype(what)},
                }
            case Constant(value):
                return value
        return self.serialize_tensors(what)

    def serialize_tensors(self, what: str | OutputPath | OutputIndex) -> Any:
        """The tensor, or the nest of them, that a layer gives."""
        name = what if isinstance(what, str) else what.name
        if name not in self.nests_by_node:
            self.nests_by_node[name] = self.build_nest(name)
        found, flat = self.nests_by_node[name]
        if isinstance(what, OutputIndex):
            return flat[what.index]
        for step in what.steps if isinstance(what, OutputPath) else ():
            found = found[step]
        return found

    def build_nest(self, name: str) -> tuple[Any, list[Any]]:
        """The nest of the tensors that a node gives, and the same one after the other."""
        history = self.call_positions[name]
        dtypes = list(leaf_dtypes(self.dtypes[name]))
        flat: list[Any] = []

        def nest(shapes: Shapes) -> Any:
            """The tensors of a nest, numbered as Keras does, those of a mapping by their keys."""
            if isinstance(shapes, dict):
                return {key: nest(each) for key, each in sorted(shapes.items())}
            if not is_shape(shapes):
                return [nest(each) for each in child_shapes(shapes)]
            place = len(flat)
            config = {"shape": shapes, "dtype": dtypes[place], "keras_history": [*history, place]}
            flat.append({"class_name": "__keras_tensor__", "config": config})
            return flat[-1]

        return nest(self.shapes[name]), flat

    def output_reference(self, end: ModelOutput) -> Any:
        """Where an output of the model comes from; the calls of a Functional count from 1 here."""
        first = (
            end.source if isinstance(end.source, str) else end.source.name
        ) in self.functional_names

        def place_of(tensors: Any) -> Any:
            match tensors:
                case list():
                    return list(map(place_of, tensors))
                case {"config": {"keras_history": [layer, call, index]}}:
                    return [layer, call + first, index]
            return {key: place_of(each) for key, each in tensors.items()}

        return place_of(self.serialize_tensors(end.source))


def _name_nested_inputs(inputs: Sequence[str], layer: dict[str, Any]) -> None:
    """Write a model inside with names for its inputs, if a call gives them in a mapping.

    Keras reads a mapping in the order of its names, which a list of inputs may not have.
    """
    names = list(map(dotted_name, inputs))
    calls = [call["args"] for call in layer["inbound_nodes"]]
    if names == sorted(names) or not any(_is_tensor_mapping(given) for (given,) in calls):
        return
    places = layer["config"]["input_layers"]
    layer["config"]["input_layers"] = dict(zip(names, places, strict=True))
    for args in calls:
        if not _is_tensor_mapping(args[0]):
            args[0] = dict(zip(names, _flatten_tensors(args[0]), strict=True))


def _is_tensor_mapping(given: Any) -> bool:
    """Whether an input is given a mapping, not a tensor or a list of them."""
    return isinstance(given, dict) and "class_name" not in given


def _flatten_tensors(given: Any) -> Iterator[Any]:
    """The tensors in what an input is given, those of a mapping by its keys."""
    match given:
        case list():
            for each in given:
                yield from _flatten_tensors(each)
        case dict() if _is_tensor_mapping(given):
            for _, each in sorted(given.items()):
                yield from _flatten_tensors(each)
        case _:
            yield given


def _has_explicit_no_mask(node: Node, number: int) -> bool:
    """Whether so many inputs by position say that there is no mask, where Keras puts in its own."""
    given = zip(
        type(node.layer).input_names, (node.call_inputs or node.inputs)[:number], strict=False
    )
    return any(each is None and name.endswith("_mask") for name, each in given)


def _positional_count(node: Node) -> int:
    """How many inputs a call takes by position, so that Keras lists connections as the node does.

    Keras lists what is given by position, then what is given by name, in the order of the names.
    """
    kind, call = type(node.layer), node.call_inputs or node.inputs
    most = 1 if kind.positional_parameters else len(call) if None not in call else call.index(None)
    with_nothing = range(most + 1, 1 + (most if kind.positional_parameters else len(call)))
    for number in chain(range(most, -1 if kind.input_names else most - 1, -1), with_nothing):
        by_name = sorted(zip(kind.input_names[number:], call[number:], strict=False))
        ordered = (*call[:number], *(each for _, each in by_name))
        read = tuple(name for each in ordered for name in layer_names_in(each))
        if read == node.inputs[: len(read)] and not _has_explicit_no_mask(node, number):
            return number
    return most
