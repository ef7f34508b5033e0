"""The names of layers and blocks: as given, or as Keras would give them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count
from typing import Any

from msgspec import Struct, structs

from dense_calc.errors import SpecError
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.spec_language.entries import BlockEntry, SpecEntry


class EntryNames(Struct):
    """The name of each entry of a list, and of each copy of a block that it uses, by its place."""

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
    """The names that these entries have, and the layers with names for the layers inside them.

    Layers, None for what is none, have Keras' automatic names where no other is given; a use of a
    block is called after the block, and a second call after the first. `repeats` says how often a
    block is repeated, by its place. `inputs` are the names of what is given here. What another
    model holds, one here or that which this list `is_inside`, is called as it is there.
    """
    names = _explicit_names(entries, layers, inputs)
    taken = {*inputs, *filter(None, names)}
    copies = {}
    used: defaultdict[str, int] = defaultdict(int)
    for place, repeat in repeats.items():
        block = entries[place]
        assert isinstance(block, BlockEntry)
        names[place], copies[place] = _assign_block_names(block, names[place], repeat, used, taken)
    whole = _assign_layer_names(layers, names, taken)
    unnamed = [place for place, name in enumerate(names) if name is None]
    if unnamed:
        taken.update(filter(None, names))
    models = {name for name, layer in zip(names, layers, strict=True) if layer and layer.model}
    for place in unnamed:  # second calls
        path = str(entries[place].label).split("/")
        head, base = path[0], path[-1]
        is_elsewhere = head in models or (is_inside and head not in taken)
        if is_elsewhere and base not in taken:  # no second call here
            names[place] = base
            taken.add(base)
        while names[place] is None:
            used[base] = max(used[base], 1) + 1
            free = f"{base}_{used[base] - 1}"
            names[place] = free if free not in taken else None
    return EntryNames([name for name in names if name is not None], copies), whole


def _explicit_names(
    entries: Sequence[SpecEntry], layers: Sequence[LayerKind | None], inputs: Iterable[str]
) -> list[str | None]:
    """The names that are written, None where there is none.

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
            raise SpecError(f"'{name}' is what the block is given", entry.locate_part("name"))
        if first is not entry:
            place = entry.locate_part("name")
            raise SpecError(
                f"the name '{name}' stands here twice, first in line {first.line}", place
            )
    return names


def _assign_block_names(
    entry: BlockEntry,
    own: str | None,
    repeat: int | None,
    used: defaultdict[str, int],
    taken: set[str],
) -> tuple[str, tuple[str, ...]]:
    """The name of a use of a block, and those of its copies: `decoder_0`, `decoder_1`, ...

    Without a name of its `own`, it goes on counting where the last use of the block ended.
    """
    base = own or entry.block.name
    for first in count(0 if own else used[base]):
        name = f"{base}_{first}" if first else base
        if own or name not in taken:
            break
    if not own:
        used[base] = first + (repeat or 1)
        taken.add(name)
    if repeat is None:
        return name, (name,)
    return name, tuple(f"{base}_{number}" for number in range(first, first + repeat))


def _assign_layer_names(
    layers: Sequence[LayerKind | None], names: list[str | None], taken: Collection[str]
) -> list[LayerKind | None]:
    """Give each layer without a name Keras' next one; the layers, with names within them."""
    counters: defaultdict[str, int] = defaultdict(int)
    whole = []
    for place, layer in enumerate(layers):
        whole.append(
            name_inner_layers(layer, counters) if layer and layer.inner_layer_arguments else layer
        )
        while layer and names[place] is None:
            free = next_layer_name(layer, counters)
            names[place] = free if free not in taken else None
    return whole


def next_layer_name(layer: LayerKind, counters: defaultdict[str, int]) -> str:
    """The name that Keras gives to the next layer of this kind."""
    base = to_snake_case(type(layer).__name__)
    number = counters[base]
    counters[base] += 1
    return f"{base}_{number}" if number else base


def name_inner_layers(layer: LayerKind, counters: defaultdict[str, int]) -> LayerKind:
    """The layer with a name for each layer inside it; Keras makes and names those first."""

    def whole(held: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(whole, held))
        if not isinstance(held, LayerKind):
            return held
        inner = name_inner_layers(held, counters)
        return structs.replace(inner, name=inner.name or next_layer_name(inner, counters))

    return structs.replace(
        layer, **{name: whole(getattr(layer, name)) for name in layer.inner_layer_arguments}
    )


def name_inner_uniquely(layer: LayerKind) -> LayerKind:
    """The layer with names for those inside it that have none, unlike those of the others."""
    counters: defaultdict[str, int] = defaultdict(int)
    own = {name: getattr(layer, name) for name in layer.inner_layer_arguments}
    several = (held if isinstance(held, tuple) else (held,) for held in own.values())
    taken = {each.name for each in chain.from_iterable(several) if isinstance(each, LayerKind)}

    def whole(held: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(whole, held))
        if not isinstance(held, LayerKind) or held.name:
            return held
        name = next_layer_name(held, counters)
        while name in taken:
            name = next_layer_name(held, counters)
        return structs.replace(name_inner_layers(held, counters), name=name)

    return structs.replace(layer, **{name: whole(held) for name, held in own.items()})


def copy_inner_names(layer: LayerKind, other: LayerKind) -> LayerKind:
    """The layer with those names for the layers inside it that another has, which has as many."""

    def whole(held: Any, model: Any) -> Any:
        if isinstance(held, tuple):
            return tuple(map(whole, held, model))
        if not isinstance(held, LayerKind):
            return held
        return structs.replace(copy_inner_names(held, model), name=held.name or model.name)

    return structs.replace(
        layer,
        **{
            name: whole(getattr(layer, name), getattr(other, name))
            for name in layer.inner_layer_arguments
        },
    )
