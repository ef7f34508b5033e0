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

from dense_calc.call_inputs import (
    CallInput,
    CallLeaf,
    Constant,
    OutputIndex,
    OutputPath,
    layer_names_in,
    map_call_input,
)
from dense_calc.errors import SpecError
from dense_calc.layers import kind_spec_name
from dense_calc.layers.base import LayerKind, has_unnamed_inputs
from dense_calc.layers.introspect.config import (
    INPUT_SIZE_ARGUMENTS,
    call_argument_values,
    readable_arguments,
)
from dense_calc.layers.layer_references import LayerReference
from dense_calc.model import Model, Node, dotted_name
from dense_calc.shapes import Size, is_shape, leaf_paths
from dense_calc.spec_language.layer_names import name_inner_layers, next_layer_name
from dense_calc.spec_language.repeated_runs import fold_repeated_items
from dense_calc.spec_language.wiring import INPUTS_KEY, MASK_KEY, read_constant
from dense_calc.spec_language.written_calls import (
    calls_to_write,
    demand_callable_lenders,
    first_calls_by_name,
    lent_layer_names,
)
from dense_calc.spec_language.yaml_text import (
    format_flow,
    format_layer_item,
    format_list_items,
    format_section,
    indent_lines,
)
from dense_calc.tracing.call_input_specs import constant_dtype
from dense_calc.tracing.layer_paths import LayerPath, path_to_model
from dense_calc.tracing.lent_layers import lends_unused_layer, lent_under_path, strip_lent_layers
from dense_calc.tracing.nested_model import NestedModel, demand_convertible
from dense_calc.tracing.tracer import trace_output_specs

_MAX_WRITTEN_NUMBERS = 16  # numbers of an array that are worth to be read
_NO_LENT_NAMES: Mapping[LayerPath, str] = {}
_DEFAULT_INPUT_NAME = "input"  # what a single input is called that has no name of its own


def format_spec(model: Model) -> str:
    """The text of a spec that describes a model.

    Raises:
        LayerError: its layers do not fit.
        SpecError: something in it has no word in a spec; or it has too many layers.
    """
    if not model.nodes:
        raise SpecError("a model without input and layers has no spec")
    demand_convertible(model)
    sections = _SectionWriter(model, is_whole=lends_unused_layer(model))
    lines = [f"name: {format_flow(model.name)}"]
    if sections.needs_type():
        lines.append(f"type: {model.type}")
    if not model.trainable:
        lines.append("trainable: false")
    return "\n".join([*lines, *sections.section_lines()]) + "\n"


