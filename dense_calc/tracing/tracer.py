"""Model → Report: follow the shapes from layer to layer and count the weights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dense_calc.dtypes import Dtypes
from dense_calc.errors import DenseCalcError
from dense_calc.gaps import demand_no_gaps
from dense_calc.model import Model
from dense_calc.report import (
    LayerRow,
    Port,
    Report,
    merge_call_rows,
)
from dense_calc.shapes import (
    Shapes,
)
from dense_calc.tracing.node_tracer import NO_INPUT_SPECS, InputSpecs, Tracer


def trace(model: Model, inputs: InputSpecs = NO_INPUT_SPECS, *, partial: bool = False) -> Report:
    """The report on a model: the shape, the dtype, the weights and the counts of every layer.

    Shapes start with the batch axis, and a size is None where it is unknown before data flows:
    `(None, 28, 28, 1)`. Counts are in parameters and in bytes of the weights, each in its dtype.
    The model's own input shapes are used, but where `inputs` has another shape and dtype for the
    name of an input. With `partial`, the report may leave shapes and counts open that the file
    does not tell.

    As in Keras' summary, a Sequential has no row for its input and a graph has one for each input.

    Raises:
        LayerError: Keras would not build a layer: its arguments or its inputs do not fit.
        SpecError: a shape or a weight is not known, and `partial` is false.
    """
    return trace_with_size(model, inputs, partial=partial)[0]


def trace_with_size(model: Model, inputs: InputSpecs, *, partial: bool) -> tuple[Report, int]:
    """The report on a model, and how many values its shapes and weights take."""
    if not partial:
        demand_no_gaps(model.gaps)
    tracer = Tracer(model, inputs)
    feeds: defaultdict[str, list[str]] = defaultdict(list)
    for node in model.nodes:
        for source in dict.fromkeys(node.inputs):
            feeds[source].append(node.name)
    rows = tuple([tracer.trace_row(node, feeds[node.name]) for node in model.nodes])
    if not partial:
        tracer.demand_all_known()
    report = Report(
        name=model.name,
        **tracer.totals(),
        inputs=tuple(Port(name, tracer.shapes[name], tracer.dtypes[name]) for name in model.inputs),
        outputs=tuple(map(tracer.output_port, model.outputs)),
        layers=_summary_rows(rows, model),
        blocks=model.blocks,
        unused=tuple(node.name for node in model.unused),
        partial=tracer.has_unknown,
        state=tracer.state,
    )
    return report, tracer.value_count


def trace_output_specs(model: Model) -> tuple[dict[str, Shapes], dict[str, Dtypes]]:
    """The output shapes and the output dtypes of all calls, by the names of the nodes.

    Raises:
        LayerError: Keras would not build a layer.
        SpecError: something is not known.
    """
    demand_no_gaps(model.gaps)
    tracer = Tracer(model, NO_INPUT_SPECS)
    for node in model.nodes:
        tracer.trace_node(node)
    tracer.demand_all_known()
    return tracer.shapes, tracer.dtypes


def find_untraceable(model: Model) -> Iterator[DenseCalcError]:
    """The complaints about all layers that Keras would not build on what they read.

    A layer that reads the output of one of them, directly or not, has unknown inputs.
    """
    tracer = Tracer(model, NO_INPUT_SPECS)
    for node in model.nodes:
        if not tracer.shapes.keys() >= set(node.inputs):  # in a circle
            tracer.leave_unknown(node)
            continue
        try:
            tracer.trace_node(node)
        except DenseCalcError as error:
            tracer.leave_unknown(node)
            yield error


def _summary_rows(rows: tuple[LayerRow, ...], model: Model) -> tuple[LayerRow, ...]:
    """The rows of the summary: a chain has none for its input, a Keras model one for each layer.

    Without a Keras class (`model.type`) every call has a row.
    """
    if model.is_sequential:
        return tuple(row for row in rows if row.connected_to)
    return merge_call_rows(rows, model.calls) if model.type and model.calls else rows
