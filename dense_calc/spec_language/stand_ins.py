"""What stands for a layer that has a mistake while the mistakes of a file are collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from msgspec import defstruct
from msgspec.structs import replace

from dense_calc.dtypes import Dtypes
from dense_calc.errors import Note, Place, SpecError, find_closest
from dense_calc.layers import KIND_MODULES
from dense_calc.layers.base import LayerKind
from dense_calc.mistakes import current_mistakes, keep_mistake
from dense_calc.shapes import OPAQUE_SHAPE, Shapes
from dense_calc.spec_language.entries import BlockDefinition, SpecEntry, read_entry
from dense_calc.spec_language.layer_arguments import CALL_KEYS, NestedModelDecoder, decode_layer
from dense_calc.spec_language.scope import Scope
from dense_calc.spec_language.yaml_tree import YamlNode

_MAX_INPUTS = 10**9


class StandInLayer(LayerKind, frozen=True, kw_only=True):
    """A layer of which nothing is known: it takes any inputs, and what it gives is not told."""

    arity: ClassVar[range] = range(1, _MAX_INPUTS)
    accepts_nested: ClassVar[bool] = True
    accepts_mask: ClassVar[bool] = True

    def output_shape(self, *_shapes: Any) -> Shapes:
        return OPAQUE_SHAPE

    def output_dtype(self, *_dtypes: Any) -> Dtypes:
        return None

    def weights_for_any_input(self) -> None:
        return None


class UnwiredLayer(StandInLayer, frozen=True, kw_only=True):
    """A layer of which also the inputs are not known."""

    arity: ClassVar[range] = range(_MAX_INPUTS)


@cache
def stand_in_type(name: str, base: type[StandInLayer] = StandInLayer) -> type[StandInLayer]:
    """The type of stand-ins for layers of this class, which have its automatic names."""
    kind: Any = defstruct(name, [], bases=(base,), frozen=True, kw_only=True)
    return kind  # type: ignore[no-any-return]


def read_or_stand_in(item: YamlNode, blocks: Mapping[str, BlockDefinition]) -> SpecEntry:
    """The entry for an item of `layers:`; where mistakes are collected, or one that stands for it.

    Raises:
        SpecError: the item is no layer, and mistakes are not collected.
    """
    try:
        return read_entry(item, blocks)
    except SpecError as error:
        keep_mistake(error, hides_names=True)
    values = item.value if isinstance(item.value, dict) else {}
    under = next((pair[1].value for pair in values.values()), None)
    arguments = under if isinstance(under, dict) else values
    call = {name: arguments[name] for name in CALL_KEYS if name in arguments}
    word = next(iter(values), item.value)
    likely = find_closest(word, KIND_MODULES) if isinstance(word, str) else None
    return SpecEntry(*item.coordinates, stand_in_type(likely or "Layer"), call)


def decode_or_stand_in(
    entry: SpecEntry, scope: Scope, decode_nested: NestedModelDecoder, use_notes: Sequence[Note]
) -> LayerKind:
    """The layer that an entry describes; where mistakes are collected, or one that stands for it.

    `use_notes` show the uses of the blocks around the entry, from the outside in.

    Raises:
        SpecError: the arguments have a mistake, and mistakes are not collected.
    """
    try:
        return decode_layer(entry, scope, decode_nested)
    except SpecError as error:
        if current_mistakes() is None:
            raise
        mistake: SpecError | None = error
    arguments = dict(entry.arguments)
    while mistake:
        mistake.notes += reversed(use_notes)
        keep_mistake(mistake)
        name = _argument_at(entry, arguments, mistake.place)
        mistake = None
        if name is not None:
            del arguments[name]
            try:
                decode_layer(replace(entry, arguments=arguments), scope, decode_nested)
            except SpecError as error:
                # what is lacking now was there, with a mistake in it
                is_another = _argument_at(entry, arguments, error.place) is not None
                mistake = error if is_another else None
    base = UnwiredLayer if 0 in entry.kind.arity else StandInLayer  # as an input of the model
    entry.fixed_layer = stand_in_type(entry.kind.__name__, base)(name=entry.read_text("name"))
    return entry.fixed_layer  # also for its copies, of which there may be many


def _argument_at(
    entry: SpecEntry, arguments: Mapping[str, tuple[YamlNode, YamlNode]], place: Place | None
) -> str | None:
    """The name of the argument that a mistake at a place is in, None if it is in none."""
    if place is None or place.coordinates == entry.coordinates:
        return None
    place = place.resolve()
    starts = [
        ((word.line, word.column), name)
        for name, (word, _) in arguments.items()
        if (word.line, word.column) <= (place.line, place.column)
    ]
    return max(starts)[1] if starts else None