class _SectionWriter:
    """The sections of a model while they are written; one inside may read what it is called on."""

    def __init__(
        self,
        model: Model,
        *,
        is_whole: bool,
        is_inside: bool = False,
        lent: Mapping[LayerPath, str] = _NO_LENT_NAMES,
    ) -> None:
        self.model = model
        self.is_whole = is_whole
        self.lent_names = lent
        demand_callable_lenders(lent, model, is_whole=is_whole)
        self.is_unbuilt = is_inside and model.is_unbuilt
        self.shapes = {} if self.is_unbuilt else trace_output_specs(model)[0]
        self.input_nodes = [node for node in model.nodes if not node.inputs]
        self.nodes = calls_to_write(model, is_whole)
        self.first_calls = first_calls_by_name(self.nodes)
        self.tensor_paths: dict[
            str, list[tuple[int | str, ...]]
        ] = {}  # to the tensors of each layer
        self.name_counters: defaultdict[str, int] = defaultdict(int)

    def needs_type(self) -> bool:
        """Whether the class of the model must be said, as its rows are not those of any graph."""
        if self.model.type != "Functional":
            return False
        nodes = self.model.nodes
        return bool(self.model.calls) or all(
            node.inputs == (above.name,) for above, node in pairwise(nodes)
        )

    def section_lines(self) -> Iterator[str]:
        """The sections of inputs, layers and outputs."""
        by_name = {node.name: node for node in self.input_nodes}
        ordered = [by_name[name] for name in self.model.inputs if name in by_name]
        told = () if self.is_unbuilt else ordered
        inputs = {dotted_name(node.name): self.input_section_value(node) for node in told}
        if list(inputs) == [_DEFAULT_INPUT_NAME]:
            yield f"{_DEFAULT_INPUT_NAME}: {format_flow(inputs[_DEFAULT_INPUT_NAME])}"
        elif not self.is_unbuilt:
            yield from format_section("inputs", inputs)
        yield "layers:" if self.nodes else "layers: []"
        above = ordered[0].name if len(ordered) == 1 else None
        items = []
        for node in self.nodes:
            items.append(self.item_lines(node, above))
            above = node.name
        yield from indent_lines(format_list_items(fold_repeated_items(items)))
        outputs = self.outputs_value()
        if outputs is not None:
            yield f"outputs: {format_flow(outputs)}"

    def input_section_value(self, node: Node) -> Any:
        """An input: its shape, or a mapping where it has a batch size, a dtype or the like."""
        sizes, rest = self.input_arguments(node)
        if not sizes:
            return {**rest, "batch_shape": []}
        batch = {} if sizes[0] is None else {"batch_size": sizes[0]}
        return {"shape": sizes[1:], **batch, **rest} if batch or rest else sizes[1:]

    def input_arguments(self, node: Node) -> tuple[list[Size], dict[str, Any]]:
        """The sizes of an input with those of the batch, and its other arguments."""
        shape = self.shapes[node.name]
        assert is_shape(shape)
        arguments = readable_arguments(node.layer, partial(self.inner_layer_value, node))
        return list(shape), {
            key: each for key, each in arguments.items() if key not in INPUT_SIZE_ARGUMENTS
        }

    def item_lines(self, node: Node, above: str | None) -> list[str]:
        """An item of the list of layers, in lines."""
        given = self.from_value(node, above)
        source: dict[str, Any] = {} if given is None else {"from": given}
        name: dict[str, Any] = {"name": dotted_name(node.name)}
        lent = lent_layer_names(node, self.first_calls, self.lent_names)
        first = self.first_calls[node.holder].name
        called = lent.get(()) if first == node.name else dotted_name(first)
        if called:
            of_call = call_argument_values(node.layer.respell_arguments(keras=False))
            if first == node.name and name["name"] == called.rpartition("/")[2]:
                name = {}
            return [format_flow({"reuse": called, **name, **of_call, **source})]
        layer = self.drop_automatic_names(strip_lent_layers(node.layer, lent))
        if next_layer_name(layer, counters := self.name_counters.copy()) == dotted_name(node.name):
            self.name_counters, name = counters, {}
        if isinstance(layer, NestedModel):
            frozen = {} if layer.trainable else {"trainable": False}
            return _nested_model_lines(
                layer.spec_word, name | frozen | source, self.nested_writer(layer.model, node)
            )
        own = readable_arguments(
            layer.respell_arguments(keras=False), partial(self.inner_layer_value, node)
        )
        own |= call_argument_values(layer.respell_arguments(keras=False))
        return format_layer_item(self.kind_word(layer, node), {**name, **own, **source})

    def nested_writer(self, model: Model, node: Node) -> _SectionWriter:
        """The sections of a model inside the layer of a node, or that is this layer."""
        lent = lent_layer_names(node, self.first_calls, self.lent_names)
        way = path_to_model(model, node.layer) or () if lent else ()
        own = lent_under_path(lent, way)
        return _SectionWriter(model, is_whole=self.is_whole, is_inside=True, lent=own)

    def kind_word(self, layer: LayerKind, node: Node) -> str:
        """The word for the kind of a layer.

        Raises:
            SpecError: there is none.
        """
        try:
            return kind_spec_name(type(layer))
        except KeyError:
            told = f"a spec has no word for the class '{type(layer).__name__}'"
            raise SpecError(told, node.place) from None

    def drop_automatic_names(self, layer: LayerKind) -> LayerKind:
        """A layer without the names of the layers inside it, if those are Keras' automatic ones."""
        if not layer.inner_layer_arguments:
            return layer
        counters = self.name_counters.copy()
        nameless = _clear_inner_names(layer)
        if name_inner_layers(nameless, counters) != layer:
            return layer
        self.name_counters = counters
        return nameless

    def inner_layer_value(self, node: Node, layer: LayerKind) -> Any:
        """A layer inside that of a node, as it is written there."""
        if isinstance(layer, LayerReference):
            return {"reuse": layer.target_name}
        if isinstance(layer, NestedModel):
            lines = self.nested_writer(layer.model, node).section_lines()
            own: dict[str, Any] = yaml.safe_load("\n".join(lines))
            word = layer.spec_word
        else:
            own = readable_arguments(layer, partial(self.inner_layer_value, node))
            word = self.kind_word(layer, node)
        named = {"name": layer.name, **own} if layer.name else own
        return {word: named} if named else word

    def from_value(self, node: Node, above: str | None) -> Any:
        """What `from` says of a node, None where it goes without saying."""
        kind = type(node.layer)
        call = node.call_inputs or node.inputs
        values = [self.source_value(each) for each in call]
        if node.mask is not None:
            named = zip(kind.input_names or (INPUTS_KEY,), values, strict=False)
            told = {name: each for name, each in named if each is not None}
            return {**told, MASK_KEY: self.source_value(node.mask)}
        if has_unnamed_inputs(kind):
            return values
        by_name = dict(zip(kind.input_names, call, strict=False))
        order = _input_read_order(node, by_name)
        if order != list(by_name):
            return {name: self.source_value(by_name[name]) for name in order}
        if len(values) > 1 or isinstance(values[0], list):
            return values
        return None if values[0] == (above and dotted_name(above)) else values[0]

    def source_value(self, call_input: CallInput) -> Any:
        """One input of a call as `from` has it."""
        return map_call_input(call_input, self.leaf_value, list)

    def leaf_value(self, what: CallLeaf) -> Any:
        """A layer, an output of one, or a constant that a call reads."""
        match what:
            case None:
                return None
            case Constant(value):
                few = _count_numbers(value) <= _MAX_WRITTEN_NUMBERS and read_constant(value)
                dtype = constant_dtype(what)
                if few and dtype == constant_dtype(Constant(value)):
                    return value
                sizes = {"constant": list(what.shape)}
                return sizes if dtype == "float32" else {**sizes, "dtype": dtype}
            case str():
                return dotted_name(what)
        steps = what.steps if isinstance(what, OutputPath) else self.output_steps(what)
        return dotted_name(what.name) + "".join(f"[{step}]" for step in steps)

    def output_steps(self, leaf: OutputIndex) -> tuple[int | str, ...]:
        """The way to a tensor in the nest of those that a layer gives."""
        if leaf.name not in self.tensor_paths:
            self.tensor_paths[leaf.name] = list(leaf_paths(self.shapes[leaf.name]))
        return self.tensor_paths[leaf.name][leaf.index]

    def outputs_value(self) -> Any:
        """What `outputs` says, None where it goes without saying."""
        ends = self.model.outputs
        told = [self.source_value(end.source) for end in ends]
        if all(end.label is not None for end in ends):
            return {end.label: each for end, each in zip(ends, told, strict=True)}
        read = {name for node in self.nodes for name in node.inputs}
        last = [dotted_name(node.name) for node in self.nodes if node.name not in read]
        if not self.is_whole and told == (
            last or [dotted_name(node.name) for node in self.input_nodes]
        ):
            return None
        return told if len(told) > 1 else told[0]


