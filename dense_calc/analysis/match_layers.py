"""Match the layers of two models: by name, or beyond doubt although renamed."""

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

_LAYERS_KEY = "layers"  # of a nested model

OldNames = Mapping[str, str]  # of a layer in the new model → its name in the old one
NO_OLD_NAMES: OldNames = {}
_NONE_LENT: Mapping[LayerPath, str] = {}


class ComparedLayer(Struct, frozen=True):
    """A layer of a model, or of a model nested in it: its full name, its node and its row.

    `row` is None for the input of a plain chain, and for a later call in one row with the first.
    `weights` are those that no other compared layer has: those of a layer with several calls
    belong to its first call. A nested model that `is_opened` has none, since its layers are
    compared, too. `outer_prefix` is the part of the name that stands for nested models. A layer
    that another model holds has its full name there as `lender_name`.
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
        """The inputs of the call as text, with the old names of layers."""
        inputs = self.node.call_inputs or self.node.inputs
        return tuple(
            format_call_input(each, lambda name: self._full_name(name, names)) for each in inputs
        )

    def source_layers(self, names: OldNames) -> set[str]:
        """The old names of the layers that the call reads."""
        return {self._full_name(name, names) for name in self.node.inputs}

    def shared_with(self, names: OldNames) -> str | None:
        """The old name of the layer whose weights it has, None if they are its own."""
        if self.node.first_call:
            return self._full_name(self.node.first_call, names)
        return self.lender_name and names.get(self.lender_name, self.lender_name)

    def _full_name(self, name: str, names: OldNames) -> str:
        """The full name of a layer in the same model; its old one, where `names` has it."""
        return names.get(self.outer_prefix + name, self.outer_prefix + name)


ComparedLayers = Mapping[str, ComparedLayer]


def compared_layers(
    model: Model,
    rows: Iterable[LayerRow],
    outer: str = "",
    lent: Mapping[LayerPath, str] = _NONE_LENT,
) -> Iterator[ComparedLayer]:
    """The layers of a model; a nested model comes before its layers.

    `outer` is the prefix of their full names. `lent` are the full names of the layers that outer
    models lend, by the paths to them.
    """
    by_name = {row.name: row for row in rows}
    names = {node.name for node in model.nodes}
    weights = {
        node.holder if node.holder in names else node.name: by_name[node.name].counted_weights
        for node in model.nodes
        if node.name in by_name and not by_name[node.name].shared_with
    }
    for node in model.nodes:
        row = by_name.get(node.name)
        name = outer + node.name
        lent_here = {
            each.path: outer + each.holder
            for each in node.lent_layers
            if not each.holder.startswith(OUTER_PREFIX)
        } | lent_under_path(lent, (node.holder,))
        lender = lent_here.pop((), None)
        if isinstance(node.layer, NestedModel) and row and row.layers:
            yield ComparedLayer(name, node, row, (), outer, is_opened=True, lender_name=lender)
            yield from compared_layers(node.layer.model, row.layers, f"{name}/", lent_here)
        else:
            counted = weights.get(node.name, ())
            yield ComparedLayer(name, node, row, counted, outer, lender_name=lender)


def match_layers(was: ComparedLayers, now: ComparedLayers) -> OldNames:
    """The old names of the new layers that were in the old model, perhaps under another name.

    A layer was renamed if its class and arguments and one set of `_KEPT_TRAITS` are those of an
    old layer, and of no other layer that is not matched by name.
    """
    names = {name: name for name in now if name in was}
    gone = [_LayerFingerprint(layer) for name, layer in was.items() if name not in names]
    come = [_LayerFingerprint(layer) for name, layer in now.items() if name not in names]
    for traits in _KEPT_TRAITS:
        matched = set(names.values())
        gone = [old for old in gone if old.name not in matched]
        come = [new for new in come if new.name not in names]
        olds = defaultdict(list)
        for old in gone:
            olds[old.match_key(traits)].append(old.name)
        rivals = Counter(new.match_key(traits) for new in come)
        for new in come:
            same = olds.get(new.match_key(traits, names), ())
            if len(same) == 1 and rivals[new.match_key(traits)] == 1:
                names[new.name] = same[0]
    return names


# Traits that a renamed layer has kept beside its class and arguments, the surest first. Sources
# are compared a second time when more of the layers that they name are matched.
_SOURCES_TRAIT, _INNER_NAME_TRAIT, _WEIGHTS_TRAIT = "sources", "inner name", "weights"
_KEPT_TRAITS = (
    {_SOURCES_TRAIT, _INNER_NAME_TRAIT},
    {_SOURCES_TRAIT},
    {_INNER_NAME_TRAIT},
    {_WEIGHTS_TRAIT},
    {_SOURCES_TRAIT, _INNER_NAME_TRAIT},
    {_SOURCES_TRAIT},
)


class _LayerFingerprint:
    """The traits of a layer that do not depend on its name."""

    def __init__(self, layer: ComparedLayer) -> None:
        self.name = layer.name
        self._layer = layer
        # without the block or model around, whose name ends with a dot in Keras' files
        self._inner_name = dotted_name(layer.name).partition(".")[2] or layer.name
        self._arguments = msgspec.json.encode(comparable_arguments(layer), order="deterministic")

    def match_key(self, traits: Set[str], names: OldNames = NO_OLD_NAMES) -> tuple[object, ...]:
        """The key that two layers have in common if these traits, class and arguments are equal.

        `names` are the old names of the layers that it reads. If weights are compared, a layer
        without weights is like no other.
        """
        sources = self._layer.call_sources(names) if _SOURCES_TRAIT in traits else ()
        inner = self._inner_name if _INNER_NAME_TRAIT in traits else ""
        weights: object = ()
        if _WEIGHTS_TRAIT in traits:
            weights = tuple(weight.shape for weight in self._layer.weights) or self.name
        return self._arguments, sources, inner, weights


def comparable_arguments(layer: ComparedLayer) -> dict[str, Any]:
    """The class and the arguments of a layer.

    An input has its shape in one form, however it is written. An opened model is without its
    layers, which are compared by themselves.
    """
    config = comparable_config(layer.node.layer)
    if layer.is_opened:
        del config[_LAYERS_KEY]
    elif not layer.node.inputs and layer.node.call_inputs is None:
        sizes = list(layer.node.layer.output_shape())
        config = {name: each for name, each in config.items() if name not in INPUT_SIZE_ARGUMENTS}
        config |= {"shape": sizes[1:], "batch_size": sizes[0]} if sizes else {"batch_shape": []}
    return config


def comparable_config(layer: LayerKind) -> dict[str, Any]:
    """The class and the arguments of a layer, the layers of a nested model among them."""
    kind = {"type": type(layer).__name__}
    if isinstance(layer, NestedModel):
        layers = [comparable_config(node.layer) for node in layer.model.nodes]
        return kind | {"trainable": layer.trainable, _LAYERS_KEY: layers}
    return kind | normalized_arguments(layer, comparable_config)
