"""Nested models: a Functional or Sequential model as one layer of another model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes, autocast_dtypes, leaf_dtypes
from dense_calc.errors import LayerError, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.layers.layer_references import inner_layers
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.shapes import Shape, Shapes, UnknownShape, is_shape, leaf_shapes
from dense_calc.symbolic.state import current_log
from dense_calc.tracing.tracer import trace_with_size

MAX_CONVERTED_LAYERS = 20_000  # those of nested models count at every use
_ReportAndSize = tuple[Report, int]  # the size in values


class NestedModel(LayerKind, frozen=True, kw_only=True, eq=False):
    """A model as a layer. Its weights are those of its layers.

    The weights follow from the model's own input shapes, the output from the shapes of the call. A
    model that was saved before it was built has no input shapes of its own: all follows from the
    call.
    """

    spec_word: ClassVar[str]  # its name in a spec, also of a derived class
    accepts_nested: ClassVar[bool] = True
    uses_input_dtypes: ClassVar[bool] = True
    accepts_mask: ClassVar[bool] = True
    shape_rule: ClassVar[str] = "(...) → (...')"

    model: Model
    trainable: bool = True

    def output_shape(self, shapes: Shapes, /) -> Shapes:
        return self.output_spec((shapes,), ())[0]

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        outputs = self._trace_call(shapes[0], dtypes)[0].outputs
        if all(end.label is not None for end in self.model.outputs):
            return (
                {port.name: port.shape for port in outputs},
                {port.name: port.dtype for port in outputs},
            )
        if len(outputs) == 1:
            return outputs[0].shape, outputs[0].dtype
        return tuple(port.shape for port in outputs), tuple(port.dtype for port in outputs)

    def output_dtype(self, *_dtypes: Any) -> Dtypes:
        return None  # without shapes

    def _trace_call(self, nest: Shapes, dtypes: tuple[Dtypes, ...]) -> _ReportAndSize:
        """The report on the model as it is called; with its own shapes, also its own dtypes."""
        ports = _trace_nested(self, ())[0].inputs
        shapes = self._match_inputs(nest)
        if shapes == tuple(port.shape for port in ports):
            return _trace_nested(self, ())
        flat: tuple[Dtypes, ...] = tuple(leaf_dtypes(dtypes)) or tuple(port.dtype for port in ports)
        return _trace_nested(self, tuple(zip(shapes, flat, strict=True)))

    def weights(self, *inputs: Shapes) -> Iterator[Weight]:
        for row in self.nested_layer_rows(*inputs):
            for weight in row.counted_weights:
                yield Weight(
                    name=weight.name,
                    axes=dict(zip(weight.axes, weight.shape, strict=True)),
                    trainable=weight.trainable,
                    dtype=weight.dtype,
                    path=(row.name, *weight.path.split("/")[:-1]),
                )

    def own_input_shapes(self) -> tuple[Shapes, ...] | None:
        shapes = tuple(port.shape for port in _trace_nested(self, ())[0].inputs)
        if any(isinstance(shape, UnknownShape) for shape in shapes):
            return None
        return shapes if len(shapes) == 1 else (shapes,)

    def _trace_layers(self, *inputs: Shapes) -> _ReportAndSize:
        """The report on the model on its own inputs, or as it is called where it has none."""
        has_inputs = self.own_input_shapes() is not None or not inputs
        return _trace_nested(self, ()) if has_inputs else self._trace_call(inputs[0], ())

    def nested_layer_rows(self, *inputs: Shapes) -> tuple[Any, ...]:
        return self._trace_layers(*inputs)[0].layers

    def nested_value_count(self, *inputs: Shapes) -> int:
        return self._trace_layers(*inputs)[1]

    def _match_inputs(self, nest: Shapes) -> tuple[Shape, ...]:
        """The shapes of a call for each input of the model, in order.

        Raises:
            LayerError: they are fewer or more, or have other names or axes.
        """
        names = self.model.inputs
        if isinstance(nest, dict):
            _demand_input_names(names, nest.keys())
            nest = tuple(nest[name] for name in names)
        shapes = list(leaf_shapes(nest))
        if len(shapes) != len(names):
            number = f"it gets {len(shapes)} tensors for its inputs"
            raise LayerError(f"{number}, {', '.join(names)}", "from")
        own_shapes = (port.shape for port in _trace_nested(self, ())[0].inputs)
        return tuple(map(_adjust_input_rank, names, shapes, own_shapes))


class Functional(NestedModel, frozen=True, kw_only=True, eq=False):
    """A graph of layers as one layer."""

    spec_word: ClassVar[str] = "Functional"


class Sequential(NestedModel, frozen=True, kw_only=True, eq=False):
    """A chain of layers as one layer; it casts floating-point inputs to the dtype of its own."""

    spec_word: ClassVar[str] = "Sequential"

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        (port,) = _trace_nested(self, ())[0].inputs
        return autocast_dtypes(dtypes, str(port.dtype))


NESTED_MODEL_KINDS: Mapping[str, type[NestedModel]] = {
    "Functional": Functional,
    "Sequential": Sequential,
}


def _trace_nested(layer: NestedModel, specs: tuple[tuple[Shape, Dtypes], ...]) -> _ReportAndSize:
    """The report on a nested model, called with these shapes and dtypes, or with its own."""
    log = current_log()
    if log is None:
        return _trace_nested_cached(layer, specs)
    key = id(layer), repr(specs)  # a symbolic size has one text for each expression
    if key not in log.memo:
        log.memo[key] = layer, _trace_nested_cached.__wrapped__(layer, specs)
    result: _ReportAndSize = log.memo[key][1]
    return result


@lru_cache(maxsize=1000)
def _trace_nested_cached(
    layer: NestedModel, specs: tuple[tuple[Shape, Dtypes], ...]
) -> _ReportAndSize:
    """The same, from a cache where it was traced before."""
    inputs = dict(zip(layer.model.inputs, specs, strict=bool(specs)))
    return trace_with_size(layer.model, inputs, partial=True)


def demand_convertible(model: Model) -> None:
    """Raise SpecError where a model has too many layers to convert, at any depth."""
    number = _count_model_layers(model)
    if number > MAX_CONVERTED_LAYERS:
        raise SpecError(
            f"these are {number:,} layers, and {MAX_CONVERTED_LAYERS:,} can be converted"
        )


def _count_layers(layers: Iterable[LayerKind]) -> int:
    """The number of these layers and of those inside them, at any depth."""
    return sum(1 + _count_inner_layers(layer) for layer in layers)


def _count_inner_layers(layer: LayerKind) -> int:
    """The number of layers inside a layer, at any depth."""
    if isinstance(layer, NestedModel):
        return _count_model_layers(layer.model)
    return (
        _count_layers(inner for _, inner in inner_layers(layer))
        if layer.inner_layer_arguments
        else 0
    )


def _count_model_layers(model: Model) -> int:
    """The number of calls in a model, and of layers inside; those of a later call are the same."""
    return sum(
        1 if node.first_call else 1 + _count_inner_layers(node.layer) for node in model.nodes
    )


def _demand_input_names(names: Sequence[str], keys: Collection[str]) -> None:
    """Raise LayerError unless a mapping has the names of all inputs of a model, and no others."""
    for name in keys:
        if name not in names:
            raise LayerError(f"it has no input '{name}'{did_you_mean(name, names)}", "from")
    for name in names:
        if name not in keys:
            raise LayerError(f"it needs its input '{name}'", "from")


def _adjust_input_rank(name: str, shape: Shape, own: Shapes) -> Shape:
    """A shape with as many axes as the input: a last axis of size 1 is added or removed.

    Source: `Functional._adjust_input_rank`.

    Raises:
        LayerError: the shapes differ in more than that.
    """
    assert is_shape(own)
    if isinstance(own, UnknownShape) or isinstance(shape, UnknownShape):
        return shape
    if len(shape) == len(own) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    elif len(shape) == len(own) - 1 and own[-1] == 1:
        shape = (*shape, 1)
    pairs = zip(shape[1:], own[1:], strict=False)
    fits = all(size is None or wanted in (None, size) for size, wanted in pairs)
    if len(shape) != len(own) or not fits:
        raise LayerError(f"its input '{name}' must be {own}, not {shape}", "from")
    return shape