def _input_read_order(node: Node, named: Mapping[str, CallInput]) -> list[str]:
    """The inputs of a node in the order in which it reads them; Keras may list them in another."""
    left = {name: each for name, each in named.items() if each is not None}
    order: list[str] = []
    place = 0
    while left:
        for name, each in left.items():
            read = tuple(layer_names_in(each))
            if node.inputs[place : place + len(read)] == read:
                order.append(name)
                place += len(read)
                break
        else:
            return [name for name in named if named[name] is not None]
        del left[name]
    return order


def _clear_inner_names(layer: LayerKind) -> LayerKind:
    """A layer whose layers inside have no names."""

    def bare(held: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(bare, held))
        if not isinstance(held, LayerKind):
            return held
        return replace(_clear_inner_names(held), name=None)

    return replace(
        layer, **{name: bare(getattr(layer, name)) for name in layer.inner_layer_arguments}
    )


def _count_numbers(value: Any) -> int:
    """How many numbers an array has."""
    return sum(map(_count_numbers, value)) if isinstance(value, list) else 1


def _nested_model_lines(
    word: str, arguments: Mapping[str, Any], sections: _SectionWriter
) -> list[str]:
    """A model that is an item of the list of layers, in lines."""
    own = [f"{name}: {format_flow(value)}" for name, value in arguments.items()]
    return [f"{word}:", *indent_lines([*own, *sections.section_lines()])]
