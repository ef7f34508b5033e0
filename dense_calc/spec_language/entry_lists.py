"""A list of layers → its entries; `{repeat: 3, layers: [...]}` among them is a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dense_calc.errors import SpecError, describe_value, did_you_mean
from dense_calc.spec_language.entries import BlockDefinition, BlockEntry, RunEntry, SpecEntry
from dense_calc.spec_language.spec_size import count_values
from dense_calc.spec_language.stand_ins import read_or_stand_in
from dense_calc.spec_language.yaml_tree import YamlNode

_RUN_KEYS = ("repeat", "layers")
_RUN_NAME = "run"  # what messages and formulas call a run, which has no name


def read_entries(
    items: Iterable[YamlNode], blocks: Mapping[str, BlockDefinition]
) -> Iterator[SpecEntry]:
    """The entries of the items of `layers:`, which may use these blocks.

    Raises:
        SpecError: an item is no layer, and mistakes are not collected.
    """
    for item in items:
        yield _read_run(item, blocks) if _is_run(item, blocks) else read_or_stand_in(item, blocks)


def _is_run(item: YamlNode, blocks: Mapping[str, BlockDefinition]) -> bool:
    """Whether an item is a run, or one with a mistake, and not a layer or a use of a block."""
    keys = item.value if isinstance(item.value, dict) else {}
    first = next(iter(keys), None)
    return first in _RUN_KEYS and first not in blocks and not keys.keys() & {"type", "reuse"}


def _read_run(item: YamlNode, blocks: Mapping[str, BlockDefinition]) -> RunEntry:
    """The entry of a run.

    Raises:
        SpecError: a key is missing or unknown, or `layers` is no list.
    """
    for name, (key, _) in item.value.items():
        if name not in _RUN_KEYS:
            hint = did_you_mean(name, [each for each in _RUN_KEYS if each not in item.value])
            raise SpecError(f"a repeat has no '{name}'{hint}", key)
    if len(item.value) < len(_RUN_KEYS):
        raise SpecError("write repeated layers as '{repeat: 3, layers: [...]}'", item)
    word: YamlNode = item.value["repeat"][0]
    layers: YamlNode = item.value["layers"][1]
    if not isinstance(layers.value, list) or not layers.value:
        raise SpecError(
            f"'layers' must be a list of layers, not {describe_value(layers.value)}", layers
        )
    entries = list(read_entries(layers.value, blocks))
    name = YamlNode(*word.coordinates, _RUN_NAME)
    block = BlockDefinition(name, {}, (), entries, value_count=count_values(item))
    return RunEntry(*word.coordinates, object, {"repeat": item.value["repeat"]}, block=block)


def block_uses(entries: Iterable[SpecEntry]) -> Iterator[BlockEntry]:
    """The uses of blocks in a list, also those in its runs."""
    for entry in entries:
        if isinstance(entry, RunEntry):
            yield from block_uses(entry.block.entries)
        elif isinstance(entry, BlockEntry):
            yield entry


def first_layer(entries: Sequence[SpecEntry]) -> SpecEntry:
    """The first entry of a list, or of the run that it begins with."""
    first = entries[0]
    return first_layer(first.block.entries) if isinstance(first, RunEntry) else first
