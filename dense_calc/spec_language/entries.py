"""How a layer is written in a spec: `Dense: {units: 10}`, `Flatten`, `{type: Dense, units: 10}`.

A block is used as if it were a layer, `decoder: {repeat: 12}`; `{reuse: NAME}` calls one again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from dense_calc.errors import Place, SpecError, did_you_mean, said
from dense_calc.layers import ALIASES, KINDS, OPERATION, kind_named
from dense_calc.layers.base import LayerKind
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.nested_model import KINDS as MODELS

INPUT_KIND = "InputLayer"  # what `input:` stands for

Arguments = dict[str, tuple[Marked, Marked]]  # name → the word itself, and the value


class Entry(Place, gc=False):
    """Something that is written as a word over its arguments. Its place is the word.

    `kind` is the type that decodes the arguments; `label` is what an input is called; layers have
    theirs among the arguments. `fixed` is the layer, once it is known to be the same in all scopes.
    """

    kind: type[Any]
    arguments: Arguments
    label: str | None = None
    fixed: LayerKind | None = None
    outline: Any = None  # of a model inside, once it is read

    def part(self, name: str) -> Place:
        return self.arguments[name][1] if name in self.arguments else self

    def text(self, name: str) -> str | None:
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
                f"{whose}'{name}' must be text without '/', not {said(written.value)}", written
            )
        return written.value


class Definition(Struct, gc=False):
    """A block as it is defined: its parameters with their defaults, its inputs, and its layers.

    A parameter without a default is None; `inputs` is empty where the block has one input. A
    `mistake` ends the entries; it is told where the block is used. `values` counts what is written.
    """

    word: Marked
    params: Mapping[str, Marked | None]
    inputs: tuple[str, ...]
    entries: list[Entry]
    mistake: SpecError | None = None
    values: int = 0

    def demand_sound(self) -> None:
        """Raise SpecError if there is a mistake, a new one each time: notes are put on it."""
        if self.mistake:
            raise SpecError(self.mistake.message, self.mistake.place, self.mistake.notes)

    @property
    def name(self) -> str:
        """What the block is called."""
        return str(self.word.value)


class BlockUse(Entry, gc=False, kw_only=True):
    """A block where it is used; among the arguments are values for the block's parameters."""

    block: Definition


class Reuse(Entry, gc=False):
    """A second call of what was called elsewhere; the arguments are those of the call."""


def entry_of(item: Marked, blocks: Mapping[str, Definition]) -> Entry:
    """The entry that an item of `layers:` is; `blocks` are those that it may name.

    Raises:
        SpecError: it is none, or names no layer kind and no block.
    """
    value = item.value
    if isinstance(value, str):
        return entry(item, {}, blocks)
    if not isinstance(value, dict) or not value:
        raise SpecError(
            f"a layer is its Keras class over its arguments, not {said(item.value)}", item
        )
    if "type" in value or "reuse" in value:
        key = "type" if "type" in value else "reuse"
        arguments = {name: value[name] for name in value if name != key}
        return entry(value[key][1], arguments, blocks, again=key == "reuse")
    (word, under), *others = value.values()
    has_arguments = under.value is None or isinstance(under.value, dict)
    if not has_arguments and not is_known(word.value, blocks):
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
        return entry(word, {}, blocks)
    if not isinstance(under.value, dict):
        raise SpecError(f"{word.value} takes arguments by name, not {said(under.value)}", under)
    return entry(word, under.value, blocks)


def entry(
    word: Marked, arguments: Arguments, blocks: Mapping[str, Definition], *, again: bool = False
) -> Entry:
    """The entry of the kind or block that `word` names, or of what is called `again` by it."""
    name = word.value
    if not isinstance(name, str):
        what = "'reuse'" if again else "a layer's type"
        named = "the name of a layer" if again else "the name of its Keras class"
        raise SpecError(f"{what} is {named}, not {said(name)}", word)
    if again:
        return Reuse(*word.where, object, arguments, name)
    if name in blocks:
        return BlockUse(*word.where, object, arguments, block=blocks[name])
    try:
        kind = MODELS.get(name) or kind_named(name)
    except KeyError:
        raise SpecError(f"there is no layer kind '{name}'{likely(name, blocks)}", word) from None
    return Entry(*word.where, kind, arguments)


def is_known(name: str, blocks: Mapping[str, Definition]) -> bool:
    """Whether a word is that of a kind or of a block."""
    try:
        return name in blocks or name in MODELS or bool(kind_named(name))
    except KeyError:
        return False


def likely(name: str, blocks: Iterable[str]) -> str:
    """What a word that is no kind may have meant."""
    if name.startswith(OPERATION):
        from dense_calc.layers.operations import OPERATIONS  # only a mistake pays

        return did_you_mean(name, (OPERATION + each for each in OPERATIONS))
    return did_you_mean(name, (*blocks, *KINDS, *ALIASES, *MODELS))


def input_entry(name: Marked, value: Marked) -> Entry:
    """The entry of an input: a shape, or a mapping of InputLayer's arguments."""
    if not name.value:
        raise SpecError("an input needs a name", name)
    if isinstance(value.value, dict):
        arguments = value.value
    elif isinstance(value.value, list):
        arguments = {"shape": (name, value)}
    else:
        raise SpecError(f"an input is a list of sizes, [28, 28, 1], not {said(value.value)}", value)
    return Entry(*name.where, kind_named(INPUT_KIND), arguments, name.value)
