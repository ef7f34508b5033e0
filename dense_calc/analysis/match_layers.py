"""Which layer of a new model is which of an old one: by its name, or renamed beyond doubt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec
from msgspec import Struct

from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import SIZES, settled_arguments
from dense_calc.model import Model, Node, dotted, told
from dense_calc.report import Row, WeightRow
from dense_calc.tracing.lent_layers import OUTSIDE, Path, lent_below
from dense_calc.tracing.nested_model import Inside

LAYERS = "layers"  # of a model inside

Names = Mapping[str, str]  # of a layer in the new model → its name in the old one
NO_NAMES: Names = {}
NOTHING: Mapping[Path, str] = {}


class Part(Struct, frozen=True):
    """A layer of a model or of one inside it: by its whole name, as a node, and its row.

    An input of a plain chain has no row, nor has a later call that is one row with the first. The
    `weights` are those that no other part has: a layer that is called again has them where it is
    written, and an `opened` model in the layers in it. The `lender` of one that another model
    holds is its whole name there.
    """

    name: str
    node: Node
    row: Row | None
    weights: tuple[WeightRow, ...]
    outer: str = ""
    opened: bool = False
    lender: str | None = None

    @property
    def type(self) -> str:
        """The class of the layer."""
        return type(self.node.layer).__name__

    @property
    def params(self) -> int:
        """The parameters of its weights."""
        return sum(weight.params for weight in self.weights)

    def sources(self, names: Names) -> tuple[str, ...]:
        """What its call is given, by other names where layers have any."""
        given = self.node.call or self.node.inputs
        return tuple(told(each, lambda name: self.whole(name, names)) for each in given)

    def reads(self, names: Names) -> set[str]:
        """The layers that it reads, by other names where they have any."""
        return {self.whole(name, names) for name in self.node.inputs}

    def shared_with(self, names: Names) -> str | None:
        """The layer whose weights it has, by another name where that has any."""
        if self.node.shares:
            return self.whole(self.node.shares, names)
        return self.lender and names.get(self.lender, self.lender)

    def whole(self, name: str, names: Names) -> str:
        """The name of a layer beside this one, by another where it has any."""
        return names.get(self.outer + name, self.outer + name)


Parts = Mapping[str, Part]


def parts(
    model: Model, rows: Iterable[Row], outer: str = "", lent: Mapping[Path, str] = NOTHING
) -> Iterator[Part]:
    """The layers of a model, a model inside before those in it.

    `lent` are the whole names of layers that it holds of models around, by the ways to them.
    """
    by_name = {row.name: row for row in rows}
    names = {node.name for node in model.nodes}
    held = {
        node.holder if node.holder in names else node.name: by_name[node.name].counted
        for node in model.nodes
        if node.name in by_name and not by_name[node.name].shared_with
    }
    for node in model.nodes:
        row = by_name.get(node.name)
        name = outer + node.name
        own = {
            loan.path: outer + loan.holder
            for loan in node.loans
            if not loan.holder.startswith(OUTSIDE)
        } | lent_below(lent, (node.holder,))
        lender = own.pop((), None)
        if isinstance(node.layer, Inside) and row and row.layers:
            yield Part(name, node, row, (), outer, opened=True, lender=lender)
            yield from parts(node.layer.model, row.layers, f"{name}/", own)
        else:
            yield Part(name, node, row, held.get(node.name, ()), outer, lender=lender)


def pairs(was: Parts, now: Parts) -> Names:
    """The old name of each new layer that was there: its own, or that of the one it was then.

    An old and a new layer that have no counterpart are one, renamed, if they have the same class
    and arguments, and no others have what they have in common: see KEPT.
    """
    names = {name: name for name in now if name in was}
    gone = [Look(part) for name, part in was.items() if name not in names]
    come = [Look(part) for name, part in now.items() if name not in names]
    for kept in KEPT:
        stayed = set(names.values())
        gone = [look for look in gone if look.name not in stayed]
        come = [look for look in come if look.name not in names]
        olds = defaultdict(list)
        for look in gone:
            olds[look.key(kept)].append(look.name)
        rivals = Counter(look.key(kept) for look in come)
        for look in come:
            same = olds.get(look.key(kept, names), ())
            if len(same) == 1 and rivals[look.key(kept)] == 1:
                names[look.name] = same[0]
    return names


# What a renamed layer has kept beside its class and arguments, the surest first; what it reads
# is asked again when more is known of that.
SOURCES, INNER, WEIGHTS = "sources", "name in its block or model", "weights"
KEPT = ({SOURCES, INNER}, {SOURCES}, {INNER}, {WEIGHTS}, {SOURCES, INNER}, {SOURCES})


class Look:
    """What tells a layer from others, whatever it is called."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.name = part.name
        self.inner = dotted(part.name).partition(".")[2] or part.name  # Keras' files have dots
        self.arguments = msgspec.json.encode(arguments(part), order="deterministic")

    def key(self, kept: Set[str], names: Names = NO_NAMES) -> tuple[object, ...]:
        """What two layers have in common that are one; what they read may have other names.

        Where only weights are asked for, a layer that has none is like no other.
        """
        sources = self.part.sources(names) if SOURCES in kept else ()
        inner = self.inner if INNER in kept else ""
        weights: object = ()
        if WEIGHTS in kept:
            weights = tuple(weight.shape for weight in self.part.weights) or self.name
        return self.arguments, sources, inner, weights


def arguments(part: Part) -> dict[str, Any]:
    """The class of a layer and its arguments; of an input, its shape, however that is said.

    Those of an opened model are without its layers, which are parts of their own.
    """
    found = written(part.node.layer)
    if part.opened:
        del found[LAYERS]
    elif not part.node.inputs and part.node.call is None:
        sizes = list(part.node.layer.output_shape())
        found = {name: each for name, each in found.items() if name not in SIZES}
        found |= {"shape": sizes[1:], "batch_size": sizes[0]} if sizes else {"batch_shape": []}
    return found


def written(layer: LayerKind) -> dict[str, Any]:
    """The class of a layer and its arguments; of a model, its layers."""
    kind = {"type": type(layer).__name__}
    if isinstance(layer, Inside):
        inside = [written(node.layer) for node in layer.model.nodes]
        return kind | {"trainable": layer.trainable, LAYERS: inside}
    return kind | settled_arguments(layer, written)
