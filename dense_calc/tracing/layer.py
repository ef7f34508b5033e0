"""A layer and the shapes that it reads → its output, its weights and its counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.call_inputs import CallInput, CallLeaf, Constant, OutputIndex, map_call_input
from dense_calc.dtypes import NO_DTYPES, Dtypes, expand_dtypes, leaf_dtypes
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.initializers import demand_initializable
from dense_calc.layers.arguments.types import variable_dtype
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.model import Node
from dense_calc.report import CountState, LayerRow, WeightRow, weight_totals
from dense_calc.shapes import (
    UNBUILT_SHAPE,
    Shapes,
    UnknownShape,
    child_shape_at,
    child_shapes,
    find_unknown_shape,
    is_shape,
    leaf_shapes,
    strip_arithmetic,
)
from dense_calc.tracing.report_size import count_call_values, count_weight_values

_MAX_WEIGHT_PARAMS = 2**63 - 1  # of a weight, as in NumPy
_ARRAY_DTYPES = {bool: "bool", int: "int64"}  # dtypes of arrays of such numbers, as in NumPy


class BuiltLayer(Struct, frozen=True, gc=False):
    """What a layer is that reads certain shapes: its output, its weights and what they come to.

    Sizes are in bytes; `inner` are the rows of the layers in a model. `state` says why the counts
    are not all that it holds, `is_open` whether that or its shape is not known. `values` is how
    many its row takes.
    """

    shape: Shapes
    dtype: Dtypes = None
    weights: tuple[WeightRow, ...] = ()
    params: int = 0
    trainable: int = 0
    size: int = 0
    trainable_size: int = 0
    inner_rows: tuple[LayerRow, ...] = ()
    state: CountState = ""
    is_open: bool = False
    value_count: int = 0


def _format_output_steps(choices: Iterable[object]) -> str:
    """Names of outputs: `[0], [1]`."""
    return ", ".join(f"[{each}]" for each in choices)


def build_layer(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
) -> BuiltLayer:
    """What a layer is that reads tensors of these shapes, if that can be known from before."""
    try:
        return _build_layer_cached(layer, inputs, dtypes)
    except TypeError:  # a serialized object or a nest of shapes, which has no hash
        return _build_layer_cached.__wrapped__(layer, inputs, dtypes)


@lru_cache(maxsize=1000)  # large models repeat few layers; to look one up is ten times faster
def _build_layer_cached(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
) -> BuiltLayer:
    """What a layer is that reads tensors of these shapes, and of these dtypes if they matter."""
    _demand_call_inputs(layer, inputs)
    shape, dtype = layer.output_spec(inputs, dtypes)
    shape = strip_arithmetic(shape)
    values = count_call_values(layer, inputs, shape)
    inner = layer.nested_layer_rows(*inputs)
    state = _state_of_rows(inner)
    if isinstance(shape, UnknownShape) and layer.weights_for_any_input() is None and not inner:
        state = "unknown"
    weights = tuple(_weight_rows(layer, layer.weights(*inputs)))
    return _make_built_layer((shape, expand_dtypes(dtype, shape)), weights, inner, state, values)


def build_on_unknown_input(
    layer: LayerKind,
    inputs: tuple[Shapes | None, ...],
    dtypes: tuple[Dtypes, ...],
    why: UnknownShape,
) -> BuiltLayer:
    """What is known of a layer that reads what is not known."""
    _demand_call_inputs(layer, inputs)
    own = layer.own_input_shapes()
    if own is not None:
        made = build_layer(layer, own, ())
        return made if why == UNBUILT_SHAPE else with_output_shape(made, why)
    values = count_call_values(layer, inputs, why)
    inner = layer.nested_layer_rows(*inputs)
    if why == UNBUILT_SHAPE:
        state: CountState = "" if layer.is_initially_built else "unbuilt"
        dtype = layer.output_dtype(*dtypes)
        return BuiltLayer(
            why, dtype, inner_rows=inner, state=state, is_open=True, value_count=values
        )
    weights = layer.weights_for_any_input()
    state = _state_of_rows(inner) if inner else "unknown" if weights is None else ""
    shape = strip_arithmetic(layer.output_for_any_input() or why)
    spec = shape, expand_dtypes(layer.output_dtype(*dtypes), shape)
    return _make_built_layer(spec, tuple(_weight_rows(layer, weights or ())), inner, state, values)


def _state_of_rows(rows: Iterable[LayerRow]) -> CountState:
    """What is not known of a model with these rows."""
    return "unknown" if any(row.state == "unknown" for row in rows) else ""


def _make_built_layer(
    spec: tuple[Shapes, Dtypes],
    weights: tuple[WeightRow, ...],
    inner: tuple[LayerRow, ...],
    state: CountState,
    values: int,
) -> BuiltLayer:
    """What a layer is that gives tensors of these shapes and dtypes, and holds this.

    `values` are those of its row but for its weights.
    """
    values += sum(count_weight_values(weight.shape) for weight in weights)
    is_open = bool(state) or find_unknown_shape(spec[0]) is not None
    return BuiltLayer(*spec, weights, *weight_totals(weights), inner, state, is_open, values)


def with_output_shape(built: BuiltLayer, shape: Shapes, dtype: Dtypes = None) -> BuiltLayer:
    """The same with another output, and another dtype if that is known."""
    is_open = bool(built.state) or find_unknown_shape(shape) is not None
    dtype = expand_dtypes(built.dtype if dtype is None else dtype, shape)
    return replace(built, shape=shape, dtype=dtype, is_open=is_open)


def _demand_call_inputs(layer: LayerKind, inputs: tuple[Shapes | None, ...]) -> None:
    """Raise LayerError where a call of the layer cannot be given these inputs."""
    least = layer.arity.start
    if len(inputs) not in layer.arity:
        names = f" ({', '.join(layer.input_names[:least])})" if layer.input_names else ""
        number = f"{least} input{'s' * (least != 1)}{names}"
        raise LayerError(f"it takes {number}, not {len(inputs)}", "from")
    if None in inputs[:least]:
        wanted = layer.input_names or ("a tensor",) * least
        raise LayerError(f"it needs '{wanted[inputs.index(None)]}'", "from")
    if layer.accepts_nested:
        return
    for each in inputs:
        if each is not None and not is_shape(each):
            several = _format_output_steps(each if isinstance(each, dict) else range(len(each)))
            raise LayerError(
                f"it reads one tensor, not several: {each}; say which: 'from: name[...]' "
                f"with one of {several}",
                "from",
            )


def demand_mask(kind: type[LayerKind], masks: Collection[object] | None) -> None:
    """Raise LayerError unless a call may be given a mask, or a list of so many `masks`."""
    if not kind.accepts_mask:
        raise LayerError(f"{kind.__name__} takes no mask", "from")
    if kind.mask_arity and (masks is None or len(masks) not in kind.mask_arity):
        number = f"{kind.mask_arity.start} or {kind.mask_arity.stop - 1}"
        wanted = f"{kind.__name__} takes a list of {number} masks, null for one that is not there"
        raise LayerError(wanted, "from")


def _weight_rows(layer: LayerKind, weights: Iterable[Weight]) -> Iterator[WeightRow]:
    """The weights of a layer as they stand in the report.

    What freezes a layer freezes its own weights, not those of layers inside it, as in Keras.

    Raises:
        LayerError: Keras could not make one, or no machine could hold it.
    """
    own, trainable = variable_dtype(layer.dtype), layer.trainable
    for weight in weights:
        name, dtype = weight.name, weight.dtype or own
        shape = tuple(map(int, weight.axes.values()))  # without the memory of their arithmetic
        params = math.prod(shape)
        demand_initializable(name, shape, dtype, weight.initializer)
        if params > _MAX_WEIGHT_PARAMS:
            raise LayerError(
                f"its weight '{name}' would hold more than {_MAX_WEIGHT_PARAMS:,} numbers"
            )
        path = "/".join((*weight.path, name)) if weight.path else name
        is_trained = weight.trainable and (trainable or bool(weight.path))
        yield WeightRow(name, shape, is_trained, dtype, tuple(weight.axes), params, path)


def freeze_layer(built: BuiltLayer) -> BuiltLayer:
    """The same with nothing to train, as in a model that is frozen as a whole."""
    weights = tuple([replace(weight, trainable=False) for weight in built.weights])
    inner = tuple(map(_freeze_row, built.inner_rows))
    return replace(built, weights=weights, trainable=0, trainable_size=0, inner_rows=inner)


def _freeze_row(row: LayerRow) -> LayerRow:
    """The same of the row of a layer in a model."""
    return replace(
        row,
        trainable_params=0,
        non_trainable_params=row.params,
        weights=tuple([replace(weight, trainable=False) for weight in row.weights]),
        layers=tuple(map(_freeze_row, row.layers)),
    )


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
        part = child_shape_at(nest, step)
        if part is None:
            choices = nest if isinstance(nest, dict) else range(len(child_shapes(nest)))
            has = f"outputs {_format_output_steps(choices)}" if choices else "one output"
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
        nest = nest[step]
    dtype: Dtypes = nest
    return dtype


def constant_dtype(constant: Constant) -> str:
    """The dtype of an array; of a number `int`, `float` or `bool`, which yields to that beside it.

    An array of which only the sizes are known holds fractions.
    """
    if constant.array_dtype:
        return constant.array_dtype
    value = constant.value
    if isinstance(value, int | float):
        return type(value).__name__
    while isinstance(value, list):
        value = value[0] if value else None
    return _ARRAY_DTYPES.get(type(value), "float32")


def error_at_node(error: LayerError, node: Node, more: str = "") -> LayerError:
    """The complaint of a kind as one about this node: with its name, and where it was written."""
    place = error.place  # of a layer in a model inside
    if place is None:
        place = node.place
        for step in error.path:
            place = place and place.locate_part(step)
    message = f"{type(node.layer).__name__} '{node.name}': {error.message}{more}"
    return type(error)(message, place=place, notes=node.notes)
