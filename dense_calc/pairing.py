"""Which layer of a new model is which of an old one: by its name, or renamed beyond doubt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from dense_calc.layers.base import LayerKind
from dense_calc.layers.written import settled_arguments
from dense_calc.model import Model, Node, told
from dense_calc.nesting import Inside
from dense_calc.report import Row, WeightRow

LAYERS = "layers"  # of a model inside

Names = Mapping[str, str]  # of a layer in the new model → its name in the old one
NO_NAMES: Names = {}


class Part(Struct, frozen=True):
    """A layer of a model or of one inside it: by its whole name, as a node, and its row.

    An input of a plain chain has no row, nor has a later call that is one row with the first. The
    parameters of an `opened` model are those of the layers in it, which are parts of their own.
    """

    name: str
    node: Node
    row: Row | None
    outer: str = ""
    opened: bool = False

    @property
    def type(self) -> str:
        """The class of the layer."""
        return type(self.node.layer).__name__

    @property
    def params(self) -> int:
        """The parameters that it has and no other part."""
        return self.row.params if self.row and not self.opened else 0

    @property
    def weights(self) -> tuple[WeightRow, ...]:
        """The weights that it has and no other part."""
        return self.row.weights if self.row and not self.opened else ()

    def sources(self, names: Names) -> tuple[str, ...]:
        """What its call is given, by other names where layers have any."""
        given = self.node.call or self.node.inputs
        return tuple(told(each, lambda name: self.whole(name, names)) for each in given)

    def reads(self, names: Names) -> set[str]:
        """The layers that it reads, by other names where they have any."""
        return {self.whole(name, names) for name in self.node.inputs}

    def shared_with(self, names: Names) -> str | None:
        """The layer whose weights it has, by another name where that has any."""
        return self.node.shares and self.whole(self.node.shares, names)

    def whole(self, name: str, names: Names) -> str:
        """The name of a layer beside this one, by another where it has any."""
        return names.get(self.outer + name, self.outer + name)


Parts = Mapping[str, Part]


def parts(model: Model, rows: Iterable[Row], outer: str = "") -> Iterator[Part]:
    """The layers of a model, a model inside before those in it."""
    by_name = {row.name: row for row in rows}
    for node in model.nodes:
        row = by_name.get(node.name)
        name = outer + node.name
        if isinstance(node.layer, Inside) and row and row.layers:
            yield Part(name, node, row, outer, opened=True)
            yield from parts(node.layer.model, row.layers, f"{name}/")
        else:
            yield Part(name, node, row, outer)


def pairs(was: Parts, now: Parts) -> Names:
    """The old name of each new layer that was there: its own, or that of the one it was then.

    An old and a new layer that have no counterpart are one, renamed, if no others have the same
    class and arguments and read the same; or, where that settles nothing, whatever they read.
    """
    names = {name: name for name in now if name in was}
    gone = [Look(part) for name, part in was.items() if name not in names]
    come = [Look(part) for name, part in now.items() if name not in names]
    for by_sources in (True, False, True):
        stayed = set(names.values())
        gone = [look for look in gone if look.name not in stayed]
        come = [look for look in come if look.name not in names]
        olds = defaultdict(list)
        for look in gone:
            olds[look.key(by_sources)].append(look.name)
        rivals = Counter(look.key(by_sources) for look in come)
        for look in come:
            same = olds.get(look.key(by_sources, names), ())
            if len(same) == 1 and rivals[look.key(by_sources)] == 1:
                names[look.name] = same[0]
    return names


class Look:
    """What a layer keeps that is renamed: its class and arguments, and perhaps what it reads."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.name = part.name
        self.arguments = msgspec.json.encode(written(part.node.layer), order="deterministic")

    def key(self, by_sources: bool, names: Names = NO_NAMES) -> tuple[bytes, tuple[str, ...]]:
        """What two layers have in common that are one; what is read may have other names."""
        return self.arguments, self.part.sources(names) if by_sources else ()


def written(layer: LayerKind) -> dict[str, Any]:
    """The class of a layer and its arguments; of a model, its layers."""
    kind = {"type": type(layer).__name__}
    if isinstance(layer, Inside):
        inside = [written(node.layer) for node in layer.model.nodes]
        return kind | {"trainable": layer.trainable, LAYERS: inside}
    return kind | settled_arguments(layer, written)
