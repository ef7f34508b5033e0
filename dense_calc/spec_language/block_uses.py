"""What one use of a block says: how often the block stands, and the values of its parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from dense_calc.errors import Note, SpecError, did_you_mean
from dense_calc.layers.base import PositiveInt
from dense_calc.mistakes import keep_mistake_in_block
from dense_calc.spec_language.blocks import BLOCK_USE_KEYS
from dense_calc.spec_language.entries import BlockDefinition, BlockEntry, SpecEntry
from dense_calc.spec_language.layer_arguments import decode_arguments, substitute_parameters
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.spec_numbers import Number
from dense_calc.spec_language.spec_size import Extent, demand_small_extent
from dense_calc.symbolic.state import current_log, is_symbolic


class Repetition(Struct, forbid_unknown_fields=True):
    """How often a block stands, one after the other."""

    repeat: PositiveInt | None = None


def read_repeats(
    entries: Iterable[tuple[int, SpecEntry, Scope]], use_notes: Sequence[Note]
) -> Iterator[tuple[int, int | None]]:
    """How often each block stands, by the place of its use; None where the use does not say.

    `use_notes` show the uses of the blocks around, from the outside in.
    """
    copies = Extent()
    for place, entry, scope in entries:
        if not isinstance(entry, BlockEntry):
            continue
        try:
            repeat = read_repeat(entry, scope)
        except SpecError as error:
            keep_mistake_in_block(error, use_notes)
            repeat = 1
        name = entry.read_text("name") or entry.block.name
        copies += Extent(layers=1).scale_to_copies(repeat or 1, len(name) * (repeat or 1))
        demand_small_extent(copies, entry)
        yield place, repeat


def read_repeat(entry: BlockEntry, scope: Scope) -> int | None:
    """How often the block of an entry stands, None if the entry does not say.

    Raises:
        SpecError: `repeat` is no positive integer.
    """
    if "repeat" not in entry.arguments:
        return None
    pair = entry.arguments["repeat"]
    repetition = SpecEntry(*entry.coordinates, Repetition, {"repeat": pair}, entry.block.name)
    values = {"repeat": substitute_parameters(pair[1].plain_value(), scope.substitutions)}
    repeat: int | None = decode_arguments(repetition, values, scope).repeat
    log = current_log()
    if log is None or repeat is None or not is_symbolic(repeat):
        return repeat
    if not log.allows_symbolic_repeats or repeat < 2:
        return int(repeat)
    log.has_symbolic_repeats = True
    return repeat


def count_bodies(repeat: int | None) -> int:
    """The number of copies that are made of a block.

    A symbolic number of copies is made as two: the second one stands for all after the first.
    """
    return 2 if is_symbolic(repeat) else repeat or 1


def copy_scope(scope: Scope, index: int | None) -> Scope:
    """The scope of a use of a block: in a repeated block, with the `index` of the copy."""
    return scope if index is None else Scope({}, scope.substitutions, scope, index)


def read_parameter_values(entry: BlockEntry, scope: Scope) -> dict[str, Any]:
    """The values that a use of a block passes for the block's parameters.

    Raises:
        SpecError: the block has no such parameter, or an expression has no value.
    """
    block = entry.block
    values = {}
    for name, (word, written) in entry.arguments.items():
        if name in block.params:
            values[name] = scope.read_value(written)
        elif name not in BLOCK_USE_KEYS:
            hint = did_you_mean(name, (*block.params, *BLOCK_USE_KEYS))
            raise SpecError(f"the block '{block.name}' has no parameter '{name}'{hint}", word)
    return values


def block_scope(
    block: BlockDefinition, values: Mapping[str, Any], outer: Mapping[str, Number], index: int
) -> Scope:
    """The scope inside a block: these values for its parameters, the defaults for the others.

    Raises:
        SpecError: a default has no value.
    """
    defaults = {
        name: default
        for name, default in block.params.items()
        if default is not None and name not in values
    }
    scope = Scope(defaults, values, outer, index)
    for name, default in defaults.items():
        scope.set_parameter(name, scope.read_value(default))
    return scope
