"""The weights that a file of Keras' stores, held against those that its architecture calls for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from msgspec.structs import replace

from dense_calc.errors import FileError, escape_unprintable
from dense_calc.keras_format.archives import wrap_read_errors
from dense_calc.keras_format.detect import DETECTION_BYTES, JSON_START
from dense_calc.keras_format.hdf5_groups import quote_stored_name
from dense_calc.keras_format.legacy.keras_1_weights import keras_1_array_shapes
from dense_calc.keras_format.stored_weights import (
    NO_WEIGHTS_MESSAGE,
    StoredLayer,
    read_weights_file,
)
from dense_calc.layers.base import to_snake_case
from dense_calc.report import LayerRow, Report, WeightRow
from dense_calc.shapes import Sizes

_MAX_LISTED_ARRAYS = 4  # arrays that a sentence can tell


def weight_differences(report: Report, path: str) -> list[str]:
    """A sentence for each layer of which a file stores other arrays than the report has.

    The rows are those of `trace`, not folded. Within a layer, the order of arrays is not looked at.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    said = row_differences(report.layers, read_weights_for_rows(path, report.layers))
    return [escape_unprintable(each) for each in said if each]


def row_differences(rows: Sequence[LayerRow], layers: list[StoredLayer]) -> Iterator[str]:
    """What to say of each row and of what is stored: '' where the file stores what the row has."""
    found = match_stored_layers(rows, layers)
    for row in rows:
        yield _describe_row_difference(row, found.pop(row.name, None))
    for name, each in found.items():
        yield _describe_unknown_layer(name, each)


