"""A layer and the shapes of its inputs → its output, its weights and its counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes, expand_dtypes
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
    find_unknown_shape,
    is_shape,
    strip_arithmetic,
    strip_size,
)
from dense_calc.symbolic.state import current_log
from dense_calc.tracing.call_input_specs import format_output_steps
from dense_calc.tracing.report_size import count_call_values, count_weight_values

_MAX_WEIGHT_PARAMS = 2**63 - 1  # parameters of one weight, as in NumPy


class BuiltLayer(Struct, frozen=True, gc=False):
    """Output, weights and counts of a layer that is built on inputs of certain shapes.

    `params` and `trainable` are in parameters, `size` and `trainable_size` in bytes. `inner_rows`
    are the rows of a model inside. `state` tells whether the counts are complete, `is_open` is
    true where the counts or the shape are not known. `value_count` is the size of its row in the
    report.
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


def build_layer(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
) -> BuiltLayer:
    """A layer on inputs of these shapes and dtypes, from a cache where it was built before."""
    if current_log():
        return _build_layer_cached.__wrapped__(layer, inputs, dtypes)
    try:
        return _build_layer_cached(layer, inputs, dtypes)
    except TypeError:  # a serialized object or a nest of shapes, which has no hash
        return _build_layer_cached.__wrapped__(layer, inputs, dtypes)


@lru_cache(maxsize=1000)  # large models repeat few layers; to look one up is ten times faster
def _build_layer_cached(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
) -> BuiltLayer:
    """A layer on inputs of these shapes and, if they matter, of these dtypes."""
    _demand_call_inputs(layer, inputs)
    shape, dtype = layer.output_spec(inputs, dtypes)
    shape = strip_arithmetic(shape)
    values = count_call_values(layer, inputs, shape)
    inner = layer.nested_layer_rows(*inputs)
    state = _state_of_rows(inner)
    if isinstance(shape, UnknownShape) and layer.weights_for_any_input() is None and not inner:
        state = "unknown"
    weights = tuple(_weight_rows(layer, layer.weights(*inputs)))
    return _count_built_layer((shape, expand_dtypes(dtype, shape)), weights, inner, state, values)


def build_on_unknown_input(
    layer: LayerKind,
    inputs: tuple[Shapes | None, ...],
    dtypes: tuple[Dtypes, ...],
    unknown: UnknownShape,
) -> BuiltLayer:
    """What is known of a layer some input of which has an unknown shape, for this reason."""
    _demand_call_inputs(layer, inputs)
    own_inputs = layer.own_input_shapes()
    if own_inputs is not None:
        built = build_layer(layer, own_inputs, ())
        return built if unknown == UNBUILT_SHAPE else with_output_shape(built, unknown)
    values = count_call_values(layer, inputs, unknown)
    inner = layer.nested_layer_rows(*inputs)
    if unknown == UNBUILT_SHAPE:
        state: CountState = "" if layer.is_initially_built else "unbuilt"
        dtype = layer.output_dtype(*dtypes)
        return BuiltLayer(
            unknown, dtype, inner_rows=inner, state=state, is_open=True, value_count=values
        )
    weights = layer.weights_for_any_input()
    state = _state_of_rows(inner) if inner else "unknown" if weights is None else ""
    shape = strip_arithmetic(layer.output_for_any_input() or unknown)
    spec = shape, expand_dtypes(layer.output_dtype(*dtypes), shape)
    return _count_built_layer(spec, tuple(_weight_rows(layer, weights or ())), inner, state, values)


def _state_of_rows(rows: Iterable[LayerRow]) -> CountState:
    """Whether the counts of a model with these rows are complete."""
    return "unknown" if any(row.state == "unknown" for row in rows) else ""


def _count_built_layer(
    spec: tuple[Shapes, Dtypes],
    weights: tuple[WeightRow, ...],
    inner: tuple[LayerRow, ...],
    state: CountState,
    values: int,
) -> BuiltLayer:
    """A built layer with its counts; `values` is the size of its row without the weights."""
    values += sum(count_weight_values(weight.shape) for weight in weights)
    is_open = bool(state) or find_unknown_shape(spec[0]) is not None
    return BuiltLayer(*spec, weights, *weight_totals(weights), inner, state, is_open, values)


def with_output_shape(built: BuiltLayer, shape: Shapes, dtype: Dtypes = None) -> BuiltLayer:
    """A built layer with another output shape, and another dtype if that is known."""
    is_open = bool(built.state) or find_unknown_shape(shape) is not None
    dtype = expand_dtypes(built.dtype if dtype is None else dtype, shape)
    return replace(built, shape=shape, dtype=dtype, is_open=is_open)


def _demand_call_inputs(layer: LayerKind, inputs: tuple[Shapes | None, ...]) -> None:
    """Raise LayerError where a call of the layer cannot have these inputs."""
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
            several = format_output_steps(each if isinstance(each, dict) else range(len(each)))
            raise LayerError(
                f"it reads one tensor, not several: {each}; choose one: 'from: name[...]' "
                f"with one of {several}",
                "from",
            )


def demand_mask(kind: type[LayerKind], masks: Collection[object] | None) -> None:
    """Raise LayerError unless a call may have a mask, or a list of as many as `masks`."""
    if not kind.accepts_mask:
        raise LayerError(f"{kind.__name__} takes no mask", "from")
    if kind.mask_arity and (masks is None or len(masks) not in kind.mask_arity):
        number = f"{kind.mask_arity.start} or {kind.mask_arity.stop - 1}"
        wanted = f"{kind.__name__} takes a list of {number} masks, with null for a missing one"
        raise LayerError(wanted, "from")


def _weight_rows(layer: LayerKind, weights: Iterable[Weight]) -> Iterator[WeightRow]:
    """The weights of a layer as rows of the report.

    `trainable: false` freezes the layer's own weights, not those of layers inside it, as in Keras.

    Raises:
        LayerError: Keras could not make a weight, or no machine could hold it.
    """
    layer_dtype, trainable = variable_dtype(layer.dtype), layer.trainable
    for weight in weights:
        name, dtype = weight.name, weight.dtype or layer_dtype
        shape = tuple(map(strip_size, weight.axes.values()))
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
    """A built layer in which nothing is trainable, as in a model that is frozen as a whole."""
    inner = tuple(map(_freeze_row, built.inner_rows))
    weights = _freeze_weights(built.weights)
    return replace(built, weights=weights, trainable=0, trainable_size=0, inner_rows=inner)


def _freeze_row(row: LayerRow) -> LayerRow:
    """The row of a layer in a model in which nothing is trainable."""
    return replace(
        row,
        trainable_params=0,
        non_trainable_params=row.params,
        weights=_freeze_weights(row.weights),
        layers=tuple(map(_freeze_row, row.layers)),
    )


def _freeze_weights(weights: tuple[WeightRow, ...]) -> tuple[WeightRow, ...]:
    """The same weights, none of them trainable."""
    return tuple([replace(weight, trainable=False) for weight in weights])


def error_at_node(error: LayerError, node: Node, hint: str = "") -> LayerError:
    """The complaint of a layer kind with the name of the node and the place where it is written."""
    place = error.place  # of a layer in a model inside
    if place is None:
        place = node.place
        for step in error.path:
            place = place and place.locate_part(step)
    message = f"{type(node.layer).__name__} '{node.name}': {error.message}{hint}"
    return type(error)(message, place=place, notes=node.notes)
