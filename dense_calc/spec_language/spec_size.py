"""The size of a spec with every copy of its blocks written out, and the limits of that size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from operator import attrgetter

from msgspec import Struct

from dense_calc.errors import Note, Place, SpecError
from dense_calc.model import Node
from dense_calc.spec_language.yaml_tree import MAX_YAML_VALUES, YamlNode
from dense_calc.symbolic.state import UnlikeCopiesError, is_symbolic

MAX_LAYERS = 100_000
_MAX_COPIES = 100_000  # of blocks, those of blocks inside included
_MAX_CONNECTIONS = 500_000
_MAX_NAME_CHARACTERS = 2**25  # of names, those of connections included
_MAX_DIFFERING_COPIES = 20_000  # copies of blocks, each decoded by itself
_MAX_DIFFERING_VALUES = 500_000  # values in these copies


class Extent(Struct, frozen=True, gc=False):
    """Numbers of layers, connections, characters in the names of both, values, and copies."""

    layers: int = 0
    connections: int = 0
    characters: int = 0
    values: int = 0
    copies: int = 0

    def __add__(self, other: Extent) -> Extent:
        return Extent(
            self.layers + other.layers,
            self.connections + other.connections,
            self.characters + other.characters,
            self.values + other.values,
            self.copies + other.copies,
        )

    def scale_to_copies(self, times: int, prefixes: int) -> Extent:
        """The extent of so many copies; their prefixes have so many characters in all."""
        return Extent(
            self.layers * times,
            self.connections * times,
            self.characters * times + (self.layers + self.connections) * prefixes,
            self.values * times,
            self.copies * times,
        )


EXTENT_LIMITS: Mapping[str, tuple[int, str]] = {
    "layers": (MAX_LAYERS, "layers"),
    "connections": (_MAX_CONNECTIONS, "connections"),
    "characters": (_MAX_NAME_CHARACTERS, "characters of names"),
    "values": (MAX_YAML_VALUES, "values"),
    "copies": (_MAX_COPIES, "copies of blocks"),
}

# Copies that differ are decoded one by one, which takes longer than copies that are alike.
PLANNING_LIMITS: Mapping[str, tuple[int, str]] = {
    **EXTENT_LIMITS,
    "values": (_MAX_DIFFERING_VALUES, "values that may differ from copy to copy"),
    "copies": (_MAX_DIFFERING_COPIES, "copies that may differ"),
}


def demand_small_extent(
    extent: Extent,
    place: Place | None,
    notes: Iterable[Note] = (),
    allowed: Mapping[str, tuple[int, str]] = EXTENT_LIMITS,
) -> None:
    """Raise SpecError where a model would come to more than is allowed."""
    for name, (most, what) in allowed.items():
        number = getattr(extent, name)
        if number > most:
            if name == "characters" and is_symbolic(number):
                raise UnlikeCopiesError  # numbers in names are supposed to be long
            message = f"this would make {number:,} {what}; at most {most:,} are allowed"
            raise SpecError(message, place, notes)


def extent_of_nodes(nodes: Iterable[Node]) -> Extent:
    """The extent of nodes, without the values in their arguments."""
    nodes = list(nodes)
    read = list(chain.from_iterable(map(attrgetter("inputs"), nodes)))
    characters = sum(map(len, read)) + sum(map(len, map(attrgetter("name"), nodes)))
    return Extent(len(nodes), len(read), characters)


def count_values(written: YamlNode) -> int:
    """The number of YAML values in a node, those that aliases repeat included."""
    if written.size > 1:  # measured already
        return written.size
    value = written.value
    if isinstance(value, list):
        return 1 + sum(map(count_values, value))
    if isinstance(value, dict):
        return 1 + sum(1 + count_values(each) for _, each in value.values())
    return 1


def count_argument_values(arguments: Mapping[str, tuple[YamlNode, YamlNode]]) -> int:
    """The number of YAML values in arguments, with the word above them."""
    return 1 + sum(1 + count_values(value) for _, value in arguments.values())
