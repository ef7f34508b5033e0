"""A layer and the shapes that it reads → its output, its weights and its counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.dtypes import NOTHING, Dtypes, dtypes_in, spread
from dense_calc.errors import LayerError
from dense_calc.layers.arguments.initializers import demand_initializable
from dense_calc.layers.arguments.types import variable_dtype
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.model import Constant, Given, Leaf, Node
from dense_calc.report import Row, State, WeightRow, counts_of
from dense_calc.shapes import (
    UNBUILT,
    Shapes,
    Unknown,
    is_shape,
    leaves,
    part_of,
    parts,
    plain,
    reason,
)
from dense_calc.tracing.report_size import values_of_call, values_of_weight

MAX_PARAMS = 2**63 - 1  # of a weight, as in NumPy
ARRAYS = {bool: "bool", int: "int64"}  # dtypes of arrays of such numbers, as in NumPy


class Built(Struct, frozen=True, gc=False):
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
    inner: tuple[Row, ...] = ()
    state: State = ""
    is_open: bool = False
    values: int = 0


def listed(choices: Iterable[object]) -> str:
    """Names of outputs: `[0], [1]`."""
    return ", ".join(f"[{each}]" for each in choices)


def looked_up(
    layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]
) -> Built:
    """What a layer is that reads tensors of these shapes, if that can be known from before."""
    try:
        return built(layer, inputs, dtypes)
    except TypeError:  # a serialized object or a nest of shapes, which has no hash
        return built.__wrapped__(layer, inputs, dtypes)


@lru_cache(maxsize=1000)  # large models repeat few layers; to look one up is ten times faster
def built(layer: LayerKind, inputs: tuple[Shapes | None, ...], dtypes: tuple[Dtypes, ...]) -> Built:
    """What a layer is that reads tensors of these shapes, and of these dtypes if they matter."""
    demand_inputs(layer, inputs)
    shape, dtype = layer.output_spec(inputs, dtypes)
    shape = plain(shape)
    values = values_of_call(layer, inputs, shape)
    inner = layer.rows_inside(*inputs)
    state = state_of(inner)
    if isinstance(shape, Unknown) and layer.weights_of_any() is None and not inner:
        state = "unknown"
    weights = tuple(weight_rows(layer, layer.weights(*inputs)))
    return counted((shape, spread(dtype, shape)), weights, inner, state, values)


def known_part(
    layer: LayerKind,
    inputs: tuple[Shapes | None, ...],
    dtypes: tuple[Dtypes, ...],
    why: Unknown,
) -> Built:
    """What is known of a layer that reads what is not known."""
    demand_inputs(layer, inputs)
    own = layer.own_inputs()
    if own is not None:
        made = looked_up(layer, own, ())
        return made if why == UNBUILT else with_output_shape(made, why)
    values = values_of_call(layer, inputs, why)
    inner = layer.rows_inside(*inputs)
    if why == UNBUILT:
        state: State = "" if layer.starts_built else "unbuilt"
        dtype = layer.output_dtype(*dtypes)
        return Built(why, dtype, inner=inner, state=state, is_open=True, values=values)
    weights = layer.weights_of_any()
    state = state_of(inner) if inner else "unknown" if weights is None else ""
    shape = plain(layer.output_of_any() or why)
    spec = shape, spread(layer.output_dtype(*dtypes), shape)
    return counted(spec, tuple(weight_rows(layer, weights or ())), inner, state, values)


def state_of(rows: Iterable[Row]) -> State:
    """What is not known of a model with these rows."""
    return "unknown" if any(row.state == "unknown" for row in rows) else ""


def counted(
    spec: tuple[Shapes, Dtypes],
    weights: tuple[WeightRow, ...],
    inner: tuple[Row, ...],
    state: State,
    values: int,
) -> Built:
    """What a layer is that gives tensors of these shapes and dtypes, and holds this.

    `values` are those of its row but for its weights.
    """
    values += sum(values_of_weight(weight.shape) for weight in weights)
    is_open = bool(state) or reason(spec[0]) is not None
    return Built(*spec, weights, *counts_of(weights), inner, state, is_open, values)


def with_output_shape(built: Built, shape: Shapes, dtype: Dtypes = None) -> Built:
    """The same with another output, and another dtype if that is known."""
    is_open = bool(built.state) or reason(shape) is not None
    dtype = spread(built.dtype if dtype is None else dtype, shape)
    return replace(built, shape=shape, dtype=dtype, is_open=is_open)


def demand_inputs(layer: LayerKind, inputs: tuple[Shapes | None, ...]) -> None:
    """Raise LayerError where a call of the layer cannot be given these inputs."""
    least = layer.takes.start
    if len(inputs) not in layer.takes:
        names = f" ({', '.join(layer.inputs[:least])})" if layer.inputs else ""
        number = f"{least} input{'s' * (least != 1)}{names}"
        raise LayerError(f"it takes {number}, not {len(inputs)}", "from")
    if None in inputs[:least]:
        wanted = layer.inputs or ("a tensor",) * least
        raise LayerError(f"it needs '{wanted[inputs.index(None)]}'", "from")
    if layer.takes_nested:
        return
    for each in inputs:
        if each is not None and not is_shape(each):
            several = listed(each if isinstance(each, dict) else range(len(each)))
            raise LayerError(
                f"it reads one tensor, not several: {each}; say which: 'from: name[...]' "
                f"with one of {several}",
                "from",
            )


def demand_mask(kind: type[LayerKind], masks: Collection[object] | None) -> None:
    """Raise LayerError unless a call may be given a mask, or a list of so many `masks`."""
    if not kind.takes_mask:
        raise LayerError(f"{kind.__name__} takes no mask", "from")
    if kind.masks and (masks is None or len(masks) not in kind.masks):
        raise LayerError(
            f"{kind.__name__} takes a list of {kind.masks.start} or {kind.masks.stop - 1} masks, "
            "null for one that is not there",
            "from",
        )


def weight_rows(layer: LayerKind, weights: Iterable[Weight]) -> Iterator[WeightRow]:
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
        if params > MAX_PARAMS:
            raise LayerError(f"its weight '{name}' would hold more than {MAX_PARAMS:,} numbers")
        path = "/".join((*weight.path, name)) if weight.path else name
        is_trained = weight.trainable and (trainable or bool(weight.path))
        yield WeightRow(name, shape, is_trained, dtype, tuple(weight.axes), params, path)


def frozen(built: Built) -> Built:
    """The same with nothing to train, as in a model that is frozen as a whole."""
    weights = tuple([replace(weight, trainable=False) for weight in built.weights])
    inner = tuple(map(frozen_row, built.inner))
    return replace(built, weights=weights, trainable=0, trainable_size=0, inner=inner)


def frozen_row(row: Row) -> Row:
    """The same of the row of a layer in a model."""
    return replace(
        row,
        trainable_params=0,
        non_trainable_params=row.params,
        weights=tuple([replace(weight, trainable=False) for weight in row.weights]),
        layers=tuple(map(frozen_row, row.layers)),
    )


def given(what: Given, shapes: dict[str, Shapes]) -> Shapes | None:
    """The shapes of what a call is given.

    Raises:
        LayerError: a layer has no such output.
    """
    match what:
        case None:
            return None
        case str():
            return shapes[what]
        case Constant():
            return what.shape
        case Leaf(name, index):
            return output_of(name, shapes[name], index)
        case tuple():
            return tuple(given(each, shapes) or () for each in what)
        case dict():
            return {name: given(each, shapes) or () for name, each in what.items()}
    found = shapes[what.name]
    for step in what.steps:
        part = part_of(found, step)
        if part is None:
            choices = found if isinstance(found, dict) else range(len(parts(found)))
            has = f"outputs {listed(choices)}" if choices else "one output"
            raise LayerError(f"'{what.name}' has no output [{step}]; it has {has}", "from")
        found = part
    return found


def output_of(name: str, shapes: Shapes, index: int) -> Shapes:
    """The shape of one output of a layer, unknown where all are; LayerError if there is none."""
    if isinstance(shapes, Unknown):
        return shapes
    tensors = list(leaves(shapes))
    if index < len(tensors):
        return tensors[index]
    raise LayerError(f"'{name}' has no output {index}; it has {len(tensors)}", "from")


def dtypes_given(what: Given, dtypes: Mapping[str, Dtypes]) -> Dtypes:
    """The dtypes of what a call is given, which `given` has found."""
    match what:
        case None:
            return NOTHING
        case str():
            return dtypes[what]
        case Constant():
            return dtype_of(what)
        case Leaf(name, index):
            outputs = list(dtypes_in(dtypes[name]))
            return outputs[index if index < len(outputs) else -1]  # how many may not be known
        case tuple():
            return tuple(dtypes_given(each, dtypes) or None for each in what)
        case dict():
            return {name: dtypes_given(each, dtypes) or None for name, each in what.items()}
    found: Any = dtypes[what.name]
    for step in what.steps:
        found = found[step]
    dtype: Dtypes = found
    return dtype


def dtype_of(constant: Constant) -> str:
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
    return ARRAYS.get(type(value), "float32")


def placed(error: LayerError, node: Node, more: str = "") -> LayerError:
    """The complaint of a kind as one about this node: with its name, and where it was written."""
    place = error.place  # of a layer in a model inside
    if place is None:
        place = node.place
        for step in error.path:
            place = place and place.part(step)
    message = f"{type(node.layer).__name__} '{node.name}': {error.message}{more}"
    return type(error)(message, place=place, notes=node.notes)
