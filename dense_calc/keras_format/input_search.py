"""Find the input shape of an unbuilt model for which its weights are those that its file stores."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from msgspec.structs import replace

from dense_calc.errors import DenseCalcError, LayerError, Note, UnknownSizeError
from dense_calc.keras_format.compare_weights import (
    excess_params,
    format_stored_weight,
    match_stored_layers,
    read_weights_for_rows,
    row_differences,
)
from dense_calc.keras_format.stored_layer import StoredLayer
from dense_calc.layers.operations.operation import replace_axis_size
from dense_calc.model import Model
from dense_calc.report import LayerRow
from dense_calc.shapes import Shape
from dense_calc.tracing.node_tracer import NO_INPUT_SPECS, Tracer
from dense_calc.tracing.tracer import trace

_MAX_INPUT_AXES = 6  # a ConvLSTM3D on a series reads as many
_MAX_INPUT_SIZE = 2**31 - 1
_MAX_SEARCH_WORK = 100_000  # layers traced or compared: some seconds
_FOUND_INPUT_NOTE = (
    "the model has no input shape; it is taken to be {}, with which it has {}; "
    "--set 'input=[...]' says another"
)
_STORED_WEIGHT_REASON = "what the file stores of '{}': {}"
_TRIAL_SIZES = 100, 101  # sizes of the first axis; the second axis gets twice as much, and so on


class _NoInputFoundError(Exception):
    """The stored weights fit no input shape, or several."""


def infer_stored_input(model: Model, path: str) -> Model:
    """An unbuilt model with the input shape for which its weights are those of its file.

    The input has no more axes than the layers need, and sizes only where weights depend on them.
    The model stays as it is where no shape fits, or several do.
    """
    try:
        stored = read_weights_for_rows(path, trace(model, partial=True).layers)
        shape, evidence = _InputSearch(model, stored).find_shape()
    except (DenseCalcError, _NoInputFoundError):
        return model
    first, *others = _with_input_shape(model, shape).nodes
    assert first.place
    place = replace(first.place)  # a copy, which the first layer does not share
    sizes = ", ".join("null" if size is None else str(size) for size in shape[1:])
    note = Note(_FOUND_INPUT_NOTE.format(f"[{sizes}]", evidence), place)
    nodes = replace(first, place=place), *others
    return replace(model, nodes=nodes, remarks=(*model.remarks, note))


def _with_input_shape(model: Model, shape: Shape) -> Model:
    """The model with an input of this shape."""
    first, *others = model.nodes
    layer = replace(first.layer, batch_shape=shape)
    return replace(model, nodes=(replace(first, layer=layer), *others))


class _InputSearch:
    """The search for the sizes of an input: each layer that needs one has it in its stored weights.

    A size that is an axis of a weight is read from that axis. Any other is found by bisection, as
    weights never shrink where a size grows.
    """

    def __init__(self, model: Model, stored: list[StoredLayer]) -> None:
        self._model = model
        self._stored_layers = stored
        sizes = [size for each in stored for shape in each.shapes for size in shape]
        self._size_range = max([1, *sizes])  # one of so many sizes can be divided into groups
        self._work_left = _MAX_SEARCH_WORK

    def find_shape(self) -> tuple[Shape, str]:
        """The only shape that fits, and the stored weights that show it.

        Raises:
            _NoInputFoundError: no shape fits, or several do.
        """
        for axes in range(1, _MAX_INPUT_AXES + 1):
            unknown: Shape = (None,) * (axes + 1)
            matches = dict(self._matching_shapes(unknown, "the weights that the file stores"))
            if len(matches) == 1:
                return matches.popitem()
            if matches:
                break
        raise _NoInputFoundError

    def _matching_shapes(self, shape: Shape, evidence: str) -> Iterator[tuple[Shape, str]]:
        """The shapes that fit, and have the known sizes of this one."""
        rows, error = self._trace_layers(shape)
        if error is None:
            if self._stored_layers and not any(row_differences(rows, self._stored_layers)):
                yield shape, evidence
        elif isinstance(error, UnknownSizeError):
            matches = list(self._shapes_from_trials(shape, len(rows)))
            yield from matches
            for axis in range(1, len(shape)):
                if shape[axis] is None and not matches:
                    yield from self._shapes_on_axis(shape, axis, len(rows))

    def _shapes_from_trials(self, shape: Shape, index: int) -> Iterator[tuple[Shape, str]]:
        """The shapes that fit, with sizes that are axes of a weight of the layer at this index.

        Two trials show which axes those are: no other size of a weight changes as that of an axis
        of the input does.
        """
        trials = [
            tuple(
                [step * axis or None if size is None else size for axis, size in enumerate(shape)]
            )
            for step in _TRIAL_SIZES
        ]
        traces = [self._trace_layers(trial, index + 1)[0] for trial in trials]
        if any(len(rows) <= index for rows in traces):
            return
        input_axes = {pair: axis for axis, pair in enumerate(zip(*trials, strict=True))}
        for weight, other in zip(*(rows[index].weights for rows in traces), strict=True):
            pairs = zip(weight.shape, other.shape, strict=True)
            axes = [0 if one == two else input_axes.get((one, two), 0) for one, two in pairs]
            for array in set(self._stored_last_layer(traces[0]).shapes) if any(axes) else ():
                if len(array) == len(axes):
                    sizes = {axis: size for axis, size in zip(axes, array, strict=True) if axis}
                    wider = tuple(sizes.get(axis, size) for axis, size in enumerate(shape))
                    name, stored = traces[0][index].name, f"{weight.path} {array}"
                    evidence = _STORED_WEIGHT_REASON.format(name, stored)
                    yield from self._matching_shapes(wider, evidence)

    def _shapes_on_axis(self, shape: Shape, axis: int, index: int) -> Iterator[tuple[Shape, str]]:
        """The shapes that fit, with a size on this axis for the layer at this index."""

        def trace_from(least: int) -> tuple[int, list[LayerRow]]:
            """The first size from `least` on that the layer accepts, and the rows up to it."""
            for size in range(least, least + self._size_range):
                rows, error = self._trace_layers(replace_axis_size(shape, axis, size), index + 1)
                if error is None or isinstance(error, UnknownSizeError):  # of another axis
                    break
            return size, rows

        def excess(least: int) -> int:
            rows = trace_from(least)[1]
            return self._last_layer_excess(rows) if len(rows) > index else -1

        highest = 1
        while excess(highest) < 0 and highest < _MAX_INPUT_SIZE:
            highest *= 2
        least = bisect_left(range(highest + 1), 0, lo=highest // 2, key=excess)
        for _ in range(2):  # a second size that fits is enough to give up
            size, rows = trace_from(least)
            if len(rows) > index and rows[index].weights and self._last_layer_excess(rows) == 0:
                stored = format_stored_weight(rows[index].weights[0])
                evidence = _STORED_WEIGHT_REASON.format(rows[index].name, stored)
                yield from self._matching_shapes(replace_axis_size(shape, axis, size), evidence)
            least = size + 1

    def _trace_layers(
        self, shape: Shape, count: int | None = None
    ) -> tuple[list[LayerRow], LayerError | None]:
        """The rows of the first `count` layers, up to one that fails, and its error.

        Raises:
            _NoInputFoundError: an output is unknown, or the search takes too long.
        """
        model = _with_input_shape(replace(self._model, nodes=self._model.nodes[:count]), shape)
        self._work_left -= len(model.nodes) + len(self._stored_layers)
        if self._work_left < 0:
            raise _NoInputFoundError
        tracer = Tracer(model, NO_INPUT_SPECS)
        rows: list[LayerRow] = []
        for node in model.nodes:
            try:
                rows.append(tracer.trace_row(node, ()))
            except LayerError as error:
                return rows, error
            if tracer.has_unknown:
                raise _NoInputFoundError
        return rows, None

    def _last_layer_excess(self, rows: list[LayerRow]) -> int:
        """The parameters of the last row minus the numbers that are stored of it."""
        return excess_params(rows[-1], self._stored_last_layer(rows))

    def _stored_last_layer(self, rows: list[LayerRow]) -> StoredLayer:
        """The stored layer of the last row; _NoInputFoundError if there is none."""
        stored = match_stored_layers(rows, self._stored_layers).get(rows[-1].name)
        if stored is None:
            raise _NoInputFoundError
        return stored
