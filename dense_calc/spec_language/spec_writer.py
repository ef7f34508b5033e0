"""A Model → the text of a spec, as short as a person would write it.

It omits defaults, Keras' automatic names, and `from` where a layer reads the one above it. A run of
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
from dense_calc.layers import kind_spec_name
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import (
    INPUT_SIZE_ARGUMENTS,
    call_argument_values,
    readable_arguments,
)
from dense_calc.layers.layer_references import LayerReference
from dense_calc.model import Model, Node, dotted_name
from dense_calc.shapes import Size, is_shape
from dense_calc.spec_language.layer_names import (
    map_inner_layers,
    name_inner_layers,
    next_layer_name,
)
from dense_calc.spec_language.repeated_runs import fold_repeated_items
from dense_calc.spec_language.written_calls import (
    calls_to_write,
    demand_callable_lenders,
    first_calls_by_name,
    lent_layer_names,
)
from dense_calc.spec_language.written_inputs import InputWriter
from dense_calc.spec_language.yaml_text import (
    format_flow,
    format_layer_item,
    format_list_items,
    format_section,
    indent_lines,
)
from dense_calc.tracing.layer_paths import LayerPath, path_to_model
from dense_calc.tracing.lent_layers import lends_unused_layer, lent_under_path, strip_lent_layers
from dense_calc.tracing.nested_model import NestedModel, demand_convertible
from dense_calc.tracing.tracer import trace_output_specs

_NO_LENT_NAMES: Mapping[LayerPath, str] = {}
_DEFAULT_INPUT_NAME = "input"  # the name of a single input without a name of its own


def format_spec(model: Model) -> str:
    """The text of a spec that describes a model.

    Raises:
        LayerError: its layers do not fit.
        SpecError: a spec has no word for one of its layers, or the model has too many.
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
    """Writes the sections of one model.

    `is_whole` keeps the layers that no output needs. `is_inside` marks a model nested in another;
    `lent` has the spec's names of the layers that others lend to it, by their paths.
    """

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
        self.inputs = InputWriter(self.shapes)
        self.name_counters: defaultdict[str, int] = defaultdict(int)

    def needs_type(self) -> bool:
        """Whether the spec must state the type Functional, which its layers alone do not show."""
        if self.model.type != "Functional":
            return False
        nodes = self.model.nodes
        return bool(self.model.calls) or all(
            node.inputs == (above.name,) for above, node in pairwise(nodes)
        )

    def section_lines(self) -> Iterator[str]:
        """The lines of the sections for inputs, layers and outputs."""
        by_name = {node.name: node for node in self.input_nodes}
        ordered = [by_name[name] for name in self.model.inputs if name in by_name]
        written = () if self.is_unbuilt else ordered
        inputs = {dotted_name(node.name): self.input_section_value(node) for node in written}
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
        """An input: its shape, or a mapping if it also has a batch size, a dtype or the like."""
        sizes, rest = self.input_arguments(node)
        if not sizes:
            return {**rest, "batch_shape": []}
        batch = {} if sizes[0] is None else {"batch_size": sizes[0]}
        return {"shape": sizes[1:], **batch, **rest} if batch or rest else sizes[1:]

    def input_arguments(self, node: Node) -> tuple[list[Size], dict[str, Any]]:
        """The shape of an input with the batch axis, and its other arguments."""
        shape = self.shapes[node.name]
        assert is_shape(shape)
        arguments = readable_arguments(node.layer, partial(self.inner_layer_value, node))
        return list(shape), {
            key: each for key, each in arguments.items() if key not in INPUT_SIZE_ARGUMENTS
        }

    def item_lines(self, node: Node, above: str | None) -> list[str]:
        """The lines of one item of `layers:`."""
        inputs = self.inputs.from_value(node, above)
        source: dict[str, Any] = {} if inputs is None else {"from": inputs}
        name: dict[str, Any] = {"name": dotted_name(node.name)}
        lent = lent_layer_names(node, self.first_calls, self.lent_names)
        first = self.first_calls[node.holder].name
        reused = lent.get(()) if first == node.name else dotted_name(first)
        if reused:
            of_call = call_argument_values(node.layer.respell_arguments(keras=False))
            if first == node.name and name["name"] == reused.rpartition("/")[2]:
                name = {}
            return [format_flow({"reuse": reused, **name, **of_call, **source})]
        layer = self.drop_automatic_names(strip_lent_layers(node.layer, lent))
        if next_layer_name(layer, counters := self.name_counters.copy()) == dotted_name(node.name):
            self.name_counters, name = counters, {}
        if isinstance(layer, NestedModel):
            frozen = {} if layer.trainable else {"trainable": False}
            return _nested_model_lines(
                layer.spec_word, name | frozen | source, self.nested_writer(layer.model, node)
            )
        respelled = layer.respell_arguments(keras=False)
        arguments = readable_arguments(respelled, partial(self.inner_layer_value, node))
        arguments |= call_argument_values(respelled)
        return format_layer_item(self.kind_word(layer, node), {**name, **arguments, **source})

    def nested_writer(self, model: Model, node: Node) -> _SectionWriter:
        """The writer of a model that is the layer of a node, or is inside that layer."""
        lent = lent_layer_names(node, self.first_calls, self.lent_names)
        path = path_to_model(model, node.layer) or () if lent else ()
        inner = lent_under_path(lent, path)
        return _SectionWriter(model, is_whole=self.is_whole, is_inside=True, lent=inner)

    def kind_word(self, layer: LayerKind, node: Node) -> str:
        """The word of a spec for the kind of a layer.

        Raises:
            SpecError: there is none.
        """
        try:
            return kind_spec_name(type(layer))
        except KeyError:
            message = f"a spec has no word for the class '{type(layer).__name__}'"
            raise SpecError(message, node.place) from None

    def drop_automatic_names(self, layer: LayerKind) -> LayerKind:
        """A layer whose inner layers have no names, if theirs are Keras' automatic ones."""
        if not layer.inner_layer_arguments:
            return layer
        counters = self.name_counters.copy()
        nameless = _clear_inner_names(layer)
        if name_inner_layers(nameless, counters) != layer:
            return layer
        self.name_counters = counters
        return nameless

    def inner_layer_value(self, node: Node, layer: LayerKind) -> Any:
        """An inner layer of a node's layer, as a value of its argument."""
        if isinstance(layer, LayerReference):
            return {"reuse": layer.target_name}
        if isinstance(layer, NestedModel):
            lines = self.nested_writer(layer.model, node).section_lines()
            arguments: dict[str, Any] = yaml.safe_load("\n".join(lines))
            word = layer.spec_word
        else:
            arguments = readable_arguments(layer, partial(self.inner_layer_value, node))
            word = self.kind_word(layer, node)
        named = {"name": layer.name, **arguments} if layer.name else arguments
        return {word: named} if named else word

    def outputs_value(self) -> Any:
        """The value of `outputs`, None where the last layers are the outputs."""
        ends = self.model.outputs
        sources = [self.inputs.source_value(end.source) for end in ends]
        if all(end.label is not None for end in ends):
            return {end.label: each for end, each in zip(ends, sources, strict=True)}
        read = {name for node in self.nodes for name in node.inputs}
        last = [dotted_name(node.name) for node in self.nodes if node.name not in read]
        if not self.is_whole and sources == (
            last or [dotted_name(node.name) for node in self.input_nodes]
        ):
            return None
        return sources if len(sources) > 1 else sources[0]


def _clear_inner_names(layer: LayerKind) -> LayerKind:
    """A layer whose inner layers have no names."""
    return map_inner_layers(layer, lambda inner: replace(_clear_inner_names(inner), name=None))


def _nested_model_lines(
    word: str, arguments: Mapping[str, Any], sections: _SectionWriter
) -> list[str]:
    """The lines of a nested model as an item of `layers:`."""
    lines = [f"{name}: {format_flow(value)}" for name, value in arguments.items()]
    return [f"{word}:", *indent_lines([*lines, *sections.section_lines()])]
