"""`blocks:` → definitions: lists of layers under a name, with parameters and inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dense_calc.errors import SpecError, did_you_mean, said
from dense_calc.layers import ALIASES, KINDS
from dense_calc.spec_language.entries import BlockUse, Definition, entry_of
from dense_calc.spec_language.scope import INDEX, demand_var_name
from dense_calc.spec_language.spec_size import values_in
from dense_calc.spec_language.yaml_tree import Marked

PARTS = ("params", "inputs", "layers")
OF_A_USE = ("name", "from", "repeat")  # what a use of a block has beside the block's parameters
MAX_BLOCKS = 20  # that use each other in a chain
TAKEN = (*OF_A_USE, INDEX, "type", "reuse")  # no parameter can be called so


def blocks_of(section: Marked | None) -> dict[str, Definition]:
    """The blocks that `blocks:` defines, by their names; a block may use any other.

    Raises:
        SpecError: a block is not defined as blocks are, or uses itself.
    """
    pairs = section.value.values() if section else ()
    blocks = {word.value: outline(word, written) for word, written in pairs}
    for word, written in pairs:
        items = written.value["layers"][1] if isinstance(written.value, dict) else written
        block = blocks[word.value]
        try:
            block.entries.extend(entry_of(item, blocks) for item in items.value)
        except SpecError as mistake:
            block.mistake = mistake
        block.values = values_in(written)
    heights: dict[str, int] = {}
    for block in blocks.values():
        demand_finite(block, (), heights)
    return blocks


def demand_finite(block: Definition, around: tuple[str, ...], heights: dict[str, int]) -> None:
    """Raise SpecError if a block uses itself, or others that use others without end.

    `around` are the blocks that led to it; `heights` has how far down others go that are sound.
    """
    names = (*around, block.name)
    heights_within = [0]
    for entry in block.entries:
        if not isinstance(entry, BlockUse):
            continue
        name = entry.block.name
        if name in names:
            told = " uses ".join(f"'{each}'" for each in (*names[names.index(name) :], name))
            raise SpecError(f"a block cannot use itself: {told}", entry)
        if name not in heights and len(names) < MAX_BLOCKS:
            demand_finite(entry.block, names, heights)
        heights_within.append(heights.get(name, MAX_BLOCKS))
        if heights_within[-1] >= MAX_BLOCKS:
            raise SpecError(f"more than {MAX_BLOCKS} blocks use each other in a chain", entry)
    heights[block.name] = 1 + max(heights_within)


def outline(word: Marked, written: Marked) -> Definition:
    """A block without its layers."""
    name = word.value
    if name in KINDS or name in ALIASES or "/" in name or name in ("", "type", "reuse"):
        why = "that is a Keras layer" if name in KINDS or name in ALIASES else "choose another name"
        raise SpecError(f"a block cannot be called '{name}'; {why}", word)
    parts = parts_of(word, written)
    layers = parts["layers"]
    if not isinstance(layers.value, list):
        raise SpecError(f"'layers' must be a list, not {said(layers.value)}", layers)
    if not layers.value:
        raise SpecError(f"the block '{name}' is empty; it must hold a layer at least", word)
    params = dict(params_of(parts["params"])) if "params" in parts else {}
    inputs = tuple(inputs_of(parts["inputs"])) if "inputs" in parts else ()
    return Definition(word, params, inputs, [])


def parts_of(word: Marked, written: Marked) -> Mapping[str, Marked]:
    """What a block is made of: a list of layers, or a mapping that has one."""
    if isinstance(written.value, list):
        return {"layers": written}
    if not isinstance(written.value, dict):
        raise SpecError(f"a block is a list of layers, not {said(written.value)}", written)
    for key, _ in written.value.values():
        if key.value not in PARTS:
            hint = did_you_mean(key.value, PARTS)
            raise SpecError(f"a block has no '{key.value}'{hint}", key)
    if "layers" not in written.value:
        raise SpecError(f"the block '{word.value}' needs 'layers:', a list", word)
    return {name: value for name, (_, value) in written.value.items()}


def params_of(written: Marked) -> Iterator[tuple[str, Marked | None]]:
    """The parameters of a block with their defaults: a mapping, or a list of names."""
    if isinstance(written.value, list):
        pairs = [(word, None) for word in written.value]
    elif isinstance(written.value, dict):
        pairs = [
            (key, None if value.value is None else value) for key, value in written.value.values()
        ]
    else:
        raise SpecError(f"'params' maps names to defaults, not {said(written.value)}", written)
    for word, default in pairs:
        if not isinstance(word.value, str):
            raise SpecError(f"a parameter is a name, not {said(word.value)}", word)
        demand_var_name(word.value, word, "parameter")
        if word.value in TAKEN:
            raise SpecError(f"a parameter cannot be called '{word.value}'", word)
        yield word.value, default


def inputs_of(written: Marked) -> Iterator[str]:
    """The names of a block's inputs."""
    if not isinstance(written.value, list) or not written.value:
        raise SpecError(f"a block's inputs are a list of names, not {said(written.value)}", written)
    seen = set()
    for word in written.value:
        if not isinstance(word.value, str) or not word.value.isidentifier():
            raise SpecError(f"an input of a block is a name, not {said(word.value)}", word)
        if word.value in seen:
            raise SpecError(f"the input '{word.value}' stands here twice", word)
        seen.add(word.value)
        yield word.value