def read_weights_for_rows(path: str, rows: Sequence[LayerRow]) -> list[StoredLayer]:
    """The layers of which a file stores arrays; `rows` are those of its model.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    if path == "-":
        raise FileError("cannot read the weights of <stdin>: they are read from a file")
    with wrap_read_errors(path), open(path, "rb") as file:
        found = read_weights_file(file, {row.name for row in rows})
        if found is not None:
            return found
        file.seek(0)
        if not re.match(
            JSON_START, file.read(DETECTION_BYTES).decode(errors="replace")
        ):  # as a manifest is
            raise ValueError(NO_WEIGHTS_MESSAGE)
        from dense_calc.keras_format.tfjs_manifest import (
            MAX_MANIFEST_BYTES,
            owners_by_name,
            read_weights_manifest,
        )

        file.seek(0)
        text = file.read(MAX_MANIFEST_BYTES)
        return read_weights_manifest(
            text, path, owners_by_name((row.name, _inner_layer_names(row)) for row in rows)
        )


def _inner_layer_names(row: LayerRow) -> Iterator[str]:
    """The names of the layers in a model, those further in last."""
    yield from (each.name for each in row.layers)
    for each in row.layers:
        yield from _inner_layer_names(each)


def match_stored_layers(
    rows: Sequence[LayerRow], layers: list[StoredLayer]
) -> dict[str, StoredLayer]:
    """What is stored, by the names of rows; what belongs to none by its own name.

    Not every version of Keras tells a layer's name: what is stored of a class stands in the order
    of the layers of that class.
    """
    named = {each.name for each in layers}
    waiting: defaultdict[str, list[LayerRow]] = defaultdict(list)
    for row in reversed(rows if "" in named else ()):
        if row.weights and row.name not in named:
            waiting[to_snake_case(row.type)].append(row)
    found: dict[str, StoredLayer] = {}
    for each in sorted(layers, key=_group_number):
        same = waiting[_group_class(each)] if not each.name else []
        name = each.name or (same.pop().name if same else each.group)
        if name in found:  # which Keras does not write
            found[name] = replace(each, shapes=[*found[name].shapes, *each.shapes])
        else:
            found[name] = each
    return found


def _group_class(layer: StoredLayer) -> str:
    """The class of a layer, as Keras names groups: `dense` of `dense_2`."""
    return re.sub(r"_\d{1,9}$", "", layer.group)


def _group_number(layer: StoredLayer) -> int:
    """The number of a layer among those of its class: 2 of `dense_2`."""
    return int(layer.group[len(_group_class(layer)) + 1 :] or 0)


def _describe_row_difference(row: LayerRow, stored: StoredLayer | None) -> str:
    """What to say of a layer: '' if the file stores what the row has."""
    if stored is None:
        holds = _join_arrays(map(format_stored_weight, row.weights))
        return f"the file does not have {quote_stored_name(row.name)}, which holds {holds}" * bool(
            row.weights
        )
    weights = _storable_weights(row, stored)
    lacking, extra = _unmatched_arrays(weights, stored)
    if not lacking and not extra:
        return ""
    if max(len(weights), len(stored.shapes)) <= _MAX_LISTED_ARRAYS:
        stores = _join_arrays(map(str, _order_stored_shapes(weights, lacking, extra)))
        holds = _join_arrays(map(format_stored_weight, weights))
        return f"{quote_stored_name(row.name)} holds {holds}, and the file stores {stores}"
    stores = _join_arrays(map(str, extra))
    if not lacking:
        return f"the file stores {stores} beside what {quote_stored_name(row.name)} holds"
    holds = _join_arrays(_describe_missing_weights(weights, lacking))
    instead = f"; it stores {stores} instead" if extra else ""
    return f"of what {quote_stored_name(row.name)} holds, the file does not store {holds}{instead}"


def excess_params(row: LayerRow, stored: StoredLayer) -> int:
    """How many numbers a layer holds more than a file stores of it, less if it is below 0."""
    lacking, extra = _unmatched_arrays(_storable_weights(row, stored), stored)
    return sum(weight.params for weight in lacking) - sum(map(prod, extra))


def _storable_weights(row: LayerRow, stored: StoredLayer) -> list[WeightRow]:
    """The weights of a layer that a file stores, each in an array of its own."""
    return [each for each in row.weights if not (stored.is_lora_merged and _is_lora_weight(each))]


def _describe_unknown_layer(name: str, stored: StoredLayer) -> str:
    """What to say of a stored layer that is not in the model."""
    stores = _join_arrays(map(str, stored.shapes))
    return f"the file stores {stores} for {quote_stored_name(name)}, which the model does not have"


def _unmatched_arrays(
    weights: Iterable[WeightRow], stored: StoredLayer
) -> tuple[list[WeightRow], list[Sizes]]:
    """The weights for which there is no array, and the shapes of arrays for which no weight is."""
    left = Counter(stored.shapes)
    lacking = []
    for weight in weights:
        forms = [[weight.shape], *(keras_1_array_shapes(weight) if stored.is_keras_1 else ())]
        counts = (Counter(form) for form in forms)
        form = next((count for count in counts if count <= left), None)
        if form is None:
            lacking.append(weight)
        else:
            left -= form
    return lacking, list((left - Counter(stored.repeated_shapes)).elements())


def _order_stored_shapes(
    weights: Iterable[WeightRow], lacking: list[WeightRow], extra: list[Sizes]
) -> Iterator[Sizes]:
    """The shapes of what is stored, as far as they are alike in the order of the weights."""
    left = iter(extra)
    for weight in weights:
        shape = weight.shape if weight not in lacking else next(left, None)
        if shape is not None:
            yield shape
    yield from left


def _describe_missing_weights(
    weights: Iterable[WeightRow], lacking: Iterable[WeightRow]
) -> Iterator[str]:
    """Weights that are not stored; of alike ones nothing says which, so their number is told."""
    alike = Counter(weight.shape for weight in weights)
    missing = Counter(weight.shape for weight in lacking)
    for weight in lacking:
        count = missing[weight.shape]
        if count == alike[weight.shape]:
            yield format_stored_weight(weight)
        elif count:
            missing[weight.shape] = 0
            yield f"{count} of {alike[weight.shape]} arrays {weight.shape}"


def _is_lora_weight(weight: WeightRow) -> bool:
    """Whether a weight is one of LoRA."""
    return weight.name.startswith("lora_")


def format_stored_weight(weight: WeightRow) -> str:
    """A weight as a sentence names it: `kernel (784, 10)`."""
    return f"{weight.path} {weight.shape}"


def _join_arrays(items: Iterable[str]) -> str:
    """`a, b and c`; `nothing` if there is nothing, and the first ones of many."""
    shown = list(items)
    if len(shown) > _MAX_LISTED_ARRAYS + 1:
        shown = [*shown[:_MAX_LISTED_ARRAYS], f"{len(shown) - _MAX_LISTED_ARRAYS:,} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:]))) or "nothing"
