"""The inputs of calls as a spec writes them: `dense`, `lstm[1]`, `[a, b]`, `{query: a}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dense_calc.call_inputs import (
    CallInput,
    CallLeaf,
    Constant,
    OutputIndex,
    OutputPath,
    layer_names_in,
    map_call_input,
)
from dense_calc.layers.base import has_unnamed_inputs
from dense_calc.model import Node, dotted_name
from dense_calc.shapes import Shapes, leaf_paths
from dense_calc.spec_language.wiring import INPUTS_KEY, MASK_KEY, read_constant
from dense_calc.tracing.call_input_specs import constant_dtype

_MAX_WRITTEN_NUMBERS = 16  # of a larger array, only the sizes are written


class InputWriter:
    """Writes the inputs of calls in a model whose layers have outputs of these shapes."""

    def __init__(self, shapes: Mapping[str, Shapes]) -> None:
        self._shapes = shapes
        self._tensor_paths: dict[str, list[tuple[int | str, ...]]] = {}  # of each layer's output

    def from_value(self, node: Node, above: str | None) -> Any:
        """The value of `from` for a node, None where the node reads the layer above it."""
        kind = type(node.layer)
        call = node.call_inputs or node.inputs
        values = [self.source_value(each) for each in call]
        if node.mask is not None:
            named = zip(kind.input_names or (INPUTS_KEY,), values, strict=False)
            inputs = {name: value for name, value in named if value is not None}
            return {**inputs, MASK_KEY: self.source_value(node.mask)}
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
        """One input of a call as `from` writes it."""
        return map_call_input(call_input, self._leaf_value, list)

    def _leaf_value(self, leaf: CallLeaf) -> Any:
        """A layer, one tensor of its output, or a constant, as `from` writes it."""
        match leaf:
            case None:
                return None
            case Constant(value):
                few = _count_numbers(value) <= _MAX_WRITTEN_NUMBERS and read_constant(value)
                dtype = constant_dtype(leaf)
                if few and dtype == constant_dtype(Constant(value)):
                    return value
                sizes = {"constant": list(leaf.shape)}
                return sizes if dtype == "float32" else {**sizes, "dtype": dtype}
            case str():
                return dotted_name(leaf)
        steps = leaf.steps if isinstance(leaf, OutputPath) else self._output_path(leaf)
        return dotted_name(leaf.name) + "".join(f"[{step}]" for step in steps)

    def _output_path(self, leaf: OutputIndex) -> tuple[int | str, ...]:
        """The path to a tensor in the nest that its layer outputs."""
        if leaf.name not in self._tensor_paths:
            self._tensor_paths[leaf.name] = list(leaf_paths(self._shapes[leaf.name]))
        return self._tensor_paths[leaf.name][leaf.index]


def _input_read_order(node: Node, by_name: Mapping[str, CallInput]) -> list[str]:
    """The names of a node's inputs, in the order in which the node lists what it reads."""
    left = {name: each for name, each in by_name.items() if each is not None}
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
            return [name for name in by_name if by_name[name] is not None]
        del left[name]
    return order


def _count_numbers(value: Any) -> int:
    """How many numbers an array has."""
    return sum(map(_count_numbers, value)) if isinstance(value, list) else 1
