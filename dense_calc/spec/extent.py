"""How much a spec comes to once it is written out in full, and how much it may come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from dense_calc.errors import Note, Place, SpecError
from dense_calc.model import Node
from dense_calc.spec.document import MAX_VALUES, Marked

MAX_LAYERS = 200_000
MAX_CONNECTIONS = 1_000_000
MAX_CHARACTERS = 2**26  # of names, those of connections included


class Extent(Struct, frozen=True, gc=False):
    """Numbers of layers, of connections, of characters in the names of both, and of values."""

    layers: int = 0
    connections: int = 0
    characters: int = 0
    values: int = 0

    def __add__(self, other: Extent) -> Extent:
        return Extent(
            self.layers + other.layers,
            self.connections + other.connections,
            self.characters + other.characters,
            self.values + other.values,
        )

    def copied(self, times: int, prefixes: int) -> Extent:
        """That of so many copies, before whose names so many characters are put in all."""
        return Extent(
            self.layers * times,
            self.connections * times,
            self.characters * times + (self.layers + self.connections) * prefixes,
            self.values * times,
        )


MOST: Mapping[str, tuple[int, str]] = {
    "layers": (MAX_LAYERS, "layers"),
    "connections": (MAX_CONNECTIONS, "connections"),
    "characters": (MAX_CHARACTERS, "characters of names"),
    "values": (MAX_VALUES, "values"),
}


def demand_few(extent: Extent, place: Place | None, notes: Iterable[Note] = ()) -> None:
    """Raise SpecError where a model would come to more than it may."""
    for name, (most, what) in MOST.items():
        number = getattr(extent, name)
        if number > most:
            told = f"this would make {number:,} {what}; blocks may make {most:,}"
            raise SpecError(told, place, notes)


def extent_of(nodes: Iterable[Node]) -> Extent:
    """That of nodes, without the values that are written in them."""
    nodes = list(nodes)
    read = list(chain.from_iterable(map(attrgetter("inputs"), nodes)))
    characters = sum(map(len, read)) + sum(map(len, map(attrgetter("name"), nodes)))
    return Extent(len(nodes), len(read), characters)


def values_in(written: Marked) -> int:
    """How many values are written here, those that aliases repeat included."""
    if written.size > 1:  # measured already
        return written.size
    value = written.value
    if isinstance(value, list):
        return 1 + sum(map(values_in, value))
    if isinstance(value, dict):
        return 1 + sum(1 + values_in(each) for _, each in value.values())
    return 1


def values_under(arguments: Mapping[str, tuple[Marked, Marked]]) -> int:
    """How many values are written in arguments, with the word that they belong to."""
    return 1 + sum(1 + values_in(value) for _, value in arguments.values())
