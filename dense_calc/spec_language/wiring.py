"""The inputs of layers and blocks: `from:`, or the layer above."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from dense_calc.call_inputs import CallInput, Constant, OutputPath, layer_names_in
from dense_calc.errors import LayerError, SpecError, describe_value, did_you_mean
from dense_calc.layers.arguments.types import INPUT_DTYPES
from dense_calc.layers.base import LIST_OF_INPUTS, LayerKind
from dense_calc.spec_language.entries import SpecEntry
from dense_calc.spec_language.yaml_tree import YamlNode
from dense_calc.tracing.layer import demand_mask

MASK_KEY, INPUTS_KEY = "mask", "inputs"  # Keras' names of the parameters of most calls

# The layers that a call reads, its inputs if they are not just these layers, and its mask.
_CallWiring = tuple[tuple[str, ...], tuple[CallInput, ...] | None, CallInput]


class _ReadableNames(Protocol):
    """The names that a list of layers can read."""

    no_input_message: str  # the error for a layer that needs an input and has no layer above it

    def find_node(self, name: str) -> str | None:
        """The node whose output has this name here, None if there is none."""

    def find_outside(self, name: str, written: YamlNode) -> str | None:
        """The node for a name that may mean a layer outside the list, None if it cannot."""

    def evaluate_constants(self, written: YamlNode) -> Any:
        """The plain value of a constant, with a number in place of each expression in it."""

    def readable_names(self) -> Iterable[str]:
        """The names that a mistaken one may mean, for hints."""


def wire_layer(entry: SpecEntry, above: str | None, names: _ReadableNames) -> _CallWiring:
    """The wiring of a layer: what it reads, its inputs if these are more, and its mask.

    Raises:
        SpecError: there is no layer of a name in `from`, or a layer without `from` needs one.
    """
    if "from" not in entry.arguments:
        return _inputs_from_above(entry, above, names), None, None
    written = entry.arguments["from"][1]
    mask: CallInput = None
    if isinstance(written.value, dict) and _has_mask_key(written.value.keys(), entry.kind):
        mask = _read_mask(entry.kind, written.value[MASK_KEY][1], names)
        written = _remove_mask(written, entry.kind)
    call = _read_layer_call(entry, written, names)
    ordered = call
    if isinstance(written.value, dict) and entry.kind.input_names:  # connections are as written
        ordered = tuple(call[entry.kind.input_names.index(name)] for name in written.value)
    reads = tuple([name for each in (*ordered, mask) for name in layer_names_in(each)])
    if not reads:
        raise SpecError("'from' names no layer; a model cannot be made of numbers alone", written)
    return reads, None if call == reads else call, mask


def _read_mask(kind: type[LayerKind], written: YamlNode, names: _ReadableNames) -> CallInput:
    """The mask of a call: one, or a list, in which null stands for no mask.

    Raises:
        SpecError: the kind takes no mask, or another number of them.
    """
    items = written.value if isinstance(written.value, list) else None
    try:
        demand_mask(kind, items)
    except LayerError as error:
        raise SpecError(error.message, written) from None
    if items is None:
        return read_call_input(written, names)
    return tuple(None if item.value is None else read_call_input(item, names) for item in items)


def _has_mask_key(keys: Collection[str], kind: type[LayerKind]) -> bool:
    """Whether `mask` among the keys of `from` is the mask of the call, and no input of that name.

    For a kind that reads a nest, a mapping is that nest, unless its keys are `inputs` and `mask`.
    """
    if MASK_KEY not in keys or MASK_KEY in kind.input_names:
        return False
    return not kind.accepts_nested or bool(kind.input_names) or set(keys) == {INPUTS_KEY, MASK_KEY}


def _remove_mask(written: YamlNode, kind: type[LayerKind]) -> YamlNode:
    """The value of `from` without the mask."""
    rest: dict[str, tuple[YamlNode, YamlNode]] = {
        name: pair for name, pair in written.value.items() if name != MASK_KEY
    }
    if not kind.input_names and rest.keys() == {INPUTS_KEY}:
        return rest[INPUTS_KEY][1]
    return YamlNode(*written.coordinates, rest)


def _inputs_from_above(
    entry: SpecEntry, above: str | None, names: _ReadableNames
) -> tuple[str, ...]:
    """The inputs of a layer without `from`."""
    if 0 in entry.kind.arity:
        return ()
    if entry.kind.arity is LIST_OF_INPUTS:
        raise SpecError(
            f"{entry.kind.__name__} reads a list of layers; name them: 'from: [a, b]'", entry
        )
    return (_layer_above(entry, above, names),)


def _layer_above(entry: SpecEntry, above: str | None, names: _ReadableNames) -> str:
    """The layer above, or the only input of the list; SpecError if there is none, or several."""
    if above is None:
        raise SpecError(names.no_input_message, entry)
    return above


def _read_layer_call(
    entry: SpecEntry, written: YamlNode, names: _ReadableNames
) -> tuple[CallInput, ...]:
    """The inputs of a call, in the order in which Keras names them.

    Raises:
        SpecError: `from` names no layer, or no input of the kind.
    """
    kind = entry.kind
    numbers = kind.is_operation
    if isinstance(written.value, list):
        return tuple([read_call_input(item, names, numbers) for item in written.value])
    if isinstance(written.value, dict) and written.value:
        if not kind.input_names and not kind.mapping_keys:
            if kind.accepts_nested:
                return (read_call_input(written, names),)
            raise SpecError(f"{kind.__name__}'s inputs have no names; give one or a list", written)
        keys = kind.input_names or kind.mapping_keys
        values = _read_named_inputs(kind.__name__, keys, written, names, numbers)
        if not kind.input_names:
            return (values,)
        last = max(map(kind.input_names.index, values), default=-1)
        return tuple(values.get(name) for name in kind.input_names[: last + 1])
    if kind.arity is LIST_OF_INPUTS:
        name = written.value if isinstance(written.value, str) else "a"
        hint = f"; name them: 'from: [{name}, ...]'"
        raise SpecError(f"{kind.__name__} reads a list of layers, not one{hint}", written)
    return (read_call_input(written, names),)


def _read_named_inputs(
    whose: str,
    inputs: Iterable[str],
    written: YamlNode,
    names: _ReadableNames,
    numbers: bool = False,
) -> dict[str, CallInput]:
    """What a mapping has for each of these inputs."""
    values: dict[str, CallInput] = {}
    for name, (word, value) in written.value.items():
        if name not in inputs:
            raise SpecError(f"{whose} has no input '{name}'{did_you_mean(name, inputs)}", word)
        values[name] = read_call_input(value, names, numbers)
    return values


def wire_block(
    entry: SpecEntry, whose: str, inputs: tuple[str, ...], above: str | None, names: _ReadableNames
) -> Mapping[str, CallInput]:
    """What the inputs of a block read: one layer, a list in their order, or a mapping.

    A block that names no inputs has one, which may be a nest: `input`, `input[1]`, `input[key]`.

    Raises:
        SpecError: `from` has nothing for an input, or there is no layer of a name in it.
    """
    if "from" not in entry.arguments:
        values: dict[str, CallInput] = {inputs[0]: _layer_above(entry, above, names)}
    else:
        values = dict(_pair_block_inputs(whose, inputs, entry.arguments["from"][1], names))
    missing = [f"'{name}'" for name in inputs if name not in values]
    if missing:
        raise SpecError(f"{whose} needs {' and '.join(missing)} in 'from:'", entry)
    return values


def _pair_block_inputs(
    whose: str, inputs: tuple[str, ...], written: YamlNode, names: _ReadableNames
) -> Iterable[tuple[str, CallInput]]:
    """The inputs of a block, each with what it reads in `from`."""
    value = written.value
    if isinstance(value, dict) and value and (len(inputs) > 1 or inputs[0] in value):
        return _read_named_inputs(whose, inputs, written, names).items()
    if isinstance(value, list) and value and (len(inputs) > 1 or len(value) == 1):
        if len(value) > len(inputs):
            raise SpecError(f"{whose} has {len(inputs)} inputs, not {len(value)}", written)
        return zip(inputs, [read_call_input(item, names) for item in value], strict=False)
    return [(inputs[0], read_call_input(written, names))]


def read_call_input(written: YamlNode, names: _ReadableNames, numbers: bool = False) -> CallInput:
    """One input of a call: a layer, one tensor of its output (`lstm[1]`), or a nest of these.

    Where `numbers` are allowed, as in operations, it may also be `2.5`, `[1, 2]`, `2 * width`, or
    an array of these sizes: `{constant: [512, width]}`.
    """
    value = written.value
    if numbers:
        constant = read_constant(names.evaluate_constants(written))
        if constant:
            return constant
    if value in ([], {}):
        raise SpecError(f"'from' takes names, not {describe_value(value)}", written)
    if isinstance(value, list):
        return tuple(read_call_input(item, names, numbers) for item in value)
    if isinstance(value, dict):
        return {name: read_call_input(item, names, numbers) for name, (_, item) in value.items()}
    if not isinstance(value, str):
        raise SpecError(f"'from' takes names, not {describe_value(value)}", written)
    node = names.find_node(value)
    if node is not None:
        return node
    name, steps = _parse_output_path(value)
    node = names.find_node(name) or names.find_outside(name, written)
    if node is None:
        raise unknown_layer_error(value, name, names.readable_names(), written)
    if not steps:
        return node
    return OutputPath(node, tuple(int(step) if step.isdigit() else step for step in steps))


def _parse_output_path(text: str) -> tuple[str, list[str]]:
    """The name of a layer, and the path to one tensor of its output: `lstm[1]`."""
    end = len(text)
    steps: list[str] = []
    while start := text.rfind("[", 0, end) if text.endswith("]", 0, end) else 0:
        if start < 0 or not re.fullmatch(r"\w+", step := text[start + 1 : end - 1]):
            break
        steps.insert(0, step)
        end = start
    return text[:end], steps


def read_constant(value: Any) -> Constant | None:
    """The number or array that a value means, None if it means neither."""
    match value:
        case {"constant": list(sizes), **others} if (
            all(type(size) is int and size >= 0 for size in sizes)
            and others.keys() <= {"dtype"}
            and others.get("dtype") in (None, *INPUT_DTYPES)
        ):
            dtype: Any = others.get("dtype")
            return Constant(None, tuple(sizes), dtype)
        case str() | dict() | None:
            return None
        case list():
            return Constant(value) if value and all(map(read_constant, value)) else None
    return Constant(value)


def unknown_layer_error(
    text: str, name: str, choices: Iterable[str], written: YamlNode
) -> SpecError:
    """The error for a text whose `name` is that of no layer."""
    return SpecError(f"there is no layer '{text}' to read{did_you_mean(name, choices)}", written)
