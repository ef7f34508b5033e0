"""How a layer is written in a spec: `Dense: {units: 10}`, `Flatten`, `{type: Dense, units: 10}`.

A block is used as if it were a layer, `decoder: {repeat: 12}`; `{reuse: NAME}` calls one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from dense_calc.errors import Place, SpecError, describe_value, did_you_mean
from dense_calc.layers import KIND_ALIASES, KIND_MODULES, OPERATION_PREFIX, find_kind
from dense_calc.layers.base import LayerKind
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS

INPUT_KIND = "InputLayer"  # what `input:` stands for

_EntryArguments = dict[str, tuple[YamlNode, YamlNode]]  # name → the word itself, and the value


class SpecEntry(Place, gc=False):
    """Something that is written as a word over its arguments. Its place is the word.

    `kind` is the type that decodes the arguments; `label` is what an input is called; layers have
    theirs among the arguments. `fixed` is the layer, once it is known to be the same in all scopes.
    """

    kind: type[Any]
    arguments: _EntryArguments
    label: str | None = None
    fixed_layer: LayerKind | None = None
    outline: Any = None  # of a model inside, once it is read

    def locate_part(self, name: str) -> Place:
        return self.arguments[name][1] if name in self.arguments else self

    def read_text(self, name: str) -> str | None:
        """The text that stands under a name, None if nothing does.

        Raises:
            SpecError: it is no text.
        """
        if name not in self.arguments:
            return None
        written = self.arguments[name][1]
        if not isinstance(written.value, str) or not written.value or "/" in written.value:
            whose = "" if self.kind is object else f"{self.kind.__name__}'s "
            raise SpecError(
                f"{whose}'{name}' must be text without '/', not {describe_value(written.value)}",
                written,
            )
        return written.value


class BlockDefinition(Struct, gc=False):
    """A block as it is defined: its parameters with their defaults, its inputs, and its layers.

    A parameter without a default is None; `inputs` is empty where the block has one input. A
    `mistake` ends the entries; it is told where the block is used. `values` counts what is written.
    """

    name_node: YamlNode
    params: Mapping[str, YamlNode | None]
    inputs: tuple[str, ...]
    entries: list[SpecEntry]
    error: SpecError | None = None
    value_count: int = 0

    def demand_valid(self) -> None:
        """Raise SpecError if there is a mistake, a new one each time: notes are put on it."""
        if self.error:
            raise SpecError(self.error.message, self.error.place, self.error.notes)

    @property
    def name(self) -> str:
        """What the block is called."""
        return str(self.name_node.value)


class BlockEntry(SpecEntry, gc=False, kw_only=True):
    """A block where it is used; among the arguments are values for the block's parameters."""

    block: BlockDefinition


class ReuseEntry(SpecEntry, gc=False):
    """A second call of what was called elsewhere; the arguments are those of the call."""


def read_entry(item: YamlNode, blocks: Mapping[str, BlockDefinition]) -> SpecEntry:
    """The entry that an item of `layers:` is; `blocks` are those that it may name.

    Raises:
        SpecError: it is none, or names no layer kind and no block.
    """
    value = item.value
    if isinstance(value, str):
        return _build_entry(item, {}, blocks)
    if not isinstance(value, dict) or not value:
        raise SpecError(
            f"a layer is its Keras class over its arguments, not {describe_value(item.value)}", item
        )
    if "type" in value or "reuse" in value:
        key = "type" if "type" in value else "reuse"
        arguments = {name: value[name] for name in value if name != key}
        return _build_entry(value[key][1], arguments, blocks, again=key == "reuse")
    (word, under), *others = value.values()
    has_arguments = under.value is None or isinstance(under.value, dict)
    if not has_arguments and not _is_kind_or_block(word.value, blocks):
        raise SpecError(
            f"this layer has no class; it is written '- Dense: {{units: 3}}', with '{word.value}' "
            "among the arguments",
            word,
        )
    if others:
        stray = others[0][0]
        raise SpecError(
            f"'{stray.value}' stands beside '{word.value}', not under it; indent it further", stray
        )
    if under.value is None:
        return _build_entry(word, {}, blocks)
    if not isinstance(under.value, dict):
        raise SpecError(
            f"{word.value} takes arguments by name, not {describe_value(under.value)}", under
        )
    return _build_entry(word, under.value, blocks)


def _build_entry(
    word: YamlNode,
    arguments: _EntryArguments,
    blocks: Mapping[str, BlockDefinition],
    *,
    again: bool = False,
) -> SpecEntry:
    """The entry of the kind or block that `word` names, or of what is called `again` by it."""
    name = word.value
    if not isinstance(name, str):
        what = "'reuse'" if again else "a layer's type"
        named = "the name of a layer" if again else "the name of its Keras class"
        raise SpecError(f"{what} is {named}, not {describe_value(name)}", word)
    if again:
        return ReuseEntry(*word.coordinates, object, arguments, name)
    if name in blocks:
        return BlockEntry(*word.coordinates, object, arguments, block=blocks[name])
    try:
        kind = MODELS.get(name) or find_kind(name)
    except KeyError:
        raise SpecError(
            f"there is no layer kind '{name}'{_suggest_kind(name, blocks)}", word
        ) from None
    return SpecEntry(*word.coordinates, kind, arguments)


def _is_kind_or_block(name: str, blocks: Mapping[str, BlockDefinition]) -> bool:
    """Whether a word is that of a kind or of a block."""
    try:
        return name in blocks or name in MODELS or bool(find_kind(name))
    except KeyError:
        return False


def _suggest_kind(name: str, blocks: Iterable[str]) -> str:
    """What a word that is no kind may have meant."""
    if name.startswith(OPERATION_PREFIX):
        from dense_calc.layers.operations import OPERATION_MODULES  # only a mistake pays

        return did_you_mean(name, (OPERATION_PREFIX + each for each in OPERATION_MODULES))
    return did_you_mean(name, (*blocks, *KIND_MODULES, *KIND_ALIASES, *MODELS))


def read_input_entry(name: YamlNode, value: YamlNode) -> SpecEntry:
    """The entry of an input: a shape, or a mapping of InputLayer's arguments."""
    if not name.value:
        raise SpecError("an input needs a name", name)
    if isinstance(value.value, dict):
        arguments = value.value
    elif isinstance(value.value, list):
        arguments = {"shape": (name, value)}
    else:
        raise SpecError(
            f"an input is a list of sizes, [28, 28, 1], not {describe_value(value.value)}", value
        )
    return SpecEntry(*name.coordinates, find_kind(INPUT_KIND), arguments, name.value)
