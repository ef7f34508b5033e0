"""The shapes and dtypes of the inputs of a call, taken from the outputs that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dense_calc.call_inputs import CallInput, CallLeaf, Constant, OutputIndex, map_call_input
from dense_calc.dtypes import NO_DTYPES, Dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.shapes import (
    Shapes,
    UnknownShape,
    child_shape_at,
    child_shapes,
    leaf_shapes,
)

_ARRAY_DTYPES = {bool: "bool", int: "int64"}  # of arrays by their numbers, as in NumPy


def call_input_shapes(call_input: CallInput, shapes: Mapping[str, Shapes]) -> Shapes | None:
    """The shapes of an input of a call, in the same nest; None of an input that is left out.

    Raises:
        LayerError: a layer has no such output.
    """
    if call_input is None:
        return None
    nest: Shapes = map_call_input(call_input, lambda leaf: _leaf_shapes(leaf, shapes))
    return nest


def _leaf_shapes(leaf: CallLeaf, shapes: Mapping[str, Shapes]) -> Shapes:
    """The shapes of what a call reads at one place; LayerError if a layer has no such output."""
    match leaf:
        case None:
            return ()
        case str(name):
            return shapes[name]
        case Constant():
            return leaf.shape
        case OutputIndex(name, index):
            return _output_shape_at(name, shapes[name], index)
    nest = shapes[leaf.name]
    for step in leaf.steps:
        if isinstance(nest, UnknownShape):
            return nest
        part = child_shape_at(nest, step)
        if part is None:
            choices = nest if isinstance(nest, dict) else range(len(child_shapes(nest)))
            has = f"outputs {format_output_steps(choices)}" if choices else "one output"
            raise LayerError(f"'{leaf.name}' has no output [{step}]; it has {has}", "from")
        nest = part
    return nest


def _output_shape_at(name: str, shapes: Shapes, index: int) -> Shapes:
    """The shape of one output of a layer, unknown where all are; LayerError if there is none."""
    if isinstance(shapes, UnknownShape):
        return shapes
    tensors = list(leaf_shapes(shapes))
    if index < len(tensors):
        return tensors[index]
    raise LayerError(f"'{name}' has no output {index}; it has {len(tensors)}", "from")


def call_input_dtypes(call_input: CallInput, dtypes: Mapping[str, Dtypes]) -> Dtypes:
    """The dtypes of an input of a call whose shapes `call_input_shapes` has found."""
    if call_input is None:
        return NO_DTYPES
    nest: Dtypes = map_call_input(call_input, lambda leaf: _leaf_dtypes(leaf, dtypes))
    return nest


def _leaf_dtypes(leaf: CallLeaf, dtypes: Mapping[str, Dtypes]) -> Dtypes:
    """The dtypes of what a call reads at one place."""
    match leaf:
        case None:
            return None
        case str(name):
            return dtypes[name]
        case Constant():
            return constant_dtype(leaf)
        case OutputIndex(name, index):
            outputs = list(leaf_dtypes(dtypes[name]))
            return outputs[index if index < len(outputs) else -1]  # how many may not be known
    nest: Any = dtypes[leaf.name]
    for step in leaf.steps:
        if isinstance(nest, tuple | dict):  # else it is not known
            nest = nest[step]  # type: ignore[index]
    dtype: Dtypes = nest
    return dtype


def constant_dtype(constant: Constant) -> str:
    """The dtype of a constant.

    Of a number it is `int`, `float` or `bool`, which give way to the dtype of a tensor beside them.
    An array of which only the sizes are known is float32.
    """
    if constant.array_dtype:
        return constant.array_dtype
    value = constant.value
    if isinstance(value, int | float):
        return type(value).__name__
    while isinstance(value, list):
        value = value[0] if value else None
    return _ARRAY_DTYPES.get(type(value), "float32")


def format_output_steps(choices: Iterable[object]) -> str:
    """The steps to outputs as they are written: `[0], [1]`."""
    return ", ".join(f"[{each}]" for each in choices)
