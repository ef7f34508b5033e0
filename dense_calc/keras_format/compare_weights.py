"""Compare the weights that a Keras file stores with those of its architecture."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from msgspec.structs import replace

from dense_calc.errors import FileError, escape_unprintable
from dense_calc.keras_format.hdf5_groups import quote_stored_name
from dense_calc.keras_format.legacy.keras_1_weights import keras_1_array_shapes
from dense_calc.keras_format.stored_layer import StoredLayer
from dense_calc.keras_format.stored_weights import read_stored_layers
from dense_calc.layers.base import to_snake_case
from dense_calc.report import LayerRow, Report, WeightRow
from dense_calc.shapes import Sizes

_MAX_LISTED_ARRAYS = 4  # in a sentence


def weight_differences(report: Report, path: str) -> list[str]:
    """A sentence for each layer of which a file stores other arrays than the report has.

    The rows are those of `trace`, not folded. The order of the arrays of a layer does not matter.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    sentences = row_differences(report.layers, read_weights_for_rows(path, report.layers))
    return [escape_unprintable(each) for each in sentences if each]


def row_differences(rows: Sequence[LayerRow], layers: list[StoredLayer]) -> Iterator[str]:
    """A sentence for each row and each unknown layer; '' where a row and its arrays agree."""
    stored = match_stored_layers(rows, layers)
    for row in rows:
        yield _describe_row_difference(row, stored.pop(row.name, None))
    for name, layer in stored.items():
        yield _describe_unknown_layer(name, layer)


def read_weights_for_rows(path: str, rows: Sequence[LayerRow]) -> list[StoredLayer]:
    """The layers of which a file stores arrays; `rows` are those of its model.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    if path == "-":
        raise FileError("cannot read the weights of <stdin>: they are read from a file")
    from dense_calc.keras_format.tfjs_manifest import owners_by_name  # few files have one

    return read_stored_layers(
        path,
        {row.name for row in rows},
        lambda: owners_by_name((row.name, _inner_layer_names(row)) for row in rows),
    )


def _inner_layer_names(row: LayerRow) -> Iterator[str]:
    """The names of the layers in a model, the innermost last."""
    yield from (each.name for each in row.layers)
    for each in row.layers:
        yield from _inner_layer_names(each)


def match_stored_layers(
    rows: Sequence[LayerRow], layers: list[StoredLayer]
) -> dict[str, StoredLayer]:
    """The stored layers by the names of their rows; those without a row by their own names.

    Not every version of Keras stores the names of layers. Without names, the groups of a class are
    numbered in the order of the layers of that class.
    """
    names = {layer.name for layer in layers}
    waiting: defaultdict[str, list[LayerRow]] = defaultdict(list)
    for row in reversed(rows if "" in names else ()):
        if row.weights and row.name not in names:
            waiting[to_snake_case(row.type)].append(row)
    by_name: dict[str, StoredLayer] = {}
    for layer in sorted(layers, key=_group_number):
        same_class = waiting[_group_class(layer)] if not layer.name else []
        name = layer.name or (same_class.pop().name if same_class else layer.group)
        earlier = by_name[name].arrays if name in by_name else []  # Keras writes no name twice
        by_name[name] = replace(layer, arrays=[*earlier, *layer.arrays])
    return by_name


def _group_class(layer: StoredLayer) -> str:
    """The class in the name of a layer's group: `dense` of `dense_2`."""
    return re.sub(r"_\d{1,9}$", "", layer.group)


def _group_number(layer: StoredLayer) -> int:
    """The number in the name of a layer's group: 2 of `dense_2`, and 0 of `dense`."""
    return int(layer.group[len(_group_class(layer)) + 1 :] or 0)


