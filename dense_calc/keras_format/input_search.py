"""What an unbuilt model reads, as far as the weights tell that its file stores."""

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
from dense_calc.keras_format.stored_weights import StoredLayer
from dense_calc.layers.operations.operation import replace_axis_size
from dense_calc.model import Model
from dense_calc.report import LayerRow
from dense_calc.shapes import Shape
from dense_calc.tracing.node_tracer import NO_INPUT_SPECS, Tracer
from dense_calc.tracing.tracer import trace

_MAX_INPUT_AXES = 6  # of a series of what a ConvLSTM3D reads
_MAX_INPUT_SIZE = 2**31 - 1
_MAX_SEARCH_WORK = 100_000  # layers that are followed, or looked at, in the search: some seconds
_FOUND_INPUT_NOTE = (
    "the model has no input shape; it is taken to be {}, with which it has {}; "
    "--set 'input=[...]' says another"
)
_STORED_WEIGHT_REASON = "what the file stores of '{}': {}"
_TRIAL_SIZES = 100, 101  # sizes of the first axis; of the second they are twice as large


class _NoInputFoundError(Exception):
    """What is stored does not tell the input."""


def infer_stored_input(model: Model, path: str) -> Model:
    """An unbuilt model on the input for which its weights are those that its file stores.

    The input has no more axes than the layers ask for, and sizes where the weights depend on them.
    The model stays as it is where no input fits, or several do.
    """
    try:
        stored = read_weights_for_rows(path, trace(model, partial=True).layers)
        shape, why = _InputSearch(model, stored).find_shape()
    except (DenseCalcError, _NoInputFoundError):
        return model
    first, *others = _with_input_shape(model, shape).nodes
    assert first.place
    place = replace(first.place)  # a place of its own, which the first layer does not share
    sizes = ", ".join("null" if size is None else str(size) for size in shape[1:])
    note = Note(_FOUND_INPUT_NOTE.format(f"[{sizes}]", why), place)
    nodes = replace(first, place=place), *others
    return replace(model, nodes=nodes, remarks=(*model.remarks, note))


def _with_input_shape(model: Model, shape: Shape) -> Model:
    """The model on an input of this shape."""
    first, *others = model.nodes
    layer = replace(first.layer, batch_shape=shape)
    return replace(model, nodes=(replace(first, layer=layer), *others))


class _InputSearch:
    """The search for an input's sizes: the layer that asks for one tells it by what it stores.

    An axis of a weight is read off; else, as weights do not shrink where a size grows, the right
    one is found by halving.
    """

    def __init__(self, model: Model, stored: list[StoredLayer]) -> None:
        self.model = model
        self.stored_layers = stored
        sizes = [size for each in stored for shape in each.shapes for size in shape]
        self.size_range = max([1, *sizes])  # among as many sizes one can be divided into groups
        self.work_left = _MAX_SEARCH_WORK

    def find_shape(self) -> tuple[Shape, str]:
        """The one shape that fits, and what it goes with.

        Raises:
            NoAnswerError: none fits, or several do.
        """
        for axes in range(1, _MAX_INPUT_AXES + 1):
            unknown: Shape = (None,) * (axes + 1)
            found = dict(self.matching_shapes(unknown, "the weights that the file stores"))
            if len(found) == 1:
                return found.popitem()
            if found:
                break
        raise _NoInputFoundError

    def matching_shapes(self, shape: Shape, why: str) -> Iterator[tuple[Shape, str]]:
        """The shapes that fit and have the sizes of this one, and more."""
        rows, error = self.trace_layers(shape)
        if error is None:
            if self.stored_layers and not any(row_differences(rows, self.stored_layers)):
                yield shape, why
        elif isinstance(error, UnknownSizeError):
            of_axes = list(self.shapes_from_trials(shape, len(rows)))
            yield from of_axes
            for axis in range(1, len(shape)):
                if shape[axis] is None and not of_axes:
                    yield from self.shapes_on_axis(shape, axis, len(rows))

    def shapes_from_trials(self, shape: Shape, place: int) -> Iterator[tuple[Shape, str]]:
        """Those with sizes that are axes of a weight of the layer at a place, as two trials show.

        No other size of a weight changes as that of an axis does.
        """
        trials = [
            tuple(
                [step * axis or None if size is None else size for axis, size in enumerate(shape)]
            )
            for step in _TRIAL_SIZES
        ]
        followed = [self.trace_layers(trial, place + 1)[0] for trial in trials]
        if any(len(rows) <= place for rows in followed):
            return
        free = {pair: axis for axis, pair in enumerate(zip(*trials, strict=True))}
        for weight, again in zip(*(rows[place].weights for rows in followed), strict=True):
            pairs = zip(weight.shape, again.shape, strict=True)
            axes = [0 if one == other else free.get((one, other), 0) for one, other in pairs]
            for array in set(self.stored_last_layer(followed[0]).shapes) if any(axes) else ():
                if len(array) == len(axes):
                    sizes = {axis: size for axis, size in zip(axes, array, strict=True) if axis}
                    wider = tuple(sizes.get(axis, size) for axis, size in enumerate(shape))
                    why = _STORED_WEIGHT_REASON.format(
                        followed[0][place].name, f"{weight.path} {array}"
                    )
                    yield from self.matching_shapes(wider, why)

    def shapes_on_axis(self, shape: Shape, axis: int, place: int) -> Iterator[tuple[Shape, str]]:
        """Those in which an axis has the size that the layer at a place asks for."""

        def on(least: int) -> tuple[int, list[LayerRow]]:
            """The first size from here on that the layer takes, and the rows up to it, or fewer."""
            for size in range(least, least + self.size_range):
                rows, error = self.trace_layers(replace_axis_size(shape, axis, size), place + 1)
                if error is None or isinstance(error, UnknownSizeError):  # of another axis
                    break
            return size, rows

        def excess(least: int) -> int:
            rows = on(least)[1]
            return self.last_layer_excess(rows) if len(rows) > place else -1

        highest = 1
        while excess(highest) < 0 and highest < _MAX_INPUT_SIZE:
            highest *= 2
        least = bisect_left(range(highest + 1), 0, lo=highest // 2, key=excess)
        for _ in range(2):  # a second is enough to know that the size is not told
            size, rows = on(least)
            if len(rows) > place and rows[place].weights and self.last_layer_excess(rows) == 0:
                why = _STORED_WEIGHT_REASON.format(
                    rows[place].name, format_stored_weight(rows[place].weights[0])
                )
                yield from self.matching_shapes(replace_axis_size(shape, axis, size), why)
            least = size + 1

    def trace_layers(
        self, shape: Shape, most: int | None = None
    ) -> tuple[list[LayerRow], LayerError | None]:
        """The rows of the first layers on an input, and what is wrong with the next.

        Raises:
            NoAnswerError: something else is not known, or all this takes too long.
        """
        model = _with_input_shape(replace(self.model, nodes=self.model.nodes[:most]), shape)
        self.work_left -= len(model.nodes) + len(self.stored_layers)
        if self.work_left < 0:
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

    def last_layer_excess(self, rows: list[LayerRow]) -> int:
        """How many numbers the last of these layers holds more than what is stored of it.

        Raises:
            NoAnswerError: nothing is.
        """
        return excess_params(rows[-1], self.stored_last_layer(rows))

    def stored_last_layer(self, rows: list[LayerRow]) -> StoredLayer:
        """What is stored of the last of these layers; NoAnswerError if nothing is."""
        stored = match_stored_layers(rows, self.stored_layers).get(rows[-1].name)
        if stored is None:
            raise _NoInputFoundError
        return stored
