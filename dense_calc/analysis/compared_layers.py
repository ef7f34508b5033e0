"""The layers of a model as a comparison sees them: under full names, and with labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from dense_calc.analysis.collapse import block_layer_name
from dense_calc.call_inputs import format_call_input
from dense_calc.layers.base import LayerKind, to_snake_case
from dense_calc.layers.introspect.config import INPUT_SIZE_ARGUMENTS, normalized_arguments
from dense_calc.model import Model, ModelBlock, Node
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

    `label` is the full name without the numbers of automatic names and of copies of blocks:
    `encoder/dense` for `encoder_3/dense_1`. The layer `is_named` if its own name is no automatic
    one.
    """

    name: str
    node: Node
    row: LayerRow | None
    weights: tuple[WeightRow, ...]
    label: str
    is_named: bool
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

    @property
    def sources(self) -> Sequence[str]:
        """The layers that the call reads, under their full names."""
        return [self.outer_prefix + name for name in self.node.inputs]

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
    outer_label: str = "",
    lent: Mapping[LayerPath, str] = _NONE_LENT,
) -> Iterator[ComparedLayer]:
    """The layers of a model; a nested model comes before its layers.

    `outer` is the prefix of their full names, `outer_label` that of their labels. `lent` are the
    full names of the layers that outer models lend, by the paths to them.
    """
    by_name = {row.name: row for row in rows}
    names = {node.name for node in model.nodes}
    weights = {
        node.holder if node.holder in names else node.name: by_name[node.name].counted_weights
        for node in model.nodes
        if node.name in by_name and not by_name[node.name].shared_with
    }
    blocks = {copy: _block_label(block) for block in model.blocks for copy in block.copies}
    for node in model.nodes:
        row = by_name.get(node.name)
        lent_here = {
            each.path: outer + each.holder
            for each in node.lent_layers
            if not each.holder.startswith(OUTER_PREFIX)
        } | lent_under_path(lent, (node.holder,))
        lender = lent_here.pop((), None)
        label, is_named = _layer_label(node, block_layer_name(node.name, blocks))
        full, label = outer + node.name, outer_label + label
        is_opened = isinstance(node.layer, NestedModel) and bool(row and row.layers)
        counted = () if is_opened else weights.get(node.name, ())
        yield ComparedLayer(full, node, row, counted, label, is_named, outer, is_opened, lender)
        if isinstance(node.layer, NestedModel) and row and row.layers:
            inner = f"{full}/", f"{label}/", lent_here
            yield from compared_layers(node.layer.model, row.layers, *inner)


def _unnumbered(name: str) -> str:
    """A name without the number at its end: `dense` for `dense_1`."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdecimal() else name


def _block_label(block: ModelBlock) -> str:
    """The own name of a use of a block, the name of the block if the use has an automatic one."""
    name = block.name.rpartition("/")[2]
    return block.type if _unnumbered(name) == block.type else name


def _layer_label(node: Node, name: str) -> tuple[str, bool]:
    """A name without the number of an automatic one, and whether somebody gave it.

    Keras numbers the layers of a kind, and tf.keras the inputs; a spec numbers the later calls of
    a layer.
    """
    around, slash, own = name.rpartition("/")
    label = _unnumbered(own)
    kind = to_snake_case(type(node.layer).__name__)
    if label == kind or (kind, label) == ("input_layer", "input"):
        return around + slash + label, False
    if node.first_call and label == node.first_call.rpartition("/")[2]:
        return around + slash + label, False
    return name, True


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
