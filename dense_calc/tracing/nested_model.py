"""A model as a layer of another: what its outer model's Sequential or Functional row tells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from dense_calc.dtypes import Dtypes, autocast, dtypes_in
from dense_calc.errors import LayerError, SpecError, did_you_mean
from dense_calc.layers.base import LayerKind, Weight
from dense_calc.layers.borrowed import layers_in
from dense_calc.model import Model
from dense_calc.report import Report
from dense_calc.shapes import Shape, Shapes, Unknown, is_shape, leaves
from dense_calc.tracing.tracer import measured

MAX_CONVERTED = 20_000  # layers, those of models inside included each time
Measured = tuple[Report, int]  # and how many values it takes


class Inside(LayerKind, frozen=True, kw_only=True, eq=False):
    """What a model is to the layers around it. Its weights are those of its layers.

    They follow from its own inputs, what it gives from those that it is called with. A model that
    was saved before it was built has no inputs of its own: all follows from the call.
    """

    word: ClassVar[str]  # what it is called in a spec, also if its class is derived
    takes_nested: ClassVar[bool] = True
    reads_dtypes: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = True
    rule: ClassVar[str] = "(...) → (...')"

    model: Model
    trainable: bool = True

    def output_shape(self, given: Shapes, /) -> Shapes:
        return self.output_spec((given,), ())[0]

    def output_spec(
        self, shapes: tuple[Any, ...], dtypes: tuple[Dtypes, ...]
    ) -> tuple[Shapes, Dtypes]:
        outputs = self.called(shapes[0], dtypes)[0].outputs
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

    def called(self, given: Shapes, dtypes: tuple[Dtypes, ...]) -> Measured:
        """The report on the model as it is called; where no shape differs, Keras keeps its own."""
        own = traced(self, ()).inputs
        shapes = self.matched(given)
        if shapes == tuple(port.shape for port in own):
            return followed(self, ())
        read: tuple[Dtypes, ...] = tuple(dtypes_in(dtypes)) or tuple(port.dtype for port in own)
        return followed(self, tuple(zip(shapes, read, strict=True)))

    def weights(self, *given: Shapes) -> Iterator[Weight]:
        for row in self.rows_inside(*given):
            for weight in row.counted:
                yield Weight(
                    name=weight.name,
                    axes=dict(zip(weight.axes, weight.shape, strict=True)),
                    trainable=weight.trainable,
                    dtype=weight.dtype,
                    path=(row.name, *weight.path.split("/")[:-1]),
                )

    def own_inputs(self) -> tuple[Shapes, ...] | None:
        shapes = tuple(port.shape for port in traced(self, ()).inputs)
        if any(isinstance(shape, Unknown) for shape in shapes):
            return None
        return shapes if len(shapes) == 1 else (shapes,)

    def inside(self, *given: Shapes) -> Measured:
        """The report on what is inside: as it is called, where it has no inputs of its own."""
        own = self.own_inputs() is not None or not given
        return followed(self, ()) if own else self.called(given[0], ())

    def rows_inside(self, *given: Shapes) -> tuple[Any, ...]:
        return self.inside(*given)[0].layers

    def values_inside(self, *given: Shapes) -> int:
        return self.inside(*given)[1]

    def matched(self, given: Shapes) -> tuple[Shape, ...]:
        """The shapes that the model's inputs are given, in their order.

        Raises:
            LayerError: they are fewer or more, or have other names or axes.
        """
        names = self.model.inputs
        if isinstance(given, dict):
            demand_names(names, given.keys())
            given = tuple(given[name] for name in names)
        shapes = list(leaves(given))
        if len(shapes) != len(names):
            raise LayerError(
                f"it is given {len(shapes)} tensors for its inputs, {', '.join(names)}",
                "from",
            )
        own = (port.shape for port in traced(self, ()).inputs)
        return tuple(map(adjusted, names, shapes, own))


class Functional(Inside, frozen=True, kw_only=True, eq=False):
    """A graph of layers as one layer."""

    word: ClassVar[str] = "Functional"


class Sequential(Inside, frozen=True, kw_only=True, eq=False):
    """A chain of layers as one layer; it converts fractions to the dtype of its input."""

    word: ClassVar[str] = "Sequential"

    def call_dtypes(self, dtypes: tuple[Dtypes, ...]) -> tuple[Dtypes, ...]:
        (own,) = traced(self, ()).inputs
        return autocast(dtypes, str(own.dtype))


KINDS: Mapping[str, type[Inside]] = {"Functional": Functional, "Sequential": Sequential}


def traced(inside: Inside, given: tuple[tuple[Shape, Dtypes], ...]) -> Report:
    """The report on a model inside, called with these shapes and dtypes, or with its own."""
    return followed(inside, given)[0]


@lru_cache(maxsize=1000)
def followed(inside: Inside, given: tuple[tuple[Shape, Dtypes], ...]) -> Measured:
    """The same, and how many values it takes."""
    inputs = dict(zip(inside.model.inputs, given, strict=bool(given)))
    return measured(inside.model, inputs, partial=True)


def demand_convertible(model: Model) -> None:
    """Raise SpecError where a model has more layers, at any depth, than can be converted."""
    number = number_in_model(model)
    if number > MAX_CONVERTED:
        raise SpecError(f"these are {number:,} layers, and {MAX_CONVERTED:,} can be converted")


def number_of_layers(layers: Iterable[LayerKind]) -> int:
    """How many layers these are, with those that they hold at any depth."""
    return sum(1 + number_inside(layer) for layer in layers)


def number_inside(layer: LayerKind) -> int:
    """How many layers a layer holds, at any depth."""
    if isinstance(layer, Inside):
        return number_in_model(layer.model)
    return number_of_layers(inner for _, inner in layers_in(layer)) if layer.wraps else 0


def number_in_model(model: Model) -> int:
    """How many calls a model holds; a layer that is called again is written once."""
    return sum(1 if node.shares else 1 + number_inside(node.layer) for node in model.nodes)


def demand_names(names: Sequence[str], given: Collection[str]) -> None:
    """Raise LayerError unless a mapping gives each input of a model, by its name, and no more."""
    for name in given:
        if name not in names:
            raise LayerError(f"it has no input '{name}'{did_you_mean(name, names)}", "from")
    for name in names:
        if name not in given:
            raise LayerError(f"it needs its input '{name}'", "from")


def adjusted(name: str, shape: Shape, own: Shapes) -> Shape:
    """A shape with as many axes as an input has, if only a last axis of 1 is too few or too many.

    Source: `Functional._adjust_input_rank`.

    Raises:
        LayerError: it has others.
    """
    assert is_shape(own)
    if isinstance(own, Unknown) or isinstance(shape, Unknown):
        return shape
    if len(shape) == len(own) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    elif len(shape) == len(own) - 1 and own[-1] == 1:
        shape = (*shape, 1)
    pairs = zip(shape[1:], own[1:], strict=False)
    fits = all(size is None or wanted in (None, size) for size, wanted in pairs)
    if len(shape) != len(own) or not fits:
        raise LayerError(f"its input '{name}' is {own}, and is given {shape}", "from")
    return shape
