"""What reads what: `from:` of each layer, or the layer above it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol, get_args

from dense_calc.errors import LayerError, SpecError, did_you_mean, said
from dense_calc.layers.arguments.types import InputDtype
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.model import Constant, Given, Output, names_in
from dense_calc.spec_language.entries import Entry
from dense_calc.spec_language.yaml_tree import Marked
from dense_calc.tracing.layer import demand_mask

MASK, INPUTS = "mask", "inputs"  # Keras' names of what most layers are called with

# The names that are read, what a call is given, and its mask.
Wires = tuple[tuple[str, ...], tuple[Given, ...] | None, Given]
DTYPES = get_args(InputDtype)


class Readable(Protocol):
    """What can be read in a list of layers."""

    nothing_above: str  # what to say where a layer that must read something has nothing above it

    def found(self, name: str) -> str | None:
        """The node whose output has this name here, None if there is none."""

    def elsewhere(self, name: str, written: Marked) -> str | None:
        """The same for a name that is not found, if it may be found later outside the list."""

    def choices(self) -> Iterable[str]:
        """The names that a mistaken one may have meant."""


def wires(entry: Entry, above: str | None, names: Readable) -> Wires:
    """The names of what a layer reads, what its call is given if that is more, and its mask.

    Raises:
        SpecError: it reads what there is not, or does not say what it reads though it must.
    """
    if "from" not in entry.arguments:
        return read_above(entry, above, names), None, None
    written = entry.arguments["from"][1]
    mask: Given = None
    if isinstance(written.value, dict) and has_mask(written.value.keys(), entry.kind):
        mask = mask_of(entry.kind, written.value[MASK][1], names)
        written = without_mask(written, entry.kind)
    call = call_of(entry, written, names)
    ordered = call
    if isinstance(written.value, dict) and entry.kind.inputs:  # connections are as written
        ordered = tuple(call[entry.kind.inputs.index(name)] for name in written.value)
    reads = tuple([name for each in (*ordered, mask) for name in names_in(each)])
    if not reads:
        raise SpecError("'from' names no layer; of numbers alone no model is made", written)
    return reads, None if call == reads else call, mask


def mask_of(kind: type[LayerKind], written: Marked, names: Readable) -> Given:
    """The mask of a call: one, or a nest of them, in which null stands for none.

    Raises:
        SpecError: the kind takes no mask, or another number of them.
    """
    items = written.value if isinstance(written.value, list) else None
    try:
        demand_mask(kind, items)
    except LayerError as error:
        raise SpecError(error.message, written) from None
    if items is None:
        return given(written, names)
    return tuple(None if item.value is None else given(item, names) for item in items)


def has_mask(keys: Collection[str], kind: type[LayerKind]) -> bool:
    """Whether a mapping gives a mask to a kind that has no name for it.

    To a kind that takes a nest, a mapping is one, unless it names nothing else but the inputs.
    """
    if MASK not in keys or MASK in kind.inputs:
        return False
    return not kind.takes_nested or bool(kind.inputs) or set(keys) == {INPUTS, MASK}


def without_mask(written: Marked, kind: type[LayerKind]) -> Marked:
    """What `from` gives the inputs of a kind that has no name for its mask.

    Nothing depends on what a mask is; that it is read makes a connection.
    """
    rest = {name: pair for name, pair in written.value.items() if name != MASK}
    whole = Marked(*written.where, rest)
    if not kind.inputs and rest.keys() == {INPUTS}:
        _, whole = rest[INPUTS]
    return whole


def read_above(entry: Entry, above: str | None, names: Readable) -> tuple[str, ...]:
    """What a layer reads that does not say so."""
    if 0 in entry.kind.takes:
        return ()
    if entry.kind.takes is LIST_OF_INPUTS:
        raise SpecError(
            f"{entry.kind.__name__} reads a list of layers; say which: 'from: [a, b]'", entry
        )
    return (above_of(entry, above, names),)


def above_of(entry: Entry, above: str | None, names: Readable) -> str:
    """The layer above, or what the list is given; SpecError where that is nothing or several."""
    if above is None:
        raise SpecError(names.nothing_above, entry)
    return above


def call_of(entry: Entry, written: Marked, names: Readable) -> tuple[Given, ...]:
    """What the call of a layer is given, in the order of its inputs.

    Raises:
        SpecError: `from` names no layer, or no input of the kind.
    """
    kind = entry.kind
    numbers = kind.is_operation
    if isinstance(written.value, list):
        return tuple([given(item, names, numbers) for item in written.value])
    if isinstance(written.value, dict) and written.value:
        if not kind.inputs and not kind.keys:
            if kind.takes_nested:
                return (given(written, names),)
            raise SpecError(f"{kind.__name__}'s inputs have no names; give one or a list", written)
        whose = kind.__name__
        values = given_by_name(whose, kind.inputs or kind.keys, written, names, numbers)
        if not kind.inputs:
            return (values,)
        last = max(map(kind.inputs.index, values), default=-1)
        return tuple(values.get(name) for name in kind.inputs[: last + 1])
    if kind.takes is LIST_OF_INPUTS:
        raise SpecError(f"{kind.__name__} reads a list of layers, not one", written)
    return (given(written, names),)


def given_by_name(
    whose: str, inputs: Iterable[str], written: Marked, names: Readable, numbers: bool = False
) -> dict[str, Given]:
    """What each input of those with these names is given in a mapping."""
    values: dict[str, Given] = {}
    for name, (word, value) in written.value.items():
        if name not in inputs:
            raise SpecError(f"{whose} has no input '{name}'{did_you_mean(name, inputs)}", word)
        values[name] = given(value, names, numbers)
    return values


def given_to_block(
    entry: Entry, whose: str, inputs: tuple[str, ...], above: str | None, names: Readable
) -> Mapping[str, Given]:
    """What the inputs of a block are given: one, a list in their order, or a mapping.

    A block that names no inputs has one, whatever it is given: `input`, `input[1]`, `input[key]`.

    Raises:
        SpecError: an input is given nothing, or something that is not there.
    """
    if "from" not in entry.arguments:
        values: dict[str, Given] = {inputs[0]: above_of(entry, above, names)}
    else:
        values = dict(given_in_order(whose, inputs, entry.arguments["from"][1], names))
    missing = [f"'{name}'" for name in inputs if name not in values]
    if missing:
        raise SpecError(f"{whose} must be given {' and '.join(missing)} by 'from:'", entry)
    return values


def given_in_order(
    whose: str, inputs: tuple[str, ...], written: Marked, names: Readable
) -> Iterable[tuple[str, Given]]:
    """The inputs of a block with what `from` gives them."""
    value = written.value
    if isinstance(value, dict) and value and (len(inputs) > 1 or inputs[0] in value):
        return given_by_name(whose, inputs, written, names).items()
    if isinstance(value, list) and value and (len(inputs) > 1 or len(value) == 1):
        if len(value) > len(inputs):
            raise SpecError(f"{whose} has {len(inputs)} inputs, not {len(value)}", written)
        return zip(inputs, [given(item, names) for item in value], strict=False)
    return [(inputs[0], given(written, names))]


def given(written: Marked, names: Readable, numbers: bool = False) -> Given:
    """What one input is given: a layer, an output of one (`lstm[1]`), or a nest of them.

    An operation may also be given `numbers`: `2.5`, `[1, 2]`, or `{constant: [512, 768]}`, an array
    of these sizes.
    """
    value = written.value
    if numbers:
        constant = constant_of(written.plain())
        if constant:
            return constant
    if value in ([], {}):
        raise SpecError(f"'from' takes names, not {said(value)}", written)
    if isinstance(value, list):
        return tuple(given(item, names, numbers) for item in value)
    if isinstance(value, dict):
        return {name: given(item, names, numbers) for name, (_, item) in value.items()}
    if not isinstance(value, str):
        raise SpecError(f"'from' takes names, not {said(value)}", written)
    found = names.found(value)
    if found is not None:
        return found
    name, steps = output_in(value)
    found = names.found(name) or names.elsewhere(name, written)
    if found is None:
        raise no_layer(value, name, names.choices(), written)
    if not steps:
        return found
    return Output(found, tuple(int(step) if step.isdigit() else step for step in steps))


def output_in(text: str) -> tuple[str, list[str]]:
    """The name of a layer, and the way to one of its outputs: `lstm[1]`."""
    end = len(text)
    steps: list[str] = []
    while start := text.rfind("[", 0, end) if text.endswith("]", 0, end) else 0:
        if start < 0 or not re.fullmatch(r"\w+", step := text[start + 1 : end - 1]):
            break
        steps.insert(0, step)
        end = start
    return text[:end], steps


def constant_of(value: Any) -> Constant | None:
    """The numbers that a value is, None if it is none."""
    match value:
        case {"constant": list(sizes), **more} if (
            all(type(size) is int and size >= 0 for size in sizes)
            and more.keys() <= {"dtype"}
            and more.get("dtype") in (None, *DTYPES)
        ):
            dtype: Any = more.get("dtype")
            return Constant(None, tuple(sizes), dtype)
        case str() | dict() | None:
            return None
        case list():
            return Constant(value) if value and all(map(constant_of, value)) else None
    return Constant(value)


def no_layer(told: str, name: str, choices: Iterable[str], written: Marked) -> SpecError:
    """The complaint about a name that no layer has."""
    return SpecError(f"there is no layer '{told}' to read{did_you_mean(name, choices)}", written)
