"""What reads what: `from:` of each layer, or the layer above it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from dense_calc.errors import SpecError, did_you_mean
from dense_calc.layers.base import LIST_OF_INPUTS
from dense_calc.model import Given, Output
from dense_calc.spec.document import Marked, said
from dense_calc.spec.entries import Entry

OUTPUT = r"(.+?)((?:\[\w+\])+)"  # one output of several: `lstm[1]`

Wires = tuple[tuple[str, ...], tuple[Given, ...] | None]  # the names read, and what a call is given


def wiring(entries: list[Entry], names: list[str]) -> Iterator[Wires]:
    """The names of what each layer reads, and what its call is given if that is more than them."""
    known = dict.fromkeys(names)
    for position, entry in enumerate(entries):
        if "from" not in entry.arguments:
            yield above(entries, names, position), None
            continue
        call = call_of(entry, entry.arguments["from"][1], known)
        reads = tuple(name for each in call for name in names_in(each))
        yield reads, None if call == reads else call


def call_of(entry: Entry, written: Marked, known: Collection[str]) -> tuple[Given, ...]:
    """What the call of a layer is given, in the order of its inputs.

    Raises:
        SpecError: `from` names no layer, or no input of the kind.
    """
    kind = entry.kind
    if isinstance(written.value, list):
        return tuple(given(item, known) for item in written.value)
    if isinstance(written.value, dict) and written.value:
        if not kind.inputs and not kind.keys:
            if kind.takes_nested:
                return (given(written, known),)
            raise SpecError(f"{kind.__name__}'s inputs have no names; give one or a list", written)
        values = {}
        for name, (word, value) in written.value.items():
            if name not in (*kind.inputs, *kind.keys):
                hint = did_you_mean(name, kind.inputs or kind.keys)
                raise SpecError(f"{kind.__name__} has no input '{name}'{hint}", word)
            values[name] = given(value, known)
        if not kind.inputs:
            return (values,)
        last = max(map(kind.inputs.index, values), default=-1)
        return tuple(values.get(name) for name in kind.inputs[: last + 1])
    if kind.takes is LIST_OF_INPUTS:
        raise SpecError(f"{kind.__name__} reads a list of layers, not one", written)
    return (given(written, known),)


def given(written: Marked, known: Collection[str]) -> Given:
    """What one input is given: a layer, an output of one (`lstm[1]`), or a nest of them."""
    value = written.value
    if value in ([], {}):
        raise SpecError(f"'from' takes names, not {said(value)}", written)
    if isinstance(value, list):
        return tuple(given(item, known) for item in value)
    if isinstance(value, dict):
        return {name: given(item, known) for name, (_, item) in value.items()}
    if not isinstance(value, str):
        raise SpecError(f"'from' takes names, not {said(value)}", written)
    if value in known:
        return value
    one = re.fullmatch(OUTPUT, value)
    if one and one[1] in known:
        steps = re.findall(r"\w+", one[2])
        return Output(one[1], tuple(int(step) if step.isdigit() else step for step in steps))
    hint = did_you_mean(one[1] if one else value, known)
    raise SpecError(f"there is no layer '{value}' to read{hint}", written)


def names_in(what: Given) -> Iterator[str]:
    """The names of the layers in what an input is given."""
    match what:
        case str(name) | Output(name=name):
            yield name
        case tuple(items):
            for item in items:
                yield from names_in(item)
        case dict(pairs):
            for item in pairs.values():
                yield from names_in(item)


def above(entries: list[Entry], names: list[str], position: int) -> tuple[str, ...]:
    """What a layer reads that does not say so."""
    entry = entries[position]
    if 0 in entry.kind.takes:
        return ()
    if entry.kind.takes is LIST_OF_INPUTS:
        raise SpecError(
            f"{entry.kind.__name__} reads a list of layers; say which: 'from: [a, b]'", entry
        )
    if position == 0:
        raise SpecError("the model has no input; write 'input: [28, 28, 1]', its shape", entry)
    if position > 1 and entries[position - 1].label:
        raise SpecError(
            "the model has several inputs; say which this layer reads: 'from: name'", entry
        )
    return (names[position - 1],)
