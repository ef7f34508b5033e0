"""Explain the output shape and the parameters of layers, by shape rules and formulas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.analysis.collapse import block_layer_name
from dense_calc.analysis.formula import distinguish_axes, format_sum, param_formula
from dense_calc.analysis.patterns import LayerIndex, NamedRow
from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.shape_rules import axis_names, matching_shape_rule
from dense_calc.model import Model
from dense_calc.report import LayerRow, Report, WeightRow
from dense_calc.result import JsonResult
from dense_calc.shapes import ComputedSize, Shapes, is_shape
from dense_calc.tracing.tracer import trace

MAX_EXPLAINED_LAYERS = 10_000  # at a time
MAX_EXPLAINED_WEIGHTS = 50_000  # of these layers


class ParamCount(Struct, frozen=True):
    """A number of parameters, its formula in the names of axes, and its arithmetic in sizes."""

    formula: str
    arithmetic: str
    params: int


class _ComputedAxis(Struct, frozen=True):
    """A computed size of an output shape: its axis, its arithmetic and its value."""

    axis: str
    arithmetic: str
    size: int


class LayerExplanation(Struct, frozen=True, omit_defaults=True):
    """The explanation of one layer; `share` is its part of the model's parameters, from 0 to 1.

    `rule` is the shape rule, None where the arguments of the layer lead to another. `sides` are the
    computed sizes of the output. `formula` and `arithmetic` are those of `params`. `non_trainable`
    is None where everything is trainable. A later call of a layer has no weights: they are those
    of the call that it is `shared_with`. `symbolic` are expressions in the vars of the file, if
    they were asked for: of the `params`, and of the sizes of the `output`. `repeat` is the number
    of layers that are alike in the copies of a block, of which this is the first.
    """

    name: str
    type: str
    input_shapes: tuple[Shapes | None, ...]
    output_shape: Shapes
    rule: str | None
    sides: tuple[_ComputedAxis, ...]
    weights: tuple[WeightRow, ...]
    params: int
    share: float
    formula: str
    arithmetic: str
    non_trainable: ParamCount | None
    shared_with: str | None
    symbolic: Mapping[str, str] | None = None
    repeat: int = 1


class Explanation(JsonResult, Struct, frozen=True):
    """The explanation of a model's layers, or of some of them.

    `symbolic_where` are the conditions under which the expressions in vars hold.
    """

    name: str
    total_params: int
    layers: tuple[LayerExplanation, ...]
    symbolic_where: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Explanation {self.name!r}: {self.total_params:,} params>"


def explain_layers(model: Model, names: Collection[str]) -> Explanation:
    """The explanation of the layers with these names.

    A name may also be that of a block or of one copy of it, or a pattern, as in a budget; layers
    that are alike in all copies are then explained once. Without names, all layers are explained,
    those with the most parameters first.

    Raises:
        SpecError: the model has no layer of a name, or these are too many layers or weights.
        LayerError: Keras would not build a layer.
    """
    report = trace(model)
    largest = sorted(report.layers, key=lambda row: -row.params)
    groups = [[(row, model.nodes_by_name[row.name].layer)] for row in largest]
    if names:
        groups = list(_named_layers(report, model, names))
    _demand_explainable([row for group in groups for row, _ in group])
    explanations = []
    for group in groups:
        found = [_explain_layer(row, layer, report.total_params) for row, layer in group]
        first = replace(found[0], repeat=len(found))
        is_alike = all(replace(found[0], name=each.name) == each for each in found)
        explanations += [first] if is_alike else found
    return Explanation(report.name, report.total_params, tuple(explanations))


def _named_layers(
    report: Report, model: Model, names: Iterable[str]
) -> Iterator[list[tuple[LayerRow, LayerKind]]]:
    """The layers with these names; those in the copies of a block that a name stands for, together.

    Raises:
        SpecError: the model has no layer of a name, or there are too many to compare.
    """
    rows = {row.name: row for row in report.layers}
    index = LayerIndex(report)
    for name in names:
        if name in rows:
            yield [(rows[name], model.nodes_by_name[name].layer)]
            continue
        together: defaultdict[str, list[tuple[LayerRow, LayerKind]]] = defaultdict(list)
        for named in index.find_rows(name):
            full_name = named.names[-1]
            layer = replace(named.inner_row, name=full_name), _find_layer(model, named)
            together[block_layer_name(full_name, index.blocks)].append(layer)
        if not together:
            hint = did_you_mean(name, dict.fromkeys((*rows, *index.names)))
            raise SpecError(f"{report.name} has no layer '{name}'{hint}")
        yield from together.values()


def _find_layer(model: Model, named: NamedRow) -> LayerKind:
    """The layer of a row of a model, or of a model nested in it."""
    around = named.outer_row and _find_layer(model, named.outer_row).model
    return (around or model).nodes_by_name[named.inner_row.name].layer


def _demand_explainable(rows: Sequence[LayerRow]) -> None:
    """Raise SpecError where these are more layers or weights than can be explained at a time."""
    weights = sum(len(row.weights) for row in rows)
    for number, most, what in (
        (len(rows), MAX_EXPLAINED_LAYERS, "layers"),
        (weights, MAX_EXPLAINED_WEIGHTS, "weights"),
    ):
        if number > most:
            problem = f"these are {number:,} {what}, and {most:,} can be explained"
            raise SpecError(f"{problem}; name some layers")


def _explain_layer(row: LayerRow, layer: LayerKind, total: int) -> LayerExplanation:
    """The explanation of one layer in a model with `total` parameters."""
    rule = matching_shape_rule(layer, row.input_shapes, row.output_shape)
    weights = distinguish_axes(row.weights)
    count = _count_params(weights)
    frozen = _count_params(weight for weight in weights if not weight.trainable)
    return LayerExplanation(
        name=row.name,
        type=row.type,
        input_shapes=row.input_shapes,
        output_shape=row.output_shape,
        rule=rule,
        sides=tuple(_computed_axes(layer, rule, row.input_shapes)),
        weights=weights,
        params=row.params,
        share=row.params / total if total else 0.0,
        formula=count.formula,
        arithmetic=count.arithmetic,
        non_trainable=frozen if frozen.params else None,
        shared_with=row.shared_with,
    )


def _computed_axes(
    layer: LayerKind, rule: str | None, inputs: tuple[Shapes | None, ...]
) -> Iterator[_ComputedAxis]:
    """The sizes of the output that are computed from the inputs and the arguments."""
    shape = layer.output_shape(*inputs)
    if is_shape(shape):
        for axis, size in zip(axis_names(rule, shape), shape, strict=True):
            if isinstance(size, ComputedSize):
                yield _ComputedAxis(axis, size.arithmetic, int(size))


def _count_params(weights: Iterable[WeightRow]) -> ParamCount:
    """The number of parameters of these weights, with common factors taken out."""
    weights = tuple(weights)
    terms = param_formula(weights)
    return ParamCount(
        formula=format_sum(terms, numbers=False),
        arithmetic=format_sum(terms, numbers=True),
        params=sum(weight.params for weight in weights),
    )
