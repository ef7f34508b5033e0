"""Bodies → nodes: each copy of a block in full, with names that hold in the whole model."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dense_calc.call_inputs import CallInput, CallLeaf, OutputPath, layer_names_in, map_call_input
from dense_calc.errors import Note, Place, SpecError
from dense_calc.model import LentLayer, ModelBlock, Node
from dense_calc.spec_language.bodies import ROOT_PREFIX, BlockCall, BlockCopy, Body
from dense_calc.spec_language.spec_size import Extent, demand_small_extent
from dense_calc.tracing.lent_layers import OUTER_PREFIX, holds_model


class _BlockNamespace(Struct, gc=False):
    """The names in one copy of a block: each has `prefix` before it in the whole model.

    In a second call, `owner_prefix` stands before the names of the first call. `block_inputs` maps
    the inputs of the block to what they read. `notes` show the uses around it, from the inside out.
    """

    prefix: str = ""
    owner_prefix: str | None = None
    block_inputs: Mapping[str, CallInput] = {}
    notes: tuple[Note, ...] = ()


class ExpandedModel:
    """The nodes and the block calls of a whole model, made from the body of its list of layers."""

    def __init__(self, model: Body) -> None:
        self._model_body = model
        self.nodes: list[Node] = []
        self.blocks: list[ModelBlock] = []
        self._nested_extent = Extent()  # of nests that a block reads, once for each read
        outside = _BlockNamespace()
        for step in model.steps:
            if isinstance(step, Node):
                self.nodes.append(step)
            else:
                self._add_block_call(step, outside)
        self.nodes = _lend_first_calls(self.nodes)

    def _add_block_call(self, use: BlockCall, namespace: _BlockNamespace) -> None:
        """Add the copies of a block that a body calls."""
        notes = (Note(f"block '{use.block.name}' is used here", use.entry), *namespace.notes)
        inputs = {
            name: self._resolve_call_input(each, namespace, use.entry)
            for name, each in use.block_inputs.items()
        }
        first = next(iter(inputs))
        for copy in use.copies:
            prefix = f"{namespace.prefix}{copy.name}/"
            inner = _BlockNamespace(prefix, _owner_prefix_of(copy, namespace), inputs, notes)
            for step in copy.body.steps:
                if isinstance(step, Node):
                    self.nodes.append(self._expand_node(step, inner))
                else:
                    self._add_block_call(step, inner)
            output = prefix + copy.body.output_node
            inputs = {**inputs, first: _next_copy_input(inputs[first], output)}
        copies = tuple([namespace.prefix + copy.name for copy in use.copies])
        self.blocks.append(
            ModelBlock(
                namespace.prefix + use.name, use.block.name, copies, output, use.copies[-1].count
            )
        )

    def _expand_node(self, node: Node, namespace: _BlockNamespace) -> Node:
        """A node of a body, with its name and inputs in the whole model."""
        call: tuple[CallInput, ...] | None = tuple(
            [
                self._resolve_call_input(each, namespace, node.place)
                for each in node.call_inputs or node.inputs
            ]
        )
        reads = tuple([name for each in call or () for name in layer_names_in(each)])
        mask = self._resolve_call_input(node.mask, namespace, node.place)
        reads += tuple(layer_names_in(mask))
        return Node(
            namespace.prefix + node.name,
            node.layer,
            reads,
            node.place,
            None if call == reads else call,
            self._resolve_first_call(node, namespace),
            namespace.notes,
            mask=mask,
            lent_layers=self._resolve_lent_layers(node, namespace) if node.lent_layers else (),
        )

    def _resolve_lent_layers(self, node: Node, namespace: _BlockNamespace) -> tuple[LentLayer, ...]:
        """The layers inside the layer of a node that the model calls elsewhere."""
        return tuple(
            [
                LentLayer(each.path, self._resolve_holder(each.holder, namespace))
                for each in node.lent_layers
            ]
        )

    def _resolve_first_call(self, node: Node, namespace: _BlockNamespace) -> str | None:
        """The first call of the layer of a node, None if this node is the first."""
        if node.first_call is None:
            return namespace.owner_prefix and namespace.owner_prefix + node.name
        return self._resolve_holder(node.first_call, namespace)

    def _resolve_holder(self, name: str, namespace: _BlockNamespace) -> str:
        """The name of a first call in the whole model."""
        if name.startswith(OUTER_PREFIX):
            return name
        if name.startswith(ROOT_PREFIX):
            return name.removeprefix(ROOT_PREFIX)
        return (namespace.owner_prefix or namespace.prefix) + name

    def _resolve_call_input(
        self, call_input: CallInput, namespace: _BlockNamespace, place: Place | None
    ) -> CallInput:
        """An input of a call in a block, with the names of the whole model."""
        resolved: CallInput = map_call_input(
            call_input, lambda leaf: self._resolve_leaf(leaf, namespace, place)
        )
        return resolved

    def _resolve_leaf(
        self, leaf: CallLeaf, namespace: _BlockNamespace, place: Place | None
    ) -> CallInput:
        """An output or constant that a call in a block reads, with names of the whole model."""
        match leaf:
            case str() if leaf in namespace.block_inputs:
                return self._count_connections(namespace.block_inputs[leaf], namespace, place)
            case str() if leaf.startswith(ROOT_PREFIX):
                return self._model_body.find_node(leaf.removeprefix(ROOT_PREFIX))
            case str():
                return namespace.prefix + leaf
            case OutputPath(name, steps):
                return _select_input_part(
                    self._resolve_leaf(name, namespace, place), name, steps, namespace, place
                )
        return leaf

    def _count_connections(
        self, block_input: CallInput, namespace: _BlockNamespace, place: Place | None
    ) -> CallInput:
        """An input of a block, with its connections counted: a nest makes one for each item.

        Raises:
            SpecError: the nests make too many connections.
        """
        if not isinstance(block_input, str):
            self._nested_extent += Extent(connections=len(list(layer_names_in(block_input))))
            demand_small_extent(self._nested_extent, place, namespace.notes)
        return block_input


def _lend_first_calls(nodes: list[Node]) -> list[Node]:
    """The nodes, where the first call of a layer of another model has that layer lent to it."""
    if not any(node.first_call for node in nodes):
        return nodes
    by_name = {node.name: node for node in nodes}
    firsts: dict[str, str] = {}
    resolved = list(nodes)
    for place, node in enumerate(nodes):
        if not node.first_call:
            continue
        if node.first_call in by_name:
            if holds_model(node.layer):  # the first call has the decoded one
                resolved[place] = replace(node, layer=by_name[node.first_call].layer)
            continue
        first = firsts.setdefault(node.first_call, node.name)
        if first == node.name:
            lent = (LentLayer((), node.first_call), *node.lent_layers)
            resolved[place] = replace(node, first_call=None, lent_layers=lent)
        else:
            resolved[place] = replace(node, first_call=first, lent_layers=())
    return resolved


def _owner_prefix_of(copy: BlockCopy, namespace: _BlockNamespace) -> str | None:
    """The prefix of names in the first call of a copy, None if this is the first call."""
    if copy.owner_name is not None:
        return f"{namespace.owner_prefix or namespace.prefix}{copy.owner_name}/"
    return namespace.owner_prefix and f"{namespace.owner_prefix}{copy.name}/"


def _next_copy_input(block_input: CallInput, output: str) -> CallInput:
    """The first input of the next copy: of a nest, the output replaces the first item only."""
    match block_input:
        case tuple((_, *others)):
            return (output, *others)
        case dict():
            return {**block_input, next(iter(block_input)): output}
    return output


def _select_input_part(
    block_input: CallInput,
    name: str,
    steps: tuple[int | str, ...],
    namespace: _BlockNamespace,
    place: Place | None,
) -> CallInput:
    """One item of a nest that an input of a block reads, `input[1]`, or one output of a layer.

    Raises:
        SpecError: the input has no such part.
    """
    for number, step in enumerate(steps):
        match block_input:
            case str():
                return OutputPath(block_input, steps[number:])
            case OutputPath():
                return OutputPath(block_input.name, block_input.steps + steps[number:])
            case tuple() if isinstance(step, int) and step < len(block_input):
                block_input = block_input[step]
            case dict() if step in block_input:
                block_input = block_input[step]
            case _:
                has = (
                    " and ".join(block_input)
                    if isinstance(block_input, dict)
                    else len(list(layer_names_in(block_input)))
                )
                raise SpecError(f"'{name}' has no [{step}]; it has {has}", place, namespace.notes)
    return block_input