def _describe_row_difference(row: LayerRow, stored: StoredLayer | None) -> str:
    """The sentence about a row: '' if the file stores its weights."""
    name = quote_stored_name(row.name)
    if stored is None:
        holds = _join_arrays(map(format_stored_weight, row.weights))
        return f"the file does not have {name}, which holds {holds}" if row.weights else ""
    weights = _storable_weights(row, stored)
    lacking, extra = _unmatched_arrays(weights, stored)
    if not lacking and not extra:
        return ""
    if max(len(weights), len(stored.shapes)) <= _MAX_LISTED_ARRAYS:
        stores = _join_arrays(map(str, _order_stored_shapes(weights, lacking, extra)))
        holds = _join_arrays(map(format_stored_weight, weights))
        return f"{name} holds {holds}, and the file stores {stores}"
    stores = _join_arrays(map(str, extra))
    if not lacking:
        return f"the file stores {stores} beside what {name} holds"
    holds = _join_arrays(_describe_missing_weights(weights, lacking))
    instead = f"; it stores {stores} instead" if extra else ""
    return f"of what {name} holds, the file does not store {holds}{instead}"


def excess_params(row: LayerRow, stored: StoredLayer) -> int:
    """The parameters of a layer minus the numbers that a file stores of it."""
    lacking, extra = _unmatched_arrays(_storable_weights(row, stored), stored)
    return sum(weight.params for weight in lacking) - sum(map(prod, extra))


def _storable_weights(row: LayerRow, stored: StoredLayer) -> list[WeightRow]:
    """The weights of a layer that a file stores in arrays of their own."""
    return [each for each in row.weights if not (stored.is_lora_merged and _is_lora_weight(each))]


def _describe_unknown_layer(name: str, stored: StoredLayer) -> str:
    """The sentence about a stored layer that the model does not have."""
    stores = _join_arrays(map(str, stored.shapes))
    return f"the file stores {stores} for {quote_stored_name(name)}, which the model does not have"


def _unmatched_arrays(
    weights: Iterable[WeightRow], stored: StoredLayer
) -> tuple[list[WeightRow], list[Sizes]]:
    """The weights without an array, and the shapes of the arrays without a weight."""
    left = Counter(stored.shapes)
    lacking = []
    for weight in weights:
        options = [[weight.shape], *(keras_1_array_shapes(weight) if stored.is_keras_1 else ())]
        counts = (Counter(option) for option in options)
        shapes = next((each for each in counts if each <= left), None)
        if shapes is None:
            lacking.append(weight)
        else:
            left -= shapes
    return lacking, list((left - Counter(stored.repeated_shapes)).elements())


def _order_stored_shapes(
    weights: Iterable[WeightRow], lacking: list[WeightRow], extra: list[Sizes]
) -> Iterator[Sizes]:
    """The stored shapes, in the order of the weights as far as they agree with them."""
    left = iter(extra)
    for weight in weights:
        shape = weight.shape if weight not in lacking else next(left, None)
        if shape is not None:
            yield shape
    yield from left


def _describe_missing_weights(
    weights: Iterable[WeightRow], lacking: Iterable[WeightRow]
) -> Iterator[str]:
    """The weights that are not stored; their number, where some of the same shape are stored."""
    needed = Counter(weight.shape for weight in weights)
    missing = Counter(weight.shape for weight in lacking)
    for weight in lacking:
        count = missing[weight.shape]
        if count == needed[weight.shape]:
            yield format_stored_weight(weight)
        elif count:
            missing[weight.shape] = 0
            yield f"{count} of {needed[weight.shape]} arrays {weight.shape}"


def _is_lora_weight(weight: WeightRow) -> bool:
    """Whether a weight is one that LoRA adds."""
    return weight.name.startswith("lora_")


def format_stored_weight(weight: WeightRow) -> str:
    """A weight in a sentence: `kernel (784, 10)`."""
    return f"{weight.path} {weight.shape}"


def _join_arrays(items: Iterable[str]) -> str:
    """Items in a sentence: `a, b and c`, `nothing`, or the first few and the number of others."""
    shown = list(items)
    if len(shown) > _MAX_LISTED_ARRAYS + 1:
        shown = [*shown[:_MAX_LISTED_ARRAYS], f"{len(shown) - _MAX_LISTED_ARRAYS:,} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:]))) or "nothing"
