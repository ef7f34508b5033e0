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

from dense_calc.dtypes import dtypes_in
from dense_calc.errors import LayerError, SpecError
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind, name_of
from dense_calc.layers.introspect.config import arguments_of, arguments_of_call
from dense_calc.model import Constant, End, Given, Leaf, Model, Node, Output, dotted, names_in
from dense_calc.shapes import Shapes, is_shape, parts
from dense_calc.spec_language.scope import is_finite
from dense_calc.tracing.layer import dtype_of, placed
from dense_calc.tracing.nested_model import Inside, demand_convertible
from dense_calc.tracing.tracer import specs_of


def to_keras(model: Model) -> str:
    """The JSON of a model.

    Raises:
        LayerError: its layers do not fit.
        SpecError: something in it has no form in Keras; or it has too many layers.
    """
    demand_convertible(model)
    value = written(model)
    if is_finite(value):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"  # `Infinity`, as Keras has it


def written(model: Model, **more: Any) -> dict[str, Any]:
    """A model as Keras writes it: a chain as a Sequential, a graph as a Functional."""
    demand_unlike(model)
    config: dict[str, Any] = {"name": model.name, "trainable": model.trainable}
    if is_sequential(model):
        nodes = model.nodes[model.is_unbuilt :]  # Keras makes its input when it is called
        config["layers"] = [object_of(node.layer, node) for node in nodes]
        return serialized("keras", "Sequential", None, config | more)
    config |= Graph(model).config()
    return serialized("keras.src.models.functional", "Functional", "Functional", config | more)


def is_sequential(model: Model) -> bool:
    """Whether Keras writes a model as a Sequential.

    Of a Sequential that is frozen as a whole Keras loads one that is trained.
    """
    return model.is_sequential and model.trainable


def demand_unlike(model: Model) -> None:
    """Raise SpecError where names come to the same without their slashes."""
    names: dict[str, Node] = {}
    for node in model.nodes:
        if node.shares is None and names.setdefault(dotted(node.name), node) is not node:
            raise SpecError(f"Keras would call two layers '{dotted(node.name)}'", node.place)


def serialized(
    module: str, class_name: str, registered: str | None, config: dict[str, Any]
) -> dict[str, Any]:
    """An object of Keras' as its files hold it."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered,
    }


def object_of(layer: LayerKind, node: Node, name: str | None = None) -> dict[str, Any]:
    """A layer as Keras writes it, by the name of its node, or by its own inside another.

    Raises:
        LayerError: Keras could not load it.
        SpecError: Keras has no such class.
    """
    name = name or dotted(node.name)
    for loan in node.loans:
        told = f"'{node.name}' shares '{loan.holder}', which Keras' JSON cannot say"
        raise SpecError(f"{told}; Keras would load two layers, and count both", node.place)
    if isinstance(layer, Inside):
        return written(layer.model, name=name, trainable=layer.trainable)
    class_name = type(layer).__name__
    if not layer.home():
        raise SpecError(f"Keras has no class {class_name}, so it has no JSON of it", node.place)

    def inner(held: LayerKind) -> Any:
        return object_of(held, node, dotted(name_of(held)))

    try:
        layer.demand_storable()
    except LayerError as error:
        raise placed(error, node) from None
    config = {"name": name, **arguments_of(layer, inner), **layer.needed()}
    return serialized(layer.home(), class_name, None, config)


class Graph:
    """A Functional while it is written: which call of which layer each node is."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.shapes, self.dtypes = specs_of(model)
        self.nests: dict[str, tuple[Any, list[Any]]] = {}  # by the names of nodes
        self.nodes = {node.name: node for node in model.nodes}
        again = {name for names in model.calls.values() for name in names[1:]}
        self.holders = {
            name: model.calls.get(name, (name,)) for name in self.nodes if name not in again
        }
        self.calls = {
            name: (dotted(holder), number)
            for holder, names in self.holders.items()
            for number, name in enumerate(names)
        }
        self.functionals = {
            node.name
            for node in model.nodes
            if isinstance(node.layer, Inside) and not is_sequential(node.layer.model)
        }

    def config(self) -> dict[str, Any]:
        """The layers, each with its calls, and what the model is given and gives."""
        layers = [self.layer(*pair) for pair in self.holders.items()]
        ends = self.model.outputs
        outputs: Any = [self.place(end) for end in ends]
        if all(end.label is not None for end in ends):
            outputs = dict(zip((end.label for end in ends), outputs, strict=True))
        elif len(outputs) == 1:
            (outputs,) = outputs
        return {
            "layers": layers,
            "input_layers": [[dotted(name), 0, 0] for name in self.model.inputs],
            "output_layers": outputs,
        }

    def layer(self, holder: str, names: Sequence[str]) -> dict[str, Any]:
        """A layer with its calls."""
        nodes = [self.nodes[name] for name in names]
        calls = [self.call(node) for node in nodes if node.inputs]
        name = dotted(holder)
        layer = {**object_of(nodes[0].layer, nodes[0], name), "name": name, "inbound_nodes": calls}
        if isinstance(nodes[0].layer, Inside):
            take_by_name(nodes[0].layer.model.inputs, layer)
        return layer

    def call(self, node: Node) -> dict[str, Any]:
        """The arguments of a call."""
        kind = type(node.layer)
        given = [self.given(each) for each in node.call or node.inputs]
        if kind.is_operation:  # Keras infers a shape only where all inputs are told, if as nothing
            given += [None] * (len(kind.inputs) - len(given))
        kwargs = arguments_of_call(node.layer.spelled(keras=True))
        kwargs |= kwargs.pop(kind.further, {})
        if node.mask is not None:
            kwargs["mask"] = self.given(node.mask)
        if kind.on_a_list:
            return {"args": [given], "kwargs": kwargs}
        if kind.takes is LIST_OF_INPUTS:
            return {"args": given, "kwargs": kwargs}
        last = positions(node)
        named = zip(kind.inputs[last:], given[last:], strict=False)
        return {"args": given[:last], "kwargs": {**dict(named), **kwargs}}

    def given(self, what: Given) -> Any:
        """What an input is given: a tensor, a nest of them, or numbers."""
        match what:
            case None:
                return None
            case Constant(list(value)):
                return {
                    "class_name": "__numpy__",
                    "config": {"value": value, "dtype": dtype_of(what)},
                }
            case Constant(value):
                return value
            case tuple():
                return [self.given(each) for each in what]
            case dict():
                return {name: self.given(each) for name, each in what.items()}
        return self.tensors(what)

    def tensors(self, what: str | Output | Leaf) -> Any:
        """The tensor, or the nest of them, that a layer gives."""
        name = what if isinstance(what, str) else what.name
        if name not in self.nests:
            self.nests[name] = self.nest(name)
        found, flat = self.nests[name]
        if isinstance(what, Leaf):
            return flat[what.index]
        for step in what.steps if isinstance(what, Output) else ():
            found = found[step]
        return found

    def nest(self, name: str) -> tuple[Any, list[Any]]:
        """The nest of the tensors that a node gives, and the same one after the other."""
        history = self.calls[name]
        dtypes = list(dtypes_in(self.dtypes[name]))
        flat: list[Any] = []

        def nest(shapes: Shapes) -> Any:
            """The tensors of a nest, numbered as Keras does, those of a mapping by their keys."""
            if isinstance(shapes, dict):
                return {key: nest(each) for key, each in sorted(shapes.items())}
            if not is_shape(shapes):
                return [nest(each) for each in parts(shapes)]
            place = len(flat)
            config = {"shape": shapes, "dtype": dtypes[place], "keras_history": [*history, place]}
            flat.append({"class_name": "__keras_tensor__", "config": config})
            return flat[-1]

        return nest(self.shapes[name]), flat

    def place(self, end: End) -> Any:
        """Where an output of the model comes from; the calls of a Functional count from 1 here."""
        first = (end.what if isinstance(end.what, str) else end.what.name) in self.functionals

        def place_of(tensors: Any) -> Any:
            match tensors:
                case list():
                    return list(map(place_of, tensors))
                case {"config": {"keras_history": [layer, call, index]}}:
                    return [layer, call + first, index]
            return {key: place_of(each) for key, each in tensors.items()}

        return place_of(self.tensors(end.what))


