"""Why a layer has the shape and the number of parameters that it has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from dense_calc.analysis.formula import distinct, formula, told
from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.shape_rules import axis_names, rule_that_holds
from dense_calc.model import Model
from dense_calc.report import Report, Row, WeightRow
from dense_calc.shapes import Shapes, Worked, is_shape
from dense_calc.tracing.tracer import trace

MOST = 10_000  # layers that are explained at a time
MOST_WEIGHTS = 50_000  # that they have


class Count(Struct, frozen=True):
    """A number of parameters: by the names of axes, by their sizes, and what it comes to."""

    formula: str
    arithmetic: str
    params: int


class Side(Struct, frozen=True):
    """A size of an output shape that was worked out: its axis, how, and what it is."""

    axis: str
    arithmetic: str
    size: int


class Explanation(Struct, frozen=True):
    """One layer explained; `share` is its part of the model's parameters, from 0 to 1.

    `formula` and `arithmetic` are those of `params`; `non_trainable` is None where all is trained.
    `rule` is None where the arguments of the layer make it another one. A layer that is called
    again has its weights where it is `shared_with`.
    """

    name: str
    type: str
    input_shapes: tuple[Shapes | None, ...]
    output_shape: Shapes
    rule: str | None
    sides: tuple[Side, ...]
    weights: tuple[WeightRow, ...]
    params: int
    share: float
    formula: str
    arithmetic: str
    non_trainable: Count | None
    shared_with: str | None


def explained(model: Model, names: Collection[str]) -> tuple[Report, list[Explanation]]:
    """A model's report, and why its layers have what they have.

    Of all layers, those with the most parameters first; or of those with these names.

    Raises:
        SpecError: the model has no layer of a name; or this is more than anybody could read.
        LayerError: Keras would not build a layer.
    """
    report = trace(model)
    rows = {row.name: row for row in report.layers}
    for name in names:
        if name not in rows:
            hint = did_you_mean(name, rows)
            raise SpecError(f"{model.name} has no layer '{name}'{hint}")
    layers = {node.name: node.layer for node in model.nodes}
    chosen = list(map(rows.__getitem__, names))
    if not names:
        chosen = sorted(report.layers, key=lambda row: -row.params)
    demand_few(chosen)
    return report, [explanation(row, layers[row.name], report.total_params) for row in chosen]


def demand_few(rows: Sequence[Row]) -> None:
    """Raise SpecError where more is to be explained than is done at a time."""
    weights = sum(len(row.weights) for row in rows)
    for number, most, what in ((len(rows), MOST, "layers"), (weights, MOST_WEIGHTS, "weights")):
        if number > most:
            told = f"these are {number:,} {what}, and {most:,} can be explained; name some layers"
            raise SpecError(told)


def explanation(row: Row, layer: LayerKind, total: int) -> Explanation:
    """Why one layer has what it has, in a model with `total` parameters."""
    rule = rule_that_holds(layer, row.input_shapes, row.output_shape)
    weights = distinct(row.weights)
    whole = count(weights)
    frozen = count(weight for weight in weights if not weight.trainable)
    return Explanation(
        name=row.name,
        type=row.type,
        input_shapes=row.input_shapes,
        output_shape=row.output_shape,
        rule=rule,
        sides=tuple(sides(layer, rule, row.input_shapes)),
        weights=weights,
        params=row.params,
        share=row.params / total if total else 0.0,
        formula=whole.formula,
        arithmetic=whole.arithmetic,
        non_trainable=frozen if frozen.params else None,
        shared_with=row.shared_with,
    )


def sides(layer: LayerKind, rule: str | None, inputs: tuple[Shapes | None, ...]) -> Iterator[Side]:
    """The sizes of the output that the layer worked out from the inputs and its arguments."""
    shape = layer.output_shape(*inputs)
    if is_shape(shape):
        for axis, size in zip(axis_names(rule, shape), shape, strict=True):
            if isinstance(size, Worked):
                yield Side(axis, size.how, int(size))


def count(weights: Iterable[WeightRow]) -> Count:
    """The number of parameters of these weights, with what they share factored out."""
    held = tuple(weights)
    terms = formula(held)
    return Count(
        formula=told(terms, numbers=False),
        arithmetic=told(terms, numbers=True),
        params=sum(weight.params for weight in held),
    )
