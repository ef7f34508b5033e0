"""The weights that a file of Keras' stores, held against those that its architecture calls for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from msgspec.structs import replace

from dense_calc.errors import FileError, printable
from dense_calc.keras_format.archives import readable
from dense_calc.keras_format.detect import HEAD, JSON
from dense_calc.keras_format.hdf5_groups import quoted
from dense_calc.keras_format.legacy.keras_1_weights import old_forms
from dense_calc.keras_format.stored_weights import NO_WEIGHTS, Stored, stored_in
from dense_calc.layers.base import snake_case
from dense_calc.report import Report, Row, WeightRow
from dense_calc.shapes import Sizes

FEW = 4  # arrays that a sentence can tell


def differences(report: Report, path: str) -> list[str]:
    """A sentence for each layer of which a file stores other arrays than the report has.

    The rows are those of `trace`, not folded. Within a layer, the order of arrays is not looked at.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    said = compared(report.layers, stored_weights(path, report.layers))
    return [printable(each) for each in said if each]


def compared(rows: Sequence[Row], layers: list[Stored]) -> Iterator[str]:
    """What to say of each row and of what is stored: '' where the file stores what the row has."""
    found = matched(rows, layers)
    for row in rows:
        yield difference(row, found.pop(row.name, None))
    for name, each in found.items():
        yield unknown(name, each)


def stored_weights(path: str, rows: Sequence[Row]) -> list[Stored]:
    """The layers of which a file stores arrays; `rows` are those of its model.

    Raises:
        FileError: the file stores no weights, or is broken.
    """
    if path == "-":
        raise FileError("cannot read the weights of <stdin>: they are read from a file")
    with readable(path), open(path, "rb") as file:
        found = stored_in(file, {row.name for row in rows})
        if found is not None:
            return found
        file.seek(0)
        if not re.match(JSON, file.read(HEAD).decode(errors="replace")):  # as a manifest is
            raise ValueError(NO_WEIGHTS)
        from dense_calc.keras_format.tfjs_manifest import MAX_TEXT, in_manifest, owners_among

        file.seek(0)
        text = file.read(MAX_TEXT)
        return in_manifest(text, path, owners_among((row.name, names_inside(row)) for row in rows))


def names_inside(row: Row) -> Iterator[str]:
    """The names of the layers in a model, those further in last."""
    yield from (each.name for each in row.layers)
    for each in row.layers:
        yield from names_inside(each)


def matched(rows: Sequence[Row], layers: list[Stored]) -> dict[str, Stored]:
    """What is stored, by the names of rows; what belongs to none by its own name.

    Not every version of Keras tells a layer's name: what is stored of a class stands in the order
    of the layers of that class.
    """
    named = {each.name for each in layers}
    waiting: defaultdict[str, list[Row]] = defaultdict(list)
    for row in reversed(rows if "" in named else ()):
        if row.weights and row.name not in named:
            waiting[snake_case(row.type)].append(row)
    found: dict[str, Stored] = {}
    for each in sorted(layers, key=number):
        same = waiting[class_of(each)] if not each.name else []
        name = each.name or (same.pop().name if same else each.group)
        if name in found:  # which Keras does not write
            found[name] = replace(each, shapes=[*found[name].shapes, *each.shapes])
        else:
            found[name] = each
    return found


def class_of(layer: Stored) -> str:
    """The class of a layer, as Keras names groups: `dense` of `dense_2`."""
    return re.sub(r"_\d{1,9}$", "", layer.group)


def number(layer: Stored) -> int:
    """The number of a layer among those of its class: 2 of `dense_2`."""
    return int(layer.group[len(class_of(layer)) + 1 :] or 0)


def difference(row: Row, stored: Stored | None) -> str:
    """What to say of a layer: '' if the file stores what the row has."""
    if stored is None:
        holds = listed(map(told, row.weights))
        return f"the file does not have {quoted(row.name)}, which holds {holds}" * bool(row.weights)
    weights = stored_of(row, stored)
    lacking, extra = apart(weights, stored)
    if not lacking and not extra:
        return ""
    if max(len(weights), len(stored.shapes)) <= FEW:
        stores = listed(map(str, in_order_of(weights, lacking, extra)))
        holds = listed(map(told, weights))
        return f"{quoted(row.name)} holds {holds}, and the file stores {stores}"
    stores = listed(map(str, extra))
    if not lacking:
        return f"the file stores {stores} beside what {quoted(row.name)} holds"
    holds = listed(told_apart(weights, lacking))
    instead = f"; it stores {stores} instead" if extra else ""
    return f"of what {quoted(row.name)} holds, the file does not store {holds}{instead}"


def excess(row: Row, stored: Stored) -> int:
    """How many numbers a layer holds more than a file stores of it, less if it is below 0."""
    lacking, extra = apart(stored_of(row, stored), stored)
    return sum(weight.params for weight in lacking) - sum(map(prod, extra))


def stored_of(row: Row, stored: Stored) -> list[WeightRow]:
    """The weights of a layer that a file stores, each in an array of its own."""
    return [each for each in row.weights if not (stored.is_merged and is_added(each))]


def unknown(name: str, stored: Stored) -> str:
    """What to say of a stored layer that is not in the model."""
    stores = listed(map(str, stored.shapes))
    return f"the file stores {stores} for {quoted(name)}, which the model does not have"


def apart(weights: Iterable[WeightRow], stored: Stored) -> tuple[list[WeightRow], list[Sizes]]:
    """The weights for which there is no array, and the shapes of arrays for which no weight is."""
    left = Counter(stored.shapes)
    lacking = []
    for weight in weights:
        forms = [[weight.shape], *(old_forms(weight) if stored.is_old else ())]
        counts = (Counter(form) for form in forms)
        form = next((count for count in counts if count <= left), None)
        if form is None:
            lacking.append(weight)
        else:
            left -= form
    return lacking, list((left - Counter(stored.again)).elements())


def in_order_of(
    weights: Iterable[WeightRow], lacking: list[WeightRow], extra: list[Sizes]
) -> Iterator[Sizes]:
    """The shapes of what is stored, as far as they are alike in the order of the weights."""
    left = iter(extra)
    for weight in weights:
        shape = weight.shape if weight not in lacking else next(left, None)
        if shape is not None:
            yield shape
    yield from left


def told_apart(weights: Iterable[WeightRow], lacking: Iterable[WeightRow]) -> Iterator[str]:
    """Weights that are not stored; of alike ones nothing says which, so their number is told."""
    alike = Counter(weight.shape for weight in weights)
    missing = Counter(weight.shape for weight in lacking)
    for weight in lacking:
        count = missing[weight.shape]
        if count == alike[weight.shape]:
            yield told(weight)
        elif count:
            missing[weight.shape] = 0
            yield f"{count} of {alike[weight.shape]} arrays {weight.shape}"


def is_added(weight: WeightRow) -> bool:
    """Whether a weight is one of LoRA."""
    return weight.name.startswith("lora_")


def told(weight: WeightRow) -> str:
    """A weight as a sentence names it: `kernel (784, 10)`."""
    return f"{weight.path} {weight.shape}"


def listed(items: Iterable[str]) -> str:
    """`a, b and c`; `nothing` if there is nothing, and the first ones of many."""
    shown = list(items)
    if len(shown) > FEW + 1:
        shown = [*shown[:FEW], f"{len(shown) - FEW:,} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:]))) or "nothing"
