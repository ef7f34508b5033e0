"""A Model → the text of a spec, as a person would write it: without what goes without saying.

Left out are defaults, Keras' automatic names, and what is read from the layer above; a run of
layers that stands several times in a row is written once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import yaml
from msgspec.structs import replace

from dense_calc.errors import SpecError
from dense_calc.layers import word_of
from dense_calc.layers.base import LayerKind, reads_a_list
from dense_calc.layers.borrowed import Borrowed
from dense_calc.layers.introspect.config import SIZES, arguments_of_call, readable_arguments
from dense_calc.model import Constant, Given, Leaf, Model, Node, Output, dotted, names_in
from dense_calc.shapes import Size, is_shape, ways
from dense_calc.spec_language.layer_names import named_within, next_name
from dense_calc.spec_language.repeated_runs import folded
from dense_calc.spec_language.wiring import INPUTS, MASK, constant_of
from dense_calc.spec_language.written_calls import (
    demand_callable,
    first_calls,
    lent_names,
    written_calls,
)
from dense_calc.spec_language.yaml_text import flow, in_lines, indented, listed, section
from dense_calc.tracing.layer import dtype_of
from dense_calc.tracing.lent_layers import Path, lends_unused, lent_below, way_to, without_lent
from dense_calc.tracing.nested_model import Inside, demand_convertible
from dense_calc.tracing.tracer import specs_of

FEW = 16  # numbers of an array that are worth to be read
NOTHING: Mapping[Path, str] = {}
INPUT = "input"  # what a single input is called that has no name of its own


def to_spec(model: Model) -> str:
    """The text of a spec that describes a model.

    Raises:
        LayerError: its layers do not fit.
        SpecError: something in it has no word in a spec; or it has too many layers.
    """
    if not model.nodes:
        raise SpecError("a model without input and layers has no spec")
    demand_convertible(model)
    sections = Sections(model, is_whole=lends_unused(model))
    lines = [f"name: {flow(model.name)}"]
    if sections.is_told():
        lines.append(f"type: {model.type}")
    if not model.trainable:
        lines.append("trainable: false")
    return "\n".join([*lines, *sections.lines()]) + "\n"


class Sections:
    """The sections of a model while they are written; one inside may read what it is called on."""

    def __init__(
        self,
        model: Model,
        *,
        is_whole: bool,
        is_inside: bool = False,
        lent: Mapping[Path, str] = NOTHING,
    ) -> None:
        self.model = model
        self.is_whole = is_whole
        self.lent = lent
        demand_callable(lent, model, is_whole=is_whole)
        self.is_open = is_inside and model.is_unbuilt
        self.shapes = {} if self.is_open else specs_of(model)[0]
        self.inputs = [node for node in model.nodes if not node.inputs]
        self.nodes = written_calls(model, is_whole)
        self.calls = first_calls(self.nodes)
        self.ways: dict[str, list[tuple[int | str, ...]]] = {}  # to the tensors of each layer
        self.counters: defaultdict[str, int] = defaultdict(int)

    def is_told(self) -> bool:
        """Whether the class of the model must be said, as its rows are not those of any graph."""
        if self.model.type != "Functional":
            return False
        nodes = self.model.nodes
        return bool(self.model.calls) or all(
            node.inputs == (above.name,) for above, node in pairwise(nodes)
        )

    def lines(self) -> Iterator[str]:
        """The sections of inputs, layers and outputs."""
        by_name = {node.name: node for node in self.inputs}
        ordered = [by_name[name] for name in self.model.inputs if name in by_name]
        told = () if self.is_open else ordered
        inputs = {dotted(node.name): self.input_of(node) for node in told}
        if list(inputs) == [INPUT]:
            yield f"{INPUT}: {flow(inputs[INPUT])}"
        elif not self.is_open:
            yield from section("inputs", inputs)
        yield "layers:" if self.nodes else "layers: []"
        above = ordered[0].name if len(ordered) == 1 else None
        items = []
        for node in self.nodes:
            items.append(self.item(node, above))
            above = node.name
        yield from indented(listed(folded(items)))
        outputs = self.outputs()
        if outputs is not None:
            yield f"outputs: {flow(outputs)}"

    def input_of(self, node: Node) -> Any:
        """An input: its shape, or a mapping where it has a batch size, a dtype or the like."""
        sizes, rest = self.input_facts(node)
        if not sizes:
            return {**rest, "batch_shape": []}
        batch = {} if sizes[0] is None else {"batch_size": sizes[0]}
        return {"shape": sizes[1:], **batch, **rest} if batch or rest else sizes[1:]

    def input_facts(self, node: Node) -> tuple[list[Size], dict[str, Any]]:
        """The sizes of an input with those of the batch, and its other arguments."""
        shape = self.shapes[node.name]
        assert is_shape(shape)
        arguments = readable_arguments(node.layer, partial(self.inner, node))
        return list(shape), {key: each for key, each in arguments.items() if key not in SIZES}

    def item(self, node: Node, above: str | None) -> list[str]:
        """An item of the list of layers, in lines."""
        given = self.source(node, above)
        source: dict[str, Any] = {} if given is None else {"from": given}
        name: dict[str, Any] = {"name": dotted(node.name)}
        lent = lent_names(node, self.calls, self.lent)
        first = self.calls[node.holder].name
        called = lent.get(()) if first == node.name else dotted(first)
        if called:
            of_call = arguments_of_call(node.layer.spelled(keras=False))
            if first == node.name and name["name"] == called.rpartition("/")[2]:
                name = {}
            return [flow({"reuse": called, **name, **of_call, **source})]
        layer = self.named_as_needed(without_lent(node.layer, lent))
        if next_name(layer, counters := self.counters.copy()) == dotted(node.name):
            self.counters, name = counters, {}
        if isinstance(layer, Inside):
            frozen = {} if layer.trainable else {"trainable": False}
            return inside(layer.word, name | frozen | source, self.sections(layer.model, node))
        own = readable_arguments(layer.spelled(keras=False), partial(self.inner, node))
        own |= arguments_of_call(layer.spelled(keras=False))
        return in_lines(self.word(layer, node), {**name, **own, **source})

    def sections(self, model: Model, node: Node) -> Sections:
        """The sections of a model inside the layer of a node, or that is this layer."""
        lent = lent_names(node, self.calls, self.lent)
        way = way_to(model, node.layer) or () if lent else ()
        own = lent_below(lent, way)
        return Sections(model, is_whole=self.is_whole, is_inside=True, lent=own)

    def word(self, layer: LayerKind, node: Node) -> str:
        """The word for the kind of a layer.

        Raises:
            SpecError: there is none.
        """
        try:
            return word_of(type(layer))
        except KeyError:
            told = f"a spec has no word for the class '{type(layer).__name__}'"
            raise SpecError(told, node.place) from None

    def named_as_needed(self, layer: LayerKind) -> LayerKind:
        """A layer without the names of the layers inside it, if those are Keras' automatic ones."""
        if not layer.wraps:
            return layer
        counters = self.counters.copy()
        nameless = without_names(layer)
        if named_within(nameless, counters) != layer:
            return layer
        self.counters = counters
        return nameless

    def inner(self, node: Node, layer: LayerKind) -> Any:
        """A layer inside that of a node, as it is written there."""
        if isinstance(layer, Borrowed):
            return {"reuse": layer.of}
        if isinstance(layer, Inside):
            lines = self.sections(layer.model, node).lines()
            own: dict[str, Any] = yaml.safe_load("\n".join(lines))
            word = layer.word
        else:
            own = readable_arguments(layer, partial(self.inner, node))
            word = self.word(layer, node)
        named = {"name": layer.name, **own} if layer.name else own
        return {word: named} if named else word

    def source(self, node: Node, above: str | None) -> Any:
        """What `from` says of a node, None where it goes without saying."""
        kind = type(node.layer)
        call = node.call or node.inputs
        values = [self.given(each) for each in call]
        if node.mask is not None:
            named = zip(kind.inputs or (INPUTS,), values, strict=False)
            told = {name: each for name, each in named if each is not None}
            return {**told, MASK: self.given(node.mask)}
        if reads_a_list(kind):
            return values
        by_name = dict(zip(kind.inputs, call, strict=False))
        order = order_of(node, by_name)
        if order != list(by_name):
            return {name: self.given(by_name[name]) for name in order}
        if len(values) > 1 or isinstance(values[0], list):
            return values
        return None if values[0] == (above and dotted(above)) else values[0]

    def given(self, what: Given) -> Any:
        """What one input is given."""
        match what:
            case None:
                return None
            case Constant(value):
                few = numbers_in(value) <= FEW and constant_of(value)
                dtype = dtype_of(what)
                if few and dtype == dtype_of(Constant(value)):
                    return value
                sizes = {"constant": list(what.shape)}
                return sizes if dtype == "float32" else {**sizes, "dtype": dtype}
            case tuple():
                return [self.given(each) for each in what]
            case dict():
                return {name: self.given(each) for name, each in what.items()}
            case str():
                return dotted(what)
        steps = what.steps if isinstance(what, Output) else self.steps(what)
        return dotted(what.name) + "".join(f"[{step}]" for step in steps)

    def steps(self, leaf: Leaf) -> tuple[int | str, ...]:
        """The way to a tensor in the nest of those that a layer gives."""
        if leaf.name not in self.ways:
            self.ways[leaf.name] = list(ways(self.shapes[leaf.name]))
        return self.ways[leaf.name][leaf.index]

    def outputs(self) -> Any:
        """What `outputs` says, None where it goes without saying."""
        ends = self.model.outputs
        told = [self.given(end.what) for end in ends]
        if all(end.label is not None for end in ends):
            return {end.label: each for end, each in zip(ends, told, strict=True)}
        read = {name for node in self.nodes for name in node.inputs}
        last = [dotted(node.name) for node in self.nodes if node.name not in read]
        if not self.is_whole and told == (last or [dotted(node.name) for node in self.inputs]):
            return None
        return told if len(told) > 1 else told[0]


def order_of(node: Node, named: Mapping[str, Given]) -> list[str]:
    """The inputs of a node in the order in which it reads them; Keras may list them in another."""
    left = {name: each for name, each in named.items() if each is not None}
    order: list[str] = []
    place = 0
    while left:
        for name, each in left.items():
            read = tuple(names_in(each))
            if node.inputs[place : place + len(read)] == read:
                order.append(name)
                place += len(read)
                break
        else:
            return [name for name in named if named[name] is not None]
        del left[name]
    return order


def without_names(layer: LayerKind) -> LayerKind:
    """A layer whose layers inside have no names."""

    def bare(held: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(bare, held))
        if not isinstance(held, LayerKind):
            return held
        return replace(without_names(held), name=None)

    return replace(layer, **{name: bare(getattr(layer, name)) for name in layer.wraps})


def numbers_in(value: Any) -> int:
    """How many numbers an array has."""
    return sum(map(numbers_in, value)) if isinstance(value, list) else 1


def inside(word: str, arguments: Mapping[str, Any], sections: Sections) -> list[str]:
    """A model that is an item of the list of layers, in lines."""
    own = [f"{name}: {flow(value)}" for name, value in arguments.items()]
    return [f"{word}:", *indented([*own, *sections.lines()])]
