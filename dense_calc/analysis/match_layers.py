"""Which layer of a new model is which of an old one: by its name, or renamed beyond doubt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import msgspec
from msgspec import Struct

from dense_calc.call_inputs import format_call_input
from dense_calc.layers.base import LayerKind
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS, normalized_arguments
from dense_calc.model import Model, Node, dotted_name
from dense_calc.report import LayerRow, WeightRow
from dense_calc.tracing.layer_paths import LayerPath
from dense_calc.tracing.lent_layers import OUTER_PREFIX, lent_under_path
from dense_calc.tracing.nested_model import NestedModel

_LAYERS_KEY = "layers"  # of a model inside

OldNames = Mapping[str, str]  # of a layer in the new model → its name in the old one
NO_OLD_NAMES: OldNames = {}
_NONE_LENT: Mapping[LayerPath, str] = {}


class ComparedLayer(Struct, frozen=True):
    """A layer of a model or of one inside it: by its whole name, as a node, and its row.

    An input of a plain chain has no row, nor has a later call that is one row with the first. The
    `weights` are those that no other part has: a layer that is called again has them where it is
    written, and an `opened` model in the layers in it. The `lender` of one that another model
    holds is its whole name there.
    """

    name: str
    node: Node
    row: LayerRow | None
    weights: tuple[WeightRow, ...]
    outer_prefix: str = ""
    is_opened: bool = False
    lender_name: str | None = None

    @property
    def type(self) -> str:
        """The class of the layer."""
        return type(self.node.layer).__name__

    @property
    def params(self) -> int:
        """The parameters of its weights."""
        return sum(weight.params for weight in self.weights)

    def call_sources(self, names: OldNames) -> tuple[str, ...]:
        """What its call is given, by other names where layers have any."""
        given = self.node.call_inputs or self.node.inputs
        return tuple(
            format_call_input(each, lambda name: self.qualified_name(name, names)) for each in given
        )

    def source_layers(self, names: OldNames) -> set[str]:
        """The layers that it reads, by other names where they have any."""
        return {self.qualified_name(name, names) for name in self.node.inputs}

    def shared_with(self, names: OldNames) -> str | None:
        """The layer whose weights it has, by another name where that has any."""
        if self.node.first_call:
            return self.qualified_name(self.node.first_call, names)
        return self.lender_name and names.get(self.lender_name, self.lender_name)

    def qualified_name(self, name: str, names: OldNames) -> str:
        """The name of a layer beside this one, by another where it has any."""
        return names.get(self.outer_prefix + name, self.outer_prefix + name)


ComparedLayers = Mapping[str, ComparedLayer]


def compared_layers(
    model: Model,
    rows: Iterable[LayerRow],
    outer: str = "",
    lent: Mapping[LayerPath, str] = _NONE_LENT,
) -> Iterator[ComparedLayer]:
    """The layers of a model, a model inside before those in it.

    `lent` are the whole names of layers that it holds of models around, by the ways to them.
    """
    by_name = {row.name: row for row in rows}
    names = {node.name for node in model.nodes}
    held = {
        node.holder if node.holder in names else node.name: by_name[node.name].counted_weights
        for node in model.nodes
        if node.name in by_name and not by_name[node.name].shared_with
    }
    for node in model.nodes:
        row = by_name.get(node.name)
        name = outer + node.name
        own = {
            loan.path: outer + loan.holder
            for loan in node.lent_layers
            if not loan.holder.startswith(OUTER_PREFIX)
        } | lent_under_path(lent, (node.holder,))
        lender = own.pop((), None)
        if isinstance(node.layer, NestedModel) and row and row.layers:
            yield ComparedLayer(name, node, row, (), outer, is_opened=True, lender_name=lender)
            yield from compared_layers(node.layer.model, row.layers, f"{name}/", own)
        else:
            yield ComparedLayer(name, node, row, held.get(node.name, ()), outer, lender_name=lender)


def match_layers(was: ComparedLayers, now: ComparedLayers) -> OldNames:
    """The old name of each new layer that was there: its own, or that of the one it was then.

    An old and a new layer that have no counterpart are one, renamed, if they have the same class
    and arguments, and no others have what they have in common: see KEPT.
    """
    names = {name: name for name in now if name in was}
    gone = [_LayerFingerprint(part) for name, part in was.items() if name not in names]
    come = [_LayerFingerprint(part) for name, part in now.items() if name not in names]
    for kept in _KEPT_TRAITS:
        stayed = set(names.values())
        gone = [look for look in gone if look.name not in stayed]
        come = [look for look in come if look.name not in names]
        olds = defaultdict(list)
        for look in gone:
            olds[look.match_key(kept)].append(look.name)
        rivals = Counter(look.match_key(kept) for look in come)
        for look in come:
            same = olds.get(look.match_key(kept, names), ())
            if len(same) == 1 and rivals[look.match_key(kept)] == 1:
                names[look.name] = same[0]
    return names


# What a renamed layer has kept beside its class and arguments, the surest first; what it reads
# is asked again when more is known of that.
_SOURCES_TRAIT, _INNER_NAME_TRAIT, _WEIGHTS_TRAIT = (
    "sources",
    "name in its block or model",
    "weights",
)
_KEPT_TRAITS = (
    {_SOURCES_TRAIT, _INNER_NAME_TRAIT},
    {_SOURCES_TRAIT},
    {_INNER_NAME_TRAIT},
    {_WEIGHTS_TRAIT},
    {_SOURCES_TRAIT, _INNER_NAME_TRAIT},
    {_SOURCES_TRAIT},
)


class _LayerFingerprint:
    """What tells a layer from others, whatever it is called."""

    def __init__(self, part: ComparedLayer) -> None:
        self.layer = part
        self.name = part.name
        self.inner_name = (
            dotted_name(part.name).partition(".")[2] or part.name
        )  # Keras' files have dots
        self.arguments = msgspec.json.encode(comparable_arguments(part), order="deterministic")

    def match_key(self, kept: Set[str], names: OldNames = NO_OLD_NAMES) -> tuple[object, ...]:
        """What two layers have in common that are one; what they read may have other names.

        Where only weights are asked for, a layer that has none is like no other.
        """
        sources = self.layer.call_sources(names) if _SOURCES_TRAIT in kept else ()
        inner = self.inner_name if _INNER_NAME_TRAIT in kept else ""
        weights: object = ()
        if _WEIGHTS_TRAIT in kept:
            weights = tuple(weight.shape for weight in self.layer.weights) or self.name
        return self.arguments, sources, inner, weights


def comparable_arguments(part: ComparedLayer) -> dict[str, Any]:
    """The class of a layer and its arguments; of an input, its shape, however that is said.

    Those of an opened model are without its layers, which are parts of their own.
    """
    found = comparable_config(part.node.layer)
    if part.is_opened:
        del found[_LAYERS_KEY]
    elif not part.node.inputs and part.node.call_inputs is None:
        sizes = list(part.node.layer.output_shape())
        found = {name: each for name, each in found.items() if name not in INPUT_SIZE_ARGUMENTS}
        found |= {"shape": sizes[1:], "batch_size": sizes[0]} if sizes else {"batch_shape": []}
    return found


def comparable_config(layer: LayerKind) -> dict[str, Any]:
    """The class of a layer and its arguments; of a model, its layers."""
    kind = {"type": type(layer).__name__}
    if isinstance(layer, NestedModel):
        inside = [comparable_config(node.layer) for node in layer.model.nodes]
        return kind | {"trainable": layer.trainable, _LAYERS_KEY: inside}
    return kind | normalized_arguments(layer, comparable_config)
