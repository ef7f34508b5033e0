"""What one input of a call is: the output of a layer, one tensor of it, a constant, or a nest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from dense_calc.shapes import Sizes


class OutputPath(Struct, frozen=True):
    """One output tensor of a layer, by the way to it in the nest of its outputs: `lstm[1]`."""

    name: str
    steps: tuple[int | str, ...]


class OutputIndex(Struct, frozen=True):
    """One output tensor of a layer, by its number in the flattened outputs, as Keras counts."""

    name: str
    index: int


class Constant(Struct, frozen=True):
    """A number or an array that a call reads in place of a tensor.

    `value` is the number, or the array as nested lists. Of a large array a file may state only the
    `sizes`. `array_dtype` is the dtype that a file states for an array.
    """

    value: Any
    sizes: Sizes | None = None
    array_dtype: str | None = None

    @property
    def shape(self) -> Sizes:
        """The sizes of the array, () of a single number."""
        if self.sizes is not None:
            return self.sizes
        sizes = []
        value = self.value
        while isinstance(value, list):
            sizes.append(len(value))
            value = value[0] if value else None
        return tuple(sizes)


# A call reads the whole output of a layer by its name, one tensor of it, a constant, or nothing.
CallLeaf = str | OutputPath | OutputIndex | Constant | None
# One input of a call: a leaf, or leaves in tuples and mappings.
CallInput = CallLeaf | tuple["CallInput", ...] | dict[str, "CallInput"]


def map_call_input(
    call_input: CallInput,
    change: Callable[[CallLeaf], Any],
    sequence: Callable[[list[Any]], Any] = tuple,
) -> Any:
    """The same nest with `change` applied to every leaf, and a `sequence` for every tuple."""
    match call_input:
        case tuple():
            return sequence([map_call_input(item, change, sequence) for item in call_input])
        case dict():
            return {key: map_call_input(item, change, sequence) for key, item in call_input.items()}
    return change(call_input)


def call_input_leaves(call_input: CallInput) -> Iterator[CallLeaf]:
    """The leaves of an input in the order in which Keras flattens it: mappings by their keys."""
    match call_input:
        case tuple(items):
            for item in items:
                yield from call_input_leaves(item)
        case dict(items):
            for _, item in sorted(items.items()):
                yield from call_input_leaves(item)
        case _:
            yield call_input


def layer_names_in(call_input: CallInput) -> Iterator[str]:
    """The names of the layers that an input reads."""
    for leaf in call_input_leaves(call_input):
        if isinstance(leaf, str):
            yield leaf
        elif isinstance(leaf, OutputPath | OutputIndex):
            yield leaf.name


def format_call_input(call_input: CallInput, rename: Callable[[str], str] = str) -> str:
    """An input of a call as text: `norm`, `lstm[1]`, `[x, [h, c]]`.

    `rename` changes the names of layers.
    """
    match call_input:
        case str(name) | OutputIndex(name, 0):
            return rename(name)
        case OutputIndex(name, index):
            return f"{rename(name)}[{index}]"
        case OutputPath(name, steps):
            return rename(name) + "".join(f"[{step}]" for step in steps)
        case tuple(items):
            return f"[{', '.join(format_call_input(item, rename) for item in items)}]"
        case dict(items):
            pairs = (f"{key}: {format_call_input(item, rename)}" for key, item in items.items())
            return f"{{{', '.join(pairs)}}}"
        case Constant(value):
            return str(value)
    return "null"
