"""How a layer is written in a spec: `Dense: {units: 10}`, `Flatten`, `{type: Dense, units: 10}`.

A block is used like a layer, `decoder: {repeat: 12}`; `{reuse: NAME}` is a second call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.errors import Place, SpecError, describe_value
from dense_calc.layers import find_kind, is_kind_name
from dense_calc.layers.base import LayerKind, has_unnamed_inputs
from dense_calc.layers.positional_arguments import positional_arguments
from dense_calc.spec_language.expression_types import takes_list
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.nested_model import NESTED_MODEL_KINDS as MODELS

INPUT_KIND = "InputLayer"  # what `input:` stands for

_EntryArguments = dict[str, tuple[YamlNode, YamlNode]]  # name → key and value


class SpecEntry(Place, gc=False):
    """A word over its arguments, such as a layer in a spec. Its place is that of the word.

    `kind` is the type that decodes the arguments. `label` is the name of an input, or of the layer
    that a second call means; a layer has its own name among the arguments. `fixed_layer` is the
    decoded layer if it is the same in every scope.
    """

    kind: type[Any]
    arguments: _EntryArguments
    label: str | None = None
    fixed_layer: LayerKind | None = None
    outline: Any = None  # the SpecOutline of a nested model, once it is read
    is_misread: bool = False  # it has a mistake in what it reads; its copies are not read again

    def locate_part(self, name: str) -> Place:
        return self.arguments[name][1] if name in self.arguments else self

    def read_text(self, name: str) -> str | None:
        """The text argument of this name, None if there is none.

        Raises:
            SpecError: the value is no text, or has a slash.
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
    """The definition of a block: its parameters with their defaults, its inputs, and its layers.

    The default is None for a parameter without one; `inputs` is empty where the block names none.
    `error` is the mistake at which the entries end; a use of the block raises it. `value_count`
    counts the YAML values of the definition.
    """

    name_node: YamlNode
    params: Mapping[str, YamlNode | None]
    inputs: tuple[str, ...]
    entries: list[SpecEntry]
    error: SpecError | None = None
    value_count: int = 0

    def demand_valid(self) -> None:
        """Raise SpecError if there is a mistake; a new error, to which each use adds its note."""
        if self.error:
            raise SpecError(self.error.message, self.error.place, self.error.notes)

    @property
    def name(self) -> str:
        """The name of the block."""
        return str(self.name_node.value)


class BlockEntry(SpecEntry, gc=False, kw_only=True):
    """A use of a block; its arguments include values for the parameters of the block."""

    block: BlockDefinition


class RunEntry(BlockEntry, gc=False):
    """Layers that stand several times in a row: a use of a block that has no name."""


class ReuseEntry(SpecEntry, gc=False):
    """A second call of a layer or block, named by `label`, with the arguments of the call."""


def read_entry(item: YamlNode, blocks: Mapping[str, BlockDefinition]) -> SpecEntry:
    """The entry for an item of `layers:`, which may use one of these blocks.

    Raises:
        SpecError: the item is no layer, or names no layer kind and no block.
    """
    value = item.value
    if isinstance(value, str):
        return _build_entry(item, {}, blocks)
    if not isinstance(value, dict) or not value:
        raise SpecError(
            f"a layer is its Keras class and its arguments, not {describe_value(item.value)}", item
        )
    if "type" in value or "reuse" in value:
        key = "type" if "type" in value else "reuse"
        arguments = {name: value[name] for name in value if name != key}
        return _build_entry(value[key][1], arguments, blocks, is_reuse=key == "reuse")
    (word, under), *others = value.values()
    has_arguments = under.value is None or isinstance(under.value, dict)
    if not has_arguments and not _is_kind_or_block(word.value, blocks):
        from dense_calc.spec_language.entry_mistakes import no_class_error  # for a mistake only

        raise no_class_error(item, word, under.plain_value(), blocks)
    if others:
        from dense_calc.spec_language.entry_mistakes import stray_argument_error  # for a mistake

        raise stray_argument_error(item, word, others[0][0])
    if under.value is None:
        return _build_entry(word, {}, blocks)
    if not isinstance(under.value, dict):
        return _build_entry(word, _name_first_argument(word, under, blocks), blocks)
    return _build_entry(word, under.value, blocks)