def take_by_name(inputs: Sequence[str], layer: dict[str, Any]) -> None:
    """Write a model inside with names for its inputs, if a call gives them in a mapping.

    Keras reads a mapping in the order of its names, which a list of inputs may not have.
    """
    names = list(map(dotted, inputs))
    calls = [call["args"] for call in layer["inbound_nodes"]]
    if names == sorted(names) or not any(is_mapping(given) for (given,) in calls):
        return
    places = layer["config"]["input_layers"]
    layer["config"]["input_layers"] = dict(zip(names, places, strict=True))
    for args in calls:
        if not is_mapping(args[0]):
            args[0] = dict(zip(names, flat(args[0]), strict=True))


def is_mapping(given: Any) -> bool:
    """Whether an input is given a mapping, not a tensor or a list of them."""
    return isinstance(given, dict) and "class_name" not in given


def flat(given: Any) -> Iterator[Any]:
    """The tensors in what an input is given, those of a mapping by its keys."""
    match given:
        case list():
            for each in given:
                yield from flat(each)
        case dict() if is_mapping(given):
            for _, each in sorted(given.items()):
                yield from flat(each)
        case _:
            yield given


def lacks_mask(node: Node, number: int) -> bool:
    """Whether so many inputs by position say that there is no mask, where Keras puts in its own."""
    given = zip(type(node.layer).inputs, (node.call or node.inputs)[:number], strict=False)
    return any(each is None and name.endswith("_mask") for name, each in given)


def positions(node: Node) -> int:
    """How many inputs a call takes by position, so that Keras lists connections as the node does.

    Keras lists what is given by position, then what is given by name, in the order of the names.
    """
    kind, call = type(node.layer), node.call or node.inputs
    most = 1 if kind.call_order else len(call) if None not in call else call.index(None)
    with_nothing = range(most + 1, 1 + (most if kind.call_order else len(call)))
    for number in chain(range(most, -1 if kind.inputs else most - 1, -1), with_nothing):
        by_name = sorted(zip(kind.inputs[number:], call[number:], strict=False))
        ordered = (*call[:number], *(each for _, each in by_name))
        read = tuple(name for each in ordered for name in names_in(each))
        if read == node.inputs[: len(read)] and not lacks_mask(node, number):
            return number
    return most
