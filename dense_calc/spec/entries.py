"""How a layer is written in a spec: `Dense: {units: 10}`, `Flatten`, `{type: Dense, units: 10}`."""

from __future__ import annotations

from dense_calc.errors import Place, SpecError, did_you_mean
from dense_calc.layers import ALIASES, KINDS, kind_named
from dense_calc.layers.base import LayerKind
from dense_calc.spec.document import Marked, said

Arguments = dict[str, tuple[Marked, Marked]]  # name → the word itself, and the value


class Entry(Place, gc=False):
    """A layer as it is written. Its place is the word that says what it is.

    `label` is what an input is called; layers have theirs among the arguments.
    """

    kind: type[LayerKind]
    arguments: Arguments
    label: str | None = None

    def part(self, name: str) -> Place:
        return self.arguments[name][1] if name in self.arguments else self


def entry_of(item: Marked) -> Entry:
    """The entry that an item of `layers:` is.

    Raises:
        SpecError: it is none, or names no layer kind.
    """
    value = item.value
    if isinstance(value, str):
        return entry(item, {})
    if not isinstance(value, dict) or not value:
        raise SpecError(
            f"a layer is its Keras class over its arguments, not {said(item.value)}", item
        )
    if "type" in value:
        return entry(value["type"][1], {name: value[name] for name in value if name != "type"})
    (word, under), *others = value.values()
    if others:
        stray = others[0][0]
        raise SpecError(
            f"'{stray.value}' stands beside '{word.value}', not under it; indent it further", stray
        )
    if under.value is None:
        return entry(word, {})
    if not isinstance(under.value, dict):
        raise SpecError(f"{word.value} takes arguments by name, not {said(under.value)}", under)
    return entry(word, under.value)


def entry(word: Marked, arguments: Arguments) -> Entry:
    """The entry of the kind that `word` names."""
    name = word.value
    if not isinstance(name, str):
        raise SpecError(
            f"a layer's type is the name of its Keras class, not {said(word.value)}", word
        )
    if name not in KINDS and name not in ALIASES:
        hint = did_you_mean(name, (*KINDS, *ALIASES))
        raise SpecError(f"there is no layer kind '{name}'{hint}", word)
    return Entry(word.source, word.line, word.column, word.width, kind_named(name), arguments)


def input_entry(name: Marked, value: Marked) -> Entry:
    """The entry of an input: a shape, or a mapping of InputLayer's arguments."""
    if isinstance(value.value, dict):
        arguments = value.value
    elif isinstance(value.value, list):
        arguments = {"shape": (name, value)}
    else:
        raise SpecError(f"an input is a list of sizes, [28, 28, 1], not {said(value.value)}", value)
    place = (name.source, name.line, name.column, name.width)
    return Entry(*place, kind_named("InputLayer"), arguments, name.value)