def _name_first_argument(
    word: YamlNode, under: YamlNode, blocks: Mapping[str, BlockDefinition]
) -> _EntryArguments:
    """The arguments of `Dense: 64`: the value is that of the first argument in Keras.

    Raises:
        SpecError: there is none, or it takes no list, so that the list may be several arguments.
    """
    name = word.value
    is_block = name in blocks
    if not is_block and _is_first_argument(name, under.value):
        return {
            first: (replace(word, value=first), under) for first in positional_arguments(name)[:1]
        }
    from dense_calc.spec_language.entry_mistakes import suggest_arguments  # for a mistake only

    hint = suggest_arguments(name, under.plain_value(), is_block=is_block)
    raise SpecError(
        f"{name} takes arguments by name, not {describe_value(under.value)}{hint}", under
    )


def _is_first_argument(name: str, value: Any) -> bool:
    """Whether a value can be the first argument of a class: a list only where that takes one."""
    names = positional_arguments(name)
    if not names or not isinstance(value, list) or name in MODELS:
        return bool(names)
    kind = find_kind(name)
    are_inputs = has_unnamed_inputs(kind) and all(isinstance(each.value, str) for each in value)
    return takes_list(kind, names[0]) and not are_inputs


def _build_entry(
    word: YamlNode,
    arguments: _EntryArguments,
    blocks: Mapping[str, BlockDefinition],
    *,
    is_reuse: bool = False,
) -> SpecEntry:
    """The entry of the kind or block that `word` names, or of a second call."""
    name = word.value
    if not isinstance(name, str):
        key = "'reuse'" if is_reuse else "a layer's type"
        wanted = "the name of a layer" if is_reuse else "the name of its Keras class"
        raise SpecError(f"{key} is {wanted}, not {describe_value(name)}", word)
    if is_reuse:
        return ReuseEntry(*word.coordinates, object, arguments, name)
    if name in blocks:
        return BlockEntry(*word.coordinates, object, arguments, block=blocks[name])
    try:
        kind = MODELS.get(name) or find_kind(name)
    except KeyError:
        from dense_calc.spec_language.entry_mistakes import unknown_kind_error  # for a mistake only

        values = {name: value.plain_value() for name, (_, value) in arguments.items()}
        raise unknown_kind_error(word, blocks, values) from None
    if kind.argument_aliases:
        arguments = _rename_aliases(kind, arguments)
    return SpecEntry(*word.coordinates, kind, arguments)


def _rename_aliases(kind: type[LayerKind], arguments: _EntryArguments) -> _EntryArguments:
    """The arguments under the names of the kind; like Keras, an older name replaces the new one."""
    aliases = kind.argument_aliases
    renamed = {aliases[name]: arguments[name] for name in arguments if name in aliases}
    return {name: arguments[name] for name in arguments if name not in aliases} | renamed


def _is_kind_or_block(name: str, blocks: Mapping[str, BlockDefinition]) -> bool:
    """Whether a word names a layer kind or a block."""
    return name in blocks or name in MODELS or is_kind_name(name)


def read_input_entry(name: YamlNode, value: YamlNode) -> SpecEntry:
    """The entry of an input: a shape, or a mapping of InputLayer's arguments."""
    if not name.value:
        raise SpecError("an input needs a name", name)
    if isinstance(value.value, dict):
        arguments = _rename_aliases(find_kind(INPUT_KIND), value.value)
    elif isinstance(value.value, list):
        arguments = {"shape": (name, value)}
    else:
        from dense_calc.spec_language.entry_mistakes import bad_input_error  # for a mistake only

        raise bad_input_error(value)
    return SpecEntry(*name.coordinates, find_kind(INPUT_KIND), arguments, name.value)
