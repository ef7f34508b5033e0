"""The names of layers and blocks: those that a spec states, or Keras' automatic ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from msgspec import Struct, structs

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.layers.layer_references import inner_layers
from dense_calc.spec_language.block_uses import count_bodies
from dense_calc.spec_language.entries import BlockEntry, RunEntry, SpecEntry


class EntryNames(Struct):
    """The name of each entry of a list, and of each copy of a block, by the place of its use."""

    entry_names: list[str]
    copy_names: dict[int, tuple[str, ...]]


def name_entries(
    entries: Sequence[SpecEntry],
    layers: Sequence[LayerKind | None],
    repeats: Mapping[int, int | None],
    inputs: Iterable[str],
    *,
    is_inside: bool = False,
) -> tuple[EntryNames, list[LayerKind | None]]:
    """The names of these entries, and their layers with names for the inner layers.

    A layer without a name gets Keras' automatic one, a use of a block the name of the block, and a
    second call the name of the layer or block with a number. A second call of a layer from another
    model keeps that layer's name: of a model in this list, or around it where it `is_inside` one.
    `layers` has None for entries that are no layer, `repeats` how often each block stands, by the
    place of its use. `inputs` are the names of the inputs of a block.
    """
    names = _explicit_names(entries, layers, inputs)
    taken = {*inputs, *filter(None, names)}
    copies = {}
    used: defaultdict[str, int] = defaultdict(int)
    for place, repeat in repeats.items():
        block = entries[place]
        assert isinstance(block, BlockEntry)
        names[place], copies[place] = _assign_block_names(block, names[place], repeat, used, taken)
    named_layers = _assign_layer_names(layers, names, taken)
    models = {name for name, layer in zip(names, layers, strict=True) if layer and layer.model}
    second_calls = [place for place, name in enumerate(names) if name is None]
    if second_calls:
        taken.update(filter(None, names))
    for place in second_calls:
        path = str(entries[place].label).split("/")
        first, base = path[0], path[-1]
        is_elsewhere = first in models or (is_inside and first not in taken)
        if is_elsewhere and base not in taken:  # the first call in this list
            names[place] = base
            taken.add(base)
        while names[place] is None:
            used[base] = max(int(used[base]), 1) + 1
            name = f"{base}_{used[base] - 1}"
            names[place] = name if name not in taken else None
    return EntryNames([name for name in names if name is not None], copies), named_layers


def _explicit_names(
    entries: Sequence[SpecEntry], layers: Sequence[LayerKind | None], inputs: Iterable[str]
) -> list[str | None]:
    """The names that the entries state, None where an entry has none.

    Raises:
        SpecError: a name stands twice.
    """
    names = [
        entry.read_text("name") or (None if layer is None else entry.label)
        for entry, layer in zip(entries, layers, strict=True)
    ]
    taken: dict[str, SpecEntry | None] = dict.fromkeys(inputs)
    for name, entry in zip(names, entries, strict=True):
        if name is None:
            continue
        first = taken.setdefault(name, entry)
        if first is None:
            raise SpecError(f"'{name}' is an input of the block", entry.locate_part("name"))
        if first is not entry:
            place = entry.locate_part("name")
            raise SpecError(f"the name '{name}' is used twice, first in line {first.line}", place)
    return names


def _assign_block_names(
    entry: BlockEntry,
    explicit_name: str | None,
    repeat: int | None,
    used: defaultdict[str, int],
    taken: set[str],
) -> tuple[str, tuple[str, ...]]:
    """The name of a use of a block, and those of its copies: `decoder_0`, `decoder_1`, ...

    Without an explicit name, the numbers go on where the last use of the block ended.
    """
    base = explicit_name or entry.block.name
    for first in count(0 if explicit_name else int(used[base])):
        name = f"{base}_{first}" if first else base
        if explicit_name or name not in taken:
            break
    if not explicit_name:
        used[base] = first + (count_bodies(repeat) if type(entry) is RunEntry else repeat or 1)
        taken.add(name)
    if repeat is None:
        return name, (name,)
    return name, tuple(f"{base}_{first + number}" for number in range(count_bodies(repeat)))


def _assign_layer_names(
    layers: Sequence[LayerKind | None], names: list[str | None], taken: Collection[str]
) -> list[LayerKind | None]:
    """Put Keras' next name into `names` for each layer without one; the layers with inner names."""
    counters: defaultdict[str, int] = defaultdict(int)
    named_layers = []
    for place, layer in enumerate(layers):
        named_layers.append(
            name_inner_layers(layer, counters) if layer and layer.inner_layer_arguments else layer
        )
        while layer and names[place] is None:
            name = next_layer_name(layer, counters)
            names[place] = name if name not in taken else None
    return named_layers


def next_layer_name(layer: LayerKind, counters: defaultdict[str, int]) -> str:
    """The name that Keras gives to the next layer of this kind."""
    base = to_snake_case(type(layer).__name__)
    number = counters[base]
    counters[base] += 1
    return f"{base}_{number}" if number else base


def name_inner_layers(layer: LayerKind, counters: defaultdict[str, int]) -> LayerKind:
    """The layer with a name for each layer inside it; Keras makes and names those first."""

    def add_name(inner: LayerKind) -> LayerKind:
        inner = name_inner_layers(inner, counters)
        return structs.replace(inner, name=inner.name or next_layer_name(inner, counters))

    return map_inner_layers(layer, add_name)


def name_inner_uniquely(layer: LayerKind) -> LayerKind:
    """The layer with a name for each layer inside it; the new names differ from the others."""
    counters: defaultdict[str, int] = defaultdict(int)
    taken = {inner.name for _, inner in inner_layers(layer)}

    def add_name(inner: LayerKind) -> LayerKind:
        if inner.name:
            return inner
        name = next_layer_name(inner, counters)
        while name in taken:
            name = next_layer_name(inner, counters)
        return structs.replace(name_inner_layers(inner, counters), name=name)

    return map_inner_layers(layer, add_name)


def map_inner_layers(layer: LayerKind, change: Callable[[LayerKind], LayerKind]) -> LayerKind:
    """The layer with each layer inside it changed."""

    def change_value(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(change_value, value))
        return change(value) if isinstance(value, LayerKind) else value

    return structs.replace(
        layer, **{name: change_value(getattr(layer, name)) for name in layer.inner_layer_arguments}
    )


def copy_inner_names(layer: LayerKind, other: LayerKind) -> LayerKind:
    """The layer whose unnamed inner layers have the names of those inside another like it."""

    def copy_names(value: Any, named: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(copy_names, value, named))
        if not isinstance(value, LayerKind):
            return value
        return structs.replace(copy_inner_names(value, named), name=value.name or named.name)

    return structs.replace(
        layer,
        **{
            name: copy_names(getattr(layer, name), getattr(other, name))
            for name in layer.inner_layer_arguments
        },
    )
