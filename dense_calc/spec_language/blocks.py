"""`blocks:` → definitions: lists of layers under a name, with parameters and inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dense_calc.errors import SpecError, describe_value, did_you_mean
from dense_calc.layers import KIND_ALIASES, KIND_MODULES
from dense_calc.mistakes import keep_mistake
from dense_calc.spec_language.entries import BlockDefinition
from dense_calc.spec_language.entry_lists import block_uses, read_entries
from dense_calc.spec_language.scope import INDEX_VAR, demand_var_name
from dense_calc.spec_language.spec_size import count_values
from dense_calc.spec_language.yaml_tree import YamlNode

_BLOCK_KEYS = ("params", "inputs", "layers")
BLOCK_USE_KEYS = ("name", "from", "repeat")  # keys of a use that are no parameters
_MAX_BLOCK_CHAIN = 20  # blocks that use each other in a chain
_RESERVED_PARAMETERS = (*BLOCK_USE_KEYS, INDEX_VAR, "type", "reuse")


def read_blocks(section: YamlNode | None) -> dict[str, BlockDefinition]:
    """The blocks that `blocks:` defines, by their names; a block may use any other.

    Raises:
        SpecError: a definition is malformed, or a block uses itself.
    """
    pairs = section.value.values() if section else ()
    blocks = {word.value: _read_block_header(word, written) for word, written in pairs}
    for word, written in pairs:
        items = written.value["layers"][1] if isinstance(written.value, dict) else written
        block = blocks[word.value]
        try:
            block.entries.extend(read_entries(items.value, blocks))
        except SpecError as mistake:
            block.error = mistake
        block.value_count = count_values(written)
    heights: dict[str, int] = {}
    circle = None
    for block in blocks.values():
        try:
            _demand_acyclic_block(block, (), heights)
        except SpecError as mistake:
            circle = circle or mistake
            keep_mistake(circle)
            block.error = circle
    return blocks


def _demand_acyclic_block(
    block: BlockDefinition, around: tuple[str, ...], heights: dict[str, int]
) -> None:
    """Raise SpecError if a block uses itself, or the chain of blocks that it uses is too long.

    `around` has the blocks that use it; `heights` the length of the chain below each known block.
    """
    names = (*around, block.name)
    heights_within = [0]
    for entry in block_uses(block.entries):
        name = entry.block.name
        if name in names:
            uses = " uses ".join(f"'{each}'" for each in (*names[names.index(name) :], name))
            raise SpecError(f"a block cannot use itself: {uses}", entry)
        if name not in heights and len(names) < _MAX_BLOCK_CHAIN:
            _demand_acyclic_block(entry.block, names, heights)
        heights_within.append(heights.get(name, _MAX_BLOCK_CHAIN))
        if heights_within[-1] >= _MAX_BLOCK_CHAIN:
            raise SpecError(f"more than {_MAX_BLOCK_CHAIN} blocks use each other in a chain", entry)
    heights[block.name] = 1 + max(heights_within)


def _read_block_header(word: YamlNode, written: YamlNode) -> BlockDefinition:
    """The definition of a block without its layers."""
    name = word.value
    if name in KIND_MODULES or name in KIND_ALIASES or "/" in name or name in ("", "type", "reuse"):
        is_kind = name in KIND_MODULES or name in KIND_ALIASES
        why = "that is a Keras layer" if is_kind else "choose another name"
        raise SpecError(f"a block cannot be called '{name}'; {why}", word)
    parts = _read_block_sections(word, written)
    layers = parts["layers"]
    if not isinstance(layers.value, list):
        raise SpecError(f"'layers' must be a list, not {describe_value(layers.value)}", layers)
    if not layers.value:
        raise SpecError(f"the block '{name}' is empty; it needs at least one layer", word)
    params = dict(_read_block_params(parts["params"])) if "params" in parts else {}
    inputs = tuple(_read_block_input_names(parts["inputs"])) if "inputs" in parts else ()
    return BlockDefinition(word, params, inputs, [])


def _read_block_sections(word: YamlNode, written: YamlNode) -> Mapping[str, YamlNode]:
    """The sections of a block; a list of layers is its only section, `layers`."""
    if isinstance(written.value, list):
        return {"layers": written}
    if not isinstance(written.value, dict):
        raise SpecError(
            f"a block is a list of layers, not {describe_value(written.value)}", written
        )
    for key, _ in written.value.values():
        if key.value not in _BLOCK_KEYS:
            hint = did_you_mean(key.value, _BLOCK_KEYS)
            raise SpecError(f"a block has no '{key.value}'{hint}", key)
    if "layers" not in written.value:
        raise SpecError(f"the block '{word.value}' needs 'layers:', a list", word)
    return {name: value for name, (_, value) in written.value.items()}


def _read_block_params(written: YamlNode) -> Iterator[tuple[str, YamlNode | None]]:
    """The parameters of a block with their defaults: a mapping, or a list of names."""
    if isinstance(written.value, list):
        pairs = [(word, None) for word in written.value]
    elif isinstance(written.value, dict):
        pairs = [
            (key, None if value.value is None else value) for key, value in written.value.values()
        ]
    else:
        raise SpecError(
            f"'params' maps names to defaults, not {describe_value(written.value)}", written
        )
    for word, default in pairs:
        if not isinstance(word.value, str):
            raise SpecError(f"a parameter is a name, not {describe_value(word.value)}", word)
        demand_var_name(word.value, word, "parameter")
        if word.value in _RESERVED_PARAMETERS:
            raise SpecError(f"a parameter cannot be called '{word.value}'", word)
        yield word.value, default


def _read_block_input_names(written: YamlNode) -> Iterator[str]:
    """The names of a block's inputs."""
    if not isinstance(written.value, list) or not written.value:
        raise SpecError(
            f"a block's inputs are a list of names, not {describe_value(written.value)}", written
        )
    seen = set()
    for word in written.value:
        if not isinstance(word.value, str) or not word.value.isidentifier():
            raise SpecError(
                f"an input of a block is a name, not {describe_value(word.value)}", word
            )
        if word.value in seen:
            raise SpecError(f"the input '{word.value}' is used twice", word)
        seen.add(word.value)
        yield word.value
