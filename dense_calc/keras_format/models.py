"""The models in a file of Keras': Sequential and Functional, each perhaps a layer of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from msgspec import Struct, ValidationError, convert
from msgspec.structs import replace

from dense_calc.errors import LayerError, Note, SpecError, said
from dense_calc.keras_format.assume import kind_called
from dense_calc.keras_format.call_arguments import bound, demand_given
from dense_calc.keras_format.custom_objects import NOTHING_STORED, File, without_package
from dense_calc.keras_format.inbound_nodes import Calls, referred
from dense_calc.keras_format.json_locations import Spot
from dense_calc.keras_format.layer_objects import (
    INPUT_SHAPE,
    MODELS,
    TF_FUNCTIONS,
    Written,
    layer_of,
    model_type,
    names_of,
    written,
)
from dense_calc.keras_format.legacy.allowances import made_from_file
from dense_calc.keras_format.legacy.merged_models import is_merge, merged_nodes
from dense_calc.keras_format.model_ends import demand_called, ends_of, labelled, strange_inputs
from dense_calc.keras_format.recorded_shapes import input_shape_in, with_statements
from dense_calc.layers import kind_named
from dense_calc.layers.base import LayerKind, snake_case
from dense_calc.model import End, Given, Model, ModelType, Node
from dense_calc.spec_language.entries import INPUT_KIND
from dense_calc.tracing.graph import model_of
from dense_calc.tracing.nested_model import KINDS, Functional, Inside

MAX_DEPTH = 32  # models in models
STEPS = 3  # from a model to a layer in it


class Part(Struct):
    """A layer of a model: its name, what is written of it, and its inbound nodes.

    `build` is what Keras wrote of the shapes that it was built on, `file` what holds for it.
    """

    name: str
    file: File
    written: Written
    calls: list[Any]
    build: Any

    @property
    def is_inside(self) -> bool:
        """Whether it is a model itself."""
        return issubclass(self.written.kind, Inside)


def model_in(value: Any, spot: Spot, file: File, name: str) -> Model:
    """The model that is written; `name` is what it is called if it does not say.

    Raises:
        SpecError: it is none, or something in it is not known.
    """
    return model_of_config(value["class_name"], value["config"], spot.at("config"), file, name)


def model_of_config(class_name: str, config: Any, spot: Spot, file: File, name: str) -> Model:
    """The same of a class and its config; `spot` is where the config stands.

    Raises:
        SpecError: it is none, or something in it is not known.
    """
    if len(spot.path) > MAX_DEPTH * STEPS:
        raise SpecError(f"more than {MAX_DEPTH} models are in each other", spot)
    if isinstance(config, list):  # as early versions write a Sequential
        config = {"layers": config}
    if not isinstance(config, dict):
        raise SpecError(f"a model's config is a mapping, not {said(config)}", spot)
    build = sequential if model_type(class_name, config) == "Sequential" else functional
    if class_name not in MODELS:
        type_name = build.__name__.capitalize()
        note = f"'{without_package(class_name)}' is read as the {type_name} that its config tells"
        file.remarks.append(Note(note, spot))
    layers = config.get("layers")
    if not isinstance(layers, list) or not (layers or build is sequential):
        raise SpecError("a model needs 'layers', a list", spot.at("layers"))
    own = config.get("name")
    name = own if isinstance(own, str) and own else name
    return build(config, spot, file, name)


def parts(layers: list[Any], spot: Spot, file: File) -> Iterator[Part]:
    """The layers of a model, each with a name of its own.

    Raises:
        SpecError: a layer has no name, or that of another; or it is not known.
    """
    names: set[str] = set()
    counts: Counter[str] = Counter()
    for number, value in enumerate(layers):
        here = spot.at(number)
        own = file
        if file.stored is not NOTHING_STORED:
            own = replace(file, stored=file.stored.at(*names_of(value, counts)))
        layer = written(value, here, own)
        name = value.get("name") or layer.config.get("name") or snake_case(layer.class_name)
        calls = value.get("inbound_nodes") or []
        if not isinstance(name, str) or not isinstance(calls, list):
            raise SpecError("a layer's 'name' is text, and its 'inbound_nodes' a list", here)
        if name in names:
            raise SpecError(f"the name '{name}' stands here twice", here)
        names.add(name)
        yield Part(name, own, layer, calls, value.get("build_config"))


def functional(config: dict[str, Any], spot: Spot, file: File, name: str) -> Model:
    """The graph that a Functional's config describes.

    Raises:
        SpecError: it describes none.
    """
    layers = list(parts(config["layers"], spot.at("layers"), file))
    calls = calls_of(layers)
    nodes = {node.name: node for part in layers for node in nodes_of(part, calls)}
    builds = {part.name: part.build for part in layers if len(part.calls) == 1}
    stores = {part.name: part.file.stored for part in layers}
    inbound = [part.calls for part in layers]
    leaf = partial(calls.leaf, spot=spot)
    nodes = with_statements(nodes, inbound, builds, stores, leaf, file)
    if any(part.written.class_name in TF_FUNCTIONS for part in layers):
        from dense_calc.keras_format.tensorflow.size_lists import with_lists  # few files have any

        nodes = with_lists(nodes)
    starts = ends_of(config.get("input_layers"), calls, spot.at("input_layers"))
    told = config.get("output_layers")
    ends = tuple(labelled(ends_of(told, calls, spot.at("output_layers")), told))
    if not ends:
        raise SpecError("a Functional needs 'output_layers'", spot)
    demand_called(nodes, ends)
    inputs = [start.name for start in starts if start.name in nodes]
    if not inputs:
        raise SpecError("a Functional needs 'input_layers'", spot)
    ordered = {name: nodes[name] for name in (*inputs, *nodes)}
    model = model_of(name, tuple(ordered.values()), ends, type="Functional")
    strangers = strange_inputs(model, inputs)
    known = tuple(node for node in model.nodes if node not in strangers)
    return replace(model, nodes=known, inputs=tuple(inputs)) if strangers else model


def calls_of(layers: list[Part]) -> Calls:
    """The names of the calls of a model's layers.

    Keras 3 counts the calls of a Functional inside from 1 in a model's outputs, older versions
    those of all models, and everywhere; but not where a file says 0.
    """
    numbers = {part.name: max(1, len(part.calls)) for part in layers}
    inside = {part.name: part.written.kind for part in layers if part.is_inside}
    if any(isinstance(call, dict) and "args" in call for part in layers for call in part.calls):
        return Calls(numbers, (), {name for name in inside if issubclass(inside[name], Functional)})
    from_0 = {name for part in layers for name, call in referred(part.calls) if not call}
    return Calls(numbers, inside.keys() - from_0, inside.keys() - from_0)


def nodes_of(part: Part, calls: Calls) -> Iterator[Node]:
    """The nodes of a layer: an input, or one for each call; none where it is never called.

    Raises:
        SpecError: a call is given no tensor, or what is not there.
    """
    layer, spot = part.written, part.written.spot
    if not part.calls and 0 in layer.kind.takes:
        yield Node(part.name, layer_of(layer, part.file), (), spot)
    made: LayerKind | None = None
    for number, call in enumerate(part.calls):
        here = spot.at("inbound_nodes", number)
        try:
            given = bound(calls.call(call, here), layer.kind)
            if not part.is_inside:  # whose inputs may be optional
                demand_given(layer.kind, given.inputs)
        except LayerError as error:
            raise SpecError(f"'{part.name}': {error.message}", here) from None
        if part.is_inside:
            given.inputs = tuple(in_order(each, layer) for each in given.inputs)
        if not given.reads or (layer.kind.on_a_list and None in given.inputs):
            raise SpecError(f"'{part.name}' is called with what is no tensor", here)
        if made is None or layer.kind.of_call:
            made = layer_of(layer, part.file, given.of_call)
        shares = part.name if number else None
        name = calls.names[part.name][number]
        yield Node(name, made, given.reads, spot, given.inputs, shares, mask=given.mask)


def in_order(given: Given, inside: Written) -> Given:
    """What a call of a model inside is given, as a list where a mapping is not by its inputs alone.

    Keras takes more than them, and a model may have names for them that are not those of layers.
    """
    told = inside.config.get("input_layers")
    inputs = inside.made.model.inputs if isinstance(inside.made, Inside) else ()
    names = sorted(told) if isinstance(told, dict) else inputs
    if not isinstance(given, dict) or not set(names) <= given.keys() or given.keys() == set(inputs):
        return given
    return tuple(given[name] for name in names)


def sequential(config: dict[str, Any], spot: Spot, file: File, name: str) -> Model:
    """The chain that a Sequential's config describes.

    Raises:
        SpecError: it describes none, or not what the first layer reads.
    """
    if not config["layers"]:
        return Model(name, (), (), (), type="Sequential")
    first = config["layers"][0]
    layers = list(parts(config["layers"], spot.at("layers"), file))
    if is_merge(first):
        nodes = merged_nodes(first, layers[0].name, layers[0].written, file)
    else:
        nodes = list(start_of(layers, config))
    for part in layers[1:]:
        above = (nodes[-1].name,)
        nodes.append(Node(part.name, layer_of(part.written, part.file), above, part.written.spot))
    builds = {part.name: part.build for part in layers}
    stores = {part.name: part.file.stored for part in layers}
    by_name = with_statements({node.name: node for node in nodes}, (), builds, stores, None, file)
    ends = (End(nodes[-1].name),) if is_merge(first) else ()
    kind: ModelType = "Functional" if ends else "Sequential"
    return model_of(name, tuple(by_name.values()), ends, type=kind)


def start_of(layers: list[Part], config: dict[str, Any]) -> Iterator[Node]:
    """The first layer of a chain, and the input before it, unless that is its first layer."""
    first = layers[0]
    above: tuple[str, ...] = ()
    if 0 not in first.written.kind.takes:
        taken = {part.name for part in layers}
        unlike = next(each for each in spare_names() if each not in taken)
        above = (unlike,)
        yield Node(unlike, input_of(first, config), (), first.written.spot)
    yield Node(first.name, layer_of(first.written, first.file), above, first.written.spot)


def spare_names() -> Iterator[str]:
    """Names for an input that a model does not name."""
    yield from (snake_case(INPUT_KIND) + f"_{number}" * (number > 0) for number in count())


def input_of(first: Part, config: dict[str, Any]) -> LayerKind:
    """The input of a chain whose first layer does not stand for it; it may have no shape."""
    made = first.written.made
    if isinstance(made, Inside) and not made.model.is_unbuilt:
        return made.model.nodes[0].layer
    kind = kind_named(INPUT_KIND)
    told = first.written.input_shape
    try:
        if told is not None:
            return made_from_file({"batch_shape": told}, kind)
    except ValidationError:
        spot = first.written.spot.at("config", INPUT_SHAPE)
        raise SpecError(f"'{INPUT_SHAPE}' is a list of sizes, not {said(told)}", spot) from None
    for shape in (config.get("build_input_shape"), input_shape_in(first.build)):
        if isinstance(shape, list):
            with suppress(ValidationError):
                return convert({"batch_shape": shape}, kind)
    return kind()


def inside(value: dict[str, Any], spot: Spot, file: File) -> Written:
    """A model that is a layer of another.

    Raises:
        SpecError: it is none, or has no layers, so that Keras cannot call it.
    """
    config = value["config"] if isinstance(value["config"], dict) else {}
    kind = KINDS[model_type(value["class_name"], config) or ""]
    if value["class_name"] not in MODELS:
        kind = kind_called(without_package(value["class_name"]), kind)
    model = model_in(value, spot, file, snake_case(kind.__name__))
    if not model.nodes:
        raise SpecError(f"'{model.name}' has no layers, and cannot be called", spot)
    if model.type == "Functional" and issubclass(kind, KINDS["Sequential"]):
        kind = Functional  # it begins with a merge of models, which are its inputs
    made = kind(model=model, trainable=config.get("trainable") is not False)
    facts = {"name": model.name, "input_layers": config.get("input_layers")}
    return Written(kind.__name__, kind, facts, spot, made)
